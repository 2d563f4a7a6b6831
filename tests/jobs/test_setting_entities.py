"""Values of assets, records and products by UUID: what they held is known, put back and emptied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.rows import Status, Target, TargetType
from akeneo_media_cli.sandbox import SandboxOptions, start_sandbox

from ..e2e.test_places import enterprise
from ..e2e.test_uuid import U
from .desk import Desk, Ended, Value

ASSET = Target(TargetType.ASSET, "there", "photos")
CARRIER = "p-1:picture"
RECORD = Target(TargetType.RECORD, "acme", "brand")
VALUES = [
    Value(ASSET, "media"),
    Value(ASSET, "local", "en_US", "ecommerce"),
    Value(ASSET, "local", "fr_FR", "ecommerce"),
    Value(RECORD, "logo"),
    Value(Target(TargetType.RECORD, "", "brand"), "image"),
    Value(Target(TargetType.PRODUCT_UUID, U.format(1)), "picture"),
    Value(Target(TargetType.PRODUCT_UUID, U.format(11)), "picture"),
]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    catalogue = enterprise()
    catalogue["products"] += [
        {"uuid": U.format(1), "family": "shoes"},
        {"uuid": U.format(11), "identifier": "q-11", "family": "shoes"},
    ]
    with start_sandbox(catalogue, options=SandboxOptions(save_time=0)) as sandbox:
        found = Desk(sandbox, tmp_path)
        yield found
        found.close()


def befores(ended: Ended) -> list[str | None]:
    return [getattr(row.before, "code", None) for row in ended.rows]


def codes(ended: Ended) -> list[str | None]:
    return [row.media_code for row in ended.rows]


def test_a_run_on_every_kind_of_place_is_undone_and_the_undo_too(desk: Desk) -> None:
    old = desk.upload({value: f"old-{n}" for n, value in enumerate(VALUES)}, carrier=CARRIER)
    assert old.status is Exit.OK
    assert befores(old) == [None] * len(VALUES)
    before = desk.held()
    new = desk.upload({value: f"new-{n}" for n, value in enumerate(VALUES)}, carrier=CARRIER)
    assert befores(new) == codes(old)
    after = desk.held()
    undone = desk.undo(new.run)
    assert undone.statuses() == {"restored": len(VALUES)}
    assert (befores(undone), codes(undone)) == (codes(new), codes(old))
    assert desk.held() == before
    assert desk.undo(undone.run).statuses() == {"restored": len(VALUES)}
    assert desk.held() == after
    assert desk.undo(old.run).status is Exit.ROWS_FAILED, "they hold what the later run put there"
    assert desk.held() == after


def test_all_are_emptied_and_come_back(desk: Desk) -> None:
    desk.upload({value: f"old-{n}" for n, value in enumerate(VALUES)}, carrier=CARRIER)
    before = desk.held()
    removed = desk.remove(VALUES)
    assert removed.statuses() == {"removed": len(VALUES)}
    assert desk.held() == {}
    assert desk.undo(removed.run).statuses() == {"restored": len(VALUES)}
    assert desk.held() == before


def test_what_is_not_there_is_not_created(desk: Desk) -> None:
    gone = [
        Value(Target(TargetType.ASSET, "nobody", "photos"), "media"),
        Value(Target(TargetType.RECORD, "nobody", "brand"), "logo"),
        Value(Target(TargetType.PRODUCT_UUID, U.format(99)), "picture"),
    ]
    counts = [desk.sandbox.stats()[kind] for kind in ("assets", "records", "products")]
    done = desk.remove(gone)
    assert [row.failure and row.failure.kind for row in done.rows] == [Kind.TARGET_UNKNOWN] * 3
    assert [desk.sandbox.stats()[kind] for kind in ("assets", "records", "products")] == counts


def test_a_category_has_no_way_back(desk: Desk) -> None:
    banner = Value(Target(TargetType.CATEGORY, "master"), "banner")
    run = desk.upload({banner: "banner", VALUES[0]: "asset"}).run
    undone = desk.undo(run)
    assert [row.status for row in undone.rows] == [Status.INVALID, Status.RESTORED]
    assert undone.rows[0].failure is not None
    assert undone.rows[0].failure.kind is Kind.NO_WAY_BACK
    removed = desk.remove([banner])
    assert [row.failure and row.failure.kind for row in removed.rows] == [Kind.NO_WAY_BACK]
