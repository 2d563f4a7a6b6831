"""`akeneo-media check`, against a PIM and against what is taken for one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from ..pim.server import CERTIFICATE, ROUTES, Handler, Reply, Request, Server, page, refuses, says, well
from .conftest import Bencher, catalogue

SECRETS = {"AKENEO_CLIENT_SECRET": "client-s3cret-value", "AKENEO_PASSWORD": "pass-w0rd-value"}

Check = Callable[..., "tuple[int, dict[str, dict[str, Any]], str]"]


@pytest.fixture
def check(command: list[str], tmp_path: Path) -> Check:
    """`status, findings by name, standard error = check(url, **environment)`."""

    def run(url: str, *arguments: str, **env: str) -> tuple[int, dict[str, dict[str, Any]], str]:
        done = subprocess.run(
            [*command, "check", "--json", *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "AKENEO_URL": url,
                "AKENEO_CLIENT_ID": "1_client",
                "AKENEO_USERNAME": "magento",
                **SECRETS,
                **env,
            },
            text=True,
            capture_output=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert not any(secret in done.stdout + done.stderr for secret in SECRETS.values())
        document = json.loads(done.stdout)
        assert document["exit_status"] == done.returncode
        return done.returncode, {c["check"]: c for c in document["checks"]}, done.stderr

    return run


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    """`server(handler, **options)`, closed after the test."""
    with ExitStack() as stack:
        yield lambda handle, **options: stack.enter_context(Server(handle, **options))


def env_of(b: Any, name: str = "main") -> dict[str, str]:
    return {f"AKENEO_{k.upper()}": v for k, v in b.sandbox.connections[name].as_dict().items()}


def test_all_is_well(bench: Bencher, check: Check) -> None:
    b = bench(edition="ee", pam=True)
    before = b.sandbox.inside(lambda: [(e.key, e.updated) for e in b.sandbox.store.entities.all()])
    status, found, err = check(b.sandbox.url, **env_of(b))
    assert status == 0, err
    assert {c["status"] for c in found.values()} == {"ok"}
    assert (found["TLS"]["status"], found["TLS"]["tls"]) == ("ok", False), "this machine's own address"
    assert found["login"]["token_seconds"] == 3600
    assert found["version"]["edition"] == "EE"
    for name in ("attributes", "products", "product models", "channels", "locales"):
        assert found[f"may read {name}"]["allowed"]
    assert found["may edit products"]["allowed"]
    for name in (
        "product media",
        "assets",
        "records",
        "categories",
        "products by UUID",
        "assets of the old PAM",
    ):
        assert found[f"route for {name}"]["available"], name
    assert abs(found["clock"]["seconds"]) < 5
    assert 0 < found["latency"]["seconds"] < 5
    # Nothing of it wrote anything.
    stats = b.sandbox.stats()
    assert before == b.sandbox.inside(lambda: [(e.key, e.updated) for e in b.sandbox.store.entities.all()])
    writing = {call for call in stats["calls"] if not call.startswith("GET")}
    assert writing == {"POST /api/oauth/v1/token", "PATCH /products"}
    assert stats["token_requests"] == 1


def test_the_table_is_for_people(bench: Bencher) -> None:
    b = bench(catalogue(2, connections={"main": {}, "readonly": {"edit_products": False}}))
    done = b.run("check", report=False)
    assert done.status == 0
    lines = done.out.splitlines()
    assert any(line.startswith("ok") and "login" in line for line in lines)
    assert "\x1b" not in done.out
    refused = b.run("check", report=False, env=env_of(b, "readonly"))
    assert refused.status == 4
    assert "FAILED   may edit products" in refused.out
    assert "-> Give the connection's role the right to create and edit products" in refused.out


@pytest.mark.long
def test_a_missing_right_is_told_with_its_cure(bench: Bencher, check: Check) -> None:
    rights = {
        "main": {},
        "blind": {"list_attributes": False},
        "sightless": {"list_products": False},
        "readonly": "may use the API and read, not edit products",
        "noperm": "may not use the API",
    }
    b = bench(catalogue(2, connections=rights))
    for name, failed in (
        ("blind", {"may read attributes"}),
        ("sightless", {"may read products", "may read product models"}),
        ("readonly", {"may edit products"}),
        ("noperm", {"use of the API"}),
    ):
        status, found, _ = check(b.sandbox.url, **env_of(b, name))
        assert status == 4, name
        assert {c["check"] for c in found.values() if c["status"] == "failed"} == failed
        assert all("right" in found[c]["hint"] for c in failed)
    assert found["rights"]["status"] == "skipped"
    assert b.sandbox.stats()["products"] == 22


@pytest.mark.parametrize(
    ("variable", "says_"), [("AKENEO_CLIENT_SECRET", "secret"), ("AKENEO_PASSWORD", "password")]
)
@pytest.mark.long
def test_wrong_credentials(bench: Bencher, check: Check, variable: str, says_: str) -> None:
    b = bench()
    status, found, _ = check(b.sandbox.url, **{**env_of(b), variable: "wrong"})
    assert status == 4
    assert found["login"]["status"] == "failed"
    assert says_ in (found["login"]["found"] + found["login"]["hint"]).lower()
    assert found["use of the API"]["status"] == "skipped"
    assert b.sandbox.stats()["token_requests"] == 1


@pytest.mark.long
def test_an_app_token(server: Callable[..., Server], check: Check) -> None:
    s = server(well())
    assert check(s.url, AKENEO_TOKEN="an-app-token")[1]["login"]["found"].startswith("an App's token")
    assert not s.logins


@pytest.mark.long
def test_a_proxy_that_drops_the_authorization_header(server: Callable[..., Server], check: Check) -> None:
    def handle(request: Request) -> Reply:
        if request.path == "/api/rest/v1":
            return says(200, ROUTES)
        return says(401, {"error": "access_denied", "error_description": "OAuth2 authentication required"})

    status, found, _ = check(server(handle).url)
    assert status == 4
    assert found["login"]["status"] == "ok"
    assert found["use of the API"]["status"] == "failed"
    assert "Authorization" in found["use of the API"]["hint"]


@pytest.mark.long
def test_a_redirect_to_https(server: Callable[..., Server], check: Check) -> None:
    s = server(lambda request: page(301, "Moved", Location="https://pim.example" + request.target))
    status, found, _ = check(s.url)
    assert status == 2
    assert found["PIM"]["kind"] == "redirected"
    assert "https://pim.example" in found["PIM"]["found"] + found["PIM"]["hint"]
    assert not s.logins


@pytest.mark.parametrize(
    "reply",
    [
        page(200, "Sign in to continue"),
        page(404, "Not here"),
        says(200, {"hello": "world"}),
        says(200, ["routes"]),
        Reply(200, b""),
        Reply(200, b"\xff\xfe{"),
        says(200, {"routes": {"a": {"route": "/api/rest/v1/products", "methods": ["GET"]}}}),
    ],
)
@pytest.mark.long
def test_what_answers_is_no_pim(server: Callable[..., Server], check: Check, reply: Reply) -> None:
    status, found, _ = check(server(lambda request: reply).url)
    assert status == 2
    (failed,) = [c for c in found.values() if c["status"] == "failed"][:1]
    assert "AKENEO_URL" in failed["hint"]


@pytest.mark.long
def test_a_login_page_where_the_token_should_come(server: Callable[..., Server], check: Check) -> None:
    status, found, _ = check(server(well(), tokens=lambda _: page(200, "Sign in")).url)
    assert status == 2
    assert found["login"]["status"] == "failed"


@pytest.mark.long
def test_a_certificate_that_nobody_trusts(server: Callable[..., Server], check: Check) -> None:
    s = server(well(), tls=True)
    status, found, _ = check(s.url)
    assert status == 2
    assert found["TLS"]["status"] == "failed"
    assert "REQUESTS_CA_BUNDLE" in found["TLS"]["hint"]
    trusted, found, _ = check(s.url, REQUESTS_CA_BUNDLE=str(CERTIFICATE))
    assert trusted == 0
    assert found["TLS"] == {**found["TLS"], "status": "ok", "tls": True}


@pytest.mark.long
def test_tls_spoken_to_a_plain_port(bench: Bencher, check: Check) -> None:
    status, found, _ = check(bench().sandbox.url.replace("http:", "https:"))
    assert status == 2
    assert found["TLS"]["status"] == "failed"
    assert "http://" in found["TLS"]["hint"]


@pytest.mark.long
def test_nobody_is_there(server: Callable[..., Server], check: Check) -> None:
    s = server(well())
    s.__exit__(None, None, None)
    status, found, _ = check(s.url)
    assert status == 5
    assert found["PIM"]["status"] == "failed"
    assert {c["status"] for n, c in found.items() if n in ("login", "rights", "clock")} == {"skipped"}


@pytest.mark.parametrize(
    "reply", [page(503, "Maintenance"), refuses(500, "Internal Server Error"), page(429, "Slow down"), None]
)
@pytest.mark.long
def test_a_pim_in_trouble(server: Callable[..., Server], check: Check, reply: Reply | None) -> None:
    status, found, _ = check(server(lambda request: reply).url)
    assert status == 5
    assert found["PIM"]["hint"]


@pytest.mark.long
def test_silence_is_given_up(server: Callable[..., Server], check: Check) -> None:
    import threading

    silent = threading.Event()

    def handle(request: Request) -> None:
        silent.wait(20)

    try:
        status, found, _ = check(server(handle).url, "--timeout", "0.3")
    finally:
        silent.set()
    assert status == 5
    assert found["PIM"]["kind"] == "timeout"


@pytest.mark.long
def test_a_clock_that_is_wrong(server: Callable[..., Server], check: Check) -> None:
    past = format_datetime(datetime.now(UTC) - timedelta(hours=2), usegmt=True)
    for date, health in ((past, "warning"), ("no date at all", None), ("", None)):
        replies = well()

        def handle(request: Request, replies: Handler = replies, date: str = date) -> Reply | None:
            reply = replies(request)
            assert reply is not None
            return Reply(reply.status, reply.body, {**reply.headers, "Date": date})

        status, found, _ = check(server(handle).url)
        assert status == 0
        assert found.get("clock", {}).get("status") == health


@pytest.mark.long
def test_one_right_may_fail_in_its_own_way(server: Callable[..., Server], check: Check) -> None:
    s = server(
        well(channels=page(403, "Firewall"), locales=page(502, "Bad gateway"), attributes=page(404, "?"))
    )
    status, found, _ = check(s.url)
    assert status == 2
    assert found["may read channels"]["kind"] == "blocked"
    assert found["may read locales"]["kind"] == "unavailable"
    assert found["may read attributes"]["kind"] == "route_missing"
    assert found["may read products"]["status"] == "ok"


@pytest.mark.long
def test_a_token_that_is_taken_away_meanwhile(server: Callable[..., Server], check: Check) -> None:
    gone = refuses(401, "The access token provided is invalid.")
    status, found, _ = check(server(well(channels=gone)).url, AKENEO_TOKEN="an-app-token")
    assert (status, found["may read channels"]["status"]) == (4, "failed")
    assert found["may read products"]["status"] == "ok"


@pytest.mark.long
def test_trouble_with_one_right_is_temporary(server: Callable[..., Server], check: Check) -> None:
    status, found, _ = check(server(well(locales=page(502, "Bad gateway"))).url)
    assert (status, found["may read locales"]["status"]) == (5, "failed")


@pytest.mark.long
def test_an_old_pim_that_does_not_tell_its_version(server: Callable[..., Server], check: Check) -> None:
    old = check(server(well(system_information=refuses(404, "No route found"))).url)
    assert (old[0], old[1]["version"]["found"]) == (0, "before 6.0")
    broken = check(server(well(system_information=page(500, "Oops"))).url)
    assert (broken[0], broken[1]["version"]["status"]) == (0, "warning")


def test_settings_that_are_missing(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run([*command, "check"], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert "AKENEO_URL is missing" in done.stderr
    assert done.stdout == ""


def test_on_a_terminal_it_is_a_table(bench: Bencher, command: list[str]) -> None:
    import pty

    b = bench()
    ours, theirs = pty.openpty()
    done = subprocess.run([*command, "check"], cwd=b.folder, env={**b.environ, "TERM": "xterm", "CI": ""},
                          stdout=theirs, stderr=subprocess.PIPE, check=False)  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # How Linux tells that the other end is closed.
    os.close(ours)
    assert done.returncode == 0
    assert b"\x1b[32mok" in shown
    assert b"may edit products" in shown


@pytest.mark.long
def test_the_quiet_see_what_failed_and_the_log_has_all(bench: Bencher) -> None:
    b = bench()
    well = b.run("check", "-q", report=False)
    assert (well.status, well.out, well.err) == (0, "", "")
    refused = b.run("check", "-q", report=False, env={"AKENEO_PASSWORD": "no"})
    assert refused.status == 4
    assert [line.split()[0] for line in refused.out.splitlines()] == ["ok", "FAILED", "->"]
    assert b.sandbox.url in refused.out, "which PIM refused"
    assert refused.err == ""
    assert json.loads(b.run("check", "-q", "--json", report=False).out)["checks"]

    loud = b.run("check", "-v", "--log-file", "check.log", report=False)
    assert loud.err.startswith(f"info: Checking {b.sandbox.url}\n")
    assert "info: login: ok: " in loud.err
    assert "/api/" not in loud.err
    log = (b.folder / "check.log").read_text("utf-8")
    assert "INFO    login: ok: " in log
    assert "DEBUG   POST /api/oauth/v1/token: 200" in log
    assert b.sandbox.credentials.password not in log
    assert "info: POST /api/oauth/v1/token: 200" in b.run("check", "-vv", report=False).err
