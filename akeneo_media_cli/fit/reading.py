"""Opening a picture, whatever wrote it: its size, colours and frames, and its pixels when they are needed.

libvips (pyvips) decodes in strips, so that memory does not grow with the picture. What its wheel cannot
read (BMP, PSD, HEIC, JPEG 2000, JPEG XL) is decoded whole by Pillow and its plugins, within `WHOLE_PIXELS`.
"""

from __future__ import annotations

import errno
import functools
import warnings
from dataclasses import replace
from typing import Any

from ..errors import Failure, Kind
from ..frozen import frozen
from .memory import be_frugal

MOST_PIXELS = 500_000_000
"""Larger pictures are refused before a pixel is decoded: the largest camera back has 150 megapixels."""
WHOLE_PIXELS = 120_000_000
"""The same where the whole picture has to be in memory: 500 MB at four bytes a pixel."""
_HEAD = 64 * 1024


class UnfitError(Exception):
    """The picture cannot be converted; `failure` says why and what to do."""

    def __init__(self, kind: Kind, message: str, hint: str) -> None:
        super().__init__(message)
        self.failure = Failure(kind, message, hint)


@frozen
class Picture:
    """A picture as it lies on disk, before anything is done to it.

    `form` is its format (`jpeg`, `png`, `tiff`, ...) by its content. `width` and `height` are pixels as it is
    shown: after `turned`, its EXIF orientation (1 to 8). `colour` is its colour space in words.
    """

    path: str
    form: str
    width: int
    height: int
    colour: str
    bits: int
    alpha: bool
    turned: int
    frames: int
    profile: bool

    @property
    def edge(self) -> int:
        """The longest edge in pixels."""
        return max(self.width, self.height)


def form_of(head: bytes) -> str | None:
    """The picture format that a file's first bytes name, None where it is none that can be converted."""
    for form, offset, signatures in _SIGNATURES:
        if any(head.startswith(signature, offset) for signature in signatures):
            return form
    if head[4:8] == b"ftyp":
        brands = {head[i : i + 4] for i in range(8, min(len(head), 64), 4)}
        if brands & {b"avif", b"avis"}:
            return "avif"
        if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}:
            return "heic"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return None


