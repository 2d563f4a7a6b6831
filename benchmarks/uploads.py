"""Uploads: how well the allowed calls are used, what they cost, and what others make of them."""

from __future__ import annotations

import random
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import work
from figure import Figure, Setting, medians
from measure import Spread, Taken, environment, interleaved, pim, ratios, run, spread

CALLS = 4

_WAITING = (
    "start-up (0.25 s), three calls that wait for one another (login, attribute, first search), looking up "
    "and reading back, and what each upload takes of a core that slept while the PIM worked (2 ms, where "
    "many at once take 1; a bare loop takes 1.3): a result is recorded while the next file is in flight, but "
    "that one may be is on disk before its bytes go out"
)
_BEFORE_THE_FIRST = (
    "start-up, with the calls that wait for one another (login, attribute, first search), and the last "
    "reading back are 0.4 s of it, the mark in the ledger before each upload 0.1 s"
)
_DOES_MORE = (
    "start-up (typer, urllib3 and its own modules) is 0.2 to 0.3 s of it; the exchange with the PIM is only "
    "a fifth of what an upload costs: the ledger, the digest, looking products up before and after, and the "
    "report, which the peer has not, are most of the rest"
)
_COMPETES = (
    "four threads compete for Python's lock when the PIM answers at once, which no PIM does: see 10 ms"
)
_SPREAD_OUT = (
    "the profile has no peak: start-up is a fifth; of what an upload costs the ledger is a fifth (two "
    "commits a row, so that a kill loses nothing: one for the end of a row and the beginning of the next "
    "would save a hundredth), the exchange another, reading, digest and sending of the file a sixth, "
    "looking the product up and reading it back an eighth, deciding what is next an eighth"
)
_STARTS = (
    "Python's start and its imports (0.2 s), which curl has not, are nearly half of it; the sending itself "
    "costs less than curl's"
)


def cpu(taken: Taken) -> float:
    """CPU seconds."""
    return taken.cpu


def wall(taken: Taken) -> float:
    """Seconds on the clock."""
    return taken.wall


def allowed_calls(setting: Setting) -> list[Figure]:
    """800 files of 100 KB, 150 ms a call, 4 at once: against 30 s, everything included."""
    count, seconds = setting.rows(800, 40), 0.15
    names = work.pictures(setting.folder / "even", count, 100_000)
    manifest = work.one_a_product(setting.folder / "even" / "m.csv", names)
    best = count * seconds / CALLS
    figures = []
    for read, target in ((20.0, 0.97), (seconds * 1000, None)):
        with pim(seconds * 1000, read=read) as server:
            taken = [setting.ours(server.url, manifest) for _ in range(setting.times(2))]
            requests = server.stats()
        others = (requests["total"] - requests["calls"]["POST media-files"]) / len(taken)
        name = "use of the allowed calls" + ("" if target else ", all calls as slow as uploads")
        how = (
            f"{count} files of 100 KB, 150 ms each; start-up and {others:.0f} other calls of {read:.0f} ms "
            f"included. Connections busy: {requests['busy'] / CALLS / sum(t.wall for t in taken):.3f}"
        )
        used = Spread(tuple(best / each.wall for each in taken))
        figures.append(Figure(name, used, target, least=True, how=how, reason=_WAITING))
    return figures


def mixed_load(setting: Setting) -> list[Figure]:
    """1 KB to 20 MB, 3 pictures a product, names that repeat; against a bound that no schedule can beat."""
    milliseconds, a_megabyte, products = 50.0, 20.0, setting.rows(200, 12)
    folder = setting.fresh("mixed")
    chance = random.Random(1)
    lines: list[work.Line] = []
    chains: Counter[str] = Counter()
    total = 0.0
    for product in range(products):
        for n in range(3):
            size = int(1000 * 20_000 ** chance.random()) + product * 3 + n
            # A folder a product; each tenth has the name that others have too.
            name = "front.jpg" if chance.random() < 0.1 else f"{product}-{n}.jpg"
            path = folder / f"{product}-{n}" / name
            path.parent.mkdir()
            work.large(path, size)
            lines.append((f"sku-{product}", f"picture_{n}", f"{product}-{n}/{name}"))
            seconds = (milliseconds + a_megabyte * size / 1e6) / 1000
            total += seconds
            chains[f"product {product}"] += seconds  # type: ignore[assignment]
    manifest = work.manifest(folder / "m.csv", lines)
    best = max(total / CALLS, *chains.values())
    with pim(milliseconds, a_megabyte) as server:
        taken = [setting.ours(server.url, manifest) for _ in range(setting.times(3))]
        clashes = server.stats()["clashes"]
    assert not clashes, "two calls for one product at once"
    return [
        Figure(
            "mixed load",
            Spread(tuple(best / each.wall for each in taken)),
            0.93,
            least=True,
            how=f"{len(lines)} files, {milliseconds:.0f} ms a call and {a_megabyte:.0f} ms a MB; no schedule "
            f"takes less than {best:.1f} s (all server time over {CALLS}, or the longest chain)",
            reason=_WAITING,
        )
    ]


