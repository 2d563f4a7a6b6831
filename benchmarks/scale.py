"""What grows with the number of rows: time and memory of reading, of uploading, of finding nothing to do."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import plot
import work
from figure import Figure, Setting, medians
from measure import Spread, Taken, environment, installed, interleaved, ours, pim, ratios, run, spread

_ONE_CORE = "one core at work: where the machine has others to serve, wall time is more than CPU time"

_PLAN = """
import sys, time
from pathlib import Path
from akeneo_media_cli.ledger import open_ledger
from akeneo_media_cli.planning.options import ManifestOptions
from akeneo_media_cli.planning.plan import plan, planned_rows
from akeneo_media_cli.planning.unchanged import SkipPolicy
said = lambda message, hint: print(message, file=sys.stderr)
ledger = open_ledger(Path(sys.argv[2]), pim_url="http://localhost", clock=time.time, note=said)
run = ledger.start_run("upload", {})
rows = planned_rows(ManifestOptions([sys.argv[1]]), sys.stdin.buffer, said)
plan(run, rows, skip=SkipPolicy("ledger"), note=said)
print(run.open_totals())
"""


def _files(folder: Path, count: int) -> list[str]:
    """So many small files, a thousand a folder."""
    names = []
    for n in range(count):
        if n % 1000 == 0:
            (folder / f"{n // 1000:03}").mkdir(parents=True, exist_ok=True)
        name = f"{n // 1000:03}/{n:06}.jpg"
        work.picture(folder / name, 1000, n)
        names.append(name)
    return names


def manifest_rows(setting: Setting) -> list[Figure]:
    """A CSV of 1,000,000 rows: read, each row's file looked at, all of it in the ledger."""
    rows = setting.rows(1_000_000, 20_000)
    folder = setting.fresh("rows")
    names = _files(folder, 10_000)
    manifest = work.manifest(
        folder / "m.csv",
        ((f"sku-{n // 4:07}", f"picture_{n % 4}", names[n % len(names)]) for n in range(rows)),
    )
    taken = []
    for _ in range(setting.times(2)):
        ledger = setting.fresh("state") / "ledger.sqlite"
        command = [sys.executable, "-c", _PLAN, str(manifest), str(ledger)]
        taken.append(run(command, env=environment(), cwd=setting.folder))
    validate = run(ours("validate", manifest, "-q"), env=environment(), cwd=setting.folder)
    by_cpu = rows / min(each.cpu for each in taken)
    how = (
        f"{rows:,} rows that name {len(names):,} files; {by_cpu:,.0f} a second of CPU; "
        f"the whole of `validate` takes {validate.wall:.1f} s, {validate.cpu:.1f} s of CPU"
    )
    return [
        Figure(
            "manifest, rows a second",
            Spread(tuple(rows / each.wall for each in taken)),
            60_000,
            least=True,
            how=how,
            reason=_ONE_CORE,
        ),
        Figure(f"memory, a manifest of {rows:,} rows", spread(taken, _memory), 200, " MB"),
        Figure(f"memory, `validate` of {rows:,} rows", Spread((validate.memory,)), 200, " MB"),
    ]


_DICT_READER = """
import csv, sys
for row in csv.DictReader(open(sys.argv[1], newline="")):
    pass
"""
_ROWS = (
    "of 6 µs a row SQLite takes 2.5 (writing 15 columns 1.7, finding rows for the same value 0.5, counting "
    "0.3), its key 0.7, the CSV 0.8; start-up and the look into 10,000 files are a quarter. Column libraries "
    "buy nothing: to have the columns as Python's lists the csv module takes 0.2 to 0.3 s of CPU, a block at "
    "a time, pyarrow 0.3 s, polars 0.15 s after an import of 0.5 s"
)


def validate_rows(setting: Setting) -> list[Figure]:
    """`validate` of 400,000 rows that name 10,000 files, against csv.DictReader over the same file."""
    rows = setting.rows(400_000, 20_000)
    folder = setting.fresh("validate")
    names = _files(folder, 10_000)
    lines = ((f"sku-{n // 4:07}", f"picture_{n % 4}", names[n % len(names)]) for n in range(rows))
    manifest = work.manifest(folder / "m.csv", lines)
    see = partial(run, env=environment(), cwd=setting.folder)
    measured = {
        "validate": partial(see, ours("validate", manifest, "-q")),
        "csv.DictReader": partial(see, [sys.executable, "-c", _DICT_READER, str(manifest)]),
    }
    if setting.previous:
        command = [setting.previous, "-m", "akeneo_media_cli", "validate", str(manifest), "-q"]
        measured["the previous build"] = partial(run, command, env=installed(), cwd=setting.folder)
    taken = interleaved(setting.times(5), measured)
    return [
        Figure(
            "CPU of `validate` a row, against csv.DictReader",
            ratios(taken["validate"], taken["csv.DictReader"], _cpu),
            6,
            " ×",
            how=f"{rows:,} rows that name {len(names):,} files: {medians(taken)}",
            reason=_ROWS,
        )
    ]


_NOTHING = (
    "of 20 µs a row 3 are the system's look at the file (lstat), 7 SQLite's (finding its value by key among "
    "100,000 and writing the row, 6), 3 the CSV and the key; start-up and the check of the ledger's pages "
    "are a fifth of all"
)


