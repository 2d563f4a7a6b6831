"""Which files count: `--include` and `--exclude`, and what editors, browsers and systems leave in folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ..errors import UsageError

_LEFT_BEHIND = (
    # Backups and unsaved work of editors and office programs.
    *("*~", "#*#", "*.bak", "*.bak[0-9]", "*.backup", "*.old", "*.orig", "*.rej", "*.tmp", "*.temp"),
    *("*.sw[op]", "~$*", "~*.tmp", "*.lock", "*.lck", "*.autosave", "4913", "*.asd", "*.wbk"),
    # Downloads that are not complete, and what stands for a file that is elsewhere.
    *("*.part", "*.partial", "*.crdownload", "*.opdownload", "*.download", "*.!ut", "*.!qb", "*.aria2"),
    *("*.ytdl", "*.filepart", "*.icloud", "~syncthing~*", "*.lnk", "*.url", "*.webloc", "*.desktop"),
    # Windows, macOS, network drives and photo programs.
    *("thumbs.db*", "ehthumbs*.db", "desktop.ini", "folder.ini", "$recycle.bin", "icon\r", "__macosx"),
    *("system volume information", "lost+found", "network trash folder", "temporary items"),
    *("@eadir", "@tmp", "@recycle", "#recycle", "#snapshot", "picasa.ini", "picasa originals"),
    *("zbthumbnail.info", "pspbrwse.jbf", "adobe bridge cache.*", "*.lrdata", "*.ffs_tmp"),
    *("*.aae", "*.xmp", "*.pp3", "*.on1", "*.dop"),
)
_CLASS = re.compile(r"\[(!?)([^]]+)\]")


def _translated(glob: str) -> str:
    """A glob as a regular expression: `*` stays within a part of a path, `**` does not."""
    out: list[str] = []
    at = depth = 0
    while at < len(glob):
        character = glob[at]
        found = _CLASS.match(glob, at) if character == "[" else None
        if glob.startswith("**", at):
            out.append(".*")
            at += 1
        elif character == "*":
            out.append("[^/]*")
        elif character == "?":
            out.append("[^/]")
        elif found:
            out.append(f"[{'^/' if found[1] else ''}{re.escape(found[2]).replace(chr(92) + '-', '-')}]")
            at = found.end() - 1
        elif character == "{" and "}" in glob[at:]:
            out.append("(?:")
            depth += 1
        elif character == "}" and depth:
            out.append(")")
            depth -= 1
        elif character == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(character))
        at += 1
    return "".join(out)


def _compiled(option: str, globs: Sequence[str]) -> re.Pattern[str] | None:
    expressions = []
    for glob in globs:
        whole = glob + "**" if glob.endswith("/") else glob
        if not glob.strip("/"):
            raise UsageError(f"{option} {glob!r} is not a glob", f"For example: {option} '*.bak'")
        start = "" if glob.startswith("/") else "(?:.*/)?"
        expressions.append(start + _translated(whole.removeprefix("/")))
    if not expressions:
        return None
    try:
        return re.compile("|".join(f"(?:{e})" for e in expressions), re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise UsageError(f"{option}: not a glob ({error})", f"For example: {option} '*.bak'") from None


@lru_cache(maxsize=1)
def _leftover() -> re.Pattern[str]:
    return re.compile("|".join(map(_translated, _LEFT_BEHIND)), re.IGNORECASE)


def is_leftover(name: str) -> bool:
    """Is a file or folder of this name hidden, temporary, or made by a program for itself?"""
    return name.startswith(".") or _leftover().fullmatch(name) is not None


class Filter:
    """The globs of `--include` and `--exclude`: what both match is included.

    A glob is compared with the end of a path, from the beginning of one of its parts; one that begins with
    `/` with all of it, and one that ends with `/` with all that is in such a folder. Case does not count.
    """

    def __init__(self, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        """Raises UsageError for what is not a glob."""
        self._include = _compiled("--include", include)
        self._exclude = _compiled("--exclude", exclude)

    def __bool__(self) -> bool:
        return self._exclude is not None

    def includes(self, path: str) -> bool:
        """Does an `--include` match it?"""
        return self._include is not None and self._include.fullmatch(path) is not None

    def excludes(self, path: str) -> bool:
        """Does an `--exclude` match it, and no `--include`?"""
        return (
            self._exclude is not None
            and self._exclude.fullmatch(path) is not None
            and not self.includes(path)
        )
