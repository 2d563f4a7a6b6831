"""Converting pictures: against ImageMagick, beside uploads, and what a large one takes of memory."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import work
from figure import Figure, Setting, medians
from measure import Spread, Taken, environment, interleaved, ours, pim, ratios, run, spread

_EDGE = 2000
_QUALITY = 88


def against_mogrify(setting: Setting) -> list[Figure]:
    """40 pictures of 24 megapixels to 2,000 pixels, with the same quality and colour handling."""
    mogrify = shutil.which("mogrify")
    if mogrify is None:
        setting.missing["mogrify"] = "not on this machine"
        return []
    count, megapixels = setting.rows(40, 3), setting.rows(24, 2)
    folder = setting.fresh("pictures")
    files = _pictures(folder, count, megapixels)
    srgb = folder / "srgb.icc"
    srgb.write_bytes(_srgb())
    options = ["-auto-orient", "-intent", "Relative", "-black-point-compensation", "-profile", str(srgb)]
    options += ["-depth", "8", "-filter", "Lanczos", "-resize", f"{_EDGE}x{_EDGE}>", "-strip"]
    options += ["-quality", str(_QUALITY), "-sampling-factor", "4:2:0", "-interlace", "JPEG"]

    def theirs() -> Taken:
        to = setting.fresh("theirs")
        return run(
            [mogrify, "-path", str(to), "-format", "jpg", *options, *files], env=dict(os.environ), cwd=folder
        )

    def own() -> Taken:
        to = setting.fresh("ours")
        return run(ours("fit", *files, "--max-edge", _EDGE, "--to", to, "-q"), env=environment(), cwd=folder)

    taken = interleaved(setting.times(3), {"ours": own, "mogrify": theirs})
    what = f"{count} pictures of {megapixels} megapixels (TIFF LZW, PNG, JPEG) with a wide profile"
    how = f"{what}: {medians(taken)}"
    memory = ", ".join(f"{name} {spread(each, _memory)} MB" for name, each in taken.items())
    return [
        Figure("converting, wall time, against mogrify", _ratio(taken, _wall), 0.5, " ×", how=how),
        Figure(
            "converting, memory, against mogrify",
            _ratio(taken, _memory),
            0.333,
            " ×",
            how=memory,
        ),
    ]


def beside_uploads(setting: Setting) -> list[Figure]:
    """200 pictures converted and uploaded in one run, against the longer of either alone."""
    count, megapixels = setting.rows(200, 6), setting.rows(6, 1)
    folder = setting.fresh("both")
    names = [Path(file).name for file in _pictures(folder, count, megapixels)]
    lines = [(f"sku-{n:07}", "web", name) for n, name in enumerate(names)]
    sources = work.manifest(folder / "sources.csv", lines)
    with pim(350, read=20) as server:
        done = setting.fresh("done")

        def convert() -> Taken:
            files = [str(folder / name) for name in names]
            return run(
                ours("fit", *files, "--max-bytes", "1M", "--to", done, "-q"), env=environment(), cwd=folder
            )

        convert()
        ready = work.manifest(
            done / "ready.csv", [(sku, code, f"{Path(name).stem}.jpg") for sku, code, name in lines]
        )
        taken = interleaved(
            setting.times(3),
            {
                "converting": convert,
                "uploading": lambda: setting.ours(server.url, ready),
                "both": lambda: setting.ours(server.url, sources, "--fit"),
            },
        )
    longer = [max(pair, key=_wall) for pair in zip(taken["converting"], taken["uploading"], strict=True)]
    how = f"{count} pictures of {megapixels} megapixels, 350 ms a call: {medians(taken)}"
    return [
        Figure(
            "converting and uploading, wall time, against the longer alone",
            ratios(taken["both"], longer, _wall),
            1.15,
            " ×",
            how=how,
        )
    ]


def memory_of_a_large_picture(setting: Setting) -> list[Figure]:
    """A TIFF of 100 megapixels, converted alone and in an upload."""
    folder = setting.fresh("large")
    name = Path(_pictures(folder, 1, setting.rows(100, 4))[0]).name
    manifest = work.manifest(folder / "m.csv", [("sku-1", "web", name)])
    with pim() as server:
        taken = {
            "fit": [run(ours("fit", name, "--to", "out", "-q"), env=environment(), cwd=folder)],
            "upload --fit": [setting.ours(server.url, manifest, "--fit")],
        }
    return [
        Figure(f"memory, {command}, a TIFF of 100 megapixels", spread(each, _memory), 150, " MB")
        for command, each in taken.items()
    ]


def _pictures(folder: Path, count: int, megapixels: int) -> list[str]:
    """TIFF, PNG and JPEG in turns, each kind the same picture under many names."""
    # In a process of its own: the memory of this one would count for the commands that it starts.
    command = [sys.executable, __file__, str(folder), str(megapixels), str(min(count, len(_KINDS)))]
    run(command, env=environment(), cwd=folder)
    files = [folder / f"picture-{n:03}.{_KINDS[n % len(_KINDS)][0]}" for n in range(count)]
    for n in range(len(_KINDS), count):
        os.link(files[n % len(_KINDS)], files[n])
    return [str(file) for file in files]


_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tif", {"compression": "tiff_lzw"}),
    ("png", {"compress_level": 6}),
    ("jpg", {"quality": 95}),
)


def _make(folder: Path, megapixels: int, kinds: int) -> None:
    image = _photo(megapixels)
    for n, (kind, options) in enumerate(_KINDS[:kinds]):
        image.save(folder / f"picture-{n:03}.{kind}", icc_profile=_wide(), **options)


def _photo(megapixels: int) -> Any:
    """Soft shapes with some grain, as a photograph has them."""
    from PIL import Image

    width = round((megapixels * 1_000_000 * 1.5) ** 0.5)
    size = width, round(width / 1.5)
    bands = []
    for n in range(3):
        shapes = Image.effect_noise((48 + n, 32), 120).resize(size, Image.Resampling.BICUBIC)
        bands.append(Image.blend(shapes, Image.effect_noise(size, 30), 0.1))
    return Image.merge("RGB", bands)


def _srgb() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _wide() -> bytes:
    from tests.fit.pictures import profile

    return profile("wide")


def _wall(taken: Taken) -> float:
    return taken.wall


def _memory(taken: Taken) -> float:
    return taken.memory


def _ratio(taken: dict[str, list[Taken]], what: Any) -> Spread:
    return ratios(taken["ours"], taken["mogrify"], what)


if __name__ == "__main__":
    _make(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
