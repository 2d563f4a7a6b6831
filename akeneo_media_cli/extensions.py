"""Extensions that name one format."""

from __future__ import annotations

_FORMATS = (
    frozenset(("jpg", "jpeg", "jpe", "jfif")),
    frozenset(("tif", "tiff")),
    frozenset(("heic", "heif")),
    frozenset(("mpg", "mpeg", "mpe")),
    frozenset(("mov", "qt")),
    frozenset(("htm", "html")),
    frozenset(("aif", "aiff")),
)


def are_one_format(one: str, other: str) -> bool:
    """Do two extensions, without dots, name the same format?"""
    one, other = one.lower(), other.lower()
    return one == other or any(one in names and other in names for names in _FORMATS)
