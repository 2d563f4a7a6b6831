"""A file that plainly is not what its name says, and what it is instead.

Only clear contradictions count. A file whose name promises a format with a signature has that signature, and
no file is a Git LFS pointer, a page to log in, an error document, or what else stands in for files.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import NamedTuple

from .sample import FIRST, TEXT, Sample, TooFarError
from .signatures import Format, format_of, required

SOFT = frozenset(("mp3", "mp2", "mpga"))
"""Formats that other bytes may come before: only content of another known kind contradicts them."""
MARKUP = frozenset(
    (
        "html", "htm", "xhtml", "shtml", "mht", "mhtml", "xml", "xsl", "php", "asp", "aspx", "jsp", "vue",
        "hbs", "tpl", "md", "txt", "csv", "tsv", "log", "doc", "xls", "eml", "msg", "hta", "json", "jsonl",
        "yaml", "yml", "js", "css",
    )
)  # fmt: skip
"""Extensions of files that may be a page, or quote one."""
TEXTS = frozenset(
    [
        "txt",
        "csv",
        "tsv",
        "md",
        "html",
        "htm",
        "xml",
        "json",
        "jsonl",
        "yaml",
        "yml",
        "css",
        "log",
        "srt",
        "vtt",
        "svg",
    ]
)
"""Extensions of files that are text, whatever it says."""

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_LFS = b"version https://git-lfs.github.com/spec/"
_ANNEX = re.compile(rb"(?:\.\./)*(?:\.git)?/annex/objects/")
_APPLE_DOUBLE = (b"\0\x05\x16\x07", b"\0\x05\x16\0")
_PAGE = re.compile(
    rb"(?:<\?xml[^>]*>|<!--(?s:.{0,2000}?)-->|\s)*<(?:!doctype\s+html|html|head|body|title|meta|script)[\s>]",
    re.IGNORECASE,
)
_ERROR = re.compile(
    rb"(?:<\?xml[^>]*\?>|\s)*<Error(?:\s[^>]*)?>(?s:.{0,400}?)<Code>\s*([\w.-]{1,60})\s*</Code>",
    re.IGNORECASE,
)
_SVG = re.compile(r"<(?:[\w.-]+:)?svg[\s>/]", re.IGNORECASE)
_BASE64 = re.compile(rb"(?:data:[\w/+.-]{0,60};base64,)?([A-Za-z0-9+/\r\n_-]{40,}={0,2})\s*")
_OLD_OFFICE = ("<html", "<!doctype", "<?xml", "<table", "<meta", "<head", "<style", "<w:", "{\\rtf", "mime-")
_SHORTCUT = b"[InternetShortcut]"
_PRINTED = 60
_HINT_GET = "Get the file itself."


class Mismatch(NamedTuple):
    """What a file is instead of what its name says, for a message, and what to do."""

    what: str
    hint: str


def mismatch(sample: Sample, extension: str, *, link: bool = False) -> Mismatch | None:
    """What contradicts the name of a file with this extension; None where nothing does.

    `link`: a page counts behind any extension but those of texts, as a link's name says less than a file's.
    Raises OSError.
    """
    extension = extension.lower()
    head = sample.head()
    stand_in = _stand_in(head, extension)
    if stand_in is not None:
        return stand_in
    if _is_page(head) and _no_page(extension, link):
        return _PAGE_INSTEAD
    need = required(extension)
    if need is None:
        return _not_text(sample, head, extension) if extension in TEXTS else None
    name, tests = need
    if any(test(head) for test in tests) or _opens_as_old_office(head, extension):
        return None
    found = _instead(head)
    if found is None and (extension in SOFT or not head):
        return None
    return found or Mismatch(f"not {_a(name)}", f"{_HINT_GET} Its first bytes are {head[:8].hex(' ')}.")


def kind_of(sample: Sample) -> str:
    """What a file is, in a word, for an overview: its format, "text", or "other". Raises OSError."""
    head = sample.head()
    found = format_of(head)
    if _looks_like_text(head) and (found is None or found.name not in _IN_LETTERS):
        return "HTML" if _is_page(head) else "SVG" if _SVG.search(_text(head)) else "text"
    return "other" if found is None else found.name


_PAGE_INSTEAD = Mismatch(
    "an HTML page", "It is a web page, probably to log in or with an error message: download the file itself."
)


def _stand_in(head: bytes, extension: str) -> Mismatch | None:
    """What is never the file itself, whatever its name."""
    if head.startswith(_LFS):
        return Mismatch(
            "a Git LFS pointer, not the file",
            "Run `git lfs pull` (in GitHub Actions: checkout with `lfs: true`).",
        )
    if _ANNEX.match(head):
        return Mismatch("a git-annex pointer, not the file", "Run `git annex get`.")
    if head.startswith(_APPLE_DOUBLE):
        return Mismatch(
            "an AppleDouble file of macOS, not the file",
            "macOS keeps settings in files named ._NAME: leave it out; the file itself is NAME.",
        )
    error = _ERROR.match(head.removeprefix(_BOMS[0]))
    if error is not None and extension != "xml":
        return Mismatch(
            f"an error document of S3 or a store like it ({error.group(1).decode()})",
            "The download failed: get the file again.",
        )
    if head and not head.strip(b"\0") and (required(extension) is not None or extension in TEXTS):
        return Mismatch("only zero bytes", "The copy or download broke off: get the file again.")
    return None


def _no_page(extension: str, link: bool) -> bool:
    if required(extension) is not None:
        return extension not in MARKUP
    return extension in ("", "svg") or (link and extension not in MARKUP)


def _is_page(head: bytes) -> bool:
    if not head.startswith(_BOMS[1:]) and head.removeprefix(_BOMS[0]).lstrip()[:1] != b"<":
        return False
    return _PAGE.match(_text(head)[:FIRST].encode("utf-8", "replace")) is not None


def _not_text(sample: Sample, head: bytes, extension: str) -> Mismatch | None:
    """A text may say anything; but a ZIP is none, and an SVG has its root somewhere."""
    if not _looks_like_text(head):
        found = format_of(head)
        return None if found is None else _format(found)
    if extension != "svg" or _SVG.search(_text(head)):
        return None
    try:
        data = sample.start(TEXT)
        if sample.size is None or sample.size > len(data) or _SVG.search(_text(data)):
            return None
    except TooFarError:
        return None
    return _text_instead(head)


def _opens_as_old_office(head: bytes, extension: str) -> bool:
    """Word and Excel open pages, RTF and XML under the old names, Excel any table."""
    if extension not in ("doc", "xls"):
        return False
    start = _text(head).lstrip()[:20].lower()
    if start.startswith(
        ("<html", "<!doctype", "<?xml", "<table", "<meta", "<head", "<style", "<w:", "{\\rtf", "mime-")
    ):
        return True
    return extension == "xls" and any(mark in head for mark in (b"\t", b";", b",", b"ID;P", b"<table"))


def _instead(head: bytes) -> Mismatch | None:
    found = format_of(head)
    if _looks_like_text(head) and (found is None or found.name not in _IN_LETTERS):
        return _text_instead(head)
    return None if found is None else _format(found)


_IN_LETTERS = ("PDF", "PostScript", "RTF", "GIF")


def _format(found: Format) -> Mismatch:
    return Mismatch(
        f"{_a(found.name)} file",
        f"Name it .{found.extension} (or set such a `filename`), or export it in the format of its name.",
    )


def _text_instead(head: bytes) -> Mismatch:  # noqa: PLR0911 - a kind a line
    text = _text(head).strip()
    if _is_page(head):
        return _PAGE_INSTEAD
    if text.startswith(("{", "[")) and _is_json(text, len(head) >= FIRST):
        return Mismatch("JSON", f"It is probably the error message of a server. {_HINT_GET}")
    if text.startswith("<?xml") or re.match(r"<[A-Za-z]", text):
        return Mismatch("XML", f"It is probably the error message of a server. {_HINT_GET}")
    if head.startswith(_SHORTCUT):
        return Mismatch("a shortcut to a web page", _HINT_GET)
    decoded = _decoded(head)
    if decoded is not None:
        return Mismatch(f"base64 text of {_a(decoded.name)} file", "Decode it: base64 -d FILE > DECODED.")
    if _BASE64.fullmatch(head.strip()):
        return Mismatch("base64 text", "Decode it: base64 -d FILE > DECODED.")
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    shown = "".join(c if c.isprintable() else "?" for c in line[:_PRINTED])
    return Mismatch(f'text ("{shown}{"..." if len(line) > _PRINTED else ""}")', _HINT_GET)


def _is_json(text: str, cut: bool) -> bool:
    try:
        json.JSONDecoder(strict=False).raw_decode(text)
    except json.JSONDecodeError as error:
        return cut and (error.pos > len(text) - 10 or error.msg.startswith("Unterminated"))
    except (ValueError, RecursionError):
        return False
    return True


def _decoded(head: bytes) -> Format | None:
    """The format of what a base64 text holds."""
    found = _BASE64.match(head)
    if found is None:
        return None
    letters = b"".join(found.group(1).translate(None, b"\r\n").split(b"="))
    try:
        data = base64.b64decode(letters[: len(letters) // 4 * 4], altchars=b"-_" if b"_" in letters else None)
    except (binascii.Error, ValueError):
        return None
    return format_of(data)


def _looks_like_text(head: bytes) -> bool:
    if head.startswith(_BOMS[1:]):
        return True
    if b"\0" in head:
        return False
    text = head.decode("utf-8", "replace")
    # A character that the end of the head cuts in two is none of the file's faults.
    whole = text[:-1] if len(head) >= FIRST else text
    if "\ufffd" in whole:
        text = whole = head.decode("latin-1")
        return all(c.isprintable() or c.isspace() for c in whole)
    return all(c.isprintable() or c.isspace() or c in "\ufeff\x1b" for c in whole)


def _text(head: bytes) -> str:
    if head.startswith(_BOMS[1:]):
        return head.decode("utf-16", "replace")
    return head.removeprefix(_BOMS[0]).decode("utf-8", "replace")


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOFMRX' and name not in _LIKE_WORDS else 'a'} {name}"


_LIKE_WORDS = ("Matroska", "Flash video", "FLAC", "RAR", "MIDI")
