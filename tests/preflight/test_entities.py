"""Rows for assets, records, categories and the old PAM: each verdict that a PIM's answers can lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.ledger import UNKNOWN, HeldFile, PlannedRow
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.pim.http.multipart import FileBody
from akeneo_media_cli.pim.http.source import PathSource
from akeneo_media_cli.preflight.catalogue import Catalogue
from akeneo_media_cli.preflight.preflight import Preflight
from akeneo_media_cli.rows import Row, Target, TargetType
from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, parse_faults, start_sandbox
from akeneo_media_cli.secret import Secret
from akeneo_media_cli.targets import ADAPTERS
from akeneo_media_cli.targets.resolved import ResolvedTarget

from ..e2e.conftest import catalogue, jpeg
from ..e2e.test_places import enterprise
from ..pim.server import Handler, Request, Server, refuses, says

ASSET, RECORD, CATEGORY, PAM = TargetType.ASSET, TargetType.RECORD, TargetType.CATEGORY, TargetType.PAM_ASSET
CONNECTIONS = {"main": {}, "uncategorized": {"list_categories": False}}


@pytest.fixture(scope="module")
def pim() -> Iterator[RunningSandbox]:
    known = enterprise(connections=CONNECTIONS)
    known["assets"].append({"asset_family": "photos", "code": "Full"})
    known["records"].append({"reference_entity": "brand", "code": "Full"})
    known["reference_entities"].append({"code": "color", "attributes": [{"code": "swatch"}]})
    with start_sandbox(known, options=SandboxOptions(pam=True)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def community() -> Iterator[RunningSandbox]:
    with start_sandbox(catalogue(1)) as sandbox:
        yield sandbox


Client = Callable[..., PimClient]


@pytest.fixture
def client(pim: RunningSandbox) -> Iterator[Client]:
    """`client()`, or as another user, or of another sandbox, or of a server that answers as it is told."""
    with ExitStack() as stack:

        def make(
            user: str = "main", sandbox: RunningSandbox = pim, handle: Handler | None = None
        ) -> PimClient:
            if handle is not None:
                url = stack.enter_context(Server(handle)).url
                return stack.enter_context(PimClient(Connection(url, token=Secret("t"), direct=True)))
            who = sandbox.connections[user]
            secret, password = Secret(who.client_secret), Secret(who.password)
            connection = Connection(sandbox.url, who.client_id, secret, who.username, password, direct=True)
            return stack.enter_context(PimClient(connection))

        yield make
    pim.store.options.faults = parse_faults([])


def row(
    kind: TargetType,
    code: str,
    attribute: str = "",
    parent: str = "",
    name: str = "a.jpg",
    size: int = 10,
    **more: Any,
) -> PlannedRow:
    """Rows of a batch are told apart by their numbers: `look` gives each its own."""
    return PlannedRow(
        0, Row("m.csv", 2, name, Target(kind, code, parent), attribute, **more), name, name, size, 1
    )


def look(client: PimClient, *rows: PlannedRow, **more: Any) -> list[ResolvedTarget | Failure]:
    for seq, planned in enumerate(rows, 1):
        planned.seq = seq
    notes: list[str] = []
    note = lambda message, hint: notes.append(message)  # noqa: E731
    # As an upload from a machine that created none of them.
    found = Preflight(client, Catalogue(client, note), note, created=lambda _: (), **more).look(rows)
    assert len(found) == len(rows)
    return list(found)


def resolved(found: ResolvedTarget | Failure) -> ResolvedTarget:
    assert isinstance(found, ResolvedTarget), found
    return found


def refused(client: PimClient, planned: PlannedRow) -> tuple[Kind, str]:
    (found,) = look(client, planned)
    assert isinstance(found, Failure), found
    return found.kind, f"{found.message} {found.hint}"


def fill(client: PimClient, folder: Path, planned: PlannedRow) -> str:
    """Give a row's value a file; its code."""
    there = ResolvedTarget.as_written(planned)
    place = ADAPTERS[there.target.type]
    path = folder / planned.name
    path.write_bytes(jpeg(planned.row.file))

    def body(value: Any) -> FileBody:
        return FileBody(PathSource(path), value=value, filename=path.name)

    created = place.upload(client, there, body)
    if place.attaches:
        (line,) = place.attach(client, [[(there, created.code)]])
        assert line.failure is None
    return created.code


