"""Looking a batch up: which rows are wrong, which need not be sent, and how the others go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import Kind
from akeneo_media_cli.ledger import HeldFile, InFlightMark, Ledger, PlannedRow, Run
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.pim.http.multipart import FileBody
from akeneo_media_cli.pim.http.source import PathSource
from akeneo_media_cli.planning.carriers import Carriers
from akeneo_media_cli.planning.preparation import Preparation, looked_at
from akeneo_media_cli.planning.readback import ReadBack
from akeneo_media_cli.planning.unchanged import ONLY_NAME_AND_SIZE, SkipPolicy, Unchanged
from akeneo_media_cli.preflight.catalogue import Catalogue
from akeneo_media_cli.preflight.preflight import Preflight
from akeneo_media_cli.rows import Status, Target, TargetType
from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, parse_faults, start_sandbox
from akeneo_media_cli.secret import Secret
from akeneo_media_cli.storage.links import LinkOptions, Links
from akeneo_media_cli.storage.sources import Sources
from akeneo_media_cli.targets import ADAPTERS
from akeneo_media_cli.targets.resolved import ResolvedTarget
from akeneo_media_cli.transfer.payload import Found
from akeneo_media_cli.transfer.task import Finished, Known, Resumed, Sending

from ..e2e.conftest import jpeg, sha256
from ..e2e.test_places import enterprise
from ..ledger.ledger_rows import Notes, opened, planned, uploaded
from ..pim.server import Server
from ..storage.links.hosts import File, Host

UUID = "00000000-0000-4000-8000-0000000000{:02}"
MODEL, ASSET, BY_UUID = TargetType.PRODUCT_MODEL, TargetType.ASSET, TargetType.PRODUCT_UUID


@pytest.fixture(scope="module")
def pim() -> Iterator[RunningSandbox]:
    known = enterprise()
    known["products"] += [{"uuid": UUID.format(n), "family": "shoes"} for n in range(5)]
    known["products"] += [
        {"uuid": UUID.format(10 + n), "identifier": f"q-{n}", "family": "shoes"} for n in range(5)
    ]
    with start_sandbox(known, options=SandboxOptions(save_time=0)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return iter(range(1, 121))


class Bench:
    """A client, a ledger, a folder of files, and products that no other test has."""

    def __init__(self, client: PimClient, ledger: Ledger, folder: Path, numbers: Iterator[int]) -> None:
        self.client = client
        self.ledger = ledger
        self.folder = folder
        self.new = lambda: f"p-{next(numbers)}"
        self.run: Run = ledger.start_run("upload", {})

    def row(self, seq: int, code: str = "", kind: TargetType = TargetType.PRODUCT, **more: Any) -> PlannedRow:
        name, content = more.pop("name", f"{seq}.jpg"), more.pop("content", jpeg(seq))
        path = self.folder / str(seq) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        status = path.stat()
        target = Target(kind, code or self.new(), more.pop("parent", ""))
        whole = {"path": str(path), "size": status.st_size, "mtime_ns": status.st_mtime_ns}
        return planned(seq, target=target, name=name, **{**whole, **more})

    def put(self, planned: PlannedRow, content: bytes | None = None) -> str:
        """Somebody uploads a row's file, or another of its name, to its value; the media code."""
        path = self.folder / "put" / planned.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content or Path(planned.path or "").read_bytes())
        there = ResolvedTarget.as_written(planned)

        def body(value: Any) -> FileBody:
            return FileBody(PathSource(path), value=value, filename=planned.name)

        return ADAPTERS[there.target.type].upload(self.client, there, body).code

    def known(self, planned: PlannedRow, code: str) -> None:
        """An earlier run uploaded the row, and it became this code."""
        earlier = self.ledger.start_run("upload", {})
        earlier.add([planned])
        uploaded(earlier, planned.seq, code, sha256=sha256(Path(planned.path or "").read_bytes()))

    def preparation(self, policy: str = "remote", carrier: str | None = None, **more: Any) -> Preparation:
        catalogue = Catalogue(self.client, Notes())
        preflight = Preflight(self.client, catalogue, Notes()) if more.pop("preflight", True) else None
        interrupted = {each.planned.seq: each for each in self.run.interrupted()}
        sources = Sources()
        unchanged = Unchanged(SkipPolicy(policy), self.client, sources, touched={}, interrupted=interrupted)
        return Preparation(
            self.run,
            preflight=preflight,
            unchanged=unchanged,
            catalogue=catalogue,
            carriers=Carriers(carrier, preflight),
            sources=sources,
            **more,
        )

    def look(self, *rows: PlannedRow, **how: Any) -> Found:
        """Plan the rows into a new run, and look them up."""
        self.run = self.ledger.start_run("upload", {})
        self.run.add(rows)
        self.run.expect_unchanged()
        self.run.mark_shares()
        return self.preparation(**how).look(list(self.run.rows()))


