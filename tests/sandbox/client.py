"""A careless client: plain requests, no locks, no retries."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import requests

from akeneo_media_cli.sandbox import Credentials, RunningSandbox

JPG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
FORM = "Content-Type: multipart/form-data; boundary=b"
LINES = "application/vnd.akeneo.collection+json"


class Client:
    """One session with one connection's token."""

    def __init__(self, sandbox: RunningSandbox, who: Credentials | None = None) -> None:
        self.sandbox, self.who = sandbox, who or sandbox.credentials
        self.session = requests.Session()
        self.session.trust_env = False
        self.tokens = self.log_in()
        self.session.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def log_in(self) -> dict[str, Any]:
        body = {"grant_type": "password", "username": self.who.username, "password": self.who.password}
        answer = self.token(body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def token(self, body: Any, **more: Any) -> requests.Response:
        basic = (self.who.client_id, self.who.client_secret)
        return self.session.post(
            f"{self.sandbox.url}/api/oauth/v1/token", **{"json": body, "auth": basic, **more}
        )

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        base = "" if path.startswith("http") else f"{self.sandbox.url}/api/rest/v1"
        return self.session.request(method, base + path, **{"timeout": 30, "allow_redirects": False, **more})

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.call("GET", path, params=query)

    def patch(self, path: str, body: Any) -> requests.Response:
        return self.call("PATCH", path, json=body)

    def patch_lines(self, path: str, *lines: Any) -> requests.Response:
        body = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        return self.call("PATCH", path, data=body.encode(), headers={"Content-Type": LINES})

    def upload(
        self, code: str, attribute: str = "picture", name: str = "a.jpg", data: bytes = JPG,
        locale: str | None = None, scope: str | None = None, kind: str = "product", **more: Any,
    ) -> requests.Response:  # fmt: skip
        key = "identifier" if kind == "product" else "code"
        place = {key: code, "attribute": attribute, "locale": locale, "scope": scope}
        return self.send("/media-files", {kind: json.dumps(place)}, name, data, **more)

    def send(
        self, path: str, fields: dict[str, str], name: str, data: bytes = JPG, **more: Any
    ) -> requests.Response:
        parts = {**{field: (None, value) for field, value in fields.items()}, "file": (name, data)}
        return self.call("POST", path, files=parts, **more)

    def raw(self, method: str, path: str, *headers: str) -> socket.socket:
        """A connection on which the head of a call has been sent."""
        host, port = self.sandbox.url.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)), timeout=30)
        head = [f"{method} /api/rest/v1{path} HTTP/1.1", f"Host: {host}:{port}", *headers]
        head.append(f"Authorization: {self.session.headers['Authorization']!s}")
        connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1"))
        return connection

    def admin(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{self.sandbox.url}/_sandbox{path}", json=body, timeout=30)


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Status and message of a refusal in the PIM's JSON."""
    return answer.status_code, answer.json()["message"]


def violations(answer: requests.Response) -> list[str]:
    """The messages of a failed validation."""
    assert refusal(answer) == (422, "Validation failed.")
    return [item["message"] for item in answer.json()["errors"]]


def at_once(calls: Iterable[Callable[[], requests.Response]]) -> list[int]:
    """Makes calls begin together, each in a thread of its own; their statuses, 0 for a broken connection."""
    calls = list(calls)
    statuses, gate = [0] * len(calls), threading.Barrier(len(calls))

    def one(number: int, call: Callable[[], requests.Response]) -> None:
        gate.wait()
        try:
            statuses[number] = call().status_code
        except requests.RequestException:
            statuses[number] = 0

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def wait_for(condition: Callable[[], bool]) -> None:
    """Polls until a condition holds: nothing else tells when the other side has noticed."""
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it never came true")
