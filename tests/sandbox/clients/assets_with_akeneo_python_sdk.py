"""akeneo-python-sdk reads assets and the products that hold them. Argument: what `sandbox --json` prints."""

import base64
import json
import sys

import akeneo

told = json.loads(sys.argv[1])
with akeneo.ApiClient(akeneo.Configuration(host=told["url"])) as api:
    basic = base64.b64encode(f"{told['client_id']}:{told['client_secret']}".encode()).decode()
    login = akeneo.PostTokenRequest(
        grant_type="password", username=told["username"], password=told["password"]
    )
    token = akeneo.AuthenticationApi(api).post_token("application/json", f"Basic {basic}", login)
    api.set_default_header("Authorization", f"Bearer {token.access_token}")
    # Its models cannot read values, so the answers are taken as they come.
    assets = json.loads(akeneo.AssetApi(api).get_assets("photos", _preload_content=False).data)
    one = json.loads(akeneo.AssetApi(api).get_assets_code("photos", "a_3", _preload_content=False).data)
    product = json.loads(
        akeneo.ProductIdentifierApi(api).get_products_code("p-4", _preload_content=False).data
    )
    model = json.loads(
        akeneo.ProductModelApi(api).get_product_models_code("m-1", _preload_content=False).data
    )
    print(
        json.dumps(
            {
                "assets": {asset["code"]: asset["values"] for asset in assets["_embedded"]["items"]},
                "one": one["values"]["label"][0]["data"],
                "gallery": product["values"]["gallery"][0]["data"],
                "looks": model["values"]["looks"][0]["data"],
            }
        )
    )