@pytest.fixture
def bench(pim: RunningSandbox, tmp_path: Path, numbers: Iterator[int]) -> Iterator[Bench]:
    who = pim.credentials
    there = Connection(
        pim.url, who.client_id, Secret(who.client_secret), who.username, Secret(who.password), direct=True
    )
    with PimClient(there) as client, opened(tmp_path / "ledger.sqlite") as ledger:
        yield Bench(client, ledger, tmp_path, numbers)
    pim.store.options.faults = parse_faults([])


def outcomes(found: Found) -> dict[int, tuple[Status | None, Kind | None]]:
    """Of the rows that are not to be sent."""
    return {
        planned.seq: (result.status, result.failure.kind if result.failure else None)
        for planned, result in found.results
    }


# Wrong rows, and rows to send.


def test_rows_that_cannot_go_are_invalid_and_the_others_become_tasks(bench: Bench) -> None:
    code = bench.new()
    found = bench.look(
        bench.row(1, code.upper()),
        bench.row(2, "nobody"),
        bench.row(3, attribute="name"),
        bench.row(4, "m-1", MODEL, name="model.jpg"),
        bench.row(5, "v-1", attribute="shot"),
        bench.row(6, "new", ASSET, parent="photos", attribute="media"),
    )
    assert outcomes(found) == {
        2: (Status.INVALID, Kind.TARGET_UNKNOWN),
        3: (Status.INVALID, Kind.ATTRIBUTE_NOT_MEDIA),
    }
    product, model, variant, asset = found.tasks
    assert product.row.resolved.target.code == code
    assert (product.keys, product.name) == ((f"product:{code}",), "name:1.jpg")
    assert (product.attaches, product.tree, product.state) == (False, None, Sending())
    assert (model.keys, model.tree) == (("product_model:m-1",), "tree:m-1")
    assert (variant.keys, variant.tree) == (("product:v-1",), "tree:m-1")
    assert (asset.keys, asset.attach_keys, asset.name) == ((), ("asset:photos/new",), "name:6.jpg")
    assert (asset.attaches, asset.group) == (True, "asset:photos")
    assert all(task.content is None for task in found.tasks), "no two rows have a file of one name and size"


def test_rows_of_one_file_name_its_content(bench: Bench) -> None:
    same = jpeg("same")
    rows = [bench.row(n, content=same, name="one.jpg") for n in (1, 2)]
    rows.append(bench.row(3, content=jpeg("else"), name="one.jpg"))
    first, second, other = bench.look(*rows).tasks
    assert first.content == second.content != other.content
    assert first.content is not None


def test_what_the_pim_refuses_to_tell_makes_rows_failed(pim: RunningSandbox, bench: Bench) -> None:
    pim.store.options.faults = parse_faults(["403-html=1@/products"])
    assert outcomes(bench.look(bench.row(1), bench.row(2))) == {
        1: (Status.FAILED, Kind.BLOCKED),
        2: (Status.FAILED, Kind.BLOCKED),
    }


