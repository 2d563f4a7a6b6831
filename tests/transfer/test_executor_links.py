"""What a call comes to whose file comes from a link: whose trouble is it?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.ledger import PlannedRow, open_ledger
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.planning.carriers import Carriers
from akeneo_media_cli.planning.preparation import Preparation
from akeneo_media_cli.planning.unchanged import NOTHING_SKIPPED, Unchanged
from akeneo_media_cli.preflight.catalogue import Catalogue
from akeneo_media_cli.progress.base import Silent
from akeneo_media_cli.rows import Row, Target, TargetType
from akeneo_media_cli.secret import Secret
from akeneo_media_cli.storage.links import LinkOptions, Links
from akeneo_media_cli.storage.sources import Sources
from akeneo_media_cli.targets.resolved import ResolvedTarget
from akeneo_media_cli.transfer.executor import UploadExecutor
from akeneo_media_cli.transfer.payload import UploadPayload
from akeneo_media_cli.transfer.task import Request, RequestKind, Stored, Troubled, UploadTask

from ..pim import server as http
from ..pim.server import Handler, Reply, Server, created
from ..storage.links.hosts import File, Host

LONG = bytes(range(256)) * 60_000


def resets(request: http.Request) -> None:
    request.read(1000)
    request.reset()


@pytest.fixture
def send() -> Iterator[object]:
    """Sends one row's link to a PIM that does as it is told."""
    with ExitStack() as stack:

        def make(file: File, pim: Handler) -> object:
            there = stack.enter_context(Server(Host({"/a.jpg": file})))
            server = stack.enter_context(Server(pim, lazy=True))
            client = stack.enter_context(PimClient(Connection(server.url, token=Secret("t"))))
            ledger = open_ledger(None, pim_url=server.url, clock=lambda: 0.0, note=print)
            stack.callback(ledger.close)
            run = ledger.start_run("upload", {})
            row = Row("m", 2, f"{there.url}/a.jpg", Target(TargetType.PRODUCT, "p"), "picture")
            planned = PlannedRow(1, row, "a.jpg", row.file)
            run.add([planned])
            sources = Sources(Links(LinkOptions(True, ["127.0.0.1"]), timeout=5, pool=2))
            stack.callback(sources.close)
            executor = UploadExecutor(
                client,
                run,
                Silent(),
                preparation=Preparation(
                    run,
                    preflight=None,
                    unchanged=Unchanged(NOTHING_SKIPPED, client, sources, touched={}, interrupted={}),
                    catalogue=Catalogue(client, lambda *_: None),
                    carriers=Carriers(None, None),
                    sources=sources,
                ),
                clock=lambda: 0.0,
                sources=sources,
            )
            task = UploadTask(
                UploadPayload(planned, ResolvedTarget.as_written(planned)), 1, 0, ("product:p", "name:a.jpg")
            )
            return executor.perform(Request(RequestKind.SEND, (task,)), lambda: None)

        yield make


def test_a_link_that_comes_whole_is_stored(send) -> None:  # type: ignore[no-untyped-def]
    outcome = send(File(LONG), lambda request: created() if LONG in request.body else Reply(400))
    assert isinstance(outcome, Stored)
    assert outcome.sent == len(LONG)


def test_a_link_that_breaks_off_is_the_rows_own_trouble(send) -> None:  # type: ignore[no-untyped-def]
    outcome = send(File(LONG, cut=len(LONG) // 2), lambda request: created() if request.body else None)
    assert isinstance(outcome, Troubled)
    assert (outcome.own, outcome.maybe_done, outcome.failure.kind) == (True, False, Kind.SOURCE_TROUBLE)


def test_a_pim_that_breaks_off_is_in_trouble_itself(send) -> None:  # type: ignore[no-untyped-def]
    outcome = send(File(LONG), resets)
    assert isinstance(outcome, Troubled)
    assert (outcome.own, outcome.failure.kind) == (False, Kind.CONNECTION)


def test_a_pim_that_waited_too_long_for_the_source_is_not(send, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("akeneo_media_cli.storage.links.source.SLOW", 0.0)
    outcome = send(File(LONG), resets)
    assert isinstance(outcome, Troubled)
    assert (outcome.own, outcome.failure.kind) == (True, Kind.SOURCE_TROUBLE)
    assert "so slowly that the PIM gave up" in outcome.failure.message
