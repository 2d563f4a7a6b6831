"""MIME types as the PIM's libmagic tells them, from the first bytes
(docs/pim-behaviour.md, "What a file's type is to the PIM").

The table holds what people put in a PIM, in libmagic's spelling, which the PIM compares with its own list of
allowed types. Measured with PHP 8.2's fileinfo, as in the recordings: text of 64 KiB or more, or of one or
two bytes, passes for binary.
"""

from __future__ import annotations

import json
import re

HEAD = 65536
"""Bytes of a file's beginning that `mime_type` wants to see. A file that is longer is no text to the PIM."""

BINARY = "application/octet-stream"
_CSV_LINES = 10
_CONTROLS = bytes(b for b in range(32) if b not in (7, 8, 9, 10, 12, 13, 27))
_QUOTED = re.compile(rb'"[^"]*"?')

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"\xef\xbb\xbf%PDF-", "application/pdf"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/CDFV2"),
    (0, b"{\\rtf", "text/rtf"),
    (0, b"%!", "application/postscript"),
    (0, b"MZ", "application/x-dosexec"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"#!/bin/sh", "text/x-shellscript"),
    (0, b"<?php", "text/x-php"),
)
_OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
)


def mime_type(head: bytes, size: int) -> str:
    """The type of a file of `size` bytes that begins with `head`, which holds HEAD bytes if the file does."""
    if size == 0:
        return "application/x-empty"
    utf_16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    plain = size < HEAD and (utf_16 or len(head.translate(None, _CONTROLS)) == size)
    if plain and _is_json(head):
        return "application/json"
    if plain and _is_csv(head):
        return "text/csv"
    found = _by_magic(head)
    if found:
        return found
    return _kind_of_text(head) if plain and size > 2 else BINARY


def _is_json(text: bytes) -> bool:
    """libmagic is content with a text that begins with an object or an array."""
    decoded = text.decode("latin-1").lstrip()
    if not decoded.startswith(("{", "[")):
        return False
    try:
        json.JSONDecoder().raw_decode(decoded)
    except (ValueError, RecursionError):
        return False
    return True


def _is_csv(text: bytes) -> bool:
    """At least three lines, and the same number of commas, above none, in each of the first ten."""
    counts = [line.count(b",") for line in _QUOTED.sub(b"", text).split(b"\n")[:-1]][:_CSV_LINES]
    return len(counts) > 2 and counts[0] > 0 and len(set(counts)) == 1


def _by_magic(head: bytes) -> str | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png" if head[12:16] == b"IHDR" else None
    if head.startswith(b"RIFF"):
        return {b"WEBP": "image/webp", b"WAVE": "audio/x-wav", b"AVI ": "video/x-msvideo"}.get(head[8:12])
    for offset, magic, name in _MAGIC:
        if head.startswith(magic, offset):
            return _office(head) if name == "application/zip" else name
    return None


def _office(head: bytes) -> str:
    if b"[Content_Types].xml" in head or b"_rels/.rels" in head:
        for folder, name in _OFFICE:
            if folder in head:
                return name
    return "application/zip"


def _kind_of_text(head: bytes) -> str:
    start = head[:1024].lstrip().lower()
    if start.startswith((b"<?xml", b"<svg")):
        return "image/svg+xml" if b"<svg" in start else "text/xml"
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    return "text/plain"
