"""The kinds of places that media can go to, one module each."""

from __future__ import annotations

from collections.abc import Mapping

from ..rows import TargetType
from .base import Line, MakeBody, TargetAdapter
from .categories import Categories
from .collections import ASSETS, RECORDS
from .pam import PamAssets
from .products import Models, Products, ProductsByUuid

ADAPTERS: Mapping[TargetType, TargetAdapter] = {
    TargetType.PRODUCT: Products(),
    TargetType.PRODUCT_UUID: ProductsByUuid(),
    TargetType.PRODUCT_MODEL: Models(),
    TargetType.ASSET: ASSETS,
    TargetType.RECORD: RECORDS,
    TargetType.CATEGORY: Categories(),
    TargetType.PAM_ASSET: PamAssets(),
}
"""By the type of `ResolvedTarget.target`."""

__all__ = ["ADAPTERS", "Line", "MakeBody", "TargetAdapter"]
