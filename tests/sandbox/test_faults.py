"""Faults to order, limits and outages: each meets a client as it would in the wild."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from functools import partial

import pytest
import requests

from akeneo_media_cli.sandbox import FaultPlan, Need, SandboxOptions, invent, parse_faults, start_sandbox
from akeneo_media_cli.sandbox.faults import KINDS, Fault, plan_from_json

from .client import JPG, Client, at_once, refusal, wait_for

UPLOADS = "@media-files"


def faulty(*faults: str, **options: object) -> SandboxOptions:
    return SandboxOptions(faults=parse_faults(faults), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "status", "is_json", "saved"),
    [
        ("429", 429, True, False),
        ("429-no-retry-after", 429, True, False),
        ("500", 500, True, False),
        ("500-late", 500, True, True),
        ("500-html", 500, False, False),
        ("502", 502, False, False),
        ("503", 503, True, False),
        ("503-html", 503, False, False),
        ("504-late", 504, False, True),
        ("408", 408, False, False),
        ("401", 401, True, False),
        ("403-html", 403, False, False),
        ("413-html", 413, False, False),
        ("redirect", 301, False, False),
        ("slow-read", 201, False, True),
    ],
)
def test_a_fault_answers_as_it_says_and_saves_only_where_it_is_late(
    fault: str, status: int, is_json: bool, saved: bool
) -> None:
    options = faulty(f"{fault}=1x{UPLOADS}", slow_read_rate=10_000_000)
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        answer = client.upload("shoe_1")
        assert answer.status_code == status
        if is_json:
            assert answer.json()["code"] == status
        assert bool(sandbox.values()) == saved
        assert ("Retry-After" in answer.headers) == (fault == "429")
        assert client.upload("shoe_2").status_code == 201, "the fault is spent"
        stats = sandbox.stats()
    assert stats["faults"] == {fault: 1}
    assert stats["calls"]["POST /media-files"][str(status)] >= 1


@pytest.mark.parametrize(("fault", "saved"), [("reset-early", 0), ("reset-middle", 0), ("reset-late", 1)])
def test_a_reset_breaks_the_connection(fault: str, saved: int) -> None:
    with start_sandbox(options=faulty(f"{fault}=1x{UPLOADS}")) as sandbox, Client(sandbox) as client:
        with pytest.raises(requests.exceptions.ConnectionError):
            client.upload("shoe_1", data=JPG * 100_000)
        assert len(sandbox.values()) == saved
        assert sandbox.stats()["files_on_disk"] == saved
        assert sandbox.stats()["calls"]["POST /media-files"] == {"reset": 1}


@pytest.mark.parametrize(("fault", "saved"), [("stall", 0), ("stall-late", 1)])
def test_a_stall_gives_no_answer(fault: str, saved: int) -> None:
    with start_sandbox(options=faulty(f"{fault}=1x{UPLOADS}")) as sandbox, Client(sandbox) as client:
        with pytest.raises(requests.exceptions.ReadTimeout):
            client.upload("shoe_1", timeout=(5, 0.2))
        assert len(sandbox.values()) == saved
        assert sandbox.stats()["in_flight"] == 1


def test_a_save_is_overwritten_by_a_writer_that_had_read_before_it() -> None:
    """201, and only a read afterwards shows that the value is gone."""
    with start_sandbox(options=faulty("other-writer=1x")) as sandbox, Client(sandbox) as client:
        assert client.get("/products/shoe_1").status_code == 200, "a read cannot meet this fault"
        assert client.upload("shoe_1").status_code == 201
        assert "picture" not in client.get("/products/shoe_1").json()["values"]
        assert client.upload("shoe_1").status_code == 201
        assert "picture" in client.get("/products/shoe_1").json()["values"]
        stats = sandbox.stats()
    assert (stats["overwritten"], stats["lost_values"], stats["faults"]) == (1, 0, {"other-writer": 1})


def test_each_line_of_a_batch_may_be_overwritten_and_the_value_before_is_back() -> None:
    def named(product: str, name: str) -> dict[str, object]:
        values = {"name": [{"locale": None, "scope": None, "data": name}]}
        return {"identifier": product, "values": values}

    with start_sandbox() as sandbox, Client(sandbox) as client:
        client.patch_lines("/products", *(named(f"shoe_{n}", "before") for n in (1, 2, 3)))
        client.admin("POST", "/faults", {"faults": ["other-writer=2x@products"]})
        client.patch_lines("/products", *(named(f"shoe_{n}", "after") for n in (1, 2, 3)))
        names = [client.get(f"/products/shoe_{n}").json()["values"]["name"][0]["data"] for n in (1, 2, 3)]
    assert names == ["before", "before", "after"]


def test_an_asset_is_overwritten_too() -> None:
    catalogue = invent([Need("asset", "a1", "photos", "front", extension="jpg")])
    with start_sandbox(catalogue, options=faulty("other-writer=1x")) as sandbox, Client(sandbox) as client:
        code = client.send("/asset-media-files", {}, "a.jpg").headers["Asset-media-file-code"]
        values = {"front": [{"locale": None, "channel": None, "data": code}]}
        one = "/asset-families/photos/assets/a1"
        assert client.patch(one, {"values": values}).status_code == 204
        assert client.get(one).json()["values"] == {}
        assert client.patch(one, {"values": values}).status_code == 204
        assert client.get(one).json()["values"]["front"][0]["data"] == code


def test_two_uploads_of_one_name_in_flight_share_their_code() -> None:
    """The later one is answered 500, the earlier one's 201 holds the later one's bytes."""
    with start_sandbox(options=faulty("collide", save_time=0.4)) as sandbox, Client(sandbox) as client:
        calls = [partial(client.upload, f"shoe_{n}", name="front.jpg", data=JPG + bytes([n])) for n in (1, 2)]
        assert sorted(at_once(calls)) == [201, 500]
        (value,) = sandbox.values()
        kept = {"shoe_1": 1, "shoe_2": 2}[value["identifier"]]
        assert value["sha256"] == hashlib.sha256(JPG + bytes([3 - kept])).hexdigest()
        assert client.upload("shoe_3", name="front.jpg").status_code == 201, "alone it meets nothing"
        stats = sandbox.stats()
    assert (stats["collisions"], stats["swapped"], stats["faults"]) == (1, 1, {"collide": 1})


def test_other_names_in_flight_do_not_collide() -> None:
    with start_sandbox(options=faulty("collide", save_time=0.4)) as sandbox, Client(sandbox) as client:
        assert at_once([partial(client.upload, f"shoe_{n}", name=f"{n}.jpg") for n in (1, 2)]) == [201, 201]
        assert sandbox.stats()["collisions"] == 0


def test_larger_bodies_are_answered_500_each_time_after_they_were_read() -> None:
    options = faulty(f"fatal-over=5000{UPLOADS}")
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        for _ in range(2):
            assert refusal(client.upload("shoe_1", data=JPG * 500)) == (500, "Internal Server Error")
        assert client.upload("shoe_1", data=JPG).status_code == 201
        assert sandbox.stats()["faults"] == {"fatal-over": 2}


def test_a_value_drifts_before_it_is_read_on_the_route_that_was_asked_for() -> None:
    with start_sandbox(options=faulty("drift=1x@products")) as sandbox, Client(sandbox) as client:
        client.admin("POST", "/faults", {"faults": {"drift@products": "1x"}})
        code = client.upload("shoe_1").headers["Location"].partition("/media-files/")[2]
        now = client.get("/products/shoe_1").json()["values"]["picture"][0]["data"]
        assert now != code
        (value,) = sandbox.values()
        assert (value["media_code"], value["original_filename"]) == (now, "drift.txt")
        assert client.get("/products/shoe_1").json()["values"]["picture"][0]["data"] == now
        assert sandbox.stats()["drifted"] == 1


def test_a_call_through_a_proxy_is_told_by_its_connection() -> None:
    """X-Forwarded-For names somebody else's address: the connection is still the one to cut."""
    forwarded = {"headers": {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}}
    with start_sandbox(options=faulty(f"reset-late=1x{UPLOADS}")) as sandbox, Client(sandbox) as client:
        with pytest.raises(requests.exceptions.ConnectionError):
            client.upload("shoe_1", **forwarded)
        answer = client.upload("shoe_1", **forwarded)
        assert (answer.status_code, answer.headers["Location"][:5]) == (201, "http:")
        assert sandbox.stats()["ghosts"] == 0


