"""The PIM's own import and export layout: a line an entity, a column a value, paths of media in the cells.

`sku;family;picture;manual-en_US-ecommerce`, as CSV or XLSX, or with its media in one ZIP. Which columns hold
media is said by `--columns` or by the PIM; never guessed, as text may look like a path.
Source: the PIM's documentation of its product and product model files.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..errors import Failure, Kind, UsageError
from ..frozen import frozen
from ..rows import Row, Target, TargetType
from .advice import meant, to_map
from .archive import TROUBLE, Archive, UnsafeArchiveError, open_archive
from .assemble import Assembler, malformed
from .columns import LONGEST_NAME, spelled, target_columns
from .delimited import csv_records, too_many
from .header import TITLES
from .sheets.cells import Unread
from .sheets.reading import records as sheet_records
from .source import Source

if TYPE_CHECKING:
    from zipfile import ZipInfo

    from . import Reading

Media = Callable[[Collection[str]], Collection[str]]
"""Takes codes of attributes, gives those that hold media."""

Identifiers = Callable[[], Sequence[str]]
"""Gives the attributes that identify products, the main one first."""

_ATTRIBUTE = re.compile(r"[A-Za-z0-9_]+")
_LOCALE = re.compile(r"[a-z]{2,3}(?:_[A-Za-z]{4})?_(?:[A-Z]{2}|[0-9]{3})")
_TABLES = (".csv", ".xlsx")
_LARGEST_TABLE = 1 << 30
# Columns of the layout that are no attributes.
_OF_ENTITY = frozenset(
    (
        "product",
        "product_uuid",
        "product_model",
        "uuid",
        "identifier",
        "code",
        "family",
        "family_variant",
        "parent",
        "categories",
        "groups",
        "enabled",
    )
)


@frozen
class _Column:
    """A column of values: its place, and the value's attribute, locale and scope."""

    at: int
    name: str
    attribute: str
    locale: str | None
    scope: str | None


def read_layout(source: Source, make: Assembler, how: Reading) -> Iterator[Row]:
    """A row for each media file that a cell names; those of one line have one line number.

    `how.columns`: names of columns, or of attributes, that hold media; without any, `how.media` is asked.
    Raises ManifestError, and UsageError where neither says.
    """
    if source.packed and not _is_sheet(source):
        yield from _read_archive(source, make, how)
    elif source.packed:
        yield from _rows(source, make, sheet_records(source, make, how.sheet), how)
    else:
        _note_no_sheet(source, make, how)
        yield from _rows(source, make, csv_records(source, make, how.quote), how)


def _note_no_sheet(source: Source, make: Assembler, how: Reading) -> None:
    """Not an error: another manifest of the run may be the one that is meant."""
    if how.sheet is not None:
        make.note(f"{source.name}: --sheet {how.sheet!r} has no effect: no table there is a spreadsheet", "")


def _is_sheet(source: Source) -> bool:
    import zipfile

    try:
        names = zipfile.ZipFile(source.binary()).namelist()
    except TROUBLE:
        return False
    return "[Content_Types].xml" in names or "mimetype" in names


def _read_archive(source: Source, make: Assembler, how: Reading) -> Iterator[Row]:
    """The tables of a ZIP, whose cells name its own members; `how.sheet` is the one of each workbook."""
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
        _note_no_sheet(source, make, how)
    for table in tables:
        label = source.name if len(tables) == 1 else f"{source.name}/{table}"
        inner = Assembler(label, make.settings, make.note, make.named)
        folder = PurePosixPath(table).parent
        with closing(_unpacked(source, archive, table, make, how)) as opened:
            lines = (
                sheet_records(opened, inner, how.sheet)
                if opened.packed
                else csv_records(opened, inner, how.quote)
            )
            for row in _rows(opened, inner, lines, how):
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


def _unpacked(source: Source, archive: Archive, table: str, make: Assembler, how: Reading) -> Source:
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
    is_sheet = not table.lower().endswith(".csv")
    return Source(label, io.BytesIO(), make.note, packed=is_sheet, file=copy, encoding=how.encoding)


