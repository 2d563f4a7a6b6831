"""Pictures that are converted on their way up: planned ahead, had when they are sent, deleted afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from ..errors import Failure, Kind
from ..fit.convert import thumbnail
from ..fit.pool import MAX_TEMP, ConversionPool, FittedFile, StoppedError, sweep
from ..fit.reading import UnfitError
from ..fit.recipe import Recipe, Takes
from ..pim.answers.types import Attribute
from ..pim.errors import SourceTrouble
from ..pim.http.source import PathSource, stamp_of
from .sources import LinkedFile

_SHOWN = ("tiff", "avif")
"""Formats of which a small picture is kept, too; others are shown from their files, or by their names."""


class ConvertedFile(LinkedFile, Protocol):
    """A planned row; `recipe` says how its file is converted, None where it goes as it is."""

    recipe: str | None


class ConvertedSource(PathSource):
    """A converted picture. Its time and stamp are those of the picture that it was made of."""

    def __init__(self, made: FittedFile) -> None:
        """Raises SourceTrouble as `PathSource`."""
        super().__init__(made.path)
        self.mtime_ns = made.source_status.st_mtime_ns
        self.stamp = stamp_of(made.source_status)


class Conversions:
    """Converts what planned rows name. For any number of threads; close it at the end."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        max_temp: int = MAX_TEMP,
        small: dict[int, tuple[bytes, bytes]] | None = None,
        most: int = 0,
        started: Callable[[ConvertedFile], None] = lambda planned: None,
        ended: Callable[[ConvertedFile], None] = lambda planned: None,
    ) -> None:
        """`max_temp`: bytes on disk for pictures that are converted ahead. `small` gets up to `most` pairs of
        small pictures, of the file and of what came of it, by the row's `seq`.

        `started` and `ended` hear of each conversion, from any thread. What a killed run left is deleted.
        """
        sweep()
        self._small = {} if small is None else small
        self._most = most
        self._pool = ConversionPool(recipe, max_bytes=max_temp, started=started, ended=ended)
        self._lock = threading.Lock()
        self._keys: dict[int, str] = {}

    def plan(self, planned: ConvertedFile, attribute: Attribute | None, content: str | None = None) -> None:
        """A row's file will be asked for. Rows of one `content` need it only once."""
        with self._lock:
            if planned.seq in self._keys:
                return
            key = self._keys[planned.seq] = content or f"{planned.path}\x1f{planned.recipe}"
        self._pool.plan(key, planned.path or "", takes_of(attribute), planned)

    def get(self, planned: ConvertedFile, attribute: Attribute | None) -> FittedFile:
        """A row's converted file, as soon as there is one; it stays until `drop`.

        Raises SourceTrouble: CANNOT_FIT, PICTURE_BROKEN, PICTURE_TOO_LARGE, FILE_CHANGED, FILE_UNREADABLE; a
        passing one where the run comes to its end before.
        """
        self.plan(planned, attribute)
        try:
            made = self._pool.get(self._keys[planned.seq])
        except (StoppedError, KeyError):
            # Not the file's fault: the next run converts it.
            stopped = Failure(Kind.FILE_UNREADABLE, "the run ended before it was converted", "Run it again.")
            raise SourceTrouble(stopped, passing=True) from None
        except UnfitError as unfit:
            raise SourceTrouble(unfit.failure) from None
        except OSError as error:
            raise SourceTrouble(
                Failure(
                    Kind.FILE_UNREADABLE,
                    f"{planned.row.file} could not be converted: {error.strerror or error}",
                    "Check the file, and that the folder for temporary files (TMPDIR) has room.",
                )
            ) from None
        if not planned.name.lower().endswith(f".{made.fitted.extension}"):
            raise SourceTrouble(
                Failure(
                    Kind.FILE_CHANGED,
                    f"{planned.row.file} changed before it was converted",
                    "Run again when nothing writes to the file any more.",
                )
            )
        if planned.seq not in self._small and len(self._small) < self._most:
            before = thumbnail(planned.path or "") if made.fitted.source.format in _SHOWN else b""
            self._small[planned.seq] = before, thumbnail(made.path)
        return made

    @property
    def count(self) -> int:
        """How many pictures were converted."""
        return self._pool.count

    def made(self, planned: ConvertedFile) -> FittedFile | None:
        """A row's converted file, if it was converted by now, for this row or another with the same."""
        key = self._keys.get(planned.seq)
        return None if key is None else self._pool.made(key)

    def drop(self, planned: ConvertedFile) -> None:
        """A row needs its converted file no more, if it ever did."""
        with self._lock:
            key = self._keys.pop(planned.seq, None)
        if key is not None:
            self._pool.drop(key)

    def close(self, *, wait: bool = True) -> None:
        """Stop, and delete all converted files; with `wait`, once what is being converted has ended."""
        self._pool.close(wait=wait)


def takes_of(attribute: Attribute | None) -> Takes:
    """What an attribute takes; anything where nobody knows."""
    if attribute is None:
        return Takes()
    extensions = sorted({extension.lower() for extension in attribute.allowed_extensions})
    return Takes(tuple(extensions), attribute.max_file_size)
