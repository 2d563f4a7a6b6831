#!/bin/bash
# An ODS cell holds its value (123) and, in text:p, the text that is seen (00123, as LibreOffice writes it).
#
# Expected: pandas 3.1.1 read_excel(engine="odf", dtype=str), which is asked for text, gives "00123".
# Seen: "123". dtype=str is applied to the number; the text that stands in the file is not looked at.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet odfpy==1.4.1 pandas==3.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import pandas
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

document = OpenDocumentSpreadsheet()
table = Table(name="S")
document.spreadsheet.addElement(table)
row = TableRow()
table.addElement(row)
cell = TableCell(valuetype="float", value="123")
cell.addElement(P(text="00123"))
row.addElement(cell)
document.save("t.ods")
seen = pandas.read_excel("t.ods", engine="odf", header=None, dtype=str).iloc[0, 0]
print(f"in the file: 00123; read as text: {seen}")
sys.exit(seen != "123")
PYTHON
