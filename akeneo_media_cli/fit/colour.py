"""From a picture's colours to sRGB with eight bits, as browsers and the PIM's own previews show it.

littleCMS, which libvips has inside, does it: relative colorimetric with black point compensation, as image
editors do by default. Colours that sRGB has stay as they are; deep shadows stay apart.
"""

from __future__ import annotations

from typing import Any

from ..errors import Kind
from .reading import UnfitError

_INTENT = {"intent": "relative", "black_point_compensation": True, "depth": 8}
_KNOWN = ("srgb", "rgb", "rgb16", "b-w", "grey16", "scrgb", "lab", "labs", "xyz")
CMYK_ASSUMED = "CMYK without an ICC profile: a standard press profile was assumed"


def to_srgb(image: Any) -> tuple[Any, tuple[str, ...]]:
    """A pyvips image in sRGB, eight bits a band, with its alpha band if it has one; and notes for the user.

    Raises UnfitError: CANNOT_FIT where the colour space is not known.
    """
    alpha = None
    if image.hasalpha():
        alpha = _eight_bits(image[image.bands - 1])
        image = image[0] if image.bands <= 2 else image[0 : image.bands - 1]
    notes: tuple[str, ...] = ()
    profile = "icc-profile-data" in image.get_fields()
    if image.interpretation == "cmyk":
        # Ink on paper is not light: 255 minus ink would give neon colours. libvips has a press profile.
        colours = image.icc_transform("srgb", embedded=profile, input_profile="cmyk", **_INTENT)
        notes = () if profile else (CMYK_ASSUMED,)
    elif image.interpretation not in _KNOWN:
        raise UnfitError(
            Kind.CANNOT_FIT,
            f"the picture has the colour space {image.interpretation}, which cannot be converted",
            "Export it as RGB or CMYK.",
        )
    elif profile:
        colours = image.icc_transform("srgb", embedded=True, **_INTENT)
    else:
        colours = image.colourspace("srgb")
    if colours.bands == 1:
        colours = colours.bandjoin([colours, colours])
    colours = colours.cast("uchar").copy(interpretation="srgb")
    return (colours if alpha is None else colours.bandjoin(alpha)), notes


def _eight_bits(alpha: Any) -> Any:
    return alpha if alpha.format == "uchar" else (alpha / 257.0).rint().cast("uchar")
