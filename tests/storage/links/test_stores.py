"""Links to buckets and SFTP servers: those are real, but for Google's, of which there is what it takes."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.http.multipart import FileBody
from akeneo_media_cli.pim.http.transport import CallInfo
from akeneo_media_cli.storage.links import Found, LinkOptions, Links
from akeneo_media_cli.storage.links.found import HEAD
from akeneo_media_cli.storage.links.judging import judged

from ...pim.server import Reply, Server, listening
from .gcs import Buckets
from .sftp import SftpServer
from .test_web import content, trouble

LONG = os.urandom(9_000_000)

Make = Callable[..., Links]


@pytest.fixture
def links() -> Iterator[Make]:
    with ExitStack() as stack:

        def make(*hosts: str, timeout: float = 10, **more: Any) -> Links:
            options = LinkOptions(True, hosts, 10)
            return stack.enter_context(closing(Links(options, timeout=timeout, pool=4, **more)))

        yield make


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Puts objects into the bucket `buck` of an S3 server that the environment names."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "hidden-word",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    import boto3
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="buck")
    yield lambda key, body: client.put_object(Bucket="buck", Key=key, Body=body)
    client.close()
    server.stop()
    S3FileSystem.clear_instance_cache()


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Buckets]:
    from fsspec.config import conf
    from gcsfs.core import GCSFileSystem

    buckets = Buckets()
    with Server(buckets) as server:
        monkeypatch.setitem(conf, "gs", {"token": "anon", "endpoint_url": server.url})
        GCSFileSystem.clear_instance_cache()
        yield buckets
        GCSFileSystem.clear_instance_cache()


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SftpServer]:
    for name in ("root", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with SftpServer(tmp_path / "root", tmp_path / "home") as server:
        yield server


# S3.


def test_an_object_of_s3_is_streamed_through(bucket: Any, links: Make) -> None:
    bucket("a/b c#d?.jpg", LONG)
    follow = links()
    found = follow.look("s3://buck/a/b c#d?.jpg")
    assert (found.size, found.head) == (len(LONG), LONG[:HEAD])
    source = follow.source("s3://buck/a/b c#d?.jpg")
    assert (source.name, source.size, source.mtime_ns) == ("b c#d?.jpg", len(LONG), found.version)
    assert content(source) == LONG
    bucket("a/b c#d?.jpg", LONG[::-1])
    assert follow.look("s3://buck/a/b c#d?.jpg").version != found.version


def test_an_object_that_changes_meanwhile_is_no_file(bucket: Any, links: Make) -> None:
    bucket("a.jpg", LONG)
    with closing(links().source("s3://buck/a.jpg")) as source:
        pieces = iter(FileBody(source))
        next(pieces)
        bucket("a.jpg", LONG[::-1])
        said = trouble(lambda: list(pieces))
    assert said.failure.kind in (Kind.FILE_CHANGED, Kind.SOURCE_TROUBLE)


def test_what_s3_has_not_got(bucket: Any, links: Make) -> None:
    bucket("d/a.jpg", b"x")
    bucket("empty.jpg", b"")
    follow = links()
    assert trouble(lambda: follow.look("s3://buck/none.jpg")).failure.kind is Kind.FILE_MISSING
    assert trouble(lambda: follow.source("s3://nobody/a.jpg")).failure.kind is Kind.FILE_MISSING
    assert trouble(lambda: follow.look("s3://buck/d")).failure.kind is Kind.FILE_NOT_REGULAR
    assert follow.look("s3://buck/empty.jpg").size == 0
    assert trouble(lambda: follow.source("s3://buck/empty.jpg")).failure.kind is Kind.FILE_EMPTY


def test_what_s3_never_gives(bucket: Any, links: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    follow = links()
    said = trouble(lambda: follow.look("s3://no:bucket/a.jpg"))
    assert (said.failure.kind, said.passing) == (Kind.FILE_UNREADABLE, False)
    assert "Invalid bucket name" in said.failure.message
    for name in ("none", "buck"):
        assert not trouble(lambda name=name: follow.look(f"s3://{name}/none.jpg")).passing  # type: ignore[misc]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Kind.SOURCE_TROUBLE),
        (400, Kind.FILE_UNREADABLE),
        (403, Kind.FILE_UNREADABLE),
        (405, Kind.FILE_UNREADABLE),
        (404, Kind.FILE_MISSING),
        (409, Kind.SOURCE_TROUBLE),
        (429, Kind.SOURCE_TROUBLE),
        (503, Kind.SOURCE_TROUBLE),
    ],
)
def test_an_answer_of_s3_passes_or_does_not(
    bucket: Any, links: Make, monkeypatch: pytest.MonkeyPatch, status: int, kind: Kind
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with Server(lambda request: Reply(status)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        said = trouble(lambda: links().look("s3://buck/a.jpg"))
    assert (said.failure.kind, said.passing) == (kind, kind is Kind.SOURCE_TROUBLE)


@pytest.mark.parametrize("status", [400, 403])
def test_what_google_never_gives(
    google: Buckets, links: Make, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    from fsspec.config import conf

    with Server(lambda request: Reply(status, b"no")) as server:
        monkeypatch.setitem(conf, "gs", {"token": "anon", "endpoint_url": server.url})
        said = trouble(lambda: links().look("gs://buck/a.jpg"))
    assert (said.failure.kind, said.passing) == (Kind.FILE_UNREADABLE, False)


def test_nobody_is_known_to_s3_without_credentials(
    bucket: Any, links: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    said = trouble(lambda: links().look("s3://buck/a.jpg"))
    assert (said.failure.kind, said.passing) == (Kind.FILE_UNREADABLE, False)
    assert "docs/links.md" in said.failure.hint


def test_no_s3_there(links: Make, monkeypatch: pytest.MonkeyPatch, bucket: Any) -> None:
    with listening(lambda sock: None) as port:
        pass
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    said = trouble(lambda: links().look("s3://buck/a.jpg"))
    assert (said.failure.kind, said.passing) == (Kind.SOURCE_TROUBLE, True)
    assert "hidden" not in said.failure.message
    assert str(port) not in said.failure.message


# Google Cloud Storage.


def test_an_object_of_google_is_streamed_through(google: Buckets, links: Make) -> None:
    google.objects["buck/a/ä b.jpg"] = LONG
    follow = links()
    found = follow.look("gs://buck/a/ä b.jpg")
    assert (found.size, found.head) == (len(LONG), LONG[:HEAD])
    source = follow.source("gs://buck/a/ä b.jpg")
    assert source.mtime_ns == found.version
    assert content(source) == LONG
    with closing(follow.source("gs://buck/a/ä b.jpg")) as source:
        pieces = iter(FileBody(source))
        next(pieces)
        google.objects["buck/a/ä b.jpg"] = LONG[::-1]
        assert trouble(lambda: list(pieces)).failure.kind is Kind.FILE_CHANGED
    assert follow.look("gs://buck/a/ä b.jpg").version != found.version
    assert trouble(lambda: follow.look("gs://buck/none.jpg")).failure.kind is Kind.FILE_MISSING


# SFTP.


def test_a_file_of_an_sftp_server_is_streamed_through(sftp: SftpServer, links: Make) -> None:
    sftp.known()
    path = sftp.root / "ä b?.jpg"
    path.write_bytes(LONG)
    follow = links("127.0.0.1")
    found = follow.look(f"{sftp.url}/ä b?.jpg")
    assert (found.size, found.head) == (len(LONG), LONG[:HEAD])
    dated = Found(len(LONG), int(path.stat().st_mtime) * 10**9, dated=True)
    assert found.version == dated.at(f"{sftp.url}/ä b?.jpg").version
    for _ in range(3):
        assert content(follow.source(f"{sftp.url}/ä b?.jpg")) == LONG
    # Connections are kept: reading, and asking whether what was read is still there.
    assert sftp.logins == 2
    with closing(follow.source(f"{sftp.url}/ä b?.jpg")) as source:
        pieces = iter(FileBody(source))
        next(pieces)
        path.write_bytes(LONG[:-1])
        assert trouble(lambda: list(pieces)).failure.kind is Kind.FILE_CHANGED


def test_what_an_sftp_server_has_not_got(sftp: SftpServer, links: Make) -> None:
    sftp.known()
    (sftp.root / "d").mkdir()
    follow = links("127.0.0.1")
    assert trouble(lambda: follow.look(f"{sftp.url}/none.jpg")).failure.kind is Kind.FILE_MISSING
    assert trouble(lambda: follow.source(f"{sftp.url}/d")).failure.kind is Kind.FILE_NOT_REGULAR


def test_the_server_has_to_be_known(sftp: SftpServer, links: Make) -> None:
    (sftp.root / "a.jpg").write_bytes(b"x")
    said = trouble(lambda: links("127.0.0.1").look(f"{sftp.url}/a.jpg"))
    assert (said.failure.kind, said.passing) == (Kind.FILE_UNREADABLE, False)
    assert "host key is unknown" in said.failure.message
    sftp.known(asyncssh.generate_private_key("ssh-ed25519"))
    said = trouble(lambda: links("127.0.0.1").look(f"{sftp.url}/a.jpg"))
    assert "host key differs" in said.failure.message
    assert sftp.logins == 0


def test_the_user_has_to_be_known(sftp: SftpServer, links: Make) -> None:
    sftp.known()
    sftp.identity.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    said = trouble(lambda: links("127.0.0.1").look(f"{sftp.url}/a.jpg"))
    assert (said.failure.kind, said.passing) == (Kind.FILE_UNREADABLE, False)
    sftp.identity.unlink()
    said = trouble(lambda: links("127.0.0.1").look(f"{sftp.url}/a.jpg"))
    assert (said.failure.kind, said.passing) == (Kind.FILE_UNREADABLE, False)


def test_a_server_inside_is_asked_only_when_named(sftp: SftpServer, links: Make) -> None:
    said = trouble(lambda: links().look(f"{sftp.url}/a.jpg"))
    assert said.failure.kind is Kind.LINK_REFUSED
    inward = links(resolve=lambda *_: ["127.0.0.1"])
    said = trouble(lambda: inward.look(f"sftp://h.example:{sftp.port}/a.jpg"))
    assert (said.failure.kind, sftp.logins) == (Kind.LINK_REFUSED, 0)


def test_a_server_that_goes_away(sftp: SftpServer, links: Make, caplog: pytest.LogCaptureFixture) -> None:
    sftp.known()
    (sftp.root / "a.jpg").write_bytes(b"x")
    follow = links("127.0.0.1", timeout=5)
    assert follow.look(f"{sftp.url}/a.jpg").size == 1
    sftp.stop()
    for _ in range(2):
        said = trouble(lambda: follow.look(f"{sftp.url}/a.jpg"))
        assert (said.failure.kind, said.passing) == (Kind.SOURCE_TROUBLE, True)
    with listening(lambda sock: sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        said = trouble(lambda: follow.look(f"sftp://me@127.0.0.1:{port}/a.jpg"))
    assert (said.failure.kind, said.passing) == (Kind.SOURCE_TROUBLE, True)


def test_a_server_that_says_no_more_than_its_name(sftp: SftpServer, links: Make) -> None:
    told, late = threading.Event(), threading.Event()

    def serve(sock: socket.socket) -> None:
        sock.sendall(b"SSH-2.0-x\r\n")
        if not told.wait(4):
            late.set()

    with listening(serve) as port:
        said = trouble(lambda: links("127.0.0.1", timeout=0.3).look(f"sftp://me@127.0.0.1:{port}/a.jpg"))
        told.set()
    assert (said.failure.kind, said.passing) == (Kind.SOURCE_TROUBLE, True)
    assert not late.is_set()


# All of them.


def test_what_their_libraries_say_does_not_go_past_the_display(links: Make) -> None:
    """paramiko logs a traceback of its own where nobody has taken its logger."""
    program = (
        "import socket, sys, threading\n"
        "from akeneo_media_cli.storage.links import LinkOptions, Links\n"
        "from akeneo_media_cli.pim.errors import SourceTrouble\n"
        "there = socket.create_server(('127.0.0.1', 0))\n"
        "def serve():\n"
        "    while True:\n"
        "        there.accept()[0].sendall(b'no ssh\\r\\n' * 200)\n"
        "threading.Thread(target=serve, daemon=True).start()\n"
        "links = Links(LinkOptions(True, ['127.0.0.1']), timeout=1, pool=1)\n"
        "try: links.look(f'sftp://127.0.0.1:{there.getsockname()[1]}/a.jpg')\n"
        "except SourceTrouble as trouble: print(trouble)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "cannot be read" in done.stdout
    assert done.stderr == ""


def test_calls_are_told(google: Buckets, links: Make) -> None:
    calls: list[CallInfo] = []
    google.objects["buck/a.jpg"] = b"x"
    follow = links(on_call=calls.append)
    follow.look("gs://buck/a.jpg")
    assert content(follow.source("gs://buck/a.jpg")) == b"x"
    trouble(lambda: follow.look("gs://buck/b.jpg"))
    assert [(c.method, c.path) for c in calls] == [
        ("look at", "gs://buck/a.jpg"),
        ("open", "gs://buck/a.jpg"),
        ("look at", "gs://buck/a.jpg"),
        ("look at", "gs://buck/b.jpg"),
    ]
    assert calls[3].error is not None


def test_errors_are_told_without_what_they_quote() -> None:
    said = judged(RuntimeError("GET https://h/a?X-Amz-Signature=hidden failed\nand more"), "s3://b/a", 1)
    assert said.failure.message == "s3://b/a cannot be read: RuntimeError: GET *** failed"
    assert judged(ValueError(), "s3://b/a", 1).failure.message == "s3://b/a cannot be read: ValueError"
    missing = judged(ModuleNotFoundError("No module named 's3fs'"), "s3://b/a", 1)
    assert missing.failure.kind is Kind.LINK_REFUSED
    assert "akeneo-media-cli[remote]" in missing.failure.hint
    assert judged(TimeoutError(), "s3://b/a", 1.5).failure.message.endswith("no answer within 1.5 seconds")
    assert logging.getLogger("paramiko").handlers
