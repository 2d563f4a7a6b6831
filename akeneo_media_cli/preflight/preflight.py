"""A batch of rows, checked against the PIM before anything is sent.

Products and models are read by search, a hundred at a time; one that search does not find is read by
itself before a row is invalid, as search lags (docs/pim-behaviour.md, "Searching and paging"). What
the values hold now comes with it: it shows later whether a request whose answer was lost was done
(docs/pim-behaviour.md, "When the answer is lost").
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import Failure, Kind
from ..ledger import PlannedRow
from ..pim.answers.types import Attribute, Family, FamilyVariant, Product, ProductModel
from ..pim.client import PimClient
from ..pim.errors import Refusal
from ..rows import Target, TargetType, folded
from ..storage.content import PhpTypes
from ..targets.resolved import ResolvedTarget
from . import checks
from .catalogue import Catalogue, Note
from .content import content_fits
from .files import file_fits
from .lookup import find_all, limited
from .nearest import NearestCodes

if TYPE_CHECKING:
    from .beside import FindsRivals
    from .entities import Created, EntityPreflight
    from .fitting import Fitting

T = TypeVar("T")
Types = Callable[[PlannedRow], PhpTypes | None]


@dataclass
class _Entities:
    """A batch's products and models by folded code; None: not found."""

    products: dict[str, Product | None] | None = field(default_factory=dict)
    models: dict[str, ProductModel | None] | None = field(default_factory=dict)
    by_uuid: dict[str, Product | None] | None = field(default_factory=dict)
    above: dict[str, ProductModel] = field(default_factory=dict)


