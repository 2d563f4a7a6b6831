"""One picture from start to end: does it need fitting, and what does it become?"""

from __future__ import annotations

import os
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import Kind
from ..frozen import frozen
from .colour import to_srgb
from .encoding import Render, write
from .memory import give_back
from .reading import Picture, UnfitError, broken, libvips, look, pixels
from .recipe import FORMATS, Recipe, Takes

IN_MEMORY = 12_000_000
"""A finished picture up to this many pixels is kept in memory while sizes are tried; else it is made anew."""
_GRAPHICS = ("png", "gif", "bmp")


@frozen
class Side:
    """A picture before or after: format, pixels, bytes, colour space."""

    format: str
    width: int
    height: int
    bytes: int
    colour: str


@frozen
class Fitted:
    """What a conversion came to. `extension` is that of the new name; `steps` is what was done, in words."""

    source: Side
    result: Side
    extension: str
    quality: int | None
    steps: tuple[str, ...]
    notes: tuple[str, ...]

    def to_report(self) -> dict[str, Any]:
        """The report's `fitted`."""
        return {
            "from": asdict(self.source),
            "to": asdict(self.result),
            "quality": self.quality,
            "steps": [*self.steps],
        }


def needs_fitting(picture: Picture, extension: str, size: int, recipe: Recipe, takes: Takes) -> bool:
    """Would the attribute refuse this file as it is, or is it larger than the recipe's longest edge?

    `extension` is the name's, `size` its bytes.
    """
    refused = bool(takes.extensions) and extension.lower() not in takes.extensions
    too_large = takes.max_bytes is not None and size > takes.max_bytes
    return refused or too_large or (recipe.max_edge is not None and picture.edge > recipe.max_edge)


def fit(path: str, into: str, recipe: Recipe, takes: Takes) -> Fitted:
    """Convert the picture at `path` into the file `into`. The source is only read.

    Raises UnfitError (CANNOT_FIT, PICTURE_BROKEN, PICTURE_TOO_LARGE), and OSError where a file cannot be read
    or written.
    """
    picture = look(path)
    if picture is None:
        raise UnfitError(
            Kind.CANNOT_FIT,
            "it is not a picture that can be converted",
            "JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC, AVIF, JPEG 2000, JPEG XL and PSD are.",
        )
    notes = _frames(picture, recipe)
    form, extension = target(picture, recipe, takes)
    finish = _Finish(picture, recipe, into, keeps_alpha=form != "jpg" and _is_see_through(picture))
    edge = recipe.max_edge or picture.edge
    scale = min(1.0, edge / picture.edge)
    try:
        written = write(
            finish.render,
            scale,
            form,
            into,
            recipe,
            graphic=picture.form in _GRAPHICS,
            max_bytes=takes.max_bytes,
        )
    finally:
        finish.close()
    steps = [*finish.steps]
    if (written.width, written.height) != (picture.width, picture.height):
        steps.append(f"{picture.width} x {picture.height} to {written.width} x {written.height} pixels")
    return Fitted(
        Side(picture.form, picture.width, picture.height, os.path.getsize(path), _in_words(picture)),  # noqa: PTH202
        Side({"jpg": "jpeg"}.get(form, form), written.width, written.height, written.size, "sRGB"),
        extension,
        written.quality,
        (*steps, *written.steps),
        (*notes, *finish.notes),
    )


def _in_words(picture: Picture) -> str:
    bits = f"{picture.bits} bits" if picture.bits != 8 else ""
    profile = "with an ICC profile" if picture.profile else ""
    return ", ".join(part for part in (picture.colour, bits, profile) if part)


def _frames(picture: Picture, recipe: Recipe) -> tuple[str, ...]:
    if picture.frames <= 1:
        return ()
    if picture.form == "tiff":
        return (f"only the first of {picture.frames} pages was taken",)
    if recipe.first_frame:
        return (f"only the first of {picture.frames} frames was taken",)
    raise UnfitError(
        Kind.CANNOT_FIT,
        f"it is an animation of {picture.frames} frames",
        "Use --first-frame to take its first frame, or upload a still picture.",
    )


def target(picture: Picture, recipe: Recipe, takes: Takes) -> tuple[str, str]:
    """The format that a picture is to be written in, and the extension of its name.

    Raises UnfitError: CANNOT_FIT, PICTURE_BROKEN.
    """
    _frames(picture, recipe)
    wanted = FORMATS if recipe.form is None else (recipe.form,)
    # Only where it matters is every pixel looked at.
    if (
        recipe.form is None
        and picture.form == "png"
        and takes.extension_of("png") is not None
        and _is_see_through(picture)
    ):
        wanted = ("png", *wanted)
    for form in wanted:
        extension = takes.extension_of(form)
        if extension is not None:
            return form, extension
    takes_only = ", ".join(takes.extensions)
    raise UnfitError(
        Kind.CANNOT_FIT,
        f"the attribute takes {takes_only}, and pictures can only be converted to {', '.join(wanted)}",
        "Allow jpg, png or webp on the attribute, or choose another with --fit-format.",
    )


