"""Small pictures for the HTML report, made with Pillow where it is installed (extra `report`)."""

from __future__ import annotations

import base64
import io
import stat
import warnings
from collections.abc import Callable
from pathlib import Path

_EDGE = 64  # pixels
_MOST_PIXELS = 50_000_000  # of a source, some 150 MB unpacked
_LARGEST = 50_000_000  # bytes of a source
# Decoders for what a PIM shows; others run more code on foreign bytes than a thumbnail is worth.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def thumbnailer() -> Callable[[str], str | None]:
    """A function from a file's path to a `data:` URI of at most 64 by 64 pixels, or None for what is no
    picture, too large, or broken. Without Pillow it is always None."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        return lambda path: None

    def thumbnail(path: str) -> str | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                found = Path(path).stat()
                if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
                    return None
                with Image.open(path, formats=_FORMATS) as image:
                    if image.width * image.height > _MOST_PIXELS:
                        return None
                    image.draft("RGB", (_EDGE, _EDGE))  # lets a JPEG be read at an eighth of its size
                    small = ImageOps.exif_transpose(image)
                    small.thumbnail((_EDGE, _EDGE))
                    out = io.BytesIO()
                    small.convert("RGBA").save(out, "WEBP", quality=60)
        except Exception:  # a decoder may raise anything on foreign bytes, and a thumbnail is no matter
            return None
        return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode('ascii')}"

    return thumbnail
