"""How long saves take, as the next run is to know it."""

from __future__ import annotations

import pytest

from akeneo_media_cli.errors import Failure, Kind
from akeneo_media_cli.pim.errors import Trouble
from akeneo_media_cli.transfer.retry import SaveTimes


def test_a_batch_is_given_the_time_of_its_lines_from_the_start() -> None:
    now = 0.0
    written: list[float] = []
    saves = SaveTimes(lambda: now, written.append)
    with saves.saving(lines=100):
        assert written == [], "nothing is known yet"
    with saves.saving():
        now += 0.3
    assert written == []
    with saves.saving(lines=100):
        assert written == [30.0]
        now += 3
    assert written == [30.0]


def test_a_patch_counts_as_a_save_and_a_refused_connection_does_not() -> None:
    now = 0.0
    written: list[float] = []
    saves = SaveTimes(lambda: now, written.append)
    failure = Failure(Kind.CONNECTION, "refused", "start the PIM")
    for maybe_done in (False, True):
        with pytest.raises(Trouble), saves.saving():
            now += 5
            raise Trouble(failure, maybe_done=maybe_done)
        assert written == [20.0] * maybe_done
    with saves.saving():
        now += 50
    assert written == [20.0, 180.0], "three minutes at most"
    sent = now
    with saves.saving(lambda: sent):
        now += 1000
        saves.look()
    assert len(written) == 2
