#!/bin/bash
# odfdo 3.27.3 (PyPI) - an ODS cell with an address, which LibreOffice makes a link as soon as it is typed.
#
# Expected: the cell's text, https://cdn.example.com/shoe.jpg, as python-calamine 0.9.1 and pyexcel-ods3 0.6.1 give it.
# Seen: get_value() and to_csv() give "[https://cdn.example.com/shoe.jpg](https://cdn.example.com/shoe.jpg)"; of a link
# with words the words and the address: no downloader takes either. A cell with the same text and no link is as it was.
# The documentation of get_value() speaks of "the Python-typed value" and of text from the paragraphs, not of Markdown.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet odfdo==3.27.3 odfpy==1.4.1 python-calamine==0.9.1 pyexcel-ods3==0.6.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import odfdo
import python_calamine
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import A, P
from pyexcel_ods3 import get_data

url = "https://cdn.example.com/shoe.jpg"
document = OpenDocumentSpreadsheet()
table = Table(name="S")
document.spreadsheet.addElement(table)
row = TableRow()
table.addElement(row)
for content in (A(href=url, text=url), A(href=url, text="shoe.jpg"), url):
    cell = TableCell(valuetype="string")
    paragraph = P()
    paragraph.addText(content) if isinstance(content, str) else paragraph.addElement(content)
    cell.addElement(paragraph)
    row.addElement(cell)
document.save("t.ods")
read = odfdo.Document("t.ods").body.tables[0]
seen = [read.get_value((column, 0)) for column in range(3)]
print("odfdo:          ", *seen)
print("odfdo, to_csv():", read.to_csv().strip())
print("python-calamine:", *python_calamine.load_workbook("t.ods").get_sheet_by_index(0).to_python()[0])
print("pyexcel-ods3:   ", *get_data("t.ods")["S"][0])
sys.exit(seen != [f"[{url}]({url})", f"[shoe.jpg]({url})", url] or f"[{url}]({url})" not in read.to_csv())
PYTHON
