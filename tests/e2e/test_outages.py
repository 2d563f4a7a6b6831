"""A PIM that is slow, busy, down, forgetful or gone in the middle of a run."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest

from akeneo_media_cli.sandbox import parse_faults

from .conftest import Bench, Bencher, catalogue, jpeg
from .many import change, check_all, many, running, uploads, wait_for_uploads

LOSSES = "500=0.02,500-late=0.02,503=0.02,503-html=0.02,reset-early=0.02,reset-middle=0.02,reset-late=0.04"


@pytest.mark.long
def test_faults_of_all_sorts_lose_nothing(bench: Bencher) -> None:
    # A Retry-After costs its whole second each: most refusals come without.
    faults = parse_faults([f"{LOSSES},429=0.002,429-no-retry-after=0.018"])
    b = bench(catalogue(400), save_time=0.02, faults=faults, seed=7)
    done = b.upload(many(b, 400, per_product=2))
    assert done.status == 0, done.err
    assert done.statuses() == {"total": 400, "uploaded": 400}
    check_all(b, 400, per_product=2)
    stats = b.sandbox.stats()
    assert sum(stats["faults"].values()) > 60
    assert stats["lost_values"] == 0
    assert stats["duplicates"] <= 3
    assert stats["most_in_flight_per_entity"] == 1
    assert stats["media_files"] <= 403


@pytest.mark.long
def test_stalls_and_revoked_tokens_cost_a_moment_and_no_row(bench: Bencher) -> None:
    b = bench(faults=parse_faults(["stall=0.05,stall-late=0.05,401=0.05"]), seed=3)
    done = b.upload(many(b, 60), "--timeout", "0.5")
    assert done.status == 0, done.err
    check_all(b, 60)
    stats = b.sandbox.stats()
    assert stats["faults"]["stall"] and stats["faults"]["stall-late"] and stats["faults"]["401"]
    assert stats["duplicates"] == 0
    assert stats["token_requests"] <= 1 + stats["faults"]["401"]


def test_an_outage_leaves_pending_rows_that_the_same_command_finishes(bench: Bencher) -> None:
    b = bench(down_after=60)
    manifest = many(b, 150)
    done = b.upload(manifest, "--retries", "1")
    assert done.status == 5, done.err
    assert set(done.statuses()) == {"total", "uploaded", "pending"}
    # The 60 that were served, those that told of the outage, a few probes: no storm.
    assert b.sandbox.stats()["total"] < 100
    change(b, down=False, down_after=None)
    last = b.upload(manifest)
    assert last.status == 0, last.err
    check_all(b, 150)
    assert b.sandbox.stats()["duplicates"] == 0


@pytest.mark.long
def test_a_pim_that_comes_back_is_gone_on_with(bench: Bencher) -> None:
    b = bench(down_after=30, down_for=1.0)
    done = b.upload(many(b, 60))
    assert done.status == 0, done.err
    check_all(b, 60)


def test_a_pim_that_is_not_there_leaves_all_rows_pending(bench: Bencher) -> None:
    b = bench()
    manifest = many(b, 3)
    done = b.upload(manifest, "--retries", "1", env={"AKENEO_URL": "http://127.0.0.1:1"})
    assert done.status == 5
    assert done.statuses() == {"total": 3, "pending": 3}
    assert "127.0.0.1:1" in done.err


@pytest.mark.long
def test_a_pim_that_allows_two_sees_few_refusals(bench: Bencher) -> None:
    b = bench(save_time=0.03, max_concurrency=2)
    # The refusals name a second each, which is waited for.
    done = b.upload(many(b, 100))
    assert done.status == 0
    assert 1 <= done.report["summary"]["throttled"] <= 10
    check_all(b, 100)


@pytest.mark.long
def test_expired_tokens_fail_no_row_and_cost_one_login_each(bench: Bencher) -> None:
    b = bench(save_time=0.05, token_ttl=1.0)
    done = b.upload(many(b, 150))
    assert done.status == 0
    check_all(b, 150)
    assert 2 <= b.sandbox.stats()["token_requests"] <= 8


def test_a_password_that_is_changed_meanwhile_ends_it_with_4(bench: Bencher) -> None:
    b = bench(save_time=0.05, token_ttl=1.0, refresh_ttl=0.1)
    manifest = many(b, 150)

    def refused() -> int:
        return int(b.sandbox.stats()["calls"]["POST /api/oauth/v1/token"].get("422", 0))

    with running(b, "upload", manifest, "--progress", "none", "--report", "r.json") as process:
        wait_for_uploads(b, 5, process)
        connection = b.sandbox.store.main.credentials
        b.sandbox.inside(lambda: object.__setattr__(connection, "password", "another"))
        # A machine that is slow to begin has renewed its token before, which takes a refusal each time.
        before = refused()
        assert process.wait(60) == 4
    text = (b.folder / "r.json").read_text("utf-8")
    assert '"exit_status": 4' in text
    assert refused() - before <= 2, "refresh, then password, once"


def test_an_app_that_is_disconnected_meanwhile_ends_it_with_4(bench: Bencher) -> None:
    b = bench(save_time=0.05)
    who = b.sandbox.credentials
    login = {"grant_type": "password", "username": who.username, "password": who.password}
    client = (who.client_id, who.client_secret)
    token = b.sandbox.inside(lambda: b.sandbox.store.tokens.grant(client, login)["access_token"])
    manifest = many(b, 100)
    with running(b, "upload", manifest, "--report", "r.json", env={"AKENEO_TOKEN": token}) as process:
        wait_for_uploads(b, 5, process)
        change(b, faults=["401=1"])
        _, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert '"status": "pending"' in (b.folder / "r.json").read_text("utf-8")
    assert token not in err
    assert "App" in err


@pytest.mark.long
def test_a_file_that_is_sent_again_with_another_token_counts_as_a_retry(bench: Bencher) -> None:
    b = bench()
    change(b, faults=["401=2x@media-files"])
    done = b.upload(many(b, 6), "--concurrency", "1")
    assert done.status == 0, done.err
    assert b.sandbox.stats()["calls"]["POST /media-files"] == {"201": 6, "401": 2}
    assert done.report["summary"]["retries"] == 2
    assert "2 retried" in done.err


def test_deadlocks_in_a_tree_are_tried_again_with_the_tree_alone(bench: Bencher) -> None:
    b = bench(catalogue(), save_time=0.05, deadlock=1.0)
    lines = ["product,attribute,file"]
    lines += [f"v-{n},shot,{b.file(f'v{n}.jpg', jpeg(n))}" for n in range(1, 13)]
    done = b.upload(b.manifest(lines))
    assert done.status == 0, done.err
    assert done.statuses() == {"total": 12, "uploaded": 12}
    stats = b.sandbox.stats()
    assert stats["calls"]["POST /media-files"]["500"] >= 2
    assert stats["duplicates"] == 0
    assert stats["lost_values"] == 0


@pytest.mark.slow
def test_a_file_that_php_does_not_take_is_named_with_the_setting_that_would(bench: Bencher) -> None:
    b = bench(upload_max_filesize=1_000_000)
    manifest = many(b, 20)
    b.file("big.jpg", jpeg("big", 3_000_000))
    with (b.folder / manifest).open("a", encoding="utf-8") as file:
        file.write("p-100,picture_1,big.jpg\n")
    done = b.upload(manifest, "--retries", "1")
    assert done.status == 1
    assert done.statuses() == {"total": 21, "uploaded": 20, "failed": 1}
    (failed,) = [i for i in done.report["items"] if i["status"] == "failed"]
    assert failed["error"]["kind"] == "file_too_large"
    assert "upload_max_filesize" in failed["error"]["hint"]


@pytest.mark.parametrize("option", ["--max-duration=1s", "--max-failures=1"])
@pytest.mark.long
def test_limits_stop_new_rows(bench: Bencher, option: str) -> None:
    faults = ["413-html=0.3@media-files"] if "failures" in option else []
    b = bench(save_time=0.05, faults=parse_faults(faults))
    done = b.upload(many(b, 150), option)
    assert done.report["summary"]["pending"] > 0
    assert done.status == (1 if "failures" in option else 5)


# A server that says when to come back, in words of its own.


@contextlib.contextmanager
def saying(answer: Callable[[], bytes]) -> Iterator[tuple[str, list[float]]]:
    """A server that gives every call the same answer; its address, and when calls came."""
    came: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    came.append(time.monotonic())
                    connection.sendall(answer())

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", came
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def refusal(retry_after: str) -> bytes:
    lines = ["HTTP/1.1 503 Service Unavailable", f"Retry-After: {retry_after}", "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.long
def test_a_time_named_in_seconds_or_as_a_date_is_waited_for(bench: Bencher, form: str) -> None:
    b: Bench = bench()
    manifest = many(b, 2)

    def answer() -> bytes:
        # Dates have no fractions: up to a second of the three is lost.
        return refusal("2" if form == "seconds" else formatdate(time.time() + 3, usegmt=True))

    with saying(answer) as (url, came):
        done = b.upload(manifest, "--retries", "1", env={"AKENEO_URL": url})
    assert done.status == 5
    assert len(came) == 2
    assert came[1] - came[0] >= 1.9
    assert uploads(b) == 0


def test_an_answer_that_is_no_http_is_trouble_and_no_defect(bench: Bencher) -> None:
    b = bench()
    with saying(lambda: b"\x15\x03\x01\x00\x02\x02\x28") as (url, _):
        done = b.upload(many(b, 2), "--retries", "1", env={"AKENEO_URL": url})
    assert done.status == 5, done.err
    assert done.statuses() == {"total": 2, "pending": 2}
