"""A row as the table holds it, as the run plans it, and as the report shows it."""

# ruff: noqa: S608 - texts of statements are put together from constants only; values are bound

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from ..errors import Failure, Kind
from ..report.items import error_item
from ..rows import Row, Status, Target, TargetType, name_in_code
from ..wording import utc
from .beside import SetBeside
from .model import UNKNOWN, HeldBefore, HeldFile, PlannedRow, Share, value_key
from .store import ROWS, insert_many, unbound

_COMMON = (
    "id, value_key, status, name, size, mtime_ns, stamp, type, parent, code, attribute, locale, scope, path, "
    "manifest, line, file, attempts"
)
_RARE = (
    "filename, root, extra, media_code, sha256, duration, notes, kind, message, hint, http_status, share, "
    "ended_at, recipe, fitted, before_code, before_name, before_size, beside"
)

COLUMNS = f"{_COMMON}, {_RARE}"
"""The columns of `row` in the order of `to_record` and `from_record`."""

WIDTH = COLUMNS.count(",") + 1

# Python's sqlite3 takes eight times as long to hand over a None as a text. So a row that has nothing in the
# rare columns is written without them, and the common ones that may be empty are handed over as ''.
_COMMON_PLACES = (
    "?, ?, NULLIF(?, ''), ?, ?, ?, ?, ?, NULLIF(?, ''), ?, ?, NULLIF(?, ''), NULLIF(?, ''), ?, ?, ?, ?, ?"
)
_WIDTH_COMMON = _COMMON.count(",") + 1
_WHOLE_PLACES = _COMMON_PLACES + ", ?" * (WIDTH - _WIDTH_COMMON)
_NOTHING = (None,) * (WIDTH - _WIDTH_COMMON)

DROPPED = "dropped"
"""The status of a row that only repeats an earlier one: in no count, no report and no queue."""

SEQ_BITS = 32
SEQ_MASK = (1 << SEQ_BITS) - 1


def span(n: int) -> tuple[int, int]:
    """The first and last id that rows of the n-th run can have."""
    return n << SEQ_BITS, (n << SEQ_BITS) | SEQ_MASK


def to_record(n: int, planned: PlannedRow) -> tuple[Any, ...]:
    """The record of a row of the n-th run, for `insert`."""
    row = planned.row
    target = row.target
    key: int | None = None
    type_ = code = None
    parent = ""
    if target is not None:
        # Without an attribute there is no media value that rows could repeat or conflict about.
        if row.attribute or not row.has_no_media:
            key = value_key(target, row.attribute, row.locale, row.scope)
        type_, code, parent = target.type._value_, target.code, target.parent
    status = planned.status
    failure = planned.failure
    if row.problem is not None and failure is None:
        failure, status = row.problem, Status.INVALID
    return (
        n << SEQ_BITS | planned.seq,
        key,
        "" if status is None else status._value_,
        planned.name,
        planned.size,
        planned.mtime_ns,
        planned.stamp,
        type_,
        parent,
        code,
        row.attribute,
        row.locale or "",
        row.scope or "",
        planned.path,
        row.manifest,
        row.line,
        row.file,
        planned.attempts,
        row.filename,
        row.root,
        extra_text(row.extra) if row.extra else None,
        planned.media_code,
        planned.sha256,
        planned.duration,
        notes_text(planned.notes),
        *failure_columns(failure),
        None if planned.share is None else planned.share.value,
        planned.ended_at,
        planned.recipe,
        fitted_text(planned.fitted),
        *before_columns(planned.before),
        None if planned.beside is None else planned.beside.to_json(),
    )


def insert(connection: sqlite3.Connection, records: list[tuple[Any, ...]]) -> None:
    """Put records of `to_record` into the table."""
    common = [record[:_WIDTH_COMMON] for record in records if record[_WIDTH_COMMON:] == _NOTHING]
    insert_many(connection, f"INSERT INTO row ({_COMMON}) VALUES {ROWS}", _COMMON_PLACES, common)
    if len(common) < len(records):
        whole = [record for record in records if record[_WIDTH_COMMON:] != _NOTHING]
        insert_many(connection, f"INSERT INTO row ({COLUMNS}) VALUES {ROWS}", _WHOLE_PLACES, whole)


