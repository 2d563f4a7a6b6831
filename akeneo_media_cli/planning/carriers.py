"""How a file gets to a product without identifier, to which the PIM takes no upload (pim-facts A6).

Another row of the run sends it, or it goes up through a value of the `--carrier`, which is put back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from enum import Enum, auto

from ..errors import Failure, Kind, UsageError
from ..ledger import Lent, PlannedRow, Run
from ..pim.client import PimClient
from ..pim.errors import CallError, Refusal, Trouble
from ..preflight import checks
from ..preflight.catalogue import Note
from ..preflight.preflight import Preflight
from ..rows import Row, Target, TargetType
from ..targets import PLACES
from ..targets.resolved import Aim


class Way(Enum):
    """How a row without identifier gets its file, where it needs no carrier of its own."""

    CARRIED = auto()
    """Another row sends it."""
    LATER = auto()
    """It cannot be told before all other rows are looked up."""


def parse_carrier(text: str) -> tuple[str, str]:
    """The identifier and the attribute of `--carrier`. Raises UsageError."""
    identifier, _, attribute = text.rpartition(":")
    if not identifier.strip() or not attribute.strip():
        raise UsageError(
            f"--carrier {text!r} is no IDENTIFIER:ATTRIBUTE", "name a product and one of its image attributes"
        )
    return identifier, attribute


class Carriers:
    """Knows which files get to the PIM anyway, and the carrier for those that do not. Thread-safe."""

    def __init__(self, carrier: str | None, preflight: Preflight | None, known: Iterable[str] = ()) -> None:
        """`preflight` looks at no files; `known` are contents that the PIM has already. Raises UsageError."""
        self.deferred: dict[int, None] = {}
        """Rows that are to be looked up once more when all others are, in order, each once."""
        self._written = carrier
        self._place = parse_carrier(carrier) if carrier else None
        self._preflight = preflight
        self._lock = threading.Lock()
        self._sent: dict[str, int | None] = dict.fromkeys(known)
        self._carrier: Aim | Failure | None = None
        self._last = False

    def sends(self, content: str | None, seq: int) -> None:
        """A row that will send its file, or need not, was looked up."""
        if content is not None:
            with self._lock:
                self._sent.setdefault(content, seq)

    def no_more(self) -> None:
        """All rows that may send a file were looked up."""
        self._last = True

    def way(self, planned: PlannedRow, content: str | None) -> Way | Aim | Failure:
        """How a row without identifier gets its file; an `Aim` is the carrier's value. Raises Trouble."""
        with self._lock:
            # A batch that met trouble is looked up again: no row is carried by itself.
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
        if isinstance(found, Aim) and found.definition is not None:
            unfit = checks.file_fits(found.definition, planned.name, planned.size or 0)
            found = found if unfit is None else unfit
        if isinstance(found, Failure):
            message = f"--carrier {self._written} cannot carry it: {found.message}"
            return Failure(Kind.NO_CARRIER, message, found.hint)
        self.sends(content, planned.seq)
        return found

    def _look(self, identifier: str, attribute: str) -> Aim | Failure:
        row = Row("--carrier", 0, "", Target(TargetType.PRODUCT, identifier), attribute)
        if self._preflight is None:
            return _NOBODY
        try:
            found = self._preflight.look([PlannedRow(0, row, "")])[0]
        except Refusal as refusal:
            return refusal.failure
        if isinstance(found, Aim) and not found.sure:
            return Failure(
                Kind.NO_CARRIER,
                f"whether {attribute} belongs to {identifier} itself cannot be told",
                "name a simple product, and give the connection the right to list products and families",
            )
        return found


_NOBODY = Failure(
    Kind.NO_CARRIER,
    "the product has no identifier, and the PIM takes uploads only by identifier",
    "name a product that the file may go through with --carrier IDENTIFIER:ATTRIBUTE (its own value is put "
    "back), or upload the same file to a product with an identifier in the same run",
)


def put_back(run: Run, client: PimClient, note: Note) -> None:
    """Put values of carriers back that still hold somebody else's file. Raises AccessError."""
    for lent in run.lent():
        try:
            _reclaim(run, client, lent)
        except CallError as error:  # noqa: PERF203 - a carrier or two
            note(
                f"the carrier {lent.identifier} still holds {lent.name} in {lent.attribute}: {error}",
                "the next upload puts its own value back",
            )


def settle_debt(run: Run, client: PimClient, carrier: Aim) -> str | None:
    """What the carrier's value holds of its own: an earlier row's file that is still in it goes out first.

    Raises as the client does, Trouble and Refusal too where the PIM does not let us put it back.
    """
    here = (carrier.target.code, carrier.attribute, carrier.locale, carrier.scope)
    owed = next((lent for lent in run.lent() if lent[:4] == here), None)
    return PLACES[TargetType.PRODUCT].held(client, carrier) if owed is None else _reclaim(run, client, owed)


def _reclaim(run: Run, client: PimClient, lent: Lent) -> str | None:
    """Get the file that went through a value out of it; what it holds then. Raises as `settle_debt`."""
    place, aim = PLACES[TargetType.PRODUCT], aim_of(lent)
    held = place.held(client, aim)
    if not held or held == lent.before or not place.resembles(client, aim, held, lent.name, lent.size):
        # Another value than that file is somebody's own: it stays.
        run.give_back(lent)
        return held
    failure = restore(run, client, lent)
    if failure is None:
        return lent.before
    raise Trouble(failure, maybe_done=True) if failure.kind is Kind.NOT_ATTACHED else Refusal(failure)


def restore(run: Run, client: PimClient, lent: Lent) -> Failure | None:
    """Put one value back; why the PIM did not let us, if it did not. Raises as the client does."""
    result = PLACES[TargetType.PRODUCT].attach(client, [[(aim_of(lent), lent.before)]])[0]
    if result.status is None or result.failure is not None:
        return result.failure or Failure(
            Kind.NOT_ATTACHED, "the PIM's answer broke off", "It is tried again."
        )
    run.give_back(lent)
    return None


def aim_of(lent: Lent) -> Aim:
    """The value that was lent."""
    target = Target(TargetType.PRODUCT, lent.identifier)
    return Aim(target, lent.attribute, lent.locale, lent.scope, before=lent.before, sure=True)
