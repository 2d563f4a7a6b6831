"""Every mistake is found before the first byte: by `validate`, and by `upload` before it sends."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .conftest import PNG, Bench, Bencher, catalogue, jpeg


class Bad(NamedTuple):
    """A row that cannot go, and how it is to be told."""

    row: str
    kind: str
    says: str
    offline: bool = False


HEADER = "product,product_model,attribute,locale,scope,filename,file"
BAD = (
    # The file.
    Bad("p-1,,picture,,,,nowhere.jpg", "file_missing", "nowhere.jpg", True),
    Bad("p-2,,picture,,,,Good.JPG", "file_missing", "good.jpg", True),
    Bad("p-3,,picture,,,,folder", "file_not_regular", "a folder", True),
    Bad("p-4,,picture,,,,pipe.jpg", "file_not_regular", "a pipe", True),
    Bad("p-5,,picture,,,,empty.jpg", "file_empty", "0 bytes", True),
    Bad("p-6,,picture,,,,../outside.jpg", "outside_root", "--allow-outside-root", True),
    Bad("p-7,,picture,,,,{outside}/outside.jpg", "outside_root", "--root", True),
    Bad("p-8,,picture,,,,link.jpg", "outside_root", "link.jpg", True),
    Bad("p-9,,picture,,,{long}.jpg,good.jpg", "name_too_long", "255", True),
    Bad("p-10,,picture,,,a.elevenchars,good.jpg", "extension_too_long", "10", True),
    Bad("p-11,,picture,,,,really.jpg", "content_mismatch", "PNG", True),
    # The row.
    Bad(",,picture,,,,good.jpg", "target_missing", "product", True),
    Bad("p-12,m-1,picture,,,,good.jpg", "target_ambiguous", "product_model", True),
    Bad("p-13,,picture_7,,,,good.jpg", "conflicting_rows", "other.jpg", True),
    Bad("P-13,,PICTURE_7,,,,other.jpg", "conflicting_rows", "good.jpg", True),
    # What the PIM's catalogue says.
    Bad("p-14,,front,,,,large.jpg", "file_too_large", "10,000"),
    Bad("p-15,,front,,,,drawing.gif", "extension_not_allowed", "front takes jpg, png"),
    Bad("p-16,,Pictrue,,,,good.jpg", "attribute_unknown", "Did you mean picture?"),
    Bad("p-17,,name,,,,good.jpg", "attribute_not_media", "pim_catalog_text"),
    Bad("p-18,,sku,,,,good.jpg", "attribute_not_media", "pim_catalog_identifier"),
    Bad("p-19,,shop,,,,good.jpg", "scope_required", "column scope"),
    Bad("p-20,,picture,,ecommerce,,good.jpg", "scope_unexpected", "ecommerce"),
    Bad("p-21,,label,,,,good.jpg", "locale_required", "column locale"),
    Bad("p-22,,picture,en_US,,,good.jpg", "locale_unexpected", "en_US"),
    Bad("p-23,,shop,,ecomerce,,good.jpg", "channel_unknown", "Did you mean ecommerce?"),
    Bad("p-24,,label,de_DE,,,good.jpg", "locale_unknown", "not enabled"),
    Bad("p-25,,label,en_UK,,,good.jpg", "locale_unknown", "Did you mean en_US?"),
    Bad("p-26,,manual,fr_FR,mobile,,good.jpg", "locale_not_in_channel", "mobile"),
    Bad("p-27,,french,en_US,,,good.jpg", "locale_not_available", "fr_FR"),
    Bad("nobody,,picture,,,,good.jpg", "target_unknown", "nobody"),
    Bad(",nothing,picture,,,,good.jpg", "target_unknown", "nothing"),
    Bad("v-1,,picture,,,,good.jpg", "attribute_wrong_level", "product model m-1"),
    Bad(",m-1,shot,,,,good.jpg", "attribute_wrong_level", "variants below"),
    Bad("v-2,,stray,,,,good.jpg", "attribute_not_in_family", "family"),
    Bad(",m-1,stray,,,,good.jpg", "attribute_not_in_family", "family"),
)
GOOD = (
    "p-30,,picture,,,,good.jpg",
    "p-31,,manual,en_US,ecommerce,,good.jpg",
    "P-32,,PICTURE,,,,good.jpg",
    "p-33,,label,EN_us,,,good.jpg",
    ",M-1,picture,,,,good.jpg",
    "v-3,,shot,,,,good.jpg",
    "p-34,,stray,,,,good.jpg",
    "p-35,,front,,,,other.jpg",
)


def lay_out(b: Bench) -> tuple[str, dict[int, Bad]]:
    """The files and the manifest; where each bad row stands."""
    b.file("good.jpg", jpeg(1))
    b.file("other.jpg", jpeg(2))
    b.file("folder/inside.jpg", jpeg(3))
    b.file("empty.jpg", b"")
    b.file("really.jpg", PNG)
    b.file("drawing.gif", b"GIF89a" + b"\x01" * 60 + b";")
    b.file("large.jpg", jpeg(4, 10_001))
    outside = b.folder.parent / "outside.jpg"
    outside.write_bytes(jpeg(5))
    (b.folder / "link.jpg").symlink_to(outside)
    os.mkfifo(b.folder / "pipe.jpg")
    rows = [bad.row.format(outside=b.folder.parent, long="n" * 252) for bad in BAD]
    places = {}
    lines = [HEADER]
    for n, row in enumerate(rows):
        lines.append(row)
        places[len(lines)] = BAD[n]
        if n < len(GOOD):
            lines.append(GOOD[n])
    return b.manifest(lines), places


def told(item: dict[str, Any]) -> str:
    return f"{item['error']['message']} {item['error']['hint']}"


def check_all(items: list[dict[str, Any]], places: dict[int, Bad], word: str) -> None:
    by_line = {item["line"]: item for item in items}
    for line, bad in places.items():
        item = by_line.pop(line)
        assert (item["status"], item["error"]["kind"]) == ("invalid", bad.kind), item
        assert bad.says in told(item), item
        assert item["error"]["hint"]
    assert {item["status"] for item in by_line.values()} == {word}
    assert len(by_line) == len(GOOD)


@pytest.mark.long
def test_every_kind_of_bad_row_is_found_before_anything_is_sent(bench: Bencher) -> None:
    b = bench()
    manifest, places = lay_out(b)
    validated = b.run("validate", manifest, "--online")
    assert validated.status == 1, validated.err
    check_all(validated.report["items"], places, "planned")
    assert not [call for call in b.sandbox.stats()["calls"] if call.startswith(("POST /media", "PATCH"))]
    assert b.sandbox.stats()["media_files"] == 0

    uploaded = b.upload(manifest, "--verify", "--no-share")
    assert uploaded.status == 1, uploaded.err
    check_all(uploaded.report["items"], places, "uploaded")
    stats = b.sandbox.stats()
    assert stats["calls"]["POST /media-files"] == {"201": len(GOOD)}
    assert stats["media_files"] == len(GOOD)
    assert stats["orphans"] == 0
    assert stats["products"] == 220
    # Two of them are files that the attribute does not take: they can be looked up all the same.
    summary = b.run("verify", manifest).report["summary"]
    assert (summary["held"], summary["missing"], summary["invalid"]) == (len(GOOD), 2, len(places) - 2)


@pytest.mark.long
def test_codes_in_another_case_go_out_as_the_pim_spells_them(bench: Bencher) -> None:
    b = bench()
    manifest, _ = lay_out(b)
    done = b.upload(manifest)
    values = {(v["identifier"] or v["code"], v["attribute"], v["locale"]) for v in b.sandbox.values()}
    assert {("p-32", "picture", None), ("p-33", "label", "en_US"), ("m-1", "picture", None)} <= values
    notes = {i["target"].get("identifier"): i["notes"] for i in done.report["items"] if i["target"]}
    assert any("p-32" in note for note in notes["P-32"])
    assert notes["p-30"] == []


def test_offline_finds_what_needs_no_pim_and_no_settings(command: list[str], bench: Bencher) -> None:
    b = bench()
    manifest, places = lay_out(b)
    done = subprocess.run(
        [*command, "validate", manifest, "--report", "-"],
        cwd=b.folder,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    found = {i["line"]: i["error"]["kind"] for i in report["items"] if i["error"]}
    assert found == {line: bad.kind for line, bad in places.items() if bad.offline}
    assert report["pim"] is None
    assert report["summary"]["planned"] == len(places) + len(GOOD) - len(found)
    assert b.sandbox.stats()["total"] == 0


def test_a_sound_manifest_is_sound(bench: Bencher) -> None:
    b = bench()
    b.file("good.jpg", jpeg(1))
    b.file("other.jpg", jpeg(2))
    manifest = b.manifest([HEADER, *GOOD])
    for arguments in ((), ("--online",), ("--sandbox",)):
        done = b.run("validate", manifest, *arguments)
        assert done.status == 0, done.err
        assert done.statuses() == {"total": len(GOOD), "planned": len(GOOD)}
        assert "No mistakes" in done.err
    assert b.sandbox.stats()["media_files"] == 0


def test_a_manifest_that_cannot_be_used(bench: Bencher) -> None:
    b = bench()
    assert b.run("validate", "nowhere.csv").status == 3
    assert b.run("validate", b.manifest(["product,attribute", "p-1,picture"])).status == 3
    (b.folder / "broken.yaml").write_text("- {product: [", encoding="utf-8")
    assert b.run("validate", "broken.yaml").status == 3


@pytest.mark.long
def test_the_ways_to_the_file_and_its_name_are_those_of_upload(bench: Bencher) -> None:
    b = bench()
    b.file("pictures/a.jpg", jpeg(1))
    (b.folder.parent / "far.jpg").write_bytes(jpeg(2))
    manifest = b.manifest(["product,file", "p-1,a.jpg", "p-2,../../far.jpg"])
    options = ("--set", "attribute=picture", "--root", str(b.folder / "pictures"))
    assert b.run("validate", manifest, *options).kinds() == {3: "outside_root"}
    assert b.run("validate", manifest, *options, "--allow-outside-root").status == 0
    long = b.run("validate", manifest, *options, "--rename", "x" * 260 + "{product}")
    assert long.item(2)["error"]["kind"] == "name_too_long"
    both = [
        b.run("validate", manifest, *options, "--shard", f"{n}/2").report["summary"]["total"] for n in (1, 2)
    ]
    assert sum(both) == 2


def test_every_row_is_an_event(bench: Bencher) -> None:
    b = bench()
    b.file("good.jpg", jpeg(1))
    manifest = b.manifest(["product,attribute,file", "p-1,picture,good.jpg", "p-2,picture,nowhere.jpg"])
    done = b.run("validate", manifest, "--progress", "json")
    lines = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    rows = {event.get("line") or event.get("item", {}).get("line") for event in lines} - {None}
    assert rows == {2, 3}


@pytest.mark.long
def test_what_was_just_made_is_not_called_unknown(bench: Bencher) -> None:
    b = bench(search_lag=3600.0)
    b.file("good.jpg", jpeg(1))
    rows = ["p-1,,picture,,,,good.jpg", ",m-1,picture,,,,good.jpg", "v-1,,shot,,,,good.jpg"]
    wrong = "v-2,,picture,,,,good.jpg"
    done = b.run("validate", b.manifest([HEADER, *rows, wrong]), "--online")
    assert done.statuses() == {"total": 4, "planned": 3, "invalid": 1}
    assert done.kinds() == {5: "attribute_wrong_level"}


CONNECTIONS = {
    "main": {},
    "blind": {"list_attributes": False},
    "sightless": {"list_products": False},
    "readonly": {"edit_products": False},
    "noperm": "may not use the API",
}


def as_user(b: Bench, name: str) -> dict[str, str]:
    who = b.sandbox.connections[name]
    return {
        "AKENEO_CLIENT_ID": who.client_id,
        "AKENEO_CLIENT_SECRET": who.client_secret,
        "AKENEO_USERNAME": who.username,
        "AKENEO_PASSWORD": who.password,
    }


@pytest.fixture
def two_rows(bench: Bencher) -> tuple[Bench, str]:
    b = bench(catalogue(20, connections=CONNECTIONS))
    b.file("good.jpg", jpeg(1))
    return b, b.manifest([HEADER, "p-1,,picture,,,,good.jpg", "p-2,,sku,,,,good.jpg"])


@pytest.mark.long
def test_nothing_goes_to_an_attribute_whose_type_cannot_be_learned(two_rows: tuple[Bench, str]) -> None:
    b, manifest = two_rows
    done = b.upload(manifest, env=as_user(b, "blind"))
    assert done.status == 1
    assert set(done.kinds().values()) == {"attribute_unreadable"}
    assert "--no-preflight" in done.item(2)["error"]["hint"]
    assert "POST /media-files" not in b.sandbox.stats()["calls"]
    assert b.upload(b.manifest([HEADER, "p-1,,picture,,,,good.jpg"], "one.csv"), "--no-preflight",
                    env=as_user(b, "blind")).status == 0  # fmt: skip


@pytest.mark.long
def test_a_user_who_may_not_list_products_uploads_with_a_warning(two_rows: tuple[Bench, str]) -> None:
    b, manifest = two_rows
    done = b.upload(manifest, env=as_user(b, "sightless"))
    assert done.statuses() == {"total": 2, "uploaded": 1, "invalid": 1}
    assert done.kinds() == {3: "attribute_not_media"}
    assert done.err.count("may not read products") == 1


@pytest.mark.long
def test_a_user_who_may_not_edit_products_can_upload(two_rows: tuple[Bench, str]) -> None:
    b, manifest = two_rows
    # As the PIM that was recorded.
    done = b.upload(manifest, "--verify", env=as_user(b, "readonly"))
    assert done.statuses() == {"total": 2, "uploaded": 1, "invalid": 1}


@pytest.mark.long
def test_a_user_without_the_api_ends_it(two_rows: tuple[Bench, str]) -> None:
    b, manifest = two_rows
    for arguments in (("upload", manifest), ("validate", manifest, "--online"), ("verify", manifest)):
        done = b.run(*arguments, env=as_user(b, "noperm"))
        assert done.status == 4, done.err
        assert done.statuses() == {"total": 2, "pending": 2}
        assert "API" in done.err


@pytest.mark.long
def test_a_pim_that_is_down_leaves_rows_pending(bench: Bencher) -> None:
    b = bench(down_after=0)
    b.file("good.jpg", jpeg(1))
    manifest = b.manifest(["product,attribute,file", "p-1,picture,good.jpg", "p-2,picture,nowhere.jpg"])
    done = b.run("validate", manifest, "--online", "--retries", "0")
    assert done.statuses() == {"total": 2, "invalid": 1, "pending": 1}
    assert done.status == 1
    done = b.run("validate", b.manifest(["product,attribute,file", "p-1,picture,good.jpg"]), "--online",
                 "--retries", "0")  # fmt: skip
    assert done.status == 5


def test_another_host_needs_settings_only_online(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    (tmp_path / "m.csv").write_text("product,attribute,file\np-1,picture,a.jpg\n", encoding="utf-8")
    for arguments, status in (([], 0), (["--online"], 2)):
        done = subprocess.run(
            [*command, "validate", "m.csv", *arguments],
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == status, done.stderr


def test_what_is_looked_at_offline_counts_as_done(bench: Bencher) -> None:
    b = bench()
    b.file("a.jpg", jpeg(1))
    manifest = b.manifest(["product,attribute,file", *(f"p-{n},picture,a.jpg" for n in (1, 2, 3))])
    done = b.run("validate", manifest)
    (line,) = [line for line in done.err.splitlines() if line.startswith("[")]
    assert "100%, 3 of 3 rows" in line
    assert "3 planned" in line


@pytest.mark.parametrize("more", [[], ["--online"]], ids=["offline", "online"])
@pytest.mark.long
def test_a_strict_look_takes_one_invalid_row_for_an_unusable_manifest(
    bench: Bencher, more: list[str]
) -> None:
    b = bench()
    b.file("a.jpg", jpeg(1))
    good = b.manifest(["product,attribute,file", "p-1,picture,a.jpg"], "good.csv")
    bad = b.manifest(["product,attribute,file", "p-1,picture,a.jpg", "p-2,picture,gone.jpg"])
    assert b.run("validate", good, "--strict", *more).status == 0
    assert b.run("validate", bad, *more).status == 1
    done = b.run("validate", bad, "--strict", *more)
    assert done.status == 3
    assert done.statuses() == {"total": 2, "planned": 1, "invalid": 1}
    assert done.report["error"]["kind"] == "manifest_unusable"
    assert done.kinds() == {3: "file_missing"}
