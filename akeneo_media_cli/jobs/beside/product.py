"""A product or model whose asset collections are set: what they are to hold, and how that is undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import Failure, Kind
from ...ledger import PlannedRow, SetLink, Whole
from ...planning.linking import LinkMode, collection, in_order, kept_of
from ...rows import Target, TargetType, folded
from .converge import Seen, ToSet

Place = tuple[str, str | None, str | None]
"""A collection of a product, by attribute, locale and scope."""

_DRAFTS = ("draft_in_progress", "proposal_waiting_for_approval")
_CODE_KEYS = {TargetType.PRODUCT: "identifier", TargetType.PRODUCT_UUID: "uuid"}


@dataclass
class Product:
    """A product or model and the rows whose assets go into its collections, in the manifest's order."""

    target: Target
    seqs: list[int] = field(default_factory=list)
    rows: list[PlannedRow] = field(default_factory=list)
    first: dict[int, bool] = field(default_factory=dict)
    """By seq: was the asset in the collection when it was first read?"""
    changed: dict[Place, Failure] = field(default_factory=dict)
    """Collections that are left as they are, as somebody changed them."""
    _wholes: dict[Place, Whole] = field(default_factory=dict)

    @property
    def links(self) -> Iterator[SetLink]:
        """What the rows still have to link."""
        return (link for planned in self.rows if (link := link_of(planned)) is not None)

    def to_set(self, entity: Any, mode: LinkMode) -> Seen:
        """What the product lacks, as it was just read."""
        if entity is None:
            return _gone(self.target)
        values: dict[str, list[dict[str, Any]]] = {}
        for place, rows in self._by_place().items():
            attribute, locale, scope = place
            held = entity.codes(attribute, locale, scope)
            self._remember_first(rows, held)
            goal = self._goal(place, rows, held, mode)
            if goal is not None:
                values.setdefault(attribute, []).append({"locale": locale, "scope": scope, "data": goal})
        if not values:
            return None
        if getattr(entity, "workflow_status", None) in _DRAFTS:
            return _DRAFT
        return ToSet({_CODE_KEYS.get(self.target.type, "code"): self.target.code, "values": values})

    def set_wholes(self) -> Iterator[PlannedRow]:
        """The rows, one for each collection that is about to be set as a whole, that say so from now on."""
        by_place = self._by_place()
        for place, whole in self._wholes.items():
            planned, _ = min(by_place[place], key=lambda row: row[1].to_set is None)
            assert planned.beside is not None
            planned.beside = planned.beside.with_whole(whole)
            yield planned

    def _by_place(self) -> dict[Place, list[tuple[PlannedRow, SetLink]]]:
        found: dict[Place, list[tuple[PlannedRow, SetLink]]] = {}
        for planned in self.rows:
            link = link_of(planned)
            assert link is not None
            found.setdefault(place_of(link), []).append((planned, link))
        return found

    def _goal(
        self, place: Place, rows: Sequence[tuple[PlannedRow, SetLink]], held: Sequence[str], mode: LinkMode
    ) -> list[str] | None:
        """What a collection is to hold; None where it does, or is left alone."""
        whole = next((link.to_set for _, link in rows if link.to_set is not None), None)
        if whole is not None:
            goal = list(whole.after)
        else:
            into, out = ([_code(p) for p, link in rows if link.take_out is way] for way in (False, True))
            goal = collection(held, into, mode, out)
        if in_order(goal, held):
            return None
        if whole is not None and not in_order(whole.before, held):
            self.changed.setdefault(place, _changed(place[0], whole, held))
        if place in self.changed:
            return None
        replaced = mode is LinkMode.REPLACE and not in_order(kept_of(held, goal), held)
        if whole is not None or replaced:
            # To take out what is put there will not bring back what it held.
            self._wholes.setdefault(place, Whole(held, goal))
        return goal

    def _remember_first(self, rows: Sequence[tuple[PlannedRow, SetLink]], held: Sequence[str]) -> None:
        there = {folded(code) for code in held}
        for planned, _ in rows:
            self.first.setdefault(planned.seq, folded(_code(planned)) in there)


def link_of(planned: PlannedRow) -> SetLink | None:
    """What a row still has to link."""
    said = planned.beside
    return said.link if said is not None and said.link_to_do else None


def place_of(link: SetLink) -> Place:
    """The collection that a link is about."""
    return link.attribute, link.locale, link.scope


def _code(planned: PlannedRow) -> str:
    assert planned.beside is not None
    return planned.beside.code


def _changed(attribute: str, whole: Whole, now: Sequence[str]) -> Failure:
    return Failure(
        Kind.CHANGED_IN_PIM,
        f"the collection {attribute} was changed since: the run left {_named(whole.before)} there, "
        f"now it holds {_named(now)}",
        f"It was left as it is. Before the run it held {_named(whole.after)}.",
    )


def _named(codes: Sequence[str]) -> str:
    return ", ".join(codes) or "nothing"


def _gone(target: Target) -> Failure:
    return Failure(
        Kind.TARGET_UNKNOWN,
        f"{target} was deleted during this run",
        "The asset exists: fix the link, then run the same command again.",
    )


_DRAFT = Failure(
    Kind.DRAFT,
    "the product has a draft, so that a change of its collection would wait for approval",
    "Have the draft approved in the PIM, or let the connection's user own the product.",
)
