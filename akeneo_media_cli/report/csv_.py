"""The report as CSV: a row an item, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from typing import Any, TextIO

from .encode import dumps
from .items import Report

_SIDE = ("format", "width", "height", "bytes", "colour")
COLUMNS = (
    *("manifest", "line", "file", "size", "sha256"),
    *("target.type", "target.identifier", "target.uuid", "target.code"),
    *("target.asset_family", "target.reference_entity"),
    *("attribute", "locale", "scope", "status", "media_code", "attempts", "duration_seconds"),
    *("error.kind", "error.http_status", "error.message", "error.hint"),
    *("started_at", "finished_at", "name", "notes"),
    *("change", "before.media_code", "before.name", "before.size"),
    *(f"fitted.{side}.{key}" for side in ("from", "to") for key in _SIDE),
    *("fitted.to.sha256", "fitted.quality", "fitted.steps"),
)
BESIDE = ("link.target", "link.attribute", "link.locale", "link.scope", "link.change", "values")
"""Columns of assets and records that are there only where rows give values or links beside their files."""
_MOST_EXTRA = 200
_OVERFLOW = "extra"

# OWASP "CSV Injection": what starts a formula, its full-width twins too, behind white space or not.
_FORMULA = re.compile("[\t\r\n]|\\s*[=+\\-@＝＋－＠]")
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def write(report: Report, out: TextIO) -> None:
    """RFC 4180 in UTF-8 without BOM, nested fields flat (`target.type`, `error.kind`).

    The manifest's further columns follow under their own names, as `extra.NAME` where the name is taken; past
    200 of them, the rest share a last column `extra` as JSON. Text that a spreadsheet would take for a
    formula (it begins with `=`, `+`, `-`, `@`, tab or a line break) gets a `'` before it.
    """
    names, overflow, beside = _extra_columns(report)
    columns = (*COLUMNS, *BESIDE) if beside else COLUMNS
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [f"extra.{name}" if name in columns or name == _OVERFLOW else name for name in names]
    writer.writerow([*columns, *map(cell, heads), *([_OVERFLOW] if overflow else [])])
    for item in report.items():
        target: Mapping[str, Any] = item.get("target") or {}
        error: Mapping[str, Any] = item.get("error") or {}
        extra: Mapping[str, Any] = item.get("extra") or {}
        flat = {
            **item,
            "notes": "; ".join(item.get("notes") or ()) or None,
            **{f"target.{key}": value for key, value in target.items()},
            **{f"error.{key}": value for key, value in error.items()},
            **{f"before.{key}": value for key, value in (item.get("before") or {}).items()},
            **_fitted(item.get("fitted") or {}),
            **(_beside(item) if beside else {}),
        }
        cells = [cell(flat.get(column)) for column in columns]
        cells += [cell(extra.get(name)) for name in names]
        if overflow:
            cells.append(cell({key: value for key, value in extra.items() if key not in names} or None))
        writer.writerow(cells)


def _fitted(fitted: Mapping[str, Any]) -> dict[str, Any]:
    sides = {
        f"fitted.{side}.{key}": value
        for side in ("from", "to")
        for key, value in fitted.get(side, {}).items()
    }
    steps = "; ".join(fitted.get("steps") or ()) or None
    return {**sides, "fitted.quality": fitted.get("quality"), "fitted.steps": steps}


def _beside(item: Mapping[str, Any]) -> dict[str, Any]:
    link = item.get("link") or {}
    flat = {f"link.{key}": value for key, value in link.items()}
    flat["link.target"] = " ".join((link.get("target") or {}).values()) or None
    flat["values"] = item.get("values") or None
    return flat


def _extra_columns(report: Report) -> tuple[dict[str, None], bool, bool]:
    """The further columns, whether there are too many, and whether rows have something beside their files."""
    names: dict[str, None] = {}
    beside = False
    for item in report.items():
        beside = beside or bool(item.get("link") or item.get("values"))
        for name in item.get("extra") or ():
            if name not in names:
                if len(names) == _MOST_EXTRA:
                    return names, True, beside
                names[name] = None
    return names, False, beside


def cell(value: Any) -> Any:
    """A value as a cell that no spreadsheet takes for a formula; None and numbers stay as they are."""
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    text = value if isinstance(value, str) else dumps(value)
    if not text.isprintable():
        text = _UNREADABLE.sub(lambda m: f"\\x{ord(m.group()):02x}", text)
    return f"'{text}" if _FORMULA.match(text) else text
