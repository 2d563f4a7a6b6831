#!/bin/bash
# pyakeneo 1.1.0 and akeneo-cli 1.0.10 (PyPI) - deleting a product whose identifier holds a # or a question mark.
#
# Expected: the identifier is encoded in the path (%23, %3F), or refused.
# Seen: it is pasted into the address as it stands; what comes after # is never sent, and what comes after ? is a
# query: deleting "shoe#red" and "shoe?red" deletes the product "shoe", is answered 204, and nobody is told.
# (An identifier may hold all but commas, semicolons and spaces at its ends.) Neither README speaks of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyakeneo==1.1.0 akeneo-cli==1.0.10 requests==2.34.2
"$folder/venv/bin/python" - <<'PYTHON'
import http.server
import json
import sys
import threading
import types
from urllib.parse import unquote, urlsplit

import requests

sys.modules["magic"] = types.ModuleType("magic")  # akeneo-cli imports libmagic, for uploads only
from akeneo_cli.client import AkeneoClient
from pyakeneo.client import Client

left = set()


class Pim(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, json.dumps({"access_token": "a", "refresh_token": "b", "expires_in": 3600}).encode())

    def do_DELETE(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        identifier = unquote(urlsplit(self.path).path.removeprefix("/api/rest/v1/products/"))
        known = identifier in left
        left.discard(identifier)
        self.answer(204 if known else 404, b"")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pim)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
pyakeneo = Client(url, session=requests.Session())
akeneo_cli = AkeneoClient(url, "id", "secret").login("user", "word")
seen = []
for identifier, lost in (("shoe/red", "shoe/red"), ("shoe#red", "shoe"), ("shoe?red", "shoe")):
    for name, delete in (
        ("pyakeneo", pyakeneo.products.delete_item),
        ("akeneo-cli", lambda code: akeneo_cli.delete("products", code)),
    ):
        left |= {"shoe", identifier}
        delete(identifier)
        print(f"{name} deletes {identifier}; left:", *sorted(left))
        seen.append(left == {"shoe", identifier} - {lost})
        left.clear()
sys.exit(not all(seen))
PYTHON