def nothing_to_do(setting: Setting) -> list[Figure]:
    """100,000 unchanged rows, CPU: `--skip ledger` and the default against the previous `--skip ledger`."""
    if setting.previous is None:
        return []
    rows = setting.rows(100_000, 1_000)
    folder = setting.fresh("nothing")
    manifest = work.one_a_product(folder / "m.csv", _files(folder, rows))
    # A PIM each: the values that one build uploads are not those that the other remembers.
    with pim() as server, pim() as other:
        ledgers = {name: setting.fresh(f"state-{name}") / "ledger.sqlite" for name in ("now", "then")}

        def then() -> Taken:
            command = [setting.previous, "-m", "akeneo_media_cli", "upload", manifest]
            command += ["--skip", "ledger", "--state", ledgers["then"], "-q"]
            return run(list(map(str, command)), env=installed(other.url), cwd=setting.folder)

        now = partial(setting.ours, server.url, manifest, "-q", state=ledgers["now"], report=False)
        measured = {
            "--skip ledger": partial(now, "--skip", "ledger"),
            "asking the PIM": partial(now, "--skip", "remote"),
            "the previous build": then,
        }
        now()
        then()
        taken = interleaved(setting.times(3), measured)
    how = f"{rows:,} rows and files: {medians(taken)}"
    before = taken["the previous build"]
    return [
        Figure(
            "CPU of nothing to do, `--skip ledger`, against the previous build",
            ratios(taken["--skip ledger"], before, _cpu),
            0.5,
            " ×",
            how=how,
            reason=_NOTHING,
        ),
        Figure(
            "CPU of nothing to do, the PIM asked, against the previous build's `--skip ledger`",
            ratios(taken["asking the PIM"], before, _cpu),
            2,
            " ×",
            how="one search for a hundred products",
        ),
    ]


_GROWS = (
    "36 MB are there before the first row is read: 13 of the interpreter and libraries, 14 of Python's code "
    "and classes, the rest of importing them; the ledger's page caches (3 MB), what is known of the last "
    "16,384 files and what the allocator keeps for each thread (3 MB) fill up once"
)


def growth(setting: Setting) -> list[Figure]:
    """Uploads of 1,000 to 100,000 files of 1 KB; then once more, with nothing to do."""
    steps = (1_000, 10_000, 100_000) if not setting.quick else (100, 300, 1_000)
    folder = setting.fresh("many")
    names = _files(folder, steps[-1])
    uploads: list[Taken] = []
    again: list[Taken] = []
    with pim() as server:
        for rows in steps:
            manifest = work.one_a_product(folder / f"{rows}.csv", names[:rows])
            ledger = setting.fresh(f"state-{rows}") / "ledger.sqlite"
            uploads.append(setting.ours(server.url, manifest, state=ledger))
            told = json.loads(
                (setting.folder / "report.json").read_bytes()[:1000].split(b'"items"')[0] + b'"items": []}'
            )
            assert told["summary"]["uploaded"] == rows, told
            server.reset()
            times = setting.times(3) if rows == steps[-1] else 1
            again += [setting.ours(server.url, manifest, state=ledger, report=False) for _ in range(times)]
            requests = server.stats()["total"]
            # Login, the attribute, and a search for a hundred products.
            assert requests <= times * (rows // 100 + 4), server.stats()
    plot.write(
        Path(plot.FILE) if not setting.quick else setting.folder / "growth.svg",
        [
            ("seconds", [(rows, each.wall) for rows, each in zip(steps, uploads, strict=True)]),
            ("MB", [(rows, each.memory) for rows, each in zip(steps, uploads, strict=True)]),
        ],
    )
    a_row = [(uploads[n].wall - uploads[0].wall) / (steps[n] - steps[0]) for n in (1, 2)]
    first, last = uploads[0], uploads[-1]
    shown = "; ".join(
        f"{rows:,}: {each.wall:.1f} s, {each.memory:.0f} MB"
        for rows, each in zip(steps, uploads, strict=True)
    )
    nothing = again[-setting.times(3) :]
    return [
        Figure(
            "growth, seconds a row: the last step over the first",
            Spread((a_row[1] / a_row[0],)),
            1.2,
            " ×",
            how=shown,
        ),
        Figure(
            f"memory, {steps[-1]:,} uploads in one run over {steps[0]:,}",
            Spread((last.memory / first.memory,)),
            1.5,
            " ×",
            how=f"{last.memory:.0f} MB",
            reason=_GROWS,
        ),
        Figure(f"memory, {steps[-1]:,} uploads in one run", Spread((last.memory,)), 60, " MB", reason=_GROWS),
        Figure(
            f"nothing to do, {steps[-1]:,} unchanged rows",
            spread(nothing, lambda t: t.wall),
            4,
            " s",
            how=f"a search for a hundred products each; {spread(nothing, _cpu)} s of CPU, "
            f"{spread(nothing, _memory)} MB",
            reason=_ONE_CORE,
        ),
    ]


def _cpu(taken: Taken) -> float:
    return taken.cpu


def _memory(taken: Taken) -> float:
    return taken.memory
