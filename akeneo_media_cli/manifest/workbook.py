"""What must be known of a spreadsheet before a library may read it: is it sound, how big does it grow?

The library reads a sheet whole, as a rectangle around all that is filled, with a copy of its text in each
cell. It would take the machine down with a cell in the last corner, or one long text that many cells share.
It also tells numbers without their format: `00123`, which is 123 under the format `00000`, is told as 123.
All this is found here in one pass over the sheet's XML, in memory of a few bytes a cell.

Source: ECMA-376 part 1, 18.3 (SpreadsheetML); OpenDocument 1.3 part 3, 9.1 (tables).
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from .package import UnsoundError, check_sizes, folded, opened, parse
from .shapes import Shape, shape_of

MOST_CELLS = 10_000_000
"""Of the rectangle around all that is filled; some 500 MB of memory. And of texts that cells may share."""
LONGEST_TEXT = 1 << 20
"""Characters of one cell; Excel's own limit is 32,767."""
MOST_TEXT = 1 << 28
"""Characters of all cells, each with its own copy of a text that it shares or repeats."""
_MOST_SHAPES = 0xFFFF
_LONGEST_FORMAT = 255
_REF = re.compile(r"([A-Za-z]{1,4})0*([0-9]{1,10})")
_NUMBER = re.compile(r"\+?0*([0-9]+)")
_ENORMOUS = 10**10
_FILLED = frozenset(("value-type", "value", "string-value", "date-value", "time-value", "boolean-value"))


@dataclass
class Sheet:
    """What was found in one sheet: the last filled row and column, counted from 1, and cells with a shape."""

    rows: int = 0
    columns: int = 0
    before: int = 0
    """Cells of other sheets that are held at the same time."""
    shapes: list[Shape] = field(default_factory=list)
    shaped: dict[int, array[int]] = field(default_factory=dict)
    """By column: for each row the number of its shape, from 1; 0 for none. A dict by cell took a gigabyte."""

    def filled(self, row: int, column: int) -> None:
        """A cell with something in it. Raises UnsoundError when the rectangle grows too big."""
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)
        if self.before + self.rows * self.columns > MOST_CELLS:
            raise UnsoundError(
                f"the sheet reaches to row {self.rows:,} and column {self.columns:,}; "
                f"{MOST_CELLS:,} cells are the most that can be read"
            )

    def shape(self, row: int, column: int, number: int) -> None:
        """A filled cell is shown in the shape of this number."""
        rows = self.shaped.setdefault(column, array("H"))
        if len(rows) <= row:
            rows.frombytes(bytes(rows.itemsize * (row + 1 - len(rows))))
        rows[row] = number

    def seen(self, row: int, column: int, value: float) -> str | None:
        """What is seen of a number in a cell, if it is another text than without a shape."""
        rows = self.shaped.get(column)
        number = rows[row] if rows is not None and row < len(rows) else 0
        return self.shapes[number - 1].text(value) if number else None


class _Weight:
    """How much text a library will hold. Raises UnsoundError when it is too much."""

    def __init__(self) -> None:
        self._all = 0
        self._one = 0

    def begin(self) -> None:
        """Another cell begins."""
        self._one = 0

    def add(self, length: int, times: int = 1) -> None:
        """So many characters more in this cell, which stands for so many cells."""
        self._one += length
        self._all += length * times
        if self._one > LONGEST_TEXT:
            raise UnsoundError(f"a cell has more than {LONGEST_TEXT:,} characters")
        if self._all > MOST_TEXT:
            raise UnsoundError(f"its cells have more than {MOST_TEXT:,} characters in all")


