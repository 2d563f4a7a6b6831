#!/bin/bash
# pyakeneo 1.1.0 (PyPI) - a list of products whose third page is answered with an error.
#
# Expected: the loop raises, as every other call of pyakeneo does for an error, the list's first page included.
# Seen: the loop ends as if that had been all: two pages of three for a 401 (a token that ended), 429 or 500.
# Who compares the PIM with the list takes the rest for missing. The documentation of Result says only that the next
# page is loaded once the page is used up.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyakeneo==1.1.0 requests==2.34.2
"$folder/venv/bin/python" - <<'PYTHON'
import http.server
import json
import sys
import threading

import requests
from pyakeneo.client import Client


class Pim(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        number = int(self.path.rpartition("page=")[2]) if "page=" in self.path else 1
        here = f"http://127.0.0.1:{self.server.server_port}/api/rest/v1/products"
        links = {name: {"href": f"{here}?page={page}"} for name, page in (("self", number), ("first", 1))}
        if number < 3:
            links["next"] = {"href": f"{here}?page={number + 1}"}
        items = [{"identifier": f"shoe_{number}{letter}"} for letter in "ab"]
        status = self.third if number == 3 else 200
        page = {"_links": links, "_embedded": {"items": items}}
        body = json.dumps(page if status == 200 else {"code": status}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pim)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = Client(f"http://127.0.0.1:{server.server_port}", session=requests.Session())
seen = []
for Pim.third in (200, 401, 429, 500):
    got = [product["identifier"] for product in client.products.fetch_list()]
    print(f"third page {Pim.third}:", *got)
    seen.append(len(got))
sys.exit(seen != [6, 4, 4, 4])
PYTHON
