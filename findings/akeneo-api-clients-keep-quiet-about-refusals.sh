#!/bin/bash
# akeneo-api-client 1.2.1 and akeneo-api-client-globus 0.0.3 (PyPI) - a PIM that refuses what is written.
#
# Expected: a refusal raises; the first one's README puts `except AkeneoApiError` around every call.
# Seen: akeneo-api-client catches its own error, looks whether it is a 401, and otherwise drops it: create(), upsert()
# and delete() return None for 403, 422 and 500, and nothing is logged. In the other one set_products() asks
# `if not response`, which with requests is true of every refusal, and returns None: what it returns for success, too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet akeneo-api-client==1.2.1 akeneo-api-client-globus==0.0.3 requests==2.34.2
"$folder/venv/bin/python" - <<'PYTHON'
import http.server
import json
import sys
import threading

from akeneo_api_client.client_builder import ClientBuilder
from akeneo_api_client_globus.akeneo_api_client import AkeneoApiClient


class Pim(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = {"access_token": "a", "refresh_token": "b", "expires_in": 3600}
        asked_for_token = self.path.startswith("/api/oauth/")
        body = json.dumps(token if asked_for_token else {"code": self.status, "message": "Refused."}).encode()
        self.send_response(200 if asked_for_token else self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pim)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
first = ClientBuilder(url).build_authenticated_by_password("user", "word", "id", "secret")
second = AkeneoApiClient(base_url=url, username="user", password="word", client_id="id", secret="secret")
second.login_with_password()
seen = []
for Pim.status in (403, 422, 500):
    answers = (
        first.product_model_api.create({"code": "shoe"}),
        first.product_model_api.upsert("shoe", {"family": "shoes"}),
        first.product_model_api.delete("shoe"),
        second.set_products([{"identifier": "shoe_1"}]),
    )
    print(Pim.status, "create, upsert, delete, set_products:", answers)
    seen += answers
sys.exit(any(answer is not None for answer in seen))
PYTHON
