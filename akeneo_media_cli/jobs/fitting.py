"""What a job needs to convert pictures on their way up: `--fit`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..frozen import frozen
from ..progress.base import Progress

if TYPE_CHECKING:
    from ..fit.recipe import Recipe
    from ..preflight.fitting import Fitting
    from ..storage.conversions import Conversions, ConvertedFile


@frozen
class Converting:
    """What marks the rows to be converted, and what converts them."""

    fitting: Fitting
    conversions: Conversions


@contextmanager
def converting(
    recipe: Recipe | None,
    max_temp: int,
    progress: Progress,
    *,
    small: dict[int, tuple[bytes, bytes]],
    most: int,
    interrupted: Callable[[], bool],
) -> Iterator[Converting | None]:
    """For as long as the block lasts; None without a recipe. Raises UsageError where the extra is missing.

    `max_temp`: bytes on disk for pictures that are converted ahead. `small` gets up to `most` pairs of small
    pictures, of a row's file and of what came of it, by the row's number. What is being converted at the end
    is waited for, unless the run was `interrupted`.
    """
    if recipe is None:
        yield None
        return
    check_installed()
    from ..preflight.fitting import Fitting
    from ..storage.conversions import Conversions

    def started(planned: ConvertedFile) -> None:
        target = planned.row.target
        assert target is not None
        progress.row_converting(planned.seq, file=planned.row.file, target=target, size=planned.size or 0)

    conversions = Conversions(
        recipe,
        max_temp=max_temp,
        small=small,
        most=most,
        started=started,
        ended=lambda planned: progress.row_converted(planned.seq),
    )
    try:
        yield Converting(Fitting(recipe), conversions)
    finally:
        conversions.close(wait=not interrupted())


def check_installed() -> None:
    """Raise UsageError where what converts pictures is not installed."""
    try:
        from ..fit.reading import libvips

        libvips()
    except (ImportError, OSError):
        raise UsageError(
            "converting pictures needs the extra `fit`", "Install it: pip install 'akeneo-media-cli[fit]'"
        ) from None
