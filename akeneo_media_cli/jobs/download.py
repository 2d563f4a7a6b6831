"""`download`: the reverse of `upload`. What the PIM holds for each row is saved to the row's file.

And `media download`, where media files are named by their codes and keep the PIM's names.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ..errors import Failure, Kind
from ..exits import Exit
from ..ledger import UNKNOWN, PlannedRow, RowResult, Run
from ..link import is_link
from ..manifest.beside import names_no_file
from ..pim.answers.types import MediaFile
from ..pim.connection import Connection
from ..pim.errors import Refusal
from ..pim.http.throttle import Throttle
from ..planning.feed import Feed
from ..planning.manifests import rows_of
from ..planning.options import ManifestOptions
from ..planning.plan import Note, Rows, judged, plan
from ..planning.readback import unreadable
from ..planning.shards import in_shard
from ..preflight.catalogue import Catalogue
from ..preflight.preflight import Preflight
from ..progress.base import Progress
from ..rows import Row, Status, TargetType, clean_name, php_basename
from ..storage import FileRoots
from ..storage.saving import place_of, safe_name, told_apart
from ..storage.sources import Sources
from ..targets.resolved import ResolvedTarget
from ..transfer.coordinator import Coordinator, Policy
from ..transfer.downloads import Fetcher, Parcel, ReceivedFigures, Surroundings, unknown_media
from ..transfer.environment import Environment
from ..transfer.task import Outcome, Prepared, UploadTask
from .job import Job, rows_status
from .options import DownloadOptions

_CODE = re.compile(r"([0-9a-f]{40})_(.+)")


def placed_rows(options: ManifestOptions, stdin: BinaryIO, note: Note) -> Iterator[PlannedRow]:
    """Every row of the manifests with the path of its file, which need not exist.

    Raises ManifestError and UsageError.
    """
    roots = FileRoots([str(root) for root in options.roots], allow_outside=options.allow_outside_root)
    rows = rows_of(options, stdin, note)
    seq = 0
    for row in rows:
        if not in_shard(row.target, *options.shard):
            continue
        seq += 1
        name = php_basename(clean_name(row.filename or row.file))
        if row.problem is None and names_no_file(row):
            yield PlannedRow(seq, replace(row, attribute=""), "")
            continue
        place = None if row.problem else (_no_place(row) or place_of(row, roots))
        if isinstance(place, Failure):
            yield PlannedRow(seq, replace(row, problem=place), name)
        else:
            yield PlannedRow(seq, row, name, place)


def _no_place(row: Row) -> Failure | None:
    if not is_link(row.file):
        return None
    return Failure(
        Kind.ROW_MALFORMED,
        f"{row.file} is a link: files cannot be saved there",
        "Give `file` a path; --set 'file={product}-{attribute}.jpg' fills an empty column.",
    )


def code_rows(codes: Iterable[str]) -> Iterator[PlannedRow]:
    """A row for each media code, each code once."""
    for seq, code in enumerate(dict.fromkeys(codes), 1):
        yield PlannedRow(seq, Row("-", seq, code, None, ""), code)


class Download(Job):
    """One run of `download`, or with `options.to` of `media download`, on a ledger's run."""

    FIGURES = ReceivedFigures

    def __init__(
        self,
        options: DownloadOptions,
        rows: Rows,
        connection: Connection,
        progress: Progress,
        environment: Environment,
        on_call: Callable[..., None] | None = None,
    ) -> None:
        super().__init__(options, rows, connection, progress, environment, on_call)
        self._options = options
        self._received = self.figures = ReceivedFigures()

    def steps(self, run: Run) -> Exit:
        if self._options.to is None:
            plan(run, self._rows(self.note), note=self.note)
        else:
            run.add(judged(self._rows(self.note)))
        if self.begin(run, Status.INVALID):
            self._fetch_all(run, self._options)
        return rows_status(run)

    def _fetch_all(self, run: Run, options: DownloadOptions) -> None:
        with self.talking() as client:
            surroundings = Surroundings(
                client,
                run,
                self.progress,
                self.environment.clock,
                Throttle(options.bwlimit).take if options.bwlimit else None,
                self._received,
            )
            fetcher: Fetcher
            if options.to is None:
                preflight = Preflight(
                    client, Catalogue(client, self.note), self.note, files=False, beside=False
                )
                fetcher = RowFetcher(surroundings, preflight, overwrite=options.overwrite)
            else:
                codes = (planned.name for planned in run.rows())
                fetcher = CodeFetcher(surroundings, options.to, sharing_names(codes), options.overwrite)
            policy = Policy(options.concurrency, options.retries, options.max_failures)
            coordinator = Coordinator(policy, Feed(run.open_rows), self.environment.random)
            try:
                self.drive(coordinator, fetcher, options.max_duration)
            finally:
                fetcher.saver.sweep()


