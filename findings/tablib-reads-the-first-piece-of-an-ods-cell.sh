#!/bin/bash
# tablib 3.10.0 (PyPI) - text cells of an ODS sheet, as LibreOffice writes them (here by odfpy 1.4.1).
#
# Expected: the cell's text, as python-calamine 0.9.1 and pyexcel-ods3 0.6.1 give it.
# Seen: what the cell's first XML node begins with. A name with two spaces in a row ends at the second, one with a bold
# word ends before it, of two lines the second is missing, and a cell with a comment is the comment's author.
# The documentation of the format says nothing of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tablib==3.10.0 odfpy==1.4.1 python-calamine==0.9.1 pyexcel-ods3==0.6.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import python_calamine
import tablib
from odf.dc import Creator
from odf.office import Annotation
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P, S, Span
from pyexcel_ods3 import get_data

document = OpenDocumentSpreadsheet()
table = Table(name="S")
document.spreadsheet.addElement(table)


def row(*cells):
    line = TableRow()
    for parts in cells:
        cell = TableCell(valuetype="string")
        for part in parts:
            cell.addElement(part)
        line.addElement(cell)
    table.addElement(line)


def text(*parts):
    paragraph = P()
    for part in parts:
        paragraph.addText(part) if isinstance(part, str) else paragraph.addElement(part)
    return paragraph


comment = Annotation()
comment.addElement(Creator(text="A. Editor"))
comment.addElement(P(text="check this"))
row(*([text(name)] for name in ("spaces", "bold", "lines", "comment")))
row(
    [text("shoe ", S(), "red.jpg")],
    [text("shoe-", Span(text="red"), ".jpg")],
    [text("a.jpg"), text("b.jpg")],
    [comment, text("shoe.jpg")],
)
document.save("t.ods")
with open("t.ods", "rb") as file:
    seen = tablib.Dataset().load(file, "ods")[0]
print("tablib:         ", *map(repr, seen))
print("python-calamine:", *map(repr, python_calamine.load_workbook("t.ods").get_sheet_by_index(0).to_python()[1]))
print("pyexcel-ods3:   ", *map(repr, get_data("t.ods")["S"][1]))
sys.exit(seen != ("shoe ", "shoe-", "a.jpg", "A. Editor"))
PYTHON
