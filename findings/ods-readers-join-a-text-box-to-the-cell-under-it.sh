#!/bin/bash
# Four readers of ODS on one sheet written by odfpy 1.4.1: a code with a text box over its cell and a comment.
#
# Expected: the cell's text is "A-1" for all of them.
# Seen: python-calamine 0.9.1 gives "drawn words\nA-1", pandas 3.1.1 (engine odf) "drawn wordsA-1";
# pyexcel-ods3 0.6.1 and odfdo 3.27.3 give "A-1".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet odfpy==1.4.1 python-calamine==0.9.1 pandas==3.1.1 pyexcel-ods3==0.6.1 odfdo==3.27.3
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import odfdo
import pandas
import python_calamine
from odf.draw import Frame, TextBox
from odf.office import Annotation
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from pyexcel_ods3 import get_data

document = OpenDocumentSpreadsheet()
table = Table(name="S")
document.spreadsheet.addElement(table)
row = TableRow()
table.addElement(row)
cell = TableCell(valuetype="string")
row.addElement(cell)
frame, box, comment = Frame(), TextBox(), Annotation()
box.addElement(P(text="drawn words"))
frame.addElement(box)
comment.addElement(P(text="a comment"))
for part in (frame, P(text="A-1"), comment):
    cell.addElement(part)
document.save("t.ods")

seen = {
    "python-calamine": python_calamine.CalamineWorkbook.from_path("t.ods").get_sheet_by_index(0).to_python()[0][0],
    "pandas": pandas.read_excel("t.ods", engine="odf", header=None).iloc[0, 0],
    "pyexcel-ods3": get_data("t.ods")["S"][0][0],
    "odfdo": odfdo.Document("t.ods").body.tables[0].get_value((0, 0)),
}
for name, text in seen.items():
    print(f"{name}: {text!r}")
sys.exit(list(seen.values()) != ["drawn words\nA-1", "drawn wordsA-1", "A-1", "A-1"])
PYTHON
