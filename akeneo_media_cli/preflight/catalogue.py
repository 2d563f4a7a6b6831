"""The PIM's catalogue as far as a run needs it: read once, kept for all threads.

Everything is looked up by the codes that rows name, never listed: a PIM may have thousands of attributes
and families. What the user may not read is None, once and for all, with a note.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TypeVar

from ..errors import Failure, Kind
from ..pim.answers.types import Attribute, Family, FamilyVariant, ProductModel, Routes
from ..pim.client import PimClient
from ..pim.errors import Refusal
from ..rows import folded
from . import checks
from .checks import Scoping

T = TypeVar("T")
Note = Callable[[str, str], None]
KEPT_MODELS = 20_000


class Catalogue:
    """Attributes, channels, locales, families and the models above variants. Thread-safe.

    Its calls raise `Trouble` and `AccessError` as the client does; a batch that met trouble may ask again.
    """

    def __init__(self, client: PimClient, note: Note) -> None:
        self._client = client
        self._note = note
        self._lock = threading.RLock()
        self._attributes: dict[str, Attribute | None] = {}
        self._may_read_attributes = True
        self._media_codes: list[str] | None = None
        self._scoping: Scoping | None = None
        self._families: dict[str, Family | None] = {}
        self._variants: dict[tuple[str, str], FamilyVariant | None] = {}
        self._models: OrderedDict[str, ProductModel | None] = OrderedDict()
        self._refused: set[str] = set()
        self._routes: Routes | None = None
        self._identifiers: list[str] | None = None

    def attributes(self, codes: Iterable[str]) -> dict[str, Attribute | None] | None:
        """The attributes behind codes, by folded code, None for one that is not there.

        None for all when the user may not read attributes.
        """
        wanted = {folded(code): code for code in codes}
        with self._lock:
            if not self._may_read_attributes:
                return None
            missing = {fold: code for fold, code in wanted.items() if fold not in self._attributes}
            if missing:
                try:
                    self._ask_attributes(missing)
                except Refusal as refusal:
                    if refusal.failure.kind is not Kind.FORBIDDEN:
                        raise
                    self._client.require_access()
                    self._may_read_attributes = False
                    self._note(
                        "the user may not read attributes: their types cannot be checked",
                        "Give the connection's role the right to list attributes.",
                    )
                    return None
            return {fold: self._attributes[fold] for fold in wanted}

    def _ask_attributes(self, missing: dict[str, str]) -> None:
        codes = list(missing.values())
        found: dict[str, Attribute] = {}
        for start in range(0, len(codes), 100):
            for attribute in self._client.attributes(codes[start : start + 100]):
                found[folded(attribute.code)] = attribute
        for fold, code in missing.items():
            # The filter may compare case; a single read finds a code in any case.
            self._attributes[fold] = found.get(fold) or self._client.attribute(code)

    def media_attributes(self) -> list[str]:
        """All media attributes' codes, to find the one that was meant; empty if they cannot be read."""
        with self._lock:
            if self._media_codes is None:
                try:
                    self._media_codes = [a.code for a in self._client.media_attributes()]
                except Refusal:
                    self._media_codes = []
            return self._media_codes

    def scoping(self) -> Scoping:
        """The channels and the enabled locales."""
        with self._lock:
            if self._scoping is None:
                channels = self._allowed(self._client.channels, "channels")
                locales = self._allowed(self._client.locales, "locales")
                enabled = None if locales is None else [one.code for one in locales if one.enabled]
                self._scoping = Scoping.of(channels, enabled)
            return self._scoping

    def identifiers(self) -> list[str]:
        """The attributes that may hold a product's identifier: the main one, if the PIM says which."""
        with self._lock:
            if self._identifiers is None:
                found = self._client.identifier_attributes()
                main = [a for a in found if a.main_identifier] or found
                self._identifiers = [a.code for a in main]
            return self._identifiers

    def route_missing(self, path: str, method: str, what: str) -> Failure | None:
        """Why this PIM cannot take `what`, if it has no such endpoint; asked of the PIM once."""
        there = self._known_routes().has(path, method)
        return None if there else checks.missing_route(path, what)

    def pam_missing(self) -> Failure | None:
        """Why this PIM cannot take files of the old PAM, if it cannot."""
        for method, path in self._known_routes().paths:
            if method == "POST" and "/assets/" in path and "/reference-files/" in path:
                return None
        return checks.missing_route("/assets/.../reference-files", "the old PAM (PIM 2.x and 3.x)")

    def _known_routes(self) -> Routes:
        with self._lock:
            if self._routes is None:
                self._routes = self._client.routes()
            return self._routes

    def family(self, code: str) -> Family | None:
        """A family; None where it may not be read."""
        with self._lock:
            if code not in self._families:
                self._families[code] = self._allowed(lambda: self._client.family(code), "families")
            return self._families[code]

    def learn_families(self, codes: Iterable[str]) -> None:
        """Ask for many families at once, so that `family` need not ask for each.

        What is not answered, by a PIM before version 4 for example, is asked one by one then.
        """
        with self._lock:
            unknown = [code for code in dict.fromkeys(codes) if code not in self._families]
            if len(unknown) < 2:
                return
            try:
                found = self._client.families(unknown)
            except Refusal:
                return
            self._families.update((each.code, each) for each in found if each.code in unknown)

    def family_variant(self, family: str, code: str) -> FamilyVariant | None:
        """A family variant; None where it may not be read."""
        with self._lock:
            key = (family, code)
            if key not in self._variants:
                self._variants[key] = self._allowed(
                    lambda: self._client.family_variant(family, code), "family variants"
                )
            return self._variants[key]

    def models(self, codes: Iterable[str]) -> dict[str, ProductModel]:
        """The product models behind codes that the PIM itself named, and those above them."""
        with self._lock:
            wanted = {code for code in codes if code}
            while missing := [code for code in wanted if code not in self._models]:
                for start in range(0, len(missing), 100):
                    asked = missing[start : start + 100]
                    known = {m.code: m for m in self._client.search_product_models(asked)}
                    for code in asked:
                        # Search lags (docs/pim-behaviour.md, "Searching and paging"); a model that a product
                        # names is there.
                        self._models[code] = known.get(code) or self._client.get_product_model(code)
                wanted |= {m.parent for c in missing if (m := self._models[c]) is not None and m.parent}
            out = {code: model for code in wanted if (model := self._models[code]) is not None}
            while len(self._models) > KEPT_MODELS:
                self._models.popitem(last=False)
            return out

    def remember_model(self, model: ProductModel) -> None:
        """A model that was read anyway."""
        with self._lock:
            self._models[model.code] = model

    def _allowed(self, ask: Callable[[], T], what: str) -> T | None:
        try:
            return ask()
        except Refusal as refusal:
            if refusal.failure.http_status not in (403, 404):
                raise
            if what not in self._refused:
                self._refused.add(what)
                self._note(
                    f"the user may not read {what}: rows are not checked against them", refusal.failure.hint
                )
            return None
