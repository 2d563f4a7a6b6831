#!/bin/bash
# Caddy 2.6.2-5 (Debian 12) as a reverse proxy, requests 2.34.2 as the client, HTTP/1.1 with chunks.
# Expected: an upstream's chunked answer that breaks off reaches the client broken off (requests raises
# ChunkedEncodingError), as it does without the proxy.
# Seen: Caddy ends it with a proper last chunk: the client gets a whole 200 with half a body, and no error anywhere
# but in Caddy's log. What is JSON fails to parse; what is a file looks complete.
set -euo pipefail
folder=$(mktemp -d); pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$folder"' EXIT
command -v caddy >/dev/null || apt-get install -y -qq caddy=2.6.2-5 >/dev/null 2>&1 || { echo "skipped: caddy 2.6.2-5 cannot be installed here"; exit 0; }
caddy version | grep -q '^2\.6\.2' || { echo "skipped: caddy is $(caddy version)"; exit 0; }
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install -q requests==2.34.2
cd "$folder"
cat >upstream.py <<'P'
import socket, threading
server = socket.create_server(("127.0.0.1", 0)); open("port", "w").write(str(server.getsockname()[1]))
def serve(sock):
    with sock:
        if sock.recv(65536):
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            sock.sendall(b'10\r\n{"items": [1, 2,\r\n')
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
P
python3 upstream.py & pids+=($!)
until [ -s port ]; do sleep 0.1; done
front=$(python3 -c 'import socket; s=socket.create_server(("127.0.0.1",0)); print(s.getsockname()[1])')
printf '{\n admin off\n auto_https off\n}\nhttp://127.0.0.1:%s {\n reverse_proxy 127.0.0.1:%s\n}\n' "$front" "$(cat port)" >Caddyfile
HOME=$folder caddy run --adapter caddyfile --config Caddyfile 2>caddy.log & pids+=($!)
until (echo >"/dev/tcp/127.0.0.1/$front") 2>/dev/null; do sleep 0.1; done
seen=$(venv/bin/python - "$(cat port)" "$front" <<'P'
import sys, requests
for port in sys.argv[1:]:
    try:
        answer = requests.get(f"http://127.0.0.1:{port}/")
        print(answer.status_code, answer.text)
    except requests.exceptions.ChunkedEncodingError:
        print("ChunkedEncodingError")
P
)
echo "straight, then through Caddy:"; echo "$seen"
[ "$seen" = $'ChunkedEncodingError\n200 {"items": [1, 2,' ]