# Assets and records.


@pytest.mark.parametrize(
    ("kind", "family", "attribute"), [(ASSET, "photos", "media"), (RECORD, "brand", "logo")]
)
def test_what_a_value_holds_and_what_is_there(
    client: Client, tmp_path: Path, kind: TargetType, family: str, attribute: str
) -> None:
    c = client()
    held = fill(c, tmp_path, row(kind, "Full", attribute, family, name="held.jpg"))
    full, empty, new = map(
        resolved,
        look(
            c,
            row(kind, "Full", attribute.upper(), family),
            row(kind, {ASSET: "there", RECORD: "acme"}[kind], attribute, family),
            row(kind, "new", attribute, family),
        ),
    )
    assert (full.target, full.attribute, full.before) == (Target(kind, "Full", family), attribute, held)
    assert full.notes == (f"{attribute.upper()} is {attribute} in the PIM",)
    assert full.stored in (None, HeldFile(held, "held.jpg", (tmp_path / "held.jpg").stat().st_size))
    assert (empty.before, empty.made, empty.notes) == (None, False, ())
    assert (new.before, new.made) == (None, True)
    assert "does not exist yet" in new.notes[0]
    assert all(each.sure and each.definition is not None for each in (full, empty, new))


def test_locales_and_channels_come_as_the_pim_spells_them(client: Client) -> None:
    (found,) = look(client(), row(ASSET, "there", "local", "photos", locale="EN_us", scope="MOBILE"))
    found = resolved(found)
    assert (found.locale, found.scope) == ("en_US", "mobile")
    assert found.notes == ("EN_us is en_US in the PIM", "MOBILE is mobile in the PIM")


@pytest.mark.parametrize(
    ("planned", "kind", "said"),
    [
        (row(ASSET, "a", "media", "photo"), Kind.TARGET_UNKNOWN, "Did you mean photos"),
        (row(ASSET, "a", "medai", "photos"), Kind.ATTRIBUTE_UNKNOWN, "Did you mean media"),
        (row(ASSET, "a", "title", "photos"), Kind.ATTRIBUTE_NOT_MEDIA, "media, alt, local, fixed"),
        (row(ASSET, "a", "alt", "photos"), Kind.EXTENSION_NOT_ALLOWED, "png"),
        (row(ASSET, "a", "alt", "photos", "a.png", 10_001), Kind.FILE_TOO_LARGE, "10,000"),
        (row(ASSET, "a", "local", "photos", locale="en_US"), Kind.SCOPE_REQUIRED, "scope"),
        (row(ASSET, "a", "local", "photos", scope="mobile"), Kind.LOCALE_REQUIRED, "locale"),
        (row(ASSET, "a", "media", "photos", locale="en_US"), Kind.LOCALE_UNEXPECTED, "en_US"),
        (row(ASSET, "a", "media", "photos", scope="mobile"), Kind.SCOPE_UNEXPECTED, "mobile"),
        (row(ASSET, "a", "local", "photos", locale="en_US", scope="mobil"), Kind.CHANNEL_UNKNOWN, "mobile"),
        (row(ASSET, "a", "local", "photos", locale="xx_XX", scope="mobile"), Kind.LOCALE_UNKNOWN, "en_US"),
        (
            row(ASSET, "a", "local", "photos", locale="fr_FR", scope="mobile"),
            Kind.LOCALE_NOT_IN_CHANNEL,
            "en_US",
        ),
        (row(RECORD, "a", "logo", "brnd"), Kind.TARGET_UNKNOWN, "Did you mean brand"),
        (row(RECORD, "a", "image", "brand"), Kind.ATTRIBUTE_UNKNOWN, "logo"),
        (row(RECORD, "a", "logo", "brand", scope="mobile"), Kind.SCOPE_UNEXPECTED, "mobile"),
        (row(RECORD, "", "logo", "brand"), Kind.TARGET_MISSING, "column record"),
        (row(RECORD, "", "image", "brand", locale="en_US"), Kind.LOCALE_UNEXPECTED, "locale"),
        (row(RECORD, "", "image", "brand", scope="mobile"), Kind.SCOPE_UNEXPECTED, "scope"),
        (row(CATEGORY, "nowhere", "banner"), Kind.TARGET_UNKNOWN, "nowhere"),
        (row(CATEGORY, "master", "hero", locale="xx_XX"), Kind.LOCALE_UNKNOWN, "en_US"),
        (row(CATEGORY, "master", "banner", scope="mobil"), Kind.CHANNEL_UNKNOWN, "mobile"),
        (row(PAM, "missing"), Kind.TARGET_UNKNOWN, "missing"),
        (row(PAM, "lok"), Kind.LOCALE_REQUIRED, "locale"),
        (row(PAM, "old", locale="en_US"), Kind.LOCALE_UNEXPECTED, "en_US"),
        (row(PAM, "old", scope="mobil"), Kind.CHANNEL_UNKNOWN, "mobile"),
    ],
    ids=lambda value: value.value if isinstance(value, Kind) else "",
)
def test_what_cannot_go(client: Client, planned: PlannedRow, kind: Kind, said: str) -> None:
    found, told = refused(client(), planned)
    assert found is kind
    assert said in told


