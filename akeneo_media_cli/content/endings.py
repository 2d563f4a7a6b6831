"""Does a file end where its format says? Most downloads and copies that broke off do not.

Only the beginning and the end are read, and the headers in between. A file is read whole only where it has no
end where one belongs, and something may be appended, as phones append films to pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import calcsize, unpack_from

from .sample import Sample, TooFarError

_TAIL = 65536
_PIECE = 1 << 20
_MOST_STEPS = 100_000
"""Chunks or boxes that are stepped over; a file with more is believed to be whole."""
_STREAMED = 0x7FFF_0000
"""Sizes from here on stand for "unknown": a program wrote to a pipe and could not go back to fill it in."""
_MOST_PAGES = 64
_OFFSET, _LENGTH = "offset", "length"
_STRIPS = {273: _OFFSET, 279: _LENGTH, 324: _OFFSET, 325: _LENGTH}
_INTEGERS = {3: "H", 4: "I", 16: "Q"}
"""Types of TIFF's values."""
_LONGEST_COMMENT = 65557
_PNG_END = b"\0\0\0\0IEND\xae\x42\x60\x82"
_ZIP_END = b"PK\x05\x06"
# A PDF for the web has an end of its first part, too.
_PDF_FIRST_PART = re.compile(rb"startxref\s+0\s+%%EOF(?!(?s:.*)startxref)")
_PDF_END = re.compile(rb"startxref\s+[1-9][0-9]*\s+%%EOF")
_BOXES = frozenset(
    b"ftyp moov mdat free skip wide uuid moof mfra sidx meta styp jp2h jp2c jxlc jxlp jxll jbrd Exif".split()
) | {b"jP  ", b"JXL ", b"xml "}


def truncation(sample: Sample) -> str | None:
    """What is missing at a file's end, for a message; None if the file is complete or of another format.

    Raises OSError. What needs more bytes than are at hand is not looked at.
    """
    head = sample.head()
    size = sample.size
    if size is None:
        return None
    check = next((check for start, at, check in _CHECKS if head.startswith(start, at)), None)
    try:
        return check(sample, head, size) if check is not None else None
    except TooFarError:
        return None


def _png(sample: Sample, head: bytes, size: int) -> str | None:
    if _PNG_END in sample.at(max(size - _TAIL, 0), _TAIL):
        return None
    at = 8
    for _ in range(_MOST_STEPS):
        try:
            chunk = sample.at(at, 8)
        except TooFarError:
            # Of a stream only both ends are kept; nobody appends that much to a PNG.
            return "its last chunk (IEND) is missing"
        if len(chunk) < 8:
            return "its last chunk (IEND) is missing"
        at += 12 + int.from_bytes(chunk[:4], "big")
        if chunk[4:] == b"IEND":
            return None
    return None


def _gif(sample: Sample, head: bytes, size: int) -> str | None:
    end = sample.at(max(size - 1024, 0), 1024).rstrip(b"\0")
    if end.endswith(b";") or not end:
        return None
    flags = head[10] if len(head) > 10 else 0
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    for _ in range(_MOST_STEPS):
        start = sample.at(at, 10)
        if start[:1] == b"!":
            at += 2
        elif start[:1] == b"," and len(start) == 10:
            at += 11 + (3 << (start[9] & 7) + 1 if start[9] & 0x80 else 0)
        else:
            # Bytes that begin no block: something else than the end is wrong, or the end is here.
            return None if start else "its end (the trailer) is missing"
        at = _after_blocks(sample, at, size)
        if at >= size:
            return "its end (the trailer) is missing"
    return None


def _after_blocks(sample: Sample, at: int, size: int) -> int:
    """Behind the row of blocks at `at`; `size` where that goes to the end, or further than can be seen."""
    try:
        while length := int.from_bytes(sample.at(at, 1), "big"):
            at += length + 1
            if at >= size:
                return size
    except TooFarError:
        return size
    return at + 1


def _riff(sample: Sample, head: bytes, size: int) -> str | None:
    if len(head) < 12:
        return "its header is cut off"
    (told,) = unpack_from("<I", head, 4)
    # An odd length is filled up with a byte that some programs leave out.
    missing = told + 8 - size
    if missing <= 1 or told >= _STREAMED:
        return None
    return f"its header announces {told + 8:,} bytes, it has {size:,}"


def _pdf(sample: Sample, head: bytes, size: int) -> str | None:
    tail = sample.at(max(size - 4096, 0), 4096)
    if b"%%EOF" in tail and not _PDF_FIRST_PART.search(tail):
        return None
    end = sample.at(max(size - _TAIL, 0), _TAIL)
    if _PDF_END.search(end):
        return None
    return "its end (%%EOF) is missing"


def _zip(sample: Sample, head: bytes, size: int) -> str | None:
    if sample.at(size - 22, 4) == _ZIP_END:
        return None
    tail = sample.at(max(size - _LONGEST_COMMENT, 0), _LONGEST_COMMENT)
    if 0 <= tail.rfind(_ZIP_END) <= len(tail) - 22:
        return None
    return "its end (the list of its members) is missing"


