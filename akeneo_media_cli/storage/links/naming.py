"""The name of a file behind a link whose own name is unusual: what its host says."""

from __future__ import annotations

from contextlib import suppress
from email.message import Message

_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/tiff": "tif",
    "image/svg+xml": "svg",
    "image/bmp": "bmp",
    "image/heic": "heic",
    "image/avif": "avif",
    "image/jxl": "jxl",
    "image/vnd.adobe.photoshop": "psd",
    "application/pdf": "pdf",
    "application/postscript": "eps",
    "application/zip": "zip",
    "application/rtf": "rtf",
    "text/rtf": "rtf",
    "text/plain": "txt",
    "text/csv": "csv",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "application/msword": "doc",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
_LONGEST = 200


def served_name(disposition: str | None) -> str | None:
    """The file name in a `Content-Disposition`, without folders; None where there is none to use."""
    if not disposition:
        return None
    message = Message()
    message["Content-Disposition"] = " ".join(disposition.split())
    try:
        name = message.get_filename() or ""
    except (ValueError, LookupError):
        return None
    with suppress(UnicodeError):
        # Headers are Latin-1 to HTTP; many hosts send UTF-8.
        name = name.encode("latin-1").decode("utf-8")
    name = name.replace("\\", "/").rpartition("/")[2].strip()
    usable = name.isprintable() and name.strip(".") and len(name) <= _LONGEST
    return name if usable else None


def named(name: str, served: str | None, content_type: str | None) -> str:
    """The name for a file whose link ends in `name`: the host's name, else the extension of its type."""
    if "." in name.strip("."):
        return name
    if served:
        return served
    kind = (content_type or "").partition(";")[0].strip().lower()
    extension = _EXTENSIONS.get(kind)
    return f"{name or 'file'}.{extension}" if extension else name
