#!/bin/bash
# xlsx2csv 0.8.6 (PyPI) on an XLSX sheet of numbers with a unit in their format, written by XlsxWriter 3.3.1.
#
# Expected: 123, or what Excel shows: "123 mm". openpyxl 3.1.5 and python-calamine 0.9.1 give 123.
# Seen: a unit with a d, h, m or s makes the format a date's, in quotes or not, and the date is written without the
# number: 123 and 4711 with `0" mm"` become `0" 05"` and `0" 11"` (their months, counted from 1900), both of them
# `0" stück"` with `0" Stück"`. The exit status is 0. `0" kg"` gives 123. With --ignore-formats date (only said to
# ignore a format for specific data types) the numbers are back, and dates are numbers too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet xlsx2csv==0.8.6 XlsxWriter==3.3.1 openpyxl==3.1.5 python-calamine==0.9.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import csv
import subprocess
import sys

import openpyxl
import python_calamine
import xlsxwriter

book = xlsxwriter.Workbook("t.xlsx")
sheet = book.add_worksheet()
for row, unit in enumerate(("kg", "mm", "Stück")):
    style = book.add_format({"num_format": f'0" {unit}"'})
    sheet.write_number(row, 0, 123, style)
    sheet.write_number(row, 1, 4711, style)
book.close()


def converted(*options):
    command = ["venv/bin/xlsx2csv", "t.xlsx", "t.csv", *options]
    subprocess.run(command, check=True)
    with open("t.csv", encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


seen, ignoring = converted(), converted("--ignore-formats", "date")
print("xlsx2csv:                      ", seen)
print("xlsx2csv --ignore-formats date:", ignoring)
print("openpyxl:                      ", list(openpyxl.load_workbook("t.xlsx").active.values))
print("python-calamine:               ", python_calamine.load_workbook("t.xlsx").get_sheet_by_index(0).to_python())
wanted = [["123", "4711"], ['0" 05"', '0" 11"'], ['0" stück"', '0" stück"']]
sys.exit(seen != wanted or ignoring != [["123", "4711"]] * 3)
PYTHON