def _jpeg(sample: Sample, head: bytes, size: int) -> str | None:
    if sample.at(size - 2, 2) == b"\xff\xd9":
        return None
    scan = _first_scan(sample)
    if scan is None:
        return "its picture data is missing"
    tail = max(size - _TAIL, scan)
    end = sample.at(tail, size - tail)
    if b"\xff\xd9" in end:
        return None
    try:
        # A film behind the picture may be long.
        if any(b"\xff\xd9" in piece for piece in _pieces(sample, scan, tail)):
            return None
    except TooFarError:
        # Of a stream only both ends are kept. In a scan nothing but these follows 0xFF.
        if re.search(rb"\xff[^\x00\xd0-\xd7\xff]", end):
            return None
    return "its end marker is missing"


def _first_scan(sample: Sample) -> int | None:
    """Where the first scan of a JPEG begins; None where the file ends before it."""
    at = 2
    for _ in range(_MOST_STEPS):
        marker = sample.at(at, 4)
        if len(marker) < 4:
            return None
        if marker[0] != 0xFF:
            # Some cameras leave bytes between segments.
            at += 1
        elif marker[1] == 0xDA:
            return at
        elif marker[1] in (0xFF, 0x00, 0x01) or 0xD0 <= marker[1] <= 0xD7:
            at += 1 if marker[1] == 0xFF else 2
        else:
            at += 2 + int.from_bytes(marker[2:], "big")
    return at


def _pieces(sample: Sample, at: int, end: int) -> Iterator[bytes]:
    while at < end:
        # One byte twice: the marker may lie across two pieces.
        yield sample.at(at, min(_PIECE, end - at) + 1)
        at += _PIECE


def _tiff(sample: Sample, head: bytes, size: int) -> str | None:
    order = "<" if head.startswith(b"II") else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    if len(head) < (16 if big else 8):
        return "its header is cut off"
    (at,) = unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    number = order + ("Q" if big else "H")
    for _ in range(_MOST_PAGES):
        start = sample.at(at, 8 if big else 2)
        if len(start) < (8 if big else 2):
            return f"its directory is at byte {at:,}, it has {size:,} bytes"
        (count,) = unpack_from(number, start)
        last = _last_strip(sample, at + len(start), count, order, big)
        if last > size:
            return f"its picture data goes to byte {last:,}, it has {size:,}"
        after = at + (8 + 20 * count if big else 2 + 12 * count)
        next_at = sample.at(after, 8 if big else 4)
        if len(next_at) < (8 if big else 4):
            # Programs that write one page leave out the offset of the next.
            return None if after <= size else f"its directory ends at byte {after:,}, it has {size:,}"
        at = int.from_bytes(next_at, "little" if order == "<" else "big")
        if at == 0:
            break
    return None


def _last_strip(sample: Sample, at: int, count: int, order: str, big: bool) -> int:
    """The byte to which a page's picture data goes at least; 0 where that is not told."""
    width, form = (20, "Q") if big else (12, "I")
    entries = sample.at(at, min(count, 4096) * width)
    found: dict[str, tuple[int, int]] = {}
    for entry in range(0, len(entries) - width + 1, width):
        tag, kind = unpack_from(order + "HH", entries, entry)
        if tag in _STRIPS and kind in _INTEGERS:
            (number,) = unpack_from(order + form, entries, entry + 4)
            item, values = order + _INTEGERS[kind], entry + width - calcsize(order + form)
            data, last = entries[values : entry + width], (number - 1) * calcsize(item)
            if number * calcsize(item) > calcsize(order + form):
                data, last = sample.at(unpack_from(order + form, data)[0] + last, calcsize(item)), 0
            if 0 <= last <= len(data) - calcsize(item):
                found[_STRIPS[tag]] = number, unpack_from(item, data, last)[0]
    strips, offset = found.get(_OFFSET, (0, 0))
    # Lengths are often a little too long; where there are many strips, a missing one is told by its offset.
    length = found.get(_LENGTH, (0, 0))[1] if strips == 1 else 0
    return offset + length - length // 16


def _boxes(sample: Sample, head: bytes, size: int) -> str | None:
    at = 0
    for _ in range(_MOST_STEPS):
        box = sample.at(at, 16)
        if len(box) < 8 or box[4:8] not in _BOXES:
            return None
        length = int.from_bytes(box[:4], "big")
        if length == 1:
            length = int.from_bytes(box[8:16], "big")
        if length < 8:
            # 0: to the end of the file.
            return None
        at += length
        if at > size:
            return f"its part `{box[4:8].decode().strip()}` ends at byte {at:,}, it has {size:,} bytes"
    return None


_CHECKS = (
    (b"\x89PNG\r\n\x1a\n", 0, _png),
    (b"\xff\xd8\xff", 0, _jpeg),
    (b"GIF8", 0, _gif),
    (b"RIFF", 0, _riff),
    (b"%PDF-", 0, _pdf),
    (b"PK\x03\x04", 0, _zip),
    (b"II*\0", 0, _tiff),
    (b"MM\0*", 0, _tiff),
    (b"II+\0", 0, _tiff),
    (b"MM\0+", 0, _tiff),
    (b"ftyp", 4, _boxes),
    (b"jP  ", 4, _boxes),
    (b"JXL ", 4, _boxes),
)
