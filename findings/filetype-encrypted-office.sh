#!/usr/bin/env bash
# filetype 1.2.0 (PyPI) - the type of an office file that is protected with a password.
#
# Expected: a password-protected XLSX is told as Excel or as encrypted, or not at all.
# Seen: the XLSX that msoffcrypto-tool encrypts is `application/vnd.ms-powerpoint`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q filetype==1.2.0 openpyxl==3.1.5 msoffcrypto-tool==5.4.2
"$work/venv/bin/python" - "$work" <<'PY'
import sys
import filetype, openpyxl
from msoffcrypto.format.ooxml import OOXMLFile

work = sys.argv[1]
openpyxl.Workbook().save(f"{work}/plain.xlsx")
with open(f"{work}/plain.xlsx", "rb") as plain, open(f"{work}/locked.xlsx", "wb") as locked:
    OOXMLFile(plain).encrypt("secret", locked)
plain, locked = (filetype.guess(f"{work}/{name}.xlsx") for name in ("plain", "locked"))
print("plain XLSX: ", plain and plain.mime)
print("locked XLSX:", locked and locked.mime)
sys.exit(not (locked and locked.mime == "application/vnd.ms-powerpoint"))
PY
