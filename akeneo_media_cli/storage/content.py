"""What a file's first bytes say it is, held against what its name says. Only clear contradictions count."""

from __future__ import annotations

HEAD = 4096
"""How many bytes from a file's start are enough to judge it."""

_EXTENSIONS = {
    "JPEG": "jpg jpeg jpe jfif jif",
    "PNG": "png apng",
    "GIF": "gif",
    "WebP": "webp",
    # Most raw formats of cameras are TIFF inside.
    "TIFF": "tif tiff dng cr2 nef arw",
    "BMP": "bmp dib",
    "Photoshop": "psd psb",
    "PDF": "pdf",
    # One container for all of these; which one it is, its brand tells only roughly.
    "MP4": "mp4 m4v m4a mov 3gp heic heif avif",
    "Matroska": "mkv webm",
    "AVI": "avi",
    "WAV": "wav",
    "FLAC": "flac",
    "Ogg": "ogg oga ogv",
    "MP3": "mp3",
    "ZIP": "zip docx xlsx pptx odt ods odp epub",
    "Office 97": "doc xls ppt",
    "gzip": "gz tgz",
    "7-Zip": "7z",
    "RAR": "rar",
    "text": "svg txt csv xml html htm json md",
}
_KINDS = {extension: kind for kind, extensions in _EXTENSIONS.items() for extension in extensions.split()}
# Two or three bytes that other files begin with as well are no proof of a contradiction.
_UNPROVEN = frozenset(("BMP", "MP3"))
_PAGES = (b"<!doctype html", b"<html")
_SURE_IN_TEXT = (b"%PDF-", b"GIF87a", b"GIF89a")


def contradiction(head: bytes, extension: str) -> str | None:
    """The usual extension for what `head` clearly is, if a file named `.extension` cannot be that.

    `head` is a file's first `HEAD` bytes. None where nothing contradicts: the content is of an unknown
    kind or just text, or nothing is known of the extension.
    """
    import filetype  # type: ignore[import-untyped]

    named = _KINDS.get(extension.lower())
    if named is None:
        return None
    guess = filetype.guess(head)
    if guess is None:
        # What a web server sends in place of a picture: a page to log in, or one that tells of an error.
        return "html" if named != "text" and head.lstrip()[:15].lower().startswith(_PAGES) else None
    kind = _KINDS.get(guess.extension)
    if kind is None or kind == named or kind in _UNPROVEN:
        return None
    if _is_text(head) and kind != "WebP" and not head.startswith(_SURE_IN_TEXT):
        return None
    return str(guess.extension)


def _is_text(head: bytes) -> bool:
    text = head.decode("utf-8", "replace")
    # A character cut in two at the end of the head is no fault of the file.
    whole = text[:-1] if len(head) == HEAD else text
    return "\ufffd" not in whole and all(c.isprintable() or c.isspace() for c in whole)
