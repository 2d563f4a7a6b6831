"""Which columns of the PIM's own layout hold media: asked of the PIM, as nothing else tells."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ..errors import UsageError
from ..pim.client import PimClient
from ..pim.connection import Connection
from ..planning.manifests import Media
from ..preflight import checks
from ..preflight.catalogue import Catalogue
from ..progress.base import Progress
from ..rows import folded
from ..transfer.coordinator import Policy
from ..transfer.environment import Environment
from ..transfer.questions import ParallelReads
from .options import RunOptions

_AT_ONCE = 100


def media_of(connection: Connection, options: RunOptions, progress: Progress) -> Media:
    """A function that gives those of some attributes that hold media.

    It raises AccessError, TemporaryError, and UsageError where the user may not read attributes.
    """

    def media(codes: Collection[str]) -> list[str]:
        wanted = sorted(codes)
        with PimClient(connection, timeout=options.timeout, pool=options.concurrency) as client:
            catalogue = Catalogue(client, lambda message, hint: progress.note(message, hint=hint))
            reads = ParallelReads(Policy(options.concurrency, options.retries), progress, Environment())
            found: list[str] = []
            for start in range(0, len(wanted), _AT_ONCE):
                found += reads.one(_question(catalogue, wanted[start : start + _AT_ONCE]))
            return found

    return media


def _question(catalogue: Catalogue, codes: list[str]) -> Callable[[], list[str]]:
    def ask() -> list[str]:
        known = catalogue.attributes(codes)
        if known is None:
            raise UsageError(
                "the user may not read attributes, so nothing tells which columns hold media",
                "Name them: --columns picture,manual; or let the connection's role list attributes.",
            )
        attributes = {code: known.get(folded(code)) for code in codes}
        return [code for code, a in attributes.items() if a is not None and checks.attribute_type(a) is None]

    return ask
