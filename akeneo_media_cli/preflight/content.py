"""Will the PIM take a file's content for an attribute whose extensions are restricted?

The PIM compares the MIME type that PHP finds with a table of its own, after it has read and stored the file
(docs/pim-behaviour.md, "What a file's type is to the PIM"). Versions of PHP find different types.
"""

from __future__ import annotations

from ..content.pim_types import MIME_TYPES, is_taken
from ..errors import Failure, Kind
from ..pim.answers.types import Attribute
from ..storage.content import PhpTypes, extension_of

_BINARY = "application/octet-stream"
_NO_LIMIT = "or empty the attribute's allowed extensions in the PIM"
_NEVER = {
    "psd": f"No PIM takes .psd where extensions are restricted. Allow tif and export as TIFF, {_NO_LIMIT}.",
    "ppt": f"No PIM takes .ppt where extensions are restricted. Save it as PPTX or PDF, {_NO_LIMIT}.",
}
_REASONS = {
    (
        "svg",
        "text/plain",
    ): "Something comes before `<svg`, such as a comment or a space. Save it with an XML "
    'prolog: `<?xml version="1.0"?>` must be the first thing in the file.',
    (
        "svg",
        "text/xml",
    ): "PHP finds no `<svg` in its first 4 KB. Move long comments and DTDs behind it.",
    ("svg", "text/html"): "It has HTML before `<svg`: export it as plain SVG.",
    ("svg", _BINARY): "It is not text to PHP. Save it as UTF-8.",
    (
        "csv",
        "application/x-sylk",
    ): "A file that begins with `ID;P` is a SYLK sheet to PHP. Rename the first "
    "column (id), or put it in quotes.",
    (
        "pdf",
        _BINARY,
    ): "Something comes before `%PDF` in the file. Export it as PDF again.",
    ("mp3", _BINARY): "There is no sound where it should begin. Export it as MP3 again.",
    ("txt", _BINARY): "It has bytes that are not text, such as zero bytes. Save it as UTF-8.",
    ("csv", _BINARY): "It has bytes that are not text, such as zero bytes. Save it as UTF-8.",
    ("doc", _BINARY): "Open it in Word and save it as .docx.",
}
_ENCRYPTED = "It is protected with a password, and then PHP sees no document. Save it without."
_ORDER = "PHP does not see from the order of its parts what it is. Open it in Office and save it again."


def content_fits(attribute: Attribute, name: str, types: PhpTypes | None) -> Failure | str | None:
    """Why the PIM will refuse the file `name`; a note where only some PIMs will; None where it is taken."""
    extension = extension_of(name).lower()
    allowed = {each.lower() for each in attribute.allowed_extensions}
    if types is None or extension not in allowed or extension not in MIME_TYPES:
        return None
    php82, php84 = types
    if php82 is None or php84 is None:
        return None
    taken82, taken84 = is_taken(extension, php82), is_taken(extension, php84)
    if taken82 and taken84:
        return None
    if taken82 or taken84:
        refusing, taking, found = ("8.4", "8.2", php84) if taken82 else ("8.2", "8.4", php82)
        return (
            f"a PIM on PHP {refusing} refuses this .{extension} (it takes its content for {found}), "
            f"one on PHP {taking} takes it"
        )
    return Failure(
        Kind.CONTENT_REFUSED,
        f"the PIM will refuse {name}: its content is {php82}, and for .{extension} the PIM takes "
        f"{' or '.join(MIME_TYPES[extension])}",
        f"{_way_out(extension, php82)} To send it anyway: --allow-mismatch.",
    )


def _way_out(extension: str, found: str) -> str:
    if extension in _NEVER:
        return _NEVER[extension]
    if found == "application/encrypted":
        return _ENCRYPTED
    known = _REASONS.get((extension, found))
    if known is not None:
        return known
    right = [each for each, types in MIME_TYPES.items() if found in types]
    if extension in ("txt", "csv") and not right:
        return (
            f"PHP takes the text for {found} by a word in it, mostly the first. Change it or quote it, "
            "or send it as PDF."
        )
    if extension in ("docx", "pptx") and found in (_BINARY, "application/zip"):
        return _ORDER
    named = f"Name it .{right[0]} (or set such a `filename`), or e" if right else "E"
    return f"{named}xport it as real {extension.upper()}."
