"""What PHP takes a file for by its signature, text or not: the forms that a table of openings cannot tell."""

from __future__ import annotations

import re
from struct import unpack_from

from .openings import OPENINGS
from .sample import FIRST, Sample
from .text import Php
from .zips import zip_type

BINARY = "application/octet-stream"
_READ = 7 * 1024 * 1024
"""Bytes of a file that PHP reads."""
_LAST_TAG = 3
_PLOTTER = re.compile(rb"^-?[0-9]", re.MULTILINE)
_RIFF = {
    b"WAVE": "audio/x-wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"RMID": "audio/mid",
    b"ACON": "application/x-navi-animation", b"CDXA": "video/x-cdxa", b"sfbk": "audio/x-sfbk",
    b"PAL ": "application/x-riff", b"RDIB": "application/x-riff", b"RMMP": "application/x-riff",
    b"CDRA": "application/vnd.corel-draw",
}  # fmt: skip
_OGG = (
    (b"\x01vorbis", "audio/ogg"), (b"OpusHead", "audio/ogg"), (b"\x7fFLAC", "audio/ogg"),
    (b"Speex   ", "audio/ogg"), (b"\x80theora", "video/ogg"), (b"fishead\0", "video/ogg"),
    (b"\x01video\0\0\0", "video/ogg"), (b"\x80kate\0\0\0\0", "application/ogg"),
)  # fmt: skip
_IFF = {b"AIFF": "audio/x-aiff", b"AIFC": "audio/x-aiff", b"8SVX": "audio/x-aiff"}
# The brand of a file of ISO's base format; where a brand is missing here, PHP has no type for the file.
_BRANDS = {
    "video/mp4": "avc1 iso isml mp41 mp42 mmp4 dash F4V F4P ARRI bbxm M4P mobi niko"
    " NDSC NDSH NDSM NDSP NDSS NDXC NDXH NDXM NDXP",
    "video/x-m4v": "M4V",
    "audio/x-m4a": "M4A",
    "audio/mp4": "M4B F4A F4B MSNV NDAS",
    "video/quicktime": "qt mqt",
    "video/3gpp2": "3g2 KDDI",
    "video/3gpp": "3ge 3gg 3gh 3gm 3gp 3gr 3gs 3gt",
    "video/mj2": "mj2s MGSV",
    "video/vnd.dvb.file": "dvr1 emsg",
    "image/heic": "heic heix",
    "image/heic-sequence": "hevc hevx",
    "image/heif": "mif1 heim heis avic",
    "image/heif-sequence": "msf1 hevm hevs avcs",
    "image/avif": "avif avis",
    "image/jp2": "jp2 JP2",
    "image/jpx": "jpx",
    "image/jpm": "jpm",
}
_BY_BRAND = {brand.encode(): mime for mime, brands in _BRANDS.items() for brand in brands.split()}
_LONE_ATOMS = {b"moov": "video/quicktime", b"mdat": "video/quicktime", b"idsc": "image/x-quicktime",
               b"pckg": "application/x-quicktime-player"}  # fmt: skip
_NETPBM = {
    b"P1": "bitmap", b"P2": "graymap", b"P3": "pixmap", b"P4": "bitmap", b"P5": "greymap", b"P6": "pixmap",
}  # fmt: skip
_PLAIN_NETPBM = (b"P1", b"P2", b"P3")
_DIB_82 = (12, 40, 52, 56, 64, 108, 124, 128)
_DIB_84 = (12, 16, 24, 40, 48, 52, 56, 64, 108, 124)
_FONT_TABLE = re.compile(rb"[A-Za-z][A-Za-z][A-Za-z/][A-Za-z2 ]")
_TGA_DEPTHS = (1, 8, 15, 16, 24, 32)


def signature_type(sample: Sample, php: Php) -> str | None:
    """By signature: also texts that begin with one."""
    head = sample.head()
    if head.startswith(b"ID3"):
        return _tagged(sample, php)
    found = _by_form(sample, head, php) or _by_opening(head, php)
    if found is not None:
        return found
    return _frames(head) or _weak(sample, head, php)


def _tagged(sample: Sample, php: Php) -> str | None:
    """The type is that of what follows a tag of ID3. With nothing known there, it is not an MP3 to PHP."""
    head = sample.head()
    if len(head) < 10:
        return None
    a, b, c, d = head[6:10]
    at = ((a & 127) << 21 | (b & 127) << 14 | (c & 127) << 7 | d & 127) + 10
    inner = sample.at(at, FIRST) if at < _READ else b""
    found = signature_type(Sample.of(inner), php) if inner and not inner.startswith(b"ID3") else None
    return found or _weak(sample, head, php)


def _by_form(sample: Sample, head: bytes, php: Php) -> str | None:  # noqa: PLR0911 - a rule a line
    """The formats of which the opening does not tell all."""
    start = head[:4]
    if start[:2] == b"\xff\xd8":
        return "image/jpeg" if php == "8.2" or head[2:3] == b"\xff" else None
    if start == b"PK\x03\x04":
        return zip_type(sample, php)
    if start in (b"PK\x05\x06", b"PK\x07\x08"):
        return "application/zip"
    if start == b"RIFF":
        return _RIFF.get(head[8:12])
    if start == b"RF64":
        return "audio/x-wav" if head[8:12] == b"WAVE" else None
    if start == b"OggS":
        return next((mime for mark, mime in _OGG if head.startswith(mark, 28)), None)
    if start == b"FORM":
        return _IFF.get(head[8:12])
    if start == b"8BPS":
        known = php == "8.2" or int.from_bytes(head[18:22], "big") > 0
        return "image/vnd.adobe.photoshop" if known else None
    if start == b"\x1a\x45\xdf\xa3":
        kind = head.find(b"\x42\x82", 4)
        name = head[kind + 3 : kind + 11] if kind >= 0 else b""
        return "video/webm" if name[:4] == b"webm" else "video/x-matroska" if name == b"matroska" else None
    return _by_form_at_4(head, php)


