"""Which of the old encodings a text is probably in: those of one byte a letter, and those of Asia.

All bytes mean something in most of them, so only the words can decide: `Pøíliš` is no word of a language that
Windows-1252 was made for, `Příliš` is Czech. charset-normalizer, which is made for long texts, fails for
tables with a dozen foreign letters: it takes Polish for Shift JIS, and German in Windows-1252 for HP Roman-8.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from ..errors import UsageError

_WESTERN = (
    "äöüß",
    "àâæçéèêëîïôœùûüÿ",
    "áéíñóúü¡¿ªº",
    "àèéìîòù",
    "ãõáâàçéêíóôú",
    "ëïéèüöáó",
    "åäöæøé",
)
_CENTRAL = ("áčďéěíňóřšťúůýž", "ąćęłńóśźż", "áéíóöőúüű", "ăâîșțşţ", "čćđšž", "áäčďéíĺľňóôŕšťúýž")
_CYRILLIC = ("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґ",)
_GREEK = ("αοιετσνηυρπκμλάίόέςήωύώγδθφχβξζψϊϋ",)
_TURKISH = ("çğıiöşüâ",)
_BALTIC = ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž")
_HEBREW = ("יהולאתשרבמםנחקדפעכגטצסזןךץףו",)
_FREQUENT = 12
"""Letters of an alphabet that is not Latin are in the order of their frequency; so many are frequent."""
_CANDIDATES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("cp1252", "Windows-1252", _WESTERN),
    ("cp1250", "Windows-1250", _CENTRAL),
    ("cp1251", "Windows-1251", _CYRILLIC),
    ("cp1254", "Windows-1254", _TURKISH),
    ("cp1253", "Windows-1253", _GREEK),
    ("cp1257", "Windows-1257", _BALTIC),
    ("cp1255", "Windows-1255", _HEBREW),
    ("iso8859_2", "ISO 8859-2", _CENTRAL),
    ("koi8_r", "KOI8-R", _CYRILLIC),
    ("mac_roman", "Mac Roman", _WESTERN),
    ("cp850", "the DOS code page 850", _WESTERN),
    ("cp852", "the DOS code page 852", _CENTRAL),
    ("cp866", "the DOS code page 866", _CYRILLIC),
)
_SIGNS = frozenset("\xa0°®©™€£§²³½¼¾×·–—‘’‚“”„…«»•µ±")
"""Signs that any language uses, most of them not within words."""
_WITHIN = frozenset("’·")
_ASIAN = (
    ("cp932", "Shift JIS", re.compile("[\u3040-\u30ff]")),
    ("euc_jp", "EUC-JP", re.compile("[\u3040-\u30ff]")),
    ("euc_kr", "EUC-KR", re.compile("[\uac00-\ud7a3]")),
    ("gb2312", "GB 2312", re.compile("[\u4e00-\u9fff]")),
    ("big5", "Big5", re.compile("[\u4e00-\u9fff]")),
)
_KANA = ("cp932", "euc_jp")
"""Where kana were found, which nothing else is taken for."""
_WORD = re.compile(r"[^\x00-\x7f\s]*(?:[A-Za-z]|[^\x00-\x7f])[^\s,;|\"]*")
_LEAST = 0.85
_BETTER = 0.1
_MOST_BYTES = 1 << 16
_SAMPLE = 40


class Likely(NamedTuple):
    """An encoding by Python's name and by its own, and a word of the text in it."""

    name: str
    label: str
    sample: str


def checked(name: str) -> str:
    """An encoding's name as `--encoding` has it. Raises UsageError for one that is not known, or no text."""
    try:
        found = codecs.lookup(name.strip())
        "".encode(found.name)  # raises for codecs that are not between text and bytes
    except (LookupError, ValueError):
        raise UsageError(
            f"--encoding {name!r} is not a known encoding",
            "For example: cp1250, iso8859-2, mac-roman, shift_jis",
        ) from None
    return found.name


def likely(text: bytes) -> Likely | None:
    """The encoding that lines with foreign letters are probably in; None for Windows-1252, or if unclear."""
    text = text[:_MOST_BYTES]
    scores = {name: _score(text, name, alphabets) for name, _, alphabets in _CANDIDATES}
    best = max(scores, key=lambda name: scores[name])
    asian = _asian(text)
    if asian is not None and (asian.name in _KANA or scores[best] < _LEAST):
        return asian
    if scores[best] < _LEAST or scores[best] < scores["cp1252"] + _BETTER:
        return None
    label = next(label for name, label, _ in _CANDIDATES if name == best)
    return Likely(best, label, sample(text, best))


def sample(text: bytes, encoding: str) -> str:
    """Some of the words with foreign letters."""
    words = [word for word in _WORD.findall(text.decode(encoding, "replace")) if not word.isascii()]
    return " ".join(dict.fromkeys(words))[:_SAMPLE].strip()


def _score(text: bytes, encoding: str, alphabets: tuple[str, ...]) -> float:
    """The share of foreign letters that the likeliest language has, in words that look like words."""
    try:
        decoded = text.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    around = list(zip(f" {decoded}", decoded, f"{decoded[1:]} ", strict=False))
    foreign = [
        (before, c, after)
        for before, c, after in around
        if not c.isascii()
        and not (c in _SIGNS and (c in _WITHIN or not (before.isalpha() and after.isalpha())))
    ]
    if not foreign:
        return 1.0 if encoding == "cp1252" else 0.0
    return max(_fit(foreign, alphabet) for alphabet in alphabets)


def _fit(foreign: list[tuple[str, str, str]], alphabet: str) -> float:
    """How well letters, each with its neighbours, fit an alphabet: at most 1."""
    latin = alphabet[0] < "\u0370"
    fitting = 0.0
    for before, c, after in foreign:
        if c.lower() not in alphabet:
            continue
        if latin:
            # A capital letter after a small one is not a word.
            fitting += not (c.isupper() and before.islower())
        elif not any(neighbour.isascii() and neighbour.isalpha() for neighbour in (before, after)):
            fitting += 1 if c.lower() in alphabet[:_FREQUENT] else 0.8
    return fitting / len(foreign)


def _asian(text: bytes) -> Likely | None:
    for name, label, letters in _ASIAN:
        try:
            decoded = text.decode(name)
        except UnicodeDecodeError:
            continue
        foreign = [c for c in decoded if not c.isascii()]
        found = len(letters.findall(decoded))
        least = {"cp932": 0.25, "euc_jp": 0.25, "euc_kr": 1}.get(name, 0.5)
        if found >= 2 and found >= least * len(foreign):
            return Likely(name, label, sample(text, name))
    return None
