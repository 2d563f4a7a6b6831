"""How many requests a PIM can take is found: servers of many sizes in virtual time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.transfer.coordinator import Coordinator, Policy
from akeneo_media_cli.transfer.task import Prepared, Request, RequestKind, Stored, Troubled, UploadTask

LEARNED = 200
"""Calls after which the number must have been found."""


class Server:
    """So many workers that share cores: a save takes a worker, waits for its disk, then for a core.

    `io` and `cpu` are seconds of a save; `noise` is how much one differs from another.
    """

    def __init__(self, workers: int, *, io: float, cpu: float, cores: int, noise: float) -> None:
        self.workers, self.io, self.cpu, self.cores, self.noise = workers, io, cpu, cores, noise

    def run(self, policy: Policy, rows: int, seed: int, allowed: int = 10**9) -> tuple[float, int, int]:
        """Saves a second once the number was found; the most that were in flight; requests refused."""
        chance = random.Random(seed)
        batches = iter([[UploadTask(n, n, 1000, (f"e{n}",), name=f"name:{n}") for n in range(rows)]])
        coordinator = Coordinator(policy, lambda: next(batches, None), chance.random)
        events: list[tuple[float, int, Callable[[], None]]] = []
        waiting: list[tuple[Request, float]] = []
        self.busy = self.flying = most = refused = self.tickets = 0
        done: list[float] = []
        cores = [0.0] * self.cores
        now = 0.0

        def at(when: float, action: Callable[[], None]) -> None:
            self.tickets += 1
            heapq.heappush(events, (when, self.tickets, action))

        def serve() -> None:
            while waiting and self.busy < self.workers:
                self.busy += 1
                at(now + self.io * chance.uniform(1 - self.noise, 1 + self.noise), compute(*waiting.pop(0)))

        def compute(request: Request, came: float) -> Callable[[], None]:
            def action() -> None:
                seconds = self.cpu * chance.uniform(1 - self.noise, 1 + self.noise)
                core = min(range(self.cores), key=cores.__getitem__)
                cores[core] = max(now, cores[core]) + seconds
                at(cores[core], finish(request, came))

            return action

        def finish(request: Request, came: float) -> Callable[[], None]:
            def action() -> None:
                self.busy -= 1
                self.flying -= 1
                done.append(now)
                coordinator.answered(request, Stored(f"c{request.number}", None, 1000, now - came), now)
                serve()

            return action

        def refuse(request: Request) -> Callable[[], None]:
            def action() -> None:
                self.flying -= 1
                trouble = Troubled(Failure(Kind.THROTTLED, "too many", "", 429), throttled=True)
                coordinator.answered(request, trouble, now)

            return action

        while (step := coordinator.next(now)) is not None:
            if not isinstance(step, Request):
                if events and events[0][0] <= now + step:
                    now, _, action = heapq.heappop(events)
                    action()
                else:
                    now += step
            elif step.kind is RequestKind.PREPARE:
                coordinator.answered(step, Prepared(step.batch), now)
            else:
                self.flying += 1
                most = max(most, self.flying)
                if self.flying > allowed:
                    refused += 1
                    at(now + 0.01, refuse(step))
                else:
                    waiting.append((step, now))
                    serve()
        assert len(done) == rows
        return (rows - LEARNED) / (done[-1] - done[LEARNED - 1]), most, refused


SERVERS = [
    pytest.param({"io": 0.15, "cpu": 0.0, "cores": 4}, id="waits"),
    pytest.param({"io": 0.1, "cpu": 0.05, "cores": 2}, id="two cores"),
    pytest.param({"io": 0.02, "cpu": 0.1, "cores": 4}, id="four cores"),
]


@pytest.mark.parametrize("workers", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_it_comes_within_a_tenth_of_the_best_number(
    workers: int, kind: dict[str, float], noise: float
) -> None:
    server = Server(workers, noise=noise, **kind)
    fixed = [server.run(Policy(n), 800, seed=1)[0] for n in range(1, 11)]
    for seed in range(2, 6):
        rate, most, _ = server.run(Policy(10, seek=True), 800, seed)
        assert most <= 10
        assert rate >= 0.9 * max(fixed), f"{rate:.1f} a second, fixed: {[f'{f:.1f}' for f in fixed]}"


@pytest.mark.parametrize("most", [1, 2, 3, 10])
def test_it_never_sends_more_at_once_than_allowed(most: int) -> None:
    _, seen, _ = Server(64, io=0.1, cpu=0.0, cores=1, noise=0.2).run(Policy(most, seek=True), 400, seed=1)
    assert seen == most


def test_a_pim_with_one_worker_is_not_crowded() -> None:
    _, most, _ = Server(1, io=0.1, cpu=0.0, cores=1, noise=0.2).run(Policy(10, seek=True), 400, seed=1)
    assert most <= 4


def test_a_pim_that_throttles_is_heard_too() -> None:
    rate, _, refused = Server(16, io=0.15, cpu=0.0, cores=4, noise=0.1).run(
        Policy(10, seek=True), 800, seed=1, allowed=3
    )
    assert refused <= 20
    assert rate >= 0.8 * 3 / 0.15
