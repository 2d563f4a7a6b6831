#!/bin/bash
# Apache httpd 2.4.71 (Debian 12: apache2 2.4.71-1~deb12u1) with mod_proxy_http, requests 2.34.2 as the client.
# Expected: `LimitRequestBody 1000000` answers 413 to a body of 3 MB, for proxied locations as for any other.
# Seen: the body goes through to the upstream whole and 201 comes back. The limit is kept by the filter that handlers
# use to read a body; mod_proxy passes it on without. The size has to be limited in the application behind it.
set -euo pipefail
folder=$(mktemp -d); pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$folder"' EXIT
export PATH=$PATH:/usr/sbin
command -v apache2 >/dev/null || apt-get install -y -qq 'apache2=2.4.71-1~deb12u1' >/dev/null 2>&1 || { echo "skipped: apache2 2.4.71 cannot be installed here"; exit 0; }
apache2 -v | grep -q 'Apache/2\.4\.' || { echo "skipped: $(apache2 -v | head -1)"; exit 0; }
apache2 -v | head -1
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install -q requests==2.34.2
cd "$folder"
cat >upstream.py <<'P'
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        got = len(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(201); self.send_header("Content-Length", "0"); self.send_header("X-Got", str(got)); self.end_headers()
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open("port", "w").write(str(server.server_port)); server.serve_forever()
P
python3 upstream.py & pids+=($!)
until [ -s port ]; do sleep 0.1; done
front=$(python3 -c 'import socket; s=socket.create_server(("127.0.0.1",0)); print(s.getsockname()[1])')
{ echo "ServerRoot $folder"; echo "ServerName localhost"; echo "PidFile $folder/pid"; echo "ErrorLog $folder/error.log"; echo "Listen 127.0.0.1:$front"
  for name in mpm_event proxy proxy_http authz_core; do echo "LoadModule ${name}_module /usr/lib/apache2/modules/mod_$name.so"; done
  echo "LimitRequestBody 1000000"; echo "ProxyPass / http://127.0.0.1:$(cat port)/"; echo "<Location />"; echo "LimitRequestBody 1000000"; echo "</Location>"; } >apache.conf
apache2 -DFOREGROUND -f "$folder/apache.conf" & pids+=($!)
until (echo >"/dev/tcp/127.0.0.1/$front") 2>/dev/null; do sleep 0.1; done
seen=$(venv/bin/python -c "
import requests
answer = requests.post('http://127.0.0.1:$front/', data=b'x' * 3_000_000)
print(answer.status_code, answer.headers.get('X-Got'))")
echo "status and bytes that the upstream got of 3,000,000 where 1,000,000 are allowed: $seen"
[ "$seen" = "201 3000000" ]
