"""What values hold now, read for up to a hundred entities in one request.

Used twice: before a run sends anything, to leave out what the PIM holds already, and after it, to see whether
what was sent is there (docs/pim-behaviour.md, "A value lost to another writer").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..ledger import SetBeside
from ..ledger.beside import kept
from ..pim.client import PimClient
from ..rows import TargetType, folded
from ..targets import ADAPTERS
from ..targets.collections import IMAGE
from ..targets.resolved import ResolvedTarget
from .lookup import find, find_all, limited, searchable


class Reading(NamedTuple):
    """What one value holds: a media code, or None for nothing.

    `there`: does the entity exist? `draft`: a change of it waits for approval. `lacking`: the first
    of the other values that were to be set with it, and is not as it was set; "" for none.
    """

    code: str | None
    there: bool = True
    draft: bool = False
    lacking: str = ""


_GONE = Reading(None, there=False)
_DRAFTS = ("draft_in_progress", "proposal_waiting_for_approval")


def read_values(
    client: PimClient, values: Sequence[ResolvedTarget], *, lagging: bool = False
) -> list[Reading]:
    """What each of the values holds. Raises Trouble, Refusal and AccessError as the client does.

    `lagging`: take an entity that the search does not find for one that does not exist, without reading it
    by itself.
    """
    readings: list[Reading] = [_GONE] * len(values)
    groups: dict[tuple[TargetType, str], list[int]] = {}
    for n, value in enumerate(values):
        groups.setdefault((value.target.type, value.target.parent), []).append(n)
    for (kind, parent), places in groups.items():
        if not searchable(kind):
            for n in places:
                readings[n] = Reading(ADAPTERS[kind].held(client, values[n]))
            continue
        ask = find if lagging else find_all
        codes = [code for n in places if (code := values[n].target.code)]
        attributes = limited(values[n].attribute for n in places)
        found = ask(client, kind, codes, parent=parent, attributes=attributes)
        for n in places:
            readings[n] = _reading(client, values[n], found)
    return readings


def _reading(client: PimClient, value: ResolvedTarget, found: dict[str, Any]) -> Reading:
    if not value.target.code and value.attribute == IMAGE:
        # The reference entity's own image: it belongs to no record.
        return Reading(ADAPTERS[TargetType.RECORD].held(client, value))
    entity = found.get(folded(value.target.code))
    if entity is None:
        return _GONE
    code = entity.media_code(value.attribute, value.locale, value.scope)
    if code is None and (value.locale or value.scope):
        code = _in_other_spelling(entity, value)
    draft = getattr(entity, "workflow_status", None) in _DRAFTS
    return Reading(code, draft=draft, lacking=lacking_value(entity, value.beside))


def lacking_value(entity: Any, said: SetBeside | None) -> str:
    """The first value that an asset or record does not hold as it was to be set, as columns name it."""
    for each in said.changes if said is not None else ():
        if not kept(each.data, entity.values.get((each.attribute, each.locale, each.channel))):
            return "-".join(filter(None, (each.attribute, each.locale, each.channel)))
    return ""


def _in_other_spelling(entity: Any, value: ResolvedTarget) -> str | None:
    """A locale or channel in another case is the same to the PIM."""
    wanted = (value.attribute, folded(value.locale or ""), folded(value.scope or ""))
    for (attribute, locale, scope), code in entity.values.items():
        if (attribute, folded(locale or ""), folded(scope or "")) == wanted:
            return code if isinstance(code, str) else None
    return None
