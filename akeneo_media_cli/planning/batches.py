"""Rows without anything unusual, looked at column by column."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

from ..errors import Failure
from ..ledger import PlannedBatch, PlannedRow, value_keys
from ..rows import Row, RowBatch
from ..storage import FileRoots, LocalFile, find_file, printable

Held = Callable[[PlannedBatch], Collection[int]]
"""The places of rows, from 0, whose value the ledger knows to hold this very file: `Run.untouched`."""

_MOST_REMEMBERED = 1 << 14


class BatchLooker:
    """Looks at the files of batches. What was learned of a file is not asked again: for one run."""

    def __init__(self, roots: FileRoots, here: str) -> None:
        """`here` is the current folder."""
        self.roots = roots
        self._here = here
        self.good: dict[tuple[str, str], LocalFile] = {}
        """Files that may be sent, with their whole paths, by manifest and text."""

    def find(self, row: Row) -> LocalFile | Failure:
        """The file that a row names. Its content is not looked at."""
        found = find_file(row, self.roots)
        if isinstance(found, Failure):
            return found
        return found._replace(path=os.path.join(self._here, found.path))  # noqa: PTH118 - text

    def learn(self, row: Row, local: LocalFile) -> Failure | None:
        """Look at a file's content: what is wrong with it."""
        wrong = self.roots.content(local, printable(row.file))
        if wrong is None:
            if len(self.good) >= _MOST_REMEMBERED:
                self.good.clear()
            self.good[row.manifest, row.file] = local
        return wrong


@dataclass(frozen=True)
class FoundBatch:
    """A batch of rows, the first of which is the run's `seq`-th; their files are still to be looked at."""

    seq: int
    batch: RowBatch
    looker: BatchLooker

    def judged(self, held: Held | None = None) -> Iterator[PlannedRow | PlannedBatch]:
        """The rows to plan, and those that cannot be sent with their problem.

        The content of files that are `held` is not looked at: it was before they were sent.
        """
        batch, looker = self.batch, self.looker
        known = [looker.good.get((batch.manifest, file)) for file in batch.files]
        if None not in known:
            yield self._planned(range(len(batch)), known)
            return
        wrong: dict[int, Failure] = {}
        found: dict[int, tuple[Row, LocalFile]] = {}
        for n, local in enumerate(known):
            if local is not None:
                continue
            row = batch.row(n)
            looked = looker.find(row)
            if isinstance(looked, Failure):
                wrong[n] = looked
            else:
                found[n], known[n] = (row, looked), looked
        planned = self._planned([n for n in range(len(batch)) if n not in wrong], known)
        if found:
            there = [n for n in range(len(batch)) if n not in wrong]
            sure = {there[n] for n in held(planned)} if held is not None else set()
            for n, (row, local) in found.items():
                failure = None if n in sure else looker.learn(row, local)
                if failure is not None:
                    wrong[n] = failure
        if wrong:
            for n, failure in sorted(wrong.items()):
                row = batch.row(n)
                row.problem = failure
                yield PlannedRow(self.seq + n, row, row.file)
            planned = self._planned([n for n in range(len(batch)) if n not in wrong], known)
        if planned.seqs:
            yield planned

    def _planned(self, places: Sequence[int], known: Sequence[LocalFile | None]) -> PlannedBatch:
        batch = self.batch
        if len(places) < len(batch):
            chosen = set(places)
            here = [n in chosen for n in range(len(batch))]
            batch = RowBatch(
                batch.manifest,
                batch.type,
                *(
                    None if column is None else list(compress(column, here))
                    for column in (
                        batch.lines,
                        batch.files,
                        batch.codes,
                        batch.attributes,
                        batch.locales,
                        batch.scopes,
                        batch.extras,
                    )
                ),  # type: ignore[arg-type]
            )
            known = list(compress(known, here))
        keys = value_keys(batch.type, batch.codes, batch.attributes, batch.locales, batch.scopes)
        columns = zip(*known, strict=True) if known else ((),) * 5
        return PlannedBatch([self.seq + n for n in places], batch, keys, *columns)
