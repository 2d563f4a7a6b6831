"""How pictures are converted that an attribute does not take as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from ...frozen import frozen
from .command import OptionGroup
from .variables import option

if TYPE_CHECKING:
    from ...fit.recipe import Recipe


@frozen
class Conversion(OptionGroup):
    """What pictures are converted to."""

    heading: ClassVar[str] = "Converting pictures"

    fit_format: Annotated[
        str | None,
        option("--fit-format", metavar="FORMAT", help="jpg, png or webp. [default: the first that is taken]"),
    ] = None
    max_edge: Annotated[
        int | None,
        option("--max-edge", metavar="PIXELS", min=1, help="Make the longest edge no longer than this."),
    ] = None
    quality: Annotated[
        int, option("--quality", metavar="N", min=1, max=100, help="JPEG and WebP quality to begin with.")
    ] = 88
    background: Annotated[
        str,
        option("--background", metavar="COLOUR", help="What shows through transparency: white, #f4f4f4."),
    ] = "white"
    keep_metadata: Annotated[
        bool, option("--keep-metadata", help="Keep EXIF and XMP, but for orientation and thumbnail.")
    ] = False
    first_frame: Annotated[
        bool, option("--first-frame", help="Take the first frame of animations instead of refusing them.")
    ] = False

    def recipe(self) -> Recipe:
        """The same as a value. Raises UsageError."""
        from ...fit.recipe import Recipe, parse_colour, parse_format

        return Recipe(
            form=parse_format(self.fit_format) if self.fit_format else None,
            max_edge=self.max_edge,
            quality=self.quality,
            background=parse_colour(self.background),
            keep_metadata=self.keep_metadata,
            first_frame=self.first_frame,
        )


@frozen
class Fitting(Conversion):
    """Which pictures are converted on their way up, and to what."""

    fit: Annotated[
        bool,
        option("--fit", help="Convert pictures that the attribute does not take, or larger than --max-edge."),
    ] = False

    def recipe_asked(self, *, preflight: bool = True) -> Recipe | None:
        """How pictures are converted; None without `--fit`. Raises UsageError, also without a preflight."""
        from ...errors import UsageError

        if not self.fit:
            for given, name in ((self.max_edge, "--max-edge"), (self.fit_format, "--fit-format")):
                if given is not None:
                    raise UsageError(f"{name} says how pictures are converted", "Add --fit to convert them.")
            return None
        if not preflight:
            raise UsageError(
                "--fit needs to ask the PIM what its attributes take, which --no-preflight leaves out",
                "Leave one of the two out.",
            )
        return self.recipe()
