"""What monitoring reads: a file in Prometheus' text format for node_exporter's textfile collector.

Source: Prometheus "Exposition formats", text format 0.0.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import ReportError
from ..exits import Exit
from ..wording import one_line
from .atomic import replacing
from .items import Report, statuses
from .timeline import seconds_of

_SUCCESS = "akeneo_media_last_success_timestamp_seconds"
_NUMBER = r"([0-9]+(?:\.[0-9]+)?(?:e\+?[0-9]+)?)"


def write_metrics(path: str, report: Report) -> None:
    """Write the gauges of this run to `path`, which should end in `.prom`; readers never see half of it.

    Rows by status, bytes sent, calls, retries, throttled answers, duration, exit status, end of the run and
    of the last run with exit status 0, which a run that was not successful takes over from the file it
    replaces. All carry the labels `pim` and `command`. Raises `ReportError`.
    """
    labels = f'pim="{_label((report.pim or {}).get("url"))}",command="{_label(report.command)}"'
    place = Path(path)
    try:
        lines = list(_lines(report, labels, _last_success(place, labels)))
        with replacing(place) as out:
            out.writelines(line + "\n" for line in lines)
    except (OSError, ValueError) as error:
        reason = one_line(getattr(error, "strerror", None) or error, 200)
        raise ReportError(
            f"The metrics file {one_line(path, 200)} cannot be written: {reason}",
            "Name a file in a folder that exists and may be written to.",
        ) from error


def _lines(report: Report, labels: str, last_success: float | None) -> Iterator[str]:
    summary = report.summary
    finished = seconds_of(report.finished_at)
    if report.exit_status == Exit.OK:
        last_success = finished
    yield "# HELP akeneo_media_rows Rows of the last run by what became of them."
    yield "# TYPE akeneo_media_rows gauge"
    for status, number in statuses(summary):
        yield f'akeneo_media_rows{{{labels},status="{_label(status)}"}} {number}'
    gauges: list[tuple[str, str, float | None]] = [
        ("sent_bytes", "Bytes of files sent by the last run.", summary.get("bytes_sent")),
        ("received_bytes", "Bytes of files received by the last run.", summary.get("bytes_received")),
        ("requests", "Calls made by the last run.", summary.get("requests")),
        ("retries", "Files that the last run sent or asked for again.", summary.get("retries")),
        ("throttled", "Answers of 429 in the last run.", summary.get("throttled")),
        ("read_back", "Values that the last run sent and read back.", summary.get("read_back")),
        ("changed_in_pim", "Values that were changed in the PIM meanwhile.", summary.get("changed_in_pim")),
        ("unasked", "Unchanged rows about which the PIM was not asked.", summary.get("unasked")),
        ("converted", "Pictures that were converted.", summary.get("converted")),
        ("duration_seconds", "How long the last run took.", report.header()["duration_seconds"]),
        ("exit_status", "Exit status of the last run.", report.header()["exit_status"]),
        ("finished_timestamp_seconds", "When the last run ended.", finished),
        ("last_success_timestamp_seconds", "When a run last ended with exit status 0.", last_success),
    ]
    for name, text, value in gauges:
        if value is not None:
            yield f"# HELP akeneo_media_{name} {text}"
            yield f"# TYPE akeneo_media_{name} gauge"
            yield f"akeneo_media_{name}{{{labels}}} {value}"


def _last_success(path: Path, labels: str) -> float | None:
    try:
        before = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    found = re.search(rf"^{re.escape(f'{_SUCCESS}{{{labels}}}')} {_NUMBER}$", before, re.MULTILINE)
    return float(found.group(1)) if found else None


def _label(value: object) -> str:
    text = str(value or "").encode("utf-8", "backslashreplace").decode()
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
