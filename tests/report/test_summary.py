"""The closing summary, as a person or a log sees it."""

from __future__ import annotations

import io
import os
import re
from typing import Any

import pytest

from akeneo_media_cli.report import Report
from akeneo_media_cli.report.summary import write_summary

from .samples import hostile_items, item, long_report, report


def shown(of: Report, environ: dict[str, str] | None = None, **options: Any) -> str:
    out = io.StringIO()
    write_summary(of, stream=out, environ=environ or {}, **options)
    return out.getvalue()


def test_all_is_well() -> None:
    assert shown(report(item(), item(3, "unchanged"))) == (
        "\n"
        "  PIM: https://my.cloud.akeneo.com\n"
        "  1  uploaded\n"
        "  1  unchanged\n"
        "  2  rows in 9.1 s\n"
        "  481.2 kB sent, 52.9 kB/s, 9 requests, 1 retried\n"
        "\n"
        "Every row is in the PIM.\n"
    )


def test_an_undo_of_a_run_that_changed_nothing_says_so() -> None:
    text = shown(report(command="undo"))
    assert "There was nothing to undo: that run changed no value." in text
    assert "`akeneo-media runs list`" in text


def test_failures_are_grouped_with_rows_cause_and_cure() -> None:
    missing = {"kind": "file_missing", "http_status": None, "message": "no such file", "hint": "look there"}
    rows = [item(n, "failed") for n in range(2, 9)] + [item(9, "invalid", error=missing)]
    text = shown(report(*rows, exit_status=1), reports=["out.json", "-"])
    assert (
        "Extension not allowed: 7 rows\n"
        "  spring.csv:2  images/2.jpg  product sku-2 picture\n"
        "    The tiff file extension is not allowed\n"
    ) in text
    assert text.count("spring.csv:") == 6
    assert "  and 2 more, in out.json\n  -> picture takes jpg, jpeg, png: convert" in text
    assert "File not found: 1 row\n" in text
    assert text.index("Extension not allowed") < text.index("File not found"), "most frequent first"
    assert "8 rows were not uploaded." in text
    assert "`akeneo-media runs retry 20261123T101500Z-3f2a`" in text
    assert text.endswith("(exit status 1)\n")


def test_each_row_has_its_own_cure_where_cures_differ() -> None:
    def lost(line: int) -> dict[str, Any]:
        error = {"kind": "target_unknown", "http_status": None, "message": "?", "hint": f"try sku-{line}"}
        return item(line, "invalid", error=error)

    text = shown(report(lost(1), lost(2), lost(3), exit_status=1))
    assert text.count("    -> try sku-") == 3


def test_ten_thousand_failures_fit_a_screen() -> None:
    text = shown(long_report(10_000, "failed"))
    assert len(text.splitlines()) < 25
    assert "and 9,995 more, in a report (--report FILE)" in text


@pytest.mark.parametrize("environ", [{}, {"FORCE_COLOR": "1"}])
def test_hostile_text_moves_no_cursor(environ: dict[str, str]) -> None:
    text = shown(report(*hostile_items(), exit_status=1), environ)
    text = re.sub("\x1b\\[[0-9;]*m", "", text) if environ else text
    assert "\x1b" not in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert max(map(len, text.splitlines())) < 1000


def test_rich_markup_in_names_is_text() -> None:
    rows = [item(n, "failed", file="[bold red]x[/bold red]") for n in (1, 2)]
    assert "[bold red]x[/bold red]" in shown(report(*rows), {"FORCE_COLOR": "1"})


def test_colour_only_when_wanted() -> None:
    bad = report(item(2, "failed"), exit_status=1)
    assert "\x1b[" in shown(bad, {"FORCE_COLOR": "1"})
    assert "\x1b[" not in shown(bad, {"FORCE_COLOR": "1", "NO_COLOR": "1"})
    assert "\x1b[" not in shown(bad, {"FORCE_COLOR": "0"})


