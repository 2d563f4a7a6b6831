"""pyakeneo reads assets and the products that hold them. Argument: what `sandbox --json` prints."""

import json
import sys

from pyakeneo.client import Client

told = json.loads(sys.argv[1])
client = Client(told["url"], told["client_id"], told["client_secret"], told["username"], told["password"])
pool = client.asset_families.assets("photos")
print(
    json.dumps(
        {
            "assets": {asset["code"]: asset["values"] for asset in pool.fetch_list()},
            "one": pool.fetch_item("a_3")["values"]["label"][0]["data"],
            "gallery": client.products.fetch_item("p-4")["values"]["gallery"][0]["data"],
            "looks": client.product_models.fetch_item("m-1")["values"]["looks"][0]["data"],
        }
    )
)
