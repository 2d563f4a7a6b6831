"""A round of pyakeneo: list, get, PATCH (it cannot upload). Argument: what `sandbox --json` prints."""

import json
import sys

from pyakeneo.client import Client

told = json.loads(sys.argv[1])
client = Client(told["url"], told["client_id"], told["client_secret"], told["username"], told["password"])
listed = [product["identifier"] for product in client.products.fetch_list({"limit": 5})]
name = {"name": [{"locale": None, "scope": None, "data": "by pyakeneo"}]}
client.products.update_create_item({"identifier": "shoe_1", "values": name})
client.products.update_create_list([{"identifier": "shoe_2", "values": name}])
print(
    json.dumps(
        {
            "products": len(listed),
            "names": [client.products.fetch_item(f"shoe_{n}")["values"]["name"][0]["data"] for n in (1, 2)],
            "attributes": len(list(client.attributes.fetch_list())),
            "options": [option["code"] for option in client.attributes.options("size").fetch_list()],
            "media": [media["original_filename"] for media in client.media_files.fetch_list()],
        }
    )
)
