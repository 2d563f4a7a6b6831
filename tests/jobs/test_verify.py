"""The verify job: what the PIM holds, held against the rows' files, and how many requests that takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from akeneo_media_cli.errors import AccessError, Kind
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.jobs.options import VerifyOptions
from akeneo_media_cli.jobs.verify import Verify
from akeneo_media_cli.planning.options import ManifestOptions
from akeneo_media_cli.planning.unchanged import SkipPolicy
from akeneo_media_cli.sandbox import RunningSandbox

from .desk import Desk, Ended, rows_of

HEAD = "product,attribute,file"
MEDIA, DOWNLOAD = "GET /media-files/{code}", "GET /media-files/{code}/download"
New = Callable[[], str]


def verified(desk: Desk, manifest: ManifestOptions, **options: object) -> Ended:
    asked = VerifyOptions(manifest, **options)  # type: ignore[arg-type]
    return desk.run("verify", Verify, asked, rows_of(manifest))


@pytest.fixture
def stranger(pim: RunningSandbox, tmp_path: Path) -> Desk:
    """Another machine, whose ledger knows nothing of what was uploaded from here."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return Desk(pim, folder)


def pictures(desk: Desk, *codes: str) -> ManifestOptions:
    return desk.manifest(HEAD, *(f"{code},picture,{desk.file(code)}" for code in codes))


def change(desk: Desk, code: str, more: bytes = b"") -> None:
    """The product's file gets other bytes, and more of them."""
    path = desk.folder / desk.file(code)
    content = path.read_bytes()
    path.write_bytes(content[:-4] + bytes(2) + more + content[-2:])


def test_the_ledger_spares_all_calls_but_one_search(desk: Desk, new: New) -> None:
    codes = [new() for _ in range(4)]
    manifest = pictures(desk, *codes)
    assert verified(desk, manifest).statuses() == {"missing": 4}
    sent = desk.upload(manifest)
    with desk.counted() as made:
        done = verified(desk, manifest)
    assert (done.status, done.summary["held"]) == (Exit.OK, 4)
    assert [planned.media_code for planned in done.rows] == [planned.media_code for planned in sent.rows]
    assert made == {"GET /attributes": 1, "GET /products": 1}


def test_what_is_not_held_is_told_and_sent_by_the_next_upload(desk: Desk, new: New) -> None:
    empty, other, changed, longer, held = (new() for _ in range(5))
    manifest = pictures(desk, empty, other, changed, longer, held)
    sent = desk.upload(manifest)
    desk.put(empty, None)
    desk.put(other, sent.rows[4].media_code)
    change(desk, changed)
    change(desk, longer, b"more")
    with desk.counted() as made:
        done = verified(desk, manifest)
    assert done.status is Exit.ROWS_FAILED
    assert done.statuses() == {"missing": 1, "differs": 3, "held": 1}
    assert done.kinds() == {
        2: Kind.VALUE_MISSING,
        3: Kind.VALUE_DIFFERS,
        4: Kind.VALUE_DIFFERS,
        5: Kind.VALUE_DIFFERS,
    }
    messages = [planned.failure.message for planned in done.rows if planned.failure]
    assert f"is named {held}.jpg, not {other}.jpg" in messages[1]
    assert "SHA-256" in messages[2]
    assert "bytes" in messages[3]
    assert (made[MEDIA], made[DOWNLOAD]) == (1, 0), "only what was not put there from here is asked about"
    assert desk.upload(manifest).statuses() == {"uploaded": 4, "unchanged": 1}


def test_without_a_ledger_name_and_size_have_to_do_or_the_bytes(desk: Desk, stranger: Desk, new: New) -> None:
    same, changed = new(), new()
    desk.upload(pictures(desk, same, changed))
    manifest = pictures(stranger, same, changed)
    change(stranger, changed)
    with stranger.counted() as made:
        assert verified(stranger, manifest).statuses() == {"held": 2}
    assert (made[MEDIA], made[DOWNLOAD]) == (2, 0)
    with stranger.counted() as made:
        deep = verified(stranger, manifest, deep=True)
    assert deep.statuses() == {"held": 1, "differs": 1}
    assert deep.kinds() == {3: Kind.VALUE_DIFFERS}
    assert made[DOWNLOAD] == 2
    stranger.close()


