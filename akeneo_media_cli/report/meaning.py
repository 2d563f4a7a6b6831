"""What a run came to, in a sentence, and what to do next."""

from __future__ import annotations

from ..exits import Exit
from ..wording import count, one_line
from .items import Report

_RESUME = "the same command resumes where this one stopped"
_DONE = {
    "validate": "No mistakes found. Nothing was sent.",
    "verify": "The PIM holds every row's file.",
    "download": "Every file is here.",
}
_BAD = {
    "validate": "cannot be uploaded as written. Correct the causes, then validate again.",
    "verify": "not held by the PIM. `akeneo-media upload --skip remote` sends what differs.",
    "download": "could not be fetched, for the causes above.",
}


def meaning(report: Report) -> str:
    """What the exit status says, and the next step. For people; scripts test the status itself."""
    pending = count(int(report.summary.get("pending") or 0), "row")
    interrupted = f"Interrupted, {pending} pending: {_RESUME}."
    sentences = {
        Exit.OK: _fine(report),
        Exit.ROWS_FAILED: _rows_failed(report),
        Exit.REFUSED: "The PIM refused the credentials or a permission: `akeneo-media check` tells which.",
        Exit.PENDING: f"Only temporary trouble, {pending} pending: later, {_RESUME}.",
        Exit.DEFECT: "A defect of this program ended the run: the log says where.",
        Exit.INTERRUPTED: interrupted,
        Exit.TERMINATED: interrupted,
    }
    return sentences.get(Exit(report.exit_status), "Nothing was sent.")


def _fine(report: Report) -> str:
    if not report.summary.get("total"):
        return "There was nothing to do: the manifest has no rows."
    planned = int(report.summary.get("planned") or 0)
    if planned and report.command not in _DONE:
        return f"Nothing was sent, as this was a dry run: {count(planned, 'row')} would be."
    return _DONE.get(report.command, "Every row is in the PIM.")


def _rows_failed(report: Report) -> str:
    summary = report.summary
    bad = sum(int(summary.get(status) or 0) for status in ("invalid", "failed", "differs", "missing"))
    if not bad:
        return "Every row was done, but not everything that was asked for beside could be written."
    rows = count(bad, "row")
    if report.command in _BAD:
        return f"{rows} {_BAD[report.command]}"
    if summary.get("planned"):
        return f"Nothing was sent, as this was a dry run. Before the real one, correct {rows}."
    text = f"{rows} could not be done. Correct the causes and run the same command: it sends what is missing."
    if report.run and summary.get("failed"):
        text += f" `akeneo-media runs retry {one_line(report.run, 80)}` tries only the failed rows."
    waiting = int(summary.get("pending") or 0)
    if waiting:
        text += f" {count(waiting, 'row')} pending: {_RESUME}."
    return text
