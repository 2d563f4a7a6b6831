"""The scheduler alone, in virtual time: how near it comes to the best its rules allow, and what it costs.

The coordinator is the real one; calls take no time but the clock's. Rows come as manifests have them, product
by product, with 1 to 50 pictures each; a fifth of the pictures has a name that other products' have too.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from itertools import islice
from time import process_time

from figure import Figure, Setting
from measure import Spread

CONNECTIONS = 10
_BATCH = 100
_LOOK = 0.1
"""Seconds of a call that looks a batch up."""
_COMMON = ("front.jpg", "back.jpg", "side.jpg", "detail.jpg", "label.jpg")


class Load:
    """So many rows, the same for a seed; knows what no schedule can beat."""

    def __init__(self, rows: int, seed: int = 1) -> None:
        self.rows = rows
        self._seed = seed
        self.total = 0.0
        self._longest_product = 0.0

    def tasks(self) -> Iterator[tuple[int, str, str, float]]:
        """seq, product, name, seconds of the call; product by product."""
        chance = random.Random(self._seed)
        seq = product = 0
        while seq < self.rows:
            product += 1
            chain = 0.0
            for n in range(min(chance.randint(1, 50), self.rows - seq)):
                seq += 1
                name = chance.choice(_COMMON) if chance.random() < 0.2 else f"{product}-{n}.jpg"
                seconds = chance.uniform(0.04, 0.2)
                chain += seconds
                self.total += seconds
                yield seq, f"product:{product}", f"name:{name}", seconds
            self._longest_product = max(self._longest_product, chain)

    def bound(self, batches: int) -> float:
        """Once all rows were given out: all seconds over all connections, or the longest chain."""
        return max((self.total + batches * _LOOK) / CONNECTIONS, self._longest_product)


def simulate(rows: int) -> tuple[float, float]:
    """How much of the best schedule was reached, and the CPU seconds a row of deciding.

    Deciding is all that is not making the rows up, which is timed by itself.
    """
    from akeneo_media_cli.transfer.coordinator import Coordinator, Policy
    from akeneo_media_cli.transfer.task import Prepared, Request, RequestKind, Stored, UploadTask

    began = process_time()
    for _ in Load(rows).tasks():
        pass
    making = process_time() - began

    load = Load(rows)
    source = load.tasks()
    batches = 0

    def feed() -> list[UploadTask] | None:
        nonlocal batches
        batch = [
            UploadTask(seconds, seq, 1000, (product,), name=name)
            for seq, product, name, seconds in islice(source, _BATCH)
        ]
        batches += bool(batch)
        return batch or None

    coordinator = Coordinator(Policy(CONNECTIONS), feed, random.Random(2).random)
    now, ticket, done = 0.0, 0, 0
    working: list[tuple[float, int, Request]] = []
    began = process_time()
    while True:
        step = coordinator.next(now)
        if isinstance(step, Request):
            ticket += 1
            seconds = _LOOK if step.kind is RequestKind.PREPARE else step.task.row
            heapq.heappush(working, (now + seconds, ticket, step))
        elif step is None:
            break
        else:
            now, _, request = heapq.heappop(working)
            outcome = (
                Prepared(request.batch)
                if request.kind is RequestKind.PREPARE
                else Stored(f"code-{request.number}", None, 1000, 0.1)
            )
            done += len(coordinator.answered(request, outcome, now))
    spent = process_time() - began - making
    assert done == rows, f"{done} of {rows} rows had their word"
    return load.bound(batches) / now, spent / rows


def schedule(setting: Setting) -> list[Figure]:
    """10 connections, up to 1,000,000 rows."""
    steps = (10_000, 100_000, 1_000_000) if not setting.quick else (10_000, 100_000)
    reached, costs = zip(*map(simulate, steps), strict=True)
    shown = "; ".join(
        f"{rows:,}: {part:.3f} of the best, {cost * 1e6:.0f} µs a row"
        for rows, part, cost in zip(steps, reached, costs, strict=True)
    )
    return [
        Figure(
            f"schedule of {steps[-1]:,} rows, 10 connections",
            Spread((reached[-1],)),
            0.93,
            least=True,
            how=shown,
        ),
        Figure(
            "deciding, CPU a row: the most rows over the fewest",
            Spread((costs[-1] / costs[0],)),
            1.3,
            " ×",
            how="constant: what is decided next does not depend on how many rows there are",
        ),
    ]