def _rows(
    source: Source, make: Assembler, lines: Generator[tuple[int, list[str]], None, None], how: Reading
) -> Iterator[Row]:
    with closing(lines):
        first = list(islice(lines, TITLES))
        if not first:
            raise source.unusable("is empty", "Write a header line such as: sku;family;picture")
        names, at, targets = _header(source, make, first, how)
        if at:
            make.left_out(at, f"above the header, which is line {first[at][0]}")
        taken = _media_columns(source, make, names, how)
        used = [*(place for _, place in targets), *(column.at for column in taken)]
        without = repeated = 0
        for line, written in chain(first[at + 1 :], lines):
            if written == first[at][1]:
                repeated += 1
                continue
            problem = too_many(written, len(names)) or _unread(written, used)
            if problem is not None:
                yield make.row(line, {}, {}, problem)
                continue
            cells = [*written, *[""] * (len(names) - len(written))]
            filled = [column for column in taken if cells[column.at].strip()]
            without += not filled
            for column in filled:
                yield _row(make, line, column, cells[column.at].strip(), _target(targets, cells))
        if repeated:
            make.left_out(repeated, "the header again, as in files that were joined")
        if without:
            shown = ", ".join(column.name for column in taken[:10])
            make.left_out(without, f"they name no file in {shown}")


def _unread(cells: Sequence[str], used: Sequence[int]) -> Failure | None:
    """A cell that is used, and whose text the file does not hold."""
    for at in used:
        cell = cells[at] if at < len(cells) else ""
        if isinstance(cell, Unread):
            return malformed(cell.why, cell.hint)
    return None


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


_Targets = Sequence[tuple[TargetType, int]]
"""The columns that name the entity of a line, the first that is filled wins."""


def _header(
    source: Source, make: Assembler, first: Sequence[tuple[int, list[str]]], how: Reading
) -> tuple[list[str], int, _Targets]:
    """The names of the columns, in which of the first lines they are, and which name the entity."""
    for at, (_, cells) in enumerate(first):
        names = _names(make, cells)
        targets = _targets(names)
        if targets:
            return names, at, targets
    identifiers = list(how.identifiers()) if how.identifiers is not None else []
    for at, (_, cells) in enumerate(first):
        names = _names(make, cells)
        places = {name.lower(): place for place, name in reversed(list(enumerate(names)))}
        found = [places[code.lower()] for code in identifiers if code.lower() in places]
        if found:
            return names, at, [(TargetType.PRODUCT, place) for place in found]
    names = _names(make, first[0][1])
    shown = ", ".join(name[:LONGEST_NAME] for name in names[:20])
    likely = next((name for name in names if meant(name) == "product"), names[0] or "COLUMN")
    raise source.unusable(
        f"no column names the product (columns found: {shown})",
        "The layout has `sku`, `identifier`, `uuid`, or for product models `code`. If a column is named "
        f"after the PIM's identifier attribute, add: {to_map(likely[:LONGEST_NAME], 'product')}",
    )


def _names(make: Assembler, cells: Sequence[str]) -> list[str]:
    names = [make.named(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def _targets(names: Sequence[str]) -> _Targets:
    places = {spelled(name): at for at, name in reversed(list(enumerate(names)))}
    kinds = [
        (TargetType.PRODUCT, ("product", "identifier", "sku")),
        (TargetType.PRODUCT_UUID, ("product_uuid", "uuid")),
        (TargetType.PRODUCT_MODEL, ("product_model", "code")),
    ]
    if "family_variant" in places:
        kinds.reverse()
    return [(kind, places[name]) for kind, own in kinds for name in own if name in places]


def _target(targets: _Targets, cells: Sequence[str]) -> Target | None:
    return next((Target(kind, cells[at].strip()) for kind, at in targets if cells[at].strip()), None)


def _media_columns(source: Source, make: Assembler, names: Sequence[str], how: Reading) -> list[_Column]:
    every = [column for at, name in enumerate(names) if (column := _column(at, name)) is not None]
    if how.columns:
        folded = {make.named(name).lower(): name for name in how.columns}
        taken = [c for c in every if c.name.lower() in folded or c.attribute.lower() in folded]
        found = {c.name.lower() for c in taken} | {c.attribute.lower() for c in taken}
        lacking = [name for fold, name in folded.items() if fold not in found]
        if lacking:
            raise source.unusable(
                f"there is no column {lacking[0]!r}, which --columns names",
                f"Columns: {', '.join(names[:50])}",
            )
        return taken
    if how.media is None:
        # An attribute that `--map` names is named for its files: nothing else is done with a column here.
        mapped = [column for column in every if make.named.is_new(column.name)]
        if mapped:
            return mapped
        raise UsageError(
            f"{source.name}: only a PIM knows which columns hold media",
            "Name them: --columns picture,manual; or ask the PIM: --online.",
        )
    holding = {code.lower() for code in how.media({c.attribute for c in every})}
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