def test_where_files_do_not_matter_they_are_not_judged(client: Client) -> None:
    (found,) = look(client(), row(ASSET, "there", "alt", "photos", "a.gif", 10**9), files=False)
    assert resolved(found).before is None


def test_a_reference_entitys_own_image(client: Client, tmp_path: Path) -> None:
    c = client()
    named, unnamed = map(resolved, look(c, row(RECORD, "", "Image", "color"), row(RECORD, "", "", "color")))
    assert named.attribute == unnamed.attribute == "image"
    assert (named.before, named.made, named.sure) == (None, False, True)
    code = fill(c, tmp_path, row(RECORD, "", "image", "color"))
    again, record = map(
        resolved, look(c, row(RECORD, "", "image", "color"), row(RECORD, "red", "swatch", "color"))
    )
    assert (again.before, record.before, record.made) == (code, None, True)


def test_a_family_is_asked_for_once_and_the_entities_by_the_hundred(
    pim: RunningSandbox, client: Client
) -> None:
    def calls() -> dict[str, int]:
        return {call: sum(answers.values()) for call, answers in pim.stats()["calls"].items()}

    before = calls()
    c = client()
    preflight = Preflight(c, Catalogue(c, lambda *_: None), lambda *_: None, created=lambda _: ())
    for attribute in ("media", "no"):
        rows = [row(ASSET, f"many_{n}", attribute, "photos") for n in range(100)]
        for seq, planned in enumerate(rows, 1):
            planned.seq = seq
        preflight.look(rows)
    made = {call: n - before.get(call, 0) for call, n in calls().items() if n > before.get(call, 0)}
    family = [call for call in made if call.startswith("GET /asset-families/{")]
    assert len(family) == 3, "itself, its attributes, and the assets"
    assert {made[call] for call in family} == {1}


def answering(**answers: Any) -> Handler:
    """A PIM with one asset family; `answers` by the last part of the path."""

    def handle(request: Request) -> Any:
        last = request.path.rpartition("/")[2]
        if last in answers:
            return answers[last]
        if last == "v1":
            routes = {"a": {"route": "/api/rest/v1/asset-media-files", "methods": ["POST"]}}
            return says(200, {"routes": routes})
        if last == "attributes":
            return says(200, [{"code": "media", "type": "media_file"}])
        if last == "photos":
            return says(200, {"code": "photos"})
        return says(200, {"_embedded": {"items": []}, "_links": {}})

    return handle


DENIED = refuses(403, "Access forbidden. You are not allowed to list assets.")


def test_who_may_not_list_assets_learns_nothing_of_them(client: Client) -> None:
    (found,) = look(client(handle=answering(assets=DENIED)), row(ASSET, "a", "media", "photos"))
    found = resolved(found)
    assert found.before is UNKNOWN, "it may hold a file"
    assert (found.made, found.notes) == (False, ())
    (found,) = look(client(handle=answering()), row(ASSET, "a", "media", "photos"))
    assert resolved(found).before is None


