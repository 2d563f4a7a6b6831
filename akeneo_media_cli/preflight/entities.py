"""Rows for assets, records, categories and the old PAM, checked against the PIM before anything is sent.

Each kind has attribute endpoints and searches of its own, or none
(docs/pim-behaviour.md, "Assets and reference entities"); what an edition does not have is found by asking its
list of routes once, not by a refusal a row.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import Failure, Kind
from ..frozen import frozen
from ..ledger import UNKNOWN, Before, HeldFile, PlannedRow
from ..pim.answers.entity_types import (
    AssetFamily,
    Category,
    Entity,
    MediaAttribute,
    NamingConvention,
    PamAsset,
    ReferenceEntity,
)
from ..pim.answers.types import Attribute
from ..pim.client import PimClient
from ..pim.errors import Refusal
from ..rows import Row, Target, TargetType, folded
from ..targets.categories import held_by
from ..targets.collections import IMAGE
from ..targets.resolved import ResolvedTarget
from . import checks
from .beside import BesidePreflight
from .catalogue import Catalogue
from .files import file_fits
from .lookup import find, find_all, get

if TYPE_CHECKING:
    from .fitting import Fitting


Created = Callable[[Iterable[Target]], Iterable[Target]]
"""Those of some assets and records that this machine may have created."""


@frozen
class _Words:
    """What assets and records are called, and how they are requested."""

    thing: str
    family: str
    route: str
    edition: str
    media_type: str
    attributes: Callable[[PimClient, str], list[MediaAttribute]]
    families: Callable[[PimClient], list[str]]
    get: Callable[[PimClient, str], AssetFamily | ReferenceEntity | None]


_ASSETS = _Words(
    "asset",
    "asset family",
    "/asset-media-files",
    "assets (Enterprise and cloud, PIM 4 and later)",
    "media_file",
    lambda client, family: client.asset_attributes(family),
    lambda client: [family.code for family in client.asset_families()],
    lambda client, family: client.asset_family(family),
)
_RECORDS = _Words(
    "record",
    "reference entity",
    "/reference-entities-media-files",
    "reference entities (Enterprise and cloud, PIM 3 and later)",
    "image",
    lambda client, entity: client.record_attributes(entity),
    lambda client: [entity.code for entity in client.reference_entities()],
    lambda client, entity: client.reference_entity(entity),
)
_COLLECTIONS = {TargetType.ASSET: _ASSETS, TargetType.RECORD: _RECORDS}


@dataclass
class _Remembered:
    """What is known about families and entities: their attributes, or why rows for them are invalid."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    families: dict[tuple[TargetType, str], dict[str, MediaAttribute] | Failure] = field(default_factory=dict)
    naming: dict[str, NamingConvention] = field(default_factory=dict)
    """By asset family."""


