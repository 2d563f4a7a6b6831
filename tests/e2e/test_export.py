"""`akeneo-media export`, and the way from one PIM to another: export, download, upload."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from akeneo_media_cli.sandbox import parse_faults

from .conftest import PNG, Bench, Bencher, catalogue, jpeg
from .test_uuid import U, mixed

Held = dict[tuple[str, str, str, str | None, str | None], tuple[str, str]]


def values(b: Bench) -> Held:
    """Every value with the digest of its bytes and the name that the PIM shows."""
    return {
        (v["type"], v["identifier"] or v["code"], v["attribute"], v["locale"], v["scope"]): (
            v["sha256"],
            v["original_filename"],
        )
        for v in b.sandbox.values()
    }


def rows(b: Bench, name: str = "out.csv") -> list[dict[str, str]]:
    with (b.folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def filled(b: Bench) -> None:
    """Values of every sort: simple, localizable and scopable, of models and of variants."""
    lines = ["product,product_model,attribute,locale,scope,file,filename"]

    def row(target: str, place: str, content: bytes, name: str, shown: str = "") -> None:
        lines.append(f"{target},{place},{b.file(f'in/{len(lines)}/{name}', content)},{shown}")

    for n in range(1, 11):
        row(f"p-{n},", "picture,,", jpeg(n), "front.jpg")
    row("p-1,", "manual,en_US,ecommerce", b"%PDF-1.4 en\n%%EOF\n", "manual.pdf")
    row("p-1,", "manual,fr_FR,ecommerce", b"%PDF-1.4 fr\n%%EOF\n", "manual.pdf")
    row("p-1,", "manual,en_US,mobile", b"%PDF-1.4 mobile\n%%EOF\n", "manual.pdf")
    row("p-2,", "label,fr_FR,", jpeg("label"), "label.jpg", "\u00c9tiquette \u4e2d: a?.jpg")
    row("p-2,", "shop,,mobile", PNG, "shop.png")
    row(",m-1", "picture,,", jpeg("model"), "model.jpg")
    row("v-1,", "shot,,", jpeg("variant"), "variant.jpg")
    row("v-2,", "shot,,", jpeg("variant 2"), "variant.jpg")
    done = b.upload(b.manifest(lines), "--no-state")
    assert done.status == 0, done.err


def test_a_manifest_of_what_the_pim_holds(bench: Bencher) -> None:
    b = bench()
    filled(b)
    done = b.run("export", "--attribute", "picture", "--attribute", "shot", "-o", "out.csv", report=False)
    assert done.status == 0, done.err
    assert done.out == ""
    found = {(r["product"] or r["product_model"], r["attribute"], r["file"], r["filename"]) for r in rows(b)}
    assert found == {
        *((f"p-{n}", "picture", f"media/p-{n}/picture/front.jpg", "") for n in range(1, 11)),
        ("m-1", "picture", "media/models/m-1/picture/model.jpg", ""),
        ("v-1", "shot", "media/v-1/shot/variant.jpg", ""),
        ("v-2", "shot", "media/v-2/shot/variant.jpg", ""),
    }, "a variant does not give its model's picture"
    assert "13 files" in done.err


@pytest.mark.long
def test_locales_scopes_kinds_and_names(bench: Bencher) -> None:
    b = bench()
    filled(b)

    def files(*arguments: str) -> set[str]:
        done = b.run("export", "-o", "out.csv", *arguments, report=False)
        assert done.status == 0, done.err
        return {row["file"].removeprefix("media/") for row in rows(b)}

    manuals = {
        "p-1/manual-en_US-ecommerce/manual.pdf",
        "p-1/manual-fr_FR-ecommerce/manual.pdf",
        "p-1/manual-en_US-mobile/manual.pdf",
    }
    assert files("--attribute", "MANUAL") == manuals
    assert files("--attribute", "manual", "--locale", "en_us", "--scope", "ecommerce") == {
        "p-1/manual-en_US-ecommerce/manual.pdf"
    }
    everything = files()
    assert manuals < everything
    assert len(everything) == 18
    assert files("--models") == {"models/m-1/picture/model.jpg"}
    assert everything - files("--products") == {"models/m-1/picture/model.jpg"}
    # The place of a file is safe anywhere; what the PIM called it is a column of its own.
    files("--attribute", "label")
    (row,) = rows(b)
    assert row["file"] == "media/p-2/label-fr_FR/\u00c9tiquette \u4e2d_ a_.jpg"
    assert row["filename"] == "\u00c9tiquette \u4e2d: a?.jpg"
    calls = b.sandbox.stats()["calls"]["GET /media-files/{code}"]
    files("--attribute", "label", "--no-names")
    assert b.sandbox.stats()["calls"]["GET /media-files/{code}"] == calls
    (row,) = rows(b)
    assert row["file"] == "media/p-2/label-fr_FR/__tiquette______a_.jpg"


@pytest.mark.long
def test_all_formats_say_the_same(bench: Bencher) -> None:
    b = bench()
    filled(b)
    done = b.run("export", "--no-names", "--attribute", "manual", report=False)
    as_csv = [{k: v for k, v in r.items() if v} for r in csv.DictReader(done.out.splitlines())]
    assert len(as_csv) == 3
    for name in ("out.yaml", "out.json", "out.jsonl"):
        assert b.run("export", "--no-names", "--attribute", "manual", "-o", name, report=False).status == 0
    assert yaml.safe_load((b.folder / "out.yaml").read_text("utf-8")) == as_csv
    assert json.loads((b.folder / "out.json").read_text("utf-8")) == as_csv
    assert [json.loads(x) for x in (b.folder / "out.jsonl").read_text("utf-8").splitlines()] == as_csv


@pytest.mark.long
def test_products_past_every_offset_are_found_by_cursor(bench: Bencher) -> None:
    b = bench(catalogue(450))
    filled(b)
    done = b.run(
        "export", "--attribute", "picture", "--family", "shoes", "--no-names", "-o", "out.csv", report=False
    )
    assert done.status == 0, done.err
    assert len(rows(b)) == 11
    # 450 products and 20 variants, a hundred a page.
    assert b.sandbox.stats()["calls"]["GET /products"]["200"] >= 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--attribute", "pictur"), "Did you mean picture", marks=pytest.mark.long),
        pytest.param(("--attribute", "name"), "not an image or a file", marks=pytest.mark.long),
        pytest.param(("--family", "boots"), "no such family", marks=pytest.mark.long),
        (("-o", "out.pdf"), "file extension"),
        (("-o", "no/such/folder/out.csv"), "cannot be written"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage(bench: Bencher, arguments: tuple[str, ...], said: str) -> None:
    b = bench()
    done = b.run("export", *arguments, report=False)
    assert done.status == 2
    assert said in done.err
    assert done.out == ""
    assert list(b.folder.iterdir()) == []


@pytest.mark.long
def test_trouble_is_outlived_and_an_end_leaves_no_half_manifest(bench: Bencher) -> None:
    b = bench(seed=5, retry_after=0)
    filled(b)
    assert b.run("export", "-o", "calm.csv", report=False).status == 0
    faults = parse_faults(["429=2x", "503-html=1x@/products", "502=1x@media-files"])
    b.sandbox.inside(lambda: setattr(b.sandbox.store.options, "faults", faults))
    done = b.run("export", "-o", "out.csv", "--retries", "30", report=False)
    assert done.status == 0, done.err
    assert (b.folder / "out.csv").read_bytes() == (b.folder / "calm.csv").read_bytes()
    b.sandbox.inside(lambda: setattr(b.sandbox.store.options, "faults", parse_faults(["503-html"])))
    (b.folder / "out.csv").write_text("as it was")
    done = b.run("export", "-o", "out.csv", "--retries", "0", report=False)
    assert done.status == 5
    assert (b.folder / "out.csv").read_text() == "as it was"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_leaves_no_half_manifest(bench: Bencher, number: int, status: int) -> None:
    b = bench(latency=0.3)
    running = b.start("export", "--attribute", "picture", "-o", "out.csv", "-vv")
    assert running.stderr is not None
    for line in running.stderr:
        if "/products" in line or "/product-models" in line:
            break
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert running.returncode == status
    assert "Traceback" not in err
    assert list(b.folder.iterdir()) == []


@pytest.mark.long
def test_a_user_who_may_not_read_products(bench: Bencher) -> None:
    b = bench(catalogue(3, connections={"main": {}, "blind": {"list_products": False}}))
    who = b.sandbox.connections["blind"].as_dict()
    environ = {f"AKENEO_{k.upper()}": v for k, v in who.items()}
    done = b.run("export", "-o", "out.csv", env=environ, report=False)
    assert done.status == 4
    assert list(b.folder.iterdir()) == []


def moved(b: Bench, there: Bench, *arguments: str) -> Any:
    """Take everything from one PIM to another: export, download, upload."""
    done = b.run("export", *arguments, "-o", "out.csv", report=False)
    assert done.status == 0, done.err
    done = b.run("download", "out.csv")
    assert done.status == 0, done.err
    done = there.run("upload", str(b.folder / "out.csv"))
    assert done.status == 0, done.err
    return done


@pytest.mark.long
def test_a_round_trip_is_exact(bench: Bencher) -> None:
    b, there = bench(), bench()
    filled(b)
    moved(b, there)
    assert values(there) == values(b)
    assert len(values(b)) == 18
    again = there.run("verify", "--deep", str(b.folder / "out.csv"))
    assert again.status == 0, again.err


CODES = [
    "a/b",
    "..",
    "SKU 1; x",
    "\u00e9t\u00e9 \u4e2d",
    "con",
    "models",
    ".hidden",
    "100%",
    'q"e',
    "x" * 200,
]
NAMES = ["con.jpg", ".x.jpg", 'a"b.jpg', "a<b>.jpg", "\u202egpj.jpg", *["front.jpg"] * 5]


@pytest.mark.long
def test_a_round_trip_of_codes_and_names_that_no_file_may_have(bench: Bencher) -> None:
    products = [{"identifier": code, "family": "shoes"} for code in CODES]
    both = {**catalogue(), "products": products}
    b, there = bench(both), bench(both)
    lines = [
        {"product": code, "attribute": "picture", "file": b.file(f"in/{n}.jpg", jpeg(n)), "filename": name}
        for n, (code, name) in enumerate(zip(CODES, NAMES, strict=True))
    ]
    (b.folder / "in.json").write_text(json.dumps(lines))
    done = b.upload("in.json", "--no-state")
    assert done.status == 0, done.err
    moved(b, there)
    assert values(there) == values(b)
    assert len(values(b)) == len(CODES)
    made = {path.relative_to(b.folder).parts[0] for path in b.folder.rglob("*") if path.is_file()}
    assert made == {"in", "in.json", "out.csv", "media", "report.json"}
    parts = [part for path in (b.folder / "media").rglob("*") for part in path.relative_to(b.folder).parts]
    assert not [part for part in parts if part[0] == "." or part.lower() == "con"]


@pytest.mark.long
def test_products_named_by_uuid(bench: Bencher) -> None:
    b = bench()
    b.file("a.jpg", jpeg("a"))
    assert b.upload(b.manifest(["product,attribute,file", "p-1,picture,a.jpg"]), "--no-state").status == 0
    done = b.run("export", "--products", "--by-uuid", "--attribute", "picture", "-o", "out.csv", report=False)
    assert done.status == 0, done.err
    (row,) = rows(b)
    uuid = row["product_uuid"]
    assert len(uuid) == 36
    assert row["file"] == f"media/{uuid}/picture/a.jpg"
    assert "product" not in row


def test_values_of_products_without_identifier_are_counted_as_left_out(bench: Bencher) -> None:
    b = bench(mixed())
    lines = ["product,product_uuid,attribute,file"]
    lines += [f"p-{n},,picture,{b.file(f'{n}.jpg', jpeg(n))}" for n in range(1, 4)]
    lines += [f",{U.format(n)},picture,{b.file('1.jpg', jpeg(1))}" for n in range(1, 3)]
    assert b.upload(b.manifest(lines), "--no-state").status == 0
    done = b.run("export", "-o", "out.csv", report=False)
    assert done.status == 1
    assert "2 values of products without identifier left out" in done.err
    assert "--by-uuid" in done.err
    assert [r["product"] for r in rows(b)] == ["p-1", "p-2", "p-3"]
    whole = b.run("export", "-o", "out.csv", "--by-uuid", report=False)
    assert whole.status == 0, whole.err
    assert len(rows(b)) == 5


def test_nothing_there_is_an_empty_manifest(bench: Bencher) -> None:
    b = bench()
    done = b.run("export", "--attribute", "picture", "-o", "out.csv", report=False)
    assert done.status == 0
    assert rows(b) == []
    assert b.run("download", "out.csv").status == 0
    assert not Path(b.folder / "media").exists()


@pytest.mark.long
def test_every_command_of_the_page_does_what_it_says(bench: Bencher) -> None:
    b, there = bench(), bench()
    lines = ["product,attribute,file"]
    lines += [f"p-{n},picture,{b.file(f'front-{n}.jpg', jpeg(n))}" for n in range(1, 6)]
    assert b.upload(b.manifest(lines), "--no-state").status == 0
    other = [f"{name}={value}" for name, value in there.environ.items() if name.startswith("AKENEO_")]
    (b.folder / "other-pim.env").write_text("\n".join(other))
    page = (Path(__file__).parents[2] / "docs" / "media.md").read_text("utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    assert len(commands) == 9
    credentials = {name for name in b.environ if name.startswith("AKENEO_")}
    for command in commands:
        environ = {**b.environ, "PATH": f"{Path(b.command[0]).parent}:{os.environ['PATH']}"}
        if "--env-file" in command:
            # The environment goes before a file: here only the file is to speak.
            environ = {name: value for name, value in environ.items() if name not in credentials}
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=b.folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout or "media list" not in command or "download" in command, command
    assert {path.name for path in (b.folder / "pictures").iterdir()} == {
        f"front-{n}.jpg" for n in range(1, 6)
    }
    assert values(there) == values(b)


@pytest.mark.long
def test_names_that_cannot_be_had_are_taken_from_the_codes(bench: Bencher) -> None:
    b = bench()
    b.file("front 1.jpg", jpeg(1))
    assert (
        b.upload(b.manifest(["product,attribute,file", "p-1,picture,front 1.jpg"]), "--no-state").status == 0
    )
    faults = parse_faults(["403-html=100x@media-files"])
    b.sandbox.inside(lambda: setattr(b.sandbox.store.options, "faults", faults))
    done = b.run("export", "--attribute", "picture", "-o", "out.csv", report=False)
    assert done.status == 0, done.err
    assert [row["file"] for row in rows(b)] == ["media/p-1/picture/front_1.jpg"]
    assert "Its name is taken from the code." in done.err


@pytest.mark.long
def test_a_catalogue_without_media(bench: Bencher) -> None:
    b = bench({"attributes": [{"code": "sku", "type": "pim_catalog_identifier"}]})
    done = b.run("export", "-o", "out.csv", report=False)
    assert done.status == 2
    assert "no image or file attribute" in done.err
