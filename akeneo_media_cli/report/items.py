"""The shape of a report (docs/reports.md, "JSON"). Keys may be added, never renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from ..errors import Failure
from ..frozen import frozen


class ErrorItem(TypedDict):
    """`error`: why a row is not in the PIM, or a run not done; the fields of `errors.Failure`."""

    kind: str
    http_status: int | None
    message: str
    hint: str


class BeforeItem(TypedDict):
    """`before`: the file that a row's value held; `name` and `size` (bytes) where they are known."""

    media_code: str
    name: str | None
    size: int | None


class FittedSide(TypedDict):
    """A picture before or after it was converted: `bytes` of the file, `width` and `height` in pixels.

    `colour` is the colour space in words. What was sent also has its `sha256`.
    """

    format: str
    width: int
    height: int
    bytes: int
    colour: str


FittedItem = TypedDict(
    "FittedItem", {"from": FittedSide, "to": FittedSide, "quality": int | None, "steps": Sequence[str]}
)
"""`fitted`: what a picture was converted from and to, and what was done to it, in words.

`quality` is that of JPEG and WebP, None for PNG.
"""


class ValueItem(TypedDict):
    """One of `values`: a value of an asset or record beside its file, as the API has it.

    `change` is `new`, `replace`, `empty` or `none`; None if the row failed.
    """

    attribute: str
    locale: str | None
    channel: str | None
    data: Any
    before: Any
    change: str | None


class LinkItem(TypedDict):
    """`link`: the asset collection that an asset goes into. `change`: `new`, `none`, or None as of values."""

    target: Mapping[str, str]
    attribute: str
    locale: str | None
    scope: str | None
    change: str | None


class _Item(TypedDict):
    manifest: str
    line: int
    file: str
    size: int | None
    sha256: str | None
    target: Mapping[str, str] | None
    attribute: str
    locale: str | None
    scope: str | None
    status: str
    media_code: str | None
    change: str | None
    before: BeforeItem | None
    attempts: int
    duration_seconds: float | None
    error: ErrorItem | None


class Item(_Item, total=False):
    """What became of one row. `size` is bytes; the times are ISO 8601 in UTC.

    `change` is what the row did to its value, or would do in a dry run: `new` (it was empty), `replace` or
    `none`; None where the PIM was not asked what the value held. `before` is the file that it held; None
    where it held none, or where nobody asked.

    Beside the fields of a row, and left out where unknown: `extra` (the manifest's further columns),
    `row` (the row's number in the run), `name` (as the PIM shows it), `notes`, for assets and records that
    have something beside their file `values` and `link`, and for a row that took time `started_at` and
    `finished_at`: from its first try until it is finished, waits included. The HTML report's timeline is
    drawn from them. `fitted` is there where the picture was converted; `size` and
    `sha256` are of the row's own file anyway.
    """

    extra: Mapping[str, Any]
    row: int
    name: str
    notes: Sequence[str]
    values: Sequence[ValueItem]
    link: LinkItem | None
    started_at: str
    finished_at: str
    fitted: FittedItem


class Summary(TypedDict):
    """How many rows came to what, and what it took. `throttled` counts answers of 429,
    `retries` tries of a row's file after its first; other calls that were made again are not counted.

    `shared` counts rows that got the media file that another row sent. Of an upload, `read_back` counts
    values that were read back after they were sent and hold what was sent, `changed_in_pim` values that were
    set from this machine before and held something else now, `kept` those of them that were left so,
    `unasked` unchanged rows about which the PIM was not asked, `converted` pictures that were converted.
    """

    total: int
    uploaded: int
    unchanged: int
    planned: int
    invalid: int
    failed: int
    pending: int
    bytes_sent: int
    requests: int
    retries: int
    throttled: int
    shared: int
    read_back: int
    changed_in_pim: int
    kept: int
    unasked: int
    converted: int


EFFORT = (
    "total",
    "bytes_sent",
    "bytes_received",
    "requests",
    "retries",
    "throttled",
    "shared",
    "read_back",
    "changed_in_pim",
    "kept",
    "unasked",
    "converted",
)
"""Keys of a summary that count no status; `verify` has statuses of its own (`held`, `differs`, `missing`)."""

GOOD = frozenset({"uploaded", "unchanged", "planned", "held", "downloaded", "removed", "restored"})
"""Statuses that need nobody's attention."""