def test_a_stall_that_ends_breaks_the_connection() -> None:
    options = faulty(f"stall=1x{UPLOADS}", stall_time=0.0)
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        with pytest.raises(requests.exceptions.ConnectionError):
            client.upload("shoe_1")
        assert sandbox.stats()["calls"]["POST /media-files"] == {"stall": 1}


def test_an_early_refusal_comes_before_the_body_and_closes() -> None:
    """Trap 7: the answer is there to be read while the body is still under way."""
    options = faulty(f"413-html=1x{UPLOADS}")
    with (
        start_sandbox(options=options) as sandbox,
        Client(sandbox) as client,
        client.raw("POST", "/media-files", "Content-Length: 1000000000") as raw,
    ):
        answer = b""
        while piece := raw.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_a_proxys_limit_is_413_in_html_and_php_limits_are_as_the_pim_has_them() -> None:
    options = SandboxOptions(proxy_max_body=100_000, post_max_size=60_000, upload_max_filesize=20_000)
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        assert client.upload("shoe_1", data=b"x" * 20_000).status_code == 201
        assert refusal(client.upload("shoe_1", data=b"x" * 20_001)) == (500, "Internal Server Error")
        status, message = refusal(client.upload("shoe_1", data=b"x" * 70_000))
        assert (status, message[:26]) == (422, "You should at least give o")
        answer = client.call("POST", "/media-files", data=b"x" * 100_001)
        assert (answer.status_code, answer.headers["Content-Type"]) == (413, "text/html; charset=utf-8")
        assert sandbox.stats()["files_on_disk"] == 1


