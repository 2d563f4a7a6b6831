"""The upload job from a manifest to an exit status, against a PIM on a socket, with a ledger and files."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import AccessError, Kind, ManifestError, UsageError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.fit.recipe import Recipe
from akeneo_media_cli.ledger import UNKNOWN, HeldFile
from akeneo_media_cli.pim.http.transport import CallInfo
from akeneo_media_cli.planning.options import ManifestOptions
from akeneo_media_cli.planning.readback import SENT_AGAIN
from akeneo_media_cli.planning.unchanged import REPLACED, UNASKED, SkipPolicy
from akeneo_media_cli.rows import Status
from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, start_sandbox
from akeneo_media_cli.secret import Secret

from ..e2e.conftest import catalogue
from ..fit.pictures import quarters, save
from .desk import Desk, Heard

HEAD = "product,attribute,file"
POST, PATCH, SEARCH = "POST /media-files", "PATCH /products", "GET /products"
New = Callable[[], str]


def pictures(desk: Desk, *codes: str) -> ManifestOptions:
    """A picture of its own for each product."""
    return desk.manifest(HEAD, *(f"{code},picture,{desk.file(code)}" for code in codes))


def after(desk: Desk, path: str, do: Callable[[], None]) -> None:
    """Do something once, after the first write to a path that ends so."""

    def hear(call: CallInfo) -> None:
        if call.method != "GET" and call.path.endswith(path):
            desk.on_call = None
            done.append(call)
            if len(done) == 1:
                do()

    done: list[CallInfo] = []
    desk.on_call = hear


def test_every_row_is_uploaded_read_back_counted_and_remembered(desk: Desk, new: New) -> None:
    codes = [new() for _ in range(5)]
    heard: list[CallInfo] = []
    desk.on_call = heard.append
    with desk.counted() as made:
        done = desk.upload(pictures(desk, *codes))
    assert (done.status, done.statuses(), done.error) == (Exit.OK, {"uploaded": 5}, None)
    for planned, code in zip(done.rows, codes, strict=True):
        value = desk.value(code)
        assert value is not None
        assert value["sha256"] == planned.sha256 == desk.sha256(code)
        assert (planned.media_code, planned.attempts, planned.before) == (value["media_code"], 1, None)
    assert (made[SEARCH], made[POST], made[PATCH]) == (2, 5, 0), "looked up, and read back"
    assert done.summary["requests"] == len(heard) == made.total() + 1
    assert done.summary["read_back"] == 5
    assert done.summary["bytes_sent"] == sum((desk.folder / f"{code}.jpg").stat().st_size for code in codes)
    assert sorted(done.progress.rows) == [(n, "uploaded") for n in range(1, 6)]
    assert desk.ledger.run("last").exit_status == 0


def test_the_version_for_a_report_is_asked_beside_the_uploads(desk: Desk, new: New) -> None:
    heard: list[str] = []
    desk.on_call = lambda call: heard.append(call.path.partition("?")[0].rpartition("/")[2])
    desk.upload(pictures(desk, *(new() for _ in range(3))), reports=("r.json",), concurrency=1)
    assert heard.count("system-information") == 1
    assert heard.index("system-information") < heard.index("media-files")


def test_the_next_run_sends_only_the_file_that_changed(desk: Desk, new: New) -> None:
    codes = [new() for _ in range(4)]
    manifest = pictures(desk, *codes)
    first = desk.upload(manifest)
    changed = desk.folder / f"{codes[1]}.jpg"
    changed.write_bytes(changed.read_bytes()[:-2] + b"more\xff\xd9")
    os.utime(desk.folder / f"{codes[2]}.jpg", (1, 1))
    with desk.counted() as made:
        done = desk.upload(manifest)
    assert made[POST] == 1
    assert [planned.status for planned in done.rows] == [
        Status.UNCHANGED,
        Status.UPLOADED,
        Status.UNCHANGED,
        Status.UNCHANGED,
    ]
    old = first.rows[1]
    assert done.rows[1].before == HeldFile(str(old.media_code), old.name, old.size)
    assert done.rows[0].media_code == first.rows[0].media_code


@pytest.mark.parametrize("becomes", [Kind.PICTURE_TRUNCATED, Kind.OUTSIDE_ROOT])
def test_a_file_that_changes_after_its_check_is_not_sent_unchecked(
    desk: Desk, new: New, tmp_path_factory: pytest.TempPathFactory, becomes: Kind
) -> None:
    codes = [new(), new()]
    manifest = pictures(desk, *codes)
    path = desk.folder / desk.file(codes[1])

    def change() -> None:
        content = path.read_bytes()
        if becomes is Kind.OUTSIDE_ROOT:
            elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret"
            elsewhere.write_bytes(content + content)
            path.unlink()
            path.symlink_to(elsewhere)
        else:
            path.write_bytes(content[: len(content) // 2])

    after(desk, "/media-files", change)
    done = desk.upload(manifest, concurrency=1)
    assert (done.status, done.statuses()) == (Exit.ROWS_FAILED, {"uploaded": 1, "failed": 1})
    assert done.kinds() == {3: Kind.FILE_CHANGED}
    assert desk.value(codes[1]) is None
    assert desk.upload(manifest).kinds() == {3: becomes}, "the next run checks what is there now"


def test_wrong_rows_are_told_and_keep_no_other_back(desk: Desk, new: New) -> None:
    good, other = new(), new()
    picture = desk.file(good)
    (desk.folder / "text.jpg").write_text("<!DOCTYPE html><html><body>log in")
    manifest = desk.manifest(
        HEAD,
        f"{good},picture,{picture}",
        f"{new()},picture,nowhere.jpg",
        f"nobody,picture,{picture}",
        f"{new()},name,{picture}",
        f"{new()},shop,{picture}",
        f"{new()},picture,text.jpg",
        f"{other},picture_1,{picture}",
        f"{other},picture_1,{desk.file('another')}",
        f",picture,{picture}",
    )
    done = desk.upload(manifest)
    assert done.status is Exit.ROWS_FAILED
    assert done.kinds() == {
        3: Kind.FILE_MISSING,
        4: Kind.TARGET_UNKNOWN,
        5: Kind.ATTRIBUTE_NOT_MEDIA,
        6: Kind.SCOPE_REQUIRED,
        7: Kind.CONTENT_MISMATCH,
        8: Kind.CONFLICTING_ROWS,
        9: Kind.CONFLICTING_ROWS,
        10: Kind.TARGET_MISSING,
    }
    assert done.statuses() == {"uploaded": 1, "invalid": 8}
    assert done.progress.settled == {"invalid": 5}, "what needs no PIM is told at once"
    assert desk.value(good) is not None
    assert desk.value(other, "picture_1") is None


@pytest.mark.parametrize("where", ["offline", "online"])
def test_a_strict_run_sends_nothing_beside_an_invalid_row(desk: Desk, new: New, where: str) -> None:
    good, picture = new(), desk.file("any")
    bad = f"{new()},picture,nowhere.jpg" if where == "offline" else f"nobody,picture,{picture}"
    with desk.counted() as made:
        done = desk.upload(desk.manifest(HEAD, f"{good},picture,{picture}", bad), strict=True)
    assert made[POST] == 0
    assert bool(made) is (where == "online"), "a row that is wrong by itself needs no PIM"
    assert done.status is Exit.MANIFEST
    assert isinstance(done.error, ManifestError)
    assert done.statuses() == {"invalid": 1, "pending": 1}
    assert desk.upload(pictures(desk, good), strict=True).statuses() == {"uploaded": 1}


def test_a_dry_run_says_what_would_be_sent(desk: Desk, new: New) -> None:
    held, empty = new(), new()
    desk.upload(pictures(desk, held))
    lines = [f"{code},picture,{desk.file(code)}" for code in (held, empty)]
    manifest = desk.manifest(HEAD, *lines, f"nobody,picture,{desk.file(empty)}")
    with desk.counted() as made:
        done = desk.upload(manifest, dry_run=True)
    assert done.status is Exit.ROWS_FAILED
    assert done.statuses() == {"unchanged": 1, "planned": 1, "invalid": 1}
    assert not [call for call in made if not call.startswith("GET")]
    assert desk.upload(manifest).statuses() == {"unchanged": 1, "uploaded": 1, "invalid": 1}
    with desk.counted() as made:
        assert desk.upload(pictures(desk, new()), dry_run=True, verify=True).status is Exit.OK
    assert made[SEARCH] == 1, "there is nothing to read back"


def test_rows_that_repeat_another_are_left_out(desk: Desk, new: New) -> None:
    code = new()
    picture = desk.file(code)
    (desk.folder / "link.jpg").symlink_to(picture)
    lines = [f"{c},picture,{f}" for c in (code, code.upper()) for f in (picture, "link.jpg")]
    done = desk.upload(desk.manifest(HEAD, *lines))
    assert (done.statuses(), done.summary["total"]) == ({"uploaded": 1}, 1)
    assert "3 rows repeat another row" in done.notes


@pytest.mark.parametrize(("share", "sent"), [(True, 2), (False, 4)])
def test_one_file_for_many_products_is_sent_once(desk: Desk, new: New, share: bool, sent: int) -> None:
    codes = [new() for _ in range(4)]
    one = f"shared by {codes[0]}"
    lines = [f"{code},picture,{desk.file(one)}" for code in codes[:3]]
    with desk.counted() as made:
        done = desk.upload(
            desk.manifest(HEAD, *lines, f"{codes[3]},picture,{desk.file(codes[3])}"), share=share
        )
    assert (made[POST], made[PATCH]) == (sent, int(share))
    assert (done.statuses(), done.summary["shared"]) == ({"uploaded": 4}, 4 - sent)
    media = {planned.media_code for planned in done.rows[:3]}
    assert len(media) == (1 if share else 3)
    values = [desk.value(code) for code in codes[:3]]
    assert {value["sha256"] for value in values if value} == {desk.sha256(one)}
    assert {value["media_code"] for value in values if value} == media


def test_who_may_not_set_codes_sends_each_file_and_is_told_once(desk: Desk, new: New) -> None:
    desk.become("readonly")
    manifest = desk.manifest(HEAD, *(f"{new()},picture,{desk.file('one')}" for _ in range(3)))
    with desk.counted() as made:
        done = desk.upload(manifest)
    assert (done.statuses(), made[POST], made[PATCH]) == ({"uploaded": 3}, 3, 1)
    assert done.notes.count("may not set media codes") == 1


def test_files_of_one_name_are_shared_only_where_their_bytes_are_the_same(desk: Desk, new: New) -> None:
    codes = [new() for _ in range(4)]
    for code, content in zip(codes, ("same", "same", "else", "same"), strict=True):
        (desk.folder / code).mkdir()
        name = "renamed.jpg" if code == codes[3] else "front.jpg"
        (desk.folder / code / name).write_bytes((desk.folder / desk.file(content)).read_bytes())
    lines = [f"{code},picture,{code}/{'renamed' if code == codes[3] else 'front'}.jpg" for code in codes]
    with desk.counted() as made:
        done = desk.upload(desk.manifest(HEAD, *lines))
    assert (done.statuses(), made[POST], done.summary["shared"]) == ({"uploaded": 4}, 3, 1)
    values = [desk.value(code) for code in codes]
    assert [value["sha256"] for value in values if value] == [
        desk.sha256(content) for content in ("same", "same", "else", "same")
    ]
    assert [value["original_filename"] for value in values if value] == ["front.jpg"] * 3 + ["renamed.jpg"]


def test_a_shared_file_makes_no_product_and_drops_nothing_at_another_level(desk: Desk, new: New) -> None:
    picture = desk.file("shared by all")
    rows = [f"{new()},picture", "nobody,picture", "v-1,picture", "v-1,shot", "v-2,shot", f"{new()},picture"]
    before = desk.sandbox.stats()["products"]
    with desk.counted() as made:
        done = desk.upload(desk.manifest(HEAD, *(f"{row},{picture}" for row in rows)))
    assert done.kinds() == {3: Kind.TARGET_UNKNOWN, 4: Kind.ATTRIBUTE_WRONG_LEVEL}
    assert (done.summary["uploaded"], made[POST]) == (4, 1)
    assert desk.sandbox.stats()["products"] == before


def test_values_go_to_where_the_pim_spells_them(desk: Desk, new: New) -> None:
    code = new()
    head = "product,product_model,attribute,locale,scope,file"
    lines = [f"{code.upper()},,PICTURE,,,{desk.file('a')}", f"{code},,label,EN_us,,{desk.file('b')}"]
    lines += [f"{code},,manual,fr_fr,ECOMMERCE,{desk.file('c')}", f",M-1,picture_2,,,{desk.file('d')}"]
    done = desk.upload(desk.manifest(head, *lines))
    assert done.statuses() == {"uploaded": 4}
    for where in (
        (code,),
        (code, "label", "en_US"),
        (code, "manual", "fr_FR", "ecommerce"),
        ("m-1", "picture_2"),
    ):
        assert desk.value(*where) is not None
    assert f"{code.upper()} is {code} in the PIM" in done.row(2).notes


def test_values_of_one_product_are_never_sent_at_once(tmp_path: Path) -> None:
    with start_sandbox(catalogue(6), options=SandboxOptions(save_time=0.01)) as sandbox:
        desk = Desk(sandbox, tmp_path)
        places = [(f"p-{n}", f"picture_{a}") for n in range(1, 7) for a in range(1, 5)]
        done = desk.upload(desk.manifest(HEAD, *(f"{p},{a},{desk.file(p + a)}" for p, a in places)))
        stats = sandbox.stats()
        desk.close()
    assert done.statuses() == {"uploaded": 24}
    assert (stats["lost_values"], stats["most_in_flight_per_entity"]) == (0, 1)
    assert stats["most_in_flight"] > 1, "one after the other would prove nothing"


# What the ledger and the PIM say of a value.


def test_the_ledger_alone_is_believed_where_that_is_asked_for(desk: Desk, new: New) -> None:
    codes = [new(), new()]
    manifest = pictures(desk, *codes)
    desk.upload(manifest)
    desk.put(codes[0], None)
    with desk.counted() as made:
        done = desk.upload(manifest, skip=SkipPolicy("ledger"))
    assert not made
    assert (done.statuses(), done.summary["unasked"]) == ({"unchanged": 2}, 2)
    again = desk.upload(manifest)
    assert (again.statuses(), again.summary["unasked"]) == ({"uploaded": 1, "unchanged": 1}, 0)


@pytest.mark.parametrize("drift", ["overwrite", "keep", "fail"])
def test_a_value_that_somebody_changed_meanwhile(desk: Desk, new: New, drift: str) -> None:
    code, theirs = new(), new()
    other = desk.upload(pictures(desk, theirs)).rows[0].media_code
    manifest = pictures(desk, code)
    desk.upload(manifest)
    desk.put(code, other)
    done = desk.upload(manifest, skip=SkipPolicy(drift=drift))
    assert (done.summary["changed_in_pim"], done.summary["kept"]) == (1, int(drift == "keep"))
    held = desk.value(code)
    assert held is not None
    if drift == "overwrite":
        assert (done.status, done.statuses()) == (Exit.OK, {"uploaded": 1})
        assert REPLACED in done.rows[0].notes
        assert held["sha256"] == desk.sha256(code)
        return
    assert held["media_code"] == other
    if drift == "fail":
        assert (done.status, done.kinds()) == (Exit.ROWS_FAILED, {2: Kind.CHANGED_IN_PIM})
        return
    assert (done.status, done.statuses()) == (Exit.OK, {"unchanged": 1})
    assert desk.upload(manifest).statuses() == {"uploaded": 1}, "it is not forgotten that it was changed"


def test_everything_is_sent_again_where_nothing_is_to_be_skipped(desk: Desk, new: New) -> None:
    manifest = pictures(desk, new(), new())
    first = desk.upload(manifest)
    done = desk.upload(manifest, skip=SkipPolicy("none"))
    assert done.statuses() == {"uploaded": 2}
    assert not {p.media_code for p in done.rows} & {p.media_code for p in first.rows}


def test_without_preflight_the_pim_judges_and_the_ledger_is_believed(desk: Desk, new: New) -> None:
    code = new()
    manifest = desk.manifest(
        HEAD, f"{code},picture,{desk.file(code)}", f"nobody,picture,{desk.file('other')}"
    )
    with desk.counted() as made:
        done = desk.upload(manifest, preflight=False, verify=False)
    assert made == {POST: 2}
    assert done.statuses() == {"uploaded": 1, "failed": 1}
    assert done.row(3).failure is not None
    assert done.row(3).status is Status.FAILED
    assert done.row(2).before is UNKNOWN
    again = desk.upload(manifest, preflight=False)
    assert again.statuses() == {"unchanged": 1, "failed": 1}
    assert done.row(2).media_code == again.row(2).media_code


# Reading back.


def test_a_value_that_another_writer_takes_away_is_sent_again(desk: Desk, new: New) -> None:
    code = new()
    after(desk, "/media-files", lambda: desk.put(code, None))
    done = desk.upload(pictures(desk, code))
    assert (done.status, done.statuses()) == (Exit.OK, {"uploaded": 1})
    assert SENT_AGAIN in done.rows[0].notes
    assert (done.rows[0].attempts, done.summary["read_back"]) == (2, 1)
    value = desk.value(code)
    assert value is not None
    assert value["media_code"] == done.rows[0].media_code


def test_nothing_is_read_back_where_that_is_not_wanted(desk: Desk, new: New) -> None:
    with desk.counted() as made:
        done = desk.upload(pictures(desk, new()), verify=False)
    assert (done.statuses(), done.summary["read_back"], made[SEARCH]) == ({"uploaded": 1}, 0, 1)


def test_who_may_not_read_products_is_told_and_refused_only_where_reading_back_was_asked_for(
    desk: Desk, new: New
) -> None:
    desk.become("sightless")
    codes = [new(), new()]
    done = desk.upload(pictures(desk, codes[0]))
    assert (done.status, done.statuses()) == (Exit.OK, {"uploaded": 1})
    assert "may not read products" in done.notes
    assert desk.upload(pictures(desk, codes[0])).rows[0].notes == (UNASKED,)
    asked = desk.upload(pictures(desk, codes[1]), verify=True)
    assert (asked.status, asked.statuses()) == (Exit.REFUSED, {"uploaded": 1})
    assert isinstance(asked.error, AccessError)


def test_values_that_cannot_be_read_back_leave_the_run_undone(desk: Desk, new: New) -> None:
    manifest = pictures(desk, new())
    after(desk, "/media-files", lambda: desk.order("503=1@/products"))
    done = desk.upload(manifest, retries=0)
    assert (done.status, done.statuses()) == (Exit.PENDING, {"uploaded": 1})
    assert done.job.failure.http_status == 503
    desk.order()
    after(desk, "/media-files", lambda: desk.order("403-html=1@/products"))
    done = desk.upload(pictures(desk, new()))
    assert (done.status, done.statuses()) == (Exit.PENDING, {"uploaded": 1})
    assert "not every value could be read back" in done.notes


# How a run ends before its time.


def test_nothing_goes_to_an_attribute_whose_type_cannot_be_learned(desk: Desk, new: New) -> None:
    desk.become("blind")
    manifest = pictures(desk, new())
    with desk.counted() as made:
        done = desk.upload(manifest)
    assert (done.status, done.kinds(), made[POST]) == (Exit.ROWS_FAILED, {2: Kind.ATTRIBUTE_UNREADABLE}, 0)
    assert desk.upload(manifest, preflight=False).statuses() == {"uploaded": 1}


def test_a_product_that_is_gone_is_not_unchanged(desk: Desk, new: New) -> None:
    code = new()
    manifest = pictures(desk, code)
    desk.upload(manifest)
    entities = desk.sandbox.store.entities
    desk.sandbox.inside(lambda: entities.remove(entities.product(code)))  # type: ignore[arg-type]
    assert desk.upload(manifest).kinds() == {2: Kind.TARGET_UNKNOWN}


def test_wrong_credentials_end_it_with_all_rows_pending(desk: Desk, new: New) -> None:
    desk.connection = replace(desk.connection, password=Secret("wrong"))
    with desk.counted() as made:
        done = desk.upload(pictures(desk, new(), new()))
    assert (done.status, done.statuses()) == (Exit.REFUSED, {"pending": 2})
    assert isinstance(done.error, AccessError)
    assert done.error.kind is Kind.CREDENTIALS_REFUSED
    assert not made
    assert done.summary["requests"] == 1, "not one try more"


def test_a_user_who_may_not_use_the_api(desk: Desk, new: New) -> None:
    desk.become("noperm")
    done = desk.upload(pictures(desk, new()))
    assert (done.status, done.statuses()) == (Exit.REFUSED, {"pending": 1})
    assert done.error is not None
    assert done.error.kind is Kind.API_FORBIDDEN


def test_a_pim_that_goes_down_leaves_rows_for_the_next_run(desk: Desk, new: New) -> None:
    codes = [new() for _ in range(6)]
    manifest = pictures(desk, *codes)
    after(desk, "/media-files", lambda: desk.order("redirect"))
    done = desk.upload(manifest, retries=0, concurrency=1)
    assert (done.status, done.statuses()) == (Exit.PENDING, {"uploaded": 1, "pending": 5})
    assert done.job.failure.kind is Kind.UNAVAILABLE
    desk.order()
    again = desk.upload(manifest)
    assert (again.status, again.statuses()) == (Exit.OK, {"uploaded": 5, "unchanged": 1})


@pytest.mark.parametrize(
    ("fault", "sent", "retries"),
    [("401", 2, 1), ("429-no-retry-after", 2, 1), ("500-late", 1, 0), ("reset-late", 1, 0)],
)
def test_trouble_is_retried_but_nothing_that_was_saved_is_sent_twice(
    desk: Desk, new: New, fault: str, sent: int, retries: int
) -> None:
    code = new()
    desk.order(f"{fault}=1x@media-files")
    with desk.counted() as made:
        done = desk.upload(pictures(desk, code))
    assert (done.status, done.statuses(), done.summary["read_back"]) == (Exit.OK, {"uploaded": 1}, 1)
    assert (made[POST], done.summary["retries"]) == (sent, retries)
    value = desk.value(code)
    assert value is not None
    assert (value["media_code"], value["sha256"]) == (done.rows[0].media_code, desk.sha256(code))


def test_a_limit_of_failures_ends_it(desk: Desk, new: New) -> None:
    lines = [f"{code},picture,{desk.file(code)}" for code in (new(), new(), new())]
    desk.order("413-html=1x@media-files")
    done = desk.upload(desk.manifest(HEAD, *lines), concurrency=1, max_failures=1)
    assert done.status is not Exit.OK
    assert done.statuses() == {"failed": 1, "pending": 2}


def test_time_that_is_over_starts_no_row(desk: Desk, new: New) -> None:
    with desk.counted() as made:
        done = desk.upload(pictures(desk, new(), new()), max_duration=0.0)
    assert (done.status, done.statuses()) == (Exit.PENDING, {"pending": 2})
    assert made[POST] == 0
    assert "--max-duration" in done.notes


def test_how_long_the_pim_holds_a_request_is_known_to_the_run_after_a_kill(desk: Desk, new: New) -> None:
    desk.sandbox.store.options.stall_time = 3.0
    desk.order("stall=1x@media-files")

    def leave_once_known() -> None:
        with closing(sqlite3.connect(desk.folder / "ledger.sqlite")) as ledger:
            while not ledger.execute("SELECT 1 FROM meta WHERE name = 'settling'").fetchone():
                pass
        desk.interrupt()
        os.kill(os.getpid(), signal.SIGINT)

    leaver = threading.Thread(target=leave_once_known)
    leaver.start()
    done = desk.upload(pictures(desk, new()))
    leaver.join()
    assert done.status is Exit.INTERRUPTED
    (left,) = desk.ledger.start_run("upload", {}).at_work()
    assert left.seconds > 2.0, "not the least that is waited for any"


def test_the_second_ctrl_c_waits_for_no_conversion(
    desk: Desk, new: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, converted = threading.Event(), threading.Event()

    def convert_for_long(heard: Heard, row: int, **_: Any) -> None:
        leaver.start()
        over.wait(20)
        converted.set()

    def leave() -> None:
        desk.interrupt()
        os.kill(os.getpid(), signal.SIGINT)

    leaver = threading.Thread(target=leave)
    monkeypatch.setattr(Heard, "row_converting", convert_for_long)
    save(quarters(), desk.folder / "wide.png")
    done = desk.upload(desk.manifest(HEAD, f"{new()},picture,wide.png"), fit=Recipe(max_edge=10))
    assert (done.status, done.statuses(), converted.is_set()) == (Exit.INTERRUPTED, {"pending": 1}, False)
    over.set()


def test_an_interruption_finishes_what_is_in_flight(desk: Desk, new: New) -> None:
    codes = [new() for _ in range(5)]
    after(desk, "/media-files", desk.interrupt)
    with desk.counted() as made:
        done = desk.upload(pictures(desk, *codes), concurrency=1)
    assert (done.status, done.statuses()) == (Exit.INTERRUPTED, {"uploaded": 1, "pending": 4})
    assert made[POST] == 1
    again = desk.upload(pictures(desk, *codes))
    assert (again.status, again.statuses()) == (Exit.OK, {"unchanged": 1, "uploaded": 4})


# A file for a product without identifier.


def test_a_carrier_has_its_own_value_again(desk: Desk, new: New, unidentified: Callable[[], str]) -> None:
    carrier, uuid = new(), unidentified()
    own = desk.upload(pictures(desk, carrier)).rows[0].media_code
    manifest = desk.manifest("uuid,attribute,file", f"{uuid},picture,{desk.file(uuid)}")
    assert desk.upload(manifest).kinds() == {2: Kind.NO_CARRIER}
    done = desk.upload(manifest, carrier=f"{carrier}:picture")
    assert (done.status, done.statuses()) == (Exit.OK, {"uploaded": 1}), done.notes
    held, back = desk.value(uuid), desk.value(carrier)
    assert held is not None
    assert back is not None
    assert (held["sha256"], held["media_code"]) == (desk.sha256(uuid), done.rows[0].media_code)
    assert back["media_code"] == own
    wrong = desk.upload(manifest, carrier="picture")
    assert (wrong.status, type(wrong.error)) == (Exit.USAGE, UsageError)


def test_a_carrier_that_was_not_put_back_is_by_the_next_run_though_it_sends_nothing(
    desk: Desk, new: New, unidentified: Callable[[], str]
) -> None:
    carrier, uuid, idle = new(), unidentified(), new()
    first = desk.upload(pictures(desk, carrier, idle))
    lines = desk.manifest("uuid,attribute,file", f"{uuid},picture,{desk.file(uuid)}")
    # The file gets up through the carrier, and nothing gets it out again.
    after(desk, "/media-files", lambda: desk.order("403-html=1@/products"))
    done = desk.upload(lines, carrier=f"{carrier}:picture")
    assert (done.status, done.statuses()) == (Exit.ROWS_FAILED, {"failed": 1})
    assert f"carrier {carrier} still holds {uuid}.jpg" in done.notes
    value = desk.value(carrier)
    assert value is not None
    assert value["media_code"] != first.rows[0].media_code
    desk.order()
    idle_again = desk.upload(pictures(desk, idle), skip=SkipPolicy("ledger"))
    assert (idle_again.status, idle_again.statuses()) == (Exit.OK, {"unchanged": 1})
    value = desk.value(carrier)
    assert value is not None
    assert value["media_code"] == first.rows[0].media_code


def test_a_run_without_open_rows_asks_nothing(pim: RunningSandbox, desk: Desk) -> None:
    with desk.counted() as made:
        done = desk.upload(desk.manifest(HEAD))
    assert (done.status, done.summary["total"], dict(made)) == (Exit.OK, 0, {})
