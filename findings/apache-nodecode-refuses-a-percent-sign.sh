#!/bin/bash
# Apache httpd 2.4.71 (Debian 12: apache2 2.4.71-1~deb12u1) with mod_proxy_http, requests 2.34.2 as the client.
# Expected: with `AllowEncodedSlashes NoDecode` a path such as /products/50%25 (the code "50%") is passed on, as it is
# without that directive: it is about slashes.
# Seen: `%2F` is passed on as wished, but `%25` is now answered 400 by Apache itself. ProxyPass with `nocanon` passes
# both on. Whoever switched NoDecode on for codes with slashes lost those with a percent sign.
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
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", str(len(self.path))); self.end_headers(); self.wfile.write(self.path.encode())
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open("port", "w").write(str(server.server_port)); server.serve_forever()
P
python3 upstream.py & pids+=($!)
until [ -s port ]; do sleep 0.1; done
ask() {
  rm -rf run; mkdir run
  front=$(python3 -c 'import socket; s=socket.create_server(("127.0.0.1",0)); print(s.getsockname()[1])')
  { echo "ServerRoot $folder"; echo "ServerName localhost"; echo "PidFile $folder/run/pid"; echo "ErrorLog $folder/error.log"; echo "Listen 127.0.0.1:$front"
    for name in mpm_event proxy proxy_http authz_core; do echo "LoadModule ${name}_module /usr/lib/apache2/modules/mod_$name.so"; done
    echo "$1"; echo "ProxyPass / http://127.0.0.1:$(cat port)/ $2"; } >apache.conf
  apache2 -DFOREGROUND -f "$folder/apache.conf" & local pid=$!; pids+=("$pid")
  until (echo >"/dev/tcp/127.0.0.1/$front") 2>/dev/null; do sleep 0.1; done
  venv/bin/python -c "
import requests
print([requests.get('http://127.0.0.1:$front' + path).status_code for path in ('/products/a%2Fb', '/products/50%25')])"
  kill "$pid"
}
plain=$(ask "" ""); nodecode=$(ask "AllowEncodedSlashes NoDecode" ""); nocanon=$(ask "AllowEncodedSlashes NoDecode" nocanon)
echo "statuses of /products/a%2Fb and /products/50%25"
echo "plain:                 $plain"; echo "NoDecode:              $nodecode"; echo "NoDecode and nocanon:  $nocanon"
[ "$plain" = "[404, 200]" ] && [ "$nodecode" = "[200, 400]" ] && [ "$nocanon" = "[200, 200]" ]
