"""XLSX and ODS: the sheet that a photographer filled in."""

from __future__ import annotations

import datetime
from collections.abc import Generator, Iterator
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..rows import Row
from .assemble import Assembler
from .columns import canonical
from .delimited import header_of, row_of
from .package import UnsoundError
from .workbook import Sheet, check, look_at

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

    from .source import Source

_TITLES = 50
"""So many rows may stand above the header."""
_EMPTY_HINT = "Write a header line such as: product, attribute, file"
_DAMAGED_HINT = "Open it in Excel or LibreOffice and save it again as .xlsx."


def read_sheet(source: Source, make: Assembler, sheet: str | None) -> Iterator[Row]:
    """Rows of an XLSX, XLSM or ODS file's first visible sheet, or the one named.

    Lines are the sheet's rows. Raises UsageError without the extra `xlsx`, and ManifestError.
    """
    rows = records(source, sheet)
    first = list(islice(rows, _TITLES))
    if not first:
        raise source.unusable("the sheet is empty", _EMPTY_HINT)
    at = max(range(len(first)), key=lambda n: (_known(first[n][1]), -n))
    names = first[at][1]
    header = header_of(source, make, iter([names]))
    width = len(header.names)
    for some in (first[at + 1 :], rows):
        for line, cells in some:
            # What stands beside the table, under no header, is a remark.
            yield row_of(make, header, line, cells[:width])


def records(source: Source, sheet: str | None) -> Generator[tuple[int, list[str]], None, None]:
    """The rows that are not blank, each with its number from 1, cells as text. Raises as `read_sheet`."""
    calamine = _library()
    try:
        shared = check(source.binary())
        with calamine.CalamineWorkbook.from_filelike(source.binary()) as book:
            name = _chosen(source, book, sheet)
            found = Sheet() if shared is None else look_at(source.binary(), name, shared)
            yield from _texts(book.get_sheet_by_name(name), found)
    except calamine.PasswordError:
        raise source.unusable("is protected by a password", "Save it without one.") from None
    except UnsoundError as error:
        raise source.unusable(str(error), _DAMAGED_HINT) from None
    except (calamine.CalamineError, ValueError, OverflowError) as error:
        raise source.unusable(f"cannot be read as a spreadsheet ({error})", _DAMAGED_HINT) from None
    except BaseException as error:
        # A panic of the library's Rust code is no Exception, and its class cannot be imported.
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


def _chosen(source: Source, book: CalamineWorkbook, wanted: str | None) -> str:
    """The sheet to read."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    if wanted is None:
        visible = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible]
        if not visible:
            raise source.unusable("has no sheet with cells", _EMPTY_HINT)
        return visible[0]
    names = [s.name for s in sheets]
    for name in names:
        if name == wanted:
            return name
    for name in names:
        if name.strip().casefold() == wanted.strip().casefold():
            return name
    raise source.unusable(f"has no sheet {wanted!r}", f"Its sheets: {', '.join(names[:20]) or 'none'}.")


def _texts(sheet: CalamineSheet, found: Sheet) -> Iterator[tuple[int, list[str]]]:
    if sheet.start is None:
        return
    column = sheet.start[1] + 1
    # The library leaves out empty columns before the first filled cell, but not empty rows.
    for line, cells in enumerate(sheet.iter_rows(), 1):
        texts = [value if isinstance(value, str) else text_of(value) for value in cells]
        if found.shaped:
            for n, value in enumerate(cells):
                if isinstance(value, float):
                    texts[n] = found.seen(line, column + n, value) or texts[n]
        if any(text.strip() for text in texts):
            yield line, texts


def text_of(value: object) -> str:
    """A cell as text: numbers as a spreadsheet shows them, never with an exponent; dates as ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # More than 15 digits are not in the sheet, but come of the way in which computers count.
        return format(Decimal(f"{value or 0:.15g}"), "f")
    if isinstance(value, datetime.datetime):
        is_day = value.time() == datetime.time()
        return value.date().isoformat() if is_day else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def _known(cells: list[str]) -> int:
    return sum(canonical(cell) is not None for cell in cells)
