"""ODS, read from its own XML while it is unpacked, in memory of one row.

python-calamine, which reads XLSX here, joins the words of a text box drawn over a cell to the cell's own,
takes indentation for text (Gnumeric indents) and ignores number formats, all of which make wrong product
codes; odfpy and odfdo hold the document as a tree of objects, a gigabyte for a large sheet. The format itself
is kind to a reader: each cell has its value and, in `text:p`, what is seen of it.

Source: OpenDocument 1.3 part 3, 6.1.2 (white space), 9.1 (tables), 19.3 (values of cells).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping

from ..header import Lines
from .cells import SavedZero, Unread, text_of
from .parts import UnsoundError, parse, parsing
from .xlsx import MOST_CELLS, Weight, number, unprefixed

_SPACE = re.compile(r"[ \t\r\n]+")
_TIME = re.compile(r"PT([0-9]+)H([0-9]+)M([0-9]+)(?:[.,][0-9]+)?S")
_SEEN = re.compile(r"[^0-9.,]*([0-9]+(?:\.[0-9]+)?)[^0-9.,]*")
"""What is seen of a number that has no separators between its thousands, which depend on the language."""
_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|NUM!|NULL!|DIV/0!)|Err:[0-9]+")
_A_SPACE, _A_TAB, _A_BREAK = "\x01", "\x02", "\x03"
"""What elements say is white space, which stays as it is; no XML holds these characters."""
_APART = frozenset(
    (
        *("annotation", "note", "ruby-text", "frame", "custom-shape", "rect", "line", "polyline", "polygon"),
        *("regular-polygon", "path", "circle", "ellipse", "g", "connector", "caption", "measure", "control"),
    )
)
"""Comments, footnotes and shapes within a paragraph: their text is not the cell's."""
_FILLED = ("value", "string-value", "date-value", "time-value", "boolean-value")
_NUMBERS = frozenset(("float", "percentage", "currency"))


class SheetOfOds:
    """A sheet's name, and whether it is shown."""

    def __init__(self, name: str, style: str) -> None:
        self.name = name
        self.style = style
        self.visible = True


def sheets(archive: zipfile.ZipFile) -> list[SheetOfOds]:
    """The sheets in their order. Raises UnsoundError."""
    _check_password(archive)
    found: list[SheetOfOds] = []
    hidden: set[str] = set()
    style = ""
    depth = 0

    def start(element: str, attributes: Mapping[str, str]) -> None:
        nonlocal style, depth
        if element == "style":
            style = unprefixed(attributes).get("name", "")
        elif element == "table-properties" and unprefixed(attributes).get("display") == "false":
            hidden.add(style)
        elif element == "table":
            depth += 1
            if depth == 1:
                own = unprefixed(attributes)
                found.append(SheetOfOds(own.get("name", ""), own.get("style-name", "")))
                if len(found) > MOST_CELLS:
                    raise UnsoundError(f"it has more than {MOST_CELLS:,} sheets")

    def end(element: str) -> None:
        nonlocal depth
        depth -= element.rpartition(":")[2] == "table"

    for _ in parsing(archive, "content.xml", start, end=end):
        pass
    for sheet in found:
        sheet.visible = sheet.style not in hidden
    return found


