"""One request: what goes to the PIM, what its outcome is, and what the ledger and the display hear of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.ledger import (
    UNKNOWN,
    BorrowedValue,
    HeldFile,
    InFlightMark,
    Ledger,
    PlannedRow,
    RowResult,
)
from akeneo_media_cli.pim.answers.types import Attribute
from akeneo_media_cli.pim.client import PimClient
from akeneo_media_cli.pim.connection import Connection
from akeneo_media_cli.preflight import checks
from akeneo_media_cli.progress.base import Silent
from akeneo_media_cli.rows import Status, Target, TargetType
from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, parse_faults, start_sandbox
from akeneo_media_cli.secret import Secret
from akeneo_media_cli.storage.sources import Sources
from akeneo_media_cli.targets import ADAPTERS
from akeneo_media_cli.targets.resolved import ResolvedTarget
from akeneo_media_cli.transfer.executor import SHARED, UploadExecutor
from akeneo_media_cli.transfer.payload import Found, Reopened, UploadPayload
from akeneo_media_cli.transfer.task import (
    Attached,
    Attaching,
    Confirming,
    Ended,
    Fatal,
    Finished,
    Known,
    Looked,
    Prepared,
    Refused,
    Request,
    RequestKind,
    Restored,
    Restoring,
    Stored,
    Tries,
    Troubled,
    UploadTask,
    Verifying,
)

from ..e2e.conftest import jpeg, sha256
from ..e2e.test_places import enterprise
from ..ledger.ledger_rows import opened, planned, uploaded
from ..pim.server import Handler, Reply, Server, created, says
from ..pim.server import Request as ServerRequest

LOST = Failure(Kind.VALUE_LOST, "lost", "")
CONNECTIONS = {"main": {}, "readonly": {"edit_products": False}, "noperm": "may not use the API"}


class Heard(Silent):
    """Keeps what a display would be told, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.sent = 0
        self.notes: list[str] = []

    def row_started(self, row: int, *, file: str, target: Target, size: int, attempt: int) -> None:
        self.events.append(("started", row, size, attempt))

    def row_sent(self, row: int, size: int) -> None:
        self.sent += size

    def row_finished(self, row: int, item: Any) -> None:
        self.events.append(("finished", row, item["status"]))

    def row_reopened(self, row: int, item: Any, *, failure: Failure | None) -> None:
        self.events.append(("reopened", row, item["status"], failure))

    def rows_settled(self, counts: Any, size: int, items: Any) -> None:
        self.events.append(("settled", dict(counts), size, [item["row"] for item in items()]))

    def note(self, message: str, *, hint: str = "", level: str = "warning") -> None:
        self.notes.append(message)


@dataclass
class Looks:
    """A look-up that finds what it was given."""

    found: Found = field(default_factory=Found)
    done: list[UploadTask] = field(default_factory=list)

    def look(self, batch: Any) -> Found:
        return self.found

    def sent(self, task: UploadTask) -> None:
        self.done.append(task)

    def fits(self, resolved: ResolvedTarget, name: str, size: int) -> Failure | None:
        return None if resolved.definition is None else checks.file_fits(resolved.definition, name, size)


