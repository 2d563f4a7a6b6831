"""What can be searched for: operators by attribute type and by property, as the PIM's query builder has them.

docs/pim-behaviour.md, "Searching and paging".
"""

from __future__ import annotations

from collections.abc import Mapping

_EMPTY = ("EMPTY", "NOT EMPTY")
_LIST = ("IN", "NOT IN")
_TEXT = ("STARTS WITH", "CONTAINS", "DOES NOT CONTAIN", "=", "!=")
_NUMBER = ("<", "<=", "=", "!=", ">=", ">")
_DATE = ("<", ">", "=", "!=", "BETWEEN", "NOT BETWEEN")
_SINCE = ("SINCE LAST N DAYS", "SINCE LAST JOB")

BY_TYPE: Mapping[str, tuple[str, ...]] = {
    "pim_catalog_identifier": (*_TEXT, *_LIST, *_EMPTY),
    "pim_catalog_text": (*_TEXT, *_EMPTY),
    "pim_catalog_textarea": (*_TEXT, *_EMPTY),
    "pim_catalog_image": (*_TEXT, *_EMPTY),
    "pim_catalog_file": (*_TEXT, *_EMPTY),
    "pim_catalog_boolean": ("=", "!=", *_EMPTY),
    "pim_catalog_date": (*_DATE, *_EMPTY),
    "pim_catalog_number": (*_NUMBER, *_EMPTY),
    "pim_catalog_metric": (*_NUMBER, *_EMPTY),
    "pim_catalog_price_collection": (*_NUMBER, *_EMPTY),
    "pim_catalog_simpleselect": (*_LIST, *_EMPTY),
    "pim_catalog_multiselect": (*_LIST, *_EMPTY),
    "pim_catalog_asset_collection": (*_LIST, *_EMPTY),
    "akeneo_reference_entity": (*_LIST, *_EMPTY),
    "akeneo_reference_entity_collection": (*_LIST, *_EMPTY),
}
"""Operators that an attribute of a type takes."""

_ON_ALL_LOCALES = tuple(
    f"{comparison} ON ALL LOCALES"
    for comparison in ("GREATER THAN", "GREATER OR EQUALS THAN", "LOWER THAN", "LOWER OR EQUALS THAN")
)

PRODUCT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "identifier": (*_TEXT, *_LIST, *_EMPTY),
    "uuid": _LIST,
    "family": (*_LIST, *_EMPTY),
    "groups": (*_LIST, *_EMPTY),
    "enabled": ("=", "!="),
    "parent": ("=", "IN", *_EMPTY),
    "created": (*_DATE, *_SINCE, *_EMPTY),
    "updated": (*_DATE, *_SINCE, *_EMPTY),
    "categories": (*_LIST, "UNCLASSIFIED", "IN OR UNCLASSIFIED", "IN CHILDREN", "NOT IN CHILDREN"),
    "completeness": (*_NUMBER, *_ON_ALL_LOCALES),
    "quality_score": ("IN",),
}
"""Operators that a property of products takes."""

MODEL_FIELDS: Mapping[str, tuple[str, ...]] = {
    "identifier": PRODUCT_FIELDS["identifier"],
    "family": PRODUCT_FIELDS["family"],
    "parent": ("IN", *_EMPTY),
    "created": PRODUCT_FIELDS["created"],
    "updated": PRODUCT_FIELDS["updated"],
    "categories": PRODUCT_FIELDS["categories"],
    "completeness": ("AT LEAST COMPLETE", "AT LEAST INCOMPLETE", "ALL COMPLETE", "ALL INCOMPLETE"),
    "quality_score": ("IN",),
}
"""Operators that a property of product models takes. Other properties of products exist but take none."""

SHOWN_NAMES: Mapping[str, str] = {"parent": "ancestor.code"}
"""What a refusal calls a property, where that is not its name."""
