"""Which columns of the PIM's own layout hold media or name the product: only the PIM knows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from ..errors import UsageError
from ..pim.client import PimClient
from ..pim.connection import Connection
from ..preflight import checks
from ..preflight.catalogue import Catalogue
from ..progress.base import Progress
from ..rows import folded
from ..transfer.coordinator import Policy
from ..transfer.environment import Environment
from ..transfer.reads import ParallelReads
from .options import RunOptions

_AT_ONCE = 100


class ColumnsOfPim:
    """Asks the PIM about the columns of its own layout, over a separate connection.

    The methods raise AccessError, TemporaryError, and UsageError where the user may not read attributes.
    """

    def __init__(self, connection: Connection, options: RunOptions, progress: Progress) -> None:
        self._connection = connection
        self._options = options
        self._progress = progress

    def media(self, codes: Collection[str]) -> list[str]:
        """Those of the attributes that hold media."""
        wanted = sorted(codes)
        with self._reading() as (catalogue, reads):
            found: list[str] = []
            for start in range(0, len(wanted), _AT_ONCE):
                found += reads.one(_question(catalogue, wanted[start : start + _AT_ONCE]))
            return found

    def identifiers(self) -> list[str]:
        """The attributes that identify products, the main one first."""
        with self._reading() as (catalogue, reads):
            return reads.one(catalogue.identifiers)

    @contextmanager
    def _reading(self) -> Iterator[tuple[Catalogue, ParallelReads]]:
        options, progress = self._options, self._progress
        with PimClient(self._connection, timeout=options.timeout, pool=options.concurrency) as client:
            catalogue = Catalogue(client, lambda message, hint: progress.note(message, hint=hint))
            yield (
                catalogue,
                ParallelReads(Policy(options.concurrency, options.retries), progress, Environment()),
            )


def _question(catalogue: Catalogue, codes: list[str]) -> Callable[[], list[str]]:
    def ask() -> list[str]:
        known = catalogue.attributes(codes)
        if known is None:
            raise UsageError(
                "the user may not read attributes, so it is not known which columns hold media",
                "Name them: --columns picture,manual; or let the connection's role list attributes.",
            )
        attributes = {code: known.get(folded(code)) for code in codes}
        return [code for code, a in attributes.items() if a is not None and checks.attribute_type(a) is None]

    return ask
