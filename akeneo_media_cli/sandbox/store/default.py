"""The small catalogue of a sandbox that is started without one."""

from __future__ import annotations

from typing import Any


def default_catalogue() -> dict[str, Any]:
    """Twenty products, a model with two variants, a few media attributes, two channels."""
    attributes: list[dict[str, Any]] = [
        {"code": "sku", "type": "pim_catalog_identifier", "unique": True, "is_main_identifier": True},
        {"code": "name", "type": "pim_catalog_text"},
        {"code": "size", "type": "pim_catalog_simpleselect", "options": ["s", "m"]},
        {"code": "picture", "type": "pim_catalog_image"},
        {"code": "picture_2", "type": "pim_catalog_image"},
        {"code": "picture_localized", "type": "pim_catalog_image", "localizable": True},
        {"code": "picture_scoped", "type": "pim_catalog_image", "scopable": True},
        {"code": "picture_both", "type": "pim_catalog_image", "localizable": True, "scopable": True},
        {
            "code": "manual",
            "type": "pim_catalog_file",
            "allowed_extensions": ["pdf", "txt"],
            "max_file_size": "10.00",
        },
    ]
    codes = [attribute["code"] for attribute in attributes]
    own = {"level": 1, "axes": ["size"], "attributes": ["sku", "size", "picture_scoped"]}
    return {
        "attributes": attributes,
        "families": [
            {"code": "shoes", "attributes": codes, "attribute_as_label": "name", "labels": {"en_US": "Shoes"}}
        ],
        "family_variants": {
            "shoes": [{"code": "shoes_by_size", "labels": {}, "variant_attribute_sets": [own]}]
        },
        "channels": [
            {
                "code": "ecommerce",
                "currencies": ["USD"],
                "locales": ["en_US", "fr_FR"],
                "category_tree": "master",
            },
            {"code": "mobile", "currencies": ["USD"], "locales": ["en_US"], "category_tree": "master"},
        ],
        "locales": [
            {"code": "en_US", "enabled": True},
            {"code": "fr_FR", "enabled": True},
            {"code": "de_DE", "enabled": False},
        ],
        "categories": [{"code": "master", "parent": None, "labels": {"en_US": "Master catalog"}}],
        "products": [
            *({"identifier": f"shoe_{number}", "family": "shoes"} for number in range(1, 21)),
            *(
                {
                    "identifier": f"shoe_variant_{size}",
                    "family": "shoes",
                    "parent": "shoe_model",
                    "values": {"size": [{"locale": None, "scope": None, "data": size}]},
                }
                for size in ("s", "m")
            ),
        ],
        "product_models": [{"code": "shoe_model", "family": "shoes", "family_variant": "shoes_by_size"}],
    }
