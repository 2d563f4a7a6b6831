"""The places that media can go to, one by one, against a PIM on a real socket."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.ledger import BorrowedValue
from akeneo_media_cli.pim.answers.entity_types import Category
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.pim.errors import Refusal
from akeneo_media_cli.pim.http.multipart import FileBody
from akeneo_media_cli.pim.http.source import PathSource
from akeneo_media_cli.preflight.catalogue import Catalogue
from akeneo_media_cli.preflight.preflight import Preflight
from akeneo_media_cli.rows import Target, TargetType
from akeneo_media_cli.sandbox import RunningSandbox, start_sandbox
from akeneo_media_cli.secret import Secret
from akeneo_media_cli.targets import ADAPTERS
from akeneo_media_cli.targets.carrier import put_back, restore, settle_debt
from akeneo_media_cli.targets.categories import held_by
from akeneo_media_cli.targets.resolved import ResolvedTarget
from akeneo_media_cli.targets.stored import code_ending

from ..e2e.conftest import jpeg
from ..e2e.test_places import enterprise
from ..ledger.ledger_rows import Notes, opened, planned

Reach = Callable[..., tuple[PimClient, RunningSandbox]]


@pytest.fixture
def reach() -> Iterator[Reach]:
    with ExitStack() as stack:

        def make(**more: Any) -> tuple[PimClient, RunningSandbox]:
            sandbox = stack.enter_context(start_sandbox(enterprise(**more)))
            who = sandbox.credentials
            connection = Connection(
                sandbox.url, who.client_id, Secret(who.client_secret), who.username, Secret(who.password)
            )
            return stack.enter_context(PimClient(connection)), sandbox

        yield make


def resolved(
    kind: TargetType, code: str, attribute: str = "picture", parent: str = "", **more: Any
) -> ResolvedTarget:
    return ResolvedTarget(
        Target(kind, code, parent), attribute, more.get("locale"), more.get("scope"), sure=True
    )


AIMS = [
    resolved(TargetType.PRODUCT, "p-1"),
    resolved(TargetType.PRODUCT_MODEL, "m-1"),
    resolved(TargetType.ASSET, "new", "media", "photos"),
    resolved(TargetType.ASSET, "there", "local", "photos", locale="en_US", scope="mobile"),
    resolved(TargetType.RECORD, "acme", "logo", "brand"),
    resolved(TargetType.RECORD, "", "image", "brand"),
    resolved(TargetType.CATEGORY, "master", "banner"),
    resolved(TargetType.CATEGORY, "master", "hero", locale="fr_FR"),
    resolved(TargetType.PAM_ASSET, "old", "", scope="mobile"),
    resolved(TargetType.PAM_ASSET, "lok", "", locale="en_US"),
]


@pytest.mark.parametrize("where", AIMS, ids=lambda a: f"{a.target} {a.attribute}")
def test_a_file_is_sent_attached_found_and_fetched(
    where: ResolvedTarget, reach: Reach, tmp_path: Path
) -> None:
    client, sandbox = reach()
    path = tmp_path / "a b-ä.jpg"
    path.write_bytes(jpeg(1))
    place = ADAPTERS[where.target.type]
    assert place.held(client, where) is None
    created = place.upload(
        client, where, lambda value: FileBody(PathSource(path), value=value, filename=path.name)
    )
    if place.attaches:
        assert place.held(client, where) is None
        (result,) = place.attach(client, [[(where, created.code)]])
        assert result.failure is None
    assert place.held(client, where) == created.code
    assert place.resembles(client, where, created.code, path.name, path.stat().st_size)
    assert not place.resembles(client, where, created.code, path.name, path.stat().st_size + 1)
    assert not place.resembles(client, where, created.code, "other.jpg", path.stat().st_size)
    into = io.BytesIO()
    place.download(client, where, created.code, into)
    assert into.getvalue() == jpeg(1)
    assert len(sandbox.values()) == 1
    if place.attaches or place.shares:
        place.attach(client, [[(where, None)]])
        assert place.held(client, where) is None
    else:
        with pytest.raises(TypeError):
            place.attach(client, [[(where, None)]])


def test_keys_are_one_for_each_entity_and_groups_for_what_one_call_reaches() -> None:
    keys = [ADAPTERS[a.target.type].key(a) for a in AIMS]
    assert len(set(keys)) == len({(a.target.type, a.target.parent, a.target.code) for a in AIMS})
    by_uuid = resolved(TargetType.PRODUCT_UUID, "ABC")
    assert ADAPTERS[TargetType.PRODUCT_UUID].key(by_uuid) == "product_uuid:abc"
    assert ADAPTERS[TargetType.PRODUCT].key(resolved(TargetType.PRODUCT, "SKU-1 ")) == "product:sku-1"
    groups = {ADAPTERS[a.target.type].group(a) for a in AIMS if ADAPTERS[a.target.type].attaches}
    assert groups == {"asset:photos", "record:brand", "record:brand/image"}


def test_a_product_without_identifier_takes_no_upload(reach: Reach) -> None:
    client, _ = reach()
    with pytest.raises(TypeError):
        ADAPTERS[TargetType.PRODUCT_UUID].upload(
            client, resolved(TargetType.PRODUCT_UUID, "u"), lambda _: None
        )  # type: ignore[arg-type,return-value]


def test_an_entity_that_vanished_before_its_patch_is_told(reach: Reach) -> None:
    client, _ = reach()
    (result,) = ADAPTERS[TargetType.PRODUCT].attach(client, [[(resolved(TargetType.PRODUCT, "ghost"), None)]])
    assert result.failure is not None
    assert result.failure.kind is Kind.TARGET_UNKNOWN
    assert not result.retryable


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("front.jpg", "front.jpg"),
        ("a b-é.JPG", "a_b___.JPG"),
        ("x/y\\z.png", "z.png"),
        ("n" * 120 + ".jpeg", "n" * 95 + ".jpeg"),
        ("n" * 120, "n" * 95 + "."),
    ],
)
def test_names_become_what_the_pim_makes_of_them(name: str, safe: str) -> None:
    assert code_ending(name) == safe


def test_values_of_a_category_that_are_no_files_are_passed_over() -> None:
    values = {
        "a": "text",
        "b": {"data": "text"},
        "c": {"data": {"file_path": "x"}, "attribute_code": "other|1", "locale": None, "channel": None},
        "d": {"data": {"file_path": 7}, "attribute_code": "banner|1", "locale": None, "channel": None},
        "e": {"data": {"file_path": "y"}, "attribute_code": "banner|1", "locale": "en_US", "channel": None},
    }
    category = Category("master", None, values)
    assert held_by(category, resolved(TargetType.CATEGORY, "master", "banner")) is None
    assert held_by(category, resolved(TargetType.CATEGORY, "master", "BANNER", locale="en_US")) == "y"
    assert held_by(None, resolved(TargetType.CATEGORY, "master", "banner")) is None


def sent_to(client: PimClient, where: ResolvedTarget, folder: Path, name: str) -> str:
    """Upload a file of this name to a value; its media code."""
    path = folder / name
    path.write_bytes(jpeg(name))
    make: Callable[[Any], FileBody] = lambda value: FileBody(PathSource(path), value=value)  # noqa: E731
    return ADAPTERS[where.target.type].upload(client, where, make).code


def test_a_lent_value_is_put_back_unless_it_is_somebodys_own_by_now(reach: Reach, tmp_path: Path) -> None:
    client, sandbox = reach()
    place, where = ADAPTERS[TargetType.PRODUCT], resolved(TargetType.PRODUCT, "p-1")
    sent = partial(sent_to, client, where, tmp_path)
    own, notes = sent("own.jpg"), Notes()
    with opened(tmp_path / "ledger.sqlite") as ledger:
        run = ledger.start_run("upload", {})
        borrowed = BorrowedValue("p-1", "picture", None, None, own, "guest.jpg", 2000)
        run.borrow(borrowed)
        sent("guest.jpg")
        put_back(run, client, notes)
        assert place.held(client, where) == own
        assert run.borrowed() == []
        run.borrow(borrowed)
        put_back(run, client, notes)
        theirs = sent("theirs.jpg")
        run.borrow(borrowed)
        put_back(run, client, notes)
        assert place.held(client, where) == theirs
        assert run.borrowed() == []
        assert notes == []
        run.borrow(borrowed._replace(before="no/such/file.jpg"))
        failure = restore(run, client, run.borrowed()[0])
        assert failure is not None
        assert len(run.borrowed()) == 1
        sandbox.stop()
        put_back(run, client, notes)
        assert "guest.jpg" in notes[0]
        assert len(run.borrowed()) == 1


def test_an_earlier_guest_of_a_carrier_goes_out_before_another_comes_in(reach: Reach, tmp_path: Path) -> None:
    client, _ = reach()
    place, where = ADAPTERS[TargetType.PRODUCT], resolved(TargetType.PRODUCT, "p-1")
    sent = partial(sent_to, client, where, tmp_path)
    own = sent("own.jpg")
    with opened(tmp_path / "ledger.sqlite") as ledger:
        run = ledger.start_run("upload", {})
        assert settle_debt(run, client, where) == own
        borrowed = BorrowedValue("p-1", "picture", None, None, own, "guest.jpg", 2000)
        run.borrow(borrowed)
        assert settle_debt(run, client, where) == own
        assert run.borrowed() == []
        run.borrow(borrowed)
        sent("guest.jpg")
        assert settle_debt(run, client, where) == own
        assert (place.held(client, where), run.borrowed()) == (own, [])
        run.borrow(borrowed)
        theirs = sent("theirs.jpg")
        assert settle_debt(run, client, where) == theirs
        assert (place.held(client, where), run.borrowed()) == (theirs, [])
        run.borrow(borrowed._replace(before="no/such/file.jpg"))
        sent("guest.jpg")
        with pytest.raises(Refusal):
            settle_debt(run, client, where)
        notes = Notes()
        put_back(run, client, notes)
        assert "still holds guest.jpg" in notes[0]
        assert len(run.borrowed()) == 1


def test_codes_in_another_case_are_told_and_new_assets_too(reach: Reach) -> None:
    client, _ = reach()
    preflight = Preflight(client, Catalogue(client, Notes()), Notes())
    rows = [
        planned(1, target=Target(TargetType.ASSET, "there", "photos"), attribute="MEDIA"),
        planned(2, target=Target(TargetType.ASSET, "new", "photos"), attribute="media"),
    ]
    there, new = preflight.look(rows)
    assert isinstance(there, ResolvedTarget)
    assert isinstance(new, ResolvedTarget)
    assert (there.attribute, there.before, there.notes) == ("media", None, ("MEDIA is media in the PIM",))
    assert new.notes == ("the asset does not exist yet: it is created",)


def test_what_the_pim_will_not_tell_of_one_kind_holds_no_other_back(reach: Reach) -> None:
    client, _ = reach(connections={"main": {"list_categories": False, "list_products": False}})
    preflight = Preflight(client, Catalogue(client, Notes()), Notes())
    rows = [
        planned(1, target=Target(TargetType.CATEGORY, "master"), attribute="banner"),
        planned(2, target=Target(TargetType.ASSET, "x", "photos"), attribute="media"),
        planned(3, target=Target(TargetType.PRODUCT, "p-1"), attribute="picture"),
    ]
    assert [type(found) for found in preflight.look(rows)] == [ResolvedTarget, ResolvedTarget, ResolvedTarget]
