"""The PIM's answers about assets, records and categories, as types. Sizes are bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import parse
from .types import HasValues, ValueKey, megabytes, values_of


def plain_size_limit(size: Any) -> int | None:
    """`max_file_size` in bytes as asset and record attributes have it: MB x 1,000,000
    (docs/pim-behaviour.md, "Assets and reference entities")."""
    exact = megabytes(size)
    return None if exact is None else int(exact * 1_000_000)


@dataclass(frozen=True)
class MediaAttribute:
    """An attribute of an asset family, a reference entity or a category; `type` as that endpoint says it."""

    code: str
    type: str
    media_type: str | None = None
    scopable: bool = False
    localizable: bool = False
    allowed_extensions: tuple[str, ...] = ()
    max_file_size: int | None = None
    read_only: bool = False

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
        )


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class AssetFamily:
    """An asset family and its main media attribute."""

    code: str
    attribute_as_main_media: str | None

    @classmethod
    def read(cls, data: Any) -> AssetFamily:
        source = parse.mapping(data, "asset family")
        return cls(parse.text(source, "code"), parse.optional(source, "attribute_as_main_media"))


@dataclass(frozen=True)
class ReferenceEntity:
    """A reference entity and the media code of its own image."""

    code: str
    image: str | None

    @classmethod
    def read(cls, data: Any) -> ReferenceEntity:
        source = parse.mapping(data, "reference entity")
        return cls(parse.text(source, "code"), parse.optional(source, "image"))


@dataclass(frozen=True)
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


@dataclass(frozen=True)
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
