"""What a refusal of a value means: which of the PIM's rules it broke
(docs/pim-behaviour.md, "Refusals and their causes").

The PIM's texts differ by version and language (docs/pim-behaviour.md, "Refusals and their causes"), so a kind
is told by the shape of the body and by which of the codes that we sent it names. Texts only refine hints, and
decide the rest only if the attribute was not looked up before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import Kind
from ...frozen import frozen
from ...rows import folded
from .types import Attribute

_TYPICAL_POST_MAX = 1_000_000

_NO_ATTRIBUTE = re.compile(r'attribute does not exist|(?:Attribute|Property) "[^"]*" does not exist')
_NO_SCOPE = re.compile(r"requires a value per channel \(nothing was detected\)|expects a scope, none given")
_NO_LOCALE = re.compile(
    r"(?:requires a value per|and a) locale \(nothing was detected\)|expects a locale, none given"
)

_FILL = "Fill the column {} for this attribute."


@frozen
class RequestContext:
    """What a call was about. `attribute` is what the catalogue says about it, if that is known."""

    code: str = ""
    attributes: tuple[str, ...] = ()
    locale: str | None = None
    scope: str | None = None
    filename: str = ""
    size: int = 0
    attribute: Attribute | None = None
    entity: bool = False
    """An asset or record, whose errors do not name the attribute
    (docs/pim-behaviour.md, "Assets and reference entities")."""


NOTHING = RequestContext()


@frozen
class ErrorBody:
    """An error body: the whole message, and its `errors` if any. `json`: it is the PIM's own."""

    message: str
    errors: tuple[Mapping[str, Any], ...]
    json: bool


def error_body(body: Any, fallback: str = "") -> ErrorBody:
    """Read a decoded error body or a line of a batch's answer."""
    if not isinstance(body, dict) or not ("message" in body and ("code" in body or "status_code" in body)):
        return ErrorBody(fallback, (), False)
    found = body.get("errors")
    errors = tuple(e for e in found if isinstance(e, dict)) if isinstance(found, list) else ()
    texts = [str(body["message"]), *(str(e["message"]) for e in errors if e.get("message"))]
    return ErrorBody(" ".join(texts), errors, True)


def mentions(message: str, code: str | None) -> bool:
    """Does the message contain this code as a separate word, in any case?"""
    if not code:
        return False
    return re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", message, re.IGNORECASE) is not None


def value_error(found: ErrorBody, sent: RequestContext) -> tuple[Kind, str]:
    """Kind and hint of a 422 (docs/pim-behaviour.md, "Refusals and their causes"), of an upload or of a line
    of a batch."""
    if not found.errors:
        return _simple(found.message, sent)
    if sent.entity:
        return _violation(found.message, sent, "The attribute")
    ours = {folded(code) for code in sent.attributes}
    strangers = []
    for error in found.errors:
        named = error.get("attribute")
        if isinstance(named, str) and folded(named) in ours:
            return _violation(str(error.get("message", "")), sent, named)
        if error.get("property") == "attribute":
            return _wrong_place(str(error.get("message", "")), sent)
        strangers.append(named if isinstance(named, str) else str(error.get("property", "?")))
    return Kind.TARGET_INVALID, (
        f"The product or model itself is not valid, so nothing can be saved to it: "
        f"fix {', '.join(sorted(set(strangers)))} in the PIM first."
    )


def _wrong_place(message: str, sent: RequestContext) -> tuple[Kind, str]:
    # One quoted code: the attribute; two: the attribute and the family that lacks it.
    if message.count('"') >= 4:
        return (
            Kind.ATTRIBUTE_NOT_IN_FAMILY,
            "Add the attribute to the family in the PIM, or use another attribute.",
        )
    return Kind.ATTRIBUTE_WRONG_LEVEL, (
        "This attribute belongs to another level of the model tree: use the product model instead of the "
        "variant, or the variant instead of the model."
    )


def _simple(message: str, sent: RequestContext) -> tuple[Kind, str]:
    attribute = sent.attributes[0] if sent.attributes else ""
    if '"product"' in message and folded(sent.code) != "product" and not mentions(message, attribute):
        return _body_lost(sent)
    if sent.code and f'"{sent.code}"'.casefold() in message.casefold():
        return (
            Kind.TARGET_UNKNOWN,
            "Check the code: it must exist in the PIM before media can be uploaded to it.",
        )
    if mentions(message, attribute):
        return _about_attribute(message, sent)
    if sent.locale and mentions(message, sent.locale):
        return Kind.LOCALE_UNKNOWN, "The locale does not exist, or the connection's user may not see it."
    return Kind.REFUSED, "The PIM does not accept this: its message says why."


