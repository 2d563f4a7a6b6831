"""The rows that are invalid or failed, as a manifest to fix and run again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import ReportError, UsageError
from ...manifest.columns import COLUMNS, canonical, file_as_text, target_columns
from ...manifest.write import check_writable, suffixes, write_values
from ...report.atomic import replacing
from ...report.items import Report
from ...rows import Status, Target, TargetType
from ...wording import one_line

ERROR = "error"
"""The added column. An old one of that name is replaced; readers ignore it."""

_REJECTED = frozenset({Status.INVALID.value, Status.FAILED.value})
_PARENTS = ("asset_family", "reference_entity")
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def check_rejects(path: Path) -> None:
    """Raise UsageError for a file whose extension is not that of a manifest that can be written here."""
    format = suffixes().get(path.suffix.lower())
    if format is None:
        raise UsageError(
            f"--rejects {one_line(path, 200)}: cannot infer the format from the file extension",
            f"Use one of {', '.join(suffixes())}.",
        )
    check_writable(format)


def write_rejects(path: Path, report: Report) -> None:
    """Write the rejected rows of `report` to `path`, in the format of its extension, replacing it whole.

    Columns have their standard names. Relative file paths are as they were: the file belongs beside the
    manifest, or is run with `--root`. Raises ReportError if it cannot be written.
    """
    columns = dict.fromkeys(name for row in _rejected(report) for name in row)
    ordered = [name for name in COLUMNS if name in columns or name == "file"]
    ordered += [name for name in columns if name not in COLUMNS and name != ERROR]
    try:
        with replacing(path) as out:
            write_values(_rejected(report), suffixes()[path.suffix.lower()], out, [*ordered, ERROR])
    except OSError as error:
        raise ReportError(
            f"--rejects {one_line(path, 200)} cannot be written: {error.strerror or error}",
            "Name a file in a folder that can be written to.",
        ) from None
    except UsageError as error:
        raise ReportError(f"--rejects {one_line(path, 200)}: {error.message}", error.hint) from None


def _rejected(report: Report) -> Iterator[dict[str, Any]]:
    for item in report.items():
        if item["status"] in _REJECTED:
            yield _values(item)


def _values(item: Mapping[str, Any]) -> dict[str, Any]:
    error = item["error"]
    known = {
        **_target(item),
        "attribute": item["attribute"],
        "locale": item["locale"],
        "scope": item["scope"],
        "file": file_as_text(item["file"]),
        # Not the item's `name`: --rename would be applied to it once more.
        "filename": item.get("filename"),
    }
    values = {name: value for name in COLUMNS if (value := known.get(name))}
    values.update(
        (name, value)
        for name, value in (item.get("extra") or {}).items()
        if canonical(name) is None and name != ERROR
    )
    said = f"{error['kind']}: {error['message']}. {error['hint']}".strip() if error else item["status"]
    values[ERROR] = one_line(said, 1000)
    return {name: _UNWRITABLE.sub("_", v) if isinstance(v, str) else v for name, v in values.items()}


def _target(item: Mapping[str, Any]) -> dict[str, Any]:
    target = item["target"]
    if not target:
        return {}
    own = next(target[key] for key in ("identifier", "uuid", "code") if key in target)
    parent = next((target[key] for key in _PARENTS if key in target), "")
    return target_columns(Target(TargetType(target["type"]), own, parent))
