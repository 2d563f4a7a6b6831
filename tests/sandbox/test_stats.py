"""The sandbox's counters."""

from __future__ import annotations

import random

from akeneo_media_cli.sandbox.stats import Call, Stats


def test_gauges_never_lose_count() -> None:
    """Calls that hold, hold again, let go and end in any order leave nothing held."""
    rng, stats = random.Random(7), Stats(lambda: 0.0)
    calls: list[Call] = []
    for _ in range(2000):
        if not calls or rng.random() < 0.4:
            calls.append(stats.begin("POST", "/x"))
        call = rng.choice(calls)
        step = rng.random()
        if step < 0.4:
            stats.hold(call, stats.entities, str(rng.randrange(5)))
        elif step < 0.6:
            stats.release(call, stats.entities)
        else:
            calls.remove(call)
            stats.end(call, "201")
        assert stats.flying.now["all"] == len(calls)
    for call in calls:
        stats.end(call, "201")
    assert not stats.entities.now
    assert not stats.flying.now
