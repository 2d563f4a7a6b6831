"""Is a picture whole? Decodes all of it, with Pillow (the extra `report`)."""

from __future__ import annotations

import warnings
from typing import BinaryIO

DECODED = frozenset(
    ("jpg", "jpeg", "jpe", "jfif", "jif", "png", "apng", "gif", "webp", "tif", "tiff", "bmp", "psd", "avif",
     "jp2")
)  # fmt: skip
"""Extensions of pictures that Pillow decodes."""
MOST_PIXELS = 300_000_000
"""A picture of more is not decoded: its pixels would take a gigabyte."""


class PillowMissingError(Exception):
    """The extra `report`, which brings Pillow, is not installed."""


def defect(file: BinaryIO) -> str | None:
    """What Pillow says is wrong with a picture; None if it decodes every frame.

    None, too, for kinds that this Pillow cannot read, and for pictures of more than MOST_PIXELS.
    Raises PillowMissingError.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise PillowMissingError from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(file) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    return None
                for frame in range(getattr(picture, "n_frames", 1)):
                    picture.seek(frame)
                    picture.load()
        except UnidentifiedImageError:
            return None
        except (Image.DecompressionBombError, MemoryError):
            return None
        # Pillow has no common error: decoders raise what comes to them.
        except Exception as error:
            return f"{error}"[:200] or type(error).__name__
    return None
