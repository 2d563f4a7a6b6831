"""Imports point down one list of rooms; no folder and no file grows too large; the sandbox is independent."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "akeneo_media_cli"
LAYERS = (
    "__main__",
    "cli",
    "jobs",
    "planning",
    "preflight",
    "transfer",
    "targets",
    "ledger",
    "storage",
    "fit",
    "sandbox",
    "progress",
    "report",
    "settings",
    "pim",
    "manifest",
    "content",
)
"""The rooms of the package from top to bottom: each may import itself and what stands below it."""
SHARED = {
    "rows",
    "errors",
    "exits",
    "secret",
    "units",
    "console",
    "wording",
    "link",
    "suggest",
    "extensions",
    "frozen",
    "",
}
"""Modules without a room of their own, which every room may import; they import only each other."""
ALONE = {"sandbox": {"content"}, "content": set[str]()}
"""Rooms that must know nothing of the rest, so that they cannot share its mistakes, but for these rooms."""
MODULES_A_FOLDER = 16
# sqlite3 is slow too, but measuring coverage loads it.
SLOW = {"requests", "rich", "yaml", "starlette", "ijson", "PIL"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    inner = path.relative_to(PACKAGE)
    return inner.parts[0] if len(inner.parts) > 1 else inner.stem


def imported_rooms(path: Path) -> set[str]:
    """The rooms of this package that a module imports, at whatever depth in its code."""
    rooms: set[str] = set()
    depth = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = node.level - depth
            if above < 0:
                continue
            if node.module:
                rooms.add(node.module.split(".")[0])
            else:
                rooms.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("akeneo_media_cli"):
            rooms.add((node.module or "").partition(".")[2].split(".")[0])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("akeneo_media_cli."):
                    rooms.add(alias.name.split(".")[1])
    return {r for r in rooms if r != "__version__"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = room(path)
    allowed = set() if own in ALONE else set(SHARED)
    if own in LAYERS:
        allowed |= {own, *ALONE[own]} if own in ALONE else set(LAYERS[LAYERS.index(own) :])
    assert imported_rooms(path) - allowed == set()


def test_no_room_is_missing_from_the_list() -> None:
    assert {room(path) for path in modules()} - {"__init__"} == set(LAYERS) | SHARED - {""}


def folders() -> list[Path]:
    return sorted({path.parent for path in modules()} - {PACKAGE})


@pytest.mark.parametrize("folder", folders(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_folder_holds_more_than_a_reader_takes_in(folder: Path) -> None:
    beside_init = [path for path in folder.glob("*.py") if path.stem != "__init__"]
    assert len(beside_init) <= MODULES_A_FOLDER


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_file_grows_past_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450


def test_help_and_version_load_nothing_slow() -> None:
    program = (
        "import sys; sys.argv = ['akeneo-media', '--version']\n"
        "try:\n    import akeneo_media_cli.__main__ as m; m.main()\nexcept SystemExit: pass\n"
        f"slow = {SLOW} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