def test_more_calls_at_once_than_allowed_are_throttled() -> None:
    options = SandboxOptions(max_concurrency=2, latency=0.3, retry_after=7)
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        statuses = at_once([partial(client.upload, f"shoe_{n}", name=f"{n}.jpg") for n in range(1, 6)])
    assert statuses.count(429) >= 2
    assert statuses.count(201) == 5 - statuses.count(429)


def test_a_pim_goes_down_after_so_many_calls_and_comes_back_when_told() -> None:
    with start_sandbox(options=SandboxOptions(down_after=2)) as sandbox, Client(sandbox) as client:
        assert client.upload("shoe_1").status_code == 201
        for _ in range(2):
            assert client.upload("shoe_2").status_code == 503
        assert client.token({"grant_type": "password"}).status_code == 503
        assert client.admin("GET", "/faults").json()["down"] is True
        assert client.admin("POST", "/faults", {"down": False}).json()["down"] is False
        assert client.upload("shoe_2").status_code == 201


def test_a_pim_that_is_down_for_a_while_comes_back_by_itself() -> None:
    with (
        start_sandbox(options=SandboxOptions(down_after=1, down_for=0.0)) as sandbox,
        Client(sandbox) as client,
    ):
        assert client.upload("shoe_1").status_code == 201
    with start_sandbox() as sandbox, Client(sandbox) as client:
        client.admin("POST", "/faults", {"down": True})
        assert client.upload("shoe_1").status_code == 503
        client.admin("POST", "/faults", {"down_for": 0})
        assert client.upload("shoe_1").status_code == 201