def test_deep_never_believes_the_ledger(desk: Desk, new: New) -> None:
    code = new()
    manifest = pictures(desk, code)
    media = str(desk.upload(manifest).rows[0].media_code)
    stored = desk.sandbox.store.media.path(media)
    desk.sandbox.inside(lambda: stored.write_bytes(stored.read_bytes()[::-1]))
    assert verified(desk, manifest).statuses() == {"held": 1}
    done = verified(desk, manifest, deep=True)
    assert (done.statuses(), done.kinds()) == ({"differs": 1}, {2: Kind.VALUE_DIFFERS})
    assert "--checksum" in done.rows[0].failure.hint  # type: ignore[union-attr]
    assert desk.upload(manifest, skip=SkipPolicy(checksum=True)).statuses() == {"uploaded": 1}
    assert verified(desk, manifest, deep=True).statuses() == {"held": 1}


def test_another_file_in_a_value_is_replaced_whatever_is_asked_of_the_pim(desk: Desk, new: New) -> None:
    other, alike = new(), new()
    first = desk.upload(pictures(desk, other, alike))
    # Another program puts a file there whose name differs, and one of which only the bytes do.
    desk.put(other, first.rows[1].media_code)
    ours = (desk.folder / desk.file(alike)).read_bytes()
    change(desk, alike)
    theirs = desk.upload(desk.manifest(HEAD, f"{alike},picture_1,{desk.file(alike)}")).rows[0].media_code
    (desk.folder / desk.file(alike)).write_bytes(ours)
    desk.put(alike, theirs)
    assert verified(desk, pictures(desk, other)).statuses() == {"differs": 1}
    assert desk.upload(pictures(desk, other), skip=SkipPolicy("ledger")).statuses() == {"uploaded": 1}
    assert verified(desk, pictures(desk, alike)).statuses() == {"held": 1}, "without --deep"
    assert verified(desk, pictures(desk, alike), deep=True).statuses() == {"differs": 1}
    assert desk.upload(pictures(desk, alike)).statuses() == {"uploaded": 1}
    assert verified(desk, pictures(desk, other, alike), deep=True).statuses() == {"held": 2}


def swap(desk: Desk, code: str) -> None:
    """Another program puts a file there whose name and size are those of ours, but not its bytes."""
    name = desk.file(code)
    folder = desk.folder / "theirs"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes((desk.folder / name).read_bytes()[:-4] + bytes(2) + b"\xff\xd9")
    theirs = desk.upload(desk.manifest(HEAD, f"{code},picture_1,theirs/{name}", name="theirs.csv")).rows[0]
    desk.put(code, theirs.media_code)


@pytest.mark.parametrize("deep", [False, True])
def test_what_verify_saw_counts_though_the_ledger_knows_otherwise(desk: Desk, new: New, deep: bool) -> None:
    swapped, empty, whole = new(), new(), new()
    manifest = pictures(desk, swapped, empty, whole)
    desk.upload(manifest)
    swap(desk, swapped)
    desk.put(empty, None)
    believed = SkipPolicy("ledger")
    assert desk.upload(manifest, skip=believed).statuses() == {"unchanged": 3}
    assert verified(desk, manifest, deep=deep).summary["missing"] == 1
    assert desk.upload(manifest, skip=believed).statuses() == {"uploaded": 1 + deep, "unchanged": 2 - deep}
    assert verified(desk, manifest, deep=True).summary["held"] == 2 + deep


@pytest.mark.parametrize(("drift", "comes_to"), [("keep", "unchanged"), ("fail", "failed")])
def test_a_look_at_what_somebody_changed_takes_nothing_from_drift(
    desk: Desk, new: New, drift: str, comes_to: str
) -> None:
    swapped, empty = new(), new()
    manifest = pictures(desk, swapped, empty)
    desk.upload(manifest)
    swap(desk, swapped)
    desk.put(empty, None)
    verified(desk, manifest, deep=True)
    done = desk.upload(manifest, skip=SkipPolicy(drift=drift))
    assert done.statuses() == {comes_to: 2}
    assert done.summary["changed_in_pim"] == 2


def test_damaged_bytes_under_the_code_that_the_ledger_knows_are_replaced(desk: Desk, new: New) -> None:
    manifest = pictures(desk, new())
    media = str(desk.upload(manifest).rows[0].media_code)
    stored = desk.sandbox.store.media.path(media)
    desk.sandbox.inside(lambda: stored.write_bytes(stored.read_bytes()[::-1]))
    assert verified(desk, manifest, deep=True).statuses() == {"differs": 1}
    assert desk.upload(manifest).statuses() == {"uploaded": 1}


