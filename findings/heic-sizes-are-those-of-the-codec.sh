#!/bin/bash
# imagesize 2.0.1 (PyPI) and image-size 2.1.0 (npm) on HEIC pictures that pillow-heif 1.1.0 writes with a side that is
# odd or below 64.
#
# The codec knows even sides from 64 on, so the file holds a larger picture and a `clap` box: what of it is the picture.
# Expected: the size that every viewer shows, which pillow-heif reads.
# Seen: imagesize tells the codec's size, 64x64 for a picture of 30x20. image-size takes the denominator of the box's
# width for what is cut off: 63x64, and 999x1502 for 1000x1501. Both list HEIC without a reserve (probe-image-size of
# npm says in its README that it leaves cropping out).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
command -v npm >/dev/null || { echo "skipped: no npm"; exit 0; }
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" image-size@2.1.0
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet imagesize==2.0.1 pillow==11.3.0 pillow-heif==1.1.0
cd "$folder"
cat >size.js <<'JS'
const { width, height } = require("image-size").imageSize(require("fs").readFileSync(process.argv[2]));
console.log(JSON.stringify([width, height]));
JS
venv/bin/python - <<'PYTHON'
import json
import subprocess
import sys

import imagesize
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
seen = []
for size in ((640, 480), (1000, 1501), (301, 200), (30, 20)):
    Image.effect_noise(size, 50).convert("RGB").save("t.heic")
    node = subprocess.run(["node", "size.js", "t.heic"], check=True, capture_output=True, text=True).stdout
    told = imagesize.get("t.heic"), tuple(json.loads(node))
    print(f"pillow-heif {pillow_heif.open_heif('t.heic').size}, imagesize {told[0]}, image-size {told[1]}")
    seen.append(told)
wanted = [
    ((640, 480), (640, 480)),
    ((1000, 1502), (999, 1502)),
    ((302, 200), (301, 200)),
    ((64, 64), (63, 64)),
]
sys.exit(seen != wanted)
PYTHON
