"""Assets, records, reference entities, categories and the old PAM beside products, in one manifest."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from .conftest import PNG, Bench, Bencher, catalogue, jpeg, sha256
from .test_share import log

COLUMNS = (
    "product,uuid,product_model,asset_family,asset,reference_entity,record,category,pam_asset,"
    "attribute,locale,scope,file"
)


def enterprise(**more: Any) -> dict[str, Any]:
    media = {"code": "media", "type": "media_file"}
    extra: dict[str, Any] = {
        "edition": "ee",
        "asset_families": [
            {
                "code": "photos",
                "attribute_as_main_media": "media",
                "attributes": [
                    media,
                    {
                        "code": "alt",
                        "type": "media_file",
                        "allowed_extensions": ["png"],
                        "max_file_size": "0.01",
                    },
                    {
                        "code": "local",
                        "type": "media_file",
                        "value_per_locale": True,
                        "value_per_channel": True,
                    },
                    {"code": "fixed", "type": "media_file", "is_read_only": True},
                    {"code": "title", "type": "text"},
                ],
            },
            {
                "code": "strict",
                "attribute_as_main_media": "media",
                "attributes": [media],
                "naming_convention": {
                    "source": {"property": "code"},
                    # One that is not tried here, as it might never end: the PIM refuses what does not match.
                    "pattern": "/^(ok)+_/",
                    "abort_asset_creation_on_error": True,
                },
            },
        ],
        "assets": [{"asset_family": "photos", "code": "there"}],
        "reference_entities": [{"code": "brand", "attributes": [{"code": "logo"}]}],
        "records": [{"reference_entity": "brand", "code": "acme"}],
        "category_attributes": [{"code": "banner"}, {"code": "hero", "value_per_locale": True}],
        "pam_assets": [{"code": "old", "localizable": False}, {"code": "lok", "localizable": True}],
    }
    return catalogue(products=120, **{**extra, **more})


def row(file: str, **cells: str) -> str:
    return ",".join({**cells, "file": file}.get(column, "") for column in COLUMNS.split(","))


def photos(b: Bench, count: int) -> list[str]:
    return [
        row(b.file(f"{n}.jpg", jpeg(n)), asset_family="photos", asset=f"a_{n}", attribute="media")
        for n in range(count)
    ]


def held(b: Bench) -> dict[tuple[str, str | None, str, str, str | None, str | None], str]:
    return {
        (v["type"], v["parent"], v["identifier"] or v["code"], v["attribute"], v["locale"], v["scope"]): v[
            "sha256"
        ]
        for v in b.sandbox.values()
    }


def posts(b: Bench) -> int:
    return sum(c["method"] == "POST" for c in log(b)) - b.sandbox.stats()["token_requests"]


@pytest.mark.long
def test_all_kinds_land_in_one_run_with_few_calls(bench: Bencher) -> None:
    b = bench(enterprise(), save_time=0.005)
    expected: dict[tuple[Any, ...], bytes] = {}
    lines = [COLUMNS]

    def add(where: tuple[Any, ...], **cells: str) -> None:
        n = len(lines)
        lines.append(row(b.file(f"{n}.jpg", jpeg(n)), **cells))
        expected[where] = jpeg(n)

    for n in range(1, 151):
        add(
            ("asset", "photos", f"a_{n}", "media", None, None),
            asset_family="photos",
            asset=f"a_{n}",
            attribute="media",
        )
    for locale, scope in (("en_US", "ecommerce"), ("fr_FR", "ecommerce"), ("en_US", "mobile")):
        add(
            ("asset", "photos", "there", "local", locale, scope),
            asset_family="photos", asset="there", attribute="local", locale=locale, scope=scope,
        )  # fmt: skip
    for code in ("acme", "new_brand"):
        add(
            ("record", "brand", code, "logo", None, None),
            reference_entity="brand",
            record=code,
            attribute="logo",
        )
    add(("reference_entity", None, "brand", "image", None, None), reference_entity="brand", attribute="image")
    add(("category", None, "master", "banner", None, None), category="master", attribute="banner")
    add(
        ("category", None, "master", "hero", "fr_FR", None),
        category="master",
        attribute="hero",
        locale="fr_FR",
    )
    add(("pam_asset", None, "old", "reference", None, None), pam_asset="old")
    add(
        ("pam_asset", None, "lok", "variation", "en_US", "mobile"),
        pam_asset="lok",
        locale="en_US",
        scope="mobile",
    )
    add(("product", None, "p-1", "picture", None, None), product="p-1", attribute="picture")
    add(("product_model", None, "m-1", "picture", None, None), product_model="m-1", attribute="picture")
    manifest = b.manifest(lines)
    planned = b.upload(manifest, "--dry-run")
    assert planned.statuses() == {"total": len(expected), "planned": len(expected)}, planned.err
    assert posts(b) == 0
    done = b.upload(manifest)
    assert done.status == 0, done.err
    assert held(b) == {where: sha256(content) for where, content in expected.items()}
    stats = b.sandbox.stats()
    assert (stats["lost_values"], stats["duplicates"], stats["orphans"], stats["defects"]) == (0, 0, 0, 0)
    assert stats["most_in_flight_per_entity"] == 1
    assert stats["calls"]["PATCH /asset-families/{family}/assets"]["200"] <= 3
    assert stats["calls"]["PATCH /reference-entities/{family}/records"] == {"200": 1}
    assert posts(b) == len(expected)
    sent = posts(b)
    for options in ([], ["--skip", "remote"]):
        again = b.upload(manifest, *options)
        assert again.statuses() == {"total": len(expected), "unchanged": len(expected)}, again.err
    verified = b.run("verify", manifest)
    assert verified.status == 0, verified.err
    assert b.upload(manifest, "--verify").status == 0
    assert posts(b) == sent
    b.file("151.jpg", jpeg("changed"))
    changed = b.upload(manifest)
    assert changed.statuses()["uploaded"] == 1
    assert held(b)["asset", "photos", "there", "local", "en_US", "ecommerce"] == sha256(jpeg("changed"))


@pytest.mark.long
def test_without_a_ledger_the_pim_is_believed(bench: Bencher) -> None:
    b = bench(enterprise())
    lines = [COLUMNS]
    lines.append(row(b.file("ä b.jpg", jpeg(1)), asset_family="photos", asset="a", attribute="media"))
    lines.append(row(b.file("2.jpg", jpeg(2)), reference_entity="brand", record="acme", attribute="logo"))
    lines.append(row(b.file("3.jpg", jpeg(3)), category="master", attribute="banner"))
    lines.append(row(b.file("4.jpg", jpeg(4)), pam_asset="old"))
    manifest = b.manifest(lines)
    assert b.upload(manifest).status == 0
    again = b.upload(manifest, "--skip", "remote", "--no-state")
    assert again.statuses() == {"total": 4, "unchanged": 4}, again.err
    assert b.run("verify", manifest, "--deep", "--no-state").status == 0
    b.file("2.jpg", jpeg("other"))
    b.file("3.jpg", jpeg(3, 2500))
    verified = b.run("verify", manifest, "--deep", "--no-state")
    assert verified.kinds() == {3: "value_differs", 4: "value_differs"}


@pytest.mark.long
def test_what_cannot_go_is_told_before_anything_is_sent(bench: Bencher) -> None:
    b = bench(enterprise())
    jpg = b.file("a.jpg", jpeg(1))
    big = b.file("b.png", PNG[:8] + bytes(20_000) + PNG[-12:])
    cases = [
        (row(jpg, asset_family="photo", asset="a", attribute="media"), "target_unknown", "photos"),
        (row(jpg, asset_family="photos", asset="a", attribute="medai"), "attribute_unknown", "media"),
        (row(jpg, asset_family="photos", asset="a", attribute="title"), "attribute_not_media", "media"),
        (row(jpg, asset_family="photos", asset="a", attribute="alt"), "extension_not_allowed", "png"),
        (row(big, asset_family="photos", asset="big", attribute="alt"), "file_too_large", "10,000"),
        (row(jpg, asset_family="photos", asset="b", attribute="local", locale="en_US"), "scope_required", ""),
        (
            row(jpg, asset_family="photos", asset="a", attribute="local", locale="fr_FR", scope="mobile"),
            "locale_not_in_channel",
            "en_US",
        ),
        (row(jpg, reference_entity="brnd", record="acme", attribute="logo"), "target_unknown", "brand"),
        (row(jpg, reference_entity="brand", record="acme", attribute="image"), "attribute_unknown", "logo"),
        (row(jpg, reference_entity="brand", attribute="logo"), "target_missing", "record"),
        (row(jpg, category="nowhere", attribute="banner"), "target_unknown", "nowhere"),
        (row(jpg, category="master", attribute="hero", locale="xx_XX"), "locale_unknown", "en_US"),
        (row(jpg, pam_asset="lok"), "locale_required", "locale"),
        (row(jpg, pam_asset="missing"), "target_unknown", "missing"),
    ]  # fmt: skip
    manifest = b.manifest([COLUMNS, *(line for line, _, _ in cases)])
    done = b.upload(manifest)
    assert done.kinds() == {n: kind for n, (_, kind, _) in enumerate(cases, 2)}
    for n, (_, _, said) in enumerate(cases, 2):
        error = done.item(n)["error"]
        assert said in error["message"] + error["hint"]
    assert posts(b) == 0
    assert b.run("validate", manifest, "--online").kinds() == done.kinds()


@pytest.mark.long
def test_an_edition_without_such_places_says_so(bench: Bencher) -> None:
    b = bench(catalogue(products=3))
    jpg = b.file("a.jpg", jpeg(1))
    lines = [COLUMNS]
    lines += [row(jpg, asset_family="photos", asset=f"a{n}", attribute="media") for n in range(150)]
    lines += [row(jpg, reference_entity="brand", record="x", attribute="logo"), row(jpg, pam_asset="old")]
    lines += [row(jpg, category="master", attribute="banner"), row(jpg, product="p-1", attribute="picture")]
    done = b.upload(b.manifest(lines))
    assert done.status == 1
    assert set(done.kinds().values()) == {"route_missing"}
    assert done.statuses() == {"total": 154, "uploaded": 1, "invalid": 153}
    calls = b.sandbox.stats()["calls"]
    assert not [call for call in calls if "asset" in call or "reference" in call or "category" in call]


@pytest.mark.long
def test_a_name_that_a_convention_refuses_fails_alone(bench: Bencher) -> None:
    b = bench(enterprise())
    lines = [COLUMNS]
    for n in range(60):
        code = f"bad_{n}" if n in (7, 41) else f"ok_{n}"
        lines.append(row(b.file(f"{n}.jpg", jpeg(n)), asset_family="strict", asset=code, attribute="media"))
    done = b.upload(b.manifest(lines))
    assert done.status == 1
    assert {n for n, _ in done.kinds().items()} == {9, 43}
    assert "naming convention" in done.item(9)["error"]["message"]
    assert done.statuses() == {"total": 60, "uploaded": 58, "failed": 2}
    assert posts(b) == 60


@pytest.mark.long
def test_values_of_one_asset_are_one_line_and_a_bad_one_leaves_the_others(bench: Bencher) -> None:
    b = bench(enterprise())
    lines = [COLUMNS]
    for n in range(20):
        for attribute in ("media", "fixed"):
            file = b.file(f"{n}-{attribute}.jpg", jpeg(f"{n}{attribute}"))
            lines.append(row(file, asset_family="photos", asset=f"a_{n}", attribute=attribute))
    done = b.upload(b.manifest(lines))
    assert done.status == 0, done.err
    stats = b.sandbox.stats()
    # One at least; a worker that has nothing else to do does not wait for the others' files.
    assert stats["calls"]["PATCH /asset-families/{family}/assets"]["200"] <= 5
    assert stats["assets"] == 21
    assert len(held(b)) == 40


def test_a_user_without_the_right_to_edit_assets_is_told(bench: Bencher) -> None:
    b = bench(enterprise(connections={"main": {"edit_assets": False}}))
    lines = [COLUMNS]
    lines += photos(b, 5)
    done = b.upload(b.manifest(lines))
    assert done.status == 1
    assert set(done.kinds().values()) == {"forbidden"}


@pytest.mark.long
def test_without_preflight_rows_are_taken_at_their_word(bench: Bencher) -> None:
    b = bench(enterprise())
    lines = [COLUMNS]
    lines.append(row(b.file("1.jpg", jpeg(1)), asset_family="photos", asset="a", attribute="media"))
    lines.append(row(b.file("2.jpg", jpeg(2)), reference_entity="brand", record="x", attribute="nope"))
    lines.append(row(b.file("3.jpg", jpeg(3)), category="master", attribute="banner"))
    lines.append(
        row(b.file("4.jpg", jpeg(4)), uuid="00000000-0000-4000-8000-000000000001", attribute="picture")
    )
    done = b.upload(b.manifest(lines), "--no-preflight")
    assert done.statuses() == {"total": 4, "uploaded": 2, "failed": 1, "invalid": 1}
    assert done.item(3)["status"] == "failed"


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.long
def test_a_killed_run_attaches_what_it_had_sent(bench: Bencher, late: bool) -> None:
    b = bench(enterprise(), save_time=0.1)
    lines = [COLUMNS]
    lines += photos(b, 40)
    manifest = b.manifest(lines)
    process = b.start("upload", manifest, "--progress", "none")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        calls = log(b)
        patched = any(c["method"] == "PATCH" for c in calls)
        if patched or (not late and sum(c["endpoint"] == "/asset-media-files" for c in calls) > 15):
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = b.upload(manifest)
    assert done.status == 0, done.err
    assert len(held(b)) == 40
    # What was in flight when it died, four at most, is sent again.
    assert posts(b) <= 44
    assert b.sandbox.stats()["lost_values"] == 0


@pytest.mark.long
def test_lost_answers_and_refusals_to_answer_leave_nothing_undone(bench: Bencher) -> None:
    from akeneo_media_cli.sandbox import parse_faults

    faults = ["429=0.03", "500=0.03", "503=0.03", "reset-late=0.03", "500-late=0.02", "reset-early=0.02"]
    b = bench(enterprise(), faults=parse_faults(faults), seed=4)
    lines = [COLUMNS]
    for n in range(40):
        file = b.file(f"{n}.jpg", jpeg(n))
        lines.append(row(file, asset_family="photos", asset=f"a_{n}", attribute="media"))
        lines.append(row(file, reference_entity="brand", record=f"r_{n}", attribute="logo"))
        if n < 10:
            lines.append(row(b.file(f"c/{n}.jpg", jpeg(-n)), product=f"p-{n + 1}", attribute="picture"))
    lines.append(row(b.file("cat.jpg", jpeg("cat")), category="master", attribute="banner"))
    lines.append(row(b.file("pam.jpg", jpeg("pam")), pam_asset="old"))
    done = b.upload(b.manifest(lines), "--retries", "20")
    assert done.status == 0, done.err
    found = held(b)
    for n in range(40):
        assert found["asset", "photos", f"a_{n}", "media", None, None] == sha256(jpeg(n))
        assert found["record", "brand", f"r_{n}", "logo", None, None] == sha256(jpeg(n))
    assert found["category", None, "master", "banner", None, None] == sha256(jpeg("cat"))
    assert b.sandbox.stats()["lost_values"] == 0
