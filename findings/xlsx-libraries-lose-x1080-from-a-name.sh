#!/bin/bash
# exceljs 4.4.0, xlsx 0.18.5 (SheetJS, npm) and xlsx2csv 0.8.6 (PyPI) - a picture's name with a size in an XLSX sheet.
#
# XLSX writes a character as _xHHHH_, and an underscore that would begin such a thing as _x005F_ (ECMA-376, ST_Xstring).
# Expected: banner_1920_x1080_de.jpg comes back as it was written, above all when one library writes and reads it.
# Seen: exceljs and SheetJS write the name as it is and read _x1080_ as a character: their own file gives
# "banner_1920" + U+1080 + "de.jpg" with exceljs, U+FFFD for it with SheetJS. xlsx2csv does not read the form at all:
# what XlsxWriter 3.3.1 writes as it should, comes out as banner_1920_x005F_x1080_de.jpg. The documentation of none
# of them speaks of it; exceljs's pull request 584, which brought the reading, says that the writing is still to do.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
command -v npm >/dev/null || { echo "skipped: no npm"; exit 0; }
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" exceljs@4.4.0 xlsx@0.18.5
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet xlsx2csv==0.8.6 XlsxWriter==3.3.1 python-calamine==0.9.1
cd "$folder"
cat >round.js <<'JS'
const ExcelJS = require("exceljs");
const SheetJS = require("xlsx");
const name = process.argv[2];
(async () => {
  const written = new ExcelJS.Workbook();
  written.addWorksheet("S").addRow([name]);
  await written.xlsx.writeFile("exceljs.xlsx");
  const book = SheetJS.utils.book_new();
  SheetJS.utils.book_append_sheet(book, SheetJS.utils.aoa_to_sheet([[name]]), "S");
  SheetJS.writeFile(book, "sheetjs.xlsx");
  const read = new ExcelJS.Workbook();
  await read.xlsx.readFile("exceljs.xlsx");
  const again = SheetJS.readFile("sheetjs.xlsx");
  console.log(JSON.stringify([read.worksheets[0].getCell("A1").value, again.Sheets.S.A1.v]));
})();
JS
venv/bin/python - <<'PYTHON'
import json
import subprocess
import sys

import python_calamine
import xlsxwriter

name = "banner_1920_x1080_de.jpg"
book = xlsxwriter.Workbook("xlsxwriter.xlsx")
book.add_worksheet().write_string(0, 0, name)
book.close()


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


exceljs, sheetjs = json.loads(output("node", "round.js", name))
seen = {"exceljs": exceljs, "SheetJS": sheetjs, "XlsxWriter, xlsx2csv": output("venv/bin/xlsx2csv", "xlsxwriter.xlsx")}
for libraries, text in seen.items():
    print(f"{libraries}: {text!a}")
calamine = python_calamine.load_workbook("xlsxwriter.xlsx").get_sheet_by_index(0).to_python()[0][0]
print(f"XlsxWriter, python-calamine: {calamine!a}")
wanted = ["banner_1920\u1080de.jpg", "banner_1920\ufffdde.jpg", "banner_1920_x005F_x1080_de.jpg"]
sys.exit(list(seen.values()) != wanted or calamine != name)
PYTHON
