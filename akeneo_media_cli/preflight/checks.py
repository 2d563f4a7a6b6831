"""What the PIM's catalogue says about a row, before a byte of its file is sent.

The PIM reads a whole file before it refuses it, and accepts what it should refuse: a file for the
identifier overwrites it (docs/pim-behaviour.md, "What is accepted that should not be"). Each function here
knows one rule and returns the `Failure` of a row that breaks it, or None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from ..errors import Failure, Kind
from ..extensions import are_one_format
from ..frozen import frozen
from ..pim.answers.types import MEDIA_TYPES, Attribute, Channel
from ..rows import Target, folded
from ..suggest import nearest as nearest_of


@frozen
class Scoping:
    """The channels with their locales, and the enabled locales; None where the user may not read them."""

    channels: Mapping[str, Channel] | None
    locales: Mapping[str, str] | None

    @staticmethod
    def of(channels: Iterable[Channel] | None, locales: Iterable[str] | None) -> Scoping:
        """Index them by how the PIM compares codes."""
        return Scoping(
            None if channels is None else {folded(c.code): c for c in channels},
            None if locales is None else {folded(code): code for code in locales},
        )


def nearest(code: str, known: Iterable[str]) -> str:
    """`Did you mean X? ` for a code that is close to a known one, in any case, else nothing."""
    return _nearest(code, tuple(known))


@lru_cache(maxsize=1024)
def _nearest(code: str, known: tuple[str, ...]) -> str:
    # Cached: a typo is often repeated down a column, and thousands of codes take a while to compare.
    found = nearest_of(code, known, fold=folded)
    return f"Did you mean {found}? " if found else ""


def attribute_type(attribute: Attribute) -> Failure | None:
    """Only image and file attributes take a media file; in others it destroys what is there
    (docs/pim-behaviour.md, "What is accepted that should not be")."""
    if attribute.type in MEDIA_TYPES:
        return None
    return Failure(
        Kind.ATTRIBUTE_NOT_MEDIA,
        f"{attribute.code} is an attribute of type {attribute.type}, not an image or a file",
        "Name an image or file attribute: the PIM would overwrite this value with the file's code.",
    )


def scoping(
    attribute: Attribute, locale: str | None, scope: str | None, known: Scoping
) -> tuple[str | None, str | None] | Failure:
    """The locale and scope as the PIM spells them, or what is wrong with them for this attribute."""
    failure = _presence(attribute, locale, scope)
    if failure is not None:
        return failure
    channel: Channel | None = None
    if scope is not None and known.channels is not None:
        channel = known.channels.get(folded(scope))
        if channel is None:
            codes = [c.code for c in known.channels.values()]
            return Failure(
                Kind.CHANNEL_UNKNOWN,
                f"there is no channel {scope} in the PIM",
                f"{nearest(scope, codes)}The channels are {', '.join(sorted(codes))}",
            )
        scope = channel.code
    if locale is not None:
        spelled = _locale(attribute, locale, channel, known)
        if isinstance(spelled, Failure):
            return spelled
        locale = spelled
    return locale, scope


def _presence(attribute: Attribute, locale: str | None, scope: str | None) -> Failure | None:
    code = attribute.code
    if attribute.scopable and scope is None:
        return Failure(
            Kind.SCOPE_REQUIRED,
            f"{code} has a value per channel, and the row names none",
            "Fill the column scope with a channel's code.",
        )
    if not attribute.scopable and scope is not None:
        return Failure(
            Kind.SCOPE_UNEXPECTED,
            f"{code} has no value per channel, but the row names the channel {scope}",
            "Leave the column scope empty for this attribute.",
        )
    if attribute.localizable and locale is None:
        return Failure(
            Kind.LOCALE_REQUIRED,
            f"{code} has a value per locale, and the row names none",
            "Fill the column locale, for example with en_US.",
        )
    if not attribute.localizable and locale is not None:
        return Failure(
            Kind.LOCALE_UNEXPECTED,
            f"{code} has no value per locale, but the row names the locale {locale}",
            "Leave the column locale empty for this attribute.",
        )
    return None


def _locale(attribute: Attribute, locale: str, channel: Channel | None, known: Scoping) -> str | Failure:
    spelled = locale
    if known.locales is not None:
        found = known.locales.get(folded(locale))
        if found is None:
            enabled = sorted(known.locales.values())
            return Failure(
                Kind.LOCALE_UNKNOWN,
                f"the locale {locale} does not exist in the PIM or is not enabled",
                f"{nearest(locale, enabled)}Enabled are {', '.join(enabled)}",
            )
        spelled = found
    if channel is not None:
        bound = {folded(code): code for code in channel.locales}
        if folded(spelled) not in bound:
            return Failure(
                Kind.LOCALE_NOT_IN_CHANNEL,
                f"the locale {spelled} is not bound to the channel {channel.code}",
                f"The locales of {channel.code} are {', '.join(sorted(channel.locales))}",
            )
        spelled = bound[folded(spelled)]
    available = {folded(code) for code in attribute.available_locales}
    if available and folded(spelled) not in available:
        return Failure(
            Kind.LOCALE_NOT_AVAILABLE,
            f"{attribute.code} is not available in the locale {spelled}",
            f"It is available in {', '.join(sorted(attribute.available_locales))}",
        )
    return spelled


def file_fits(attribute: Attribute, name: str, size: int, *, way_out: str | None = None) -> Failure | None:
    """The file's extension and size against what the attribute takes
    (docs/pim-behaviour.md, "Cost of a call and limits").

    `way_out` ends the hint; None: `--fit` is named where it would help.
    """
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    allowed = sorted(e.lower() for e in attribute.allowed_extensions)
    if way_out is None:
        way_out = _by_fit(extension, allowed)
    if allowed and extension not in allowed:
        return Failure(
            Kind.EXTENSION_NOT_ALLOWED,
            f"{attribute.code} does not take .{extension} files"
            if extension
            else f"{attribute.code} does not take files without an extension",
            _for_extension(attribute.code, extension, allowed) + way_out,
        )
    limit = attribute.max_file_size
    if limit is not None and size > limit:
        return Failure(
            Kind.FILE_TOO_LARGE,
            f"the file has {size:,} bytes, {attribute.code} takes {limit:,} at most",
            "Make the file smaller, or have the attribute's maximum file size raised in the PIM" + way_out,
        )
    return None


_PICTURES = frozenset(
    ("jpg", "jpeg", "jpe", "jfif", "png", "webp", "tif", "tiff", "bmp", "gif", "heic", "heif", "avif", "jp2")
) | frozenset(("j2k", "jpx", "jxl", "psd"))
"""Extensions of pictures that `--fit` converts (docs/fit.md)."""


def _by_fit(extension: str, allowed: list[str]) -> str:
    """What a hint says where the picture could be converted on its way up."""
    possible = not allowed or bool({"jpg", "jpeg", "png", "webp"} & {*allowed})
    return "; or let the upload convert it: --fit" if extension in _PICTURES and possible else ""


def _for_extension(code: str, extension: str, allowed: list[str]) -> str:
    other = next((e for e in allowed if are_one_format(e, extension)), None)
    if other is not None:
        return (
            f"{code} takes {', '.join(allowed)}, and .{extension} is the same format as .{other}: send it "
            f"under such a name with --set 'filename={{stem}}.{other}' or --rename '{{stem}}.{other}'"
        )
    return f"{code} takes {', '.join(allowed)}: convert the file, or name another attribute"


def unknown_attribute(code: str, media: Iterable[str]) -> Failure:
    """The attribute is not there; `media` are the codes of those that could be meant."""
    return Failure(
        Kind.ATTRIBUTE_UNKNOWN,
        f"there is no attribute {code} in the PIM",
        f"{nearest(code, media)}An attribute's code is shown in the PIM under Settings, Attributes.",
    )


def unreadable_attribute(code: str) -> Failure:
    """The user may not read attributes, so its type cannot be learned."""
    return Failure(
        Kind.ATTRIBUTE_UNREADABLE,
        f"the type of {code} is unknown: the user may not list attributes",
        "Give the connection's role the right to list attributes (Web API), "
        "or take the risk of overwriting other values with --no-preflight...",
        403,
    )


def unknown_kind(target: Target | None) -> Failure:
    """A kind of entity that takes no uploads."""
    kind = target.type.value if target is not None else "nothing"
    return Failure(
        Kind.ROUTE_MISSING,
        f"a row for {kind} cannot be uploaded to this PIM",
        "Use a product or a product model.",
    )


def missing_route(path: str, what: str) -> Failure:
    """This PIM has no endpoint for such places."""
    return Failure(
        Kind.ROUTE_MISSING,
        f"this PIM has no {path}: its version or edition does not support {what}",
        "Leave these rows out for this PIM, or use products.",
    )


def unknown_target(what: str, code: str, meant: str = "") -> Failure:
    """The product or model does not exist, by search and by a single read; `meant` suggests another."""
    return Failure(
        Kind.TARGET_UNKNOWN,
        f"there is no {what} {code} in the PIM, or this user may not see it",
        meant or f"Check the code; the {what} must be created in the PIM before its media are uploaded.",
    )


def level(attribute: str, wanted: int | None, actual: int, owner: str) -> Failure | None:
    """An attribute of a family variant lives at one level: the PIM refuses it at another.

    Levels are 0 for the root model, 1 and 2 below it; `wanted` is None for an attribute outside the family.
    `owner` says where the attribute belongs, in words.
    """
    if wanted is None:
        return Failure(
            Kind.ATTRIBUTE_NOT_IN_FAMILY,
            f"{attribute} is not an attribute of the family",
            "Add the attribute to the family in the PIM, or name another.",
        )
    if wanted == actual:
        return None
    return Failure(
        Kind.ATTRIBUTE_WRONG_LEVEL,
        f"{attribute} belongs to another level of the model tree: {owner}",
        f"Use {owner}.",
    )