class Hands:
    """An executor with a run of its own, and what it needs; `seconds` pass at each look at its clock."""

    def __init__(self, client: PimClient, ledger: Ledger, folder: Path) -> None:
        self.client = client
        self.ledger = ledger
        self.folder = folder
        self.run = ledger.start_run("upload", {})
        self.heard = Heard()
        self.looks = Looks()
        self.seconds = 0.0
        self._now = 0.0
        self._rows = 0
        self.executor = UploadExecutor(
            client, self.run, self.heard, preparation=self.looks, clock=self._clock, sources=Sources()
        )

    def _clock(self) -> float:
        self._now += self.seconds
        return self._now

    def task(
        self,
        code: str,
        attribute: str = "picture",
        kind: TargetType = TargetType.PRODUCT,
        parent: str = "",
        *,
        name: str | None = None,
        content: bytes | None = None,
        before: Any = None,
        **more: Any,
    ) -> UploadTask:
        """A row of the run with a file of its own, to be sent."""
        self._rows += 1
        target = Target(kind, code, parent)
        name = name or f"{code}-{attribute}.jpg"
        path = self.folder / f"{self._rows}-{name}"
        path.write_bytes(jpeg(f"{code} {attribute} {self._rows}") if content is None else content)
        row = planned(
            self._rows,
            target=target,
            attribute=attribute,
            name=name,
            path=str(path),
            size=path.stat().st_size,
            mtime_ns=path.stat().st_mtime_ns,
        )
        self.run.add([row])
        payload = UploadPayload(row, ResolvedTarget(target, attribute, None, None, before=before, sure=True))
        entity = payload.place.key(payload.resolved)
        return UploadTask(
            payload,
            row.seq,
            row.size or 0,
            (entity,),
            attach_keys=(entity,),
            group=payload.place.group(payload.resolved),
            attaches=payload.place.attaches,
            tries=Tries(made=1),
            **more,
        )

    def send(self, task: UploadTask, meanwhile: Callable[[], None] = lambda: None) -> Any:
        return self.executor.perform(Request(RequestKind.SEND, [task]), meanwhile)

    def attach(self, *tasks: UploadTask) -> Any:
        return self.executor.perform(Request(RequestKind.ATTACH, tasks), lambda: None)

    def ask(self, task: UploadTask, kind: RequestKind = RequestKind.CONFIRM) -> Any:
        return self.executor.perform(Request(kind, [task]), lambda: None)

    def held(self, task: UploadTask) -> str | None:
        """What the task's value holds."""
        return ADAPTERS[task.row.resolved.target.type].held(self.client, task.row.resolved)

    def left(self) -> dict[int, Any]:
        """What the next run would find in flight, were this one killed now."""
        following = self.ledger.start_run("upload", {})
        following.add(replace(row, status=None) for row in self.run.rows())
        return {each.planned.seq: each for each in following.interrupted()}


