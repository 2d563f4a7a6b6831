"""Links in place of files, from the installed command's side."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..pim.server import Reply, Request, Server
from ..storage.links.hosts import File, Host
from .conftest import Bencher, jpeg, sha256
from .test_places import COLUMNS, enterprise, row

JPEG_HEAD = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
ALLOW = ("--allow-remote", "--remote-host", "127.0.0.1")


@contextmanager
def host(files: dict[str, File]) -> Iterator[tuple[Host, str]]:
    served = Host({f"/{name}": file for name, file in files.items()})
    with Server(served) as server:
        yield served, server.url


def rows(*lines: str) -> list[str]:
    return ["product,attribute,file", *lines]


@pytest.mark.long
def test_links_go_up_as_files_do_and_only_once(bench: Bencher) -> None:
    b = bench()
    files = {
        "a.jpg": File(jpeg(1), etag='"1"'),
        "b.jpg": File(jpeg(2), changed="Wed, 21 Oct 2026 07:28:00 GMT"),
        "c.jpg": File(jpeg(3), length=False, ranges=False),
        "d.jpg": File(jpeg(4, 300_000), packed=True),
    }
    with host(files) as (there, url):
        m = b.manifest(rows(*(f"p-{n},picture,{url}/{name}" for n, name in enumerate(files, 1))))
        done = b.upload(m, *ALLOW)
        assert done.statuses() == {"total": 4, "uploaded": 4}, done.err
        held = b.held()
        for n, file in enumerate(files.values(), 1):
            assert held[f"p-{n}", "picture", None, None]["sha256"] == sha256(file.content)
            item = done.item(n + 1)
            assert (item["size"], item["sha256"]) == (len(file.content), sha256(file.content))
            assert item["name"] == f"{'abcd'[n - 1]}.jpg"
        # A second run looks, and reads again only what tells nothing of its changes.
        there.wanted.clear()
        done = b.upload(m, *ALLOW)
        assert done.statuses() == {"total": 4, "unchanged": 4}
        assert [there.times(f"/{name}") for name in files] == [1, 1, 2, 2]
        files["a.jpg"].etag = '"2"'
        files["b.jpg"].content = jpeg(5)
        files["b.jpg"].changed = "Wed, 21 Oct 2026 07:29:00 GMT"
        done = b.upload(m, *ALLOW)
        assert done.statuses() == {"total": 4, "uploaded": 1, "unchanged": 3}
        assert b.held()["p-2", "picture", None, None]["sha256"] == sha256(jpeg(5))
        there.wanted.clear()
        # The other tag of the same bytes is known by now.
        assert b.upload(m, *ALLOW).statuses() == {"total": 4, "unchanged": 4}
        assert there.times("/a.jpg") == 1


@pytest.mark.long
def test_another_file_of_the_same_time_and_size_is_no_old_one(bench: Bencher) -> None:
    b = bench()
    when = "Wed, 21 Oct 2026 07:28:00 GMT"
    names = {n: (f"a.jpg?file={n * 20}", f"a.jpg?v={n}") for n in "ABC"}
    files = {name: File(jpeg(int(n != "A")), changed=when) for n, each in names.items() for name in each}
    with host(files) as (there, url):

        def uploaded(n: str, *arguments: str) -> dict[str, int]:
            there.wanted.clear()
            m = b.manifest(rows(*(f"p-{p},picture,{url}/{name}" for p, name in enumerate(names[n], 1))))
            done = b.upload(m, *ALLOW, "--no-share", *arguments)
            assert "AAAAAAAA" not in json.dumps(done.report)
            return done.statuses()

        assert uploaded("A") == {"total": 2, "uploaded": 2}
        # What a link hides is new every night: its bytes tell. What it shows is its own.
        assert uploaded("A") == {"total": 2, "unchanged": 2}
        assert [there.times(f"/{name}") for name in names["A"]] == [2, 1]
        assert uploaded("B") == {"total": 2, "uploaded": 2}
        assert {v["sha256"] for v in b.held().values()} == {sha256(jpeg(1))}
        assert uploaded("C") == {"total": 2, "unchanged": 2}
        assert uploaded("A", "--skip", "remote") == {"total": 2, "uploaded": 2}


@pytest.mark.long
def test_nothing_is_followed_unless_it_is_allowed(bench: Bencher) -> None:
    b = bench()
    with host({"a.jpg": File(jpeg(1))}) as (there, url):
        m = b.manifest(
            rows(
                f"p-1,picture,{url}/a.jpg",
                "p-2,picture,http://169.254.169.254/latest/meta-data/a.jpg",
                "p-3,picture,https://elsewhere.example/a.jpg",
                "p-4,picture,ftp://me:hidden@h.example/a.jpg",
                "p-5,picture,s3://bucket/a.jpg",
            )
        )
        done = b.upload(m)
        assert (done.status, done.statuses()) == (1, {"total": 5, "invalid": 5})
        assert set(done.kinds().values()) == {"link_refused"}
        assert "--allow-remote" in done.item(2)["error"]["hint"]
        done = b.upload(m, "--allow-remote")
        assert (done.status, done.kinds()[2]) == (1, "link_refused")
        assert "not public" in done.item(2)["error"]["message"]
        assert "not public" in done.item(3)["error"]["message"]
        assert "elsewhere.example are not allowed" in done.item(4)["error"]["message"]
        assert "hidden" not in json.dumps(done.report) + done.err
        assert not there.wanted
        done = b.upload(m, *ALLOW)
        assert done.item(2)["status"] == "uploaded"
        done = b.upload(m, "--remote-host", "https://h/")
        assert (done.status, "is not a host" in done.err) == (2, True)
        done = b.upload(m, "--max-temp", "much")
        assert (done.status, "is not a number of bytes" in done.err) == (2, True)


@pytest.mark.long
def test_secrets_of_links_are_nowhere_to_be_seen(bench: Bencher) -> None:
    b = bench()
    files = {
        "a.jpg?sig=zq9secret-one": File(jpeg(1)),
        "a.jpg?sig=zq9secret-two": File(jpeg(2)),
        "a.jpg?sig=zq9secret-late": File(status=403),
        "a.jpg?sig=zq9secret-busy": File(status=503),
    }
    reports = [f"r.{kind}" for kind in ("json", "jsonl", "csv", "xml", "md", "html")]
    for progress in ("plain", "json"):
        state = f"{progress}.sqlite"
        with host(files) as (there, url):
            m = b.manifest(rows(*(f"p-{n},picture,{url}/{name}" for n, name in enumerate(files, 1))))
            done = b.run(
                "upload", m, *ALLOW, "--force", "--retries", "1", "-vv", "--log-file", "log.txt",
                "--state", state, "--progress", progress,
                *(word for r in reports for word in ("--report", r)),
            )  # fmt: skip
            assert there.times("/a.jpg?sig=zq9secret-two") == 2
        assert done.statuses() == {"total": 4, "uploaded": 2, "invalid": 1, "failed": 1}
        assert [i["file"] for i in done.report["items"]] == [f"{url}/a.jpg?sig=***"] * 4
        # Two links that look the same are two files.
        held = b.held()
        assert held["p-1", "picture", None, None]["sha256"] == sha256(jpeg(1))
        assert held["p-2", "picture", None, None]["sha256"] == sha256(jpeg(2))
        left = {p: p.read_bytes() for p in b.folder.iterdir() if p.is_file() and p.name != m}
        assert len(left) >= len(reports) + 2
        for path, content in left.items():
            assert b"zq9secret" not in content, path
        assert "zq9secret" not in done.err + done.out
        shown = b.run("runs", "show", "last", "--state", state, report=False)
        assert "a.jpg?sig=***" in shown.out
        # What is secret went with the process: the row cannot be tried from the ledger.
        again = b.run("runs", "retry", "last", *ALLOW, "--state", state)
        assert again.status == 1
        assert {i["error"]["kind"] for i in again.report["items"]} == {"link_refused"}
        assert "Run the manifest again" in again.report["items"][0]["error"]["hint"]


@pytest.mark.long
def test_what_is_mistyped_keeps_its_secrets_too(bench: Bencher) -> None:
    b = bench()
    secret = "h.example/a.jpg?X-Amz-Signature=zq9secret"
    mistyped = [f" https://{secret}", f"\u200bhttps://{secret}", f"https ://{secret}", f"http:/{secret}",
                f"//{secret}", f"<http://{secret}>", f'"http://{secret}"', f"url:http://{secret}",
                "http://user:11/zq9secret@h.example/a.jpg"]  # fmt: skip
    rows_ = [{"product": f"p-{n}", "attribute": "picture", "file": t} for n, t in enumerate(mistyped, 1)]
    rows_.append(
        {"product": "p-20", "attribute": "picture", "file": "a.jpg", "filename": f"https://{secret}"}
    )
    (b.folder / "m.json").write_text(json.dumps(rows_))
    (b.folder / "n.csv").write_text("product,attribute\np-21,picture\n")
    with zipfile.ZipFile(b.folder / "cells.zip", "w") as archive:
        archive.writestr("sub/products.csv", f"sku;picture\np-22;https://{secret}\n")
    reports = [f"r.{kind}" for kind in ("json", "jsonl", "csv", "xml", "md", "html")]
    for progress in ("plain", "json"):
        state = f"{progress}.sqlite"
        told = ("-vv", "--log-file", "log.txt", "--state", state, "--progress", progress, *ALLOW,
                *(word for r in reports for word in ("--report", r)))  # fmt: skip
        from_set = f"file=https://h.example/{{season}}.jpg?X-Amz-Signature=zq9secret&n={progress}"
        done = b.upload("m.json", "n.csv", *told, "--set", from_set)
        assert done.status == 1
        assert set(done.statuses()) == {"total", "invalid"}, done.err
        assert "https://h.example/{season}.jpg?***" in done.report["items"][-1]["error"]["message"]
        assert {i["error"]["kind"] for i in done.report["items"][:8]} == {"link_refused"}
        zipped = b.upload("cells.zip", "--format", "akeneo", "--columns", "picture", *told)
        assert zipped.kinds() == {2: "link_refused"}, zipped.err
        left = {p: p.read_bytes() for p in b.folder.iterdir() if p.name not in ("m.json", "cells.zip")}
        assert len(left) >= len(reports) + 2
        for path, content in left.items():
            assert b"zq9secret" not in content, path
        assert "zq9secret" not in done.err + done.out + zipped.err + zipped.out
    # Mistakes in options are told before there is a report.
    for option in (f"https://{secret}", f"file=https://{{}}{secret}"):
        wrong = b.upload("n.csv", "--set", option)
        assert (wrong.status, "zq9secret" in wrong.err, "***" in wrong.err) == (2, False, True), wrong.err


@pytest.mark.long
def test_one_link_for_many_variants_is_fetched_and_sent_once(bench: Bencher) -> None:
    b = bench()
    with host({"a.jpg": File(jpeg(1), etag='"1"')}) as (there, url):
        m = b.manifest(rows(*(f"v-{n},shot,{url}/a.jpg" for n in range(1, 21))))
        done = b.upload(m, *ALLOW)
        assert done.statuses() == {"total": 20, "uploaded": 20}, done.err
        assert b.sandbox.stats()["calls"]["POST /media-files"] == {"201": 1}
        assert there.times("/a.jpg") == 2
        assert {v["sha256"] for v in b.held().values()} == {sha256(jpeg(1))}
        assert b.upload(m, *ALLOW).statuses() == {"total": 20, "unchanged": 20}


@pytest.mark.long
def test_links_go_to_every_kind_of_place(bench: Bencher) -> None:
    uuid = "00000000-0000-4000-8000-000000000001"
    catalog = enterprise()
    catalog["products"].append({"uuid": uuid, "family": "shoes"})
    b = bench(catalog)
    places = [
        {"product": "p-1", "attribute": "picture"},
        {"product_model": "m-1", "attribute": "picture"},
        {"uuid": uuid, "attribute": "picture"},
        {"asset_family": "photos", "asset": "new", "attribute": "media"},
        {"reference_entity": "brand", "record": "acme", "attribute": "logo"},
        {"category": "master", "attribute": "banner"},
        {"pam_asset": "old"},
    ]
    for how in ({"etag": '"1"'}, {"length": False, "ranges": False}):
        files = {f"{n}.jpg": File(jpeg(f"{n}{how}"), **how) for n in range(7)}  # type: ignore[arg-type]
        with host(files) as (_, url):
            cells = [row(f"{url}/{n}.jpg?token=zq9secret", **place) for n, place in enumerate(places)]
            m = b.manifest([COLUMNS, *cells])
            done = b.upload(m, *ALLOW, "--carrier", "p-2:picture")
            assert done.statuses() == {"total": 7, "uploaded": 7}, done.err
            there = {v["sha256"] for v in b.sandbox.values() if v["identifier"] != "p-2"}
            assert there == {sha256(file.content) for file in files.values()}
            assert b.upload(m, *ALLOW, "--carrier", "p-2:picture").statuses() == {"total": 7, "unchanged": 7}
            assert "zq9secret" not in json.dumps(done.report)
    assert ("p-2", "picture", None, None) not in b.held()


@pytest.mark.long
def test_trouble_with_a_source_is_the_rows_own(bench: Bencher) -> None:
    b = bench()
    turns = {"/busy.jpg": 4, "/cut.jpg": 3}
    good = Host({"/good.jpg": File(jpeg(1)), "/busy.jpg": File(jpeg(2)), "/cut.jpg": File(jpeg(3))})

    def handle(request: Request) -> Reply | None:
        if turns.get(request.path, 0) > 0:
            turns[request.path] -= 1
            return Reply(503, b"busy") if request.path == "/busy.jpg" else None
        if request.path == "/down.jpg":
            return Reply(502, b"down")
        return good(request)

    with Server(handle) as server:
        lines = [f"p-{n},picture,{server.url}/down.jpg?n={n}" for n in range(1, 31)]
        lines += [
            f"p-{n},picture,{server.url}/{name}.jpg" for n, name in ((31, "busy"), (32, "cut"), (33, "good"))
        ]
        done = b.upload(b.manifest(rows(*lines)), *ALLOW, "--retries", "4")
        assert (done.status, done.statuses()) == (1, {"total": 33, "uploaded": 3, "failed": 30}), done.err
        assert set(done.kinds().values()) == {"source_trouble"}
        error = done.item(2)["error"]
        assert (error["http_status"], "502" in error["message"], bool(error["hint"])) == (502, True, True)
        assert done.item(2)["attempts"] == 5
        # With nothing else to get through, it is still not the PIM that is down.
        only = b.manifest(rows(f"p-40,picture,{server.url}/down.jpg"), "only.csv")
        done = b.upload(only, *ALLOW, "--retries", "1")
        assert (done.status, done.statuses()) == (1, {"total": 1, "failed": 1})


@pytest.mark.long
def test_a_link_without_a_name_needs_one(bench: Bencher) -> None:
    b = bench()
    with host({"image?id=7": File(jpeg(1))}) as (_, url):
        m = b.manifest(
            [
                "product,attribute,file,filename",
                f"p-1,picture,{url}/image/?id=7,",
                f"p-2,picture,{url}/image?id=7,front.jpg",
            ]
        )
        done = b.upload(m, *ALLOW)
        assert done.kinds() == {2: "row_malformed"}
        assert "filename" in done.item(2)["error"]["hint"]
        assert b.held()["p-2", "picture", None, None]["original_filename"] == "front.jpg"


@pytest.mark.long
def test_what_a_link_leads_to_is_looked_at_first(bench: Bencher) -> None:
    b = bench()
    files = {
        "page.jpg": File(b"<!DOCTYPE html><title>Please log in</title>", type="text/html"),
        "png.jpg": File(bytes.fromhex("89504e470d0a1a0a0000000d49484452") + b"\0" * 100),
        "empty.jpg": File(b""),
        "big.jpg": File(jpeg(1, 20_000)),
        "big-chunked.jpg": File(jpeg(2, 20_000), length=False, ranges=False),
        "text.txt": File(b"text"),
    }
    with host(files) as (_, url):
        m = b.manifest(rows(*(f"p-{n},front,{url}/{name}" for n, name in enumerate([*files, "none.jpg"], 1))))
        done = b.upload(m, *ALLOW)
        assert done.kinds() == {
            2: "content_mismatch",
            3: "content_mismatch",
            4: "file_empty",
            5: "file_too_large",
            6: "file_too_large",
            7: "extension_not_allowed",
            8: "file_missing",
        }
        assert "web page" in done.item(2)["error"]["hint"]
        assert "POST /media-files" not in b.sandbox.stats()["calls"]


@pytest.mark.long
def test_validate_asks_no_host_unless_online(bench: Bencher) -> None:
    b = bench()
    with host({"a.jpg": File(jpeg(1)), "busy.jpg": File(status=503)}) as (there, url):
        m = b.manifest(
            rows(*(f"p-{n},picture,{url}/{name}.jpg" for n, name in ((1, "a"), (2, "b"), (3, "busy"))))
        )
        done = b.run("validate", m, *ALLOW)
        assert (done.status, done.statuses()) == (0, {"total": 3, "planned": 3})
        assert not there.wanted
        done = b.run("validate", m, *ALLOW, "--online")
        assert (done.status, done.kinds()) == (1, {3: "file_missing", 4: "source_trouble"})
        done = b.upload(m, *ALLOW, "--dry-run")
        assert (done.status, done.kinds()) == (1, {3: "file_missing", 4: "source_trouble"})
        assert done.item(2)["status"] == "planned"
        assert "POST /media-files" not in b.sandbox.stats()["calls"]


@pytest.mark.long
def test_verify_compares_with_what_links_lead_to(bench: Bencher) -> None:
    b = bench()
    files = {
        "a.jpg": File(jpeg(1), etag='"1"'),
        "b.jpg": File(jpeg(2), length=False, ranges=False),
        "c.jpg": File(jpeg(3, 3000), etag='"1"'),
    }
    with host(files) as (_, url):
        m = b.manifest(rows(*(f"p-{n},picture,{url}/{name}" for n, name in enumerate(files, 1))))
        assert b.upload(m, *ALLOW).status == 0
        for arguments in ((), ("--deep",), ("--no-state",), ("--no-state", "--deep")):
            done = b.run("verify", m, *ALLOW, *arguments)
            assert (done.status, done.report["summary"]["held"]) == (0, 3), done.err
        files["a.jpg"].content = jpeg(9)
        files["b.jpg"].content = jpeg(8)
        files["c.jpg"] = files["c.jpg"].__class__(jpeg(3, 3001), etag='"1"')
        del files["a.jpg"].etag
        # What tells nothing of its changes is read, with and without the ledger's help.
        for arguments in ((), ("--no-state", "--deep")):
            done = b.run("verify", m, *ALLOW, *arguments)
            assert done.report["summary"]["differs"] == 2
        done = b.run("verify", m)
        assert set(done.kinds().values()) == {"link_refused"}


@pytest.mark.long
def test_a_link_is_no_place_to_download_to(bench: Bencher) -> None:
    b = bench()
    m = b.manifest(rows("p-1,picture,https://h.example/a.jpg"))
    done = b.run("download", m)
    assert (done.status, done.kinds()) == (1, {2: "row_malformed"})
    assert not (b.folder / "https:").exists()


@pytest.mark.long
def test_rows_of_links_are_tried_again_from_the_ledger(bench: Bencher) -> None:
    b = bench()
    files = {"a.jpg": File(status=503)}
    with host(files) as (_, url):
        m = b.manifest(rows(f"p-1,picture,{url}/a.jpg"))
        assert b.upload(m, *ALLOW, "--retries", "0").statuses() == {"total": 1, "failed": 1}
        again = b.run("runs", "retry", "last")
        assert {i["error"]["kind"] for i in again.report["items"]} == {"link_refused"}
        assert "--allow-remote" in again.report["items"][0]["error"]["hint"]
        files["a.jpg"].status, files["a.jpg"].content = 200, jpeg(1)
        first = b.run("runs", "list", "--json", report=False)
        failed = [r["run"] for r in json.loads(first.out) if r["summary"]["failed"]]
        again = b.run("runs", "retry", failed[-1], *ALLOW)
        assert again.statuses() == {"total": 1, "uploaded": 1}, again.err


@pytest.mark.long
def test_every_format_and_option_takes_links(bench: Bencher, tmp_path: Path) -> None:
    b = bench()
    with host({f"{n}.jpg": File(jpeg(n)) for n in range(1, 5)}) as (_, url):
        (b.folder / "a.yaml").write_text(f"- {{product: p-1, attribute: picture, file: '{url}/1.jpg'}}\n")
        (b.folder / "a.jsonl").write_text(
            json.dumps({"product": "p-2", "attribute": "picture", "file": f"{url}/2.jpg?token=hidden"}) + "\n"
        )
        (b.folder / "a.csv").write_text("product,attribute,n\np-3,picture,3\n")
        (b.folder / "export.csv").write_text(f"sku;family;picture\np-4;shoes;{url}/4.jpg?token=hidden\n")
        done = b.upload("a.yaml", "a.jsonl", "a.csv", "--set", f"file={url}/{{n}}.jpg", *ALLOW)
        assert done.statuses() == {"total": 3, "uploaded": 3}, done.err
        assert "hidden" not in json.dumps(done.report)
        environ = {"AKENEO_MEDIA_ALLOW_REMOTE": "1", "AKENEO_MEDIA_REMOTE_HOST": "127.0.0.1 10.0.0.0/8"}
        done = b.upload("export.csv", "--format", "akeneo", "--rename", "{product}-{filename}", env=environ)
        assert done.statuses() == {"total": 1, "uploaded": 1}, done.err
        assert "hidden" not in json.dumps(done.report)
        assert done.item(2)["name"] == "p-4-4.jpg"
        rehearsed = b.upload("a.yaml", "--sandbox", *ALLOW)
        assert rehearsed.statuses() == {"total": 1, "uploaded": 1}


@pytest.mark.slow
def test_a_large_file_of_a_link_takes_no_memory(bench: Bencher, tmp_path: Path) -> None:
    b = bench()
    size = 400_000_000
    block = os.urandom(1_000_000)

    def handle(request: Request) -> Reply | None:
        head = JPEG_HEAD
        if "range" in request.headers:
            part = head + block[: 4096 - len(head)]
            return Reply(206, part, {"Content-Range": f"bytes 0-4095/{size}"})
        request.sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + head)
        left = size - len(head)
        while left:
            request.sock.sendall(block[:left])
            left -= min(left, len(block))
        return None

    with Server(handle) as server:
        m = b.manifest(rows(f"p-1,picture,{server.url}/a.jpg"))
        assert b.memory("upload", m, *ALLOW) < 110_000_000
    (value,) = b.held().values()
    assert value["size"] == size