class Preflight:
    """Asks the PIM about rows. Thread-safe as far as its catalogue is."""

    def __init__(
        self,
        client: PimClient,
        catalogue: Catalogue,
        note: Note,
        *,
        files: bool = True,
        types: Types | None = None,
        fitting: Fitting | None = None,
        beside: bool = True,
        relink: bool = False,
        created: Created | None = None,
        rivals: FindsRivals | None = None,
    ) -> None:
        """`files` off: rows are only looked up, whether or not the attribute would take their file.

        `types` tells what PHP takes a row's file for; None: content is not looked at. `fitting` marks rows
        whose pictures are to be converted; None: none are. `beside` off: what rows say beside their files
        does not matter. `relink`: see `BesidePreflight`, `created`: see `EntityPreflight`.
        `rivals` finds earlier rows that give a value of a row's asset in other words.
        """
        self._files = files
        self._types = types
        self._client = client
        self._catalogue = catalogue
        self._note = note
        self._lock = threading.Lock()
        self._fitting = fitting
        self._beside = beside
        self._relink = relink
        self._created = created
        self._rivals = rivals
        self._elsewhere: EntityPreflight | None = None
        self._readable = dict.fromkeys(_WORDS, True)
        self._nearest = NearestCodes(client)

    def look(self, batch: Sequence[PlannedRow]) -> list[ResolvedTarget | Failure]:
        """For each row where it goes, or why it is invalid. Raises Trouble and AccessError."""
        catalog = [p for p in batch if p.row.target is not None and p.row.target.type in _WORDS]
        verdicts = {p.seq: v for p, v in zip(catalog, self._look(catalog), strict=True)} if catalog else {}
        others = [p for p in batch if p.seq not in verdicts]
        if others:
            verdicts.update(zip((p.seq for p in others), self._others().look(others), strict=True))
        return [verdicts[p.seq] for p in batch]

    def _others(self) -> EntityPreflight:
        """What looks rows up that are not for products or models; most manifests have none."""
        from .beside import BesidePreflight
        from .entities import EntityPreflight

        with self._lock:
            if self._elsewhere is None:
                self._elsewhere = EntityPreflight(
                    self._client,
                    self._catalogue,
                    files=self._files,
                    fitting=self._fitting,
                    beside=BesidePreflight(
                        self._client,
                        self._catalogue,
                        self._look_links,
                        relink=self._relink,
                        rivals=self._rivals,
                    )
                    if self._beside
                    else None,
                    created=self._created,
                )
            return self._elsewhere

    def _look_links(self, batch: Sequence[PlannedRow]) -> list[ResolvedTarget | Failure]:
        """Products and models whose values are asset collections: there is no file to look at."""
        return self._look(batch, media=False)

    def _look(self, batch: Sequence[PlannedRow], *, media: bool = True) -> list[ResolvedTarget | Failure]:
        attributes = self._catalogue.attributes({p.row.attribute for p in batch})
        # Most manifests name neither: then the lists are not needed.
        scoped = any(p.row.locale or p.row.scope for p in batch)
        scoping = self._catalogue.scoping() if scoped else checks.Scoping(None, None)
        verdicts: list[ResolvedTarget | Failure | None] = [None] * len(batch)
        placed: dict[int, tuple[Attribute, str | None, str | None]] = {}
        for n, planned in enumerate(batch):
            place = self._place(planned, attributes, scoping, media=media)
            if isinstance(place, Failure):
                verdicts[n] = place
            else:
                placed[n] = place
        named = limited(attribute.code for attribute, _, _ in placed.values())
        entities = self._read([batch[n] for n in placed], named)
        for n, (attribute, locale, scope) in placed.items():
            resolved = self._resolve(batch[n], attribute, locale, scope, entities)
            verdicts[n] = self._with_content(batch[n], attribute, resolved) if media else resolved
        return [v for v in verdicts if v is not None]

    def _place(
        self,
        planned: PlannedRow,
        attributes: dict[str, Attribute | None] | None,
        scoping: checks.Scoping,
        *,
        media: bool,
    ) -> tuple[Attribute, str | None, str | None] | Failure:
        """The attribute, locale and scope as the PIM spells them."""
        row = planned.row
        assert row.target is not None
        if row.target.type is TargetType.PRODUCT_UUID:
            failure = self._by_uuid(row.target.code)
            if failure is not None:
                return failure
        if attributes is None:
            return checks.unreadable_attribute(row.attribute)
        attribute = attributes[folded(row.attribute)]
        if attribute is None:
            return checks.unknown_attribute(row.attribute, self._catalogue.media_attributes())
        failure = checks.attribute_type(attribute) if media else None
        if media and failure is None:
            failure = file_fits(planned, attribute, self._fitting, files=self._files)
        if failure is not None:
            return failure
        spelled = checks.scoping(attribute, row.locale, row.scope, scoping)
        return spelled if isinstance(spelled, Failure) else (attribute, *spelled)

    def _with_content(
        self, planned: PlannedRow, attribute: Attribute, resolved: ResolvedTarget | Failure
    ) -> ResolvedTarget | Failure:
        """A row whose content the PIM will refuse, or some PIMs."""
        restricted = self._files and self._types is not None and attribute.allowed_extensions
        if isinstance(resolved, Failure) or not restricted or planned.recipe is not None:
            return resolved
        assert self._types is not None
        found = content_fits(attribute, planned.name, self._types(planned))
        if isinstance(found, str):
            return replace(resolved, notes=(*resolved.notes, found))
        return resolved if found is None else found

    # Reading products and models.

    def _read(self, batch: Sequence[PlannedRow], attributes: Sequence[str]) -> _Entities:
        entities = _Entities()
        entities.products = self._find(TargetType.PRODUCT, batch, attributes)
        entities.models = self._find(TargetType.PRODUCT_MODEL, batch, attributes)
        entities.by_uuid = self._find(TargetType.PRODUCT_UUID, batch, attributes)
        found = [*(entities.products or {}).values(), *(entities.by_uuid or {}).values()]
        parents = [p.parent for p in found if p is not None and p.parent]
        for model in (entities.models or {}).values():
            if model is not None:
                self._catalogue.remember_model(model)
                parents += [model.parent] if model.parent else []
        if parents and self._readable[TargetType.PRODUCT_MODEL]:
            entities.above = (
                self._ask(TargetType.PRODUCT_MODEL, lambda: self._catalogue.models(parents)) or {}
            )
        return entities

    def _find(
        self, kind: TargetType, batch: Iterable[PlannedRow], attributes: Sequence[str]
    ) -> dict[str, Any] | None:
        codes = _codes(batch, kind)
        if not codes:
            return {}

        def ask() -> dict[str, Any]:
            named = attributes
            if kind is TargetType.PRODUCT_UUID and attributes:
                # There the identifier is only among the values.
                named = [*attributes, *self._catalogue.identifiers()]
            return find_all(self._client, kind, codes, attributes=named)

        return self._ask(kind, ask)

    def _by_uuid(self, uuid: str) -> Failure | None:
        """Is this a UUID, and can this PIM find products by it?"""
        if not _UUID.fullmatch(uuid):
            return Failure(
                Kind.TARGET_UNKNOWN,
                f"{uuid} is not a UUID",
                "Write it like fc24e6c3-933c-4a93-8a81-e5c703d134d5; identifiers go into the column product.",
            )
        return self._catalogue.route_missing("/products-uuid", "PATCH", "products by UUID (PIM 7 and later)")

    def _ask(self, what: TargetType, ask: Callable[[], T]) -> T | None:
        """None where the user may not read such entities; said once."""
        if not self._readable[what]:
            return None
        try:
            return ask()
        except Refusal as refusal:
            if refusal.failure.kind is not Kind.FORBIDDEN:
                raise
            with self._lock:
                if self._readable[what]:
                    self._readable[what] = False
                    self._note(
                        f"the user may not read {_WORDS[what]}s: whether they exist is not checked",
                        "Give the connection's role the right to list products.",
                    )
            return None

    # Judging.

    def _resolve(
        self,
        planned: PlannedRow,
        attribute: Attribute,
        locale: str | None,
        scope: str | None,
        entities: _Entities,
    ) -> ResolvedTarget | Failure:
        target = planned.row.target
        assert target is not None
        known = {
            TargetType.PRODUCT: entities.products,
            TargetType.PRODUCT_UUID: entities.by_uuid,
            TargetType.PRODUCT_MODEL: entities.models,
        }[target.type]
        if known is None and target.type is TargetType.PRODUCT_UUID:
            return Failure(
                Kind.FORBIDDEN,
                "the user may not read products, so the identifier behind a UUID is unknown",
                "Give the connection's role the right to list products, or name products by identifier.",
                403,
            )
        if known is None:
            return ResolvedTarget(
                target,
                attribute.code,
                locale,
                scope,
                notes=_respelled(planned, target, attribute, locale, scope),
            )
        entity = known[folded(target.code)]
        if entity is None:
            return checks.unknown_target(_WORDS[target.type], target.code, self._nearest.hint(target))
        target = self._target(target, entity)
        tree = self._tree(entity, entities)
        failure = self._level(entity, attribute.code, entities)
        if failure is not None:
            return failure
        status = entity.workflow_status
        return ResolvedTarget(
            target,
            attribute.code,
            locale,
            scope,
            before=entity.media_code(attribute.code, locale, scope),
            collection=entity.codes(attribute.code, locale, scope),
            tree=tree,
            draft=status in ("draft_in_progress", "proposal_waiting_for_approval"),
            definition=attribute,
            sure=self._sure(entity, entities),
            notes=_respelled(planned, target, attribute, locale, scope),
        )

    def _target(self, written: Target, entity: Product | ProductModel) -> Target:
        """The entity as the PIM spells it; a product by its identifier, where it has one."""
        if isinstance(entity, ProductModel):
            return written._replace(code=entity.code)
        identifier = entity.identifier
        if written.type is TargetType.PRODUCT_UUID:
            codes = (entity.media_code(code) for code in self._catalogue.identifiers())
            identifier = next(filter(None, codes), None)
        if identifier:
            return Target(TargetType.PRODUCT, identifier)
        return written._replace(code=entity.uuid or written.code)

    def _sure(self, entity: Product | ProductModel, entities: _Entities) -> bool:
        """Is it known which attributes belong to the entity's level?"""
        return (isinstance(entity, Product) and entity.parent is None) or self._variant(
            entity, entities
        ) is not None

    def _tree(self, entity: Product | ProductModel, entities: _Entities) -> str | None:
        """The root of the model tree that an entity hangs in; None for a simple product."""
        if isinstance(entity, ProductModel) and entity.parent is None:
            return entity.code
        code, root = entity.parent, None
        while code is not None and code != root:
            root = code
            above = entities.above.get(code)
            code = above.parent if above is not None else None
        return root

    def _level(self, entity: Product | ProductModel, attribute: str, entities: _Entities) -> Failure | None:
        """Is the attribute one of this level of the family variant? A simple product may hold any."""
        if entity.parent is None and isinstance(entity, Product):
            return None
        known = self._variant(entity, entities)
        if known is None:
            return None
        family, variant = known
        wanted = variant.level(attribute) if attribute in family.attributes else None
        below = len(variant.levels) if isinstance(entity, Product) else 1
        actual = 0 if entity.parent is None else below
        return checks.level(
            attribute, wanted, actual, self._owner(entity, wanted or 0, len(variant.levels), entities)
        )

    def _variant(
        self, entity: Product | ProductModel, entities: _Entities
    ) -> tuple[Family, FamilyVariant] | None:
        """The family and the variant of it that an entity is built by; None if they are unknown."""
        above = entities.above.get(entity.parent or "")
        code = entity.family_variant if isinstance(entity, ProductModel) else None
        if code is None and above is not None:
            code = above.family_variant
        if not entity.family or not code:
            return None
        variant = self._catalogue.family_variant(entity.family, code)
        family = self._catalogue.family(entity.family)
        return None if variant is None or family is None else (family, variant)

    def _owner(self, entity: Product | ProductModel, wanted: int, lowest: int, entities: _Entities) -> str:
        """The entity of the wanted level above this one, in words; those below are only named in general."""
        chain: list[str] = [] if isinstance(entity, Product) else [entity.code]
        code = entity.parent
        while code is not None and code not in chain:
            chain.append(code)
            above = entities.above.get(code)
            code = above.parent if above is not None else None
        chain.reverse()
        if wanted < len(chain):
            return f"the product model {chain[wanted]}"
        return "the variants below it" if wanted == lowest else "the product models below it"


_WORDS = {
    TargetType.PRODUCT: "product",
    TargetType.PRODUCT_UUID: "product",
    TargetType.PRODUCT_MODEL: "product model",
}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _codes(batch: Iterable[PlannedRow], what: TargetType) -> list[str]:
    targets = (planned.row.target for planned in batch)
    return [t.code for t in targets if t is not None and t.type is what]


def _respelled(
    planned: PlannedRow, target: Target, attribute: Attribute, locale: str | None, scope: str | None
) -> tuple[str, ...]:
    row = planned.row
    assert row.target is not None
    pairs = (
        (row.target.code, target.code if target.type is row.target.type else row.target.code),
        (row.attribute, attribute.code),
        (row.locale, locale),
        (row.scope, scope),
    )
    named = f"{row.target.code} is the product {target.code}"
    resolved = (named,) if target.type is not row.target.type else ()
    return resolved + tuple(
        f"{written} is {spelled} in the PIM" for written, spelled in pairs if written != spelled
    )