@frozen
class Report:
    """A run's report: its header, and its rows as a stream that can be asked for more than once.

    `items` is called once or twice a format and must yield the same rows each time, in the manifest's order;
    a million of them pass through in bounded memory. `troubled` gives those that are not good, where they can
    be had without reading all others. `locate` gives the path of a row's file where it can be
    read here, for the thumbnails of the HTML report. `recall` is what names the run to `akeneo-media runs`:
    its id, and options if it takes any; None where no ledger keeps it. `error` is what ended the run before
    its time, or why rows were left pending; None where neither is. A run without an end has no `exit_status`,
    `finished_at` and `duration_seconds`: it is still `running`, or was killed.
    """

    tool: Mapping[str, Any]
    pim: Mapping[str, Any] | None
    run: str | None
    command: str
    exit_status: int | None
    started_at: str
    finished_at: str | None
    duration_seconds: float | None
    summary: Mapping[str, Any]
    items: Callable[[], Iterator[Mapping[str, Any]]]
    troubled: Callable[[], Iterator[Mapping[str, Any]]] | None = None
    locate: Callable[[Mapping[str, Any]], str | None] | None = None
    recall: str | None = None
    error: ErrorItem | None = None
    running: bool = False
    preview: int = 0
    """How many changes the HTML report shows as pictures."""
    earlier: Callable[[Mapping[str, Any], str], bytes | None] | None = None
    """Gives the bytes of a media file that an item names by its code, where they can be had."""
    converted: Callable[[Mapping[str, Any]], tuple[bytes, bytes] | None] | None = None
    """Gives small pictures of an item's file and of what it was converted to, where they were kept."""

    def attention(self) -> Iterator[Mapping[str, Any]]:
        """The items that may need somebody's attention, in order; good ones may be among them."""
        return (self.troubled or self.items)()

    def header(self) -> dict[str, Any]:
        """All but the items, in the order of docs/reports.md."""
        return {
            "tool": self.tool,
            "pim": self.pim,
            "run": self.run,
            "command": self.command,
            "exit_status": None if self.exit_status is None else int(self.exit_status),
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "duration_seconds": None if self.duration_seconds is None else round(self.duration_seconds, 3),
            "summary": self.summary,
            "error": self.error,
        }


def error_item(failure: Failure) -> ErrorItem:
    """A failure as reports have it."""
    return {
        "kind": failure.kind.value,
        "http_status": failure.http_status,
        "message": failure.message,
        "hint": failure.hint,
    }


def statuses(summary: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The summary's counts of rows by status, in its own order, `total` left out."""
    return [(key, value) for key, value in summary.items() if key not in EFFORT and isinstance(value, int)]


def moved(summary: Mapping[str, Any]) -> tuple[str, int]:
    """Which way bytes of files went, `sent` or `received`, and how many."""
    way = "received" if summary.get("bytes_received") is not None else "sent"
    return way, int(summary.get(f"bytes_{way}") or 0)


def where(item: Mapping[str, Any]) -> str:
    """Where the row stands: `spring.csv:4`."""
    return f"{item.get('manifest') or '-'}:{item.get('line') or 0}"


def others(item: Mapping[str, Any]) -> str:
    """The other values that a row sets, and its link if that is new: `alt-en_US: 'A shoe'; linked`."""
    told = [
        f"{'-'.join(filter(None, (each['attribute'], each['locale'], each['channel'])))}: "
        + ("empty" if each["data"] is None else repr(each["data"]))
        for each in item.get("values") or ()
        if each["change"] not in (None, "none")
    ]
    link = item.get("link") or {}
    change = link.get("change")
    told += [f"collection replaced, held {', '.join(link['replaced'])}"] if link.get("replaced") else []
    told += [{"new": "linked", "removed": "taken out"}[change]] if change in ("new", "removed") else []
    return "; ".join(told)


def aim(item: Mapping[str, Any]) -> str:
    """What the row is for: `product sku-1 picture en_US ecommerce`; empty where the row names nothing.

    An asset that is linked also names where to: `asset photos front_1 media -> product sku-1 gallery`.
    """
    target = item.get("target") or {}
    parts = [*target.values(), item.get("attribute"), item.get("locale"), item.get("scope")]
    link = item.get("link")
    if link:
        parts += ["->", *link["target"].values(), link["attribute"], link["locale"], link["scope"]]
    return " ".join(str(part) for part in parts if part)
