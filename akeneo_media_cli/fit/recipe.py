"""What a picture is converted to: the user's wishes, and what the attribute takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import UsageError
from ..frozen import frozen

FORMATS = ("jpg", "png", "webp")
"""What can be written, in the order in which it is chosen."""
EXTENSIONS = {"jpg": ("jpg", "jpeg", "jfif", "jif"), "png": ("png",), "webp": ("webp",)}
"""The extensions that a format may have, the usual one first."""
DEFAULT_QUALITY = 88
"""Where JPEG shows no difference to the eye at normal size, at about a tenth of the bytes."""
FLOOR_QUALITY = 60
"""Below this a smaller picture looks better than a worse one: blocks and halos become visible."""
LIBRARIES = "fit-1"
"""Changed whenever a recipe gives other bytes than before, so that the ledger takes no old result for new."""

_COLOURS = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "gray": (128, 128, 128),
}


@frozen
class Takes:
    """What an attribute takes: extensions in lower case, empty for any; bytes, None for any number."""

    extensions: tuple[str, ...] = ()
    max_bytes: int | None = None

    def extension_of(self, form: str) -> str | None:
        """The extension under which a format is taken, None where it is not."""
        known = EXTENSIONS[form]
        return next((e for e in known if not self.extensions or e in self.extensions), None)


@frozen
class Recipe:
    """How pictures are converted. `max_edge` is the longest edge in pixels; `background` red, green, blue.

    `form` is one of `FORMATS`, None for the first that the attribute takes.
    """

    form: str | None = None
    max_edge: int | None = None
    quality: int = DEFAULT_QUALITY
    background: tuple[int, int, int] = (255, 255, 255)
    keep_metadata: bool = False
    first_frame: bool = False

    @staticmethod
    def of(told: Mapping[str, Any] | None) -> Recipe | None:
        """The recipe that `dataclasses.asdict` told; None for none."""
        return Recipe(**{**told, "background": tuple(told["background"])}) if told else None

    def key(self, takes: Takes) -> str:
        """Text that is equal where, and only where, the same source gives the same bytes."""
        red, green, blue = self.background
        return (
            f"{LIBRARIES} {self.form or 'auto'} edge={self.max_edge or '-'} q={self.quality} "
            f"bg={red:02x}{green:02x}{blue:02x} meta={int(self.keep_metadata)} "
            f"first={int(self.first_frame)} ext={','.join(takes.extensions) or '*'} "
            f"max={takes.max_bytes or '-'}"
        )


def parse_colour(text: str) -> tuple[int, int, int]:
    """A colour as `white`, `#fff` or `#ffffff`: red, green, blue from 0 to 255. Raises UsageError."""
    named = _COLOURS.get(text.strip().lower())
    if named is not None:
        return named
    digits = text.strip().removeprefix("#")
    if re.fullmatch(r"[0-9a-fA-F]{3}", digits):
        digits = "".join(d * 2 for d in digits)
    if not re.fullmatch(r"[0-9a-fA-F]{6}", digits):
        raise UsageError(
            f"--background {text!r} is not a colour",
            "Use white, black, grey or #rrggbb, for example #f4f4f4.",
        )
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def parse_format(text: str) -> str:
    """One of `FORMATS`, `jpeg` meaning `jpg`. Raises UsageError."""
    form = {"jpeg": "jpg"}.get(text.strip().lower(), text.strip().lower())
    if form not in FORMATS:
        raise UsageError(f"--fit-format {text!r} is not supported", "Use jpg, png or webp.")
    return form
