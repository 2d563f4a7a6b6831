"""Which rows may be in flight together.

Two calls in flight for one product lose values although the PIM answers 201 to both
(docs/pim-behaviour.md, "Lost values"). So every row takes keys (`product:sku-1`) for as long as a call of its
may still be at work, and waits while another has one.

A file name (`name:front.jpg`) is taken in shared mode, as what met is compared where that is needed
(`overlaps.py`), and exclusively by a row that got another's bytes and is sent again, or with `--same-names
serial` by all. A tree of product models is taken in shared mode too, and exclusively by a row that met a
deadlock there and is tried again with the tree to itself (docs/pim-behaviour.md, "Lost values").
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
HEAVIEST = 16


@dataclass(slots=True)
class _Entry(Generic[T]):
    item: T
    keys: tuple[str, ...]
    shared: tuple[str, ...]
    first: bool = False


class Scheduler(Generic[T]):
    """Hands out items, the heaviest first and those of one weight in the order they came, but never two that
    share a key.

    So a large file is begun while there is other work, and does not go on alone at the end. No threads, no
    clock: the same calls give the same answers. The cost of an item does not depend on how many wait.
    """

    def __init__(self) -> None:
        self._ready: list[deque[_Entry[T]]] = [deque() for _ in range(HEAVIEST + 1)]
        self._fresh = 0
        self._due: deque[_Entry[T]] = deque()
        self._woken: deque[_Entry[T]] = deque()
        self._waiting: dict[str, deque[_Entry[T]]] = {}
        self._held: set[str] = set()
        self._shares: dict[str, int] = {}
        self._size = 0
        self._parked: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many items wait, for their turn or for a key."""
        return self._size

    @property
    def ready(self) -> int:
        """How many items wait for nothing that is known of."""
        return self._fresh + len(self._woken) + len(self._due)

    @property
    def due(self) -> int:
        """How many of those go before all others."""
        return len(self._due)

    def add(
        self,
        item: T,
        keys: tuple[str, ...],
        shared: tuple[str, ...] = (),
        weight: int = 0,
        *,
        first: bool = False,
    ) -> None:
        """Let an item wait for its turn. `keys` are taken for it alone, `shared` together with others.

        `weight` is 0 to `HEAVIEST`; what weighs more counts as that.
        `first`: before all others, for a turn and for its keys.
        """
        self._size += 1
        if first:
            self._due.append(_Entry(item, keys, shared, first=True))
            return
        self._ready[min(weight, HEAVIEST)].append(_Entry(item, keys, shared))
        self._fresh += 1

    def take(self) -> T | None:
        """The next item whose keys are free, with its keys now taken; None when there is none."""
        while (entry := self._next()) is not None:
            blocked = self._blocked(entry.keys, entry.shared)
            if blocked is None:
                self._hold(entry.keys, entry.shared)
                self._size -= 1
                return entry.item
            queue = self._waiting.setdefault(blocked, deque())
            if entry.first and blocked not in entry.keys and self._wanted_alone(blocked):
                # A row that wants the key exclusively comes first: else each would wait for the other.
                queue.insert(1, entry)
            elif entry.first:
                queue.appendleft(entry)
            else:
                queue.append(entry)
            self._parked[_sort(blocked)] += 1
            # What it does not take now may go to others; also the key that it only made way for.
            for key in (*entry.keys, *entry.shared):
                if key != blocked or key not in self._shares:
                    self._wake(key)
        return None

    def _next(self) -> _Entry[T] | None:
        """The next item to try: those that waited for a key come before all others."""
        if self._due:
            return self._due.popleft()
        if self._woken:
            return self._woken.popleft()
        if not self._fresh:
            return None
        self._fresh -= 1
        return next(queue for queue in reversed(self._ready) if queue).popleft()

    def acquire(self, keys: tuple[str, ...], shared: tuple[str, ...] = ()) -> bool:
        """Take keys out of turn, if they are all free."""
        if self._blocked(keys, shared) is not None:
            return False
        self._hold(keys, shared)
        return True

    def release(self, keys: tuple[str, ...], shared: tuple[str, ...] = ()) -> None:
        """Give keys back that `take` took."""
        self._held.difference_update(keys)
        for key in shared:
            left = self._shares[key] - 1
            if left:
                self._shares[key] = left
            else:
                del self._shares[key]
        for key in (*keys, *shared):
            self._wake(key)

    def drain(self) -> Iterator[T]:
        """Empty it: every item that still waits."""
        for queue in (self._due, self._woken, *reversed(self._ready), *self._waiting.values()):
            for entry in queue:
                yield entry.item
        self._due.clear()
        self._woken.clear()
        for queue in self._ready:
            queue.clear()
        self._fresh = 0
        self._waiting.clear()
        self._size = 0
        self._parked.clear()

    def waiting_for(self, sort: str) -> int:
        """How many items are known to wait for a key of this sort: the part before the colon."""
        return self._parked[sort]

    def longest_queue(self) -> tuple[str, int]:
        """The key that most items wait for, and how many do; for telling people, not for deciding."""
        if not self._waiting:
            return "", 0
        key = max(self._waiting, key=lambda k: len(self._waiting[k]))
        return key, len(self._waiting[key])

    def _hold(self, keys: tuple[str, ...], shared: tuple[str, ...]) -> None:
        self._held.update(keys)
        for key in shared:
            self._shares[key] = self._shares.get(key, 0) + 1

    def _blocked(self, keys: tuple[str, ...], shared: tuple[str, ...]) -> str | None:
        for key in keys:
            if key in self._held or key in self._shares:
                return key
        for key in shared:
            if key in self._held or self._wanted_alone(key):
                return key
        return None

    def _wanted_alone(self, key: str) -> bool:
        """Does a row wait for the key exclusively? Then no more may share it, or it would wait forever."""
        queue = self._waiting.get(key)
        return bool(queue) and key in queue[0].keys if queue else False

    def _wake(self, key: str) -> None:
        """Let the first that waits for a free key try again, and those after it that only share it."""
        queue = self._waiting.get(key)
        if not queue or key in self._held:
            return
        if key in queue[0].keys:
            if key in self._shares:
                return
            awake = 1
        else:
            awake = next((n for n, e in enumerate(queue) if key not in e.shared), len(queue))
        for _ in range(awake):
            entry = queue.popleft()
            (self._due if entry.first else self._woken).append(entry)
        self._parked[_sort(key)] -= awake
        if not queue:
            del self._waiting[key]


def _sort(key: str) -> str:
    return key.partition(":")[0]
