"""How sizes, times and foreign text are written for people and terminals.

File names, codes and the PIM's messages come from elsewhere: nothing of them may move a cursor, colour a
screen or turn a line around. Sources: Unicode TR 36 (bidirectional spoofing), CWE-150 (escape sequences).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from .errors import TITLES

# Controls, surrogates (undecodable bytes of file names), line separators, and the invisible
# characters that reorder, join or hide text.
_UNSAFE = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# Not spaces alone: a file may have two of them in its name.
_BREAK = re.compile(" *[\t\n\v\f\r\x85\u2028\u2029][\t\n\v\f\r \x85\u2028\u2029]*")


def _shown(text: str) -> str:
    return text if text.isascii() and text.isprintable() else re.sub(_UNSAFE, _visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte of a file name that is not UTF-8 (PEP 383)
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def one_line(text: object, limit: int | None = None) -> str:
    """`text` on one line, with everything that a terminal would obey made visible (`\\x1b`).

    Line breaks and tabs become a space; past `limit` characters the middle is replaced by `…`, so that both
    the start and the end of a message, or a path's file name, stay readable.
    """
    line = text if isinstance(text, str) else str(text)
    if limit is not None and len(line) > 20 * limit:  # a message of megabytes: do not clean it all
        line = line[: 10 * limit] + line[-10 * limit :]
    line = _shown(_BREAK.sub(" ", line).strip())
    if limit is None or len(line) <= limit:
        return line
    tail = (limit - 1) // 3
    return f"{line[: limit - 1 - tail]}…{line[len(line) - tail :]}"


def visible(text: str) -> str:
    """`text` with its lines kept, and everything else that a terminal would obey made visible (`\\x1b`)."""
    return "\n".join(map(_shown, text.replace("\r\n", "\n").split("\n")))


def size(count: float) -> str:
    """Bytes in the units that disks and networks are sold in: `999 bytes`, `1.5 MB` (powers of 1000)."""
    if count < 1000:
        return f"{int(count)} byte{'' if int(count) == 1 else 's'}"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:,.1f} PB"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3:05`, `2:03:05`, `3 d 4 h`; never negative, as clocks may step back."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, whole = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{whole:02d}"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}:{minutes:02d}:{whole:02d}"
    return f"{hours // 24} d {hours % 24} h"


def count(number: int, noun: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def utc(timestamp: float) -> str:
    """Seconds since the epoch as `2026-11-23T10:15:00.000Z`: always with milliseconds, so that text sorts."""
    moment = datetime.fromtimestamp(round(timestamp, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def title(kind: str) -> str:
    """An `error.kind` as a heading: `file_missing` is `File not found`."""
    # A report that is merged may have a kind of a newer version.
    return TITLES.get(kind) or one_line(kind.replace("_", " ").capitalize(), 80)
