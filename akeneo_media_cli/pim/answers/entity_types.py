"""The PIM's answers about assets, records and categories, as types. Sizes are bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from ...frozen import frozen
from . import parse
from .types import HasValues, ValueKey, megabytes, values_of

if TYPE_CHECKING:
    from decimal import Decimal


def plain_size_limit(size: Any) -> int | None:
    """`max_file_size` in bytes as asset and record attributes have it: MB x 1,000,000
    (docs/pim-behaviour.md, "Assets and reference entities")."""
    exact = megabytes(size)
    return None if exact is None else int(exact * 1_000_000)


@frozen
class MediaAttribute:
    """An attribute of an asset family, a reference entity or a category; `type` as that endpoint says it.

    `max_characters`, `decimals`, `least` and `most` limit texts and numbers; None: no limit. `links_to` is
    the reference entity or asset family that links lead to.
    """

    code: str
    type: str
    media_type: str | None = None
    scopable: bool = False
    localizable: bool = False
    allowed_extensions: tuple[str, ...] = ()
    max_file_size: int | None = None
    read_only: bool = False
    max_characters: int | None = None
    decimals: bool = True
    least: Decimal | None = None
    most: Decimal | None = None
    links_to: str | None = None

    @classmethod
    def read(cls, data: Any) -> MediaAttribute:
        source = parse.mapping(data, "attribute")
        return cls(
            code=parse.text(source, "code"),
            type=parse.text(source, "type"),
            media_type=parse.optional(source, "media_type"),
            scopable=parse.flag(source, "value_per_channel"),
            localizable=parse.flag(source, "value_per_locale"),
            allowed_extensions=parse.texts(source, "allowed_extensions"),
            max_file_size=plain_size_limit(source.get("max_file_size")),
            read_only=parse.flag(source, "is_read_only"),
            max_characters=_whole(source.get("max_characters")),
            decimals=source.get("decimals_allowed") is not False,
            least=_decimal(source.get("min_value")),
            most=_decimal(source.get("max_value")),
            links_to=parse.optional(source, "reference_entity_code")
            or parse.optional(source, "asset_family_identifier"),
        )


@frozen
class Entity(HasValues):
    """An asset or a record; its values name channels, not scopes
    (docs/pim-behaviour.md, "Assets and reference entities")."""

    code: str
    values: Mapping[ValueKey, Any] = field(default_factory=dict, repr=False)
    linked: Mapping[ValueKey, tuple[str, int]] = field(default_factory=dict, repr=False)
    """Name and size of stored files, where the PIM tells them (`linked_data`, cloud)."""

    @classmethod
    def read(cls, data: Any) -> Entity:
        source = parse.mapping(data, "entity")
        linked: dict[ValueKey, tuple[str, int]] = {}
        for key, told in values_of(source, "channel", "linked_data").items():
            if isinstance(told, Mapping):
                name, size = told.get("original_filename"), told.get("size")
                if isinstance(name, str) and isinstance(size, int):
                    linked[key] = (name, size)
        return cls(parse.text(source, "code"), values_of(source, "channel"), linked)


@frozen
class NamingConvention:
    """What the PIM makes of an asset's code, or of its main media's name, when it creates an asset.

    `source` is `code` or the code of the main media attribute; `pattern` is written as PHP has it, with
    delimiters. `aborts`: an asset that does not match is not created.
    """

    source: str
    pattern: str
    aborts: bool

    @classmethod
    def read(cls, data: Any) -> NamingConvention | None:
        """None for a family without one, or one that is not understood."""
        if not isinstance(data, Mapping) or not isinstance(data.get("pattern"), str):
            return None
        source = data.get("source")
        name = source.get("property") if isinstance(source, Mapping) else None
        return cls(
            name if isinstance(name, str) else "code",
            data["pattern"],
            data.get("abort_asset_creation_on_error") is True,
        )


@frozen
class AssetFamily:
    """An asset family, its main media attribute and its naming convention."""

    code: str
    attribute_as_main_media: str | None
    naming: NamingConvention | None = None

    @classmethod
    def read(cls, data: Any) -> AssetFamily:
        source = parse.mapping(data, "asset family")
        return cls(
            parse.text(source, "code"),
            parse.optional(source, "attribute_as_main_media"),
            NamingConvention.read(source.get("naming_convention")),
        )


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decimal(value: Any) -> Decimal | None:
    """A limit that the PIM writes as text; None where there is none, or it is not a number."""
    from decimal import Decimal, InvalidOperation

    try:
        found = Decimal(str(value)) if value not in (None, "") else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


@frozen
class ReferenceEntity:
    """A reference entity and the media code of its own image."""

    code: str
    image: str | None

    @classmethod
    def read(cls, data: Any) -> ReferenceEntity:
        source = parse.mapping(data, "reference entity")
        return cls(parse.text(source, "code"), parse.optional(source, "image"))


@frozen
class Category:
    """A category; its values are keyed by the PIM's own composite keys and kept as they come."""

    code: str
    parent: str | None
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, data: Any) -> Category:
        source = parse.mapping(data, "category")
        values = parse.mapping(source.get("values") or {}, "values")
        return cls(parse.text(source, "code"), parse.optional(source, "parent"), values)


@frozen
class PamAsset:
    """An asset of the old PAM; `files`: media codes by channel (None: the reference file) and locale."""

    code: str
    localizable: bool
    files: Mapping[tuple[str | None, str | None], str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, data: Any) -> PamAsset:
        source = parse.mapping(data, "asset")
        files: dict[tuple[str | None, str | None], str] = {}
        for key in ("reference_files", "variation_files"):
            for entry in parse.items(source.get(key), key):
                file = parse.mapping(entry, key)
                code = parse.optional(file, "code")
                if code:
                    files[parse.optional(file, "scope"), parse.optional(file, "locale")] = code
        return cls(parse.text(source, "code"), parse.flag(source, "localizable"), files)
