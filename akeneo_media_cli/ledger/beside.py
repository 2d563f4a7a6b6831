"""What a row did, or is to do, beside its file: other values of its asset or record, and the asset's link.

Kept in the row as JSON, so that whoever kills a run leaves what the next one needs, and reports can tell.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..frozen import frozen
from ..rows import Target, TargetType


class SetValue(NamedTuple):
    """One value of an asset or record as the API has it: `data` is to be there, `before` was.

    None is an empty value in both.
    """

    attribute: str
    locale: str | None
    channel: str | None
    data: Any
    before: Any = None

    @property
    def change(self) -> str:
        """`none`, `new` or `replace`; `empty` where it is taken away."""
        if alike(self.data, self.before):
            return "none"
        if self.data is None:
            return "empty"
        return "new" if self.before is None else "replace"

    def entry(self) -> dict[str, Any]:
        """As a PATCH has it."""
        return {"locale": self.locale, "channel": self.channel, "data": self.data}


class Whole(NamedTuple):
    """A collection that is set as a whole: the codes of its assets before and after, in their order."""

    before: Sequence[str]
    after: Sequence[str]

    @property
    def reverse(self) -> Whole:
        """What undoes it."""
        return Whole(self.after, self.before)


class SetLink(NamedTuple):
    """The collection that an asset goes into, or is taken out of (`take_out`), as the PIM spells it.

    `change` is `new` where the asset is put there, `removed` where it is taken out, `none` if there is
    nothing to do, None before anybody knows. One row of a collection that is set as a whole says so:
    `to_set`, where it still holds what it is said to hold before; `was_set` once it is done, or begun.
    """

    target: Target
    attribute: str
    locale: str | None
    scope: str | None
    change: str | None = None
    take_out: bool = False
    to_set: Whole | None = None
    was_set: Whole | None = None


@frozen
class SetBeside:
    """All of a row. `sent`: the values are in the PIM. `file`: this run sent the row's file.

    `code` is the asset or record as the PIM spells it. `restores`: values are put back, and only where they
    still hold what they are said to hold (`SetValue.before`).
    """

    code: str
    values: Sequence[SetValue] = ()
    link: SetLink | None = None
    sent: bool = False
    file: bool = False
    restores: bool = False

    @property
    def changes(self) -> list[SetValue]:
        """The values that a PATCH must set."""
        return [value for value in self.values if value.change != "none"]

    @property
    def to_send(self) -> list[SetValue]:
        """Those of them that have not been sent yet."""
        return [] if self.sent else self.changes

    @property
    def link_to_do(self) -> bool:
        """Does the asset have to be put into a collection, as far as is known?"""
        return self.link is not None and self.link.change != "none"

    @property
    def wrote(self) -> bool:
        """Was a value or a link written?"""
        link = self.link
        linked = link is not None and (link.change in ("new", "removed") or link.was_set is not None)
        return linked or (self.sent and bool(self.changes))

    @property
    def reverse(self) -> SetBeside | None:
        """What undoes this; None where there is nothing to undo. `file` stays."""
        values = [v._replace(data=v.before, before=v.data) for v in self.changes] if self.sent else []
        link = self.link
        if link is not None:
            whole = None if link.was_set is None else link.was_set.reverse
            some = link.change in ("new", "removed") or whole
            out = link.change == "new"
            link = link._replace(change=None, take_out=out, to_set=whole, was_set=None) if some else None
        return replace(self, values=values, link=link, sent=False, restores=True) if values or link else None

    @property
    def removal(self) -> SetBeside:
        """What takes all of this away again that the PIM holds, by a read that was just made."""
        values = [v._replace(data=None) for v in self.values if v.before is not None]
        link = self.link
        if link is not None:
            link = link._replace(change=None, take_out=True) if link.change == "none" else None
        return replace(self, values=values, link=link, sent=False)

    def with_file(self) -> SetBeside:
        """The same, once the file is sent: the values go with it."""
        return replace(self, sent=True, file=True)

    def with_link(self, change: str) -> SetBeside:
        """The same, once the result of the link is known."""
        assert self.link is not None
        return replace(self, link=self.link._replace(change=change))

    def with_whole(self, whole: Whole) -> SetBeside:
        """The same, where the row's collection is set as a whole."""
        assert self.link is not None
        return replace(self, link=self.link._replace(was_set=whole))

    def to_json(self) -> str:
        """As the ledger's column holds it."""
        link = self.link
        return json.dumps(
            {
                "code": self.code,
                "values": [tuple(value) for value in self.values],
                "link": None if link is None else [[*link.target], *link[1:]],
                "sent": self.sent,
                "file": self.file,
                "restores": self.restores,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> SetBeside:
        """The reverse of `to_json`."""
        read = json.loads(text)
        link = read["link"]
        if link is not None:
            (kind, code, parent), *rest = link
            # A ledger of an older version does not have them.
            wholes = [None if lists is None else Whole(*lists) for lists in rest[5:]]
            link = SetLink(Target(TargetType(kind), code, parent), *rest[:5], *wholes)
        return cls(
            read["code"],
            [SetValue(*each) for each in read["values"]],
            link,
            read["sent"],
            read["file"],
            read["restores"],
        )

    def as_report(self, *, done: bool) -> dict[str, Any]:
        """The fields `values` and `link` of a report's item; not `done`: nothing came of them, or not yet."""
        link = self.link
        return {
            "values": [
                {**value._asdict(), "change": value.change if done else None} for value in self.values
            ],
            "link": None
            if link is None
            else {
                "target": link.target.as_report(),
                "attribute": link.attribute,
                "locale": link.locale,
                "scope": link.scope,
                "change": link.change if done else None,
                "replaced": None if link.was_set is None else list(link.was_set.before),
            },
        }


def kept(data: Any, held: Any) -> bool:
    """Does the PIM hold what was sent? It may write it in another way: `7.0` for `7`, a day with its time."""
    if isinstance(data, list) and isinstance(held, list):
        return sorted(map(str, data)) == sorted(map(str, held))
    if isinstance(data, str) and isinstance(held, str) and data != held:
        from decimal import Decimal, InvalidOperation

        try:
            return Decimal(data) == Decimal(held)
        except InvalidOperation:
            return held.partition("T")[0] == data
    return alike(data, held)


def alike(one: Any, other: Any) -> bool:
    """Are two values the same to the PIM? Numbers are text there, and an empty list is not a value."""
    if one in (None, []) or other in (None, []):
        return one in (None, []) and other in (None, [])
    return bool(type(one) is type(other) and one == other)
