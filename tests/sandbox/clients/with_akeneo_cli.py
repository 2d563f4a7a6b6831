"""A round of akeneo-cli: list, get, PATCH, upload. Arguments: what `sandbox --json` prints, a file."""

import json
import sys

try:
    from akeneo_cli.client import AkeneoClient
except ImportError:  # python-magic found no libmagic on this machine
    sys.exit(print("{}"))

told, picture = json.loads(sys.argv[1]), sys.argv[2]
client = AkeneoClient(told["url"], told["client_id"], told["client_secret"])
client.login(told["username"], told["password"])
name = {"name": [{"locale": None, "scope": None, "data": "by akeneo-cli"}]}
client.patch("products", "shoe_1", data={"values": name})
client.bulk("products", data=[{"identifier": "shoe_2", "values": name}])
client.put_product_file("shoe_1", "picture", picture)
first = client.get("products", "shoe_1")["json"]["values"]
print(
    json.dumps(
        {
            "products": len(
                client.get("products", filters={"limit": 5}, all=True)["json"]["_embedded"]["items"]
            ),
            "names": [
                client.get("products", f"shoe_{n}")["json"]["values"]["name"][0]["data"] for n in (1, 2)
            ],
            "attributes": len(client.get("attributes")["json"]["_embedded"]["items"]),
            "options": [
                option["code"]
                for option in client.get("attributes", "size", "options")["json"]["_embedded"]["items"]
            ],
            "media": [
                client.get("media-files", first["picture"][0]["data"])["json"]["original_filename"],
            ],
        }
    )
)
