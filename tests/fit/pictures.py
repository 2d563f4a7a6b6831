"""Pictures made for a test, of every kind that people have."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageDraw

RED, GREEN, BLUE, WHITE = (200, 30, 40), (20, 160, 60), (30, 60, 200), (240, 240, 240)
QUARTERS = (RED, GREEN, BLUE, WHITE)
"""The colours of `quarters`: top left, top right, bottom left, bottom right."""


def quarters(width: int = 120, height: int = 80, mode: str = "RGB") -> Image.Image:
    """A picture of four colours, so that it shows when it is turned or its colours change."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for n, colour in enumerate(QUARTERS):
        x, y = (n % 2) * width // 2, (n // 2) * height // 2
        draw.rectangle((x, y, x + width // 2, y + height // 2), fill=colour)
    return image.convert(mode)


def noise(width: int, height: int, seed: int = 7) -> Image.Image:
    """A picture that does not compress well."""
    image = Image.effect_noise((width, height), 90 + seed)
    return Image.merge("RGB", (image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), image))


def turned(image: Image.Image, orientation: int) -> tuple[Image.Image, bytes]:
    """The pixels as a camera held so stores them, and the EXIF that says so: shown, it is `image`."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A camera"
    return image if undo is None else image.transpose(undo), exif.tobytes()


def profile(name: str) -> bytes:
    """An ICC profile that littleCMS can make: `sRGB`, `wide` (a wide gamut by its primaries)."""
    if name == "sRGB":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return _wide_gamut()


def to_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    """What littleCMS makes of a picture: relative colorimetric, with black point compensation."""
    found = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert found is not None
    return found


def save(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def difference(one: Image.Image, other: Image.Image) -> float:
    """The largest mean difference of a band, from 0 to 255."""
    from PIL import ImageChops, ImageStat

    return float(max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean))


def _wide_gamut() -> bytes:
    """A matrix profile (ICC v2) with the primaries of Adobe RGB (1998) and a gamma of 2.2."""
    import struct

    def s15(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(s15(v) for v in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, 563) + b"\0\0"
    text = b"wide gamut for tests\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78,
        b"cprt": b"text\0\0\0\0public domain\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.60974, 0.31111, 0.01947),
        b"gXYZ": xyz(0.20528, 0.62567, 0.06087),
        b"bXYZ": xyz(0.14919, 0.06322, 0.74457),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, data, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, unpadded in tags.items():
        body = unpadded + b"\0" * (-len(unpadded) % 4)
        table += name + struct.pack(">II", offset + len(data), len(body))
        data += body
    size = offset + len(data)
    head = struct.pack(">I", size) + b"lcms" + b"\x02\x40\0\0" + b"mntrRGB XYZ " + b"\0" * 12 + b"acsp"
    head += b"\0" * 28 + s15(0.9642) + s15(1.0) + s15(0.8249)
    head = head.ljust(128, b"\0")
    return head + struct.pack(">I", len(tags)) + table + data
