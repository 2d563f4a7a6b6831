"""Which values of products and models a command lists."""

from __future__ import annotations

from typing import Annotated, ClassVar

from ...frozen import frozen
from .command import OptionGroup
from .variables import option


@frozen
class Values(OptionGroup):
    """Media values by attribute, family, locale and channel; None: any."""

    heading: ClassVar[str] = "Values"

    attribute: Annotated[
        list[str] | None,
        option("--attribute", metavar="CODE", help="A media attribute; repeatable. [default: all of them]"),
    ] = None
    family: Annotated[
        list[str] | None, option("--family", metavar="CODE", help="Only this family; repeatable.")
    ] = None
    products: Annotated[bool, option("--products", help="Only products, no models.")] = False
    models: Annotated[bool, option("--models", help="Only product models, no products.")] = False
    locale: Annotated[
        list[str] | None,
        option("--locale", metavar="CODE", help="Of localizable values only this locale; repeatable."),
    ] = None
    scope: Annotated[
        list[str] | None,
        option("--scope", metavar="CODE", help="Of scopable values only this channel; repeatable."),
    ] = None
