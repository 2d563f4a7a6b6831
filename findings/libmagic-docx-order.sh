#!/usr/bin/env bash
# python-magic 0.4.27 with pylibmagic 0.5.0 (libmagic 5.41), python-docx 1.2.0, python-pptx 1.0.2 (PyPI) - the type of
# office files that these libraries write.
#
# Expected: a DOCX or PPTX is what it is, whoever wrote it.
# Seen: application/octet-stream, although any other ZIP is application/zip: libmagic 5.41 looks at the names of the
# first four members, and these libraries write `word/` or `ppt/` later.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q python-magic==0.4.27 pylibmagic==0.5.0 python-docx==1.2.0 python-pptx==1.0.2
"$work/venv/bin/python" - "$work" <<'PY'
import sys
import pylibmagic  # brings its own libmagic; must come first
import magic
import docx, pptx

work = sys.argv[1]
docx.Document().save(f"{work}/a.docx")
pptx.Presentation().save(f"{work}/a.pptx")
print("libmagic", magic.version())
found = {name: magic.from_file(f"{work}/{name}", mime=True) for name in ("a.docx", "a.pptx")}
for name, mime in found.items():
    print(name, mime)
sys.exit(found["a.pptx"] != "application/octet-stream")
PY
