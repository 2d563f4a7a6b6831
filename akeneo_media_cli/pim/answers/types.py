"""The PIM's answers about products and its catalogue, as types. Sizes are bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from ...errors import Failure
from ...frozen import frozen
from . import parse

if TYPE_CHECKING:
    from decimal import Decimal

ASSET_COLLECTION = "pim_catalog_asset_collection"
"""The type of attribute by which a product holds assets
(docs/pim-behaviour.md, "Assets and reference entities")."""
MEDIA_TYPES = ("pim_catalog_image", "pim_catalog_file")
"""The types of attribute that hold media files; any other is destroyed by one
(docs/pim-behaviour.md, "What is accepted that should not be")."""

ValueKey = tuple[str, "str | None", "str | None"]
"""Attribute code, locale, scope: what names one value of a product."""


def size_limit(size: Any) -> int | None:
    """`max_file_size` in bytes as the PIM counts for products
    (docs/pim-behaviour.md, "Cost of a call and limits"); None: no limit.

    A whole number of MB is that many times 1,000,000, any other is floor(MB x 1024) x 1000.
    Raises Garbled for what is not a number.
    """
    exact = megabytes(size)
    if exact is None:
        return None
    if exact == exact.to_integral_value():
        return int(exact) * 1_000_000
    return math.floor(exact * 1024) * 1000


def megabytes(size: Any) -> Decimal | None:
    """The number in a `max_file_size`; None: no limit. Raises Garbled for what is not a number.

    A negative number, or a million TB and more, limits no file; huge integers can fill the memory.
    """
    if size is None or size == "":
        return None
    from decimal import Decimal, InvalidOperation

    try:
        exact = Decimal(str(size))
    except InvalidOperation:
        raise parse.Garbled("max_file_size is not a number") from None
    if not exact.is_finite():
        raise parse.Garbled("max_file_size is not a number")
    return None if exact < 0 or exact.adjusted() >= 12 else exact


@frozen
class Attribute:
    """An attribute of the catalogue. `max_file_size` is inclusive; empty `allowed_extensions`: any."""

    code: str
    type: str
    scopable: bool = False
    localizable: bool = False
    available_locales: tuple[str, ...] = ()
    allowed_extensions: tuple[str, ...] = ()
    max_file_size: int | None = None
    main_identifier: bool = False
    """The one that products are called by, where there are several identifiers (cloud)."""
    reference_data_name: str | None = None
    """Of an asset collection: the asset family that it takes assets of."""

    @classmethod
    def read(cls, data: Any) -> Attribute:
        source = parse.mapping(data, "attribute")
        return cls(
            code=parse.text(source, "code"),
            type=parse.text(source, "type"),
            scopable=parse.flag(source, "scopable"),
            localizable=parse.flag(source, "localizable"),
            available_locales=parse.texts(source, "available_locales"),
            allowed_extensions=parse.texts(source, "allowed_extensions"),
            max_file_size=size_limit(source.get("max_file_size")),
            main_identifier=parse.flag(source, "is_main_identifier"),
            reference_data_name=parse.optional(source, "reference_data_name"),
        )


@frozen
class Channel:
    """A channel (scope) and the locales bound to it."""

    code: str
    locales: tuple[str, ...]

    @classmethod
    def read(cls, data: Any) -> Channel:
        source = parse.mapping(data, "channel")
        return cls(parse.text(source, "code"), parse.texts(source, "locales"))


@frozen
class Locale:
    """A locale, and whether a channel uses it."""

    code: str
    enabled: bool

    @classmethod
    def read(cls, data: Any) -> Locale:
        source = parse.mapping(data, "locale")
        return cls(parse.text(source, "code"), parse.flag(source, "enabled"))


def values_of(source: Mapping[str, Any], channel: str, part: str = "data") -> dict[ValueKey, Any]:
    found: dict[ValueKey, Any] = {}
    for attribute, entries in parse.mapping(source.get("values", {}), "values").items():
        for entry in parse.items(entries, f"values.{attribute}"):
            value = parse.mapping(entry, f"values.{attribute}")
            key = (attribute, parse.optional(value, "locale"), parse.optional(value, channel))
            found[key] = value.get(part)
    return found


class HasValues:
    """Something with values by attribute, locale and scope."""

    values: Mapping[ValueKey, Any]

    def media_code(self, attribute: str, locale: str | None = None, scope: str | None = None) -> str | None:
        """The media code there; None where there is no value, or one that is not text."""
        found = self.values.get((attribute, locale, scope))
        return found if isinstance(found, str) else None

    def codes(self, attribute: str, locale: str | None = None, scope: str | None = None) -> tuple[str, ...]:
        """The codes in a collection there, in its order; none where there is no such value."""
        found = self.values.get((attribute, locale, scope))
        return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


@frozen
class Product(HasValues):
    """A product as the PIM spells it. `identifier` is None for one that has only a UUID.

    `workflow_status` (Enterprise): `working_copy`, `draft_in_progress`, ...
    """

    identifier: str | None
    uuid: str | None
    family: str | None
    parent: str | None
    values: Mapping[ValueKey, Any] = field(default_factory=dict, repr=False)
    workflow_status: str | None = None

    @classmethod
    def read(cls, data: Any) -> Product:
        """From `/products`, and from `/products-uuid`, where the identifier is only among the values."""
        source = parse.mapping(data, "product")
        uuid = parse.optional(source, "uuid")
        identifier = parse.optional(source, "identifier")
        if uuid is None and identifier is None:
            raise parse.Garbled("product has neither identifier nor uuid")
        metadata = parse.mapping(source.get("metadata") or {}, "metadata")
        return cls(
            identifier=identifier,
            uuid=uuid,
            family=parse.optional(source, "family"),
            parent=parse.optional(source, "parent"),
            values=values_of(source, "scope"),
            workflow_status=parse.optional(metadata, "workflow_status"),
        )


@frozen
class ProductModel(HasValues):
    """A product model; `parent` is None at the root of its tree."""

    code: str
    family: str | None
    family_variant: str | None
    parent: str | None
    values: Mapping[ValueKey, Any] = field(default_factory=dict, repr=False)
    workflow_status: str | None = None

    @classmethod
    def read(cls, data: Any) -> ProductModel:
        source = parse.mapping(data, "product model")
        metadata = parse.mapping(source.get("metadata") or {}, "metadata")
        return cls(
            code=parse.text(source, "code"),
            family=parse.optional(source, "family"),
            family_variant=parse.optional(source, "family_variant"),
            parent=parse.optional(source, "parent"),
            values=values_of(source, "scope"),
            workflow_status=parse.optional(metadata, "workflow_status"),
        )


@frozen
class Family:
    """A family and the codes of its attributes."""

    code: str
    attributes: tuple[str, ...]

    @classmethod
    def read(cls, data: Any) -> Family:
        source = parse.mapping(data, "family")
        return cls(parse.text(source, "code"), parse.texts(source, "attributes"))


@frozen
class FamilyVariant:
    """Which attributes live below the root model: `levels[0]` are level 1's, `levels[1]` level 2's."""

    code: str
    levels: tuple[frozenset[str], ...]

    @classmethod
    def read(cls, data: Any) -> FamilyVariant:
        source = parse.mapping(data, "family variant")
        levels: dict[int, frozenset[str]] = {}
        for entry in parse.items(source.get("variant_attribute_sets"), "variant_attribute_sets"):
            each = parse.mapping(entry, "variant_attribute_sets")
            named = {*parse.texts(each, "attributes"), *parse.texts(each, "axes")}
            levels[parse.number(each, "level")] = frozenset(named)
        return cls(parse.text(source, "code"), tuple(levels[level] for level in sorted(levels)))

    def level(self, attribute: str) -> int:
        """0 for an attribute of the root model, 1 or 2 for one below it."""
        return next((n for n, held in enumerate(self.levels, 1) if attribute in held), 0)


@frozen
class MediaFile:
    """What the PIM says about a stored product media file; there is no hash
    (docs/pim-behaviour.md, "Answers to an upload")."""

    code: str
    original_filename: str
    mime_type: str
    size: int
    extension: str

    @classmethod
    def read(cls, data: Any) -> MediaFile:
        source = parse.mapping(data, "media file")
        return cls(
            code=parse.text(source, "code"),
            original_filename=parse.text(source, "original_filename"),
            mime_type=parse.optional(source, "mime_type") or "",
            size=parse.number(source, "size"),
            extension=parse.optional(source, "extension") or "",
        )


@frozen
class SystemInformation:
    """As the PIM says it: `7.0.100` or `v20230112013744`; `CE`, `EE`, `GE` or `Serenity`."""

    version: str
    edition: str

    @classmethod
    def read(cls, data: Any) -> SystemInformation:
        source = parse.mapping(data, "system information")
        return cls(parse.text(source, "version"), parse.optional(source, "edition") or "")


@frozen
class Routes:
    """The routes that this PIM has, by name and by path
    (docs/pim-behaviour.md, "Cost of a call and limits")."""

    names: frozenset[str]
    paths: frozenset[tuple[str, str]]

    @classmethod
    def read(cls, data: Any) -> Routes:
        routes = parse.mapping(parse.mapping(data).get("routes"), "routes")
        paths: set[tuple[str, str]] = set()
        for entry in routes.values():
            route = parse.mapping(entry, "route")
            path = parse.text(route, "route").rstrip("/")
            paths.update((method.upper(), path) for method in parse.texts(route, "methods"))
        return cls(frozenset(routes), frozenset(paths))

    def has(self, what: str, method: str = "POST") -> bool:
        """A route's name (`pim_api_media_file_create`), or its path below `/api/rest/v1` with a method."""
        if not what.startswith("/"):
            return what in self.names
        wanted = what.rstrip("/")
        return any(m == method and path.endswith("/v1" + wanted) for m, path in self.paths)


@frozen
class Created:
    """201: the media file's code and the path of its Location (its host can be wrong behind a proxy;
    docs/pim-behaviour.md, "Answers to an upload").

    `note` is what the PIM said beside: old PAM's variations that could not be made.
    """

    code: str
    location: str
    note: str = ""


@frozen
class LineResult:
    """What a batch PATCH says of one line; `line` counts from 1.

    `status` is None where no answer is surely this line's: the PIM may have done it or not.
    """

    line: int
    code: str
    status: int | None
    failure: Failure | None = None

    @property
    def answered(self) -> bool:
        return self.status is not None

    @property
    def created(self) -> bool:
        """The entity did not exist before: for products, a typo has created one."""
        return self.status == 201

    @property
    def retryable(self) -> bool:
        """Unanswered, or a crash of this line alone (docs/pim-behaviour.md, "Batch PATCH")."""
        return self.status is None or self.status >= 500 or self.status == 429


@frozen
class Downloaded:
    """So many bytes were received, and their SHA-256 in hex."""

    size: int
    sha256: str
