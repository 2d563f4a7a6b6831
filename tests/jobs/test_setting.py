"""Values set back and emptied: how many requests it takes, and what another program does meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.pim.http.transport import CallInfo
from akeneo_media_cli.planning.unchanged import SkipPolicy
from akeneo_media_cli.rows import Status, Target, TargetType
from akeneo_media_cli.sandbox import SandboxOptions, parse_faults, start_sandbox

from .desk import Desk, Value

ATTRIBUTES = ("picture", "front", "back")
CATALOGUE: dict[str, Any] = {
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier"},
        *({"code": code, "type": "pim_catalog_image"} for code in ATTRIBUTES),
    ],
    "families": [{"code": "shoes", "attributes": ["sku", *ATTRIBUTES]}],
    "products": [{"identifier": f"p-{n}", "family": "shoes"} for n in range(1, 501)],
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with start_sandbox(CATALOGUE, options=SandboxOptions(save_time=0)) as sandbox:
        found = Desk(sandbox, tmp_path)
        yield found
        found.close()


def value(n: int, attribute: str = "picture") -> Value:
    return Value(Target(TargetType.PRODUCT, f"p-{n}"), attribute)


def fill(desk: Desk, values: list[Value]) -> None:
    """Another program puts one picture into all of them."""
    first = value(500)
    code = desk.upload({first: "any"}).rows[0].media_code
    patched(desk, dict.fromkeys(values, str(code)))


def patched(desk: Desk, codes: dict[Value, str]) -> None:
    """Let another program set products' values."""
    lines = [_line(value, code) for value, code in codes.items()]
    for start in range(0, len(lines), 100):
        assert not [line for line in desk.other.patch_products(lines[start : start + 100]) if line.failure]


def _line(each: Value, code: str | None) -> dict[str, Any]:
    values = {each.attribute: [{"locale": each.locale, "scope": each.scope, "data": code}]}
    return {"identifier": each.target.code, "values": values}


def calls(desk: Desk, what: Callable[[], Any]) -> tuple[int, int]:
    """How many reads and PATCHes of products it takes."""

    def counted() -> tuple[int, int]:
        stats = desk.sandbox.stats()["calls"]
        return tuple(sum(stats.get(f"{m} /products", {}).values()) for m in ("GET", "PATCH"))

    before = counted()
    what()
    after = counted()
    return after[0] - before[0], after[1] - before[1]


def test_a_hundred_products_take_a_read_a_patch_and_a_read(desk: Desk) -> None:
    values = [value(n) for n in range(1, 301)]
    fill(desk, values)
    asked: list[str] = []

    def confirm(question: str) -> bool:
        asked.append(question)
        return True

    removed = calls(desk, lambda: desk.remove(values, confirm=confirm, max_removals=300))
    assert removed == (6, 3), "what is asked first costs no reads"
    assert asked == [f"Remove up to 300 values from {desk.sandbox.url}?"]
    run = desk.ledger.run("last").id
    assert calls(desk, lambda: desk.undo(run, confirm=confirm)) == (6, 3)
    assert set(values) < set(desk.held())


def test_values_of_one_product_share_its_reads_and_its_line(desk: Desk) -> None:
    values = [value(n, attribute) for n in range(1, 101) for attribute in ATTRIBUTES]
    fill(desk, values)
    assert calls(desk, lambda: desk.remove(values)) == (2, 1)
    assert set(desk.held()) == {value(500)}


def test_only_more_rows_than_may_go_are_counted_first(desk: Desk) -> None:
    values = [value(n) for n in range(1, 301)]
    fill(desk, values[:150])
    held = desk.held()
    assert calls(desk, lambda: desk.remove(values, max_removals=149)) == (2, 0), "it stops at the 150th"
    assert desk.held() == held
    assert calls(desk, lambda: desk.remove(values, max_removals=150)) == (3 + 4, 2), (
        "empty ones are read once"
    )
    assert set(desk.held()) == {value(500)}


def test_a_change_between_setting_and_reading_back_stays(desk: Desk) -> None:
    old, new = {value(1): "old", value(2): "old-2"}, {value(1): "new", value(2): "new-2"}
    desk.upload(old)
    theirs = desk.upload({value(3): "theirs"}).rows[0].media_code
    run = desk.upload(new).run

    def meddle(call: CallInfo) -> None:
        if call.method == "PATCH":
            desk.on_call = None
            desk.other.patch_products([_line(value(1), theirs)])

    desk.on_call = meddle
    done = desk.undo(run)
    assert done.status is Exit.ROWS_FAILED
    assert [row.status for row in done.rows] == [Status.FAILED, Status.RESTORED]
    assert done.rows[0].failure is not None
    assert done.rows[0].failure.kind is Kind.CHANGED_IN_PIM
    assert desk.held()[value(1)] == theirs


def test_after_an_undo_the_next_upload_sends_again(desk: Desk) -> None:
    run = desk.upload({value(1): "new"}).run
    assert desk.undo(run).statuses() == {"restored": 1}
    assert desk.held() == {}
    again = desk.upload({value(1): "new"}, skip=SkipPolicy("ledger"))
    assert again.statuses() == {"uploaded": 1}


def test_a_lost_answer_is_no_lost_value(desk: Desk) -> None:
    desk.upload({value(n): "old" for n in range(1, 6)})
    held = desk.held()
    run = desk.upload({value(n): "new" for n in range(1, 6)}).run
    faults = parse_faults(["reset-late=1x@/products"])
    desk.sandbox.inside(lambda: setattr(desk.sandbox.store.options, "faults", faults))
    assert desk.undo(run).statuses() == {"restored": 5}
    assert desk.held() == held


def test_what_is_no_media_value_is_not_removed(desk: Desk) -> None:
    wrong = [value(1, "sku"), value(1, "no_such"), Value(Target(TargetType.PRODUCT, "nobody"))]
    done = desk.remove(wrong)
    assert done.status is Exit.ROWS_FAILED
    assert [row.failure.kind for row in done.rows if row.failure] == [
        Kind.ATTRIBUTE_NOT_MEDIA, Kind.ATTRIBUTE_UNKNOWN, Kind.TARGET_UNKNOWN,
    ]  # fmt: skip
    assert desk.sandbox.stats()["products"] == 500


def test_only_file_removes_only_the_rows_own_file(desk: Desk) -> None:
    contents = {value(1): "mine-1", value(2): "mine-2"}
    run = desk.upload(contents)
    patched(desk, {value(2): str(run.rows[0].media_code)})
    done = desk.remove(contents, only_file=True)
    assert (done.status, done.statuses()) == (Exit.OK, {"removed": 1, "unchanged": 1})
    assert set(desk.held()) == {value(2)}
