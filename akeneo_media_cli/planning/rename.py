"""The name that the PIM is to show: `--rename '{product}-{filename}'`."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any

from ..errors import Failure, Kind, UsageError
from ..extensions import are_one_format
from ..manifest.columns import as_text
from ..rows import Row, TargetType, clean_name
from ..storage import LONGEST_EXTENSION, LONGEST_NAME, extension_of, printable

_SLASHES = re.compile(r"[/\\]")
_COLUMNS = {
    TargetType.PRODUCT: ("product", "sku", "identifier"),
    TargetType.PRODUCT_UUID: ("product_uuid", "uuid"),
    TargetType.PRODUCT_MODEL: ("product_model",),
    TargetType.ASSET: ("asset",),
    TargetType.RECORD: ("record",),
    TargetType.CATEGORY: ("category",),
    TargetType.PAM_ASSET: ("pam_asset",),
}
_PARENTS = {TargetType.ASSET: "asset_family", TargetType.RECORD: "reference_entity"}
_HOW_TO_FIX = "Use the manifest's columns, {filename}, {stem} and {ext}, as in {product}-{filename}."


class Rename:
    """A template of names. Raises UsageError when it is not one."""

    def __init__(self, template: str) -> None:
        try:
            self._parts = list(string.Formatter().parse(template))
        except ValueError as error:
            raise UsageError(f"--rename {template!r}: {error}", _HOW_TO_FIX) from None
        for _, field, spec, conversion in self._parts:
            if field is not None and (
                not field or spec or conversion or not field.replace("-", "_").isidentifier()
            ):
                raise UsageError(f"--rename {template!r}: {{{field}}} is not a column", _HOW_TO_FIX)
        if not any(field for _, field, _, _ in self._parts):
            raise UsageError(f"--rename {template!r} would give every file the same name", _HOW_TO_FIX)

    def name(self, row: Row, shown: str) -> str | Failure:
        """The row's name, made of its columns and of `shown`, its name so far.

        The extension stays, but may become another of the same format, such as .jpg for .jpeg.
        """
        columns = _columns(row, shown)
        out: list[str] = []
        for literal, field, _, _ in self._parts:
            out.append(literal)
            if field is None:
                continue
            value = columns.get(field)
            if value is None or value == "":
                return Failure(
                    Kind.ROW_MALFORMED,
                    f"--rename needs {{{field}}}, and the row has none",
                    f"Fill the column {field}, or rename by another.",
                )
            out.append(as_text(value) or str(value))
        name = clean_name(_SLASHES.sub("_", "".join(out)))
        extension = columns["ext"]
        if extension and not are_one_format(extension_of(name), extension):
            name = f"{name}.{extension}"
        return _unfit(name, kept=bool(extension)) or name


def _unfit(name: str, *, kept: bool) -> Failure | None:
    """Why the PIM cannot record the name; `kept`: its extension is the file's own."""
    if len(name) > LONGEST_NAME:
        return Failure(
            Kind.NAME_TOO_LONG,
            f"--rename gives a name of {len(name)} characters, the PIM takes {LONGEST_NAME}",
            "Use a shorter template, or shorten the file's own name.",
        )
    extension = extension_of(name)
    if len(extension) > LONGEST_EXTENSION:
        return Failure(
            Kind.EXTENSION_TOO_LONG,
            f"--rename gives a name with the extension .{printable(extension[:40])}, which has "
            f"{len(extension)} characters; the PIM takes {LONGEST_EXTENSION}",
            "It is the file's own and is kept: rename the file, or set a `filename`."
            if kept
            else "The extension follows the last dot: end the template with one, as in {product}.jpg.",
        )
    return None


def _columns(row: Row, shown: str) -> Mapping[str, Any]:
    stem, dot, extension = shown.rpartition(".")
    columns: dict[str, Any] = dict(row.extra)
    columns.update(
        filename=shown,
        stem=stem if dot else shown,
        ext=extension if dot else "",
        attribute=row.attribute,
        locale=row.locale,
        scope=row.scope,
        channel=row.scope,
    )
    if row.target is not None:
        columns.update(dict.fromkeys(_COLUMNS[row.target.type], row.target.code))
        if row.target.type in _PARENTS:
            columns[_PARENTS[row.target.type]] = row.target.parent
    return columns