_SIGNATURES: tuple[tuple[str, int, tuple[bytes, ...]], ...] = (
    ("jpeg", 0, (b"\xff\xd8\xff",)),
    ("png", 0, (b"\x89PNG\r\n\x1a\n",)),
    ("gif", 0, (b"GIF87a", b"GIF89a")),
    ("tiff", 0, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ("bmp", 0, (b"BM",)),
    ("psd", 0, (b"8BPS",)),
    ("jp2", 0, (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")),
    ("jxl", 0, (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")),
)
_STREAMED = frozenset({"jpeg", "png", "gif", "tiff", "webp", "avif"})
"""Formats that libvips reads; the others go through Pillow."""


def look(path: str) -> Picture | None:
    """What a file is, from its header; None if it cannot be converted (SVG, PDF, a film).

    Raises UnfitError: PICTURE_BROKEN, PICTURE_TOO_LARGE. Raises OSError.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - a path as text, as everywhere in this package
        head = file.read(_HEAD)
    form = form_of(head)
    if form is None:
        return None
    picture = _look_streamed(path, form) if form in _STREAMED else _look_whole(path, form)
    most = MOST_PIXELS if form in _STREAMED else WHOLE_PIXELS
    if picture.width * picture.height > most:
        raise UnfitError(
            Kind.PICTURE_TOO_LARGE,
            f"the picture has {picture.width} x {picture.height} pixels; at most {most // 1_000_000} million "
            "are converted",
            "Export it smaller.",
        )
    if form == "png" and b"acTL" in head:
        return replace(picture, frames=max(2, picture.frames))
    return picture


def pixels(picture: Picture, *, shrink: int = 1) -> Any:
    """The pixels as a pyvips image that is read from top to bottom, not yet turned upright.

    `shrink`: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, which is far faster. Raises UnfitError.
    """
    vips = libvips()
    if picture.form in _STREAMED:
        options: dict[str, Any] = {"access": "sequential", "fail_on": "error"}
        if picture.form == "jpeg" and shrink > 1:
            options["shrink"] = shrink
        try:
            return vips.Image.new_from_file(picture.path, **options)
        except vips.Error as error:
            raise broken(error) from None
    return _whole_pixels(picture)


def broken(error: Exception) -> UnfitError | OSError:
    """A picture that a decoder gave up; or the disk was full, which is no fault of the picture."""
    said = " ".join(str(error).split())[:200]
    if "No space left" in said:
        return OSError(errno.ENOSPC, "no space left for converted pictures")
    return UnfitError(
        Kind.PICTURE_BROKEN,
        f"the picture is damaged: {said}",
        "Export or download it again.",
    )


@functools.cache
def libvips() -> Any:
    """The pyvips module, with the loaders that it does not trust off. Raises ImportError."""
    import pyvips

    be_frugal()
    # Loaders that libvips itself does not hold to be safe with files of strangers.
    pyvips.block_untrusted_set(True)
    # Each picture is converted once: a cache would only hold memory. Pictures run side by side, so one
    # thread for each is enough and keeps memory down.
    pyvips.cache_set_max(0)
    pyvips.concurrency_set(1)
    return pyvips


def _look_streamed(path: str, form: str) -> Picture:
    vips = libvips()
    try:
        image = vips.Image.new_from_file(path, access="sequential")
    except vips.Error as error:
        raise broken(error) from None
    fields = set(image.get_fields())
    frames = image.get("n-pages") if "n-pages" in fields else 1
    turned = image.get("orientation") if "orientation" in fields else 1
    width, height = image.width, image.height
    if turned >= 5:
        width, height = height, width
    return Picture(
        path,
        form,
        width,
        height,
        colour=_COLOURS.get(image.interpretation, image.interpretation),
        bits={"uchar": 8, "ushort": 16}.get(image.format, 32),
        alpha=bool(image.hasalpha()),
        turned=turned if 1 <= turned <= 8 else 1,
        frames=frames,
        profile="icc-profile-data" in fields,
    )


_COLOURS = {
    "srgb": "RGB",
    "rgb": "RGB",
    "rgb16": "RGB",
    "b-w": "grey",
    "grey16": "grey",
    "cmyk": "CMYK",
    "lab": "Lab",
    "labs": "Lab",
    "scrgb": "linear RGB",
}


def _look_whole(path: str, form: str) -> Picture:
    with _pillow(path, form) as image:
        turned = image.getexif().get(0x0112, 1)
        width, height = image.size
        if isinstance(turned, int) and turned >= 5:
            width, height = height, width
        mode = image.mode
        return Picture(
            path,
            form,
            width,
            height,
            colour={"CMYK": "CMYK", "L": "grey", "LA": "grey", "1": "grey", "LAB": "Lab"}.get(mode, "RGB"),
            bits=16 if mode.startswith("I;16") else 8,
            alpha=mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info,
            turned=turned if isinstance(turned, int) and 1 <= turned <= 8 else 1,
            frames=getattr(image, "n_frames", 1) if form not in ("psd", "heic", "jp2") else 1,
            profile=bool(image.info.get("icc_profile")),
        )


def _whole_pixels(picture: Picture) -> Any:
    vips = libvips()
    with _pillow(picture.path, picture.form) as opened:
        profile = opened.info.get("icc_profile")
        try:
            opened.load()
        except Exception as error:  # decoders of plugins raise whatever they like
            raise broken(error) from None
        image = opened
        if image.mode in ("P", "PA"):
            image = image.convert("RGBA" if picture.alpha else "RGB")
        elif image.mode in ("1", "I", "F", "RGBX", "RGBa", "YCbCr", "HSV"):
            image = image.convert("RGBA" if image.mode == "RGBa" else "L" if image.mode in "1IF" else "RGB")
        bands = len(image.getbands())
        form = "ushort" if image.mode.startswith("I;16") else "uchar"
        space = {"CMYK": "cmyk", "LAB": "lab"}.get(image.mode, "b-w" if bands < 3 else "srgb")
        pixels = vips.Image.new_from_memory(image.tobytes(), image.width, image.height, bands, form)
        pixels = pixels.copy(interpretation=space)
        if profile:
            pixels.set_type(vips.GValue.blob_type, "icc-profile-data", profile)
        if picture.turned != 1:
            pixels.set_type(vips.GValue.gint_type, "orientation", picture.turned)
        return pixels


def _pillow(path: str, form: str) -> Any:
    """A Pillow image whose header was read. Raises UnfitError."""
    from PIL import Image

    plugin = {"heic": "pi_heif", "jxl": "pillow_jxl"}.get(form)
    try:
        if plugin == "pi_heif":
            import pi_heif

            pi_heif.register_heif_opener()
        elif plugin == "pillow_jxl":
            import pillow_jxl  # noqa: F401 - registers itself
    except ImportError:
        raise UnfitError(
            Kind.CANNOT_FIT,
            f"{form.upper()} pictures need the Python package {plugin}, which is not installed",
            f"Install it: pip install {plugin.replace('_', '-') if plugin else ''}"
            f"{'-plugin' if form == 'jxl' else ''}.",
        ) from None
    with warnings.catch_warnings():
        # Pillow's own limit is below ours; what is over ours is refused by `look`.
        warnings.simplefilter("ignore")
        try:
            return Image.open(path, formats=[_PILLOW[form]])
        except OSError as error:
            raise broken(error) from None
        except Exception as error:  # plugins raise what they like, a bomb among others
            if type(error).__name__ == "DecompressionBombError":
                raise UnfitError(
                    Kind.PICTURE_TOO_LARGE, "the picture has too many pixels", "Export it smaller."
                ) from None
            raise broken(error) from None


_PILLOW = {"bmp": "BMP", "psd": "PSD", "heic": "HEIF", "jp2": "JPEG2000", "jxl": "JXL"}
