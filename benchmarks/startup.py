"""How soon the command is there."""

from __future__ import annotations

import sys
from functools import partial

from figure import Figure, Setting, medians
from measure import environment, interleaved, ours, ratios, run


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