class EntityPreflight:
    """Asks the PIM about rows that are not for products or models. Thread-safe."""

    def __init__(
        self,
        client: PimClient,
        catalogue: Catalogue,
        *,
        files: bool,
        fitting: Fitting | None = None,
        beside: BesidePreflight | None = None,
        created: Created | None = None,
    ) -> None:
        """`files` off: rows are only looked up, whether or not the attribute would take their file.

        `fitting` marks rows whose pictures are to be converted. `beside` None: what rows say beside their
        files does not matter. What the search does not list is new; but where `created` knows it, or without
        `created`, it is read by itself, as the search may only lag.
        """
        self._created = created
        self._fitting = fitting
        self._beside = beside
        self._client = client
        self._catalogue = catalogue
        self._files = files
        self._known = _Remembered()

    def look(self, batch: Sequence[PlannedRow]) -> list[ResolvedTarget | Failure]:
        """For each row where it goes, or why it is invalid. Raises Trouble and AccessError."""
        groups: dict[tuple[TargetType | None, str], list[PlannedRow]] = {}
        for planned in batch:
            target = planned.row.target
            group = (None, "") if target is None else (target.type, target.parent)
            groups.setdefault(group, []).append(planned)
        found: dict[int, ResolvedTarget | Failure] = {}
        for (kind, parent), rows in groups.items():
            verdicts: Sequence[ResolvedTarget | Failure]
            try:
                verdicts = self._group(kind, parent, rows)
            except Refusal as refusal:
                # If the PIM refuses one kind, the others go on.
                verdicts = [refusal.failure] * len(rows)
            for planned, verdict in zip(rows, verdicts, strict=True):
                found[planned.seq] = verdict
        return [found[planned.seq] for planned in batch]

    def _group(
        self, kind: TargetType | None, parent: str, rows: list[PlannedRow]
    ) -> list[ResolvedTarget | Failure]:
        if kind is not None and kind in _COLLECTIONS:
            return self._collection(kind, parent, rows)
        if kind is TargetType.CATEGORY:
            return self._categories(rows)
        if kind is TargetType.PAM_ASSET:
            return self._pam(rows)
        return [checks.unknown_kind(planned.row.target) for planned in rows]

    # Assets and records.

    def _collection(
        self, kind: TargetType, parent: str, rows: list[PlannedRow]
    ) -> list[ResolvedTarget | Failure]:
        words = _COLLECTIONS[kind]
        attributes = self._attributes(kind, parent)
        if isinstance(attributes, Failure):
            return [attributes] * len(rows)
        placed = [self._place(planned, attributes, words) for planned in rows]
        codes = {
            folded(resolved.target.code): resolved.target.code
            for resolved in placed
            if isinstance(resolved, ResolvedTarget)
        }
        entities = self._entities(kind, parent, [code for code in codes.values() if code])
        image: Before = UNKNOWN
        if "" in codes:
            entity = self._client.reference_entity(parent)
            image = None if entity is None else entity.image
        verdicts = [
            resolved
            if isinstance(resolved, Failure)
            else _with_entity(planned, resolved, entities, image, words)
            for planned, resolved in zip(rows, placed, strict=True)
        ]
        if self._beside is None:
            return verdicts
        convention = self._known.naming.get(parent) if kind is TargetType.ASSET and self._files else None
        if entities is None:
            # It is for those that are created, and which are is not known.
            convention = None
        return self._beside.look(rows, verdicts, attributes, entities or {}, convention)

    def _attributes(self, kind: TargetType, parent: str) -> dict[str, MediaAttribute] | Failure:
        """The attributes of a family by folded code, asked once; or why no row for it is valid."""
        with self._known.lock:
            known = self._known.families.get((kind, parent))
            if known is None:
                known = self._asked(_COLLECTIONS[kind], parent)
                self._known.families[kind, parent] = known
            return known

    def _asked(self, words: _Words, parent: str) -> dict[str, MediaAttribute] | Failure:
        missing = self._catalogue.route_missing(words.route, "POST", words.edition)
        if missing is not None:
            return missing
        try:
            family = words.get(self._client, parent)
            if family is None:
                return self._unknown_family(words, parent)
            if isinstance(family, AssetFamily) and family.naming is not None:
                self._known.naming[parent] = family.naming
            return {folded(a.code): a for a in words.attributes(self._client, parent)}
        except Refusal as refusal:
            if refusal.failure.kind is not Kind.FORBIDDEN:
                raise
            return Failure(
                Kind.ATTRIBUTE_UNREADABLE,
                f"the attributes of {parent} cannot be read: {refusal.failure.message}",
                f"Give the connection's role the right to list what belongs to a {words.family}, "
                "or take the risk with --no-preflight...",
                403,
            )

    def _unknown_family(self, words: _Words, parent: str) -> Failure:
        try:
            families = words.families(self._client)
        except Refusal:
            families = []
        return Failure(
            Kind.TARGET_UNKNOWN,
            f"there is no {words.family} {parent} in the PIM, or this user may not see it",
            f"{checks.nearest(parent, families)}Here upper and lower case count; "
            f"the {words.family} must be created in the PIM before its media are uploaded.",
        )

    def _place(
        self, planned: PlannedRow, attributes: dict[str, MediaAttribute], words: _Words
    ) -> ResolvedTarget | Failure:
        if not _target(planned).code:
            return _own_image(planned)
        if planned.row.has_no_media:
            return ResolvedTarget(_target(planned), "", None, None, sure=True)
        return self._placed(planned, attributes, words)

    def _placed(
        self, planned: PlannedRow, attributes: dict[str, MediaAttribute], words: _Words
    ) -> ResolvedTarget | Failure:
        row = planned.row
        attribute = attributes.get(folded(row.attribute))
        media = [a.code for a in attributes.values() if a.type == words.media_type]
        if attribute is None:
            return Failure(
                Kind.ATTRIBUTE_UNKNOWN,
                f"the {words.family} {_target(planned).parent} has no attribute {row.attribute}",
                f"{checks.nearest(row.attribute, media)}Those for media are {', '.join(media) or 'none'}",
            )
        if attribute.type != words.media_type:
            return Failure(
                Kind.ATTRIBUTE_NOT_MEDIA,
                f"{attribute.code} is an attribute of type {attribute.type}, not {words.media_type}",
                f"Name a media attribute: {', '.join(media) or 'there is none'}",
            )
        plain = _plain(attribute)
        unfit = file_fits(planned, plain, self._fitting, files=self._files)
        if unfit is not None:
            return unfit
        spelled = checks.scoping(plain, row.locale, row.scope, self._catalogue.scoping())
        if isinstance(spelled, Failure):
            return spelled
        return ResolvedTarget(_target(planned), attribute.code, *spelled, definition=plain, sure=True)

    def _entities(self, kind: TargetType, parent: str, codes: list[str]) -> dict[str, Entity | None] | None:
        """Those that are there, by folded code; None where the user may not read them."""
        if not codes:
            return {}
        try:
            if self._created is None:
                return find_all(self._client, kind, codes, parent=parent)
            found = find(self._client, kind, codes, parent=parent)
            unlisted = [Target(kind, code, parent) for code in codes if folded(code) not in found]
            for target in self._created(unlisted) if unlisted else ():
                found[folded(target.code)] = get(self._client, kind, target.code, parent=parent)
            return found
        except Refusal as refusal:
            if refusal.failure.kind is not Kind.FORBIDDEN:
                raise
            return None

    # Categories.

    def _categories(self, rows: list[PlannedRow]) -> list[ResolvedTarget | Failure]:
        what = "pictures of categories (cloud)"
        missing = self._catalogue.route_missing("/category-media-files", "POST", what)
        if missing is not None:
            return [missing] * len(rows)
        # Their values come with a single read only.
        codes = {folded(_target(planned).code): _target(planned).code for planned in rows}
        found: dict[str, Category | None] | None
        try:
            found = {fold: self._client.category(code) for fold, code in codes.items()}
        except Refusal as refusal:
            if refusal.failure.kind is not Kind.FORBIDDEN:
                raise
            found = None
        return [self._category_row(planned, found) for planned in rows]

    def _category_row(
        self, planned: PlannedRow, found: dict[str, Category | None] | None
    ) -> ResolvedTarget | Failure:
        """`found` None: the user may not read categories, so only the PIM can check."""
        target = _target(planned)
        spelled = self._spelled(planned.row)
        if isinstance(spelled, Failure):
            return spelled
        resolved = ResolvedTarget(target, planned.row.attribute, *spelled)
        if found is None:
            return resolved
        category = found[folded(target.code)]
        if category is None:
            return checks.unknown_target("category", target.code)
        return _known(
            replace(resolved, target=target._replace(code=category.code)), held_by(category, resolved), ()
        )

    def _spelled(self, row: Row) -> tuple[str | None, str | None] | Failure:
        """Locale and scope as the PIM spells them, if it is unknown whether the attribute takes them."""
        taken = Attribute(
            row.attribute, "", scopable=row.scope is not None, localizable=row.locale is not None
        )
        return checks.scoping(taken, row.locale, row.scope, self._catalogue.scoping())

    # The old PAM.

    def _pam(self, rows: list[PlannedRow]) -> list[ResolvedTarget | Failure]:
        missing = self._catalogue.pam_missing()
        if missing is not None:
            return [missing] * len(rows)
        codes = {_target(planned).code for planned in rows}
        found = {code: self._client.pam_asset(code) for code in codes}
        return [self._pam_row(planned, found[_target(planned).code]) for planned in rows]

    def _pam_row(self, planned: PlannedRow, asset: PamAsset | None) -> ResolvedTarget | Failure:
        row = planned.row
        if asset is None:
            return checks.unknown_target("asset", _target(planned).code)
        plain = Attribute(asset.code, "", scopable=row.scope is not None, localizable=asset.localizable)
        spelled = checks.scoping(plain, row.locale, row.scope, self._catalogue.scoping())
        if isinstance(spelled, Failure):
            return spelled
        locale, scope = spelled
        resolved = ResolvedTarget(_target(planned)._replace(code=asset.code), row.attribute, locale, scope)
        return _known(resolved, asset.files.get((scope, locale)), ())


