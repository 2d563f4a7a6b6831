"""Does an attribute take a row's file, as it is or converted?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Failure
from ..ledger import PlannedRow
from ..link import is_link
from ..manifest.archive import split_member_path
from ..pim.answers.types import Attribute
from . import checks

if TYPE_CHECKING:
    from .fitting import Fitting


def file_fits(
    planned: PlannedRow, attribute: Attribute, fitting: Fitting | None, *, files: bool
) -> Failure | None:
    """Why the attribute does not take a row's file, if it does not, not even once `fitting` converted it.

    `files` off: only that it cannot be converted is told.
    """
    failure = None if fitting is None else fitting.mark(planned, attribute)
    if failure is not None or not files or planned.recipe is not None:
        return failure
    return checks.file_fits(
        attribute,
        planned.name,
        planned.size or 0,
        way_out=None if fitting is None else _not_converted(planned),
    )


def _not_converted(planned: PlannedRow) -> str:
    """Why `--fit` did not convert a picture, if it is one, for the end of a hint."""
    path = planned.path or ""
    if is_link(path) or split_member_path(path) is not None:
        return "; --fit converts files: download or unpack it first"
    return ""
