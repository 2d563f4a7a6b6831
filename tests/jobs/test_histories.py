"""Random histories: uploads, removals, undos, undos of undos, and another program that writes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from akeneo_media_cli.jobs.undo import changed
from akeneo_media_cli.pim.http.transport import CallInfo
from akeneo_media_cli.planning.unchanged import SkipPolicy
from akeneo_media_cli.rows import Status, Target, TargetType
from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, start_sandbox

from .desk import Desk, Ended, Value

_SIZE = [{"locale": None, "scope": None, "data": "s"}]
CATALOGUE: dict[str, Any] = {
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier"},
        {"code": "size", "type": "pim_catalog_simpleselect", "options": ["s", "m"]},
        {"code": "picture", "type": "pim_catalog_image"},
        {"code": "front", "type": "pim_catalog_image"},
        {"code": "shot", "type": "pim_catalog_image"},
        {"code": "label", "type": "pim_catalog_image", "localizable": True},
    ],
    "families": [{"code": "shoes", "attributes": ["sku", "size", "picture", "front", "shot", "label"]}],
    "family_variants": {
        "shoes": [
            {
                "code": "by_size",
                "variant_attribute_sets": [
                    {"level": 1, "axes": ["size"], "attributes": ["sku", "size", "shot"]}
                ],
            }
        ]
    },
    "channels": [{"code": "web", "locales": ["en_US", "fr_FR"], "category_tree": "master"}],
    "locales": [{"code": "en_US", "enabled": True}, {"code": "fr_FR", "enabled": True}],
    "categories": [{"code": "master", "parent": None}],
    "products": [
        {"identifier": "p-1", "family": "shoes"},
        {"identifier": "p-2", "family": "shoes"},
        {"identifier": "v-1", "family": "shoes", "parent": "m-1", "values": {"size": _SIZE}},
    ],
    "product_models": [{"code": "m-1", "family": "shoes", "family_variant": "by_size"}],
}
VALUES = (
    Value(Target(TargetType.PRODUCT, "p-1"), "picture"),
    Value(Target(TargetType.PRODUCT, "p-1"), "front"),
    Value(Target(TargetType.PRODUCT, "p-2"), "picture"),
    Value(Target(TargetType.PRODUCT, "p-2"), "label", "fr_FR"),
    Value(Target(TargetType.PRODUCT, "v-1"), "shot"),
    Value(Target(TargetType.PRODUCT_MODEL, "m-1"), "picture"),
)


class Upload(NamedTuple):
    contents: dict[Value, int]


class Remove(NamedTuple):
    values: list[Value]


class Other(NamedTuple):
    """Another program sets a value to the picture with this content, or empties it."""

    value: Value
    content: int | None


class Undo(NamedTuple):
    """`run` counts back from the latest; `other` happens after the undo's `after`-th request."""

    run: int
    other: Other | None
    after: int


CONTENTS = st.integers(0, 3)
ANY = st.sampled_from(VALUES)
OTHERS = st.builds(Other, ANY, st.one_of(st.none(), CONTENTS))
STEPS = st.one_of(
    st.builds(Upload, st.dictionaries(ANY, CONTENTS, min_size=2)),
    st.builds(Remove, st.lists(ANY, min_size=2, unique=True)),
    OTHERS,
    st.builds(Undo, st.integers(0, 5), st.one_of(st.none(), OTHERS), st.integers(1, 6)),
)

Held = dict[Value, str]


class Past(NamedTuple):
    """A run, and what the values held before and after it."""

    ended: Ended
    before: Held
    after: Held

    @property
    def changed(self) -> list[Value]:
        return [_value(row.row) for row in self.ended.rows if changed(row)]


def _value(row: Any) -> Value:
    return Value(row.target, row.attribute, row.locale, row.scope)