def test_a_file_that_changed_is_sent_however_deep_was_looked(desk: Desk, new: New) -> None:
    quick, deep = new(), new()
    for code in (quick, deep):
        desk.upload(pictures(desk, code))
        change(desk, code)
    assert verified(desk, pictures(desk, quick)).statuses() == {"differs": 1}
    assert verified(desk, pictures(desk, deep), deep=True).statuses() == {"differs": 1}
    assert desk.upload(pictures(desk, quick, deep)).statuses() == {"uploaded": 2}


def test_what_cannot_be_looked_up_is_told(desk: Desk, new: New) -> None:
    picture = desk.file("a")
    manifest = desk.manifest(
        HEAD, f"nobody,picture,{picture}", f"{new()},name,{picture}", f"{new()},picture,gone.jpg"
    )
    done = verified(desk, manifest)
    assert (done.status, done.statuses()) == (Exit.ROWS_FAILED, {"invalid": 3})
    assert done.kinds() == {2: Kind.TARGET_UNKNOWN, 3: Kind.ATTRIBUTE_NOT_MEDIA, 4: Kind.FILE_MISSING}


def test_an_attribute_that_would_not_take_the_file_is_no_matter(desk: Desk, new: New) -> None:
    code = new()
    (desk.folder / "big.gif").write_bytes(b"GIF89a" + bytes(20_000))
    done = verified(desk, desk.manifest(HEAD, f"{code},front,big.gif"))
    assert done.kinds() == {2: Kind.VALUE_MISSING}


def test_a_search_that_is_refused_fails_its_rows(desk: Desk, new: New) -> None:
    desk.order("403-html=1@/products")
    done = verified(desk, pictures(desk, new(), new()))
    assert (done.status, done.statuses()) == (Exit.ROWS_FAILED, {"failed": 2})
    assert set(done.kinds().values()) == {Kind.BLOCKED}


def test_rows_that_nobody_told_of_are_pending_and_asked_about_again(
    desk: Desk, stranger: Desk, new: New
) -> None:
    code = new()
    desk.upload(pictures(desk, code))
    manifest = pictures(stranger, code)
    stranger.order("503@media-files")
    done = verified(stranger, manifest, retries=0)
    assert (done.status, done.statuses()) == (Exit.PENDING, {"pending": 1})
    stranger.order("429-no-retry-after=1x@media-files")
    assert verified(stranger, manifest).statuses() == {"held": 1}
    stranger.close()


def test_a_user_who_may_not_read_products_cannot_verify(desk: Desk, new: New) -> None:
    manifest = pictures(desk, new())
    desk.upload(manifest)
    desk.become("sightless")
    done = verified(desk, manifest)
    assert (done.status, done.statuses()) == (Exit.REFUSED, {"pending": 1})
    assert isinstance(done.error, AccessError)


def test_a_user_who_may_not_use_the_api(desk: Desk, new: New) -> None:
    desk.become("noperm")
    done = verified(desk, pictures(desk, new()))
    assert (done.status, done.statuses()) == (Exit.REFUSED, {"pending": 1})
    assert done.error is not None
    assert done.error.kind is Kind.API_FORBIDDEN


def test_models_variants_and_values_in_another_spelling_are_found(
    desk: Desk, stranger: Desk, new: New
) -> None:
    code = new()
    lines = [
        "product,product_model,attribute,locale,scope,file",
        ",M-1,picture_3,,,a.jpg",
        "v-3,,shot,,,a.jpg",
    ]
    lines.append(f"{code.upper()},,manual,fr_fr,ECOMMERCE,a.jpg")
    for each in (desk, stranger):
        each.file("a")
    assert desk.upload(desk.manifest(*lines)).statuses() == {"uploaded": 3}
    assert verified(stranger, stranger.manifest(*lines)).statuses() == {"held": 3}
    stranger.close()


def test_time_that_is_over_leaves_rows_pending(desk: Desk, new: New) -> None:
    done = verified(desk, pictures(desk, new()), max_duration=0.0)
    assert (done.status, done.statuses()) == (Exit.PENDING, {"pending": 1})