def _by_form_at_4(head: bytes, php: Php) -> str | None:
    """Files of ISO's base format and of QuickTime: their first four bytes are a length."""
    atom = head[4:8]
    if atom == b"ftyp":
        brand = head[8:12]
        found = next((_BY_BRAND[brand[:n]] for n in (4, 3, 2) if brand[:n] in _BY_BRAND), None)
        return "video/mp4" if php == "8.4" and brand == b"XAVC" else found
    if atom == b"jP  ":
        brand = head[20:24]
        return _BY_BRAND.get(brand[:3]) or ("image/jp2" if php == "8.2" else None)
    if atom == b"wide" and php == "8.4":
        return "video/quicktime"
    if atom in _LONE_ATOMS:
        return _LONE_ATOMS[atom]
    return _by_numbers(head, php) or _netpbm(head)


def _by_numbers(head: bytes, php: Php) -> str | None:  # noqa: PLR0911 - a rule a line
    """Signatures with conditions."""
    if head.startswith((b"Standard Jet DB", b"Standard ACE DB"), 4):
        return "application/x-msaccess"
    if head[:2] == b"BM" and len(head) > 18:
        (size,) = unpack_from("<I", head, 14)
        if php == "8.2":
            return "image/x-ms-bmp" if size in _DIB_82 else None
        return "image/bmp" if size in _DIB_84 else None
    if head[:8] == b"AT&TFORM":
        return "image/vnd.djvu" if head[12:16] in (b"DJVU", b"DJVM", b"DJVI", b"THUM") else None
    if head[:4] == b"\xca\xfe\xba\xbe" and int.from_bytes(head[4:8], "big") > 30:
        return "application/x-java-applet"
    if head[:5] == b"\0\1\0\0\0" and _FONT_TABLE.match(head, 12):
        return "font/sfnt"
    if head[:2] == b"MZ" and b"\0" in head[:64]:
        return "application/x-dosexec"
    if php == "8.4" and head[:2] in (b"SP", b"PA") and _PLOTTER.search(head[2:]):
        return "application/vnd.hp-HPGL"
    if head[:3] in (b"FWS", b"CWS", b"ZWS") and 0 < head[3] < 60:
        return "application/x-shockwave-flash"
    if head[:5] == b"TABLE" and head[5:9] in (b"\r\n0,", b"\n0,1"):
        return "application/x-dif"
    return None


def _netpbm(head: bytes) -> str | None:
    # Of the plain kinds PHP also looks at the second byte: `SP3 screws` is a picture to it.
    at = 1 if head[1:3] in _PLAIN_NETPBM and head[:2] not in _NETPBM else 0
    kind = _NETPBM.get(head[at : at + 2])
    if kind is not None and head[at + 2 : at + 3] in (b" ", b"\t", b"\f", b"\r", b"\n"):
        return f"image/x-portable-{kind}"
    if head[:2] == b"P7" and b"WIDTH" in head[3:264]:
        return "image/x-portable-arbitrarymap"
    return None


def _by_opening(head: bytes, php: Php) -> str | None:
    for start, php82, php84 in OPENINGS:
        if head.startswith(start):
            return (php82 if php == "8.2" else php84) or None
    if head[36:40] == b"acsp":
        return "application/vnd.iccprofile"
    if head[128:132] == b"DICM":
        return "application/dicom"
    if _is_tar(head):
        return "application/x-tar"
    return None


def _is_tar(head: bytes) -> bool:
    """Is there the header of a member, with its checksum?"""
    told = head[148:156].strip(b" \0")
    if len(head) < 512 or not told.isdigit() or not set(told) <= set(b"01234567"):
        return False
    return sum(head[:148]) + sum(head[156:512]) + 8 * ord(" ") == int(told, 8)


def _frames(head: bytes) -> str | None:
    """Sound without a header: what two bytes say, for a file with no other signature."""
    if len(head) < _LAST_TAG or head[0] != 0xFF:
        return None
    second, rate = head[1], head[2] & 0xF0
    if second & 0xFE == 0xFA:
        return "audio/mpeg" if rate not in (0, 0xF0) else None
    if second & 0xFE in (0xFC, 0xF2, 0xF4, 0xF6, 0xE2):
        return "audio/mpeg"
    return "audio/x-hx-aac-adts" if second & 0xF6 == 0xF0 else None


def _weak(sample: Sample, head: bytes, php: Php) -> str | None:
    """Formats without a signature, told by a few numbers: icons and Targa pictures."""
    if head[:4] in (b"\0\0\x01\0", b"\0\0\x02\0") and len(head) > 22 and head[9] in (0, 0xFF):
        (offset,) = unpack_from("<I", head, 18)
        if offset & 6 and (sample.size is None or offset + 4 <= sample.size):
            return "image/vnd.microsoft.icon" if head[2] == 1 else "image/x-win-bitmap"
    if len(head) >= 18 and head[1] & 0xFE == 0 and head[2] & 0xC4 == 0 and head[7] & 0xC0 == 0:
        kind, depth, flags = head[2], head[16], head[17]
        if flags & 0xC0 != 0xC0 and 0 < kind < 34 and flags & 15 != 11 and depth in _TGA_DEPTHS:
            return "image/x-tga"
    return None