def _check_password(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    locked = "encrypted-package" in names

    def start(element: str, attributes: Mapping[str, str]) -> None:
        nonlocal locked
        locked = locked or element == "encryption-data"

    if "META-INF/manifest.xml" in names:
        parse(archive, "META-INF/manifest.xml", start)
    if locked:
        raise UnsoundError("it is protected by a password")


def lines(archive: zipfile.ZipFile, at: int) -> Lines:
    """The rows of the sheet at this place, from 0, that are not blank. Raises UnsoundError."""
    reader = _Reader(at)
    for _ in parsing(archive, "content.xml", reader.start, reader.text, reader.end):
        yield from reader.take()


class _Reader:
    """Follows the cells of one sheet. A cell, and a row, may be repeated; both are bounded."""

    def __init__(self, at: int) -> None:
        self._at = at
        self._tables = 0
        self._inside: list[str] = []
        """The tables, rows and cells that are open, and whatever in a cell is not a part of its text."""
        self._row = 0
        self._rows = self._columns = 1
        self._column = 0
        self._cells: list[str] = []
        self._held = 0
        self._weight = Weight()
        self._own: dict[str, str] = {}
        self._paragraphs: list[str] = []
        self._open = False
        """Within a paragraph."""
        self._done: list[tuple[int, int, list[str]]] = []

    def take(self) -> Lines:
        """The rows that are complete and not blank, and have not been taken yet."""
        done, self._done = self._done, []
        for first, times, cells in done:
            for n in range(times):
                yield first + n, list(cells)

    @property
    def _reading(self) -> bool:
        return self._tables == self._at + 1

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        inside = self._inside
        if element == "table" and not inside:
            self._tables += 1
            inside.append(element)
        elif not inside or not self._reading:
            if inside and element == "table":
                inside.append(element)
        elif inside[-1] == "table":
            if element == "table-row":
                inside.append(element)
                self._rows = number(unprefixed(attributes).get("number-rows-repeated", ""), 1)
                self._cells, self._column = [], 0
            elif element in ("table", "shapes", "forms"):
                inside.append(element)
        elif inside[-1] == "table-row":
            if element in ("table-cell", "covered-table-cell"):
                inside.append(element)
                self._begin_cell(unprefixed(attributes))
        elif inside[-1] in ("table-cell", "covered-table-cell"):
            self._in_cell(element, attributes)
        elif element == inside[-1]:
            inside.append(element)

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._own = attributes
        self._columns = number(attributes.get("number-columns-repeated", ""), 1)
        self._paragraphs = []
        self._open = False
        self._weight.begin()
        self._weight.add(sum(len(attributes[name]) for name in _FILLED if name in attributes), self._times)

    def _in_cell(self, element: str, attributes: Mapping[str, str]) -> None:
        if element in ("p", "h"):
            self._paragraphs.append("")
            self._open = True
        elif element == "s" and self._open:
            count = number(unprefixed(attributes).get("c", ""), 1)
            self._check_size()
            self._weight.add(count, self._times)
            self._paragraphs[-1] += _A_SPACE * count
        elif element == "tab" and self._open:
            self._paragraphs[-1] += _A_TAB
        elif element == "line-break" and self._open:
            self._paragraphs[-1] += _A_BREAK
        elif not self._open or element in _APART:
            self._inside.append(element)

    @property
    def _times(self) -> int:
        return self._rows * self._columns

    def text(self, data: str) -> None:
        if self._open and self._inside and self._inside[-1].endswith("cell") and self._reading:
            self._check_size()
            self._weight.add(len(data), self._times)
            self._paragraphs[-1] += data

    def end(self, element: str) -> None:
        element = element.rpartition(":")[2]
        if self._inside and self._inside[-1] == element:
            self._inside.pop()
            if not self._reading:
                return
            if element in ("table-cell", "covered-table-cell"):
                self._end_cell()
            elif element == "table-row":
                self._end_row()
        elif element in ("p", "h") and self._inside and self._inside[-1].endswith("cell"):
            self._open = False

    def _check_size(self) -> None:
        """The cell at hand has something in it: is the sheet still within its limits?"""
        width = self._column + self._columns
        if self._held + width * self._rows > MOST_CELLS:
            raise UnsoundError(
                f"the sheet reaches to row {self._row + self._rows:,} and column {width:,}; "
                f"{MOST_CELLS:,} cells are the most that can be read"
            )

    def _end_cell(self) -> None:
        first = self._column + 1
        text = self._seen(first)
        if text:
            self._check_size()
        self._column += self._columns
        if not text:
            return
        self._cells += [""] * (first - 1 - len(self._cells))
        self._cells += [text] * self._columns

    def _seen(self, column: int) -> str:
        """The cell's text, or why there is none."""
        shown = "\n".join(map(_spaced, self._paragraphs))
        text = _value(self._own, shown)
        if "formula" in self._own:
            row = self._row + 1
            if not text and self._is_unsaved():
                return Unread.formula(column, row)
            if _ERROR.fullmatch(shown):
                return Unread.error(column, row)
            if text == "0" and self._own.get("value-type") in _NUMBERS:
                return SavedZero.at(column, row, text)
        return text

    def _is_unsaved(self) -> bool:
        """Is there no value of the formula? An empty one is a paragraph, or an attribute, without text."""
        if "value-type" not in self._own:
            return not self._paragraphs
        return not any(name in self._own for name in _FILLED)

    def _end_row(self) -> None:
        if any(cell.strip() for cell in self._cells):
            self._held += len(self._cells) * self._rows
            self._done.append((self._row + 1, self._rows, self._cells))
        self._row += self._rows


def _spaced(paragraph: str) -> str:
    """A paragraph's text: the file's own white space is one space, and none at the ends."""
    text = _SPACE.sub(" ", paragraph).strip(" ")
    return text.replace(_A_SPACE, " ").replace(_A_TAB, "\t").replace(_A_BREAK, "\n")


def _value(own: Mapping[str, str], shown: str) -> str:
    """A cell's value as a person sees it, whole numbers without separators and dates as ISO 8601."""
    kind = own.get("value-type", "")
    if kind in _NUMBERS or (not kind and "value" in own):
        return _number_as_text(own.get("value", ""), shown if kind == "float" else "") or shown
    if kind == "time":
        time = _TIME.fullmatch(own.get("time-value", ""))
        return ":".join(part.zfill(2) for part in time.groups()) if time else shown
    if kind == "date":
        return own.get("date-value", "").removesuffix("T00:00:00").replace("T", " ") or shown
    return own.get("boolean-value", "") or shown or own.get("string-value", "")


def _number_as_text(value: str, shown: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return shown
    seen = _SEEN.fullmatch(shown)
    if seen and float(seen[1]) == abs(number):
        return shown
    return text_of(number) if abs(number) < float("inf") else shown
