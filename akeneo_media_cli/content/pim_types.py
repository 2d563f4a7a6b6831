"""The PIM's own table of MIME types, which it compares with a file's content where extensions are restricted.

Source: docs/pim-behaviour.md, "What a file's type is to the PIM".
"""

from __future__ import annotations

_DOCUMENT = "application/vnd.openxmlformats-officedocument."
_TABLE = (
    ("mp3", ("audio/mpeg",)),
    ("wav", ("audio/x-wav",)),
    ("jpg jpeg jfif jif", ("image/jpeg",)),
    ("svg", ("image/svg+xml",)),
    ("png", ("image/png",)),
    ("gif", ("image/gif",)),
    ("tif tiff", ("image/tiff",)),
    ("txt", ("text/plain",)),
    ("rtf", ("text/rtf",)),
    ("csv", ("text/x-comma-separated-values", "text/csv", "text/plain")),
    ("psd", ("application/x-photoshop",)),
    ("pdf", ("application/pdf",)),
    ("doc", ("application/msword",)),
    ("docx", (_DOCUMENT + "wordprocessingml.document",)),
    ("ppt", ("application/powerpoint",)),
    ("pptx", (_DOCUMENT + "presentationml.presentation",)),
)
MIME_TYPES = {extension: types for extensions, types in _TABLE for extension in extensions.split()}
"""Extension, in lower case, to the types that are taken. For any other extension every content is taken."""


def is_taken(extension: str, mime_type: str) -> bool:
    """Does the PIM take this content under this extension, once the attribute allows the extension?"""
    types = MIME_TYPES.get(extension.lower())
    return types is None or mime_type in types
