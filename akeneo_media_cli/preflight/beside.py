"""What rows for assets and records say besides their files, checked against the PIM before anything is sent.

Values by the attributes of the family or reference entity; links by the product, its level, and the asset
collection. What is there already comes along with what is read anyway, so that nothing is sent twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from ..errors import Failure, Kind
from ..ledger import UNKNOWN, PlannedRow, SetBeside, SetLink, SetValue
from ..manifest.beside import Beside, Link, WrittenValue, beside
from ..pim.answers.entity_types import Entity, MediaAttribute, NamingConvention
from ..pim.answers.types import ASSET_COLLECTION, Attribute
from ..pim.client import PimClient
from ..pim.errors import Refusal
from ..rows import Row, TargetType, folded
from ..targets.resolved import ResolvedTarget
from . import checks, naming, typed
from .catalogue import Catalogue
from .lookup import find_all

T = TypeVar("T")
Verdict = ResolvedTarget | Failure
LooksUp = Callable[[Sequence[PlannedRow]], Sequence[Verdict]]
"""Looks products and models up whose values are asset collections."""

FindsRivals = Callable[[PlannedRow], Sequence[PlannedRow]]
"""Earlier rows that give a value of the same asset in other words."""

_PLACES = (
    Kind.LOCALE_REQUIRED,
    Kind.LOCALE_UNEXPECTED,
    Kind.SCOPE_REQUIRED,
    Kind.SCOPE_UNEXPECTED,
)
_SAID_OF_LINKS = (
    ("column scope", "column link_scope"),
    ("column locale", "column link_locale"),
    ("before its media are uploaded", "before assets are linked to it"),
)
_MEDIA_TYPES = {TargetType.ASSET: "media_file", TargetType.RECORD: "image"}


class BesidePreflight:
    """Checks values and links. Thread-safe."""

    def __init__(
        self,
        client: PimClient,
        catalogue: Catalogue,
        products: LooksUp,
        *,
        relink: bool = False,
        rivals: FindsRivals | None = None,
    ) -> None:
        """`relink`: an asset that is in its collection may have another place there, so that is not done."""
        self._client = client
        self._catalogue = catalogue
        self._products = products
        self._relink = relink
        self._rivals = rivals
        self._lock = threading.Lock()
        self._options: dict[tuple[TargetType, str, str], list[str] | None] = {}

    def look(
        self,
        rows: Sequence[PlannedRow],
        verdicts: Sequence[Verdict],
        attributes: Mapping[str, MediaAttribute],
        entities: Mapping[str, Entity | None],
        convention: NamingConvention | None,
    ) -> list[Verdict]:
        """`verdicts` on rows of one family, with what they say beside their files. Raises as the client does.

        `attributes` are the family's and `entities` what is there, both by folded code.
        """
        found: list[Verdict] = []
        for planned, verdict in zip(rows, verdicts, strict=True):
            if isinstance(verdict, ResolvedTarget) and convention is not None:
                entity = entities.get(folded(verdict.target.code))
                verdict = verdict if entity is not None else _named(planned, verdict, convention)  # noqa: PLW2901
            found.append(verdict)
        said = {n: words for n, planned in enumerate(rows) if (words := beside(planned.row)) is not None}
        said = {n: words for n, words in said.items() if isinstance(found[n], ResolvedTarget)}
        if not said:
            return found
        values: dict[int, list[SetValue]] = {}
        for n, words in said.items():
            resolved = found[n]
            assert isinstance(resolved, ResolvedTarget)
            entity = entities.get(folded(resolved.target.code))
            read = self._values(resolved, words, attributes, entity)
            if isinstance(read, Failure):
                found[n] = read
            else:
                values[n] = read
        self._refuse_contradictions(rows, values, attributes, found)
        self._check_linked(rows, values, attributes, found)
        links = self._links(
            {n: (rows[n], words.link) for n, words in said.items() if n in values and words.link is not None}
        )
        for n, others in values.items():
            resolved, link = found[n], links.get(n)
            if isinstance(link, Failure):
                found[n] = link
            elif isinstance(resolved, ResolvedTarget):
                found[n] = replace(resolved, beside=self._beside(resolved, others, link))
        return found

    def _beside(
        self, resolved: ResolvedTarget, values: Sequence[SetValue], link: ResolvedTarget | None
    ) -> SetBeside:
        if link is None:
            return SetBeside(resolved.target.code, values)
        held = {folded(code) for code in link.collection}
        change = "none" if folded(resolved.target.code) in held else "new"
        goes = SetLink(link.target, link.attribute, link.locale, link.scope, None if self._relink else change)
        return SetBeside(resolved.target.code, values, goes)

    # Values.

    def _values(
        self,
        resolved: ResolvedTarget,
        words: Beside,
        attributes: Mapping[str, MediaAttribute],
        entity: Entity | None,
    ) -> list[SetValue] | Failure:
        found: dict[tuple[str, str | None, str | None], SetValue] = {}
        for written in words.values:
            value = self._value(resolved, written, attributes)
            if isinstance(value, Failure):
                return value
            key = (value.attribute, value.locale, value.channel)
            if key in found:
                return Failure(
                    Kind.ROW_MALFORMED,
                    f"two columns name one value; one is `{written.column}`",
                    "Keep one of them.",
                )
            before = None if entity is None else entity.values.get(key)
            attribute = attributes[folded(value.attribute)]
            # The PIM may write a number or a day in another way.
            data = before if typed.same(attribute, value.data, before) else value.data
            found[key] = value._replace(data=data, before=before)
        return list(found.values())

    def _value(
        self, resolved: ResolvedTarget, written: WrittenValue, attributes: Mapping[str, MediaAttribute]
    ) -> SetValue | Failure:
        target = resolved.target
        attribute = attributes.get(folded(written.attribute))
        if attribute is None:
            known = [each.code for each in attributes.values()]
            return Failure(
                Kind.ATTRIBUTE_UNKNOWN,
                f"`{written.column}`: {target.parent} has no attribute {written.attribute}",
                f"{checks.nearest(written.attribute, known)}its attributes are {', '.join(known)}",
            )
        if attribute.type == _MEDIA_TYPES[target.type]:
            return Failure(
                Kind.VALUE_INVALID,
                f"`{written.column}`: {attribute.code} holds a file",
                "Name it in a separate row, by the columns attribute and file.",
            )
        placed = self._placed(attribute, written)
        if isinstance(placed, Failure):
            return placed
        try:
            data = None if written.data is None else typed.read(attribute, written.data)
        except typed.WrongDataError as wrong:
            return Failure(Kind.VALUE_INVALID, f"`{written.column}`: {wrong}", wrong.hint)
        if attribute.type in (typed.OPTION, typed.OPTIONS):
            return self._with_options(target.type, target.parent, attribute, written, placed, data)
        return SetValue(attribute.code, *placed, data)

    def _placed(
        self, attribute: MediaAttribute, written: WrittenValue
    ) -> tuple[str | None, str | None] | Failure:
        """The locale and channel that a column's name gives, as the PIM spells them."""
        places = written.places
        known = self._catalogue.scoping() if places else checks.Scoping(None, None)
        locale: str | None = None
        channel: str | None = None
        if len(places) > 1:
            locale, channel = places
        elif places:
            is_channel = known.channels is not None and folded(places[0]) in known.channels
            # A name that could be either is what the attribute has.
            if is_channel or (attribute.scopable and not attribute.localizable):
                channel = places[0]
            else:
                locale = places[0]
        plain = Attribute(attribute.code, attribute.type, attribute.scopable, attribute.localizable)
        found = checks.scoping(plain, locale, channel, known)
        if not isinstance(found, Failure):
            return found
        hint = found.hint
        if found.kind in _PLACES:
            parts = [
                f"value.{attribute.code}",
                *(["LOCALE"] if attribute.localizable else []),
                *(["CHANNEL"] if attribute.scopable else []),
            ]
            hint = f"call the column {'-'.join(parts)}"
        message = found.message.replace(", and the row names none", ", and the column names none")
        message = message.replace("but the row names", "but the column names")
        return Failure(found.kind, f"`{written.column}`: {message}", hint)

    def _with_options(
        self,
        kind: TargetType,
        parent: str,
        attribute: MediaAttribute,
        written: WrittenValue,
        placed: tuple[str | None, str | None],
        data: Any,
    ) -> SetValue | Failure:
        known = self._options_of(kind, parent, attribute.code) if data else []
        if known is None:
            return SetValue(attribute.code, *placed, data)
        spelled = {folded(code): code for code in known}
        for code in typed.codes_of(attribute, data):
            if folded(code) not in spelled:
                return Failure(
                    Kind.VALUE_INVALID,
                    f"`{written.column}`: {attribute.code} has no option {code}",
                    f"{checks.nearest(code, known)}its options are {', '.join(known) or 'none'}",
                )
        if isinstance(data, list):
            data = [spelled[folded(code)] for code in data]
        elif data is not None:
            data = spelled[folded(data)]
        return SetValue(attribute.code, *placed, data)

    def _options_of(self, kind: TargetType, parent: str, attribute: str) -> list[str] | None:
        """An attribute's options, asked for once; None where the user may not read them."""
        ask = self._client.asset_options if kind is TargetType.ASSET else self._client.record_options
        with self._lock:
            key = (kind, parent, attribute)
            if key not in self._options:
                self._options[key] = _allowed(lambda: ask(parent, attribute))
            return self._options[key]

    def _check_linked(
        self,
        rows: Sequence[PlannedRow],
        values: dict[int, list[SetValue]],
        attributes: Mapping[str, MediaAttribute],
        found: list[Verdict],
    ) -> None:
        """Records and assets that values link to must exist; one search for each hundred of a kind."""
        wanted: dict[tuple[TargetType, str], dict[str, str]] = {}
        for others in values.values():
            for value in others:
                for group, code in _linked(attributes[folded(value.attribute)], value):
                    wanted.setdefault(group, {})[folded(code)] = code
        known = {
            group: _allowed(partial(find_all, self._client, group[0], codes.values(), parent=group[1]))
            for group, codes in wanted.items()
        }
        for n, others in list(values.items()):
            for value in others:
                for (kind, parent), code in _linked(attributes[folded(value.attribute)], value):
                    there = known[kind, parent]
                    if there is not None and there.get(folded(code)) is None:
                        found[n] = Failure(
                            Kind.VALUE_INVALID,
                            f"{value.attribute}: there is no {kind.value} {code} in {parent}",
                            f"Check the code, or create the {kind.value} first.",
                        )
                        values.pop(n, None)

    def _refuse_contradictions(
        self,
        rows: Sequence[PlannedRow],
        values: dict[int, list[SetValue]],
        attributes: Mapping[str, MediaAttribute],
        found: list[Verdict],
    ) -> None:
        """Rows for one asset that give one of its values differently: the first of them is kept."""
        for n in list(values):
            for rival in self._rivals(rows[n]) if self._rivals is not None else ():
                failure = self._contradiction(found[n], values[n], rival, attributes)
                if failure is not None:
                    found[n] = failure
                    del values[n]
                    break

    def _contradiction(
        self,
        resolved: Verdict,
        values: Sequence[SetValue],
        rival: PlannedRow,
        attributes: Mapping[str, MediaAttribute],
    ) -> Failure | None:
        """Does an earlier row give one of the values differently? What cannot be read gives nothing."""
        words = beside(rival.row)
        assert words is not None
        assert isinstance(resolved, ResolvedTarget)
        ours = {(value.attribute, value.locale, value.channel): value.data for value in values}
        for written in words.values:
            theirs = self._value(resolved, written, attributes)
            if isinstance(theirs, Failure):
                continue
            key = (theirs.attribute, theirs.locale, theirs.channel)
            attribute = attributes[folded(theirs.attribute)]
            if key in ours and not typed.same(attribute, theirs.data, ours[key]):
                return Failure(
                    Kind.CONFLICTING_ROWS,
                    f"{rival.row.manifest}:{rival.row.line} gives another value for {theirs.attribute} of "
                    f"{resolved.target.code}",
                    "Keep the right row and empty the cell of the other.",
                )
        return None

    # Links.

    def _links(self, links: Mapping[int, tuple[PlannedRow, Link]]) -> dict[int, ResolvedTarget | Failure]:
        if not links:
            return {}
        known = self._catalogue.attributes({link.attribute for _, link in links.values()})
        found: dict[int, ResolvedTarget | Failure] = {}
        asked: dict[int, PlannedRow] = {}
        for n, (planned, link) in links.items():
            if known is None:
                found[n] = checks.unreadable_attribute(link.attribute)
                continue
            row = planned.row
            assert row.target is not None
            failure = _not_a_collection(link.attribute, known[folded(link.attribute)], row.target.parent)
            if failure is not None:
                found[n] = failure
            else:
                there = Row(row.manifest, row.line, "", link.target, link.attribute, link.locale, link.scope)
                asked[n] = PlannedRow(n, there, "")
        for n, verdict in zip(asked, self._products(list(asked.values())), strict=True):
            if isinstance(verdict, Failure):
                message = verdict.message.replace("the row names", "the link names")
                hint = verdict.hint
                for row_has, link_has in _SAID_OF_LINKS:
                    hint = hint.replace(row_has, link_has)
                found[n] = Failure(verdict.kind, f"link: {message}", hint, verdict.http_status)
            elif verdict.before is UNKNOWN:
                found[n] = Failure(
                    Kind.FORBIDDEN,
                    "link: the user may not read products, so it is unknown what the collection holds",
                    "Give the connection's role the right to list products: a PATCH replaces a collection.",
                    403,
                )
            else:
                found[n] = verdict
        return found


