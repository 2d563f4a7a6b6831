"""What must be known of a spreadsheet before a library may read it: is it sound, how big does it grow?

The library reads a sheet whole, as a rectangle around all that is filled, and would take the machine down
with a cell in the last corner. It also tells numbers without their format: `00123`, which is 123 under the
format `00000`, is told as 123. Both are found here in one pass over the sheet's XML in constant memory, but
for the numbers that are shown with zeros before them.

Source: ECMA-376 part 1, 18.3 (SpreadsheetML); OpenDocument 1.3 part 3, 9.1 (tables).
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

MOST_CELLS = 10_000_000
"""Of the rectangle around all that is filled; some 500 MB of memory."""
MOST_BYTES = 1 << 30
"""Of all XML in the file, unpacked."""
_PIECE = 1 << 18
_PADDED = re.compile(r"(0{2,})(?:;|$)")
_REF = re.compile(r"([A-Z]{1,3})([0-9]{1,7})$")

Start = Callable[[str, Mapping[str, str]], None]


class UnsoundError(Exception):
    """The file cannot be read as a spreadsheet, or not safely; the text says why."""


@dataclass
class Sheet:
    """What was found in one sheet: the last filled row and column, counted from 1, and padded numbers."""

    rows: int = 0
    columns: int = 0
    padded: dict[tuple[int, int], int] = field(default_factory=dict)
    """How many digits are shown, by row and column from 1."""

    def filled(self, row: int, column: int) -> None:
        """A cell with something in it. Raises UnsoundError when the rectangle grows too big."""
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)
        if self.rows * self.columns > MOST_CELLS:
            raise UnsoundError(
                f"the sheet reaches to row {self.rows:,} and column {self.columns:,}; "
                f"{MOST_CELLS:,} cells are the most that can be read"
            )


def check(file: BinaryIO) -> bool:
    """See that a spreadsheet can be read safely as far as that does not depend on the sheet; is it an ODS?

    Raises UnsoundError.
    """
    with _opened(file) as archive:
        _check_sizes(archive)
        if "mimetype" not in archive.namelist():
            return False
        # The library reads all sheets of an ODS at once.
        _parse(archive, "content.xml", _TableReader().start)
        return True


def look_at(file: BinaryIO, sheet: str) -> Sheet:
    """One sheet of an XLSX or XLSM file, after `check`. Raises UnsoundError."""
    with _opened(file) as archive:
        part = _part_of(archive, sheet)
        if part is None:
            raise UnsoundError(f"nothing tells where the cells of {sheet!r} are")
        found = _CellReader(_padded_styles(archive))
        _parse(archive, part, found.start)
        return found.sheet


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    file.seek(0)
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OverflowError) as error:
        raise UnsoundError(f"it is damaged ({error})") from None


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """Sizes are what the file says; one that lies does not survive the check of its sums."""
    infos = archive.infolist()
    if sum(info.compress_size for info in infos) > MOST_BYTES:
        raise UnsoundError(f"it has more than {MOST_BYTES // 1_000_000:,} MB")
    if len({info.filename for info in infos}) < len(infos):
        raise UnsoundError("it has two parts of one name")
    if sum(info.file_size for info in infos if info.filename.endswith((".xml", ".rels"))) > MOST_BYTES:
        raise UnsoundError(f"it unpacks to more than {MOST_BYTES // 1_000_000:,} MB")
    for info in infos:
        if info.filename.endswith("sharedStrings.xml"):
            _each_piece(archive, info.filename, lambda _: None)


def _each_piece(archive: zipfile.ZipFile, name: str, take: Callable[[bytes], None]) -> None:
    try:
        with archive.open(name) as part:
            while piece := part.read(_PIECE):
                take(piece)
    except KeyError:
        raise UnsoundError(f"it has no part {name}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise UnsoundError(f"its part {name} cannot be unpacked ({error})") from None


def _parse(archive: zipfile.ZipFile, name: str, start: Start) -> None:
    """Hear of each element's start, its name without prefix."""

    def started(element: str, attributes: dict[str, str]) -> None:
        start(element.rpartition(":")[2], attributes)

    def doctype(*_: object) -> None:
        raise UnsoundError("it declares entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = doctype
    try:
        _each_piece(archive, name, lambda piece: _nothing(parser.Parse(piece)))
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnsoundError(f"its part {name} is no XML ({error})") from None


def _nothing(_: object) -> None:
    return None


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Where a sheet's cells are."""
    ids: dict[str, str] = {}
    parts: dict[str, str] = {}

    def in_workbook(element: str, attributes: Mapping[str, str]) -> None:
        if element == "sheet":
            ids[attributes.get("name", "")] = _unprefixed(attributes).get("id", "")

    def in_relations(element: str, attributes: Mapping[str, str]) -> None:
        if element == "Relationship":
            parts[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(archive, "xl/workbook.xml", in_workbook)
    _parse(archive, "xl/_rels/workbook.xml.rels", in_relations)
    target = parts.get(ids.get(sheet, ""))
    if target is None:
        return None
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))


def _padded_styles(archive: zipfile.ZipFile) -> dict[str, int]:
    """How many digits are shown at least, by the number of a cell's style."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    digits: dict[str, int] = {}
    styles: dict[str, int] = {}
    inside = ""
    count = 0

    def start(element: str, attributes: Mapping[str, str]) -> None:
        nonlocal inside, count
        if element in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            inside = element
        elif element == "numFmt" and (padded := _PADDED.match(attributes.get("formatCode", ""))):
            digits[attributes.get("numFmtId", "")] = len(padded[1])
        elif element == "xf" and inside == "cellXfs":
            wanted = digits.get(attributes.get("numFmtId", ""))
            if wanted:
                styles[str(count)] = wanted
            count += 1

    _parse(archive, "xl/styles.xml", start)
    return styles


class _CellReader:
    """Follows the cells of an XLSX sheet."""

    def __init__(self, styles: Mapping[str, int]) -> None:
        self.sheet = Sheet()
        self._styles = styles
        self._row = self._column = 0
        self._style = ""

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        if element == "c":
            self._style = attributes.get("s", "")
            place = _REF.match(attributes.get("r", ""))
            if place:
                self._row, self._column = int(place[2]), _number_of(place[1])
            else:
                self._column += 1
        elif element == "row":
            given = attributes.get("r", "")
            self._row = int(given) if given.isdigit() and len(given) < 8 else self._row + 1
            self._column = 0
        elif element in ("v", "is"):
            self.sheet.filled(self._row, self._column)
            wanted = self._styles.get(self._style)
            if wanted:
                self.sheet.padded[self._row, self._column] = wanted


class _TableReader:
    """Follows the cells of ODS sheets, in which one may stand for many."""

    def __init__(self) -> None:
        self._sheet = Sheet()
        self._row = self._column = 0

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        if element == "table":
            self._sheet = Sheet()
            self._row = 0
        elif element == "table-row":
            self._row += _repeated(_unprefixed(attributes), "number-rows-repeated")
            self._column = 0
        elif element in ("table-cell", "covered-table-cell"):
            attributes = _unprefixed(attributes)
            self._column += _repeated(attributes, "number-columns-repeated")
            if "value-type" in attributes:
                self._sheet.filled(self._row, self._column)


def _unprefixed(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes by their names without prefix; only those of the format's main namespace have none."""
    return {name.rpartition(":")[2]: value for name, value in attributes.items()}


def _repeated(attributes: Mapping[str, str], name: str) -> int:
    given = attributes.get(name, "1")
    return int(given) if given.isdigit() and len(given) < 10 else 1


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
