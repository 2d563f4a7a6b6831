"""After the transfer: values of rows whose file was not sent, then links, a hundred entities in one request.

No upload is in flight any more, so this program writes nothing else to a product between the read of its
collection and the write. Rows stay open until their asset is where it belongs: if the run is
killed before, the next one asks the PIM what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ...errors import Failure, Kind
from ...ledger import PlannedRow, RowResult, Run, SetLink, SetValue
from ...ledger.beside import kept
from ...ledger.codec import to_item
from ...manifest.beside import collection_of
from ...pim.client import PimClient
from ...pim.errors import Refusal
from ...planning.linking import LinkMode
from ...planning.retry import collections_of
from ...preflight.lookup import find_all, limited
from ...rows import Status, Target, TargetType, folded
from ...targets.base import add_values
from ...transfer.coordinator import Policy
from ...transfer.reads import ParallelReads
from ...transfer.retry import SaveTimes
from ..job import Job
from .converge import AT_ONCE, Converge, Patch, Seen, ToSet
from .product import Product, link_of, place_of

T = TypeVar("T")


@dataclass
class _Asset:
    """An asset or record and the rows that set values of it."""

    target: Target
    rows: list[PlannedRow] = field(default_factory=list)

    @property
    def values(self) -> list[SetValue]:
        return [v for planned in self.rows if planned.beside is not None for v in planned.beside.to_send]


class BesideStep:
    """What open rows still have to do beside their files. Used by one thread."""

    def __init__(
        self,
        job: Job,
        run: Run,
        client: PimClient,
        mode: LinkMode,
        *,
        verify: bool,
        retries: int,
        done: Status = Status.UPLOADED,
        media_too: bool = False,
    ) -> None:
        """`done` is the status of rows that something was written for.

        `media_too`: rows with a media value stay open, as that is to be set as well.
        """
        self._done = done
        self._media_too = media_too
        self._reads = ParallelReads(Policy(1, retries), job.progress, job.environment)
        self.confirmed = 0
        """Rows without a file of this run whose values and links were read back as they were set."""
        self._undone: set[tuple[object, ...]] | None = None
        self._job = job
        self._run = run
        self._client = client
        self._mode = mode
        self._verify = verify
        self._retries = retries
        self._saves = SaveTimes(job.environment.clock, run.settles_after)

    def execute(self) -> None:
        """Do it all; after a signal the remaining rows are left open.

        Raises TemporaryError where the PIM does not answer, and AccessError.
        """
        self._job.let_settle(self._run)
        waiting = (planned for planned in self._run.waiting_beside() if _with_values(planned))
        for rows in batches_of(waiting):
            if self._job.interrupted:
                return
            self._set_values(rows)
        for planned in self._run.waiting_beside():
            said = planned.beside
            if said is not None and not said.link_to_do and not said.to_send:
                self._finish(planned)
        for products in _batches(self._products(), lambda p: p.target.type, AT_ONCE):
            if self._job.interrupted:
                return
            self._link(products)

    # Values.

    def _set_values(self, rows: Sequence[PlannedRow]) -> None:
        assets: dict[str, _Asset] = {}
        for planned in rows:
            assert planned.beside is not None
            target = _target(planned)._replace(code=planned.beside.code)
            assets.setdefault(folded(target.code), _Asset(target)).rows.append(planned)
        kind, parent = _target(rows[0]).type, _target(rows[0]).parent

        def look(asked: Sequence[_Asset]) -> list[Seen]:
            found = find_all(self._client, kind, [each.target.code for each in asked], parent=parent)
            return [_values_to_set(each, found.get(folded(each.target.code))) for each in asked]

        patch = self._client.patch_assets if kind is TargetType.ASSET else self._client.patch_records
        Converge[_Asset](
            self._job,
            look=look,
            patch=lambda bodies: patch(parent, bodies),
            before=lambda about: self._run.mark_writing(
                (each.target, value.attribute, value.locale, value.channel)
                for each in about
                for value in each.values
            ),
            ended=self._values_ended,
            verify=self._verify,
            retries=self._retries,
            saves=self._saves,
        ).run(list(assets.values()))

    def _values_ended(self, asset: _Asset, failure: Failure | None) -> None:
        self._run.written((asset.target, v.attribute, v.locale, v.channel) for v in asset.values)
        for planned in asset.rows:
            assert planned.beside is not None
            if failure is not None:
                self._fail(planned, failure)
                continue
            planned.beside = replace(planned.beside, sent=True)
            if planned.beside.link_to_do:
                # Recorded at once: the link comes later.
                self._run.record([self._result(planned, None)])
            else:
                self._finish(planned)

    # Links.

    def _products(self) -> Iterator[Product]:
        """The products that assets go to; of their rows only the numbers, as there may be very many."""
        products: dict[tuple[TargetType, str], Product] = {}
        for planned in self._run.waiting_beside():
            link = link_of(planned)
            if link is not None:
                key = (link.target.type, folded(link.target.code))
                products.setdefault(key, Product(link.target)).seqs.append(planned.seq)
        return iter(products.values())

    def _link(self, products: Sequence[Product]) -> None:
        self._load(products)
        kind = products[0].target.type
        asked = [product for product in products if product.rows]

        def look(about: Sequence[Product]) -> list[Seen]:
            attributes = limited(link.attribute for each in about for link in each.links)
            codes = [each.target.code for each in about]
            found = find_all(self._client, kind, codes, attributes=attributes)
            return [each.to_set(found.get(folded(each.target.code)), self._mode) for each in about]

        Converge[Product](
            self._job,
            look=look,
            patch=self._patch(kind),
            before=self._before_links,
            ended=self._links_ended,
            verify=self._verify,
            retries=self._retries,
            saves=self._saves,
        ).run(asked)

    def _load(self, products: Sequence[Product]) -> None:
        """Read the rows of some products; those whose asset does not exist end here."""
        for product in products:
            product.rows = self._run.some(product.seqs)
        unsure: dict[str, dict[str, str]] = {}
        for planned in (p for product in products for p in product.rows if _may_lack_asset(p)):
            assert planned.beside is not None
            code = planned.beside.code
            unsure.setdefault(_target(planned).parent, {})[folded(code)] = code
        there = {(family, code) for family, codes in unsure.items() for code in self._existing(family, codes)}
        if self._mode is LinkMode.REPLACE and self._undone is None:
            # They are not replaced by the rows that did not fail.
            self._undone = collections_of(self._run.rows((Status.FAILED, Status.INVALID)))
        undone = set(self._undone or ())
        for product in products:
            for planned in list(product.rows):
                assert planned.beside is not None
                if (
                    _may_lack_asset(planned)
                    and (_target(planned).parent, folded(planned.beside.code)) not in there
                ):
                    product.rows.remove(planned)
                    self._fail(planned, _no_asset(_target(planned), planned.beside.code))
                    if self._mode is LinkMode.REPLACE:
                        undone |= collections_of([planned])
            if any(collection_of(planned.row) in undone for planned in product.rows):
                for planned in product.rows:
                    self._end(planned, self._result(planned, Status.PENDING, _NOT_WHOLE))
                product.rows = []

    def _existing(self, family: str, codes: Mapping[str, str]) -> set[str]:
        """Which of the codes, by how they fold, are assets; all where the user may not read them."""

        def ask() -> dict[str, Any]:
            return find_all(self._client, TargetType.ASSET, codes.values(), parent=family)

        (found,) = self._reads.all([ask])
        if isinstance(found, Refusal):
            return set(codes)
        return {code for code, asset in found.items() if asset is not None}

    def _before_links(self, about: Sequence[Product]) -> None:
        self._run.mark_writing(_place(link) for product in about for link in product.links)
        # Whatever becomes of the request: an undo must know what the collections held.
        wholes = [planned for product in about for planned in product.set_wholes()]
        if wholes:
            self._run.record(self._result(planned, None) for planned in wholes)

    def _links_ended(self, product: Product, failure: Failure | None) -> None:
        self._run.written(map(_place, product.links))
        for planned in product.rows:
            assert planned.beside is not None and planned.beside.link is not None
            wrong = failure or product.changed.get(place_of(planned.beside.link))
            if wrong is not None:
                self._fail(planned, wrong)
                continue
            was, out = product.first.get(planned.seq, False), planned.beside.link.take_out
            change = ("removed" if was else "none") if out else ("none" if was else "new")
            planned.beside = planned.beside.with_link(change)
            self._finish(planned)

    def _patch(self, kind: TargetType) -> Patch:
        return {
            TargetType.PRODUCT: self._client.patch_products,
            TargetType.PRODUCT_UUID: self._client.patch_products_by_uuid,
            TargetType.PRODUCT_MODEL: self._client.patch_product_models,
        }[kind]

    # Ends.

    def _finish(self, planned: PlannedRow) -> None:
        assert planned.beside is not None
        if self._media_too and not planned.row.has_no_media:
            self._run.record([self._result(planned, None)])
            return
        changed = planned.beside.file or planned.beside.wrote
        # A file that this run sent was counted when it was read back.
        self.confirmed += self._verify and planned.beside.wrote and not planned.beside.file
        self._end(planned, self._result(planned, self._done if changed else Status.UNCHANGED))

    def _fail(self, planned: PlannedRow, failure: Failure) -> None:
        self._end(planned, self._result(planned, Status.FAILED, failure))

    def _result(
        self, planned: PlannedRow, status: Status | None, failure: Failure | None = None
    ) -> RowResult:
        return RowResult(planned.seq, status, failure, media_code=planned.media_code, beside=planned.beside)

    def _end(self, planned: PlannedRow, result: RowResult) -> None:
        self._run.record([result])
        planned.status, planned.failure = result.status, result.failure
        self._job.progress.row_finished(planned.seq, to_item(planned))


def _values_to_set(asset: _Asset, entity: Any) -> Seen:
    held: Mapping[Any, Any] = {} if entity is None else entity.values
    lacking = []
    for planned in asset.rows:
        said = planned.beside
        for value in said.to_send if said is not None else ():
            now = held.get((value.attribute, value.locale, value.channel))
            if kept(value.data, now):
                continue
            if said is not None and said.restores and not kept(value.before, now):
                return _changed(value, now)
            lacking.append(value)
    if not lacking:
        return None
    values: dict[str, list[dict[str, Any]]] = {}
    add_values(values, lacking)
    return ToSet({"code": asset.target.code, "values": values})


def _batches(items: Iterable[T], kind: Any, most: int) -> Iterator[list[T]]:
    """Items in batches of one kind, in their order."""
    waiting: dict[Any, list[T]] = {}
    for item in items:
        batch = waiting.setdefault(kind(item), [])
        batch.append(item)
        if len(batch) == most:
            yield waiting.pop(kind(item))
    yield from waiting.values()


def batches_of(rows: Iterable[PlannedRow]) -> Iterator[list[PlannedRow]]:
    """Rows in batches of one family, as many as one search takes."""
    return _batches(rows, lambda planned: (_target(planned).type, _target(planned).parent), AT_ONCE)


def _target(planned: PlannedRow) -> Target:
    assert planned.row.target is not None
    return planned.row.target


def _with_values(planned: PlannedRow) -> bool:
    return planned.beside is not None and bool(planned.beside.to_send)


def _place(link: SetLink) -> tuple[Target, str, str | None, str | None]:
    return link.target, link.attribute, link.locale, link.scope


def _may_lack_asset(planned: PlannedRow) -> bool:
    """Is it unknown whether this row's asset exists?"""
    link = link_of(planned)
    if link is None or link.take_out or planned.beside is None:
        return False
    return planned.row.has_no_media and not planned.beside.changes


def _no_asset(target: Target, code: str) -> Failure:
    return Failure(
        Kind.TARGET_UNKNOWN,
        f"there is no asset {code} in the family {target.parent}, so it cannot be linked",
        "Give the row a file or values, so that the asset is created; or fix its code.",
    )


def _changed(value: SetValue, now: Any) -> Failure:
    return Failure(
        Kind.CHANGED_IN_PIM,
        f"the value {value.attribute} was changed since: the run set {value.before!r}, now it is {now!r}",
        "It was left as it is. Set it by hand, or upload a manifest that says what it is to be.",
    )


_NOT_WHOLE = Failure(
    Kind.NOT_ATTACHED,
    "other rows for the same collection failed, so it was not replaced (--link-replace)",
    "Fix those rows, then run the same command again.",
)
