"""The MIME type that PHP's fileinfo finds in a file: the PIM compares it with an attribute's extensions.

PHP has libmagic and its rules inside, each version another one. These are the rules that matter for what
people put in a PIM, in the order in which libmagic tries them, checked against PHP 8.2 and 8.4 with files of
real encoders (tests/content). Source: docs/pim-behaviour.md, "What a file's type is to the PIM".
"""

from __future__ import annotations

from .ole import MAGIC as OLE
from .ole import ole_type
from .sample import TEXT, Sample
from .signature_types import BINARY, signature_type
from .text import Php, is_csv, is_text, json_type
from .text_types import text_type

EMPTY = "application/x-empty"
_BOM = b"\xef\xbb\xbf"


def mime_type(sample: Sample, php: Php = "8.2") -> str:
    """The type of a file to a version of PHP.

    Raises TooFarError where the bytes at hand do not tell; OSError.
    """
    if sample.size == 0:
        return EMPTY
    if sample.size == 1:
        return BINARY
    head = sample.head()
    plain = _plain(head)
    if plain:
        told = _structured(sample, php)
        if told is not None:
            return told
    elif head.startswith(OLE):
        return ole_type(sample)
    return signature_type(sample, php) or _text(sample, php)


def _plain(head: bytes) -> bool:
    """May it be text? A file with the signature of a format that is not text is never text."""
    return not head.startswith((OLE, b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"%PDF"))


def _structured(sample: Sample, php: Php) -> str | None:
    """JSON and CSV come before all else."""
    head = sample.head()
    whole = sample.size is not None and sample.size <= TEXT
    if head.lstrip(b" \t\r\n")[:1] in (b"{", b"["):
        data = sample.start(TEXT)
        found = json_type(data, whole, php)
        if found is not None:
            return found
    if b"," in head and b"\n" in head:
        data = sample.start(TEXT)
        if is_text(data, php) and is_csv(data, php):
            return "text/csv"
    return None


def _text(sample: Sample, php: Php) -> str:
    data = sample.start(TEXT)
    if sample.size is not None and len(data) == sample.size:
        # Zero bytes at the end do not count, but for one where the file has an even length.
        trimmed = data.rstrip(b"\0")
        data = data[: len(trimmed) + (len(data) % 2 == 0 and len(trimmed) % 2)]
    if not data or not is_text(data, php):
        return BINARY
    return text_type(_as_utf8(data), php)


def _as_utf8(data: bytes) -> bytes:
    if data.startswith(_BOM):
        return data[len(_BOM) :]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data
