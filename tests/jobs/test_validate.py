"""The validate job, offline and against a PIM on a socket: every mistake is found, and nothing is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from akeneo_media_cli.errors import Kind, ManifestError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.jobs.options import ValidateOptions
from akeneo_media_cli.jobs.validate import Validate
from akeneo_media_cli.planning.options import ManifestOptions

from .desk import Desk, Ended, rows_of

HEAD = "product,attribute,locale,scope,file"
New = Callable[[], str]


def validated(desk: Desk, manifest: ManifestOptions, *, online: bool, **options: object) -> Ended:
    asked = ValidateOptions(manifest, online=online, **options)  # type: ignore[arg-type]
    return desk.run("validate", Validate, asked, rows_of(manifest), offline=not online)


def test_offline_rows_are_held_against_their_files_and_each_other(desk: Desk) -> None:
    picture = desk.file("a")
    (desk.folder / "empty.jpg").write_bytes(b"")
    manifest = desk.manifest(
        HEAD,
        f"nobody,nothing,,,{picture}",
        "sku-1,picture,,,nowhere.jpg",
        "sku-2,picture,,,empty.jpg",
        f"sku-3,picture,,,{picture}",
        f"SKU-3,picture,,,{desk.file('b')}",
    )
    with desk.counted() as made:
        done = validated(desk, manifest, online=False)
    assert not made
    assert (done.status, done.statuses()) == (Exit.ROWS_FAILED, {"planned": 1, "invalid": 4})
    assert done.kinds() == {
        3: Kind.FILE_MISSING,
        4: Kind.FILE_EMPTY,
        5: Kind.CONFLICTING_ROWS,
        6: Kind.CONFLICTING_ROWS,
    }
    assert done.progress.settled == {"planned": 1, "invalid": 4}


def test_online_rows_are_held_against_the_catalogue_and_nothing_is_written(desk: Desk, new: New) -> None:
    picture = desk.file("a")
    manifest = desk.manifest(
        HEAD,
        f"{new().upper()},Picture,,,{picture}",
        f"{new()},label,EN_us,,{picture}",
        f"nobody,picture,,,{picture}",
        f"{new()},pictrue,,,{picture}",
        f"{new()},sku,,,{picture}",
        f"{new()},label,,,{picture}",
        f"{new()},shop,,nowhere,{picture}",
        f"v-1,picture,,,{picture}",
    )
    with desk.counted() as made:
        done = validated(desk, manifest, online=True)
    assert not [call for call in made if not call.startswith("GET")]
    assert (done.status, done.statuses()) == (Exit.ROWS_FAILED, {"planned": 2, "invalid": 6})
    assert done.kinds() == {
        4: Kind.TARGET_UNKNOWN,
        5: Kind.ATTRIBUTE_UNKNOWN,
        6: Kind.ATTRIBUTE_NOT_MEDIA,
        7: Kind.LOCALE_REQUIRED,
        8: Kind.CHANNEL_UNKNOWN,
        9: Kind.ATTRIBUTE_WRONG_LEVEL,
    }
    assert "EN_us is en_US in the PIM" in done.row(3).notes
    assert len(done.progress.rows) == 8


def test_what_the_pim_holds_already_is_as_valid(desk: Desk, new: New) -> None:
    code = new()
    manifest = desk.manifest(HEAD, f"{code},picture,,,{desk.file(code)}")
    desk.upload(manifest)
    assert validated(desk, manifest, online=True).statuses() == {"planned": 1}


@pytest.mark.parametrize("online", [False, True])
def test_one_invalid_row_makes_a_strict_look_end_as_an_unusable_manifest(
    desk: Desk, new: New, online: bool
) -> None:
    good = f"{new()},picture,,,{desk.file('a')}"
    for lines, status in (([good], Exit.OK), ([good, f"{new()},picture,,,gone.jpg"], Exit.MANIFEST)):
        done = validated(desk, desk.manifest(HEAD, *lines), online=online, strict=True)
        assert done.status is status
        assert isinstance(done.error, ManifestError) is (status is not Exit.OK)
        assert done.summary["planned"] == 1


def test_products_without_identifier_need_somebody_who_sends_the_file(
    desk: Desk, new: New, unidentified: Callable[[], str]
) -> None:
    one, two, sender = unidentified(), unidentified(), new()
    lines = ["product,uuid,attribute,file", f",{one},picture,{desk.file('one')}"]
    lines += [f",{two},picture,{desk.file('two')}", f"{sender},,picture,{desk.file('two')}"]
    manifest = desk.manifest(*lines)
    assert validated(desk, manifest, online=True).kinds() == {2: Kind.NO_CARRIER}
    assert validated(desk, manifest, online=True, carrier=f"{sender}:front").status is Exit.OK
    wrong = validated(desk, manifest, online=True, carrier="nobody:front")
    assert wrong.kinds() == {2: Kind.NO_CARRIER}
    assert "nobody" in wrong.row(2).failure.message  # type: ignore[union-attr]


def test_rows_that_the_pim_does_not_tell_of_are_pending(desk: Desk, new: New) -> None:
    manifest = desk.manifest(HEAD, f"{new()},picture,,,{desk.file('a')}", f"{new()},picture,,,gone.jpg")
    desk.order("503-html@/products")
    done = validated(desk, manifest, online=True, retries=0)
    assert done.statuses() == {"invalid": 1, "pending": 1}
    assert done.job.failure.http_status == 503
    desk.become("noperm")
    desk.order()
    done = validated(desk, manifest, online=True)
    assert (done.status, done.statuses()) == (Exit.REFUSED, {"invalid": 1, "pending": 1})
