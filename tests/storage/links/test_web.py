"""Links over HTTP, against servers on real sockets."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.pim.errors import SourceTrouble
from akeneo_media_cli.pim.http.multipart import FileBody
from akeneo_media_cli.pim.http.transport import CallInfo
from akeneo_media_cli.storage.links import Found, LinkOptions, Links, LinkSource, too_slow
from akeneo_media_cli.storage.links.found import HEAD, Patience, version_of

from ...pim.server import CERTIFICATE, Reply, Request, Server, listening
from .hosts import File, Host

LONG = bytes(range(256)) * 4000
OWN = ("127.0.0.1", "localhost")

Start = Callable[..., tuple[Host, str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """A host with files, and its URL."""
    with ExitStack() as stack:

        def make(**files: File) -> tuple[Host, str]:
            host = Host({f"/{name}": file for name, file in files.items()})
            return host, stack.enter_context(Server(host)).url

        yield make


@pytest.fixture
def links() -> Iterator[Callable[..., Links]]:
    with ExitStack() as stack:

        def make(*hosts: str, timeout: float = 5, max_temp: int = 10**9, **more: Any) -> Links:
            options = LinkOptions(True, hosts or OWN, max_temp)
            return stack.enter_context(closing(Links(options, timeout=timeout, pool=4, **more)))

        yield make


def content(source: LinkSource) -> bytes:
    """What a PIM gets of a source."""
    body = FileBody(source)
    with closing(source):
        sent = b"".join(bytes(piece) for piece in body)
    assert len(sent) == len(body)
    head, tail = sent.find(b"\r\n\r\n") + 4, len(sent) - sent.rfind(b"\r\n--")
    assert body.sha256 == hashlib.sha256(sent[head:-tail]).hexdigest()
    return sent[head:-tail]


def trouble(call: Callable[[], Any]) -> SourceTrouble:
    with pytest.raises(SourceTrouble) as caught:
        call()
    # Nothing that requests or urllib3 raised comes along: it may hold the link.
    assert caught.value.__cause__ is None
    return caught.value


def refused(call: Callable[[], Any]) -> tuple[Kind, bool]:
    said = trouble(call)
    assert said.failure.hint
    return said.failure.kind, said.passing


# What is there.


def test_a_link_is_looked_at_with_its_first_bytes_alone(start: Start, links: Any) -> None:
    host, url = start(a=File(LONG, etag='"1"'), b=File(b"short"), c=File(LONG, ranges=False))
    follow = links()
    assert follow.look(f"{url}/a") == Found(
        len(LONG), version_of('"1"'), LONG[:HEAD], content_type="image/jpeg"
    )
    assert follow.look(f"{url}/b") == Found(5, None, b"short", content_type="image/jpeg")
    assert follow.look(f"{url}/c") == Found(len(LONG), None, LONG[:HEAD], content_type="image/jpeg")
    assert host.wanted[0][1]["range"] == f"bytes=0-{HEAD - 1}"
    assert host.wanted[0][1]["accept-encoding"] == "identity"
    assert not {"authorization", "cookie"} & set(host.wanted[0][1])


def test_a_length_that_nobody_tells(start: Start, links: Any) -> None:
    _, url = start(
        a=File(LONG, length=False, ranges=False), b=File(b"all", length=False), c=File(LONG, packed=True)
    )
    follow = links()
    assert follow.look(f"{url}/a") == Found(None, None, LONG[:HEAD], content_type="image/jpeg")
    assert follow.look(f"{url}/b").size == 3
    assert follow.look(f"{url}/c") == Found(None, None, LONG[:HEAD], content_type="image/jpeg")


def test_etag_or_time_stand_for_the_time_of_change(start: Start, links: Any) -> None:
    when = "Wed, 21 Oct 2026 07:28:00 GMT"
    _, url = start(
        a=File(b"x", etag='W/"1"', changed=when), b=File(b"x", changed=when), c=File(b"x", changed="soon")
    )
    follow = links()
    assert follow.look(f"{url}/a").version == version_of('"1"')
    dated = Found(1, 1792567680 * 10**9, dated=True)
    assert follow.look(f"{url}/b").version == dated.at(f"{url}/b").version
    with closing(follow.source(f"{url}/b")) as source:
        assert source.mtime_ns == dated.at(f"{url}/b").version
    assert follow.look(f"{url}/c").version == Found(1, version_of("soon"), dated=True).at(f"{url}/c").version


@pytest.mark.parametrize("etag", [None, '"6ad25280-1"', 'W/"6ad25280-1"', '"1-65df7c359a000"'])
def test_a_time_says_nothing_of_another_link(start: Start, links: Any, etag: str | None) -> None:
    """nginx and Apache make their ETags of time and size alone."""
    file = File(b"x", etag=etag, changed="Fri, 16 Oct 2026 16:36:16 GMT")
    _, url = start(**{"a?x=1": file, "a?x=2": file, "a?sig=one": file, "a?sig=two": file})
    follow = links()
    paths = [f"{url}/a?x=1", f"{url}/a?x=2"]
    paths += [follow.take(f"{url}/a?sig=***", f"{url}/a?sig={each}")[0] for each in ("one", "two")]
    told = [follow.look(path).version for path in paths]
    assert len(set(told)) == 4
    assert told == [follow.look(path).version for path in paths]
    # What is secret is known to no other process, and so nothing in the ledger that it could be guessed by.
    path, _ = links().take(f"{url}/a?sig=***", f"{url}/a?sig=one")
    assert path not in paths


def test_an_etag_stands_for_the_content_wherever_it_is(start: Start, links: Any) -> None:
    file = File(b"x", etag='"0123456789abcdef0123456789abcdef"', changed="Fri, 16 Oct 2026 16:36:16 GMT")
    _, url = start(**{"a?sig=one": file, "a?sig=two": file})
    follow = links()
    paths = [follow.take(f"{url}/a?sig=***", f"{url}/a?sig={each}")[0] for each in ("one", "two")]
    assert {follow.look(path).version for path in paths} == {version_of(file.etag)}


@pytest.mark.parametrize("status", [404, 410])
def test_a_link_to_nothing(start: Start, links: Any, status: int) -> None:
    _, url = start(a=File(status=status))
    said = trouble(lambda: links().look(f"{url}/a"))
    assert (said.failure.kind, said.failure.http_status, said.passing) == (Kind.FILE_MISSING, status, False)


@pytest.mark.parametrize(
    ("status", "kind", "passing"),
    [
        (401, Kind.FILE_UNREADABLE, False),
        (403, Kind.FILE_UNREADABLE, False),
        (400, Kind.FILE_UNREADABLE, False),
        (204, Kind.FILE_UNREADABLE, False),
        (304, Kind.FILE_UNREADABLE, False),
        (408, Kind.SOURCE_TROUBLE, True),
        (429, Kind.SOURCE_TROUBLE, True),
        (500, Kind.SOURCE_TROUBLE, True),
        (503, Kind.SOURCE_TROUBLE, True),
    ],
)
def test_refusals(start: Start, links: Any, status: int, kind: Kind, passing: bool) -> None:
    _, url = start(a=File(status=status))
    assert refused(lambda: links().look(f"{url}/a")) == (kind, passing)
    assert refused(lambda: links().source(f"{url}/a")) == (kind, passing)


def test_an_empty_file_is_told(start: Start, links: Any) -> None:
    _, url = start(a=File(b""), b=File(b"", ranges=False), c=File(b"", length=False, ranges=False))
    follow = links()
    assert refused(lambda: follow.look(f"{url}/a")) == (Kind.FILE_EMPTY, False)
    assert follow.look(f"{url}/b").size == 0
    for name in ("a", "b", "c"):
        assert refused(lambda name=name: follow.source(f"{url}/{name}"))[0] is Kind.FILE_EMPTY  # type: ignore[misc]


# Its bytes.


def test_a_known_length_is_streamed_through(start: Start, links: Any) -> None:
    host, url = start(**{"a.jpg": File(LONG, etag='"1"')})
    source = links(max_temp=10).source(f"{url}/a.jpg")
    assert (source.name, source.size, source.mtime_ns) == ("a.jpg", len(LONG), version_of('"1"'))
    assert content(source) == LONG
    assert host.times("/a.jpg") == 1


def test_a_part_that_nobody_asked_for_is_no_file(links: Any) -> None:
    def handle(request: Request) -> Reply:
        return Reply(206, LONG[:5000], {"Content-Range": f"bytes 0-4999/{len(LONG)}"})

    with Server(handle) as server:
        assert links().look(f"{server.url}/a").size == len(LONG)
        assert refused(lambda: links().source(f"{server.url}/a")) == (Kind.FILE_UNREADABLE, False)


def test_a_second_try_asks_again_and_takes_no_other_content(start: Start, links: Any) -> None:
    host, url = start(a=File(LONG, etag='"1"'))
    with closing(links().source(f"{url}/a")) as source:
        body = FileBody(source)
        first = b"".join(bytes(piece) for piece in body)
        assert b"".join(bytes(piece) for piece in body) == first
        assert host.times("/a") == 2
        host.files["/a"] = File(LONG, etag='"2"')
        assert trouble(lambda: list(body)).failure.kind is Kind.FILE_CHANGED
        host.files["/a"] = File(LONG + b"x", etag='"1"')
        assert trouble(lambda: list(body)).failure.kind is Kind.FILE_CHANGED


@pytest.mark.parametrize("how", [{"length": False}, {"packed": True}, {"packed": True, "length": False}])
def test_an_unknown_length_is_kept_on_disk_first(start: Start, links: Any, how: dict[str, bool]) -> None:
    host, url = start(a=File(LONG, **how))
    follow = links(max_temp=len(LONG))
    for _ in range(2):
        with closing(follow.source(f"{url}/a")) as source:
            assert source.size == len(LONG)
            body = FileBody(source)
            for _ in range(2):
                assert LONG in b"".join(bytes(piece) for piece in body)
    assert host.times("/a") == 2
    small = links(max_temp=len(LONG) - 1)
    for _ in range(2):
        assert refused(lambda: small.source(f"{url}/a")) == (Kind.FILE_TOO_LARGE, False)


def test_a_body_that_breaks_off_is_no_file(start: Start, links: Any) -> None:
    _, url = start(
        a=File(LONG, cut=len(LONG) // 2),
        b=File(LONG, cut=0),
        c=File(LONG, cut=5000, length=False),
        d=File(LONG, cut=100, packed=True),
    )
    follow = links()
    for name in ("a", "b"):
        source = follow.source(f"{url}/{name}")
        sent = 0
        with closing(source), pytest.raises(SourceTrouble) as caught:
            for piece in (body := FileBody(source)):
                sent += len(piece)
        assert (caught.value.failure.kind, caught.value.passing) == (Kind.SOURCE_TROUBLE, True)
        assert sent < len(body)
    for name in ("c", "d"):
        assert refused(lambda name=name: follow.source(f"{url}/{name}")) == (Kind.SOURCE_TROUBLE, True)  # type: ignore[misc]


def test_a_host_that_falls_silent(links: Any) -> None:
    over = threading.Event()

    def silent(sock: Any) -> None:
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
        over.wait(30)

    with listening(silent) as port:
        source = links(timeout=0.2).source(f"http://127.0.0.1:{port}/a")
        said = trouble(lambda: content(source))
        over.set()
    assert (said.failure.kind, said.passing) == (Kind.SOURCE_TROUBLE, True)
    assert "silent for 0.2 seconds" in said.failure.message


def test_a_host_that_drips_is_given_up() -> None:
    now = [0.0]
    patience = Patience("https://h/a", 60, lambda: now[0])

    def after(seconds: float, count: int) -> Callable[[], int]:
        def read() -> int:
            now[0] += seconds
            return count

        return read

    assert patience.read(after(50, 60_000)) == 60_000
    # What the PIM takes its time for is not held against the host.
    now[0] += 10_000
    assert patience.read(after(20, 20_000)) == 20_000
    assert patience.read(after(59, 1)) == 1
    said = trouble(lambda: patience.read(after(2, 1)))
    assert (said.failure.message, said.passing) == ("https://h/a sends 0 bytes a second", True)
    assert patience.longest == 59


def test_a_handshake_that_nobody_answers_is_told_as_what_it_is(links: Any) -> None:
    over = threading.Event()
    with listening(lambda sock: over.wait(30) and None) as port:
        follow = links("127.0.0.1", timeout=0.3)
        said = trouble(lambda: follow.look(f"https://127.0.0.1:{port}/a"))
        over.set()
    assert (said.failure.kind, said.passing) == (Kind.SOURCE_TROUBLE, True)
    assert "no connection within 0.3 seconds" in said.failure.message


DRIPS = 200


class Dripping:
    """Says `said`, then `drip` 20 times a second for as long as anybody listens, at last `end`."""

    def __init__(self, said: bytes, drip: bytes, end: bytes = b"") -> None:
        self.said, self.drip, self.end = said, drip, end
        self.hung_up = threading.Event()
        self.over = threading.Event()

    def __call__(self, sock: socket.socket) -> None:
        sock.recv(65536)
        try:
            sock.sendall(self.said)
            for _ in range(DRIPS):
                self.hung_up.wait(0.05)
                sock.sendall(self.drip)
            sock.sendall(self.end)
            self.over.set()
        except OSError:
            self.hung_up.set()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "drip", "end"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-A: ", b"a", b"\r\n\r\nx"),
        (b"HTTP/1.1 200 ", b"OK", b"\r\nContent-Length: 1\r\n\r\nx"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
        (CHUNKED, b"0", b"1\r\nx\r\n0\r\n\r\n"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X-A: a\r\n", b"\r\n"),
    ],
)
def test_a_host_that_drips_between_pieces_is_given_up(
    links: Any, said: bytes, drip: bytes, end: bytes
) -> None:
    host = Dripping(said, drip, end)
    with listening(host) as port:
        told = trouble(lambda: links(timeout=0.4).look(f"http://127.0.0.1:{port}/a"))
        assert not host.over.is_set()
        # Its connection is none that would be used again.
        assert host.hung_up.wait(5)
    assert (told.failure.kind, told.passing) == (Kind.SOURCE_TROUBLE, True)
    assert "almost nothing came within 0.4 seconds" in told.failure.message


@pytest.mark.parametrize(
    ("status", "length", "kind"), [(404, HEAD + 5000, Kind.FILE_MISSING), (200, HEAD + DRIPS, None)]
)
def test_nobody_waits_for_what_nobody_wants(links: Any, status: int, length: int, kind: Kind | None) -> None:
    host = Dripping(f"HTTP/1.1 {status} So\r\nContent-Length: {length}\r\n\r\n".encode() + LONG[:HEAD], b"a")
    with listening(host) as port:
        follow = links(timeout=30)
        if kind is None:
            assert follow.look(f"http://127.0.0.1:{port}/a") == Found(length, None, LONG[:HEAD])
        else:
            assert refused(lambda: follow.look(f"http://127.0.0.1:{port}/a")) == (kind, False)
        assert not host.over.is_set()
        assert host.hung_up.wait(5)


def test_a_host_behind_a_proxy_is_given_up_too(links: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    host = Dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-A: ", b"a", b"\r\n\r\nx")
    with listening(host) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        follow = links("*", timeout=0.4, resolve=lambda *_: ["8.8.8.8"])
        said = trouble(lambda: follow.look("http://h.example/a"))
    assert "almost nothing came within 0.4 seconds" in said.failure.message


def test_a_pim_that_lost_patience_with_the_host_is_not_to_blame(
    start: Start, links: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = start(a=File(LONG))
    with closing(links().source(f"{url}/a")) as source:
        list(FileBody(source))
        lost = SourceTrouble(trouble(lambda: links().look(f"{url}/b")).failure)
        assert too_slow(source, lost) is None
        assert too_slow(object(), lost) is None
        monkeypatch.setattr("akeneo_media_cli.storage.links.source.SLOW", 0.0)
        blamed = too_slow(source, lost)
    assert blamed is not None
    assert (blamed.failure.kind, blamed.passing) == (Kind.SOURCE_TROUBLE, True)


def test_nobody_there(links: Any) -> None:
    with listening(lambda sock: None) as port:
        pass
    said = trouble(lambda: links().look(f"http://127.0.0.1:{port}/a"))
    assert (said.failure.kind, said.passing) == (Kind.SOURCE_TROUBLE, True)
    assert "Connection refused" in said.failure.message
    with listening(lambda sock: None) as port:
        assert refused(lambda: links().look(f"http://127.0.0.1:{port}/a")) == (Kind.SOURCE_TROUBLE, True)

    def lost(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    said = trouble(lambda: links("*", resolve=lost).look("https://h.example/a"))
    assert "the host h.example is not found" in said.failure.message


@pytest.mark.parametrize(
    "head", [f"Content-Length: {len(LONG) + 9}", "Transfer-Encoding: chunked\r\n\r\nfffff"]
)
def test_it_breaks_off_before_its_end(links: Any, head: str) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + LONG)

    with listening(serve) as port:
        said = trouble(lambda: content(links().source(f"http://127.0.0.1:{port}/a")))
    assert (said.failure.kind, said.passing) == (Kind.SOURCE_TROUBLE, True)
    assert "it broke off before its end" in said.failure.message


def test_no_http_is_spoken(links: Any) -> None:
    with listening(lambda sock: sock.sendall(b"220 mail\r\n\r\n")) as port:
        assert refused(lambda: links().look(f"http://127.0.0.1:{port}/a")) == (Kind.SOURCE_TROUBLE, True)


DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (f"206 Part\r\nContent-Range: bytes 0-{HEAD - 1}/{DIGITS}\r\nContent-Length: {HEAD}", None),
        (f"206 Part\r\nContent-Range: bytes 0-{DIGITS}/9000\r\nContent-Length: {HEAD}", 9000),
        (
            f"206 Part\r\nContent-Range: bytes 0-{HEAD - 1}/9223372036854775808\r\nContent-Length: {HEAD}",
            None,
        ),
        (f"200 Whole\r\nContent-Length: {DIGITS}", None),
        (f"200 Whole\r\nContent-Length: {HEAD}\r\nRetry-After: {DIGITS}", HEAD),
        (
            f"200 So\r\nContent-Length: {HEAD}\r\nSet-Cookie: a=b; expires=Mon, 01-Jan-{DIGITS} 00:00:00 GMT",
            HEAD,
        ),
    ],
)
def test_numbers_of_any_length_are_no_defect_of_ours(links: Any, head: str, size: int | None) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(f"HTTP/1.1 {head}\r\n\r\n".encode() + LONG[:HEAD])

    with listening(serve) as port:
        assert links().look(f"http://127.0.0.1:{port}/a").size == size


@pytest.mark.parametrize(
    "when",
    [
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Thu, 01 Jan 0001 00:00:00 +2359",
        f"Thu, 01 Jan {DIGITS} 00:00:00 GMT",
        f"Thu, 01 Jan 2026 00:00:{DIGITS} GMT",
        f"Thu, 01 Jan 2026 00:00:00 +{DIGITS}",
    ],
)
def test_times_of_any_kind_stand_in_the_ledger(start: Start, links: Any, when: str) -> None:
    _, url = start(a=File(b"x", changed=when))
    version = version_of(None, when)
    assert version is not None
    # What SQLite keeps.
    assert -(2**63) <= version < 2**63
    assert links().look(f"{url}/a") == Found(1, version, b"x", dated=True, content_type="image/jpeg").at(
        f"{url}/a"
    )


def test_chunks_of_less_than_nothing(links: Any) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n" + LONG)

    with listening(serve) as port:
        assert refused(lambda: links().look(f"http://127.0.0.1:{port}/a")) == (Kind.SOURCE_TROUBLE, True)


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
def test_names_that_no_host_has(start: Start, links: Any, host: str) -> None:
    assert "is not found" in trouble(lambda: links("*").look(f"http://{host}/a")).failure.message
    _, url = start(a=File(to=f"http://{host}/a"))
    said = trouble(lambda: links("*", "127.0.0.1").look(f"{url}/a"))
    assert (said.failure.kind, said.passing) == (Kind.SOURCE_TROUBLE, True)


# Where it leads on to.


def test_redirects_are_followed_hop_by_hop(start: Start, links: Any) -> None:
    _, far = start(a=File(LONG))
    _, url = start(
        a=File(to="/b"), b=File(to="c?x=1", status=301), c=File(to=f"{far}/a", status=308), d=File(to="/d")
    )
    follow = links()
    assert follow.look(f"{url}/a").size == len(LONG)
    assert content(follow.source(f"{url}/a")) == LONG
    assert "more than 5 times" in trouble(lambda: follow.look(f"{url}/d")).failure.message


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://169.254.169.254/latest/meta-data/", "not public"),
        ("http://[::ffff:169.254.169.254]/", "not public"),
        ("http://10.0.0.1/", "not public"),
        ("https://elsewhere.example/a", "links to elsewhere.example are not allowed"),
        ("ftp://h.example/a", "ftp:// links are not supported"),
        ("file:///etc/passwd", "not supported"),
        ("s3://bucket/a", "s3:// is not followed after a redirect"),
        ("http://me:Xyz1@127.0.0.1/a", "must not contain a user name or password"),
        ("http://[::1", "redirects to something else"),
        ("/b\x7f?token=zq9secret", "control characters"),
    ],
)
def test_redirects_lead_to_no_other_place(start: Start, links: Any, target: str, why: str) -> None:
    _, url = start(a=File(to=target))
    said = trouble(lambda: links().look(f"{url}/a"))
    assert not said.passing
    assert why in said.failure.message
    assert "Xyz1" not in said.failure.message
    assert "zq9secret" not in said.failure.message


def test_redirects_lead_to_no_other_port(start: Start, links: Any) -> None:
    far, there = start(a=File(LONG))
    port = there.rpartition(":")[2]
    _, url = start(a=File(to=f"http://localhost:{port}/a"), b=File(to=f"{there}/a"))
    own = url.rpartition(":")[2]
    follow = links(f"localhost:{own}")
    for path in ("a", "b"):
        said = trouble(lambda path=path: follow.look(f"http://localhost:{own}/{path}"))  # type: ignore[misc]
        assert (said.failure.kind, said.passing) == (Kind.LINK_REFUSED, False)
    assert not far.wanted
    assert links(f"localhost:{own}", f"localhost:{port}").look(f"http://localhost:{own}/a").size == len(LONG)


def test_what_leads_on_shows_no_secret(start: Start, links: Any) -> None:
    _, url = start(a=File(to="ftp://h.example/a?sig=hidden"))
    assert "hidden" not in trouble(lambda: links().look(f"{url}/a")).failure.message


def test_names_that_lead_inward_are_not_asked(start: Start, links: Any) -> None:
    host, url = start(a=File(LONG))
    port = url.rpartition(":")[2]
    inward = links("*", resolve=lambda *_: ["127.0.0.1"])
    said = trouble(lambda: inward.look(f"http://h.example:{port}/a"))
    assert (said.failure.kind, said.passing) == (Kind.LINK_REFUSED, False)
    assert "h.example leads to 127.0.0.1, an address that is not public" in said.failure.message
    assert not host.wanted
    named = links("h.example", "127.0.0.1", resolve=lambda *_: ["127.0.0.1"])
    assert named.look(f"http://h.example:{port}/a").size == len(LONG)
    assert host.wanted[0][1]["host"] == f"h.example:{port}"


def test_an_address_counts_at_the_moment_of_connecting(start: Start, links: Any) -> None:
    host, url = start(a=File(LONG))
    port = url.rpartition(":")[2]
    answers = [["93.184.216.34"], ["127.0.0.1"]]

    def turns(*_: Any) -> list[str]:
        return answers.pop() if len(answers) > 1 else answers[0]

    # The name leads inward first, and outward to whoever looks again.
    said = trouble(lambda: links("*", resolve=turns).look(f"http://h.example:{port}/a"))
    assert said.failure.kind is Kind.LINK_REFUSED
    assert not host.wanted


def test_the_next_address_is_tried_where_one_does_not_answer(start: Start, links: Any) -> None:
    _, url = start(a=File(LONG))
    port = url.rpartition(":")[2]
    follow = links("h.example", "127.0.0.0/8", resolve=lambda *_: ["127.0.0.2", "127.0.0.1"])
    assert follow.look(f"http://h.example:{port}/a").size == len(LONG)


# Who is told what.


def test_certificates_are_held_against_the_name(links: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(Host({"/a": File(LONG)}), tls=True) as server:
        port = server.port
        said = trouble(lambda: links().look(f"https://localhost:{port}/a"))
        assert (said.failure.kind, said.passing) == (Kind.FILE_UNREADABLE, False)
        assert "certificate of localhost is not trusted" in said.failure.message
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
        assert links().look(f"https://localhost:{port}/a").size == len(LONG)
        other = links("other.example", "127.0.0.1", resolve=lambda *_: ["127.0.0.1"])
        assert "not trusted" in trouble(lambda: other.look(f"https://other.example:{port}/a")).failure.message


def test_an_encrypted_link_leads_on_to_no_other(links: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    with Server(Host({"/a": File(to="http://127.0.0.1/b")}), tls=True) as server:
        said = trouble(lambda: links().look(f"https://localhost:{server.port}/a"))
    assert "it is not encrypted" in said.failure.message


def test_configured_headers_stay_with_their_host(
    start: Start, links: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from fsspec import config

    (tmp_path / "conf.json").write_text(
        json.dumps({"http": {"client_kwargs": {"headers": {"Authorization": "Bearer hidden"}}}})
    )
    config.set_conf_files(str(tmp_path), config.conf)
    try:
        far, there = start(b=File(LONG))
        host, url = start(a=File(to=f"{there}/b"))
        assert links().look(f"{url}/a").size == len(LONG)
        assert host.wanted[0][1]["authorization"] == "Bearer hidden"
        assert "authorization" not in far.wanted[0][1]
        config.conf["https"] = config.conf.pop("http")
        host.wanted.clear()
        assert links().look(f"{url}/a").size == len(LONG)
        assert "authorization" not in host.wanted[0][1]
        config.conf["http"] = config.conf.pop("https")
    finally:
        del config.conf["http"]


def test_netrc_and_cookies_are_no_business_of_links(
    start: Start, links: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password hidden\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    seen: list[dict[str, str]] = []

    def handle(request: Request) -> Reply:
        seen.append(request.headers)
        return Reply(200, LONG, {"Set-Cookie": "a=b; Path=/"})

    with Server(handle) as server:
        follow = links()
        for _ in range(2):
            follow.look(f"{server.url}/a")
    assert len(seen) == 2
    assert not any({"authorization", "cookie"} & set(headers) for headers in seen)


def test_a_proxy_is_used_and_asked_for_no_private_address(
    start: Start, links: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, url = start(**{"a": File(LONG)})
    host.files["http://h.example/a"] = File(LONG)
    monkeypatch.setenv("HTTP_PROXY", url)
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert links("*", resolve=lambda *_: ["8.8.8.8"]).look("http://h.example/a").size == len(LONG)

    def unknown(*_: Any) -> list[str]:
        raise OSError("only the proxy can tell")

    assert links("*", resolve=unknown).look("http://h.example/a").size == len(LONG)
    before = len(host.wanted)
    inward = links("*", resolve=lambda *_: ["10.0.0.1"])
    assert "not public" in trouble(lambda: inward.look("http://h.example/a")).failure.message
    assert "not public" in trouble(lambda: links("*").look("http://169.254.169.254/a")).failure.message
    assert len(host.wanted) == before


def test_a_proxy_that_cannot_be_used_is_told(links: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1")
    said = trouble(lambda: links("*", resolve=lambda *_: ["8.8.8.8"]).look("http://h.example/a"))
    assert (said.failure.kind, said.passing) == (Kind.FILE_UNREADABLE, False)
    assert "proxy" in said.failure.message


def test_calls_are_told_without_secrets(start: Start, links: Any) -> None:
    calls: list[CallInfo] = []
    _, url = start(a=File(LONG))
    follow = links(on_call=calls.append)
    path, _ = follow.take(f"{url}/a?sig=***", f"{url}/a?sig=hidden")
    assert follow.look(path).size == len(LONG)
    assert content(follow.source(path)) == LONG
    said = trouble(lambda: follow.look(follow.take(f"{url}/b?sig=***", f"{url}/b?sig=hidden")[0]))
    assert said.failure.message == f"{url}/b?sig=*** does not exist"
    assert [(c.method, c.status) for c in calls] == [("GET", 206), ("GET", 200), ("GET", 404)]
    assert not any("hidden" in repr(c) for c in calls)


def test_a_link_whose_secret_is_gone_is_not_followed(links: Any) -> None:
    follow = links()
    path, _ = follow.take("http://127.0.0.1/a?sig=***", "http://127.0.0.1/a?sig=hidden")
    said = trouble(lambda: links().look(path))
    assert (said.failure.kind, said.passing) == (Kind.LINK_REFUSED, False)
    assert "http://127.0.0.1/a?sig=*** contained a secret" in said.failure.message


def test_connections_are_kept(start: Start, links: Any) -> None:
    host = Host({"/a": File(LONG), "/b": File(b"x")})
    with Server(host) as server:
        follow = links()
        for _ in range(5):
            follow.look(f"{server.url}/a")
            assert content(follow.source(f"{server.url}/b")) == b"x"
        assert server.connections == 1
