"""Which rows need not be sent: what the ledger knows against what the PIM holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.fit.recipe import Recipe
from akeneo_media_cli.ledger import UNKNOWN, HeldFile, PlannedRow, Run, open_ledger
from akeneo_media_cli.planning.unchanged import (
    ONLY_NAME_AND_SIZE,
    REPLACED,
    Comparison,
    SkipPolicy,
    Unchanged,
)
from akeneo_media_cli.preflight.catalogue import Catalogue
from akeneo_media_cli.rows import Target, TargetType
from akeneo_media_cli.sandbox import parse_faults
from akeneo_media_cli.storage.conversions import Conversions, takes_of
from akeneo_media_cli.storage.sources import Sources
from akeneo_media_cli.targets.resolved import ResolvedTarget

from ..ledger.ledger_rows import uploaded
from ..preflight.test_preflight import Desk, desk, put, row

__all__ = ["desk"]


class Compares(Unchanged):
    """With the run that remembers what is compared."""

    run: Run


Make = Callable[..., tuple[Desk, Compares, PlannedRow]]


@pytest.fixture
def unchanged(desk: Callable[..., Desk], tmp_path: Path) -> Iterator[Make]:
    """A row whose value last got `known` from this machine, if that is given, and a PIM."""
    with ExitStack() as stack:

        def make(
            policy: SkipPolicy, known: str | None = None, **more: Any
        ) -> tuple[Desk, Compares, PlannedRow]:
            d = desk()
            path = tmp_path / "a.jpg"
            path.write_bytes(b"0123456789")
            planned = row(1, "p-1")
            planned.path, planned.size, planned.mtime_ns = str(path), 10, path.stat().st_mtime_ns
            ledger = open_ledger(None, pim_url=d.sandbox.url, clock=lambda: 0.0, note=print)
            stack.callback(ledger.close)
            if known:
                earlier = ledger.start_run("upload", {})
                earlier.add([planned])
                uploaded(earlier, 1, known, sha256=Sources().sha256(planned.path))
            run = ledger.start_run("upload", {})
            run.add([planned])
            touched = more.get("touched", {})
            made = Compares(
                policy,
                d.client,
                Sources(),
                touched=touched,
                interrupted={},
                conversions=more.get("conversions"),
            )
            made.run = run
            return d, made, planned

        yield make


def compare(unchanged: Compares, planned: PlannedRow, resolved: ResolvedTarget) -> Comparison:
    return unchanged.compare(planned, resolved, unchanged.run.remembered(planned.seq))


def value(before: Any) -> ResolvedTarget:
    return ResolvedTarget(Target(TargetType.PRODUCT, "p-1"), "picture", None, None, before=before)


def test_a_touched_file_is_unchanged_if_its_bytes_are(unchanged: Make) -> None:
    _, known, planned = unchanged(SkipPolicy("ledger"), "a/b.jpg", touched={1: ("a/b.jpg", "other")})
    assert not compare(known, planned, value("a/b.jpg")).same
    digest = Sources().sha256(planned.path)
    _, known, planned = unchanged(SkipPolicy("ledger"), "a/b.jpg", touched={1: ("a/b.jpg", str(digest))})
    compared = compare(known, planned, value(UNKNOWN))
    assert (compared.same, compared.sha256, known.unasked) == (True, digest, 1)


def test_remote_asks_for_name_and_size_where_the_ledger_knows_nothing(unchanged: Make) -> None:
    d, known, planned = unchanged(SkipPolicy())
    code = put(d, "p-1", "picture")
    compared = compare(known, planned, value(code))
    assert compared == Comparison(HeldFile(code, "a.jpg", 10), same=True, notes=(ONLY_NAME_AND_SIZE,))
    assert compare(known, planned, value(None)) == Comparison(None)
    assert compare(known, planned, value(UNKNOWN)) == Comparison(UNKNOWN)
    planned.size = 11
    assert compare(known, planned, value(code)) == Comparison(HeldFile(code, "a.jpg", 10))
    assert compare(known, planned, value("no/such/file.jpg")) == Comparison(HeldFile("no/such/file.jpg"))
    d.sandbox.store.options.faults.faults.extend(parse_faults(["403-html=1x@media-files"]).faults)
    assert not compare(known, planned, value(code)).same


def test_the_code_that_the_ledger_knows_is_enough(unchanged: Make) -> None:
    d, known, planned = unchanged(SkipPolicy(), "a/b.jpg")
    assert compare(known, planned, value("a/b.jpg")).same
    assert d.sandbox.stats()["total"] == 0
    planned.mtime_ns = 1
    assert compare(known, planned, value("a/b.jpg")).same, "another time, but the same bytes"
    Path(planned.path or "").write_bytes(b"9876543210")
    assert not compare(known, planned, value("a/b.jpg")).same


def test_a_value_that_was_changed_meanwhile_is_drift(unchanged: Make) -> None:
    expected = {"overwrite": (False, (REPLACED,)), "keep": (True, ("changed in the PIM since, kept",))}
    for drift, (same, notes) in expected.items():
        _, known, planned = unchanged(SkipPolicy(drift=drift), "a/b.jpg")
        for before in (None, "c/d.jpg"):
            compared = compare(known, planned, value(before))
            assert (compared.same, compared.notes) == (same, notes)
        assert known.drifted == 2
    _, known, planned = unchanged(SkipPolicy(drift="fail"), "a/b.jpg")
    failure = compare(known, planned, value(None)).failure
    assert failure is not None
    assert failure.kind is Kind.CHANGED_IN_PIM


def test_the_same_bytes_sent_by_another_machine_are_no_drift(unchanged: Make) -> None:
    d, known, planned = unchanged(SkipPolicy(), "a/b.jpg")
    code = put(d, "p-1", "picture")
    Path(planned.path or "").write_bytes(b"x" * 10)
    downloaded = compare(known, planned, value(code))
    assert not downloaded.same, "the same name and size, other bytes"
    assert known.drifted == 1


def test_rows_that_still_hold_what_the_ledger_expects(unchanged: Make) -> None:
    d, known, planned = unchanged(SkipPolicy())
    code = put(d, "p-1", "picture")
    catalogue = Catalogue(d.client, lambda *_: None)
    other, unknown = row(2, "P-2"), row(3, "nobody")
    planned.media_code = other.media_code = unknown.media_code = code
    assert known.still([planned, other, unknown], catalogue) == [planned]
    assert d.calls()["GET /products"] == 1


def test_none_asks_nothing(unchanged: Make) -> None:
    d, known, planned = unchanged(SkipPolicy("none"))
    assert not compare(known, planned, value("a/b.jpg")).same
    assert d.sandbox.stats()["total"] == 0


@pytest.mark.parametrize("skip", ["remote", "ledger"])
def test_what_was_sent_as_it_is_is_not_the_same_once_it_would_be_converted(
    unchanged: Make, skip: str
) -> None:
    _, known, planned = unchanged(SkipPolicy(skip), "a/b.jpg", conversions=Conversions(Recipe()))
    assert compare(known, planned, value("a/b.jpg")).same
    planned.recipe = Recipe().key(takes_of(None))
    assert not compare(known, planned, value("a/b.jpg")).same
