"""The page at `/`: everything that arrived, whatever it is called, and nothing that a browser would run."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from akeneo_media_cli.sandbox import Need, RunningSandbox, SandboxOptions, invent, start_sandbox
from akeneo_media_cli.sandbox.admin.page import PER_PAGE

from ..client import JPG, PDF, Client

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;"
FAST = SandboxOptions(save_time=0.0)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def page(sandbox: RunningSandbox, path: str = "/") -> str:
    answer = requests.get(sandbox.url + path, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return answer.text


def test_an_empty_sandbox_says_so() -> None:
    with start_sandbox() as sandbox:
        text = page(sandbox)
    assert "Nothing has arrived yet." in text
    assert "no PIM" in text


def test_what_arrived_is_shown_with_its_picture() -> None:
    needs = [
        Need("product", "sku-1", "", "picture", "en_US", "web", "jpg"),
        Need("product_model", "m-1", "", "notice", None, None, "pdf"),
        Need("record", "acme", "brands", "logo", None, None, "jpg"),
    ]
    with start_sandbox(invent(needs), options=FAST) as sandbox, Client(sandbox) as client:
        client.upload("sku-1", name="front.jpg", locale="en_US", scope="web")
        client.upload("m-1", "notice", "notice", PDF * 1000, kind="product_model")
        answer = client.send("/reference-entities-media-files", {}, "l.jpg")
        code = answer.headers["Reference-entities-media-file-code"]
        values = {"logo": [{"locale": None, "channel": None, "data": code}]}
        client.patch("/reference-entities/brands/records", [{"code": "acme", "values": values}])
        text = page(sandbox)
        parts = ["sku-1", "m-1", "acme", "Record in brands", "front.jpg", "picture · web · en_US", "15.0 kB"]
        parts += ["Product (1)", "Product model (1)", "application/pdf", "<span>file</span>", " UTC"]
        for part in parts:
            assert part in text, part
        (picture,) = [s for s in re.findall(r'<img src="([^"]+)"', text) if "front" in s]
        answer = requests.get(sandbox.url + html.unescape(picture), timeout=10)
        assert answer.content == JPG
        assert "attachment" not in answer.headers.get("Content-Disposition", "")
        (link,) = [s for s in re.findall(r'href="(/_sandbox/media/[^"]+)"', text) if "notice" in s]
        answer = requests.get(sandbox.url + link, timeout=10)
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        only = page(sandbox, "/?type=product_model")
        assert "notice" in only
        assert "front.jpg" not in only
        assert requests.get(f"{sandbox.url}/_sandbox/media/a/b/no.jpg", timeout=10).status_code == 404


def test_hostile_names_are_shown_as_they_are_and_do_nothing() -> None:
    with start_sandbox(
        invent([Need("product", HOSTILE, "", "a", None, None, "jpg")]), options=FAST
    ) as sandbox:
        with Client(sandbox) as client:
            assert client.upload(HOSTILE, "a", HOSTILE.replace("/", "") + ".svg", b"<svg onload=alert(1)>").ok
        text = page(sandbox)
        assert "<script" not in text
        assert "<img src=x" not in text
        assert html.escape(HOSTILE) in text
        link = re.findall(r'href="(/_sandbox/media/[^"]+)"', text)[0]
        answer = requests.get(sandbox.url + link, timeout=10)
        assert answer.headers["Content-Disposition"] == "attachment"
        for query in ("/?page=-1", "/?page=99999999999999", "/?page=x", "/?type=<script>", "/?page=²"):
            assert "<script" not in page(sandbox, query)


def test_thousands_are_paged_newest_first_and_losses_are_told() -> None:
    count = PER_PAGE * 12 + 1
    needs = [Need("product", f"p{n:05}", "", "picture", None, None, "jpg") for n in range(count)]
    with start_sandbox(invent(needs), options=FAST) as sandbox, Client(sandbox) as client:
        code = client.upload("p00000").headers["Location"].partition("/media-files/")[2]
        value = {"picture": [{"locale": None, "scope": None, "data": code}]}
        for start in range(1, count, 100):
            lines = [
                {"identifier": f"p{n:05}", "values": value} for n in range(start, min(start + 100, count))
            ]
            assert client.patch_lines("/products", *lines).ok
        seen = [
            name for n in range(1, 14) for name in re.findall(r"<h2>(\S+) ", page(sandbox, f"/?page={n}"))
        ]
        assert sorted(seen) == [f"p{n:05}" for n in range(count)]
        assert seen[-1] == "p00000"
        assert page(sandbox, "/?page=14") == page(sandbox, "/?page=13")
        assert page(sandbox, "/?type=product&page=7").count("<b>") == 2
        client.upload("p00000")
        assert "1 sent twice" in page(sandbox)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_chromium_shows_the_pictures_and_runs_nothing(tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    picture = tmp_path / "p.png"
    pillow.new("RGB", (40, 40), (10, 200, 30)).save(picture)
    assert CHROMIUM is not None
    with start_sandbox(
        invent([Need("product", HOSTILE, "", "a", None, None, "png")]), options=FAST
    ) as sandbox:
        with Client(sandbox) as client:
            assert client.upload(HOSTILE, "a", "x.png", picture.read_bytes()).ok
        shot = tmp_path / "shot.png"
        subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={tmp_path / 'profile'}", "--window-size=800,600", "--hide-scrollbars",
             f"--screenshot={shot}", sandbox.url],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        log = requests.get(f"{sandbox.url}/_sandbox/stats", timeout=10).json()
    colours = pillow.open(shot).convert("RGB").getcolors(800 * 600)
    green = sum(n for n, colour in colours if colour == (10, 200, 30))
    assert green > 1000, "the picture was loaded and shown"
    assert log["defects"] == 0
