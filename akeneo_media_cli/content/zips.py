"""What a ZIP is to PHP: office files are told by the order of their members."""

from __future__ import annotations

import re
from struct import unpack_from

from .sample import Sample
from .text import Php

BINARY = "application/octet-stream"
_ZIP = "application/zip"
_HEADER = b"PK\x03\x04"
_NAME_AT = 30
_SEARCHED = 6000
"""Bytes behind one member in which PHP looks for the next."""
_OOXML = re.compile(rb"\[Content_Types\]\.xml|_rels/\.rels|docProps")
_OOXML_84 = re.compile(rb"\[Content_Types\]\.xml|_rels/\.rels|docProps|customXml")
_DOCUMENT = "application/vnd.openxmlformats-officedocument."
_FOLDERS = (
    (b"word/", _DOCUMENT + "wordprocessingml.document"),
    (b"ppt/", _DOCUMENT + "presentationml.presentation"),
    (b"xl/", _DOCUMENT + "spreadsheetml.sheet"),
    (b"visio/", "application/vnd.ms-visio.drawing.main+xml"),
)
_LOOKED_AT = {"8.2": 4, "8.4": 5}
"""The last member whose name counts; the second never does."""
_MIMETYPE = b"\x08\0\0\0mimetype"
_OPEN = re.compile(
    rb"application/(vnd\.oasis\.opendocument\.(?:text|graphics|presentation|spreadsheet|chart|formula|database"
    rb"|image)(?:-template|-web|-master)?|vnd\.sun\.xml\.(?:writer|calc|draw|impress|math|base)"
    rb"(?:\.template|\.web|\.global)?|epub\+zip)"
)


def zip_type(sample: Sample, php: Php) -> str:
    """The type of a file that begins with a ZIP's local header."""
    head = sample.start()
    found = _office(sample, php)
    if found is not None:
        return found
    if head[26:38] == _MIMETYPE:
        told = _OPEN.match(head, 38)
        return told.group().decode() if told else _ZIP
    name = head[_NAME_AT : _NAME_AT + 19]
    if php == "8.2" and name.startswith(b"doc.kml"):
        return "application/vnd.google-earth.kmz"
    if php == "8.4" and name == b"AndroidManifest.xml":
        return "application/vnd.android.package-archive"
    return _ZIP


def _office(sample: Sample, php: Php) -> str | None:
    head = sample.start()
    found = _folder(head[_NAME_AT : _NAME_AT + 6])
    if found is not None:
        return found
    marks = _OOXML if php == "8.2" else _OOXML_84
    if not marks.search(head, _NAME_AT) and not marks.search(sample.start(8192), _NAME_AT):
        return None
    size = unpack_from("<I", head, 18)[0]
    # A member of unknown size has 0 there, one of a ZIP64 0xFFFFFFFF, which PHP 8.2 adds to modulo 2**32.
    second = (size + 49) % 2**32 if php == "8.2" else size + 49
    at = second
    for member in range(2, _LOOKED_AT[php] + 1):
        header = _next(sample, at)
        if header is None:
            return None
        at = header + _NAME_AT
        if member == 2:
            continue
        found = _folder(sample.at(at, 6))
        if found is not None:
            return found
        at += 26
    # It has found no type, and yet it looks no further.
    return BINARY


def _next(sample: Sample, at: int) -> int | None:
    found = sample.at(at, _SEARCHED + len(_HEADER)).find(_HEADER)
    return None if found < 0 else at + found


def _folder(name: bytes) -> str | None:
    return next((mime for start, mime in _FOLDERS if name.startswith(start)), None)
