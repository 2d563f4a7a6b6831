"""Imports point one way: cli to run to pim; nothing imports cli; the sandbox stands alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "akeneo_media_cli"
COMMON = {"rows", "errors", "exits", "secret", "units", "console", "wording", "link", ""}
MAY_IMPORT = {
    "cli": {"run", "pim", "manifest", "report", "progress", "sandbox", "settings", "files", "links", "cli"},
    "run": {"run", "pim", "manifest", "progress", "report", "files", "links"},
    "links": {"links", "pim"},
    "pim": {"pim"},
    "manifest": {"manifest"},
    "files": {"manifest"},
    "report": {"report"},
    "progress": {"progress", "report"},
    "settings": {"pim"},
    "sandbox": {"sandbox"},
    "__main__": {"cli"},
}
ALONE = {"sandbox"}
# sqlite3 is slow too, but measuring coverage loads it.
SLOW = {"requests", "rich", "yaml", "starlette", "ijson", "filetype", "PIL"}


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
def test_imports_point_one_way(path: Path) -> None:
    own = room(path)
    allowed = MAY_IMPORT.get(own, set()) | (set() if own in ALONE else COMMON)
    assert imported_rooms(path) - allowed == set()


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