def test_tokens_expire_and_are_revoked() -> None:
    now = [1_000_000.0]
    options = SandboxOptions(token_ttl=5, refresh_ttl=60, clock=lambda: now[0])
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        assert client.tokens["expires_in"] == 5
        now[0] += 4.9
        assert client.get("/media-files").status_code == 200
        now[0] += 0.2
        assert refusal(client.get("/media-files")) == (401, "The access token provided has expired.")
        renewed = client.token(
            {"grant_type": "refresh_token", "refresh_token": client.tokens["refresh_token"]}
        )
        client.session.headers["Authorization"] = f"Bearer {renewed.json()['access_token']}"
        assert client.get("/media-files").status_code == 200
        client.admin("POST", "/revoke")
        assert refusal(client.get("/media-files")) == (401, "The access token provided is invalid.")
        refresh = {"grant_type": "refresh_token", "refresh_token": renewed.json()["refresh_token"]}
        again = client.token(refresh).json()
        client.admin("POST", "/revoke", {"refresh": True})
        refresh["refresh_token"] = again["refresh_token"]
        assert refusal(client.token(refresh)) == (422, "Refresh token is invalid or has expired")


def test_a_refresh_token_works_once_and_dies_in_the_end() -> None:
    now = [1_000_000.0]
    options = SandboxOptions(refresh_ttl=60, clock=lambda: now[0])
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        body = {"grant_type": "refresh_token", "refresh_token": client.tokens["refresh_token"]}
        answer = client.token(body)
        assert answer.status_code == 200
        assert refusal(client.token(body)) == (422, "Refresh token is invalid or has expired")
        assert client.get("/media-files").status_code == 200, "the old access token lives on"
        body["refresh_token"] = answer.json()["refresh_token"]
        now[0] += 61
        assert refusal(client.token(body)) == (422, "Refresh token is invalid or has expired")


def test_a_chunked_body_is_lost_unless_told_otherwise() -> None:
    with start_sandbox() as sandbox, Client(sandbox) as client:
        request = requests.Request(
            "POST", "http://x", files={"product": (None, _place()), "file": ("a.jpg", JPG)}
        )
        body, kind = request.prepare().body, request.prepare().headers["Content-Type"]
        assert isinstance(body, bytes)
        prepared = request.prepare()
        body, kind = prepared.body, prepared.headers["Content-Type"]

        def chunked() -> requests.Response:
            assert isinstance(body, bytes)
            return client.call("POST", "/media-files", data=iter([body]), headers={"Content-Type": kind})

        status, message = refusal(chunked())
        assert (status, message[:26]) == (422, "You should at least give o")
        client.admin("POST", "/faults", {"lose_chunked": False})
        assert chunked().status_code == 201


def _place() -> str:
    return json.dumps({"identifier": "shoe_1", "attribute": "picture", "locale": None, "scope": None})


def test_the_admin_routes_need_no_token_and_meet_no_fault() -> None:
    with start_sandbox(options=faulty("500")) as sandbox:
        for path in ("/stats", "/values", "/log", "/faults"):
            assert requests.get(f"{sandbox.url}/_sandbox{path}", timeout=10).status_code == 200
        assert requests.get(f"{sandbox.url}/_sandbox/nothing", timeout=10).status_code == 404
        assert requests.post(f"{sandbox.url}/_sandbox/revoke", data=b"{", timeout=10).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"faults": ["nonsense"]},
        {"faults": {"429": 1.5}},
        {"faults": 3},
        {"nope": 1},
        {"latency": -1},
        {"latency": "1s"},
        {"latency": True},
        {"latency": None},
        {"token_ttl": "x"},
        [],
    ],
)
def test_a_wrong_change_is_refused_whole(body: object) -> None:
    with start_sandbox() as sandbox:
        url = f"{sandbox.url}/_sandbox/faults"
        before = requests.get(url, timeout=10).json()
        if isinstance(body, dict):
            body = {"down": True, "save_time": 0.5, **body}
        answer = requests.post(url, json=body, timeout=10)
        assert answer.status_code == 422
        assert answer.json()["message"]
        assert requests.get(url, timeout=10).json() == before