def _is_see_through(picture: Picture) -> bool:
    """Is any pixel not opaque? An alpha band alone says little: many programs always write one."""
    return picture.alpha and _has_holes(picture, os.stat(picture.path).st_mtime_ns)  # noqa: PTH116


@lru_cache(maxsize=256)
def _has_holes(picture: Picture, mtime_ns: int) -> bool:
    # Remembered, as the preflight asks it too, for each of the rows that name one file.
    image = pixels(picture)
    band = image[image.bands - 1]
    most = 255 if band.format == "uchar" else 65535
    try:
        return bool(band.min() < most)
    except libvips().Error as error:
        raise broken(error) from None


class _Finish:
    """Makes the finished pixels of one picture at any scale: smaller, in sRGB, upright."""

    def __init__(self, picture: Picture, recipe: Recipe, into: str, *, keeps_alpha: bool) -> None:
        """`into`: the file that is written in the end; what large pictures need on disk lies beside it."""
        self._picture = picture
        self._recipe = recipe
        self._into = into
        self._keeps_alpha = keeps_alpha
        self._kept: tuple[float, Any] | None = None
        self.notes: tuple[str, ...] = ()
        self.steps: tuple[str, ...] = ()

    @property
    def render(self) -> Render:
        return self._render

    def close(self) -> None:
        """Free the pixels."""
        self._kept = None
        give_back()

    def _render(self, scale: float) -> Any:
        if self._kept is not None and self._kept[0] == scale:
            return self._kept[1]
        if self._kept is not None and scale < self._kept[0]:
            # From the picture as it was first made: near enough, and far faster than to decode it once more.
            first, image = self._kept
            return _resized(image, scale / first)
        image = self._made(scale)
        if image.width * image.height <= IN_MEMORY:
            # Also where no other size is tried: what decodes is gone before what encodes begins.
            image = _in_memory(image)
            self._kept = scale, image
        return image

    def _made(self, scale: float) -> Any:
        picture = self._picture
        shrink = _shrink(picture, scale)
        image = pixels(picture, shrink=shrink)
        turned = "orientation" in image.get_fields() and picture.turned != 1
        width = picture.height if picture.turned >= 5 else picture.width
        wanted = scale * width / image.width
        image = _resized(image, wanted)
        image, self.notes = to_srgb(image)
        steps = [f"{_in_words(picture)} to sRGB"]
        if image.hasalpha() and not self._keeps_alpha:
            red, green, blue = self._recipe.background
            image = image.flatten(background=[red, green, blue])
            steps.append(f"transparency on #{red:02x}{green:02x}{blue:02x}")
        if turned:
            # Turning needs all pixels at once: those of a large picture go through a file, not memory.
            image = _at_once(image, self._into).autorot()
            steps.append("turned upright")
        self.steps = tuple(steps)
        return _without_thumbnail(image)


def _in_memory(image: Any) -> Any:
    try:
        return image.copy_memory()
    except libvips().Error as error:
        raise broken(error) from None


def _at_once(image: Any, into: str) -> Any:
    """The same pixels, to be read in any order: those of a large picture lie in a temporary file."""
    if image.width * image.height <= IN_MEMORY:
        return _in_memory(image)
    kept = libvips().Image.new_temp_file(_beside(into))
    try:
        image.write(kept)
    except libvips().Error as error:
        raise broken(error) from None
    return kept


def _beside(into: str) -> str:
    """The name that libvips gives a temporary file, below its folder for them.

    On Linux and Windows such a file has no name, or goes with its process. Elsewhere one that a killed
    process left goes with the folder that it lies in.
    """
    folder = Path(into).parent
    above = Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108 - as libvips has it
    if above.is_dir() and folder.parent.samefile(above) and "%" not in folder.name:
        return f"{folder.name}/%s.v"
    return "%s.v"


def _shrink(picture: Picture, scale: float) -> int:
    """By how much a JPEG may be decoded smaller with pixels to spare for the filter."""
    return next((n for n in (8, 4, 2) if scale * n * 2 <= 1.0 or scale * n <= 0.75), 1)


def _resized(image: Any, scale: float) -> Any:
    if scale >= 1.0:
        return image
    if image.hasalpha():
        # Colours of invisible pixels must not bleed into visible ones.
        kind = image.format
        return image.premultiply().resize(scale, kernel="lanczos3").unpremultiply().cast(kind)
    return image.resize(scale, kernel="lanczos3")


def thumbnail(path: str, edge: int = 160) -> bytes:
    """A small WebP of a picture, upright and in sRGB; empty where it cannot be made."""
    vips = libvips()
    try:
        small = vips.Image.thumbnail(path, edge, height=edge, size="down", output_profile="srgb")
        return bytes(small.webpsave_buffer(Q=60, keep="none"))
    except vips.Error:
        return b""


def _without_thumbnail(image: Any) -> Any:
    """Without what describes the picture as it was: its thumbnail and its orientation."""
    stale = [
        name
        for name in image.get_fields()
        if name.startswith("exif-ifd1-") or name in ("jpeg-thumbnail-data", "orientation")
    ]

    bare = image.copy()
    for name in stale:
        bare.remove(name)
    return bare