@pytest.mark.parametrize("looked", [Status.PLANNED, None])
def test_rows_that_are_only_looked_at_are_not_sent(bench: Bench, looked: Status | None) -> None:
    full = bench.row(1)
    old = jpeg("old", 2500)
    code = bench.put(full, old)
    found = bench.look(full, bench.row(2, "nobody"), send=False, looked=looked)
    assert found.tasks == []
    assert outcomes(found) == {1: (looked, None), 2: (Status.INVALID, Kind.TARGET_UNKNOWN)}
    assert found.results[0][1].before == HeldFile(code, "1.jpg", len(old))


def test_without_preflight_rows_are_taken_at_their_word(pim: RunningSandbox, bench: Bench) -> None:
    before = pim.stats()["total"]
    rows = [
        bench.row(n, "nobody", content=jpeg("same"), name="one.jpg", attribute=f"picture_{n}") for n in (1, 2)
    ]
    found = bench.look(*rows, bench.row(3, UUID.format(1), BY_UUID), preflight=False)
    assert outcomes(found) == {3: (Status.INVALID, Kind.TARGET_UNKNOWN)}
    assert [task.content for task in found.tasks] == [None, None], "a PATCH could make what is not there"
    assert pim.stats()["total"] == before


# Rows that need not be sent.


def test_what_the_ledger_expects_is_asked_for_all_at_once(pim: RunningSandbox, bench: Bench) -> None:
    rows = [bench.row(n) for n in (1, 2, 3)]
    for row in rows:
        bench.known(row, bench.put(row))
    theirs = bench.put(rows[2], jpeg("theirs"))
    calls = pim.stats()["calls"]["GET /products"]["200"]
    found = bench.look(*rows)
    assert [row.seq for row in found.still] == [1, 2]
    assert pim.stats()["calls"]["GET /products"]["200"] == calls + 2, "and the changed one once more"
    (task,) = found.tasks
    assert (task.seq, task.row.resolved.before) == (3, theirs)


def test_a_file_that_the_pim_has_may_be_shared_only_if_its_bytes_are_known(bench: Bench) -> None:
    same = jpeg("same")
    rows = [bench.row(n, content=same, name="one.jpg") for n in (1, 2)]
    code = bench.put(rows[0])
    found = bench.look(*rows)
    (result,) = [result for _, result in found.results]
    assert (result.status, result.notes) == (Status.UNCHANGED, (ONLY_NAME_AND_SIZE,))
    assert found.known == {}, "another file may have this name and size"
    bench.known(rows[0], code)
    rows[0].mtime_ns = 1
    found = bench.look(*rows)
    assert found.known == {found.tasks[0].content: Known(code, sha256(same), doubtful=True)}


# Products that are named by UUID.


def test_a_product_by_uuid_is_sent_by_its_identifier_if_it_has_one(bench: Bench) -> None:
    found = bench.look(bench.row(1, UUID.format(10), BY_UUID))
    (task,) = found.tasks
    assert task.row.resolved.target == Target(TargetType.PRODUCT, "q-0")
    assert (task.keys, task.name) == (("product:q-0",), "name:1.jpg")


def test_a_value_that_is_named_in_both_ways_is_one(bench: Bench) -> None:
    same = bench.row(1, "q-1")
    again = bench.row(2, UUID.format(11), BY_UUID, name=same.name)
    again.path = same.path
    other = bench.row(3, UUID.format(12), BY_UUID)
    clash = bench.row(4, "q-2")
    found = bench.look(same, again, other, clash)
    assert [task.seq for task in found.tasks] == [1, 4]
    assert outcomes(found) == {3: (Status.INVALID, Kind.CONFLICTING_ROWS)}
    assert "spring.csv:5" in str(found.results[0][1].failure and found.results[0][1].failure.message)
    assert [row.seq for row in bench.run.rows()] == [1, 3, 4], "the row that repeats another is left out"


