"""What a file's extension requires of its first bytes, and which format other bytes are.

Only formats with a signature are here. Formats that one container holds count as one: a PIM's users name MP4
films `.mov` and the other way round, and both work.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

Test = Callable[[bytes], bool]


class Format(NamedTuple):
    """A format with a signature. `extensions`: those that promise it. `usual`: the one to give it."""

    name: str
    extensions: tuple[str, ...]
    matches: Test
    usual: str = ""

    @property
    def extension(self) -> str:
        """The extension that says it best."""
        return self.usual or self.extensions[0]


def _starts(*starts: bytes, at: int = 0) -> Test:
    return lambda head: head.startswith(starts, at)


def _has(pattern: bytes, within: int = 4096) -> Test:
    compiled = re.compile(pattern)
    return lambda head: compiled.search(head, 0, within) is not None


def _riff(*forms: bytes) -> Test:
    containers = (b"RIFF", b"RIFX", b"RF64", b"BW64")
    return lambda head: head.startswith(containers) and head[8:12] in forms


_BOXES = frozenset(b"ftyp moov mdat free skip wide pnot styp uuid sidx moof emsg prft junk meta".split())


def _iso(*brands: bytes) -> Test:
    """Files of ISO's base format: of these brands, or of any."""
    if brands:
        return lambda head: head[4:8] == b"ftyp" and head[8:12] in brands
    return lambda head: head[4:8] in _BOXES


_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_JXL = b"\0\0\0\x0cJXL \r\n\x87\n"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def _is_sound(head: bytes) -> bool:
    """MPEG sound: a tag, or the sync of a frame that is one of layer I to III."""
    return head.startswith((b"ID3", b"APETAGEX", b"TAG")) or (
        len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 6 != 0 and head[1] != 0xFF
    )


def _is_wave(head: bytes) -> bool:
    return _riff(b"WAVE")(head) or head.startswith(b"riff\x2e\x91\xcf\x11")


def _is_aac(head: bytes) -> bool:
    return len(head) > 2 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0


FORMATS = (
    Format("JPEG", ("jpg", "jpeg", "jpe", "jfif", "jif", "mpo"), _starts(b"\xff\xd8\xff")),
    Format("PNG", ("png", "apng"), _starts(b"\x89PNG\r\n\x1a\n")),
    Format("GIF", ("gif",), _starts(b"GIF87a", b"GIF89a")),
    Format("WebP", ("webp",), _riff(b"WEBP")),
    Format("TIFF", ("tif", "tiff"), _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    Format("BMP", ("bmp",), lambda head: head[:2] in (b"BM", b"BA") and b"\0" in head[:18]),
    Format("Photoshop", ("psd", "psb"), _starts(b"8BPS")),
    Format("HEIC", (), _iso(b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "heic"),
    Format("AVIF", (), _iso(b"avif", b"avis"), "avif"),
    Format("JPEG XL", ("jxl",), _starts(b"\xff\x0a", _JXL)),
    Format("JPEG 2000", ("jp2", "j2k", "jpf", "jpx"), _starts(_JP2, b"\xff\x4f\xff\x51")),
    Format("PDF", ("pdf",), _has(rb"%PDF-")),
    Format("PostScript", ("eps", "ps", "epsf"), _has(rb"%!|\xc5\xd0\xd3\xc6", 1024)),
    Format("QuickTime", (), _iso(b"qt  "), "mov"),
    Format("M4A", (), _iso(b"M4A ", b"M4B "), "m4a"),
    Format(
        "MP4", ("mp4", "m4v", "m4a", "m4b", "mov", "qt", "3gp", "3g2", "f4v", "heic", "heif", "avif"), _iso()
    ),
    Format("Matroska", ("mkv", "webm", "mka"), _starts(b"\x1a\x45\xdf\xa3")),
    Format("AVI", ("avi",), _riff(b"AVI ", b"AVIX")),
    Format("WAV", ("wav", "wave"), _is_wave),
    Format("Windows Media", ("wmv", "wma", "asf"), _starts(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")),
    Format("Flash video", ("flv",), _starts(b"FLV")),
    Format("FLAC", ("flac",), _starts(b"fLaC")),
    Format("Ogg", ("ogg", "oga", "ogv", "opus"), _starts(b"OggS")),
    Format("AIFF", ("aif", "aiff", "aifc"), lambda head: head[:4] == b"FORM" and head[8:11] == b"AIF"),
    Format("MIDI", ("mid", "midi"), _starts(b"MThd")),
    Format("AAC", (), _is_aac, "aac"),
    Format("MP3", ("mp3", "mp2", "mpga"), _is_sound),
    Format(
        "ZIP",
        (
            "zip", "docx", "docm", "xlsx", "xlsm", "pptx", "pptm", "odt", "ods", "odp", "odg", "epub", "usdz",
            "3mf", "idml", "kmz",
        ),
        _starts(*_ZIP),
    ),
    Format("Office 97", ("ppt",), _starts(_OLE)),
    Format("RTF", ("rtf",), lambda head: head.lstrip().startswith((b"{\\rtf", b"{\\urtf"))),
    Format("gzip", ("gz", "tgz", "svgz"), _starts(b"\x1f\x8b")),
    Format("7-Zip", ("7z",), _starts(b"7z\xbc\xaf\x27\x1c")),
    Format("RAR", ("rar",), _starts(b"Rar!\x1a\x07")),
    Format("bzip2", ("bz2",), _starts(b"BZh")),
    Format("XZ", ("xz",), _starts(b"\xfd7zXZ\0")),
    Format("glTF", ("glb",), _starts(b"glTF")),
    Format("WOFF", ("woff",), _starts(b"wOFF")),
    Format("WOFF2", ("woff2",), _starts(b"wOF2")),
    Format("Windows program", ("exe", "dll"), lambda head: head[:2] == b"MZ" and b"\0" in head[:64]),
    Format("InDesign", ("indd",), _starts(b"\x06\x06\xed\xf5\xd8\x1d\x46\xe5")),
)  # fmt: skip
_BY_EXTENSION = {extension: each for each in FORMATS for extension in each.extensions}
_ALSO: dict[str, tuple[Test, ...]] = {
    # Office files with a password are OLE inside, whatever their version.
    **dict.fromkeys(("docx", "docm", "xlsx", "xlsm", "pptx", "pptm"), (_starts(_OLE),)),
    # A TIFF file may be an old one of JPEG XR, a picture from a camera a TIFF.
    "tif": (_starts(b"II\xbc\x01"),),
    "flac": (_starts(b"ID3"),),
    "ai": (_has(rb"%PDF-"), _has(rb"%!|\xc5\xd0\xd3\xc6", 1024)),
    # Word, Excel and PowerPoint open these under the old names, and a PIM stores them.
    "ppt": (_starts(*_ZIP),),
    "doc": (_starts(_OLE, *_ZIP, b"\xdb\xa5-\0", b"\x31\xbe\0\0"),),
    "xls": (_starts(_OLE, *_ZIP, b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\0\x04\0"),),
}


def required(extension: str) -> tuple[str, tuple[Test, ...]] | None:
    """What a file named `.extension` must have: the format's name, and tests of which one must hold.

    None for extensions without a signature. `extension` in lower case.
    """
    own = _BY_EXTENSION.get(extension)
    more = _ALSO.get(extension, ())
    if own is not None:
        return own.name, (own.matches, *more)
    return (extension.upper(), more) if more else None


def format_of(head: bytes) -> Format | None:
    """The format that a file has that begins with `head`; None for texts and all else."""
    return next((each for each in FORMATS if each.matches(head)), None)