def same_names(setting: Setting) -> list[Figure]:
    """A folder a product, each with a `front.jpg`: 200 uploads of 150 ms, four at once."""
    count = setting.rows(200, 24)
    folder = setting.fresh("folders")
    lines: list[work.Line] = []
    for n in range(count):
        (folder / str(n)).mkdir()
        work.picture(folder / str(n) / "front.jpg", 100_000, n)
        lines.append((f"sku-{n:07}", "picture", f"{n}/front.jpg"))
    return [_against_bare(setting, "same names", work.manifest(folder / "m.csv", lines), 0.90)]


def distinct_names(setting: Setting) -> list[Figure]:
    """800 distinct files of 100 KB, 150 ms a call, four at once, against a bare loop."""
    count = setting.rows(800, 24)
    names = work.pictures(setting.folder / "distinct", count, 100_000)
    manifest = work.one_a_product(setting.folder / "distinct" / "m.csv", names)
    return [_against_bare(setting, "distinct names", manifest, 0.98)]


def _against_bare(setting: Setting, what: str, manifest: Path, target: float) -> Figure:
    with pim(150.0, read=20.0) as server:
        measured = {
            "ours": partial(setting.ours, server.url, manifest),
            "the bare loop": partial(setting.peer, "bare", server.url, manifest),
        }
        taken = interleaved(setting.times(3), measured)
    return Figure(
        f"{what}, against a bare loop",
        ratios(taken["the bare loop"], taken["ours"], wall),
        target,
        least=True,
        how=f"files of 100 KB, 150 ms a call, four http.client connections: {medians(taken)}",
        reason=_BEFORE_THE_FIRST,
    )


def sought_concurrency(setting: Setting) -> list[Figure]:
    """`--concurrency auto` on PIMs of 1 to 16 workers: uploads a second once 200 were sent."""
    learned, count = (200, 400) if not setting.quick else (40, 60)
    names = work.pictures(setting.folder / "sought", count, 10_000)
    manifest = work.one_a_product(setting.folder / "sought" / "m.csv", names)
    reached, shown = [], []
    for workers in (1, 2, 4, 8, 16) if not setting.quick else (2,):
        rates: dict[str, float] = {}
        with pim(60.0, read=20.0, workers=workers) as server:
            # More calls than workers only wait, so these have the best of the fixed numbers among them.
            for number in ("auto", *{str(min(workers, 10)), "10"}):
                server.reset()
                setting.ours(server.url, manifest, "--concurrency", number)
                saved = server.stats()["saved"]
                rates[number] = (count - learned) / (saved[-1] - saved[learned - 1])
                if number == "auto":
                    most = server.stats()["most_in_flight"]
        reached.append(rates["auto"] / max(rates.values()))
        told = ", ".join(f"{number}: {rate:.1f}" for number, rate in rates.items())
        shown.append(f"{workers} workers: {told} a second, at most {most} in flight")
    return [
        Figure(
            "concurrency auto, against the best fixed number",
            Spread(tuple(reached)),
            0.9,
            least=True,
            how="; ".join(shown),
        )
    ]


def small_files(setting: Setting) -> list[Figure]:
    """CPU for 1,000 files of 100 KB: ours with all it does, against those that only send."""
    count = setting.rows(1000, 100)
    names = work.pictures(setting.folder / "small", count, 100_000)
    manifest = work.one_a_product(setting.folder / "small" / "m.csv", names)
    figures = []
    for milliseconds, times in ((0.0, 7), (10.0, 2)):
        with pim(milliseconds) as server:
            measured = {
                "ours": partial(setting.ours, server.url, manifest),
                "plain requests": partial(setting.peer, "requests", server.url, manifest),
            }
            if setting.peers:
                measured["akeneo-cli"] = partial(setting.peer, "akeneo-cli", server.url, manifest)
                measured["pyakeneo"] = partial(setting.peer, "pyakeneo", server.url, manifest)
            if setting.curl:
                config = _curl_config(setting, server.url, manifest.parent, names)
                measured["curl"] = partial(_curl, setting, config)
            taken = interleaved(setting.times(times), measured)
        for peer, target, reason in (
            ("akeneo-cli", 0.5, _DOES_MORE),
            ("pyakeneo", None, ""),
            (
                "plain requests",
                1.5 if not milliseconds else 0.6,
                _COMPETES if not milliseconds else _SPREAD_OUT,
            ),
            ("curl", None, ""),
        ):
            if peer not in taken:
                continue
            how = f"{count} files of 100 KB, {milliseconds:.0f} ms a call: {medians(taken)}"
            figures.append(
                Figure(
                    f"CPU, small files, {milliseconds:.0f} ms a call, against {peer}",
                    ratios(taken["ours"], taken[peer], cpu),
                    target,
                    " ×",
                    how=how,
                    reason=reason,
                )
            )
    return figures