def check(file: BinaryIO) -> array[int] | None:
    """See that a spreadsheet can be read safely as far as that does not depend on the sheet.

    Gives the lengths of the texts that its cells may share, for `look_at`; None for an ODS, which has been
    looked at whole. Raises UnsoundError.
    """
    with opened(file) as archive:
        parts = check_sizes(archive)
        is_ods = "mimetype" in parts
        # The library tries one format after the other, whatever the file says it is.
        if is_ods and any(part.startswith("xl/") for part in parts):
            raise UnsoundError("it is an XLSX and an ODS file at once")
        if not parts.isdisjoint(("xl/workbook.bin", "xl/sharedstrings.bin")):
            raise UnsoundError("it is an XLSB file")
        if not is_ods:
            return _shared_texts(archive)
        # All sheets of an ODS are read at once.
        reader = _TableReader()
        parse(archive, "content.xml", reader.start, reader.text)
        return None


def look_at(file: BinaryIO, sheet: str, shared: array[int]) -> Sheet:
    """One sheet of an XLSX or XLSM file, after `check`. Raises UnsoundError."""
    with opened(file) as archive:
        part = _part_of(archive, sheet)
        if part is None:
            raise UnsoundError(f"nothing tells where the cells of {sheet!r} are")
        found = _CellReader(*_shaped_styles(archive), shared)
        parse(archive, part, found.start, found.text)
        return found.sheet


def _shared_texts(archive: zipfile.ZipFile) -> array[int]:
    """The length of each text that cells may share."""
    lengths = array("I")
    weight = _Weight()

    def start(element: str, attributes: Mapping[str, str]) -> None:
        if element == "si":
            if len(lengths) >= MOST_CELLS:
                raise UnsoundError(f"it has more than {MOST_CELLS:,} texts")
            lengths.append(0)
            weight.begin()

    def text(data: str) -> None:
        weight.add(len(data))
        if lengths:
            lengths[-1] += len(data)

    parts = [name for name in archive.namelist() if folded(name).endswith("sharedstrings.xml")]
    if len(parts) > 1:
        raise UnsoundError("it has two parts with shared texts")
    for part in parts:
        parse(archive, part, start, text)
    return lengths


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Where a sheet's cells are."""
    ids: dict[str, str] = {}
    targets: dict[str, str] = {}

    def in_workbook(element: str, attributes: Mapping[str, str]) -> None:
        if element == "sheet":
            _once(ids, attributes.get("name", ""), _unprefixed(attributes).get("id", ""))

    def in_relations(element: str, attributes: Mapping[str, str]) -> None:
        if element == "Relationship":
            _once(targets, attributes.get("Id", ""), attributes.get("Target", ""))

    parse(archive, "xl/workbook.xml", in_workbook)
    parse(archive, "xl/_rels/workbook.xml.rels", in_relations)
    target = targets.get(ids.get(sheet, ""))
    if target is None:
        return None
    # Programs differ in what a target starts from.
    there = set(archive.namelist())
    parts = {target.lstrip("/"), posixpath.normpath(posixpath.join("xl", target.lstrip("/")))} & there
    if len(parts) > 1:
        raise UnsoundError(f"two of its parts may be the sheet {sheet!r}")
    return parts.pop() if parts else None


def _once(names: dict[str, str], name: str, value: str) -> None:
    if name in names:
        raise UnsoundError(f"it has two sheets {name[:40]!r}")
    names[name] = value


def _shaped_styles(archive: zipfile.ZipFile) -> tuple[list[Shape], dict[str, int]]:
    """The shapes that numbers are shown in, and by a style's number in the file that of its shape, from 1."""
    shapes: list[Shape] = []
    if "xl/styles.xml" not in archive.namelist():
        return shapes, {}
    formats: dict[str, int] = {}
    styles: dict[str, int] = {}
    inside = ""
    count = 0

    def start(element: str, attributes: Mapping[str, str]) -> None:
        nonlocal inside, count
        if element in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            inside = element
        elif element == "numFmt" and (shape := shape_of(attributes.get("formatCode", "")[:_LONGEST_FORMAT])):
            shapes.append(shape)
            if len(shapes) > _MOST_SHAPES:
                raise UnsoundError(f"it has more than {_MOST_SHAPES:,} number formats")
            formats[attributes.get("numFmtId", "")] = len(shapes)
        elif element == "xf" and inside == "cellXfs":
            wanted = formats.get(attributes.get("numFmtId", ""))
            if wanted:
                styles[str(count)] = wanted
            count += 1

    parse(archive, "xl/styles.xml", start)
    return shapes, styles


