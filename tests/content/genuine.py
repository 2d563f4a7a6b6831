"""Small files that are what their extension says."""

from __future__ import annotations

import io
import zipfile

from PIL import Image

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + b"x" * 50 + b"\xff\xd9"


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return stream.getvalue()


def picture(format: str, mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (20, 10), 128).save(stream, format)
    return stream.getvalue()


GENUINE = {
    "jpg": picture("JPEG"),
    "JPEG": picture("JPEG", "CMYK"),
    "jfif": JPEG,
    "png": picture("PNG", "RGBA"),
    "gif": picture("GIF", "L"),
    "webp": picture("WEBP"),
    "tif": picture("TIFF"),
    "tiff": picture("TIFF", "CMYK"),
    "bmp": picture("BMP"),
    "psd": b"8BPS\0\1" + bytes(6) + b"\0\3" + bytes(100),
    "pdf": picture("PDF"),
    "mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(100),
    "mov": b"\0\0\0\x14ftypqt  \0\0\2\0qt  " + bytes(100),
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
    "docx": zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    "xlsx": zipped("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
    "zip": zipped("a.jpg"),
    "doc": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(100),
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "txt": "Grüße\n".encode(),
    "csv": "ä;ö\n".encode("cp1252"),
    "ai": picture("PDF"),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n",
}
