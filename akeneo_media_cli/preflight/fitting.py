"""Which pictures are converted before they are sent: `--fit`.

A row's file that its attribute refuses by extension or size is not invalid then, but converted, and the name
that the PIM shows gets the new extension. A file that fits is sent unchanged.
"""

from __future__ import annotations

import os

from ..errors import Failure, Kind
from ..extensions import are_one_format
from ..fit.convert import needs_fitting, target
from ..fit.reading import Picture, UnfitError, look
from ..fit.recipe import FORMATS, Recipe, Takes
from ..ledger import PlannedRow
from ..link import is_link
from ..manifest.archive import split_member_path
from ..pim.answers.types import Attribute
from ..storage import extension_of, printable
from ..storage.check import check_name
from ..storage.conversions import takes_of


class Fitting:
    """Marks rows whose pictures are to be converted. Thread-safe."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def mark(self, planned: PlannedRow, attribute: Attribute) -> Failure | None:
        """Give a row its `recipe` and its new name, if its file is to be converted; else why it cannot be.

        A file that is not a picture is left alone: other checks say whether the attribute takes it.
        """
        if planned.recipe is not None:
            # As an earlier look left it; the attribute may take other files now.
            planned.name = with_extension(planned.name, extension_of(planned.path or ""))
            planned.recipe = None
        path, takes = planned.path, takes_of(attribute)
        if path is None or is_link(path) or split_member_path(path) is not None:
            return None
        try:
            picture = look(path) if self._may_need(planned, takes) else None
            return None if picture is None else self._decide(planned, picture, takes)
        except UnfitError as unfit:
            return unfit.failure
        except OSError as error:
            return Failure(
                Kind.FILE_UNREADABLE,
                f"{printable(planned.row.file)} cannot be read: {error.strerror or error}",
                "Give this user the right to read it.",
            )

    def _may_need(self, planned: PlannedRow, takes: Takes) -> bool:
        """Must the picture be looked at to find out?"""
        refused = bool(takes.extensions) and extension_of(planned.name).lower() not in takes.extensions
        too_large = takes.max_bytes is not None and (planned.size or 0) > takes.max_bytes
        return refused or too_large or self.recipe.max_edge is not None

    def _decide(self, planned: PlannedRow, picture: Picture, takes: Takes) -> Failure | None:
        """Raises UnfitError."""
        size = planned.size or 0
        if not needs_fitting(picture, extension_of(planned.name), size, self.recipe, takes):
            return None
        form = {"jpeg": "jpg"}.get(picture.form, picture.form)
        named = takes.extension_of(form) if form in FORMATS else None
        if named is not None and not needs_fitting(picture, named, size, self.recipe, takes):
            # Only its name is refused, such as .jpeg where .jpg is taken: its bytes stay as they are.
            return _rename(planned, named)
        _, extension = target(picture, self.recipe, takes)
        planned.recipe = self.recipe.key(takes)
        return _rename(planned, extension)


def with_extension(name: str, extension: str) -> str:
    """A name with another extension: `a.tif` as `a.jpg`, and `a.jpg.tif` as `a.jpg`, too."""
    stem = os.path.splitext(name)[0]  # noqa: PTH122 - text, not a path
    if are_one_format(extension_of(stem), extension):
        return stem
    return f"{stem}.{extension}" if extension else stem


def _rename(planned: PlannedRow, extension: str) -> Failure | None:
    planned.name = with_extension(planned.name, extension)
    return check_name(planned.name, printable(planned.row.file))
