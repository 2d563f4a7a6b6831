"""How a file gets to a product without identifier, for which the PIM accepts no upload
(docs/pim-behaviour.md, "Sharing one media file").

Another row of the run sends it, or it is uploaded to a value of the `--carrier`, which is put back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from enum import Enum, auto

from ..errors import Failure, Kind, UsageError
from ..ledger import PlannedRow
from ..pim.errors import Refusal
from ..preflight import checks
from ..preflight.preflight import Preflight
from ..rows import Row, Target, TargetType
from ..targets.resolved import ResolvedTarget


class Way(Enum):
    """How a row without identifier gets its file, if it needs no carrier."""

    CARRIED = auto()
    """Another row sends it."""
    LATER = auto()
    """It is unknown until all other rows are looked up."""


def parse_carrier(text: str) -> tuple[str, str]:
    """The identifier and the attribute of `--carrier`. Raises UsageError."""
    identifier, _, attribute = text.rpartition(":")
    if not identifier.strip() or not attribute.strip():
        raise UsageError(
            f"--carrier {text!r} is not IDENTIFIER:ATTRIBUTE",
            "Name a product and one of its image attributes.",
        )
    return identifier, attribute


class Carriers:
    """Knows which files get to the PIM anyway, and the carrier for those that do not. Thread-safe."""

    def __init__(self, carrier: str | None, preflight: Preflight | None, known: Iterable[str] = ()) -> None:
        """`preflight` ignores files; `known` are contents that the PIM has already. Raises UsageError."""
        self.deferred: dict[int, None] = {}
        """Rows that are to be looked up once more when all others are, in order, each once."""
        self._written = carrier
        self._place = parse_carrier(carrier) if carrier else None
        self._preflight = preflight
        self._lock = threading.Lock()
        self._sent: dict[str, int | None] = dict.fromkeys(known)
        self._carrier: ResolvedTarget | Failure | None = None
        self._last = False

    def sends(self, content: str | None, seq: int) -> None:
        """A row that will send its file, or need not, was looked up."""
        if content is not None:
            with self._lock:
                self._sent.setdefault(content, seq)

    def no_more(self) -> None:
        """All rows that may send a file were looked up."""
        self._last = True

    def way(self, planned: PlannedRow, content: str | None) -> Way | ResolvedTarget | Failure:
        """How a row without identifier gets its file; a `ResolvedTarget` is the carrier's. Raises Trouble."""
        with self._lock:
            # A batch that met trouble is looked up again: no row is its own carrier.
            if content is not None and self._sent.get(content, planned.seq) != planned.seq:
                return Way.CARRIED
            if self._place is None:
                if content is None or self._last:
                    return _NOBODY
                self.deferred[planned.seq] = None
                return Way.LATER
            if self._carrier is None:
                self._carrier = self._look(*self._place)
        found = self._carrier
        if isinstance(found, ResolvedTarget) and found.definition is not None:
            unfit = checks.file_fits(found.definition, planned.name, planned.size or 0)
            found = found if unfit is None else unfit
        if isinstance(found, Failure):
            message = f"--carrier {self._written} cannot be used: {found.message}"
            return Failure(Kind.NO_CARRIER, message, _hint(found))
        self.sends(content, planned.seq)
        return found

    def _look(self, identifier: str, attribute: str) -> ResolvedTarget | Failure:
        row = Row("--carrier", 0, "", Target(TargetType.PRODUCT, identifier), attribute)
        if self._preflight is None:
            return _NOBODY
        try:
            found = self._preflight.look([PlannedRow(0, row, "")])[0]
        except Refusal as refusal:
            return refusal.failure
        if isinstance(found, ResolvedTarget) and not found.sure:
            return Failure(
                Kind.NO_CARRIER,
                f"whether {attribute} belongs to {identifier} itself is unknown",
                "Name a simple product, and give the connection the right to list products and families.",
            )
        return found


def _hint(found: Failure) -> str:
    """What to do about a carrier: a row's own hint is about columns of the manifest."""
    change = _CHANGES.get(found.kind)
    if change is None:
        return found.hint
    return f"{change} with --carrier IDENTIFIER:ATTRIBUTE."


_PLAIN = "Name an image or file attribute without locales and channels"
_CHANGES = {
    Kind.TARGET_UNKNOWN: "Name a product that exists, by its identifier,",
    Kind.ATTRIBUTE_UNKNOWN: "Name an image or file attribute that exists",
    Kind.ATTRIBUTE_NOT_MEDIA: "Name an image or file attribute",
    Kind.ATTRIBUTE_NOT_IN_FAMILY: "Name an attribute of the product's family",
    Kind.ATTRIBUTE_WRONG_LEVEL: "Name an attribute of the product itself, or a simple product,",
    Kind.SCOPE_REQUIRED: _PLAIN,
    Kind.LOCALE_REQUIRED: _PLAIN,
    Kind.EXTENSION_NOT_ALLOWED: "Name an attribute that takes such files",
    Kind.FILE_TOO_LARGE: "Name an attribute that takes larger files",
    Kind.NO_CARRIER: "Name a simple product, and let the connection's role list products and families, or "
    "name another",
}

_NOBODY = Failure(
    Kind.NO_CARRIER,
    "the product has no identifier, and the PIM accepts uploads only by identifier",
    "Name a product to upload it to first: --carrier IDENTIFIER:ATTRIBUTE (its own value is put "
    "back), or upload the same file to a product with an identifier in the same run...",
)
