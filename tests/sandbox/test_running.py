"""Starting, stopping, keeping, being killed, missing its extra."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import requests

from akeneo_media_cli.sandbox import SandboxOptions, default_catalogue, start_sandbox

from .client import JPG, Client, wait_for

SERVE = """
    import json, sys
    from pathlib import Path
    from akeneo_media_cli.sandbox import SandboxOptions, serve
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    serve(data=data, options=SandboxOptions(save_time=0.0),
          announce=lambda running: print(json.dumps(running.description()), flush=True))
    print("ended", flush=True)
"""


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_in_the_foreground_until_interrupted(number: signal.Signals) -> None:
    with python(SERVE) as process:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        assert set(about) == {"url", "client_id", "client_secret", "username", "password"}
        assert requests.get(about["url"], timeout=10).status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out.strip(), err) == (0, "ended", "")


def test_it_stops_though_calls_are_held() -> None:
    code = SERVE.replace("save_time=0.0", "save_time=600")
    with python(code) as process:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        basic = (about["client_id"], about["client_secret"])
        login = {"grant_type": "password", "username": about["username"], "password": about["password"]}
        answer = requests.post(f"{about['url']}/api/oauth/v1/token", json=login, auth=basic, timeout=10)
        place = '{"identifier":"shoe_1","attribute":"picture","locale":null,"scope":null}'
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.post(
                f"{about['url']}/api/rest/v1/media-files",
                files=[("product", (None, place)), ("file", ("a.jpg", JPG))],
                headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
                timeout=(5, 0.2),
            )
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_kept_sandbox_remembers_everything(tmp_path: Path) -> None:
    with start_sandbox(data=tmp_path) as sandbox, Client(sandbox) as client:
        before = sandbox.credentials
        client.upload("shoe_1")
        client.upload("shoe_1", data=JPG + b"2")
        client.upload("shoe_2", "sku")
        client.call("DELETE", "/products/shoe_3")
        client.patch("/products/made", {"enabled": False})
        values = sandbox.values()
        products = sandbox.stats()["products"]
    with start_sandbox(data=tmp_path) as sandbox, Client(sandbox) as client:
        assert sandbox.credentials == before
        assert [dict(v, changed=0) for v in sandbox.values()] == [dict(v, changed=0) for v in values]
        stats = sandbox.stats()
        assert (stats["products"], stats["files_on_disk"], stats["rows"]) == (products, 3, 3)
        assert stats["orphans"] == 2
        assert client.get("/products/shoe_2").status_code == 404
        assert client.get("/products/shoe_3").status_code == 404
        assert client.get("/products/made").json()["enabled"] is False


def test_a_kept_sandbox_keeps_assets_too(tmp_path: Path) -> None:
    catalogue = {
        **default_catalogue(),
        "edition": "ee",
        "asset_families": [{"code": "f", "attributes": [{"code": "m"}]}],
    }
    with start_sandbox(catalogue, data=tmp_path) as sandbox, Client(sandbox) as client:
        code = client.send("/asset-media-files", {}, "a.jpg").headers["Asset-media-file-code"]
        values = {"m": [{"locale": None, "channel": None, "data": code}]}
        client.patch("/asset-families/f/assets", [{"code": "a", "values": values}])
    with start_sandbox(catalogue, data=tmp_path) as sandbox, Client(sandbox) as client:
        assert client.get("/asset-families/f/assets/a").json()["values"]["m"][0]["data"] == code


def test_killed_at_any_time_it_holds_what_it_answered_for(tmp_path: Path) -> None:
    """SIGKILL after so many answers: each 201 is there with its bytes in the next life."""
    promised: dict[str, str] = {}
    for life in range(4):
        with python(SERVE, str(tmp_path)) as process:
            assert process.stdout is not None
            about = json.loads(process.stdout.readline())
            basic = (about["client_id"], about["client_secret"])
            login = {"grant_type": "password", "username": about["username"], "password": about["password"]}
            token = requests.post(
                f"{about['url']}/api/oauth/v1/token", json=login, auth=basic, timeout=10
            ).json()
            held = requests.get(f"{about['url']}/_sandbox/values", timeout=10).json()["values"]
            assert {v["identifier"]: v["sha256"] for v in held} == promised
            assert requests.get(f"{about['url']}/_sandbox/stats", timeout=10).json()["swapped"] == 0
            for n in range(3):
                data = JPG + os.urandom(50_000)
                identifier = f"shoe_{life * 3 + n + 1}"
                place = {"identifier": identifier, "attribute": "picture", "locale": None, "scope": None}
                answer = requests.post(
                    f"{about['url']}/api/rest/v1/media-files",
                    files=[("product", (None, json.dumps(place))), ("file", ("a.jpg", data))],
                    headers={"Authorization": f"Bearer {token['access_token']}"},
                    timeout=10,
                )
                assert answer.status_code == 201
                promised[identifier] = hashlib.sha256(data).hexdigest()
            process.kill()
    assert len(promised) == 12


def test_leftovers_of_a_killed_upload_are_swept(tmp_path: Path) -> None:
    incoming = tmp_path / "files" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "17").write_bytes(b"half")
    with start_sandbox(data=tmp_path):
        assert list(incoming.iterdir()) == []


def test_a_temporary_folder_goes_with_the_sandbox() -> None:
    sandbox = start_sandbox()
    folder = sandbox.store.media.folder
    with Client(sandbox) as client:
        client.upload("shoe_1")
        assert folder.is_dir()
    sandbox.stop()
    sandbox.stop()
    assert not folder.parent.exists()


def test_an_address_that_is_taken_is_an_error_and_leaves_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        start_sandbox(port=taken.getsockname()[1])


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "localhost"])
def test_the_url_can_be_called_whatever_the_host(host: str) -> None:
    try:
        sandbox = start_sandbox(host=host)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with sandbox:
        assert requests.get(f"{sandbox.url}/_sandbox/stats", timeout=10).status_code == 200
        assert "0.0.0.0" not in sandbox.url


def test_connections_are_described() -> None:
    catalogue = {**default_catalogue(), "connections": {"main": "all", "readonly": "may not edit"}}
    with start_sandbox(catalogue) as sandbox:
        about = sandbox.description()
        assert set(about["connections"]) == {"main", "readonly"}
        assert about["connections"]["main"]["password"] == about["password"]
        assert about["password"] not in repr(sandbox.credentials)
        assert about["client_secret"] not in repr(sandbox.connections)


def test_without_the_extra_it_says_what_to_install() -> None:
    code = """
        import sys
        sys.modules["starlette"] = None
        from akeneo_media_cli.sandbox import SandboxMissing, start_sandbox
        try:
            start_sandbox()
        except SandboxMissing as error:
            assert isinstance(error, ImportError)
            print(error)
    """
    with python(code) as process:
        out, err = process.communicate(timeout=20)
    assert err == ""
    assert "pip install 'akeneo-media-cli[sandbox]'" in out


def test_importing_it_is_light_and_it_imports_nothing_of_the_package_but_content() -> None:
    code = """
        import sys
        import akeneo_media_cli.sandbox
        heavy = {"starlette", "uvicorn", "python_multipart", "requests", "rich"}
        print(sorted(heavy & set(sys.modules)))
        from akeneo_media_cli.sandbox import start_sandbox
        start_sandbox().stop()
        own = [m for m in sys.modules if m.startswith("akeneo_media_cli.")]
        allowed = ("akeneo_media_cli.sandbox", "akeneo_media_cli.content")
        print([m for m in own if not m.startswith(allowed)])
    """
    with python(code) as process:
        out, err = process.communicate(timeout=20)
    assert (out.split("\n"), err) == (["[]", "[]", ""], "")


def test_many_uploads_are_held_on_disk_not_in_memory(tmp_path: Path) -> None:
    """60 MB in one file: the process grows by a fraction of that."""
    with python(SERVE, str(tmp_path)) as process:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        basic = (about["client_id"], about["client_secret"])
        login = {"grant_type": "password", "username": about["username"], "password": about["password"]}
        token = requests.post(f"{about['url']}/api/oauth/v1/token", json=login, auth=basic, timeout=10).json()
        headers = {
            "Authorization": f"Bearer {token['access_token']}",
            "Content-Type": "multipart/form-data; boundary=b",
        }
        before = peak(process.pid)
        place = b'{"identifier":"shoe_1","attribute":"picture","locale":null,"scope":null}'
        body = tmp_path / "body"
        with body.open("wb") as out:
            out.write(b'--b\r\nContent-Disposition: form-data; name="product"\r\n\r\n' + place + b"\r\n")
            out.write(b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + JPG)
            for _ in range(60):
                out.write(b"x" * 1_000_000)
            out.write(b"\r\n--b--\r\n")
        with body.open("rb") as data:
            answer = requests.post(
                f"{about['url']}/api/rest/v1/media-files", data=data, headers=headers, timeout=60
            )
        assert answer.status_code == 201
        download = requests.get(f"{answer.headers['Location']}/download", headers=headers, timeout=60)
        assert len(download.content) == 60_000_000 + len(JPG)
        grown = peak(process.pid) - before
        process.terminate()
        process.communicate(timeout=20)
    assert grown < 16_000_000


def peak(pid: int) -> int:
    """The most memory a process ever held, in bytes."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("this system has no /proc")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_a_defect_of_the_sandbox_is_a_500_a_count_and_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    with start_sandbox() as sandbox, Client(sandbox) as client:
        sandbox.inside(lambda: sandbox.store.catalogue.attributes["picture"].pop("scopable"))
        answer = client.upload("shoe_1")
        assert (answer.status_code, answer.json()["code"]) == (500, 500)
        assert sandbox.stats()["defects"] == 1
    assert "defect of the sandbox" in caplog.text


def test_pipelined_and_reused_connections_are_served() -> None:
    with start_sandbox(options=SandboxOptions(save_time=0.0)) as sandbox, Client(sandbox) as client:
        with client.raw("GET", "/channels") as raw:
            raw.sendall(b"GET /api/rest/v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b""
            while piece := raw.recv(65536):
                answer += piece
        assert answer.count(b"HTTP/1.1 200 OK") == 2
        wait_for(lambda: sandbox.stats()["in_flight"] == 0)