def _allowed(ask: Callable[[], T]) -> T | None:
    """None where the user may not read it."""
    try:
        return ask()
    except Refusal as refusal:
        if refusal.failure.http_status not in (403, 404):
            raise
        return None


def _not_a_collection(code: str, attribute: Attribute | None, family: str) -> Failure | None:
    if attribute is None:
        return Failure(
            Kind.ATTRIBUTE_UNKNOWN,
            f"`link_attribute`: there is no attribute {code} in the PIM",
            "Name the asset collection by its code: it is shown in the PIM under Settings, Attributes.",
        )
    if attribute.type != ASSET_COLLECTION:
        return Failure(
            Kind.ATTRIBUTE_NOT_COLLECTION,
            f"`link_attribute`: {attribute.code} is an attribute of type {attribute.type}, not an asset "
            "collection",
            f"Name an attribute of type asset collection that takes assets of {family}.",
        )
    takes = attribute.reference_data_name
    if takes is not None and folded(takes) != folded(family):
        return Failure(
            Kind.ATTRIBUTE_NOT_COLLECTION,
            f"`link_attribute`: {attribute.code} takes assets of the family {takes}, not of {family}",
            f"Name a collection of {family}, or upload to the family {takes}.",
        )
    return None


def _linked(attribute: MediaAttribute, value: SetValue) -> list[tuple[tuple[TargetType, str], str]]:
    """What a value links to: the kind of entity and where it is, and its code."""
    if attribute.links_to is None or attribute.type in (typed.OPTION, typed.OPTIONS):
        return []
    kind = TargetType.ASSET if attribute.type == "asset_collection" else TargetType.RECORD
    return [((kind, attribute.links_to), code) for code in typed.codes_of(attribute, value.data)]


def _named(planned: PlannedRow, resolved: ResolvedTarget, convention: NamingConvention) -> Verdict:
    """A row whose asset will be created, by the family's naming convention."""
    if convention.source == "code":
        text = resolved.target.code
    elif convention.source == resolved.attribute:
        text = planned.name
    else:
        # Another row of the asset may bring the file that the name is taken from.
        return resolved
    verdict = naming.refused(convention, text)
    if isinstance(verdict, Failure):
        return verdict
    notes: tuple[str, ...] = () if verdict is None else (verdict,)
    said = beside(planned.row)
    given = {folded(value.attribute) for value in said.values} if said is not None else set()
    notes += tuple(
        f"the family's naming convention takes {attribute} from the name as well ({text})"
        for attribute in naming.extracted(convention, text)
        if folded(attribute) in given
    )
    return replace(resolved, notes=(*resolved.notes, *notes)) if notes else resolved