def extra_text(extra: Mapping[str, Any]) -> str:
    """Extra columns as JSON; dates and the like, which YAML knows and JSON does not, as text."""
    try:
        return json.dumps(extra, default=str, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        # YAML can also make keys of anything, and a list that holds itself.
        return json.dumps({str(name): str(content) for name, content in extra.items()})


def notes_text(notes: tuple[str, ...]) -> str | None:
    """Notes as one column holds them."""
    return json.dumps(notes) if notes else None


def fitted_text(fitted: Mapping[str, Any] | None) -> str | None:
    """The result of a conversion, as one column holds it."""
    return json.dumps(fitted, separators=(",", ":")) if fitted else None


def failure_columns(failure: Failure | None) -> tuple[Any, Any, Any, Any]:
    """kind, message, hint, http_status."""
    if failure is None:
        return None, None, None, None
    return failure.kind._value_, failure.message, failure.hint, failure.http_status


def before_columns(before: HeldBefore) -> tuple[Any, Any, Any]:
    """before_code ('' for a value that was empty, null if it was not read), before_name, before_size."""
    if before is UNKNOWN:
        return None, None, None
    return ("", None, None) if before is None else (before.code, before.name, before.size)


def _before(code: str | None, name: str | None, size: int | None) -> HeldBefore:
    if code is None:
        return UNKNOWN
    return HeldFile(code, name, size) if code else None


def from_record(record: tuple[Any, ...]) -> PlannedRow:
    """The row that a record of `COLUMNS` holds."""
    (
        id_, _, status, name, size, mtime_ns, stamp, type_, parent, code, attribute, locale, scope, path,
        manifest, line, file, attempts, filename, root, extra, media_code, sha256, duration, notes,
        kind, message, hint, http_status, share, ended_at, recipe, fitted,
        before_code, before_name, before_size, beside,
    ) = unbound(record)  # fmt: skip
    failure = None if kind is None else Failure(Kind(kind), message, hint, http_status)
    row = Row(
        manifest=manifest,
        line=line,
        file=file,
        target=None if type_ is None else Target(TargetType(type_), code, parent or ""),
        attribute=attribute,
        locale=locale,
        scope=scope,
        filename=filename,
        root=root,
        extra=json.loads(extra) if extra else {},
    )
    return PlannedRow(
        seq=id_ & SEQ_MASK,
        row=row,
        name=name,
        path=path,
        size=size,
        mtime_ns=mtime_ns,
        # A row left out for repeating another has a status of the ledger's own.
        status=None if status is None or status == DROPPED else Status(status),
        failure=failure,
        media_code=media_code,
        sha256=sha256,
        attempts=attempts,
        duration=duration,
        notes=tuple(json.loads(notes)) if notes else (),
        share=None if share is None else Share(share),
        ended_at=ended_at,
        before=_before(before_code, before_name, before_size),
        stamp=stamp,
        recipe=recipe,
        fitted=json.loads(fitted) if fitted else None,
        beside=SetBeside.from_json(beside) if beside else None,
    )


def to_item(planned: PlannedRow) -> dict[str, Any]:
    """A row as `report.items[]` has it (docs/reports.md, "JSON"); one without a status is pending.

    Beside the fields of a report: `row` (its number in the run), `name` (as the PIM shows it), `filename`
    where the manifest gives one, `notes`, `extra`; `started_at` and `finished_at` where the row took time.
    """
    row, failure = planned.row, planned.failure
    duration, ended_at = planned.duration, planned.ended_at
    item = {
        "row": planned.seq,
        "manifest": row.manifest,
        "line": row.line,
        "file": row.file,
        "name": planned.name,
        "size": planned.size,
        "sha256": planned.sha256,
        "target": None if row.target is None else row.target.as_report(),
        "attribute": row.attribute,
        "locale": row.locale,
        "scope": row.scope,
        "status": (planned.status or Status.PENDING).value,
        # That of an open row is only what the ledger expects its value to hold.
        "media_code": None if planned.status is None else planned.media_code,
        "change": _change(planned),
        "before": _before_item(planned.before),
        "attempts": planned.attempts,
        "duration_seconds": None if duration is None else round(duration, 3),
        "error": None if failure is None else error_item(failure),
        "notes": list(planned.notes),
        "extra": row.extra,
    }
    if row.filename:
        item["filename"] = row.filename
    if planned.fitted is not None:
        item["fitted"] = planned.fitted
    if planned.beside is not None:
        item.update(planned.beside.as_report(done=planned.status in (*_WRITES, Status.UNCHANGED)))
    if ended_at is not None:
        item["started_at"], item["finished_at"] = utc(ended_at - (duration or 0.0)), utc(ended_at)
    return item


_WRITES = (Status.UPLOADED, Status.PLANNED, Status.REMOVED, Status.RESTORED)


def _change(planned: PlannedRow) -> str | None:
    """What the row did to its value, or would do; None if its value was not read before."""
    if planned.status not in _WRITES or (planned.beside is not None and not planned.beside.file):
        return "none"
    before = planned.before
    if before is UNKNOWN:
        return None
    if before is None:
        return "new"
    return "none" if before.code == planned.media_code else "replace"


def _before_item(before: HeldBefore) -> dict[str, Any] | None:
    if before is UNKNOWN or before is None:
        return None
    name = name_in_code(before.code) if before.name is None else before.name
    return {"media_code": before.code, "name": name, "size": before.size}
