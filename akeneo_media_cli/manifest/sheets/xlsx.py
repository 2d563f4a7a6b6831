"""An XLSX file before a library reads it: whether it is safe, and what the library does not say of cells.

python-calamine reads the cells; it is fast, and forgives what the many writers of XLSX get wrong. It holds a
sheet whole, as a rectangle around all filled cells, with a copy of its text in each cell: one cell in the
last corner, or one long text shared by many cells, would take all memory. And it gives numbers without their
format (`00123` as 123), and nothing for a formula that was saved without its value. So the sheet's XML is
scanned once before, in memory of a few bytes a cell. Of the other libraries, openpyxl streams but pads
missing rows up to whatever number the file says, and rejects files over styles that nobody needs here.

Source: ECMA-376 part 1, 18.3 (SpreadsheetML).
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from .parts import UnsoundError, check_sizes, folded, parse
from .shapes import Shape, shape_of

MOST_CELLS = 10_000_000
"""Of the rectangle around all that is filled; some 500 MB of memory. And of texts that cells may share."""
LONGEST_TEXT = 1 << 20
"""Characters of one cell; Excel's own limit is 32,767."""
MOST_TEXT = 1 << 28
"""Characters of all cells, each with its own copy of a text that it shares or repeats."""
_MOST_SHAPES = 0xFFF0
UNSAVED, ERROR, SAVED_ZERO = 0xFFFF, 0xFFFE, 0xFFFD
"""Marks of cells, beside the numbers of shapes: a formula without a value, an error, a formula's saved 0."""
_LONGEST_FORMAT = 255
_REF = re.compile(r"([A-Za-z]{1,4})0*([0-9]{1,10})")
_NUMBER = re.compile(r"\+?0*([0-9]+)")
_ENORMOUS = 10**10
_TWO_DECIMALS = ("2", "0.00")
"""The only format with a number of its own that shows other text than a number has without it."""
_ZERO = re.compile(r"0+(?:\.0+)?")


@dataclass
class Sheet:
    """What was found in one sheet: the last filled row and column, counted from 1, and the marks of cells."""

    rows: int = 0
    columns: int = 0
    shapes: list[Shape] = field(default_factory=list)
    marks: dict[int, array[int]] = field(default_factory=dict)
    """By column: for each row a mark, or the number of the shape it is shown in, from 1; 0 for neither.
    A dict by cell took a gigabyte."""

    def filled(self, row: int, column: int) -> None:
        """A cell with something in it. Raises UnsoundError when the rectangle grows too big."""
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)
        if self.rows * self.columns > MOST_CELLS:
            raise UnsoundError(
                f"the sheet reaches to row {self.rows:,} and column {self.columns:,}; "
                f"{MOST_CELLS:,} cells are the most that can be read"
            )

    def mark(self, row: int, column: int, number: int) -> None:
        """A filled cell has this mark, or is shown in the shape of this number."""
        rows = self.marks.setdefault(column, array("H"))
        if len(rows) <= row:
            rows.frombytes(bytes(rows.itemsize * (row + 1 - len(rows))))
        rows[row] = number

    def marked(self, row: int) -> list[tuple[int, int]]:
        """The columns of a row that have a mark, each with it."""
        return [(column, rows[row]) for column, rows in self.marks.items() if row < len(rows) and rows[row]]

    def seen(self, mark: int, value: float) -> str | None:
        """What is seen of a number under a mark, if it is another text than without."""
        return self.shapes[mark - 1].text(value) if mark <= len(self.shapes) else None


class Weight:
    """How much text the cells hold. Raises UnsoundError when it is too much."""

    def __init__(self) -> None:
        self._all = 0
        self._one = 0

    def begin(self) -> None:
        """A new cell begins."""
        self._one = 0

    def add(self, length: int, times: int = 1) -> None:
        """This many characters more in this cell, which is repeated this many times."""
        self._one += length
        self._all += length * times
        if self._one > LONGEST_TEXT:
            raise UnsoundError(f"a cell has more than {LONGEST_TEXT:,} characters")
        if self._all > MOST_TEXT:
            raise UnsoundError(f"its cells have more than {MOST_TEXT:,} characters in all")


