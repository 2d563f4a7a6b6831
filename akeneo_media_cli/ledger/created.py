"""Assets and records that this machine created, so that none is taken for new because a search lags."""

from __future__ import annotations

from collections.abc import Iterable

from ..rows import Target
from .model import value_identity
from .store import Store, execute_many


def identity(target: Target) -> bytes:
    """Equal for two assets or records exactly if they are one to the PIM."""
    return value_identity(target.type.value, target.parent, target.code, "", None, None)


def add(store: Store, targets: Iterable[Target]) -> None:
    """See `Run.creates`."""
    with store.write() as connection:
        execute_many(
            connection, "INSERT OR IGNORE INTO created VALUES (?)", [(identity(t),) for t in targets]
        )


def among(store: Store, targets: Iterable[Target]) -> list[Target]:
    """See `Run.may_have_created`."""
    by_identity = {identity(target): target for target in targets}
    marks = ", ".join("?" * len(by_identity))
    found = store.read(f"SELECT identity FROM created WHERE identity IN ({marks})", list(by_identity))  # noqa: S608 - question marks only
    return [by_identity[bytes(known)] for (known,) in found]
