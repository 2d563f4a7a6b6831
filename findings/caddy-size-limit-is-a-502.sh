#!/bin/bash
# Caddy 2.6.2-5 (Debian 12) as a reverse proxy, with requests 2.34.2 as the client.
# Expected: a body over `request_body { max_size }` is answered 413, as nginx and Caddy's own file server do.
# Seen: 502 with an empty body. The limit strikes while the body is copied to the upstream, so Caddy takes it for an
# upstream's failure; the upstream gets a request whose body breaks off. A client that retries 502 retries for ever.
set -euo pipefail
folder=$(mktemp -d); pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$folder"' EXIT
command -v caddy >/dev/null || apt-get install -y -qq caddy=2.6.2-5 >/dev/null 2>&1 || { echo "skipped: caddy 2.6.2-5 cannot be installed here"; exit 0; }
caddy version | grep -q '^2\.6\.2' || { echo "skipped: caddy is $(caddy version)"; exit 0; }
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install -q requests==2.34.2
cd "$folder"
cat >upstream.py <<'P'
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        wanted = int(self.headers["Content-Length"]); got = len(self.rfile.read(wanted))
        print(f"upstream: announced {wanted}, got {got}", flush=True)
        if got == wanted:
            self.send_response(201); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open("port", "w").write(str(server.server_port)); server.serve_forever()
P
python3 upstream.py & pids+=($!)
until [ -s port ]; do sleep 0.1; done
front=$(python3 -c 'import socket; s=socket.create_server(("127.0.0.1",0)); print(s.getsockname()[1])')
printf '{\n admin off\n auto_https off\n}\nhttp://127.0.0.1:%s {\n request_body {\n  max_size 1MB\n }\n reverse_proxy 127.0.0.1:%s\n}\n' "$front" "$(cat port)" >Caddyfile
HOME=$folder caddy run --adapter caddyfile --config Caddyfile 2>caddy.log & pids+=($!)
until (echo >"/dev/tcp/127.0.0.1/$front") 2>/dev/null; do sleep 0.1; done
seen=$(venv/bin/python - "$front" <<'P'
import sys, requests
for size in (500_000, 3_000_000):
    try:
        answer = requests.post(f"http://127.0.0.1:{sys.argv[1]}/", data=b"x" * size)
        print(size, answer.status_code, len(answer.content))
    except requests.ConnectionError:
        print(size, "cut", 0)
P
)
echo "size, status, bytes of the answer:"; echo "$seen"
grep -q '^500000 201 0$' <<<"$seen" && grep -Eq '^3000000 (502|cut) 0$' <<<"$seen"
