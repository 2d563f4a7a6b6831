"""Which part of several a row falls in, so that no two machines are in each other's way.

All rows of one product fall in one part, as two requests for one product at once lose a value; so do the rows
of different files with one name, as their bytes may be swapped (docs/pim-behaviour.md, "Lost values" and
"Swapped bytes"). Every machine reads the whole manifest and comes to the same division by itself.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from hashlib import blake2b
from itertools import islice

from ..errors import Failure, UsageError
from ..link import is_link
from ..manifest.beside import names_no_file, written_to
from ..rows import Row, Target, TargetType, folded
from ..storage import Renaming, name_of
from ..wording import one_line

_PRODUCTS = (TargetType.PRODUCT, TargetType.PRODUCT_UUID)
SMALL = 100
"""Groups of up to so many rows are kept together, however small the parts are."""
_CHUNK = 5000


def in_shard(target: Target | None, part: int, parts: int) -> bool:
    """Does a row fall in the part-th of so many parts, by its target alone?

    A row without a target is in the first part, so that one report has it.
    """
    if parts == 1:
        return True
    if target is None:
        return part == 1
    return _number(target) % parts == part - 1


def rows_of_part(rows: Iterable[Row], part: int, parts: int, groups: Groups | None = None) -> Iterator[Row]:
    """The rows of the part-th of several parts; the others are read, too.

    Raises UsageError where some rows name products by identifier and others by UUID: only the PIM knows
    which of them are one product, whose rows would then fall in two parts and be sent at once.
    """
    first: dict[TargetType, Row] = {}
    for row in rows:
        written = written_to(row)
        if written is not None and written.type in _PRODUCTS and row.problem is None:
            first.setdefault(written.type, row)
            if len(first) > 1:
                raise _mixed(*(first[way] for way in _PRODUCTS))
        if groups is not None and written is not None:
            if groups.number(written) % parts == part - 1:
                yield row
        elif in_shard(written, part, parts):
            yield row


class Groups:
    """Products, models, assets and so on whose rows must fall in one part, because of their files' names."""

    def __init__(self) -> None:
        self._of: dict[int, int] = {}

    @staticmethod
    def found(rows: Iterable[Row], parts: int, rename: Renaming | None) -> Groups:
        """The groups of all rows. Raises UsageError where one is larger than a part."""
        groups = Groups()
        # In a file that goes with the connection: a manifest may have a million rows.
        with closing(sqlite3.connect("")) as connection:
            connection.execute("CREATE TABLE named (name TEXT, file INTEGER, entity INTEGER)")
            records = (record for row in rows if (record := _record(row, rename)) is not None)
            total = 0
            while chunk := list(islice(records, _CHUNK)):
                connection.executemany("INSERT INTO named VALUES (?, ?, ?)", chunk)
                total += len(chunk)
            connection.execute("CREATE INDEX by_name ON named (name, file, entity)")
            groups._join(connection, max(SMALL, -(-total // parts)), parts)
        return groups

    def number(self, target: Target) -> int:
        """The same for all of one group, and for each entity that is in none its own."""
        number = _number(target)
        return self._root(number) if number in self._of else number

    def _root(self, number: int) -> int:
        while (above := self._of.get(number, number)) != number:
            self._of[number] = self._of.get(above, above)
            number = above
        return number

    def _join(self, connection: sqlite3.Connection, most: int, parts: int) -> None:
        """Join what shares a name, where its files are not one and the same."""
        shared = """SELECT name, COUNT(*) FROM named GROUP BY name
            HAVING COUNT(DISTINCT file) > 1 AND COUNT(DISTINCT entity) > 1 ORDER BY 2 DESC, 1"""
        names = connection.execute(shared)
        for name, count in names:
            if count > most:
                raise _too_many(name, count, parts)
            first: int | None = None
            for (entity,) in connection.execute("SELECT DISTINCT entity FROM named WHERE name = ?", (name,)):
                first = entity if first is None else self._unite(first, entity)
        self._check(connection, most, parts)

    def _unite(self, one: int, other: int) -> int:
        low, high = sorted((self._root(one), self._root(other)))
        self._of[high], self._of[low] = low, low
        return low

    def _check(self, connection: sqlite3.Connection, most: int, parts: int) -> None:
        if not self._of:
            return
        sizes: dict[int, int] = {}
        for entity, name, count in connection.execute(
            "SELECT entity, MIN(name), COUNT(*) FROM named GROUP BY entity"
        ):
            if entity in self._of:
                root = self._root(entity)
                sizes[root] = sizes.get(root, 0) + count
                if sizes[root] > most:
                    raise _too_many(name, sizes[root], parts)


def _record(row: Row, rename: Renaming | None) -> tuple[str, int, int] | None:
    """The name of a row's file without its extension, which a conversion may change, the file, the entity."""
    written = written_to(row)
    if written is None or row.problem is not None or not row.file or names_no_file(row):
        return None
    # Of a link the last part; only its host knows whether it has another name.
    own = row.file.partition("?")[0] if is_link(row.file) and row.archive is None else row.file
    name = name_of(row, os.path.basename(own), rename)  # noqa: PTH119 - text, not a path
    if isinstance(name, Failure):
        return None
    stem = os.path.splitext(name)[0]  # noqa: PTH122 - text, not a path
    file = f"{row.manifest}\x1f{row.root}\x1f{row.archive}\x1f{row.file}"
    return stem.encode("utf-8", "backslashreplace").decode(), _digest(file), _number(written)


def _number(target: Target) -> int:
    return _digest(f"{target.type.value}\x1f{folded(target.parent)}\x1f{folded(target.code)}")


def _digest(text: str) -> int:
    """63 bits: SQLite has no unsigned numbers of 64."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1


def _too_many(name: str, count: int, parts: int) -> UsageError:
    return UsageError(
        f"{count:,} rows belong together, as their files have the same name, such as {one_line(name, 100)}: "
        f"--shard cannot divide them into {parts} parts",
        "Two uploads of one file name at the same moment can swap their bytes, and no machine sees what the "
        "others do. Give the files names of their own with --rename '{product}-{filename}', or leave "
        "--shard out.",
    )


def _mixed(named: Row, by_uuid: Row) -> UsageError:
    return UsageError(
        f"{named.manifest}:{named.line} names a product by its identifier, {by_uuid.manifest}:{by_uuid.line} "
        "one by its UUID: --shard cannot keep all rows of a product in one part",
        "Name all products in one way, or put those by UUID into a manifest of their own and upload it after "
        "the other; or leave --shard out.",
    )
