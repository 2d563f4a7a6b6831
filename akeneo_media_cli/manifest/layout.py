"""The PIM's own import and export layout: a line an entity, a column a value, paths of media in the cells.

`sku;family;picture;manual-en_US-ecommerce`, as CSV or XLSX, or with its media in one ZIP. Which columns hold
media is told by `--columns` or by whoever knows the PIM; never guessed, as text may look like a path.
Source: the PIM's documentation of its product and product model files.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..errors import Failure, Kind, UsageError
from ..rows import Row, Target, TargetType
from .archive import TROUBLE, Archive, UnsafeArchiveError, open_archive
from .assemble import Assembler
from .columns import target_columns
from .delimited import csv_records
from .sheet import records as sheet_records
from .source import Source

if TYPE_CHECKING:
    from zipfile import ZipInfo

Media = Callable[[Collection[str]], Collection[str]]
"""Takes codes of attributes, gives those that hold media."""

_ATTRIBUTE = re.compile(r"[A-Za-z0-9_]+")
_LOCALE = re.compile(r"[a-z]{2,3}(?:_[A-Za-z]{4})?_(?:[A-Z]{2}|[0-9]{3})")
_TABLES = (".csv", ".xlsx")
_LARGEST_TABLE = 1 << 30
# Columns of the layout that are no attributes.
_OF_ENTITY = frozenset(
    ("uuid", "identifier", "code", "family", "family_variant", "parent", "categories", "groups", "enabled")
)


@dataclass(frozen=True)
class _Column:
    """A column of values: its place, and the value's attribute, locale and scope."""

    at: int
    name: str
    attribute: str
    locale: str | None
    scope: str | None


def read_layout(
    source: Source, make: Assembler, sheet: str | None, columns: Sequence[str], media: Media | None
) -> Iterator[Row]:
    """A row for each media file that a cell names; those of one line have one line number.

    `columns`: names of columns, or of attributes, that hold media; without any, `media` is asked. Raises
    ManifestError, and UsageError where neither tells.
    """
    if source.packed and not _is_sheet(source):
        yield from _read_archive(source, make, sheet, columns, media)
    elif source.packed:
        yield from _rows(source, make, sheet_records(source, sheet), columns, media)
    else:
        _tell_no_sheet(source, make, sheet)
        yield from _rows(source, make, csv_records(source), columns, media)


def _tell_no_sheet(source: Source, make: Assembler, sheet: str | None) -> None:
    """Not an error: another manifest of the run may be the one that is meant."""
    if sheet is not None:
        make.note(f"{source.name}: --sheet {sheet!r} changes nothing: no table there is a spreadsheet", "")


def _is_sheet(source: Source) -> bool:
    import zipfile

    try:
        names = zipfile.ZipFile(source.binary()).namelist()
    except TROUBLE:
        return False
    return "[Content_Types].xml" in names or "mimetype" in names


def _read_archive(
    source: Source, make: Assembler, sheet: str | None, columns: Sequence[str], media: Media | None
) -> Iterator[Row]:
    """The tables of a ZIP, whose cells name its own members; `sheet` is the one of each workbook."""
    if source.name == "-":
        raise source.unusable("a ZIP cannot be read from standard input", "Name the file.")
    try:
        archive = open_archive(source.name)
    except UnsafeArchiveError as error:
        raise source.unusable(f"the ZIP is refused: {error}", "Export it again, or unpack it.") from None
    tables = _tables(archive)
    if not tables:
        raise source.unusable(
            "there is no table in the ZIP",
            "It needs a .csv or .xlsx file beside the folder with the media, as the PIM exports it.",
        )
    if all(table.lower().endswith(".csv") for table in tables):
        _tell_no_sheet(source, make, sheet)
    for table in tables:
        label = source.name if len(tables) == 1 else f"{source.name}/{table}"
        inner = Assembler(label, make.settings, make.note)
        folder = PurePosixPath(table).parent
        with closing(_unpacked(source, archive, table, make)) as opened:
            rows = sheet_records(opened, sheet) if opened.packed else csv_records(opened)
            for row in _rows(opened, inner, rows, columns, media):
                row.archive = source.name
                # Paths in the table start beside it.
                row.file = str(folder / row.file) if row.file else row.file
                yield row


def _tables(archive: Archive) -> list[str]:
    """The tables nearest to the top: deeper ones may be media themselves."""
    found = [
        name
        for name in archive.names()
        if PurePosixPath(name).suffix.lower() in _TABLES and not name.startswith(("__MACOSX/", "files/"))
    ]
    top = min((name.count("/") for name in found), default=0)
    return sorted(name for name in found if name.count("/") == top)