def _body_lost(sent: RequestContext) -> tuple[Kind, str]:
    if sent.size >= _TYPICAL_POST_MAX:
        return Kind.BODY_TOO_LARGE, (
            "The server dropped the request: it is larger than PHP's post_max_size. Have that raised, or "
            "make the file smaller."
        )
    return Kind.REFUSED, (
        "The request reached the PIM without its content: a proxy may drop it, the server's post_max_size "
        "may be very small, or the PIM is too old for product models."
    )


def _about_attribute(message: str, sent: RequestContext) -> tuple[Kind, str]:
    known = sent.attribute
    if known is not None:
        for needed, given, required, unexpected, column in (
            (known.scopable, sent.scope, Kind.SCOPE_REQUIRED, Kind.SCOPE_UNEXPECTED, "scope"),
            (known.localizable, sent.locale, Kind.LOCALE_REQUIRED, Kind.LOCALE_UNEXPECTED, "locale"),
        ):
            if needed and given is None:
                return required, _FILL.format(column)
            if not needed and given is not None:
                return unexpected, f"Leave the column {column} empty for this attribute."
        return Kind.REFUSED, "The PIM does not accept this value: its message says why."
    return _unasked(message, sent)


def _unasked(message: str, sent: RequestContext) -> tuple[Kind, str]:
    """What a text says about an attribute that was not looked up before: `--no-preflight`."""
    if sent.scope is None and _NO_SCOPE.search(message):
        return Kind.SCOPE_REQUIRED, _FILL.format("scope")
    if sent.locale is None and _NO_LOCALE.search(message):
        return Kind.LOCALE_REQUIRED, _FILL.format("locale")
    if _NO_ATTRIBUTE.search(message):
        return (
            Kind.ATTRIBUTE_UNKNOWN,
            "An attribute's code is shown in the PIM under Settings, Attributes. The connection's user may "
            "also lack the right to see it.",
        )
    if re.search(r"channel|scope|locale", message, re.IGNORECASE):
        return (
            Kind.REFUSED,
            "Compare the columns locale and scope with the attribute: value per locale, per channel?",
        )
    return Kind.REFUSED, (
        "Check that the attribute exists, and whether it has a value per channel or per locale."
    )


def _violation(  # noqa: PLR0911 - one a case
    message: str, sent: RequestContext, attribute: str
) -> tuple[Kind, str]:
    """Which rule of the attribute that we sent the value broke."""
    known = sent.attribute
    if mentions(message, sent.scope) and mentions(message, sent.locale):
        return (
            Kind.LOCALE_NOT_IN_CHANNEL,
            "Use a locale of this channel, or add the locale to the channel in the PIM.",
        )
    if mentions(message, sent.scope):
        return Kind.CHANNEL_UNKNOWN, "Check the channel's code in the PIM, upper and lower case too."
    if mentions(message, sent.locale):
        if known is not None and known.available_locales and sent.locale not in known.available_locales:
            listed = ", ".join(known.available_locales)
            return Kind.LOCALE_NOT_AVAILABLE, f"{attribute} is available in these locales only: {listed}."
        return Kind.LOCALE_UNKNOWN, (
            "The locale does not exist, is not enabled, or is not available for this attribute."
        )
    if re.search(r"\b(image|application|text|audio|video|font|model)/[\w.+-]+", message) and not (
        known is not None and known.max_file_size is not None and sent.size > known.max_file_size
    ):
        return Kind.MIME_NOT_ALLOWED, (
            "The file's content does not match its extension: save it again in that format, or rename it."
        )
    if mentions(message, sent.filename) or re.search(r"\d\s?(bytes|[kKMG]?i?B|[kM])\b", message):
        return Kind.FILE_TOO_LARGE, "Make the file smaller, or have the attribute's maximum file size raised."
    extension = sent.filename.rpartition(".")[2].lower()
    if known is not None and known.allowed_extensions:
        refused = extension not in known.allowed_extensions
    else:
        # As a word of its own, or with its dot, but not as the end of a file's name or code.
        alone = rf"(?<!\w)(?<!\w\.){re.escape(extension)}\b"
        refused = re.search(alone, message, re.IGNORECASE) is not None or "extension" in message
    if refused:
        listed = ", ".join(known.allowed_extensions) if known else ""
        takes = f"{attribute} takes {listed}" if listed else f"{attribute} does not accept this extension"
        return Kind.EXTENSION_NOT_ALLOWED, f"{takes}: convert the file, or use another attribute."
    return Kind.REFUSED, "The PIM does not accept this value: its message says why."