def _target(planned: PlannedRow) -> Target:
    assert planned.row.target is not None
    return planned.row.target


def _plain(attribute: MediaAttribute) -> Attribute:
    """As products' attributes are, for the rules that are the same."""
    return Attribute(
        attribute.code,
        attribute.type,
        attribute.scopable,
        attribute.localizable,
        (),
        attribute.allowed_extensions,
        attribute.max_file_size,
    )


def _own_image(planned: PlannedRow) -> ResolvedTarget | Failure:
    """A reference entity's own image: the row names no record."""
    row = planned.row
    if row.attribute and folded(row.attribute) != IMAGE:
        return Failure(
            Kind.TARGET_MISSING,
            f"the row names the attribute {row.attribute} of a record, but no record",
            f"Fill the column record; only for the reference entity's own image leave it empty, with {IMAGE} "
            "as attribute",
        )
    if row.locale is not None or row.scope is not None:
        return Failure(
            Kind.LOCALE_UNEXPECTED if row.locale is not None else Kind.SCOPE_UNEXPECTED,
            "a reference entity has one image for all locales and channels",
            "Leave the columns locale and scope empty.",
        )
    return ResolvedTarget(_target(planned), IMAGE, None, None, sure=True)


def _with_entity(
    planned: PlannedRow,
    resolved: ResolvedTarget,
    entities: dict[str, Entity | None] | None,
    image: Before,
    words: _Words,
) -> ResolvedTarget:
    if not resolved.target.code:
        return _known(resolved, image, ())
    notes = _respelled(planned, resolved)
    if entities is None:
        return _known(resolved, UNKNOWN, notes)
    entity = entities.get(folded(resolved.target.code))
    if entity is None:
        notes = (*notes, f"the {words.thing} does not exist yet: it is created")
        return _known(replace(resolved, made=True), None, notes)
    resolved = replace(resolved, target=resolved.target._replace(code=entity.code))
    held = entity.media_code(resolved.attribute, resolved.locale, resolved.scope)
    linked = entity.linked.get((resolved.attribute, resolved.locale, resolved.scope))
    if held is not None and linked is not None:
        resolved = replace(resolved, stored=HeldFile(held, *linked))
    return _known(resolved, held, _respelled(planned, resolved))


def _respelled(planned: PlannedRow, resolved: ResolvedTarget) -> tuple[str, ...]:
    row = planned.row
    pairs = (
        (_target(planned).code, resolved.target.code),
        (row.attribute, resolved.attribute),
        (row.locale, resolved.locale),
        (row.scope, resolved.scope),
    )
    return tuple(f"{written} is {spelled} in the PIM" for written, spelled in pairs if written != spelled)


def _known(resolved: ResolvedTarget, before: Before, notes: tuple[str, ...]) -> ResolvedTarget:
    return replace(resolved, before=before, notes=notes)