def test_a_product_without_identifier_gets_its_file_from_another_row_or_through_a_carrier(
    bench: Bench,
) -> None:
    same = jpeg("same")
    sender = bench.row(1, content=same, name="one.jpg")
    shared = bench.row(2, UUID.format(1), BY_UUID, content=same, name="one.jpg")
    alone = bench.row(3, UUID.format(2), BY_UUID)
    found = bench.look(sender, shared, alone)
    assert [(task.seq, task.carried, task.borrows) for task in found.tasks] == [
        (1, False, False),
        (2, True, False),
    ]
    assert outcomes(found) == {3: (Status.INVALID, Kind.NO_CARRIER)}
    carrier = bench.new()
    (task,) = bench.look(alone, carrier=f"{carrier}:picture").tasks
    assert (task.borrows, task.attaches, task.row.via and task.row.via.target.code) == (True, True, carrier)
    assert (task.keys, task.name) == ((f"product:{carrier}",), "name:3.jpg")
    assert task.attach_keys == (f"product_uuid:{UUID.format(2)}",)


# Rows that an earlier run left in flight.


def died(bench: Bench, rows: Iterable[PlannedRow], mark: Callable[[Run], None]) -> None:
    run = bench.ledger.start_run("upload", {})
    run.add(rows)
    mark(run)


def test_a_row_whose_value_is_as_before_is_sent_as_any_other(bench: Bench) -> None:
    empty, full = bench.row(1), bench.row(2)
    code = bench.put(full, jpeg("old"))
    died(
        bench,
        (empty, full),
        lambda run: run.mark_in_flight([InFlightMark(1, None), InFlightMark(2, code)]),
    )
    found = bench.look(empty, full)
    assert found.not_saved == [1, 2]
    assert [(task.state, task.row.resumed, task.suspect) for task in found.tasks] == [
        (Sending(), None, False)
    ] * 2


def test_a_row_whose_value_changed_is_looked_at_by_its_bytes(bench: Bench) -> None:
    row = bench.row(1)
    died(bench, [row], lambda run: run.mark_in_flight([InFlightMark(1, None)]))
    bench.put(row)
    found = bench.look(row)
    (task,) = found.tasks
    assert (task.state, task.suspect, found.not_saved) == (Resumed(), True, [])
    changed = bench.row(1, row.row.target.code, content=jpeg("changed", 3000))  # type: ignore[union-attr]
    (task,) = bench.look(changed).tasks
    assert (task.state, task.row.resumed) == (Sending(), None), "it is another file than the one in flight"


def test_a_row_whose_file_the_pim_has_is_only_attached_once_its_bytes_were_compared(bench: Bench) -> None:
    row = bench.row(1, "there", ASSET, parent="photos", attribute="media")
    died(bench, [row], lambda run: run.mark_in_flight([InFlightMark(1, None, code="a/b.jpg")]))
    (task,) = bench.look(row).tasks
    assert task.state == Resumed(Known("a/b.jpg", None, doubtful=True))


# Links, and what was sent.


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    with ExitStack() as stack:
        host = stack.enter_context(Server(Host({"/a.jpg": File(jpeg(1))})))
        links = stack.enter_context(Server(lambda _: None))
        sources = Sources(Links(LinkOptions(True, ["127.0.0.1"]), timeout=2, pool=2))
        stack.callback(sources.close)
        addresses = (f"{host.url}/a.jpg", f"{host.url}/gone.jpg", f"{links.url}/b.jpg")
        rows = [
            planned(n, file=url, path=url, size=None, mtime_ns=None) for n, url in enumerate(addresses, 1)
        ]
        results, rest = looked_at(rows, sources)
        assert [row.seq for row in rest] == [1]
        statuses = {row.seq: result.status for row, result in results}
        assert statuses == {2: Status.INVALID, 3: Status.FAILED}
        results, rest = looked_at(rows, sources, passing=False)
        assert [row.seq for row in rest] == [1, 3], "it may answer when the row is sent"


def test_what_was_sent_is_read_back(bench: Bench) -> None:
    row = bench.row(1)
    readback = ReadBack(bench.client)
    (task,) = bench.look(row).tasks
    preparation = bench.preparation(readback=readback)
    task.state = Finished(Known(bench.put(row), None))
    preparation.sent(task)
    batch = readback.last_batch()
    assert batch is not None
    assert preparation.look(batch) == Found()
    assert readback.confirmed == 1
    bench.preparation().sent(task)
    assert not readback.waiting, "nobody asked for it"
