"""What PHP takes a text for by how it begins: a drawing, a page, mail, a script, settings, or just text."""

from __future__ import annotations

import re

from .programs import is_svg_doctype, program_type
from .text import Php

_SVG = re.compile(rb"<\?xml version=['\" \t]*[0-9.]+['\" \t]*")
_SCRIPTS = (
    ("text/x-shellscript", rb"/bin/(?:sh|bash|ksh|csh|tcsh|zsh|ash)|/usr/bin/(?:bash|tcsh|zsh|fish)"
                           rb"|/usr/local/bin/(?:bash|tcsh|zsh|ash|ae|fish)|/usr/bin/env (?:bash|fish)"),
    ("text/x-script.python", rb"/usr/(?:local/)?bin/python|/usr/bin/env python"),
    ("text/x-perl", rb"/usr/bin/env perl|.{0,50}/perl"),
    ("text/x-ruby", rb"/usr/(?:local/)?bin/ruby|/usr/bin/env ruby"),
    ("text/x-php", rb"/usr/(?:local/)?bin/php"),
    ("text/x-lua", rb"/usr/(?:local/)?bin/lua|/usr/bin/env lua"),
    ("text/x-tcl", rb"/usr/(?:local/)?bin/(?:tcl|wish)|/usr/bin/env (?:tcl|wish)"),
    ("text/x-awk", rb"/(?:usr/)?bin/awk"),
    ("text/x-gawk", rb"/(?:usr/(?:local/)?)?bin/gawk"),
    ("text/x-nawk", rb"/(?:usr/(?:local/)?)?bin/nawk"),
    ("application/javascript", rb"/(?:usr/)?bin/node|/usr/bin/env node"),
)  # fmt: skip
_TEXT_STARTS: tuple[tuple[str, str, tuple[bytes, ...]], ...] = (
    ("message/news", "", (b"Article", b"Path:", b"Xref:")),
    ("message/rfc822", "", (b"From:", b"Received:", b"Forward to", b"Pipe to", b"Relay-Version:", b"#! rnews",
                            b"N#! rnews")),
    ("message/rfc822", "8.4", (b"Date:",)),
    ("text/x-diff", "", (b"diff ", b"*** ", b"Only in ", b"Common subdirectories: ", b"Index:")),
    ("text/x-info", "", (b"This is Info file",)),
    ("text/troff", "", (b".\\\"", b"'\\\"", b"'.\\\"", b"\\\"")),
    ("text/x-xmcd", "", (b"# xmcd",)),
    ("text/x-modulefile", "", (b"#%Module",)),
    ("text/texmacs", "", (b"<TeXmacs|",)),
    ("text/x-dmtf-mif", "", (b"Start Component",)),
    ("text/PGP", "", (b"-----BEGIN PGP SIGNED MESSAGE-",)),
    ("text/x-php", "", (b"<?php", b"<?\n", b"<?\r")),
    ("application/x-kdelnk", "", (b"# KDE Config File", b"[KDE Desktop Entry]")),
    ("application/x-abook-addressbook", "", (b"# abook addressbook file",)),
    ("application/vnd.font-fontforge-sfd", "", (b"SplineFontDB:",)),
    ("application/vnd.gentoo.eclass", "8.4", (b"@ECLASS: ",)),
    ("text/x-file", "8.4", (b"# Magic ",)),
    ("image/x-polar-monitor-bitmap", "", (b"[BitmapInfo2]",)),
    ("model/vrml", "", (b"#VRML V1.0 ascii", b"#VRML V2.0 utf8")),
    ("image/x-xpmi", "8.2", (b"/* XPM */",)),
    ("image/x-xpixmap", "8.4", (b"/* XPM */\nstatic ",)),
)  # fmt: skip
_ANY_CASE: tuple[tuple[str, str, tuple[bytes, ...]], ...] = (
    ("text/vcard", "8.4", (b"begin:vcard",)),
    ("message/rfc822", "", (b"delivered-to:", b"return-path:")),
)
_MAGIC_WORDS = ((b"regex\t", 119), (b"string\t", 479), (b"short\t", 1723))
_BATCH = re.compile(rb"@ ?(?:echo\s+off|rem|set\s)", re.IGNORECASE)
_SUBRIP = re.compile(rb"1[\r\n]+0[01]:[0-9]{2}:[0-9]{2},[0-9]{3} -->")
_VTT = re.compile(rb"[0-9]{2}:[0-9]{2}\.[0-9]{3} -->")
_PLOTTER = re.compile(rb"^-?[0-9]", re.MULTILINE)
_INI_HEADING = re.compile(rb"^[A-Za-z0-9_() ]+\]\r", re.MULTILINE)
_SETUP = re.compile(
    rb"^(?:version|strings|WinsockCRCList|OEMCPL|SourceDisksNames|DestinationDirs)\]", re.IGNORECASE
)