class RowFetcher(Fetcher):
    """Fetches what the values of a manifest's rows hold into the rows' files."""

    def __init__(self, surroundings: Surroundings, preflight: Preflight, *, overwrite: bool) -> None:
        super().__init__(surroundings, overwrite=overwrite)
        self._preflight = preflight

    def prepare(self, batch: Sequence[PlannedRow]) -> Outcome:
        """Ask what the values hold, a hundred entities a call."""
        wrong = Status.INVALID
        resolved_targets: Sequence[ResolvedTarget | Failure]
        try:
            resolved_targets = self._preflight.look(batch)
        except Refusal as refusal:
            resolved_targets, wrong = [refusal.failure] * len(batch), Status.FAILED
        tasks: list[UploadTask] = []
        results: list[tuple[PlannedRow, RowResult]] = []
        for planned, resolved in zip(batch, resolved_targets, strict=True):
            if isinstance(resolved, Failure):
                results.append((planned, RowResult(planned.seq, wrong, resolved)))
                continue
            if planned.row.has_no_media:
                note = "the row names no file: it gives only values or a link"
                results.append((planned, RowResult(planned.seq, Status.UNCHANGED, notes=(note,))))
                continue
            held = _held(resolved)
            if isinstance(held, Failure):
                status = Status.MISSING if held.kind is Kind.VALUE_MISSING else Status.INVALID
                results.append((planned, RowResult(planned.seq, status, held, notes=resolved.notes)))
            elif (here := self._here(planned, held)) is not None:
                results.append((planned, replace(here, notes=resolved.notes)))
            else:
                parcel = Parcel(planned, held, planned.path, resolved.target, resolved.notes)
                tasks.append(UploadTask(parcel, planned.seq, 0, (f"path:{planned.path}",)))
        self._with.run.record([result for _, result in results])
        for planned, result in results:
            self.finished(planned, result)
        return Prepared(tasks)

    def place(self, parcel: Parcel, media: MediaFile | None) -> str:
        return parcel.planned.path or ""

    def _here(self, planned: PlannedRow, held: str) -> RowResult | None:
        """The result of a row whose file is the one that the ledger knows by this code; None: fetch it."""
        known = self._with.run.remembered(planned.seq)
        if known is None or known.media_code != held:
            return None
        try:
            found = Path(planned.path or "").stat()
        except (OSError, ValueError):
            return None
        same = known.size == found.st_size and (
            known.mtime_ns == found.st_mtime_ns
            or (known.sha256 is not None and Sources().sha256(planned.path) == known.sha256)
        )
        if not same:
            return None
        return RowResult(
            planned.seq,
            Status.UNCHANGED,
            media_code=held,
            sha256=known.sha256,
            size=found.st_size,
            mtime_ns=found.st_mtime_ns,
        )


class CodeFetcher(Fetcher):
    """Fetches media files by their codes into one folder, under the names that the PIM shows.

    Codes in `apart` get a part of the code in their names, so that which file gets a plain name depends on
    the order of the codes alone, never on which came first.
    """

    def __init__(self, surroundings: Surroundings, to: Path, apart: set[str], overwrite: bool) -> None:
        super().__init__(surroundings, overwrite=overwrite)
        self._to = os.path.realpath(to)
        self._apart = apart
        self._claims: dict[str, str] = {}

    def prepare(self, batch: Sequence[PlannedRow]) -> Outcome:
        """Only what cannot be a code gets a result here."""
        tasks: list[UploadTask] = []
        for planned in batch:
            if planned.name.strip("/ "):
                tasks.append(UploadTask(Parcel(planned, planned.name), planned.seq, 0, ()))
            else:
                result = RowResult(planned.seq, Status.FAILED, unknown_media(planned.name))
                self._with.run.record([result])
                self.finished(planned, result)
        return Prepared(tasks)

    def place(self, parcel: Parcel, media: MediaFile | None) -> str:
        code = parcel.code
        plain = safe_name(media.original_filename if media else "", name_in_code(code))
        marked = told_apart(plain, mark_of(code))
        with self._lock:
            for name in (marked,) if code in self._apart else (plain, marked):
                # Without case, as some file systems compare names.
                if self._claims.setdefault(name.casefold(), code) == code:
                    break
            else:
                name = told_apart(plain, hashlib.sha256(code.encode(errors="replace")).hexdigest()[:32])
        path = os.path.join(self._to, name)  # noqa: PTH118
        parcel.notes = (f"as {path}",)
        return path


def name_in_code(code: str) -> str:
    """The name that a media code ends in: the file's own, with `_` for all but letters, digits and dots."""
    last = code.rpartition("/")[2]
    found = _CODE.fullmatch(last)
    return found.group(2) if found else last


def mark_of(code: str) -> str:
    """Eight characters that identify a media code."""
    found = _CODE.fullmatch(code.rpartition("/")[2])
    return (found.group(1) if found else hashlib.sha256(code.encode(errors="replace")).hexdigest())[:8]


def sharing_names(codes: Iterable[str]) -> set[str]:
    """The codes whose files have the same name as an earlier one, as far as codes show.

    The PIM makes the end of a code of the file's name, so equal names show there
    (docs/pim-behaviour.md, "Swapped bytes").
    """
    seen: set[str] = set()
    later: set[str] = set()
    for code in codes:
        name = name_in_code(code).casefold()
        if name in seen:
            later.add(code)
        seen.add(name)
    return later


def _held(resolved: ResolvedTarget) -> str | Failure:
    """The media code that a value holds, or why there is no file. Raises AccessError."""
    if resolved.before is UNKNOWN:
        if resolved.target.type in (TargetType.PRODUCT, TargetType.PRODUCT_MODEL, TargetType.PRODUCT_UUID):
            raise unreadable()
        return Failure(
            Kind.ROUTE_MISSING,
            f"what a {resolved.target.type.value} holds cannot be read back",
            "The PIM has no endpoint to read this kind of target.",
        )
    if resolved.before is None:
        return Failure(
            Kind.VALUE_MISSING,
            "the value is empty: the PIM holds no file there",
            "Leave the row out, or upload a file to it.",
        )
    return resolved.before
