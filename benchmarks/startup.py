"""How soon the command is there."""

from __future__ import annotations

import sys
from functools import partial

import work
from figure import Figure, Setting, medians
from measure import environment, interleaved, ours, pim, ratios, run

_IMPORTS = (
    "Python, typer and urllib3 take half of it, its own 190 modules two fifths (125 dataclasses are made: a "
    "third of that); the ledger is opened, checked and closed, and five calls follow one another: a tenth"
)


def first_second(setting: Setting) -> list[Figure]:
    """One row uploaded, from start to end of the process, against importing what it is made of."""
    names = work.pictures(setting.folder / "one", 1, 100_000)
    manifest = work.one_a_product(setting.folder / "one" / "m.csv", names)
    imports = [sys.executable, "-c", "import typer, requests"]
    with pim() as server:
        ledger = setting.fresh("state-one") / "ledger.sqlite"
        measured = {
            "ours": partial(setting.ours, server.url, manifest, "--skip", "none", state=ledger, report=False),
            "the imports": partial(run, imports, env=environment(), cwd=setting.folder),
        }
        for each in measured.values():
            each()
        taken = interleaved(setting.times(15), measured)
    return [
        Figure(
            "one row uploaded, against `import typer, requests`",
            ratios(taken["ours"], taken["the imports"], lambda t: t.wall),
            1.6,
            " ×",
            how=medians(taken),
            reason=_IMPORTS,
        )
    ]


def startup(setting: Setting) -> list[Figure]:
    """`--version`, `--help` and `upload --help` against the import of the library they are made with."""
    env = environment()
    request = partial(run, env=env, cwd=setting.folder)
    measured = {
        "import typer": partial(request, [sys.executable, "-c", "import typer"]),
        "--version": partial(request, ours("--version")),
        "--help": partial(request, ours("--help")),
        "upload --help": partial(request, ours("upload", "--help")),
    }
    for each in measured.values():
        each()
    taken = interleaved(setting.times(15), measured)
    return [
        Figure(
            f"start-up, `{name}` against `import typer`",
            ratios(taken[name], taken["import typer"], lambda t: t.wall),
            target,
            " ×",
            how=medians({name: taken[name], "import typer": taken["import typer"]}),
        )
        for name, target in (("--version", 1.3), ("--help", 2.2), ("upload --help", 3.0))
    ]