def _curl_config(setting: Setting, url: str, folder: Path, names: list[str]) -> Path:
    """One process, one connection, one transfer a file."""
    transfers = [
        f'url = "{url}/api/rest/v1/media-files"\n'
        f'header = "Authorization: Bearer a"\n'
        f'form-string = "product={{\\"identifier\\": \\"sku-{n:07}\\", \\"attribute\\": \\"picture\\", '
        f'\\"locale\\": null, \\"scope\\": null}}"\n'
        f'form = "file=@{folder / name};type=image/jpeg"\n'
        for n, name in enumerate(names)
    ]
    config = setting.folder / "curl.txt"
    config.write_text("silent\nshow-error\nnoproxy = *\n" + "next\n".join(transfers))
    return config


def _curl(setting: Setting, config: Path) -> Taken:
    return run([str(setting.curl), "--config", str(config)], env=environment(), cwd=setting.folder)


def large_file(setting: Setting) -> list[Figure]:
    """1 GB: the body alone against curl; the whole command, its digest told apart."""
    size = setting.rows(1_000_000_000, 50_000_000)
    folder = setting.fresh("large")
    work.large(folder / "large.jpg", size)
    manifest = work.one_a_product(folder / "m.csv", ["large.jpg"])
    with pim() as server:
        measured = {
            "ours": partial(setting.ours, server.url, manifest),
            "the client without digest": partial(_body, setting, server.url, folder / "large.jpg", "send"),
            "SHA-256 alone": partial(_body, setting, server.url, folder / "large.jpg", "digest"),
        }
        if setting.curl:
            config = _curl_config(setting, server.url, folder, ["large.jpg"])
            measured["curl -F"] = partial(_curl, setting, config)
        if setting.peers:
            measured["akeneo-cli"] = partial(setting.peer, "akeneo-cli", server.url, manifest)
        taken = interleaved(setting.times(5), measured)
    how = f"{size / 1e6:.0f} MB: {medians(taken)}"
    figures = [
        Figure(f"memory, a file of {size / 1e6:.0f} MB", spread(taken["ours"], lambda t: t.memory), 90, " MB")
    ]
    if setting.curl:
        without = ratios(taken["the client without digest"], taken["curl -F"], cpu)
        figures.append(
            Figure(
                "CPU, large file, without digest, against curl -F",
                without,
                1.3,
                " ×",
                how=how,
                reason=_STARTS,
            )
        )
        whole = ratios(taken["ours"], taken["curl -F"], cpu)
        figures.append(
            Figure(
                "CPU, large file, the whole command, against curl -F", whole, None, " ×", how="with SHA-256"
            )
        )
    if setting.peers:
        whole = ratios(taken["ours"], taken["akeneo-cli"], cpu)
        figures.append(Figure("CPU, large file, the whole command, against akeneo-cli", whole, None, " ×"))
    return figures


_BODY = """
import hashlib, sys
from akeneo_media_cli.pim.http.multipart import FileBody, ValueRef
from akeneo_media_cli.pim.http.source import PathSource
path, what, url = sys.argv[1:]
if what == "digest":
    body = FileBody(PathSource(path))
    for piece in body: pass
else:
    from akeneo_media_cli.pim.client import PimClient
    from akeneo_media_cli.pim.connection import Connection
    from akeneo_media_cli.secret import Secret
    with PimClient(Connection(url, token=Secret("a"))) as client:
        client.upload_product(FileBody(PathSource(path), value=ValueRef("product", "sku", "p"), digest=False))
# As the command ends.
from akeneo_media_cli.cli.terminal.process import wind_up
wind_up()
"""


def _body(setting: Setting, url: str, path: Path, what: str) -> Taken:
    return run([sys.executable, "-c", _BODY, str(path), what, url], env=environment(url), cwd=setting.folder)


def against_peers(setting: Setting) -> list[Figure]:
    """Wall time for 400 files at 50 ms a call."""
    count = setting.rows(400, 20)
    names = work.pictures(setting.folder / "peers-files", count, 100_000)
    manifest = work.one_a_product(setting.folder / "peers-files" / "m.csv", names)
    with pim(50) as server:
        measured = {
            "ours": partial(setting.ours, server.url, manifest),
            "plain requests": partial(setting.peer, "requests", server.url, manifest),
        }
        if setting.peers:
            measured["akeneo-cli"] = partial(setting.peer, "akeneo-cli", server.url, manifest)
            measured["pyakeneo"] = partial(setting.peer, "pyakeneo", server.url, manifest)
        taken = interleaved(setting.times(2), measured)
    fastest = min((name for name in taken if name != "ours"), key=lambda n: spread(taken[n], wall).median)
    return [
        Figure(
            "wall time against the fastest peer",
            ratios(taken[fastest], taken["ours"], wall),
            3.8,
            " ×",
            least=True,
            how=f"{count} files of 100 KB, 50 ms a call: {medians(taken)}",
            reason=_WAITING,
        )
    ]
