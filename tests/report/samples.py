"""Reports to write in tests: ordinary ones, hostile ones, and long ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from akeneo_media_cli.report import Report

NASTY = (
    "plain",
    '=HYPERLINK("http://evil.example","x")',
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "a|b `c` *d* _e_ [f](http://evil.example) @octocat #1 &amp; <!-- -->",
    "]]> & \"quotes\" 'single'",
    "\x1b[31mred\x1b[0m\x07\x00\x9b",
    "two\nlines\r\nand\ttabs",
    "name-\udcff\udcfe.jpg",
    "emoji 👩‍👩‍👧 and \u202ertl\u2066 and \u2028 break",
    "[bold red]markup[/bold red]",
    "\ufffe\uffff",
    "東京の写真.jpg",
    "x" * 5000,
)


def item(line: int = 2, status: str = "uploaded", **fields: Any) -> dict[str, Any]:
    error = fields.pop("error", None)
    if status in ("failed", "invalid") and error is None:
        error = {
            "kind": "extension_not_allowed",
            "http_status": 422 if status == "failed" else None,
            "message": "The tiff file extension is not allowed",
            "hint": "picture takes jpg, jpeg, png: convert the file, or name another attribute",
        }
    return {
        "manifest": "spring.csv",
        "line": line,
        "file": f"images/{line}.jpg",
        "size": 1000 + line,
        "sha256": None,
        "target": {"type": "product", "identifier": f"sku-{line}"},
        "attribute": "picture",
        "locale": None,
        "scope": None,
        "status": status,
        "media_code": f"a/b/c/d/{line}.jpg" if status == "uploaded" else None,
        "attempts": 1,
        "duration_seconds": 0.41,
        "error": error,
        **fields,
    }


def report(*items: Mapping[str, Any], command: str = "upload", exit_status: int = 0, **fields: Any) -> Report:
    summary = {
        "total": len(items),
        **{
            status: sum(one["status"] == status for one in items)
            for status in ("uploaded", "unchanged", "planned", "invalid", "failed", "pending")
        },
        **{"bytes_sent": 481223, "requests": 9, "retries": 1, "throttled": 0},
    }
    given: dict[str, Any] = {
        "tool": {"name": "akeneo-media", "version": "0.1.0"},
        "pim": {"url": "https://my.cloud.akeneo.com", "version": "7.0.100"},
        "run": "20261123T101500Z-3f2a",
        "command": command,
        "exit_status": exit_status,
        "started_at": "2026-11-23T10:15:00Z",
        "finished_at": "2026-11-23T10:15:09Z",
        "duration_seconds": 9.1,
        "summary": summary,
        "items": lambda: iter(items),
        "recall": "20261123T101500Z-3f2a",
        **fields,
    }
    return Report(**given)


def hostile_items() -> list[dict[str, Any]]:
    """A failed row for each nasty text, which stands in every field that comes from elsewhere."""
    return [
        item(
            line,
            "failed",
            manifest=text,
            file=text,
            target={"type": "product", "identifier": text},
            attribute=text,
            locale=text,
            scope=text,
            extra={text: text},
            error={"kind": "refused", "http_status": 422, "message": text, "hint": text},
        )
        for line, text in enumerate(NASTY, 1)
    ]


def long_report(rows: int, status: str = "uploaded") -> Report:
    """A report whose rows are made as they are asked for."""

    def items() -> Iterator[Mapping[str, Any]]:
        return (item(line, status) for line in range(1, rows + 1))

    return report(summary={"total": rows, status: rows, "bytes_sent": 0}, items=items)