def test_a_naming_convention_is_for_assets_that_are_created(client: Client) -> None:
    convention = {"source": {"property": "code"}, "pattern": "/^ok_/", "abort_asset_creation_on_error": True}
    photos = says(200, {"code": "photos", "naming_convention": convention})
    planned = row(ASSET, "a", "media", "photos")
    there = says(200, {"_embedded": {"items": [{"code": "a", "values": {}}]}, "_links": {}})
    assert refused(client(handle=answering(photos=photos)), planned)[0] is Kind.NAMING_CONVENTION
    for assets in (there, DENIED):
        (found,) = look(client(handle=answering(photos=photos, assets=assets)), planned)
        assert resolved(found).made is False


@pytest.mark.parametrize("what", ["attributes", "photos"])
def test_who_may_not_read_a_family_sends_nothing_to_it(client: Client, what: str) -> None:
    kind, told = refused(client(handle=answering(**{what: DENIED})), row(ASSET, "a", "media", "photos"))
    assert kind is Kind.ATTRIBUTE_UNREADABLE
    assert "--no-preflight" in told


# Categories and the old PAM.


def test_a_category_is_read_by_itself(client: Client, tmp_path: Path) -> None:
    c = client()
    there = row(CATEGORY, "master", "hero", locale="fr_FR", name="hero.jpg")
    code = fill(c, tmp_path, there)
    full, other, banner = map(
        resolved,
        look(
            c,
            row(CATEGORY, "MASTER", "hero", locale="fr_fr"),
            row(CATEGORY, "master", "hero", locale="en_US"),
            row(CATEGORY, "master", "banner"),
        ),
    )
    assert (full.target.code, full.locale, full.before) == ("master", "fr_FR", code)
    assert (other.before, banner.before) == (None, None)


def test_who_may_not_read_categories_leaves_the_verdict_to_the_pim(client: Client) -> None:
    (found,) = look(client("uncategorized"), row(CATEGORY, "nowhere", "banner"))
    assert resolved(found).before is UNKNOWN


def test_an_asset_of_the_old_pam(client: Client, tmp_path: Path) -> None:
    c = client()
    reference = fill(c, tmp_path, row(PAM, "old", name="reference.jpg"))
    variation = fill(c, tmp_path, row(PAM, "lok", locale="en_US", scope="mobile", name="variation.jpg"))
    found = look(
        c,
        row(PAM, "old"),
        row(PAM, "old", scope="mobile"),
        row(PAM, "lok", locale="EN_us", scope="Mobile"),
        row(PAM, "lok", locale="fr_FR"),
    )
    assert [resolved(each).before for each in found] == [reference, None, variation, None]
    third = resolved(found[2])
    assert (third.locale, third.scope) == ("en_US", "mobile")


# Editions, and answers that are none.


def test_an_edition_without_such_places_says_so_without_asking_for_them(
    client: Client, community: RunningSandbox
) -> None:
    found = look(
        client(sandbox=community),
        row(ASSET, "a", "media", "photos"),
        row(RECORD, "a", "logo", "brand"),
        row(CATEGORY, "master", "banner"),
        row(PAM, "old"),
    )
    assert [each.kind for each in found if isinstance(each, Failure)] == [Kind.ROUTE_MISSING] * 4
    calls = community.stats()["calls"]
    assert not [call for call in calls if "asset" in call or "reference" in call or "category" in call]


def test_what_one_kind_is_refused_holds_no_other_back(pim: RunningSandbox, client: Client) -> None:
    pim.store.options.faults = parse_faults(["403-html=1@reference-entities"])
    rows = [
        row(RECORD, "a", "logo", "brand"),
        row(ASSET, "a", "media", "photos"),
        row(RECORD, "b", "logo", "brand"),
    ]
    first, second, third = look(client(), *rows)
    assert isinstance(first, Failure)
    assert first.kind is Kind.BLOCKED
    assert first == third
    assert resolved(second).attribute == "media"
