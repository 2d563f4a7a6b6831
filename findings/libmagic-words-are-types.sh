#!/usr/bin/env bash
# python-magic 0.4.27 with pylibmagic 0.5.0 (libmagic 5.41, PyPI) - the type of plain product texts.
#
# Expected: a text that a person reads is text/plain; a table is text/csv or text/plain.
# Seen: single words make it something else: a product table that begins with ID;P is a SYLK sheet, one that begins
# with Article a news article, `P3 Name` a picture, and a line `struct ...` in the middle C. A PIM refuses these.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q python-magic==0.4.27 pylibmagic==0.5.0
"$work/venv/bin/python" - <<'PY'
import sys
import pylibmagic  # brings its own libmagic; must come first
import magic

texts = {
    "ID;Product;Price\n1;a;2\n": "application/x-sylk",
    "Article;Price\n1;2\n": "message/news",
    "P3 Name;x\n1 2;3\n": "image/x-portable-pixmap",
    "Care instructions\nunion flange 1/2 inch\nKeep dry\n": "text/x-c",
    "Notes\nfrom China import duty 5 percent\n": "text/x-script.python",
    "# Shelf\n\n<table>\n": "text/html",
}
print("libmagic", magic.version())
wrong = 0
for text, expected in texts.items():
    found = magic.from_buffer(text, mime=True)
    print(f"{text.splitlines()[0]!r:25} {found}")
    wrong += found != expected
sys.exit(wrong > 0)
PY
