"""Where a row's file goes, by what the PIM or else the manifest says."""

from __future__ import annotations

from ..frozen import frozen
from ..ledger import UNKNOWN, Before, HeldFile, PlannedRow, SetBeside
from ..pim.answers.types import Attribute
from ..rows import Target


@frozen
class ResolvedTarget:
    """Where a row's file goes, as the PIM spells it, and what is there now.

    `target` is of type `product` also for a row that names a product with identifier by its UUID. `tree` is
    the code of the root model that a variant or model hangs under. `draft`: the user's rights make a proposal
    of a write, so that the value does not change by it (docs/pim-behaviour.md, "Rights"). `definition` is
    what the catalogue says of the attribute, where it was asked. `sure`: the entity was seen, and the
    attribute belongs to its level, so that a PATCH makes and drops nothing
    (docs/pim-behaviour.md, "Batch PATCH"). `made`: there is no such asset or record yet, and a PATCH creates
    it. `stored` is the file of `before`, where the PIM describes it along with the value. `beside` are other
    values of an asset or record, and the asset's link; `collection` what an asset collection holds.
    """

    target: Target
    attribute: str
    locale: str | None
    scope: str | None
    before: Before = UNKNOWN
    tree: str | None = None
    draft: bool = False
    definition: Attribute | None = None
    sure: bool = False
    made: bool = False
    notes: tuple[str, ...] = ()
    stored: HeldFile | None = None
    beside: SetBeside | None = None
    collection: tuple[str, ...] = ()

    @staticmethod
    def as_written(planned: PlannedRow) -> ResolvedTarget:
        """A row as written: `--no-preflight`."""
        row = planned.row
        assert row.target is not None
        return ResolvedTarget(row.target, row.attribute, row.locale, row.scope)
