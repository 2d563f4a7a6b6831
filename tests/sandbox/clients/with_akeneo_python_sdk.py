"""A round of akeneo-python-sdk: log in, list, get, PATCH. Arguments: what `sandbox --json` prints."""

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
    api.configuration.access_token = token.access_token
    api.set_default_header("Content-Type", "application/json")
    api.set_default_header("Authorization", f"Bearer {token.access_token}")
    products, media = akeneo.ProductIdentifierApi(api), akeneo.ProductMediaFileApi(api)
    # Its models can neither write values nor read them (see findings), so what is changed is `enabled`.
    for number in (1, 2):
        body = akeneo.PostProductsRequest(
            identifier=f"shoe_{number}", enabled=False, family="shoes", parent=None
        )
        products.patch_products_code(f"shoe_{number}", body)
    raw = products.get_products(limit=100, _preload_content=False)
    items = json.loads(raw.data)["_embedded"]["items"]
    print(
        json.dumps(
            {
                "products": len(items),
                "disabled": [item["identifier"] for item in items if not item["enabled"]],
                "attributes": len(akeneo.AttributeApi(api).get_attributes(limit=100).embedded.items),
                "options": [
                    option.code
                    for option in akeneo.AttributeOptionApi(api)
                    .get_attributes_attribute_code_options("size")
                    .embedded.items
                ],
                "media": [item.original_filename for item in media.get_media_files().embedded.items],
            }
        )
    )
