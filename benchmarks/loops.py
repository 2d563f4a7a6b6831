"""The peers' side: `python loops.py NAME MANIFEST`, run with the peer's own interpreter.

Each is as its users write it: one file after the other, no progress, no ledger, no report, no digest.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

API = os.environ["AKENEO_URL"] + "/api/rest/v1"


def rows(manifest: str) -> Iterator[tuple[str, str, str]]:
    with Path(manifest).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        for product, attribute, name in reader:
            yield product, attribute, str(Path(manifest).parent / name)


def plain_requests(manifest: str) -> None:
    import requests

    session = requests.Session()
    token = session.post(
        os.environ["AKENEO_URL"] + "/api/oauth/v1/token",
        auth=(os.environ["AKENEO_CLIENT_ID"], os.environ["AKENEO_CLIENT_SECRET"]),
        json={
            "grant_type": "password",
            "username": os.environ["AKENEO_USERNAME"],
            "password": os.environ["AKENEO_PASSWORD"],
        },
    ).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    for product, attribute, path in rows(manifest):
        place = {"identifier": product, "attribute": attribute, "locale": None, "scope": None}
        with Path(path).open("rb") as file:
            answer = session.post(
                API + "/media-files",
                data={"product": json.dumps(place)},
                files={"file": (Path(path).name, file, "image/jpeg")},
            )
        answer.raise_for_status()
        assert answer.headers["Location"]


def akeneo_cli(manifest: str) -> None:
    try:
        import magic  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        # It needs libmagic. Where the machine has none it is spared the look, which is in its favour.
        from types import SimpleNamespace

        sys.modules["magic"] = SimpleNamespace(from_file=lambda path: "image/jpeg")  # type: ignore[assignment]
    from akeneo_cli.client import AkeneoClient  # type: ignore[import-not-found]

    client = AkeneoClient(
        os.environ["AKENEO_URL"], os.environ["AKENEO_CLIENT_ID"], os.environ["AKENEO_CLIENT_SECRET"]
    )
    with client.login(os.environ["AKENEO_USERNAME"], os.environ["AKENEO_PASSWORD"]) as session:
        for product, attribute, path in rows(manifest):
            session.put_product_file(product, attribute, path)


def pyakeneo(manifest: str) -> None:
    from pyakeneo.client import Client  # type: ignore[import-not-found]

    names = ("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD")
    client = Client(os.environ["AKENEO_URL"], *(os.environ[f"AKENEO_{name}"] for name in names))
    # Its own `create_item` sends JSON, which makes no media file: its session is what is left to use.
    session = client._session
    for product, attribute, path in rows(manifest):
        place = {"identifier": product, "attribute": attribute, "locale": None, "scope": None}
        with Path(path).open("rb") as file:
            answer = session.post(
                API + "/media-files",
                data={"product": json.dumps(place)},
                files={"file": (Path(path).name, file, "image/jpeg")},
                headers={"Content-Type": None},
            )
        answer.raise_for_status()


def bare(manifest: str) -> None:
    """Four connections, each with its share of the files; nothing else at all."""
    import http.client
    import threading
    from urllib.parse import urlsplit

    host = urlsplit(API).netloc
    left = iter(list(rows(manifest)))
    turn = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection(host)
        while True:
            with turn:
                row = next(left, None)
            if row is None:
                return
            product, attribute, path = row
            place = json.dumps({"identifier": product, "attribute": attribute, "locale": None, "scope": None})
            body = (
                f'--b\r\nContent-Disposition: form-data; name="product"\r\n\r\n{place}\r\n--b\r\n'
                f'Content-Disposition: form-data; name="file"; filename="{Path(path).name}"\r\n'
                "Content-Type: image/jpeg\r\n\r\n"
            ).encode()
            body += Path(path).read_bytes() + b"\r\n--b--\r\n"
            headers = {"Content-Type": "multipart/form-data; boundary=b", "Authorization": "Bearer a"}
            connection.request("POST", "/api/rest/v1/media-files", body, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 201, answer.status

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    loops = {"requests": plain_requests, "akeneo-cli": akeneo_cli, "pyakeneo": pyakeneo, "bare": bare}
    loops[sys.argv[1]](sys.argv[2])
