"""XLSX and ODS: the sheet that a photographer filled in."""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...rows import Row
from ..assemble import Assembler, malformed
from ..delimited import row_of
from ..header import Header, Lines, header_again, header_and_rest
from . import ods
from .cells import SavedZero, Unread, text_of
from .parts import UnsoundError, check_sizes, opened
from .xlsx import ERROR, SAVED_ZERO, UNSAVED, Sheet, check, look_at

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

    from ..source import Source

_DAMAGED_HINT = "Open it in Excel or LibreOffice and save it again as .xlsx."


def read_sheet(source: Source, make: Assembler, sheet: str | None) -> Iterator[Row]:
    """Rows of an XLSX, XLSM or ODS file's first visible sheet, or the one named.

    Lines are the sheet's rows. Raises UsageError without the extra `xlsx`, and ManifestError.
    """
    header, rest = header_and_rest(source, make, records(source, make, sheet))
    beside = repeated = 0
    zero: SavedZero | None = None
    for line, cells in rest:
        # What is written beside the table, under no header, is a remark.
        own = cells[: len(header.names)]
        again = _again(source, make, header, own)
        if again is not None:
            header = again
            repeated += 1
        elif not "".join(own).strip():
            beside += 1
        else:
            zero = zero or _zero_in(header, own)
            yield _row(make, header, line, own)
    if zero is not None:
        make.note(
            f"{source.name}: the cell {zero.place} has a formula and the saved value 0",
            "Programs that cannot calculate, such as xlsxwriter, save 0 for every formula. If that is not "
            "its value, open the file in Excel or LibreOffice and save it.",
        )
    if beside:
        make.left_out(beside, "nothing is in them below the header")
    if repeated:
        make.left_out(repeated, "a header again")


def _again(source: Source, make: Assembler, header: Header, cells: list[str]) -> Header | None:
    at = header.known.get("file", 0)
    if at >= len(cells) or cells[at].strip() not in header.words:
        return None
    return header_again(source, make, header, cells)


def _zero_in(header: Header, cells: list[str]) -> SavedZero | None:
    """A known column's cell with a formula whose saved value is 0."""
    known = (cells[at] for at in header.known.values() if at < len(cells))
    return next((cell for cell in known if isinstance(cell, SavedZero)), None)


def _row(make: Assembler, header: Header, line: int, cells: list[str]) -> Row:
    unread = next((cell for cell in cells if isinstance(cell, Unread)), None)
    if unread is None:
        return row_of(make, header, line, cells)
    cells = ["" if isinstance(cell, Unread) else cell for cell in cells]
    return row_of(make, header, line, cells, malformed(unread.why, unread.hint))


def records(
    source: Source, make: Assembler, sheet: str | None
) -> Generator[tuple[int, list[str]], None, None]:
    """The rows that are not blank, each with its number from 1, cells as text. Raises as `read_sheet`."""
    with _troubled(source), opened(source.binary()) as archive:
        parts = check_sizes(archive)
        if "mimetype" in parts:
            if any(part.startswith("xl/") for part in parts):
                raise UnsoundError("it is an XLSX and an ODS file at once")
            found = ods.sheets(archive)
            visible = [s.name for s in found if s.visible]
            name = _chosen(source, make, [s.name for s in found], visible, sheet)
            yield from ods.lines(archive, [s.name for s in found].index(name))
        else:
            yield from _xlsx(source, make, archive, sheet)


def _xlsx(source: Source, make: Assembler, archive: zipfile.ZipFile, sheet: str | None) -> Lines:
    calamine = _library()
    shared = check(archive)
    try:
        with calamine.CalamineWorkbook.from_filelike(source.binary()) as book:
            name = _chosen_of(source, make, book, sheet)
            found = look_at(archive, name, shared)
            yield from _texts(book.get_sheet_by_name(name), found)
    except calamine.PasswordError:
        raise UnsoundError("it is protected by a password") from None
    except calamine.CalamineError as error:
        raise UnsoundError(f"it cannot be read as a spreadsheet ({error})") from None


@contextmanager
def _troubled(source: Source) -> Iterator[None]:
    """What goes wrong with the file becomes a ManifestError."""
    try:
        yield
    except UnsoundError as error:
        raise source.unusable(str(error), _DAMAGED_HINT) from None
    except (ValueError, OverflowError) as error:
        raise source.unusable(f"cannot be read as a spreadsheet ({error})", _DAMAGED_HINT) from None
    except BaseException as error:
        # A panic of the library's Rust code is not an Exception, and its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise source.unusable(f"cannot be read as a spreadsheet ({error})", _DAMAGED_HINT) from None


def _library() -> Any:
    try:
        import python_calamine
    except ImportError:
        raise UsageError(
            "spreadsheets need the extra `xlsx`",
            "Install it: pip install 'akeneo-media-cli[xlsx]' (or pipx inject, uv tool install --with); "
            "or save the sheet as CSV (UTF-8).",
        ) from None
    return python_calamine


def _chosen_of(source: Source, make: Assembler, book: CalamineWorkbook, wanted: str | None) -> str:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    visible = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible]
    return _chosen(source, make, [s.name for s in sheets], visible, wanted)


def _chosen(
    source: Source, make: Assembler, names: Sequence[str], visible: Sequence[str], wanted: str | None
) -> str:
    """The sheet to read."""
    if wanted is None:
        if not visible:
            raise source.unusable("has no sheet with cells", "Write a header line and a row for each file.")
        if others := ", ".join(visible[1:20]):
            make.note(
                f"{source.name}: only the sheet {visible[0]} is read, not {others}",
                "To read another sheet, add --sheet NAME.",
            )
        return visible[0]
    for name in names:
        if name == wanted:
            return name
    for name in names:
        if name.strip().casefold() == wanted.strip().casefold():
            return name
    raise source.unusable(f"has no sheet {wanted!r}", f"Its sheets: {', '.join(names[:20]) or 'none'}.")


def _texts(sheet: CalamineSheet, found: Sheet) -> Lines:
    # The library leaves out empty columns before the first filled cell, but not empty rows. To it a formula
    # without a value is an empty cell.
    first = sheet.start[1] + 1 if sheet.start is not None else 1
    begins = min([first, *found.marks])
    margin = [""] * (first - begins)
    rows = sheet.iter_rows() if sheet.start is not None else iter(())
    for line, (cells, _) in enumerate(zip_longest(rows, range(found.rows), fillvalue=()), 1):
        texts = margin + [value if isinstance(value, str) else text_of(value) for value in cells or ()]
        for column, mark in found.marked(line) if found.marks else ():
            at = column - begins
            texts += [""] * (at + 1 - len(texts))
            texts[at] = _marked(texts[at], column, line, mark, found, cells, column - first)
        if any(text.strip() for text in texts):
            yield line, texts


def _marked(
    text: str, column: int, line: int, mark: int, found: Sheet, cells: Sequence[object], at: int
) -> str:
    """The text of a cell with a mark."""
    if mark == UNSAVED:
        return Unread.formula(column, line)
    if mark == ERROR:
        return Unread.error(column, line)
    if mark == SAVED_ZERO:
        return SavedZero.at(column, line, text)
    value = cells[at] if 0 <= at < len(cells) else None
    return (found.seen(mark, value) if isinstance(value, float) else None) or text
