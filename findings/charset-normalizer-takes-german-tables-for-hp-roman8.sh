#!/bin/bash
# charset-normalizer 3.5.3 (the encoding detection of requests) on small CSV tables, as people export them.
#
# Expected: German in Windows-1252 is found as such, or at least as an encoding that reads the same letters;
# Polish in ISO 8859-2 and Russian in KOI8-R as those.
# Seen: German is "hp_roman8" (Größe becomes Gr—Ôe), Polish and Russian are "shift_jis_2004" (half-width
# katakana). The library is made for prose; a table with a handful of foreign letters misleads it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet charset-normalizer==3.5.3
"$folder/venv/bin/python" - <<'PYTHON'
import sys

from charset_normalizer import from_bytes

seen = {}
for text, encoding in (
    ("Größe Übersicht Mädchen", "cp1252"),
    ("żółta łódź kwiaty", "iso8859_2"),
    ("Красное платье", "koi8_r"),
):
    best = from_bytes(f"sku;name;file\na;{text};x.jpg\n".encode(encoding)).best()
    seen[encoding] = best.encoding
    print(f"{encoding}: found {best.encoding}, read as {str(best).splitlines()[1]!r}")
sys.exit(seen != {"cp1252": "hp_roman8", "iso8859_2": "shift_jis_2004", "koi8_r": "shift_jis_2004"})
PYTHON