def text_type(text: bytes, php: Php) -> str:
    """The type of a text that begins with `text`, in UTF-8 and without a BOM."""
    if text.startswith(b"<svg"):
        return "image/svg+xml"
    prolog = _SVG.match(text)
    if prolog is not None and b"<svg" in text[19 : 19 + 4096 + 4]:
        return "image/svg+xml"
    if _PLAIN_XML.match(text):
        return "text/xml"
    if is_svg_doctype(text):
        return "image/svg+xml"
    return _by_start(text, php) or program_type(text, php) or "text/plain"


_PLAIN_XML = re.compile(rb"<\?xml", re.IGNORECASE)


def _by_start(text: bytes, php: Php) -> str | None:  # noqa: PLR0911, PLR0912 - a rule a line
    for mime, only, starts in _TEXT_STARTS:
        if only in ("", php) and text.startswith(starts):
            return mime
    lower = text[:32].lower()
    for mime, only, starts in _ANY_CASE:
        if only in ("", php) and lower.startswith(starts):
            return mime
    if text.startswith(b"BEGIN:VCARD"):
        return "text/vcard"
    if text.startswith(b"BEGIN:VCALENDAR"):
        return "text/calendar"
    if text.startswith((b"REGEDIT\r", b"REGEDIT\n", b"REGEDIT4\r", b"REGEDIT4\n")):
        return "text/x-ms-regedit"
    if text.startswith(b'"""'):
        return "text/plain"
    if (
        php == "8.4"
        and text.startswith(b"#")
        and (text.startswith(b"--------", 4) or any(word in text[1:end] for word, end in _MAGIC_WORDS))
    ):
        return "text/x-file"
    if text.startswith(b"#!"):
        line = text[2:100].partition(b"\n")[0].strip()
        for mime, pattern in _SCRIPTS:
            if re.match(pattern, line):
                return mime
    if _BATCH.match(text):
        return "text/x-msdos-batch"
    if php == "8.4" and (_SUBRIP.match(text) or (_VTT_START.match(text) and _VTT.search(text, 6, 261))):
        return "application/x-subrip" if text[:1] == b"1" else "text/vtt"
    return _ini(text)


_VTT_START = re.compile(rb"WEBVTT")


def _ini(text: bytes) -> str | None:  # noqa: PLR0911 - a rule a line
    """Settings of Windows: their lines end in CR LF."""
    if not text.startswith((b"[", b";", b"\r\n")):
        return None
    text = text[:8192]
    at = text.find(b"[") + 1
    if not at:
        return None
    first = text[at:]
    if first[:7].lower() == b"autorun" or _SETUP.match(first):
        return "application/x-setupscript"
    if first[:11].lower() == b"boot loader":
        return "application/x-wine-extension-ini"
    if first[:5].lower() == b"menu]" or first[:8].lower() == b"options]":
        return None
    second = first.find(b"[") + 1
    if not second:
        return None
    if first[second : second + 7].lower() == b"version":
        return "application/x-setupscript"
    return "application/x-wine-extension-ini" if _INI_HEADING.match(first[second:]) else None
