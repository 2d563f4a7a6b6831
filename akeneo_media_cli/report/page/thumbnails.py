"""Small pictures for the HTML report, made with Pillow where it is installed (extra `report`)."""

from __future__ import annotations

import base64
import io
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_MOST_PIXELS = 50_000_000  # of a source, some 150 MB unpacked
_LARGEST = 50_000_000  # bytes of a source
# Decoders for what a PIM shows; others run more code on foreign bytes than a thumbnail is worth.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class Thumbnail(NamedTuple):
    """A small picture as a `data:` URI, and the pixels of the picture that it was made of."""

    uri: str
    width: int
    height: int


def thumbnailer(edge: int = 64) -> Callable[[str | bytes], Thumbnail | None]:
    """A function from a file's path, or its bytes, to a picture of at most `edge` by `edge` pixels.

    It gives None for what is not a picture, too large, or broken; without Pillow always.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        return lambda source: None

    def thumbnail(source: str | bytes) -> Thumbnail | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                if isinstance(source, str):
                    found = Path(source).stat()
                    if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
                        return None
                with Image.open(
                    source if isinstance(source, str) else io.BytesIO(source), formats=_FORMATS
                ) as image:
                    if image.width * image.height > _MOST_PIXELS:
                        return None
                    width, height = image.size
                    image.draft("RGB", (edge, edge))  # lets a JPEG be read at an eighth of its size
                    small = ImageOps.exif_transpose(image)
                    if (small.width > small.height) != (width > height):
                        width, height = height, width
                    small.thumbnail((edge, edge))
                    out = io.BytesIO()
                    small.convert("RGBA").save(out, "WEBP", quality=60)
        except Exception:  # a decoder may raise anything on foreign bytes, and a thumbnail is no matter
            return None
        encoded = base64.b64encode(out.getvalue()).decode("ascii")
        return Thumbnail(f"data:image/webp;base64,{encoded}", width, height)

    return thumbnail
