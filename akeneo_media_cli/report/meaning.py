"""The result of a run in a sentence, and what to do next."""

from __future__ import annotations

from ..exits import Exit
from ..wording import count, one_line
from .changes import changes, in_words
from .items import Report

_DONE = {
    "validate": "No mistakes found. Nothing was sent.",
    "verify": "The PIM holds every row's file.",
    "download": "Every file is here.",
    "remove": "Every value is empty.",
    "undo": "Every value is as it was before the run.",
}
_RESUMES = frozenset({"upload", "download", "remove", "undo"})
"""Commands that leave alone what an earlier run of theirs has done."""


def meaning(report: Report) -> str:
    """What the exit status says, and the next step. For people; scripts test the status itself."""
    if report.exit_status is None:
        return _running(report) if report.running else _killed(report)
    sentences = {
        Exit.OK: _fine,
        Exit.ROWS_FAILED: _rows_failed,
        Exit.REFUSED: _refused,
        Exit.PENDING: _pending,
        Exit.DEFECT: _defect,
        Exit.INTERRUPTED: _interrupted,
        Exit.TERMINATED: _interrupted,
    }
    return sentences.get(Exit(report.exit_status), _nothing)(report)


_TAKES_BACK = {"remove": "removed", "undo": "put back"}


def _number(report: Report, *statuses: str) -> int:
    return sum(int(report.summary.get(status) or 0) for status in statuses)


def _fine(report: Report) -> str:
    if not report.summary.get("total"):
        if report.command == "undo":
            return "There was nothing to undo: that run changed no value. See `akeneo-media runs list`."
        return "There was nothing to do: there are no rows."
    planned = _number(report, "planned")
    if planned and report.command != "validate":
        if report.command in _TAKES_BACK:
            would = f"{count(planned, 'value')} would be {_TAKES_BACK[report.command]}"
            return f"Nothing was changed, as this was a dry run: {would}."
        would = in_words(changes(report), planned=True) or f"{count(planned, 'row')} would be sent"
        return f"Nothing was sent, as this was a dry run: {would}."
    if report.command != "upload":
        return _DONE.get(report.command, "Every row is in the PIM.")
    kept = _number(report, "kept")
    but = f" but {kept:,} that somebody changed there: left as it is (--drift keep)" if kept else ""
    return " ".join(filter(None, (f"Every row is in the PIM{but}.", checked(report))))


def checked(report: Report) -> str:
    """What of an upload was looked at in the PIM, and what was not; empty for reports that do not say."""
    if "read_back" not in report.summary:
        return ""
    sent, confirmed = _number(report, "uploaded"), _number(report, "read_back")
    sentences = []
    if confirmed and confirmed == sent:
        every = "The value was" if sent == 1 else f"All {sent:,} values were"
        sentences.append(f"{every} read back from the PIM.")
    elif confirmed:
        sentences.append(f"{confirmed:,} of {sent:,} values sent were read back from the PIM.")
    elif sent:
        every = "The value sent was not" if sent == 1 else f"None of the {sent:,} values sent was"
        sentences.append(f"{every} read back.")
    unasked = _number(report, "unasked")
    if unasked:
        of_them = "1 unchanged row" if unasked == 1 else f"{unasked:,} unchanged rows"
        sentences.append(f"The ledger was believed for {of_them}: the PIM was not asked.")
    return " ".join(sentences)


def _rows_failed(report: Report) -> str:
    bad = _number(report, "invalid", "failed", "differs", "missing")
    if not bad:
        return "All rows were processed, but a report or another file could not be written."
    says = {"validate": _mistaken, "verify": _not_held, "download": _not_fetched}
    left = _left(report) if _number(report, "pending") else ""
    return " ".join(filter(None, (says.get(report.command, _not_sent)(report, bad), left)))


def _mistaken(report: Report, bad: int) -> str:
    them = "it" if bad == 1 else "them"
    return f"{count(bad, 'row')} cannot be uploaded as written. Fix {them} and validate again."


def _not_held(report: Report, bad: int) -> str:
    absent = _number(report, "differs", "missing")
    sentences = []
    if absent:
        held = "1 row's file" if absent == 1 else f"{absent:,} rows' files"
        sentences.append(f"The PIM does not hold {held}: `akeneo-media upload` sends what it lacks.")
    if bad > absent:
        sentences.append(f"{count(bad - absent, 'row')} could not be compared; see the reasons above.")
    return " ".join(sentences)


def _not_fetched(report: Report, bad: int) -> str:
    return (
        f"{count(bad, 'row')} could not be downloaded; the reasons are above. The same command tries again."
    )


def _not_sent(report: Report, bad: int) -> str:
    rows = count(bad, "row")
    if _number(report, "planned"):
        return f"This was a dry run: nothing was sent. Fix {rows} before you upload."
    was, them = ("was", "it is") if bad == 1 else ("were", "they are")
    text = f"{rows} {was} not uploaded. Fix the problems and run the same command: only {them} sent."
    if report.recall:
        text += f" `akeneo-media runs retry {one_line(report.recall, 300)}` retries only these rows."
    return text


def _refused(report: Report) -> str:
    return "The PIM refused the credentials or a permission: `akeneo-media check` shows which."


def _pending(report: Report) -> str:
    if not report.summary.get("total"):
        return f"{_nothing(report)} The PIM did not answer. Run it again."
    if not _number(report, "pending"):
        return "All rows were uploaded, but a later step failed: see the warnings."
    return f"Nothing failed, but some rows are not finished. {_left(report)}"


def _interrupted(report: Report) -> str:
    return f"Interrupted. {_left(report)}" if _number(report, "pending") else "Interrupted: run it again."


def _running(report: Report) -> str:
    return f"The run is still running: {count(_number(report, 'pending'), 'row')} not done so far."


def _killed(report: Report) -> str:
    """Its process died without recording how it ended."""
    text = "The run was interrupted before it ended: it was killed, or its machine stopped."
    return f"{text} {_left(report)}" if _number(report, "pending") else text


def _left(report: Report) -> str:
    pending = count(_number(report, "pending"), "row")
    if report.command in _RESUMES:
        return f"{pending} pending: the same command resumes where this one stopped."
    return f"{pending} pending: run the same command again."


def _defect(report: Report) -> str:
    return "A defect of this program ended the run: the log says where."


def _nothing(report: Report) -> str:
    done = {"verify": "compared", "download": "downloaded", "remove": "removed", "undo": "changed"}
    return f"Nothing was {done.get(report.command, 'sent')}."
