"""Rows without anything unusual, looked at column by column."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from itertools import compress

from ..errors import Failure
from ..frozen import frozen
from ..ledger import PlannedBatch, PlannedRow, RowResult, Run, value_keys
from ..pim.http.source import stamp_of
from ..rows import Row, RowBatch, Status
from ..storage import LARGEST_FILE, FileRoots, LocalFile, check_name, find_file, printable

_MOST_REMEMBERED = 1 << 14


class BatchLooker:
    """Looks at the files of batches. What was learned of a file is not asked again: for one run."""

    def __init__(self, roots: FileRoots, here: str) -> None:
        """`here` is the current folder."""
        self.roots = roots
        self._here = here
        self._manifest = ""
        self._good: dict[str, LocalFile] = {}
        self._folders: dict[str, str | None] = {}

    def good(self, manifest: str) -> dict[str, LocalFile]:
        """Files that may be sent, with their whole paths, by how a manifest names them; for one at a time."""
        if manifest != self._manifest:
            self._manifest, self._good, self._folders = manifest, {}, {}
        return self._good

    def find(self, batch: RowBatch, n: int) -> LocalFile | Failure:
        """The file that the n-th row names, once `good` was asked about the manifest; not its content."""
        before, slash, name = batch.files[n].rpartition("/")
        before += slash
        folder = self._folders[before] if before in self._folders else self._folder(batch, n, before)
        if folder is not None and name.isascii() and name.isprintable() and "\\" not in name:
            path = folder + name
            try:
                status = os.lstat(path)
            except OSError:
                return self._find(batch.row(n))
            if (
                stat.S_ISREG(status.st_mode)
                and 0 < status.st_size <= LARGEST_FILE
                and check_name(name, name) is None
            ):
                return LocalFile(path, name, status.st_size, status.st_mtime_ns, stamp_of(status))
        return self._find(batch.row(n))

    def _folder(self, batch: RowBatch, n: int, before: str) -> str | None:
        """Where a row's file lies, if it can be in one folder only, which is in a root."""
        if len(self._folders) >= _MOST_REMEMBERED:
            self._folders.clear()
        found = self.roots.only_folder(batch.row(n), before)
        folder = None if found is None else os.path.join(self._here, found)  # noqa: PTH118
        self._folders[before] = folder
        return folder

    def _find(self, row: Row) -> LocalFile | Failure:
        found = find_file(row, self.roots)
        if isinstance(found, Failure):
            return found
        return found._replace(path=os.path.join(self._here, found.path))  # noqa: PTH118 - text

    def judge(self, manifest: str, file: str, local: LocalFile) -> Failure | None:
        """Look at a file's content: what is wrong with it."""
        wrong = self.roots.look(local, printable(file))
        if wrong is None:
            good = self.good(manifest)
            if len(good) >= _MOST_REMEMBERED:
                good.clear()
            good[file] = local
        return wrong

    def judge_open(self, run: Run, first: int, last: int) -> None:
        """As `judge`, for rows that are to be sent, from one seq of the run to another."""
        results = []
        for planned in run.unjudged(first, last):
            local = LocalFile(
                planned.path or "", planned.name, planned.size or 0, planned.mtime_ns or 0, planned.stamp
            )
            wrong = self.judge(planned.row.manifest, planned.row.file, local)
            if wrong is not None:
                results.append(RowResult(planned.seq, Status.INVALID, wrong))
        if results:
            run.record(results)


@frozen
class FoundBatch:
    """A batch of rows, the first of which is the run's `seq`-th; their files are still to be looked at."""

    seq: int
    batch: RowBatch
    looker: BatchLooker

    def planned(self, *, judged: bool) -> Iterator[PlannedRow | PlannedBatch]:
        """The rows to plan, and those that cannot be sent with their problem.

        `judged`: the content of their files is looked at, too.
        """
        batch, looker = self.batch, self.looker
        known = list(map(looker.good(batch.manifest).get, batch.files))
        places: Sequence[int] = range(len(batch))
        if None in known:
            wrong: dict[int, Failure] = {}
            for n in places:
                if known[n] is None:
                    found = looker.find(batch, n)
                    if not isinstance(found, Failure):
                        known[n] = found
                        failure = looker.judge(batch.manifest, batch.files[n], found) if judged else None
                    else:
                        failure = found
                    if failure is not None:
                        wrong[n] = failure
            for n, failure in wrong.items():
                row = batch.row(n)
                row.problem = failure
                yield PlannedRow(self.seq + n, row, row.file)
            if wrong:
                places = [n for n in places if n not in wrong]
        if places:
            yield self._planned(places, known)

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
