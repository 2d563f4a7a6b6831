"""SIGKILL at any instant: the next run opens the file and finds everything that was reported done."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from akeneo_media_cli.rows import Status

from .ledger_rows import Notes, opened, planned

WRITER = """
import sys
from pathlib import Path
from tests.ledger.ledger_rows import opened, planned, uploaded
from akeneo_media_cli.ledger import InFlightMark, RowResult
from akeneo_media_cli.rows import Status

with opened(Path(sys.argv[1])) as ledger:
    run = ledger.start_run("upload", {})
    print("run", run.id, flush=True)
    run.add(planned(seq, f"{run.id}-{seq}") for seq in range(1, 4001))
    for seq in range(1, 4001, 4):
        run.mark_in_flight([InFlightMark(seq, "before")])
        print("flight", seq, flush=True)
        uploaded(run, seq, f"code/{seq}", sha256="0" * 64)
        print("done", seq, flush=True)
        run.record(RowResult(seq + n, Status.UPLOADED, None, f"code/{seq + n}") for n in (1, 2, 3))
        print("done", seq + 3, flush=True)
"""


def killed(path: Path, lines: int) -> tuple[str, int, int]:
    """Kill a writer once it has told so many things; its run, the last row done and the last in flight."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        told = [line for line, _ in zip(process.stdout, range(lines), strict=False)]
        # It writes on while it is being killed: what it told until then counts too.
        killer = threading.Thread(target=process.kill)
        killer.start()
        told += list(process.stdout)
        killer.join()
    words = [line.split() for line in told if line.endswith("\n")]
    last = {word: int(seq) for word, seq in words[1:]}
    return words[0][1], last.get("done", 0), last.get("flight", 0)


def check(path: Path, seed: int, kills: int) -> None:
    dice = random.Random(seed)
    notes = Notes()
    for _ in range(kills):
        id_, done, flight = killed(path, dice.randint(1, 400))
        with opened(path, note=notes) as ledger:
            assert ledger.run("last").id == id_
            assert ledger.run("last").state == "interrupted"
            record = ledger.record(id_)
            uploaded = [row.seq for row in record.rows((Status.UPLOADED,))]
            assert uploaded[:done] == list(range(1, done + 1))
            # A batch is in it whole or not at all.
            assert len(uploaded) % 4 in (0, 1)
            run = ledger.start_run("upload", {})
            run.add(planned(seq, f"{id_}-{seq}") for seq in range(1, 4001))
            assert run.mark_unchanged() == len(uploaded)
            interrupted = list(run.interrupted())
            assert len(interrupted) <= 1
            if flight > len(uploaded):
                assert [i.planned.seq for i in interrupted] == [flight]
            assert all(i.before == "before" for i in interrupted)
    assert notes == []


def test_nothing_told_is_lost(tmp_path: Path) -> None:
    check(tmp_path / "pim.sqlite", seed=1, kills=6)


@pytest.mark.slow
def test_nothing_told_is_lost_many_times_over(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    check(tmp_path / "pim.sqlite", seed=seed, kills=60)