def test_faults_change_while_it_runs() -> None:
    with start_sandbox() as sandbox, Client(sandbox) as client:
        body = {"faults": {"500@media-files": "1x"}, "latency": 0.0, "max_concurrency": None, "token_ttl": 9}
        answer = client.admin("POST", "/faults", body).json()
        assert answer["faults"] == ["500=1x@media-files"]
        assert answer["token_ttl"] == 9
        assert client.upload("shoe_1").status_code == 500
        assert client.log_in()["expires_in"] == 9
        assert client.admin("POST", "/faults", {"faults": ["429=0.5"]}).json()["faults"] == ["429=0.5"]


def test_statistics_start_afresh_when_told_and_the_log_tells_of_calls() -> None:
    with start_sandbox() as sandbox, Client(sandbox) as client:
        client.upload("shoe_1", name="seen.jpg")
        call = client.admin("GET", "/log").json()["calls"][-1]
        assert (call["method"], call["endpoint"], call["status"]) == ("POST", "/media-files", "201")
        assert (call["entity"], call["file"]) == ("product:shoe_1", "seen.jpg")
        assert call["ended"] >= call["started"]
        stats = client.admin("POST", "/stats").json()
        assert (stats["total"], stats["calls"], stats["values"]) == (0, {}, 1)


def test_resetting_the_statistics_keeps_count_of_what_is_in_flight() -> None:
    options = SandboxOptions(save_time=0.5)
    with start_sandbox(options=options) as sandbox, Client(sandbox) as client:
        thread = threading.Thread(target=lambda: client.upload("shoe_1"))
        thread.start()
        wait_for(lambda: sandbox.stats()["in_flight"] == 1)
        stats = client.admin("POST", "/stats").json()
        assert (stats["in_flight"], stats["most_in_flight"]) == (1, 1)
        thread.join()
        assert sandbox.stats()["in_flight"] == 0


class TestPlans:
    def test_what_people_write(self) -> None:
        plan = parse_faults(["429=0.05,500", "reset-late=.5@media-files", "503=3x"])
        assert plan.faults == [
            Fault("429", 0.05),
            Fault("500", 1.0),
            Fault("reset-late", 0.5, path="media-files"),
            Fault("503", count=3),
        ]
        assert [str(f) for f in plan.faults] == ["429=0.05", "500=1", "reset-late=0.5@media-files", "503=3x"]
        assert parse_faults([str(f) for f in plan.faults]) == plan
        assert plan_from_json({"429": 0.05, "503@x": "3x"}).faults == [
            Fault("429", 0.05),
            Fault("503", count=3, path="x"),
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "418",
            "429=2",
            "fatal-over",
            "fatal-over=2x",
            "fatal-over=0.5",
            "429=x",
            "429==1",
            "429=-1",
            "429=1 2",
            "=1",
        ],
    )
    def test_what_they_get_wrong(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"fault|chance"):
            parse_faults([text or " =", text])

    @pytest.mark.parametrize("text", ["fatal-over", "fatal-over=2x", "fatal-over=0.5"])
    def test_a_fault_for_large_bodies_needs_their_size(self, text: str) -> None:
        with pytest.raises(ValueError, match="bytes"):
            parse_faults([text])

    def test_a_seed_and_an_order_of_calls_repeat(self) -> None:
        def run(seed: int) -> list[str | None]:
            rng, plan = random.Random(seed), parse_faults(["429=0.3", "500=0.3"])
            return [plan.pick("/api/rest/v1/media-files", True, rng) for _ in range(200)]

        assert run(1) == run(1)
        assert run(1) != run(2)
        assert {None, "429", "500"} == set(run(1))
        assert 40 < run(1).count("429") < 80

    def test_only_calls_with_a_body_are_reset_in_the_middle(self) -> None:
        plan = FaultPlan([Fault("reset-middle")])
        assert plan.pick("/x", False, random.Random(1)) is None
        assert plan.pick("/x", True, random.Random(1)) == "reset-middle"

    def test_every_kind_can_be_ordered(self) -> None:
        texts = [kind + ("=5000" if kind == "fatal-over" else "") for kind in KINDS]
        assert [f.kind for f in parse_faults(texts).faults] == list(KINDS)
        assert parse_faults([str(f) for f in parse_faults(texts).faults]) == parse_faults(texts)
