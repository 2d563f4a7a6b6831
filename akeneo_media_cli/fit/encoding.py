"""Writing a picture so that it is no larger than an attribute takes.

First the quality goes down, from the recipe's to a floor, then the size: a smaller picture looks better than
one full of blocks.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

from ..errors import Kind
from ..frozen import frozen
from .reading import UnfitError, broken, libvips
from .recipe import FLOOR_QUALITY, Recipe

PROGRESSIVE_PIXELS = 16_000_000
"""Larger JPEGs are baseline: a progressive one needs all coefficients in memory, three bytes a pixel."""
FULL_CHROMA = 90
"""From this quality on a JPEG keeps colour at full resolution (4:4:4)."""
_SMALLEST_EDGE = 64
_SHRINKS = 8
_MARGIN = 0.97

Render = Callable[[float], Any]
"""Gives the finished pixels at a scale from 0 to 1, as a pyvips image that is read once."""


@frozen
class Written:
    """What was written: bytes, pixels, quality (None for PNG), and what was done to get there, in words."""

    size: int
    width: int
    height: int
    quality: int | None
    steps: tuple[str, ...]


def write(
    render: Render,
    scale: float,
    form: str,
    into: str,
    recipe: Recipe,
    *,
    graphic: bool,
    max_bytes: int | None,
) -> Written:
    """Write the picture to the file `into`. `graphic`: drawn, not photographed: its colours stay sharp.

    Raises UnfitError: CANNOT_FIT with what was reached, PICTURE_BROKEN. Raises OSError.
    """
    encoder = _Encoder(render, form, into, recipe, graphic=graphic)
    limit = math.inf if max_bytes is None else max_bytes
    quality: int | None = recipe.quality if form != "png" else None
    tried = encoder.try_at(scale, quality)
    if tried.size > limit and quality is not None and quality > FLOOR_QUALITY:
        tried = _lower_quality(encoder, scale, quality, limit)
    for _ in range(_SHRINKS):
        if tried.size <= limit or max(tried.width, tried.height) <= _SMALLEST_EDGE:
            break
        # Bytes go about with the area, and fall a little slower.
        scale *= min(0.9, math.sqrt(limit / tried.size) * _MARGIN)
        tried = encoder.try_at(scale, tried.quality)
    if tried.size > limit:
        at = f" at quality {tried.quality}" if tried.quality is not None else ""
        raise UnfitError(
            Kind.CANNOT_FIT,
            f"even at {tried.width} x {tried.height} pixels{at} it has {tried.size:,} bytes; at most "
            f"{max_bytes:,} are taken",
            "Raise the attribute's maximum file size, or upload a smaller picture.",
        )
    return tried


def _lower_quality(encoder: _Encoder, scale: float, quality: int, limit: float) -> Written:
    """The best quality that keeps to the limit, or what the lowest one gives. The file holds the result."""
    low, high = FLOOR_QUALITY, quality - 1
    best = encoder.try_at(scale, low)
    if best.size > limit:
        return best
    low += 1
    while low <= high:
        middle = (low + high + 1) // 2
        tried = encoder.try_at(scale, middle)
        if tried.size <= limit:
            best, low = tried, middle + 1
        else:
            high = middle - 1
    assert best.quality is not None
    return best if encoder.last == (scale, best.quality) else encoder.try_at(scale, best.quality)


class _Encoder:
    """Writes one picture again and again."""

    def __init__(self, render: Render, form: str, into: str, recipe: Recipe, *, graphic: bool) -> None:
        self._render = render
        self._form = form
        self._into = into
        self._recipe = recipe
        self._graphic = graphic
        self.last: tuple[float, int | None] | None = None
        """Scale and quality of what the file holds."""

    def try_at(self, scale: float, quality: int | None) -> Written:
        vips = libvips()
        image = self._render(scale)
        # Named, as wide screens show colours that nobody named more vivid than they are.
        named = {"profile": "srgb", "keep": "icc|exif|xmp" if self._recipe.keep_metadata else "icc"}
        steps: list[str] = []
        try:
            if self._form == "jpg":
                assert quality is not None
                full = quality >= FULL_CHROMA or (self._graphic and quality >= 80)
                progressive = image.width * image.height <= PROGRESSIVE_PIXELS
                image.jpegsave(
                    self._into,
                    Q=quality,
                    optimize_coding=progressive,
                    interlace=progressive,
                    subsample_mode="off" if full else "on",
                    **named,
                )
                steps += [f"quality {quality}", "4:4:4" if full else "4:2:0"]
                steps += ["progressive"] if progressive else []
            elif self._form == "webp":
                image.webpsave(self._into, Q=quality, effort=4, smart_subsample=True, **named)
                steps.append(f"quality {quality}")
            else:
                image.pngsave(self._into, compression=9, filter="all", **named)
        except vips.Error as error:
            raise broken(error) from None
        self.last = scale, quality
        return Written(os.path.getsize(self._into), image.width, image.height, quality, tuple(steps))  # noqa: PTH202