def _unpacked(source: Source, archive: Archive, table: str, make: Assembler) -> Source:
    info: ZipInfo | None = archive.member(table)
    assert info is not None
    label = f"{source.name}: {table}"
    if info.file_size > _LARGEST_TABLE:
        raise source.unusable(f"{table} has more than {_LARGEST_TABLE:,} bytes", "Split the export.")
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the source closes it
    try:
        with archive.open(table) as packed:
            shutil.copyfileobj(packed, copy)
    except TROUBLE as error:
        copy.close()
        raise source.unusable(f"{table} cannot be unpacked ({error})", "Export it again.") from None
    return Source(label, io.BytesIO(), make.note, packed=not table.lower().endswith(".csv"), file=copy)


def _rows(
    source: Source,
    make: Assembler,
    records: Generator[tuple[int, list[str]], None, None],
    columns: Sequence[str],
    media: Media | None,
) -> Iterator[Row]:
    with closing(records):
        names = [name.strip() for name in next(records, (0, []))[1]]
        if not any(names):
            raise source.unusable("is empty", "Write a header line such as: sku;family;picture")
        target = _target_of(source, names)
        taken = _media_columns(source, names, columns, media)
        for line, written in records:
            cells = [*written, *[""] * (len(names) - len(written))]
            for column in taken:
                text = cells[column.at].strip()
                if text:
                    yield _row(make, line, column, text, target(cells))


def _row(make: Assembler, line: int, column: _Column, text: str, target: Target | None) -> Row:
    values: dict[str, str | None] = {"file": text, "attribute": column.attribute}
    if column.locale:
        values["locale"] = column.locale
    if column.scope:
        values["scope"] = column.scope
    if target is not None:
        values.update(target_columns(target))
    row = make.row(line, values, {})
    if row.problem is not None and row.problem.kind is Kind.TARGET_MISSING:
        row.problem = Failure(
            Kind.TARGET_MISSING, "the line names no product or product model", "Fill in its identifier."
        )
    return row


def _target_of(source: Source, names: Sequence[str]) -> Callable[[Sequence[str]], Target | None]:
    """How to tell the entity of a line."""
    places = {name.lower(): at for at, name in reversed(list(enumerate(names)))}
    kinds = [
        (TargetType.PRODUCT, "identifier"),
        (TargetType.PRODUCT, "sku"),
        (TargetType.PRODUCT_UUID, "uuid"),
        (TargetType.PRODUCT_MODEL, "code"),
    ]
    if "family_variant" in places:
        kinds.reverse()
    there = [(kind, places[name]) for kind, name in kinds if name in places]
    if not there:
        raise source.unusable(
            f"no column names the product (columns found: {', '.join(names[:20])})",
            "The layout has `sku`, `identifier`, `uuid`, or for product models `code`.",
        )

    def target(cells: Sequence[str]) -> Target | None:
        return next((Target(kind, cells[at].strip()) for kind, at in there if cells[at].strip()), None)

    return target


def _media_columns(
    source: Source, names: Sequence[str], wanted: Sequence[str], media: Media | None
) -> list[_Column]:
    every = [column for at, name in enumerate(names) if (column := _column(at, name)) is not None]
    if wanted:
        folded = {name.strip().lower(): name for name in wanted}
        taken = [c for c in every if c.name.lower() in folded or c.attribute.lower() in folded]
        found = {c.name.lower() for c in taken} | {c.attribute.lower() for c in taken}
        lacking = [name for fold, name in folded.items() if fold not in found]
        if lacking:
            raise source.unusable(
                f"there is no column {lacking[0]!r}, which --columns names",
                f"Columns: {', '.join(names[:50])}",
            )
        return taken
    if media is None:
        raise UsageError(
            f"{source.name}: only a PIM can tell which columns hold media",
            "Name them: --columns picture,manual; or ask the PIM: --online.",
        )
    holding = {code.lower() for code in media({c.attribute for c in every})}
    taken = [column for column in every if column.attribute.lower() in holding]
    if not taken:
        raise source.unusable(
            "none of its columns is a media attribute of the PIM", "Name them: --columns picture,manual"
        )
    return taken


def _column(at: int, name: str) -> _Column | None:
    """What a column's name says: `attribute`, `attribute-locale`, `attribute-channel` or all three."""
    attribute, *rest = name.split("-")
    if not _ATTRIBUTE.fullmatch(attribute) or attribute.lower() in _OF_ENTITY or len(rest) > 2:
        return None
    locale = rest.pop(0) if rest and _LOCALE.fullmatch(rest[0]) else None
    if len(rest) > 1 or (rest and not _ATTRIBUTE.fullmatch(rest[0])):
        return None
    return _Column(at, name, attribute, locale, rest[0] if rest else None)