class _CellReader:
    """Follows the cells of an XLSX sheet."""

    def __init__(self, shapes: list[Shape], styles: Mapping[str, int], shared: array[int]) -> None:
        self.sheet = Sheet(shapes=shapes)
        self._styles = styles
        self._shared = shared
        self._longest = max(shared, default=0)
        self._weight = _Weight()
        self._row = self._column = 0
        self._style = self._type = self._element = ""

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        self._element = element
        if element == "c":
            self._weight.begin()
            self._style, self._type = attributes.get("s", ""), attributes.get("t", "")
            written = attributes.get("r")
            if written is None:
                self._column += 1
            elif place := _REF.fullmatch(written):
                self._row, self._column = int(place[2]), _number_of(place[1].upper())
            else:  # the library counts in 32 bits and begins again
                raise UnsoundError(f"it has a cell at {written[:20]!r}")
        elif element == "row":
            self._row = _number(attributes.get("r", ""), self._row + 1)
            self._column = 0
        elif element in ("v", "is"):
            self.sheet.filled(self._row, self._column)
            number = self._styles.get(self._style)
            if number:
                self.sheet.shape(self._row, self._column, number)

    def text(self, data: str) -> None:
        length = len(data)
        if self._type == "s" and self._element == "v":
            length = max(length, self._length_shared(data))
        self._weight.add(length)

    def _length_shared(self, written: str) -> int:
        digits = written.strip()
        if not (digits.isascii() and digits.isdigit()) or int(digits[:20]) >= len(self._shared):
            return self._longest
        length = self._shared[int(digits)]
        # The library takes what it cannot read, such as a space, for the first of all texts.
        return length if digits == written else max(length, self._shared[0])


class _TableReader:
    """Follows the cells of ODS sheets, in which one may stand for many."""

    def __init__(self) -> None:
        self._sheet = Sheet()
        self._weight = _Weight()
        self._row = self._column = 0
        self._rows = self._columns = 1
        """How many of them the row and the cell at hand stand for."""

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        if element == "table":
            self._sheet = Sheet(before=self._sheet.before + self._sheet.rows * self._sheet.columns)
            self._row = 0
        elif element == "table-row":
            self._rows = _number(_unprefixed(attributes).get("number-rows-repeated", ""), 1)
            self._row += self._rows
            self._column = 0
        elif element in ("table-cell", "covered-table-cell"):
            attributes = _unprefixed(attributes)
            self._columns = _number(attributes.get("number-columns-repeated", ""), 1)
            self._column += self._columns
            self._weight.begin()
            if not _FILLED.isdisjoint(attributes):
                self._sheet.filled(self._row, self._column)
                self._add(sum(map(len, attributes.values())))
        elif element == "s":  # so many spaces
            self._add(_number(_unprefixed(attributes).get("c", ""), 1))

    def text(self, data: str) -> None:
        self._add(len(data))

    def _add(self, length: int) -> None:
        self._weight.add(length, self._rows * self._columns)


def _unprefixed(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes by their names without prefix; only those of the format's main namespace have none."""
    return {name.rpartition(":")[2]: value for name, value in attributes.items()}


def _number(written: str, default: int) -> int:
    """A count as a library would take it, or something enormous; `default` where there is none."""
    found = _NUMBER.fullmatch(written)
    if found is None:
        return default
    return int(found[1]) if len(found[1]) < len(str(_ENORMOUS)) else _ENORMOUS


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
