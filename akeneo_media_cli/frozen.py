"""`@frozen`: dataclasses that nobody changes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """As `dataclass(frozen=True)`, made in a quarter of the time; only mypy sees what is assigned to a field.

    `dataclass` compiles six methods for each class: for all our classes a third of the time that it takes to
    upload one file. Here it compiles `__init__`; the others are the same functions for all classes.
    """
    made: Any = dataclass(eq=False, repr=False)(cls)
    made.__eq__ = _equal
    made.__hash__ = _hash
    made.__repr__ = _repr
    return cls


def _key(it: Any) -> tuple[Any, ...]:
    return tuple(getattr(it, each.name) for each in fields(it) if each.compare)


def _equal(self: Any, other: object) -> Any:
    return _key(self) == _key(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_key(self))


def _repr(self: Any) -> str:
    told = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(told)})"
