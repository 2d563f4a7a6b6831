"""Texts that PHP takes for programs, mail or pages: what it looks for, and how strong that counts.

An attribute that takes `txt` refuses a manual in which a line begins with `struct `, `public:` or
`\\section`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from .text import Php

SEARCHED = 8192
"""Bytes from the start in which PHP looks for what tells a kind of text."""


def _weight(needle: bytes) -> int:
    length = len(needle)
    return 30 + length * max(10 // length, 1) if length else 40


class _Rule(NamedTuple):
    """Texts of the type `mime`: `needle` is in the first `reach` bytes, and all of `patterns`, in order.

    `bonus` and the length of `needle` order the rules, as they do in libmagic. `lines`: only so many are
    searched. `php`: the only version that knows the rule; "" for both.
    """

    mime: str
    bonus: int
    needle: bytes
    patterns: tuple[bytes, ...] = ()
    reach: int = SEARCHED
    php: str = ""
    lines: int = 0

    @property
    def strength(self) -> int:
        """The higher, the earlier the rule is tried."""
        return self.bonus + _weight(self.needle)


_C, _CPP, _PYTHON, _RUBY = "text/x-c", "text/x-c++", "text/x-script.python", "text/x-ruby"
_JS, _TEX, _ASM, _MAKE = "application/javascript", "text/x-tex", "text/x-asm", "text/x-makefile"
_END = rb"^[ \t]*end(\s+[;#].*)?$"

# No pattern may take long on a hostile text: none has a `.*` that another one can shift.
_RULES = (
    _Rule(_C, 13, b"#include", (rb"^#include",)),
    _Rule(_C, 0, b"pragma", (rb"^#[ \t]*pragma",)),
    _Rule(_C, 0, b"endif", (rb"^#[ \t]*(if|ifn)def", rb"^#[ \t]*endif$")),
    _Rule(_C, 0, b"define", (rb"^#[ \t]*(if|ifn)def", rb"^#[ \t]*define")),
    _Rule(_C, 0, b"char", (rb"^[ \t]*char( \*|\*).+;[ \t\r]*$",)),
    _Rule(_C, 0, b"double", (rb"^[ \t]*double( \*|\*).+;[ \t\r]*$",)),
    _Rule(_C, 0, b"float", (rb"^[ \t]*float( \*|\*).+;[ \t\r]*$",)),
    _Rule(_C, 0, b"extern", (rb"^[ \t]*extern\s",)),
    _Rule(_C, 0, b"struct", (rb"^struct\s",)),
    _Rule(_C, 0, b"union", (rb"^union\s",)),
    _Rule("text/x-java", 1, b"main(", (rb"main\((?s:.{0,64}?)String",), php="8.4"),
    _Rule(_C, 0, b"main(", (rb"main\(", rb"\)\s*\{")),
    _Rule(_CPP, 30, b"namespace", (rb"^namespace\s+[_A-Za-z]{1,30}\s*\{",)),
    _Rule(_CPP, 30, b"using", (rb"^using\s+(namespace )?std(::)?[A-Za-z]*\s*;",)),
    _Rule(_CPP, 30, b"template", (rb"^[ \t]*template[ \t]*<.*>[ \t\r]*$",)),
    _Rule(_CPP, 30, b"virtual", (rb"^[ \t]*virtual[ \t].*[};][ \t\r]*$",)),
    _Rule(_CPP, 30, b"public", (rb"^[ \t]*public:",)),
    _Rule(_CPP, 30, b"private", (rb"^[ \t]*private:",)),
    _Rule(_CPP, 30, b"protected", (rb"^[ \t]*protected:",)),
    _Rule("text/x-objective-c", 25, b"#import", (rb"^#import",), php="8.2"),
    _Rule("text/x-objective-c", 25, b"#import", (rb'^#import\s+["<]',), php="8.4"),
    _Rule("text/x-bcpl", 0, b'"libhdr"'),
    _Rule("text/x-bcpl", 0, b'"LIBHDR"'),
    _Rule(_PYTHON, 15, b"import", (rb"^from[ \t]+[A-Za-z0-9_.]+[ \t]+import",)),
    _Rule(_PYTHON, 15, b"def __init__", (rb"def __init__(?s:.{0,64}?)self",), 4096),
    _Rule(_PYTHON, 15, b"if __name__", (rb"if __name__(?s:.{0,64}?)['\"]__main__['\"]",), 4096),
    _Rule(_PYTHON, 0, b"import", (rb"^import [_A-Za-z]+ as [A-Za-z]\s*$",)),
    _Rule(_PYTHON, 15, b"try:", (rb"try:", rb"^[ \t]*except.*:$"), 4096),
    _Rule(_PYTHON, 15, b"try:", (rb"try:", rb"finally:"), 4096),
    _Rule(_PYTHON, 15, b"class", (rb"^class [_A-Za-z]+(\(.*\))? *:([ \t]+pass)?$",)),
    _Rule(_PYTHON, 15, b"def ", (rb"^\s{0,50}def {1,50}[_a-zA-Z]{1,100}\([A-Za-z*_, ]{0,255}\):$",)),
    _Rule(_RUBY, 30, b"require", (rb"^[ \t]*require\s'[A-Za-z_/.]+'", rb"def [a-z]| do$", _END)),
    _Rule(_RUBY, 30, b"", (rb"^[ \t]*(class|module)\s[A-Z]", rb"(modul|includ)e [A-Z]|def [a-z]", _END)),
    _Rule(_RUBY, 10, b"", (rb"^[ \t]*(class|module)\s[A-Z]", rb"^[ \t]*end(\s+[;#if].*)?$")),
    _Rule(_RUBY, 10, b"def ", (rb"^[ \t]*def [a-z]|def [A-Za-z]+::[a-z]", _END)),
    _Rule(_RUBY, 0, b"require", (rb"^[ \t]*require\s'[A-Za-z_/.]+'",)),
    _Rule(_RUBY, 0, b"include", (rb"^[ \t]*include ([A-Z]+[a-z]*(::))+",)),
    _Rule("text/x-java", 0, b"import", (rb"^import.*;$",)),
    _Rule(_JS, 30, b'"use strict"', php="8.4"),
    _Rule(_JS, 30, b"'use strict'", php="8.4"),
    _Rule(_JS, 30, b"exports", (rb"module(\.|\[[\"'])exports.{0,500}=",), php="8.4"),
    _Rule(_JS, 30, b"require(", (rb"^(const|var|let)[^=\n]*=.*require\(",), php="8.4"),
    _Rule(_JS, 30, b"export ", (rb"^export (function|class|default|const|var|let|async) ",), php="8.4"),
    _Rule(_JS, 30, b"function", (rb"\((async )?function[( ]",), php="8.4"),
    _Rule(_JS, 30, b" from ", (rb"^(import|export).* from ",), php="8.4"),
    _Rule(_JS, 30, b"port ", (rb"^(import|export) [\"']\./",), php="8.4"),
    _Rule(_JS, 30, b"require(", (rb"^require\([\"']",), php="8.4"),
    _Rule(_JS, 30, b"typeof", (rb"typeof.{0,500}[!=]==",), php="8.4"),
    _Rule("application/x-mswinurl", 0, b"[InternetShortcut]", php="8.4"),
    *(_Rule(_TEX, 15, word, reach=4096) for word in (b"\\input", b"\\begin", b"\\relax", b"\\setlength")),
    *(_Rule(_TEX, 18, word, reach=4096) for word in (b"\\section", b"\\chapter", b"\\contentsline")),
    *(_Rule(_TEX, 18, word, reach=4096) for word in (b"\\documentstyle", b"\\documentclass")),
    _Rule(_TEX, 0, b"% -*-latex-*-", reach=4096),
    *(
        _Rule("text/x-lisp", 0, b"(" + word + b" ", reach=4096)
        for word in (b"setq", b"defvar", b"defparam", b"defun", b"autoload", b"custom-set-variables")
    ),
    _Rule("text/x-clojure", 0, b"(ns", (rb"^\(ns\s+([a-z]|\^\{:)",)),
    _Rule("text/x-clojure", 0, b"(defn", (rb"^\(defn-?\s",)),
    _Rule("text/x-m4", 0, b"dnl", (rb"^dnl ",)),
    _Rule("text/x-m4", 15, b"AC_DEFUN", (rb"^AC_DEFUN\(\[",)),
    _Rule("text/x-po", 100, b"\nmsgid", (rb"\nmsgid(?s:.{0,1024}?)\nmsgstr",), 1030),
    _Rule("text/x-Algol68", 0, b"(input,"),
    _Rule("text/x-Algol68", 0, b"PROC", (rb"^PROC",), 1024, "8.2"),
    _Rule("text/troff", 0, b".", (rb"^\.[A-Za-z][A-Za-z0-9]([ \t]|$)",), lines=20),
    _Rule(_MAKE, 0, b":", (rb"^all:",), lines=100),
    _Rule(_MAKE, 0, b"S", (rb"^(CFLAGS|LDFLAGS)",), lines=100),
    _Rule(_MAKE, 0, b"VPATH", (rb"^VPATH",), lines=100),
    _Rule(_MAKE, 10, b"SUBDIRS", (rb"^SUBDIRS",), lines=100),
    _Rule(_MAKE, 10, b".", (rb"^\.(BEGIN|include|endif)",), lines=100),
    _Rule(_MAKE, 0, b".PRECIOUS", (rb"^\.PRECIOUS",), lines=100),
    _Rule(_ASM, 0, b".", (rb"^[ \t]{0,50}\.(asciiz|byte|even|globl|text|file|type)",)),
)

_PAGE = re.compile(
    rb"<!doctype\s+html|<(?:head|title|html|script|style|table)(?:>|\s)|<a\s*href=", re.IGNORECASE
)
_PAGE_BONUS = {"8.2": 5, "8.4": 15}
_PAGE_START = re.compile(
    rb"<!doctype\s+html|<html>|<!--(?s:.{0,4096}?)(?:<!doctype\s+html|<html>)", re.IGNORECASE
)
_SVG_DOCTYPE = re.compile(rb"<!doctype\s+svg", re.IGNORECASE)


@lru_cache(maxsize=1)
def _ordered() -> tuple[tuple[_Rule, tuple[re.Pattern[bytes], ...]], ...]:
    rules = sorted(_RULES, key=lambda rule: -rule.strength)
    return tuple((rule, tuple(re.compile(each, re.MULTILINE) for each in rule.patterns)) for rule in rules)


def program_type(data: bytes, php: Php) -> str | None:
    """The type of a text that begins with `data` and looks like a program or a page; None for any other."""
    data = data[:SEARCHED]
    begins = php == "8.4" and _PAGE_START.match(data) is not None
    page = 170 if begins else max(map(_weight, _PAGE.findall(data[: 4096 + 8])), default=0)
    page += _PAGE_BONUS[php] if page else 0
    for rule, patterns in _ordered():
        if rule.strength <= page:
            break
        if rule.php in ("", php) and rule.needle in data[: rule.reach + len(rule.needle)]:
            at, end = 0, len(data)
            if rule.lines:
                end = len(b"\n".join(data[: 80 * rule.lines].split(b"\n", rule.lines)[: rule.lines]))
            for pattern in patterns:
                found = pattern.search(data, at, end)
                if found is None:
                    break
                at = found.end()
            else:
                return rule.mime
    return "text/html" if page else None


def is_svg_doctype(data: bytes) -> bool:
    """Does a text have SVG's document type within reach?"""
    return _SVG_DOCTYPE.search(data[: 4096 + 8]) is not None
