"""`missing`: which values are empty, by the PIM's own filter."""

from __future__ import annotations

import pytest

from .conftest import Bencher, jpeg


@pytest.mark.long
def test_it_lists_the_empty_values_of_products_and_models(bench: Bencher) -> None:
    b = bench()
    picture = b.file("a.jpg", jpeg(1))
    lines = ["product,product_model,attribute,file", f"p-3,,picture,{picture}", f",m-1,picture,{picture}"]
    assert b.upload(b.manifest(lines)).status == 0
    done = b.run("missing", "--attribute", "picture", "-o", "todo.csv", report=False)
    assert done.status == 0, done.err
    rows = (b.folder / "todo.csv").read_text("utf-8").splitlines()
    assert rows[0] == "product,product_uuid,product_model,attribute,locale,scope,file"
    named = {line.split(",")[0] for line in rows[1:]}
    assert named == {f"p-{n}" for n in range(1, 201)} - {"p-3"}, "a variant's picture is its model's"
    assert "199" in done.err
    calls = b.sandbox.stats()["calls"]["GET /products"]["200"]
    assert calls <= 6, "a hundred in a call"


def test_all_families_of_a_page_are_asked_for_at_once(bench: Bencher) -> None:
    attributes = [
        {"code": "sku", "type": "pim_catalog_identifier"},
        {"code": "a", "type": "pim_catalog_image"},
    ]
    b = bench(
        {
            "attributes": attributes,
            "families": [{"code": f"f-{n}", "attributes": ["sku", *(["a"] * (n % 2))]} for n in range(40)],
            "products": [{"identifier": f"p-{n}", "family": f"f-{n % 40}"} for n in range(150)],
        }
    )
    done = b.run("missing", report=False)
    assert len(done.out.splitlines()) == 76
    calls = b.sandbox.stats()["calls"]
    assert calls["GET /families"] == {"200": 1}
    assert not [path for path in calls if path.startswith("GET /families/")], calls


@pytest.mark.long
def test_levels_channels_and_families_narrow_it(bench: Bencher) -> None:
    b = bench()
    shot = b.run("missing", "--attribute", "shot", "--products", report=False)
    named = {line.split(",")[0] for line in shot.out.splitlines()[1:]}
    assert named >= {f"v-{n}" for n in range(1, 21)}
    manual = b.run("missing", "--attribute", "manual", "--models", "--locale", "fr_FR", report=False)
    assert [line.split(",")[2:6] for line in manual.out.splitlines()[1:]] == [
        ["m-1", "manual", "fr_FR", "ecommerce"]
    ]
    stray = b.run("missing", "--attribute", "stray", report=False)
    assert (stray.status, stray.out.splitlines()[1:]) == (0, []), "no family has it"
    wrong = b.run("missing", "--attribute", "pictur", report=False)
    assert wrong.status == 2
    assert "picture" in wrong.err


@pytest.mark.long
def test_a_folder_fills_what_is_missing_and_the_rest_is_told(bench: Bencher) -> None:
    b = bench()
    for name in (
        "p-1.jpg",
        "p-2_front.jpg",
        "P-3/a.jpg",
        "p-4.jpg",
        "p-4_back.jpg",
        "p-5_a.jpg",
        "p-5_b.jpg",
    ):
        b.file(f"shots/{name}", jpeg(name))
    b.file("shots/p-99999.jpg", jpeg(9))
    todo = ["missing", "--attribute", "picture", "--products", "-o", "todo.xlsx"]
    assert b.run(*todo, report=False).status == 0
    done = b.run("scan", "shots", "--for", "todo.xlsx", "-o", "ready.xlsx", report=False)
    assert done.status == 1, done.err
    assert "p-5 picture: 2 files fit" in done.err
    assert "p-10 picture: no file" in done.err
    assert "196 rows without a file" in done.err
    run = b.upload("ready.xlsx")
    assert run.statuses() == {"total": 4, "uploaded": 4}
    assert {item["target"]["identifier"]: item["file"] for item in run.report["items"]} == {
        "p-1": "shots/p-1.jpg", "p-2": "shots/p-2_front.jpg", "p-3": "shots/P-3/a.jpg",
        "p-4": "shots/p-4.jpg",
    }  # fmt: skip


def test_a_spreadsheet_needs_a_file(bench: Bencher) -> None:
    done = bench().run("missing", "--format", "xlsx", report=False)
    assert done.status == 2
    assert "-o FILE.xlsx" in done.err


def test_files_may_be_named_by_another_column(bench: Bencher) -> None:
    b = bench()
    b.file("shots/4006381333931_a.jpg", jpeg(1))
    b.manifest(["sku,attribute,EAN,file", "p-1,picture,4006381333931,", "p-2,picture,,"], "todo.csv")
    done = b.run("scan", "shots", "--for", "todo.csv", "--match", "ean", "-o", "ready.csv", report=False)
    assert done.status == 1
    assert "p-2 picture: EAN is empty" in done.err
    assert (b.folder / "ready.csv").read_text("utf-8").splitlines() == [
        "product,product_uuid,product_model,attribute,locale,scope,file,EAN",
        "p-1,,,picture,,,shots/4006381333931_a.jpg,4006381333931",
    ]
    wrong = b.run("scan", "shots", "--for", "todo.csv", "--match", "gtin", report=False)
    assert wrong.status == 2
    assert "ean" in wrong.err
