"""Assets that files become, by what their names tell: `scan --assets FAMILY --code TEMPLATE`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from ...errors import UsageError
from ..beside import LINK_TARGETS
from ..template import MissingPlaceholderError, parse_settings

DEFAULT = "{product}_{n}"
_PLAIN = re.compile(r"[^A-Za-z0-9_]")
_LINKED = {column.removeprefix("link_"): column for column in LINK_TARGETS}
"""What a name says about a product, and the column that links an asset to it."""


class AssetNames:
    """Turns what names say about a product into an asset that is linked to it."""

    def __init__(self, family: str, code: str | None) -> None:
        """`code` is a template; `{n}` counts the files of a product, unless their names have an `{n}`.

        Raises UsageError for a template that is none.
        """
        self._family = family
        (self._template,) = parse_settings([f"asset={code or DEFAULT}"])
        self._counts: Counter[tuple[str, ...]] = Counter()

    def columns(self, named: Iterable[str]) -> set[str]:
        """The columns of rows, by those of the names."""
        return {"asset_family", "asset", *(_LINKED.get(name, name) for name in named)} - {"n"}

    def named(self, found: dict[str, str], path: str) -> dict[str, str]:
        """The columns of one file's row.

        Raises UsageError where the template needs what no name tells.
        """
        product = tuple(found.get(name, "") for name in _LINKED)
        self._counts[product] += 1
        folder, _, name = path.rpartition("/")
        known = {"file": name, "n": str(self._counts[product]), "folder": folder, **found}
        try:
            code = self._template.value(known.get)
        except MissingPlaceholderError as missing:
            raise UsageError(
                f"--code needs {{{missing.name}}}, and the name of {path} does not tell it",
                "Use what the pattern names, {stem}, {filename} or {n}, the number of the product's file.",
            ) from None
        row = {_LINKED.get(column, column): value for column, value in found.items() if column != "n"}
        # Letters, digits and underscores are what every version takes.
        return {**row, "asset_family": self._family, "asset": _PLAIN.sub("_", code)}
