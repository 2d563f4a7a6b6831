"""The places that media can go to, one module a kind."""

from __future__ import annotations

from collections.abc import Mapping

from ...rows import TargetType
from .base import MakeBody, Place
from .products import Models, Products, ProductsByUuid

PLACES: Mapping[TargetType, Place] = {
    TargetType.PRODUCT: Products(),
    TargetType.PRODUCT_UUID: ProductsByUuid(),
    TargetType.PRODUCT_MODEL: Models(),
}
"""By the type of `Aim.target`."""

__all__ = ["PLACES", "MakeBody", "Place"]
