#!/usr/bin/env bash
# puremagic 1.30 (PyPI) - the MIME type of a HEIC picture.
#
# Expected: a file whose first box says `ftypheic` is image/heic, as libmagic and filetype say.
# Seen: puremagic.from_file(..., mime=True) says video/mp4.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q puremagic==1.30 pillow==11.3.0 pillow-heif==1.1.0
"$work/venv/bin/python" - "$work" <<'PY'
import sys
import pillow_heif, puremagic
from PIL import Image

path = f"{sys.argv[1]}/picture.heic"
pillow_heif.register_heif_opener()
Image.effect_noise((64, 64), 50).convert("RGB").save(path)
print("first bytes:", open(path, "rb").read(12))
found = puremagic.from_file(path, mime=True)
print("puremagic:  ", found)
sys.exit(found != "video/mp4")
PY