def check(archive: zipfile.ZipFile) -> array[int]:
    """Check that a workbook can be read safely, as far as that does not depend on the sheet.

    Returns the lengths of the texts that its cells may share, for `look_at`. Raises UnsoundError.
    """
    parts = check_sizes(archive)
    if not parts.isdisjoint(("xl/workbook.bin", "xl/sharedstrings.bin")):
        raise UnsoundError("it is an XLSB file")
    return _shared_texts(archive)


def look_at(archive: zipfile.ZipFile, sheet: str, shared: array[int]) -> Sheet:
    """One sheet of an XLSX or XLSM file, after `check`. Raises UnsoundError."""
    part = _part_of(archive, sheet)
    if part is None:
        raise UnsoundError(f"nothing says where the cells of {sheet!r} are")
    found = _CellReader(*_shaped_styles(archive), shared)
    parse(archive, part, found.start, found.text)
    found.end_cell()
    return found.sheet


def _shared_texts(archive: zipfile.ZipFile) -> array[int]:
    """The length of each text that cells may share."""
    lengths = array("I")
    weight = Weight()

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
            _once(ids, attributes.get("name", ""), unprefixed(attributes).get("id", ""))

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
    styles: dict[str, int] = {}
    if decimals := shape_of(_TWO_DECIMALS[1]):
        shapes.append(decimals)
    formats = {_TWO_DECIMALS[0]: len(shapes)}
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
        self._weight = Weight()
        self._row = self._column = 0
        self._style = self._type = self._element = ""
        self._formula = False
        self._value = ""
        """Of a cell with a formula: the beginning of its saved value."""

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        self._element = element
        if element == "c":
            self.end_cell()
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
            self.end_cell()
            self._row = number(attributes.get("r", ""), self._row + 1)
            self._column = 0
        elif element in ("v", "is"):
            self.sheet.filled(self._row, self._column)
            mark = ERROR if self._type == "e" else self._styles.get(self._style)
            if mark:
                self.sheet.mark(self._row, self._column, mark)
            # Excel saves the empty text that a formula gives as a text (str) without characters.
            if self._formula and (element == "is" or self._type == "str"):
                self._value = self._value or "saved"
        elif element == "f":
            self._formula = True

    def end_cell(self) -> None:
        """The cell is over: mark what its formula, if it has one, left behind."""
        if not self._formula:
            return
        if not self._value.strip():
            self.sheet.filled(self._row, self._column)
            self.sheet.mark(self._row, self._column, UNSAVED)
        elif self._type in ("", "n") and _ZERO.fullmatch(self._value.strip()):
            self.sheet.mark(self._row, self._column, SAVED_ZERO)
        self._formula = False
        self._value = ""

    def text(self, data: str) -> None:
        length = len(data)
        if self._element == "v":
            if self._formula:
                self._value = (self._value + data)[:_LONGEST_FORMAT]
            if self._type == "s":
                length = max(length, self._length_shared(data))
        self._weight.add(length)

    def _length_shared(self, written: str) -> int:
        digits = written.strip()
        if not (digits.isascii() and digits.isdigit()) or int(digits[:20]) >= len(self._shared):
            return self._longest
        length = self._shared[int(digits)]
        # The library takes what it cannot read, such as a space, for the first of all texts.
        return length if digits == written else max(length, self._shared[0])


def unprefixed(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes by their names without prefix; only those of the format's main namespace have none."""
    return {name.rpartition(":")[2]: value for name, value in attributes.items()}


def number(written: str, default: int) -> int:
    """A count as the file has it, or something enormous; `default` where there is none."""
    found = _NUMBER.fullmatch(written)
    if found is None:
        return default
    return int(found[1]) if len(found[1]) < len(str(_ENORMOUS)) else _ENORMOUS


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