class History:
    def __init__(self, desk: Desk, codes: list[str]) -> None:
        self.desk = desk
        self.codes = codes
        self.past: list[Past] = []

    def take(self, step: object) -> None:
        if isinstance(step, Upload):
            ended = self._run(lambda: self.desk.upload(step.contents), set(step.contents))
            assert all(row.status in (Status.UPLOADED, Status.UNCHANGED) for row in ended.rows)
        elif isinstance(step, Remove):
            ended = self._run(lambda: self.desk.remove(step.values), set(step.values))
            assert all(row.status in (Status.REMOVED, Status.UNCHANGED) for row in ended.rows)
            assert not set(step.values) & set(self.desk.held())
        elif isinstance(step, Other):
            self.other(step)
        elif isinstance(step, Undo) and self.past:
            self.undo(step, self.past[-1 - step.run % len(self.past)])

    def _run(self, what: Any, named: set[Value]) -> Ended:
        before = self.desk.held()
        ended: Ended = what()
        after = self.desk.held()
        assert _without(after, named) == _without(before, named), "nothing else is touched"
        self.past.append(Past(ended, before, after))
        return ended

    def other(self, step: Other) -> None:
        code = None if step.content is None else self.codes[step.content]
        target, attribute, locale, scope = step.value
        values = {attribute: [{"locale": locale, "scope": scope, "data": code}]}
        if target.type is TargetType.PRODUCT_MODEL:
            (line,) = self.desk.other.patch_product_models([{"code": target.code, "values": values}])
        else:
            (line,) = self.desk.other.patch_products([{"identifier": target.code, "values": values}])
        assert line.failure is None

    def undo(self, step: Undo, past: Past) -> None:
        changed = past.changed
        # On its own values only what happened before the undo has one right outcome.
        other = step.other if step.other and step.other.value not in changed else None
        before = self.desk.held()
        expected = dict(before)
        restored = set()
        for value in changed:
            if before.get(value) == past.after.get(value) != past.before.get(value):
                _put(expected, value, past.before.get(value))
                restored.add(value)
        if other is not None:
            self._after_a_request(step.after, other)
        ended = self.desk.undo(past.ended.run)
        self.desk.on_call = None
        after = self.desk.held()
        aside = {other.value} if other is not None else set()
        assert _without(after, aside) == _without(expected, aside)
        for row in ended.rows:
            held, wanted = before.get(_value(row.row)), past.before.get(_value(row.row))
            if _value(row.row) in restored:
                assert row.status is Status.RESTORED
            else:
                assert row.status is (Status.UNCHANGED if held == wanted else Status.FAILED)
        self.past.append(Past(ended, before, after))
        self.desk.undo(past.ended.run)
        assert self.desk.held() == after, "twice is once"

    def _after_a_request(self, number: int, other: Other) -> None:
        calls = 0

        def count(_: CallInfo) -> None:
            nonlocal calls
            calls += 1
            if calls == number:
                self.desk.on_call = None
                self.other(other)

        self.desk.on_call = count


def _put(held: Held, value: Value, code: str | None) -> None:
    if code is None:
        held.pop(value, None)
    else:
        held[value] = code


def _without(held: Held, values: set[Value]) -> Held:
    return {value: code for value, code in held.items() if value not in values}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with start_sandbox(CATALOGUE, options=SandboxOptions(save_time=0)) as running:
        yield running


def replay(sandbox: RunningSandbox, steps: list[object]) -> None:
    with TemporaryDirectory() as folder:
        desk = Desk(sandbox, Path(folder))
        try:
            first = desk.upload({VALUES[0]: 0, VALUES[1]: 1, VALUES[2]: 2}, skip=SkipPolicy("none"))
            history = History(desk, [str(row.media_code) for row in first.rows] * 2)
            for value in VALUES:
                history.other(Other(value, None))
            for step in steps:
                history.take(step)
        finally:
            desk.close()


# What fails is short enough to read: to make it shorter takes minutes.
SHORT = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(max_examples=8, phases=SHORT)
@given(st.lists(STEPS, min_size=4, max_size=8))
@example(
    [Upload({VALUES[0]: 0, VALUES[1]: 1}), Other(VALUES[0], 2), Other(VALUES[1], None), Undo(0, None, 1)]
)
@example([Upload({VALUES[0]: 0}), Upload({VALUES[0]: 1}), Undo(0, Other(VALUES[1], 2), 2), Undo(0, None, 1)])
@example([Upload({VALUES[4]: 0, VALUES[5]: 0}), Remove([VALUES[4], VALUES[5]]), Undo(0, None, 1)])
def test_an_undo_restores_exactly_and_touches_nothing_else(
    sandbox: RunningSandbox, steps: list[object]
) -> None:
    replay(sandbox, steps)


@pytest.mark.slow
@pytest.mark.fuzz
@pytest.mark.timeout(900)
@settings(max_examples=150, phases=SHORT)
@given(st.lists(STEPS, min_size=4, max_size=20))
def test_long_histories(sandbox: RunningSandbox, steps: list[object]) -> None:
    replay(sandbox, steps)
