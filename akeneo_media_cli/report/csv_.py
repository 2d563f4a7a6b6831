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
    names, overflow = _extra_columns(report)
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [f"extra.{name}" if name in COLUMNS or name == _OVERFLOW else name for name in names]
    writer.writerow([*COLUMNS, *map(cell, heads), *([_OVERFLOW] if overflow else [])])
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
        }
        cells = [cell(flat.get(column)) for column in COLUMNS]
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


def _extra_columns(report: Report) -> tuple[dict[str, None], bool]:
    names: dict[str, None] = {}
    for item in report.items():
        for name in item.get("extra") or ():
            if name not in names:
                if len(names) == _MOST_EXTRA:
                    return names, True
                names[name] = None
    return names, False


def cell(value: Any) -> Any:
    """A value as a cell that no spreadsheet takes for a formula; None and numbers stay as they are."""
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    text = value if isinstance(value, str) else dumps(value)
    if not text.isprintable():
        text = _UNREADABLE.sub(lambda m: f"\\x{ord(m.group()):02x}", text)
    return f"'{text}" if _FORMULA.match(text) else text