@pytest.fixture(scope="module")
def pim() -> Iterator[RunningSandbox]:
    with start_sandbox(enterprise(connections=CONNECTIONS), options=SandboxOptions(save_time=0)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return iter(range(1, 121))


@pytest.fixture
def new(numbers: Iterator[int]) -> Callable[[], str]:
    """Gives the identifier of a product that no other test has."""
    return lambda: f"p-{next(numbers)}"


Make = Callable[..., Hands]


@pytest.fixture
def hands(pim: RunningSandbox, tmp_path: Path) -> Iterator[Make]:
    """`hands()`, or `hands("readonly")` as another user, or `hands(to=...)` for another PIM."""
    with ExitStack() as stack:

        def make(user: str = "main", to: Connection | None = None) -> Hands:
            who = pim.connections[user]
            secret, password = Secret(who.client_secret), Secret(who.password)
            there = to or Connection(pim.url, who.client_id, secret, who.username, password, direct=True)
            client = stack.enter_context(PimClient(there))
            return Hands(client, stack.enter_context(opened(None)), tmp_path)

        yield make
        pim.store.options.faults = parse_faults([])


@pytest.fixture
def scripted(hands: Make) -> Iterator[Callable[[Handler], Hands]]:
    """Hands that reach a PIM which answers as it is told."""
    with ExitStack() as stack:
        yield lambda handle: hands(
            to=Connection(stack.enter_context(Server(handle)).url, token=Secret("t"), direct=True)
        )


def order(pim: RunningSandbox, *faults: str) -> None:
    pim.store.options.faults = parse_faults(faults)


# Sending.


def test_a_row_ends_with_its_answer_and_not_when_that_is_recorded(
    scripted: Callable[[Handler], Hands],
) -> None:
    h = scripted(lambda request: created())
    task = h.task("p")
    task.tries.began = 0.0
    h.send(task)
    h._now += 5.0
    h.executor.ended(Ended(task, Status.UPLOADED))
    assert h.run.row(task.seq).duration == 0.0


def test_what_was_before_is_recorded_once_the_file_is_out_and_before_its_answer(
    scripted: Callable[[Handler], Hands],
) -> None:
    recorded = threading.Event()

    def answer(request: ServerRequest) -> Reply:
        # The whole body is here, and the PIM says nothing before the other side had its time.
        return created() if recorded.wait(10) else says(500, {})

    h = scripted(answer)
    assert isinstance(h.send(h.task("p"), recorded.set), Stored)


def test_a_file_is_stored_counted_and_marked_as_in_flight_first(hands: Make, new: Callable[[], str]) -> None:
    h = hands()
    task = h.task(new(), before="a/b.jpg")
    path = Path(task.row.planned.path)
    outcome = h.send(task)
    size = path.stat().st_size
    assert isinstance(outcome, Stored)
    assert (outcome.sha256, outcome.sent) == (sha256(path.read_bytes()), size)
    assert h.held(task) == outcome.code
    assert h.heard.events == [("started", 1, size, 1)]
    assert h.heard.sent == h.executor.bytes_sent == size
    assert (task.row.mtime_ns, task.size) == (path.stat().st_mtime_ns, size)
    left = h.left()[1]
    assert (left.before, left.name, left.size, left.code) == (
        "a/b.jpg",
        path.name.partition("-")[2],
        size,
        None,
    )


def test_a_file_that_is_not_the_one_that_was_checked_stays_here(hands: Make, new: Callable[[], str]) -> None:
    h = hands()
    task = h.task(new())
    Path(task.row.planned.path).write_bytes(jpeg("longer", 4321))
    outcome = h.send(task)
    assert isinstance(outcome, Refused)
    assert outcome.failure.kind is Kind.FILE_CHANGED
    assert h.held(task) is None


def test_a_file_that_cannot_be_sent_is_refused_and_nothing_goes_out(
    hands: Make, new: Callable[[], str]
) -> None:
    h = hands()
    gone, folder, large = h.task(new()), h.task(new()), h.task(new())
    Path(gone.row.planned.path).unlink()
    path = Path(folder.row.planned.path)
    path.unlink()
    path.mkdir()
    # What a link leads to may only be known now.
    large.row.planned.size = large.row.planned.mtime_ns = None
    definition = Attribute.read({"code": "picture", "type": "pim_catalog_image", "max_file_size": "0.001"})
    large.row.resolved = replace(large.row.resolved, definition=definition)
    kinds = []
    for task in (gone, folder, large):
        outcome = h.send(task)
        assert isinstance(outcome, Refused)
        kinds.append(outcome.failure.kind)
        assert h.held(task) is None
    assert kinds == [Kind.FILE_MISSING, Kind.FILE_NOT_REGULAR, Kind.FILE_TOO_LARGE]
    assert (h.left(), h.heard.events, h.executor.bytes_sent) == ({}, [], 0)


@pytest.mark.parametrize(
    ("fault", "kind", "maybe_done", "throttled"),
    [
        ("429", Kind.THROTTLED, False, True),
        ("503", Kind.UNAVAILABLE, True, False),
        ("500-late", Kind.SERVER_ERROR, True, False),
        ("reset-late", Kind.CONNECTION, True, False),
    ],
)
def test_trouble_says_whether_the_pim_may_have_done_it(
    pim: RunningSandbox,
    hands: Make,
    new: Callable[[], str],
    fault: str,
    kind: Kind,
    maybe_done: bool,
    throttled: bool,
) -> None:
    h = hands()
    h.client.login()
    task = h.task(new())
    order(pim, f"{fault}=1x@media-files")
    outcome = h.send(task)
    assert isinstance(outcome, Troubled)
    assert (outcome.failure.kind, outcome.maybe_done, outcome.throttled) == (kind, maybe_done, throttled)
    assert not outcome.own
    assert set(h.left()) == {1}, "the mark stays until it is known what became of it"
    assert (h.held(task) is not None) is ("late" in fault)


def test_a_refusal_is_the_rows_and_a_refused_login_the_runs(
    pim: RunningSandbox, hands: Make, new: Callable[[], str]
) -> None:
    h = hands()
    unknown = h.send(h.task("nobody"))
    assert isinstance(unknown, Refused)
    assert "nobody" in unknown.failure.message
    who = pim.credentials
    wrong = Connection(
        pim.url, who.client_id, Secret(who.client_secret), who.username, Secret("no"), direct=True
    )
    h = hands(to=wrong)
    fatal = h.send(h.task(new()))
    assert isinstance(fatal, Fatal)
    assert fatal.error.kind is Kind.CREDENTIALS_REFUSED


@pytest.mark.parametrize(("seconds", "fault"), [(0.0, ""), (5.0, ""), (5.0, "500-late=1x@media-files")])
def test_how_slow_the_pim_is_is_known_to_the_next_run(
    pim: RunningSandbox, hands: Make, new: Callable[[], str], seconds: float, fault: str
) -> None:
    h = hands()
    h.client.login()
    h.seconds = seconds
    order(pim, *filter(None, [fault]))
    h.send(h.task(new()))
    (left,) = h.ledger.start_run("upload", {}).at_work()
    assert left.seconds == 2.0 if not seconds else left.seconds > 5.0


# Attaching.


def assets(h: Hands, *values: tuple[str, str]) -> list[UploadTask]:
    """Files of assets that were sent and only have to be attached."""
    tasks = []
    for code, attribute in values:
        task = h.task(code, attribute, TargetType.ASSET, "photos")
        stored = h.send(task)
        assert isinstance(stored, Stored)
        task.state = Attaching(Known(stored.code, stored.sha256))
        tasks.append(task)
    return tasks


def test_an_assets_file_is_sent_for_nobody_and_the_next_run_can_attach_it(hands: Make) -> None:
    h = hands()
    task = h.task("sent", "media", TargetType.ASSET, "photos")
    stored = h.send(task)
    assert isinstance(stored, Stored)
    assert h.held(task) is None
    assert h.left()[1].code == stored.code


def test_values_of_one_entity_are_one_line_of_one_patch(pim: RunningSandbox, hands: Make) -> None:
    h = hands()
    tasks = assets(h, ("one", "media"), ("one", "fixed"), ("two", "media"))
    before = pim.stats()["calls"].get("PATCH /asset-families/{family}/assets", {}).get("200", 0)
    assert h.attach(*tasks) == Attached([None, None, None])
    assert pim.stats()["calls"]["PATCH /asset-families/{family}/assets"]["200"] == before + 1
    assert [h.held(task) for task in tasks] == [task.media and task.media.code for task in tasks]


def test_a_line_that_is_refused_is_its_own_rows_failure(hands: Make) -> None:
    h = hands()
    good, bad = assets(h, ("good", "media"), ("bad", "media"))
    bad.state = Attaching(Known("no/such/file.jpg", None))
    outcome = h.attach(bad, good)
    assert isinstance(outcome, Attached)
    first, second = outcome.lines
    assert isinstance(first, Failure)
    assert second is None
    assert h.held(good) == (good.media and good.media.code)
    assert {seq: left.code for seq, left in h.left().items()} == {
        1: good.media and good.media.code,
        2: "no/such/file.jpg",
    }


def test_who_may_not_set_codes_is_told_once(hands: Make, new: Callable[[], str]) -> None:
    h = hands("readonly")
    for _ in range(2):
        outcome = h.attach(h.task(new(), state=Attaching(Known("a/b.jpg", None))))
        assert isinstance(outcome, Refused)
        assert outcome.failure.kind is Kind.FORBIDDEN
    (note,) = h.heard.notes
    assert "may not set media codes" in note


def test_lines_that_were_throttled_or_not_mentioned_are_tried_again(
    scripted: Callable[[Handler], Hands],
) -> None:
    def answer(request: Any) -> Any:
        line = {"line": 1, "identifier": "p-1", "status_code": 429, "message": "slow down"}
        return says(200, line, Content_Type="application/vnd.akeneo.collection+json")

    h = scripted(answer)
    tasks = [h.task(f"p-{n}", state=Attaching(Known("a/b.jpg", None))) for n in (1, 2)]
    outcome = h.attach(*tasks)
    assert isinstance(outcome, Attached)
    throttled, missing = outcome.lines
    assert isinstance(throttled, Troubled)
    assert (throttled.throttled, throttled.maybe_done) == (True, False)
    assert isinstance(missing, Troubled)
    assert (missing.failure.kind, missing.maybe_done) == (Kind.NOT_ATTACHED, True)


# Asking afterwards.


def test_a_value_is_ours_if_it_changed_to_a_file_of_our_name_and_size(
    hands: Make, new: Callable[[], str]
) -> None:
    h = hands()
    task = h.task(new())
    task.state = Confirming(0.0)
    assert h.ask(task) == Looked(False, None), "it is empty"
    stored = h.send(task)
    assert h.ask(task) == Looked(True, stored.code)
    again = h.task(task.row.resolved.target.code, before=stored.code)
    again.size, again.row.planned.name = task.size, task.row.planned.name
    assert h.ask(again) == Looked(False, stored.code), "it holds what it held before"
    for change in ({"name": "other.jpg"}, {"size": task.size + 1}):
        other = h.task(task.row.resolved.target.code)
        other.size = change.get("size", task.size)
        other.row.planned.name = change.get("name", task.row.planned.name)
        assert h.ask(other) == Looked(False, stored.code), change


@pytest.mark.parametrize("why", ["suspect", "unknown"])
def test_name_and_size_are_not_enough_where_they_prove_nothing(
    hands: Make, new: Callable[[], str], why: str
) -> None:
    h = hands()
    task = h.task(new())
    code = h.send(task).code
    for content, ours in ((Path(task.row.planned.path).read_bytes(), True), (jpeg("other"), False)):
        other = h.task(
            task.row.resolved.target.code,
            name=task.row.planned.name,
            content=content,
            before=UNKNOWN if why == "unknown" else None,
            suspect=why == "suspect",
        )
        other.size = task.size
        assert h.ask(other) == Looked(ours, code, alike=True)


def test_bytes_are_compared_by_downloading_them(
    pim: RunningSandbox, hands: Make, new: Callable[[], str]
) -> None:
    h = hands()
    task = h.task(new())
    stored = h.send(task)
    for digest, ours in ((stored.sha256, True), (None, True), ("0" * 64, False)):
        task.state = Verifying(Known(stored.code, digest))
        assert h.ask(task, RequestKind.VERIFY_BYTES) == Looked(ours, stored.code)
    task.state = Verifying(Known("no/such/file.jpg", None))
    assert h.ask(task, RequestKind.VERIFY_BYTES) == Looked(None, "no/such/file.jpg"), "nobody can tell"
    order(pim, "503=1x@media-files")
    assert isinstance(h.ask(task, RequestKind.VERIFY_BYTES), Troubled)


# Another product's value.


def via(h: Hands, carrier: str, own: str | None) -> UploadTask:
    """A row of a product without identifier, whose file goes through a carrier's value."""
    task = h.task("00000000-0000-4000-8000-000000000001", kind=TargetType.PRODUCT_UUID, name="guest.jpg")
    task.row.via = ResolvedTarget(
        Target(TargetType.PRODUCT, carrier), "picture", None, None, before=own, sure=True
    )
    task.attaches = task.borrows = True
    return task


def test_a_file_goes_up_through_a_carrier_whose_value_is_set_back(
    hands: Make, new: Callable[[], str]
) -> None:
    h = hands()
    carrier = h.task(new())
    own = h.send(carrier).code
    task = via(h, carrier.row.resolved.target.code, own)
    stored = h.send(task)
    assert isinstance(stored, Stored)
    assert h.held(carrier) == stored.code
    (borrowed,) = h.run.borrowed()
    assert (borrowed.before, borrowed.name) == (own, "guest.jpg")
    task.state = Restoring(Known(stored.code, stored.sha256))
    assert h.ask(task, RequestKind.RESTORE) == Restored()
    assert h.held(carrier) == own
    assert h.run.borrowed() == []


def test_a_refused_upload_through_a_carrier_owes_it_nothing(hands: Make, new: Callable[[], str]) -> None:
    h = hands()
    task = via(h, new(), None)
    # An attribute that the carrier does not have.
    task.row.via = replace(task.row.via, attribute="nothing")
    assert isinstance(h.send(task), Refused)
    assert h.run.borrowed() == []


def test_a_carrier_that_cannot_be_restored_is_told_and_still_owed(
    hands: Make, new: Callable[[], str]
) -> None:
    h = hands()
    task = via(h, new(), None)
    task.row.borrowed = BorrowedValue(
        task.row.via.target.code, "picture", None, None, "no/such/file.jpg", "guest.jpg", 10
    )
    h.run.borrow(task.row.borrowed)
    assert isinstance(h.ask(task, RequestKind.RESTORE), Refused)
    assert h.run.borrowed() == [task.row.borrowed]
    assert "could not be restored" in h.heard.notes[0]


# What is recorded and shown.


def test_what_a_look_up_found_is_recorded_before_it_is_shown(hands: Make) -> None:
    h = hands()
    tasks = [h.task(f"p-{n}") for n in range(1, 6)]
    rows: list[PlannedRow] = [task.row.planned for task in tasks]
    rows[2].media_code = "a/3.jpg"
    rows[3].status, rows[4].status = Status.UPLOADED, Status.UPLOADED
    h.run.mark_in_flight([InFlightMark(1, None)])
    uploaded(h.run, 4, "a/4.jpg")
    uploaded(h.run, 5, "a/5.jpg")
    wrong = Failure(Kind.TARGET_UNKNOWN, "nobody", "")
    h.looks.found = Found(
        tasks=[tasks[0]],
        known={"c": Known("x", None)},
        results=[
            (rows[1], RowResult(2, Status.INVALID, wrong)),
            (rows[0], RowResult(1, None, notes=("seen",))),
        ],
        still=[rows[2]],
        reopened=[Reopened(rows[3], LOST), Reopened(rows[4], None)],
    )
    outcome = h.executor.perform(Request(RequestKind.PREPARE, batch=rows), lambda: None)
    assert outcome == Prepared([tasks[0]], {"c": Known("x", None)})
    recorded = list(h.run.rows())
    assert [row.status for row in recorded] == [
        None, Status.INVALID, Status.UNCHANGED, None, Status.UPLOADED,
    ]  # fmt: skip
    assert [h.run.remembered(seq) is None for seq in (4, 5)] == [True, False], "the lost value is forgotten"
    assert (recorded[0].notes, recorded[1].failure, recorded[3].failure) == (("seen",), wrong, LOST)
    size = rows[2].size
    assert h.heard.events == [
        ("reopened", 4, "uploaded", LOST),
        ("reopened", 5, "uploaded", None),
        ("settled", {"unchanged": 1}, size, [3]),
        ("finished", 2, "invalid"),
    ]
    assert rows[2].before == HeldFile("a/3.jpg", rows[2].name, size)


def test_what_an_earlier_run_did_not_get_saved_is_no_longer_in_flight(hands: Make) -> None:
    h = hands()
    task = h.task("p-1")
    h.run.mark_in_flight([InFlightMark(1, None)])
    assert set(h.left()) == {1}
    h.looks.found = Found(tasks=[task], not_saved=[1])
    h.executor.perform(Request(RequestKind.PREPARE, batch=[task.row.planned]), lambda: None)
    assert h.left() == {}


def test_a_row_that_was_uploaded_is_remembered_shown_and_read_back(
    hands: Make, new: Callable[[], str]
) -> None:
    h = hands()
    task = h.task(new(), before="old.jpg")
    task.row.held = HeldFile("old.jpg", "old.jpg", 7)
    stored = h.send(task)
    task.state = Finished(Known(stored.code, stored.sha256))
    task.tries = Tries(made=3, began=-2.0)
    h.executor.ended(Ended(task, Status.UPLOADED, shared=True))
    (row,) = h.run.rows()
    assert (row.status, row.media_code, row.sha256, row.attempts) == (
        Status.UPLOADED, stored.code, stored.sha256, 3,
    )  # fmt: skip
    assert (row.duration, row.before, row.notes) == (2.0, HeldFile("old.jpg", "old.jpg", 7), (SHARED,))
    known = h.run.remembered(1)
    assert known is not None
    assert (known.media_code, known.sha256, known.mtime_ns) == (stored.code, stored.sha256, task.row.mtime_ns)
    assert h.heard.events[-1] == ("finished", 1, "uploaded")
    assert h.looks.done == [task]
    assert h.left() == {}


@pytest.mark.parametrize("uncertain", [False, True])
def test_a_row_that_failed_is_looked_at_by_the_next_run_only_if_it_may_be_there(
    hands: Make, new: Callable[[], str], uncertain: bool
) -> None:
    h = hands()
    task = h.task(new())
    h.send(task)
    h.executor.ended(Ended(task, Status.PENDING, LOST, uncertain=uncertain))
    (row,) = h.run.rows()
    assert (row.status, row.failure, row.media_code) == (Status.PENDING, LOST, None)
    assert bool(h.left()) is uncertain
    assert h.looks.done == []
    assert h.run.remembered(1) is None


def test_many_threads_count_the_same_bytes(hands: Make, new: Callable[[], str]) -> None:
    h = hands()
    tasks = [h.task(new()) for _ in range(8)]
    threads = [threading.Thread(target=h.send, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert h.executor.bytes_sent == sum(task.size for task in tasks)
    assert all(h.held(task) for task in tasks)
