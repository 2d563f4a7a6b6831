"""What every command on a manifest has in common: from rows to an exit status, including signals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import Failure, LedgerError, MediaError
from ..exits import Exit, worst
from ..ledger import Run
from ..ledger.record import empty_summary
from ..pim.client import PimClient
from ..pim.connection import Connection
from ..pim.errors import CallError
from ..planning.plan import Rows
from ..progress.base import Progress
from ..rows import Status
from ..transfer.coordinator import Coordinator
from ..transfer.engine import Engine, RequestExecutor
from ..transfer.environment import Environment, Figures
from .fitting import Converting, converting
from .options import RunOptions
from .signals import Interrupted, Signals

if TYPE_CHECKING:
    from ..fit.recipe import Recipe


class Job:
    """One run of a command on a ledger's run. What it does with the rows is its subclass's: `steps`."""

    WORDS: ClassVar[Sequence[str]] = ()
    """The statuses of the command's own that its summary always has."""
    FIGURES: ClassVar[type[Figures]] = Figures

    def __init__(
        self,
        options: RunOptions,
        rows: Rows,
        connection: Connection | None,
        progress: Progress,
        environment: Environment,
        on_call: Callable[..., None] | None = None,
    ) -> None:
        """`connection` None: without a PIM. `on_call` is called after each request."""
        self.figures = self.FIGURES()
        self.error: MediaError | None = None
        """What ended the run early, if anything did."""
        self._cause: Failure | None = None
        self.pim_version: str | None = None
        self.small: dict[int, tuple[bytes, bytes]] = {}
        """Small pictures of rows' files and of what they were converted to, by the row's number."""
        self._rows = rows
        self._connection = connection
        self.progress = progress
        self.environment = environment
        self._run_options = options
        self._on_call = on_call
        self.signals = Signals()
        """The caller of `execute` decides how long signals are caught."""
        self.answers = True
        self._settled = True
        self._begun = False

    def execute(self, run: Run) -> Exit:
        """Do it all; the exit status. Every row's result is in the run, however it ends."""
        try:
            try:
                status = self.steps(run)
            finally:
                # Within the outer block: at no instant does a signal end more than the steps.
                self.signals.ending = True
        except Interrupted:
            status = Exit.OK
        except LedgerError as error:
            self.error = error
            # The rows' marks say what was sent meanwhile: the next run checks.
            status = _as_far_as_known(run) if self.figures.requests else error.exit_status
        except MediaError as error:
            self.error = error
            status = error.exit_status
        return worst(status, self.signals.status)

    def steps(self, run: Run) -> Exit:
        """What the command does; its exit status. Raises MediaError for what ends it early."""
        raise NotImplementedError

    def summary(self, run: Run) -> dict[str, Any]:
        """The report's summary: rows by status, and what it took."""
        return {"total": 0, **dict.fromkeys(self.WORDS, 0), **run.summary(), **vars(self.figures)}

    @classmethod
    def nothing(cls) -> dict[str, Any]:
        """The summary of a run that could not begin."""
        return {**empty_summary(), **dict.fromkeys(cls.WORDS, 0), **vars(cls.FIGURES())}

    @property
    def failure(self) -> Failure | None:
        """Why not everything was done, if no row says so: `error`, or the PIM's trouble."""
        return self._cause if self.error is None else self.error.failure

    @contextmanager
    def talking(self) -> Iterator[PimClient]:
        """The PIM's client while the block lasts; its requests are counted in the figures."""
        assert self._connection is not None
        options = self._run_options
        client = PimClient(
            self._connection, timeout=options.timeout, pool=options.concurrency, on_call=self._on_call
        )
        with client:
            try:
                yield client
                if self.answers:
                    self.ask_version(client)
            finally:
                self.figures.requests = client.counts.requests
                self.figures.retries += client.counts.resent

    def ask_version(self, client: PimClient) -> None:
        """Ask for the PIM's version, if a report is to say it and it is not known."""
        if self._run_options.reports and self.pim_version is None:
            self.pim_version = _version(client)

    def converting(self, recipe: Recipe | None) -> AbstractContextManager[Converting | None]:
        """What converts pictures, for as long as the block lasts; None without a recipe."""
        options = self._run_options
        html = any(name.lower().endswith(".html") for name in options.reports)
        return converting(
            recipe,
            options.manifest.links.max_temp,
            self.progress,
            small=self.small if html else {},
            most=options.preview if html else 0,
            interrupted=lambda: self.interrupted,
        )

    def drive(
        self,
        coordinator: Coordinator,
        executor: RequestExecutor,
        max_duration: float | None = None,
        *,
        tick: Callable[[], None] | None = None,
    ) -> bool:
        """Run a coordinator to its end; True if nothing was cut short. Raises what was fatal.

        `tick` is called again and again meanwhile.
        """
        engine = Engine(
            coordinator,
            executor,
            self.progress,
            clock=self.environment.clock,
            max_duration=max_duration,
            tick=tick,
        )
        if self.signals.first:
            engine.interrupt()
        self.answers = False
        self.signals.heard_by = engine.interrupt
        try:
            engine.run()
        finally:
            self.signals.heard_by = None
            self._settled = coordinator.settled
            self.figures.retries += coordinator.retries
            self.figures.throttled += coordinator.limiter.throttled
        if coordinator.fatal is not None:
            raise coordinator.fatal
        if coordinator.aborted and coordinator.trouble is not None:
            self._leave("the PIM could not be asked", coordinator.trouble)
        elif coordinator.limiter.given_up and coordinator.latest is not None:
            self._leave("the PIM stopped answering, the rest is left for the next run", coordinator.latest)
        self.answers = not (coordinator.aborted or self.interrupted)
        return not coordinator.stopping

    def begin(self, run: Run, *settled: Status) -> int:
        """Show what is to be done, and the rows with the statuses `settled`; how many rows are open."""
        open_rows, size = run.open_totals()
        counts, settled_size = run.totals(settled)
        self.progress.started(
            rows=open_rows + sum(counts.values()),
            # Those that are settled are counted as done: they are part of the whole.
            size=size and size + settled_size,
            concurrency=self._run_options.concurrency,
        )
        if counts:
            self.progress.rows_settled(counts, settled_size, lambda: run.items(settled))
        self._begun = True
        return open_rows

    def confirmed(self, ask: Callable[[str], bool] | None, question: str) -> bool:
        """The user's answer; without anybody to `ask` it is yes."""
        if ask is None:
            return True
        with self.progress.asking():
            return ask(question)

    def untold(self, run: Run) -> Iterator[dict[str, Any]]:
        """At the end: the items of rows that no display was told the result of, one page in memory at a time.

        They are those still open, or all if the run ended before `begin`.
        """
        return run.open_items() if self._begun else run.items()

    def _leave(self, what: str, trouble: Failure) -> None:
        cause = replace(trouble, message=f"{what}: {trouble.message}")
        self.progress.note(cause.message, hint=cause.hint, level="error")
        self._cause = self._cause or cause

    def let_settle(self, run: Run) -> None:
        """Wait while the PIM may still be working on requests of an earlier run that got no answer.

        Whatever rows this run has: the PIM saves whole products, and each file name once
        (docs/pim-behaviour.md, "Lost values" and "Swapped bytes").
        """
        seconds = max((each.seconds for each in run.at_work()), default=0.0)
        if seconds > 0:
            self.progress.waiting(
                "an earlier run was cut off: its last requests may still be at work", seconds
            )
            self.environment.sleep(seconds)
            self.progress.waiting("", 0.0)
        run.settled()

    @property
    def address(self) -> str:
        """The PIM's address."""
        return "" if self._connection is None else self._connection.url

    def note(self, message: str, hint: str) -> None:
        """Tell the user something that belongs to no row."""
        self.progress.note(message, hint=hint)

    @property
    def interrupted(self) -> bool:
        """Did a signal ask the run to end?"""
        return self.signals.first != 0


def rows_status(run: Run) -> Exit:
    """The exit status of a run's rows."""
    summary = run.summary()
    statuses = [Exit.OK]
    if any(summary.get(status) for status in ("failed", "invalid", "differs", "missing")):
        statuses.append(Exit.ROWS_FAILED)
    if summary["pending"]:
        statuses.append(Exit.PENDING)
    return worst(*statuses)


def _as_far_as_known(run: Run) -> Exit:
    """The exit status of the rows if the ledger could not record all of them."""
    try:
        return worst(rows_status(run), Exit.PENDING)
    except LedgerError:
        return Exit.PENDING


def _version(client: PimClient) -> str | None:
    """The PIM's version for the report; None if the PIM does not say."""
    try:
        found = client.system_information()
    except (CallError, MediaError):
        return None
    return found.version if found else None