def test_a_terminal_gets_colour_and_folding() -> None:
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    with os.fdopen(theirs, "w") as stream:
        write_summary(report(item(2, "failed"), exit_status=1), stream=stream, environ={"TERM": "xterm"})
        text = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\x1b[1;31mExtension not allowed: 1 row" in text
    plain = re.sub("\x1b\\[[0-9;]*m", "", text)
    assert "\r\n\r\n" in plain, "empty lines part the causes"
    assert max(len(line.rstrip()) for line in plain.split("\r\n")) <= 40


@pytest.mark.parametrize(
    ("command", "exit_status", "counts", "says"),
    [
        ("upload", 0, {"total": 0}, "nothing to do"),
        ("upload", 0, {"total": 2, "planned": 2}, "dry run: 2 rows would be"),
        ("upload", 0, {"total": 2, "unchanged": 2, "kept": 1}, "but 1 that somebody changed there"),
        ("upload", 1, {"total": 2, "planned": 1, "invalid": 1}, "Fix 1 row before you upload."),
        ("upload", 1, {"total": 3, "failed": 1, "pending": 2}, "2 rows pending: the same command resumes"),
        ("upload", 4, {"total": 1}, "akeneo-media check"),
        ("upload", 3, {"total": 1, "invalid": 1}, "Nothing was sent."),
        (
            "upload",
            5,
            {"total": 7, "pending": 7},
            "some rows are not finished. 7 rows pending: the same command",
        ),
        ("upload", 5, {"total": 7, "uploaded": 7}, "a later step failed"),
        ("upload", 5, {"total": 0}, "Nothing was sent. The PIM did not answer"),
        ("upload", 1, {"total": 7, "uploaded": 7}, "could not be written"),
        ("upload", 70, {"total": 7}, "defect"),
        ("upload", 130, {"total": 7, "pending": 1}, "Interrupted. 1 row pending: the same command resumes"),
        ("upload", 143, {"total": 7}, "Interrupted"),
        ("validate", 0, {"total": 7}, "No mistakes found"),
        ("validate", 1, {"total": 7, "invalid": 2}, "2 rows cannot be uploaded as written. Fix them"),
        ("validate", 1, {"total": 7, "invalid": 1}, "1 row cannot be uploaded as written. Fix it"),
        ("verify", 0, {"total": 7, "held": 7}, "The PIM holds every row's file"),
        (
            "verify",
            1,
            {"total": 7, "held": 5, "differs": 1, "missing": 1},
            "does not hold 2 rows' files",
        ),
        ("verify", 1, {"total": 7, "missing": 1, "failed": 2}, "1 row's file: `akeneo-media upload` sends"),
        ("verify", 1, {"total": 7, "missing": 1, "failed": 2}, "2 rows could not be compared"),
        (
            "verify",
            1,
            {"total": 7, "invalid": 1, "pending": 2},
            "2 rows pending: run the same command",
        ),
        ("verify", 5, {"total": 7, "pending": 7}, "7 rows pending: run the same command again."),
        ("verify", 3, {"total": 0}, "Nothing was compared."),
        ("download", 0, {"total": 7, "downloaded": 7}, "Every file is here."),
        ("download", 130, {"total": 7, "pending": 7}, "7 rows pending: the same command resumes"),
        ("download", 2, {"total": 0}, "Nothing was downloaded."),
        ("download", 1, {"total": 7, "failed": 1}, "1 row could not be downloaded"),
    ],
)
def test_what_the_exit_status_means(
    command: str, exit_status: int, counts: dict[str, int], says: str
) -> None:
    assert says in shown(report(command=command, exit_status=exit_status, summary=counts))


def test_what_no_ledger_keeps_is_not_offered_to_retry() -> None:
    failed = {"total": 1, "failed": 1}
    assert "runs retry" in shown(report(exit_status=1, summary=failed))
    assert "runs retry" not in shown(report(exit_status=1, summary=failed, recall=None))


def test_a_comparison_sends_nothing() -> None:
    summary = {"total": 7, "held": 7, "bytes_sent": 0, "requests": 6}
    assert "\n  6 requests\n" in shown(report(command="verify", summary=summary))


def test_a_status_of_verify_is_a_cause_of_its_own() -> None:
    rows = [item(2, "differs"), item(3, "held"), item(4, "pending")]
    text = shown(
        report(*rows, command="verify", exit_status=1, summary={"total": 3, "held": 1, "differs": 1})
    )
    assert "Differs: 1 row\n  spring.csv:2" in text
    assert "spring.csv:3" not in text
    assert "spring.csv:4" not in text


def test_a_closed_stream_is_no_trouble() -> None:
    out = io.StringIO()
    out.close()
    write_summary(report(), stream=out, environ={})


def test_a_dry_run_that_takes_back_shows_what_the_values_would_hold() -> None:
    held = {
        "media_code": "a/b/c/d/abcdabcdabcdabcdabcdabcdabcdabcdabcdabcd_now.jpg",
        "name": "now.jpg",
        "size": 1,
    }
    older = {**held, "media_code": held["media_code"].replace("now", "older")}
    rows = (
        item(2, "planned", file="sent.jpg", change="replace", before=held),
        item(3, "planned", file="sent.jpg", change="replace", before=held, media_code=older["media_code"]),
    )
    out = io.StringIO()
    write_summary(report(*rows, command="undo"), stream=out, environ={})
    text = out.getvalue()
    assert "empty     product sku-2 picture  (now now.jpg)" in text
    assert "put back  product sku-3 picture  older.jpg  (now now.jpg)" in text
    assert "sent.jpg" not in text
    assert "2 values would be put back" in text
