#!/bin/bash
# node-akeneo-api 1.6.19 (npm) - get() of what is not there, of a busy PIM, and of one family.
#
# Expected: a promise that is rejected or resolved; the README wraps get() in try/catch, "handle any errors".
# Seen: for an answer that is neither a list nor has an `identifier` the library calls process.exit(99) and says
# why on its debug log only. So a 404 or a 503 cannot be caught, nor can one family, attribute or product model be
# read (they have a `code`): the caller's program is gone, in the middle of an upload for instance.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
command -v npm >/dev/null || { echo "skipped: no npm"; exit 0; }
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" node-akeneo-api@1.6.19
cd "$folder"
cat >ask.js <<'JS'
const http = require("http");
const answers = {
  "/api/oauth/v1/token": [200, { access_token: "a", refresh_token: "b", expires_in: 3600 }],
  "/api/rest/v1/products/shoe_1": [200, { identifier: "shoe_1" }],
  "/api/rest/v1/families/shoes": [200, { code: "shoes" }],
  "/api/rest/v1/products/gone": [404, { code: 404, message: "Resource not found" }],
  "/api/rest/v1/products/busy": [503, { code: 503, message: "Service unavailable" }],
};
const pim = http.createServer((request, response) => {
  const [status, body] = answers[request.url.split("?")[0]];
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
});
pim.listen(0, "127.0.0.1", async () => {
  const akeneo = require("node-akeneo-api");
  akeneo.setBaseUrl(`http://127.0.0.1:${pim.address().port}`);
  try {
    await akeneo.get(process.argv[2]);
  } catch (error) {
    console.error("caught");
  }
  console.error("still here");
  process.exit(0);
});
JS
seen=""
for path in products/shoe_1 families/shoes products/gone products/busy; do
  status=0
  said=$(node ask.js "/api/rest/v1/$path" 2>&1 >/dev/null) || status=$?
  echo "$path: exit status $status, the program: ${said:-(gone)}"
  seen+="$status "
done
[ "$seen" = "0 99 99 99 " ]
