"""A call to the API: signed, renewed once on 401, its refusals raised as errors."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from ...errors import AccessError, Failure, Kind
from ...rows import folded
from ..answers import parse, refusals
from ..answers.line_matching import match_answers
from ..answers.types import LineResult
from ..answers.value_errors import NOTHING, RequestContext
from ..auth import TokenAuth
from ..errors import CallError, Refusal, Trouble
from ..http.multipart import FileBody
from ..http.transport import Answer, Transport
from .history import CallHistory

API = "/api/rest/v1"
BATCH = 100
"""Lines of one PATCH, items of one page, values of one IN."""
LONGEST_PATH = 7_000
"""Bytes of path and query that every server accepts: many stop at 8,000."""
COLLECTION = "application/vnd.akeneo.collection+json"
JSON = "application/json"

_PLAIN = re.compile(r"[\w~-][\w.~ -]*")
"""Codes that every server passes on in a path as they are, once encoded."""

_QUERY = "!#$%&'()*+,/:;=?@[]~"
"""What may stand in a query as it is, what is encoded already included."""

T = TypeVar("T")


def segment(code: str) -> str:
    """A code as one segment of a path, all but letters, digits and `_-~` encoded; `.` alone would be lost."""
    return "%2E" * len(code) if code in (".", "..") else quote(code, safe="", errors="surrogatepass")


def media_path(code: str) -> str:
    """A media code in a path: its slashes stay, as Apache refuses `%2F`
    (docs/pim-behaviour.md, "Answers to an upload")."""
    return "/".join(map(segment, code.split("/")))


def pam_path(asset: str, scope: str | None, locale: str | None) -> str:
    """Where the old PAM keeps a file of an asset: the reference file, or a channel's variation
    (docs/pim-behaviour.md, "The old PAM")."""
    kind = "reference-files" if scope is None else f"variation-files/{segment(scope)}"
    return f"/assets/{segment(asset)}/{kind}/{'no-locale' if locale is None else segment(locale)}"


def query(**parameters: str | int) -> str:
    """`?a=b&c=d`, encoded."""
    return "?" + urlencode(parameters, errors="surrogatepass")


def criteria(**fields: tuple[str, Any]) -> str:
    """A `search` parameter: `criteria(code=("IN", [...]))`."""
    search = {name: [{"operator": operator, "value": value}] for name, (operator, value) in fields.items()}
    return json.dumps(search, ensure_ascii=False, separators=(",", ":"))


def batches(codes: Sequence[str], path_of: Callable[[list[str]], str]) -> Iterator[str]:
    """The paths to ask for all `codes` with: at most 100 a path, and none longer than servers take."""
    rest = [list(codes[start : start + BATCH]) for start in range(0, len(codes), BATCH)][::-1]
    while rest:
        batch = rest.pop()
        path = path_of(batch)
        if len(path) <= LONGEST_PATH or len(batch) == 1:
            yield path
            continue
        half = len(batch) // 2
        rest += [batch[half:], batch[:half]]


@contextmanager
def resuming(answers: MutableMapping[str, Answer]) -> Iterator[None]:
    """Within this block, in this thread, a GET whose path is in `answers` is not made again.

    For a look-up of several calls that met Trouble: pass the same `answers`, empty at first, to the next
    try, and only what is missing is asked. Without it a look-up of five calls never ends on a PIM that
    allows four a second.
    """
    before, _resumed.answers = _resumed.answers, answers
    try:
        yield
    finally:
        _resumed.answers = before


class Calls:
    """The base of all endpoint classes."""

    def __init__(
        self,
        transport: Transport,
        auth: TokenAuth,
        history: CallHistory,
        wall: Callable[[], float],
    ) -> None:
        self.transport = transport
        self.auth = auth
        self.history = history
        self._wall = wall

    def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | FileBody | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        signed: bool = True,
        largest: int | None = None,
    ) -> Answer:
        """One call below `/api/rest/v1`, replayed after a 401 with a new token and a new body.

        The answer is of any status but those that Trouble and AccessError stand for; `largest` as in
        `Transport.exchange`. Raises Trouble, SourceTrouble, AccessError (token refused), UsageError
        (certificate, proxy, address).
        """
        attempt = 1
        session = self.auth.session() if signed else None
        while True:
            if session:
                headers = {**(headers or {}), "Authorization": f"Bearer {session.current().access}"}
            answer = self.transport.exchange(
                method,
                API + path,
                headers=headers,
                body=body,
                attempt=attempt,
                stream=stream,
                largest=largest,
            )
            if session is None or not session.refused(answer):
                break
            attempt = answer.attempt + 1
        found = refusals.read(answer, self.transport.redact) if answer.status >= 300 else None
        if found is not None:
            if found.json:
                self.history.worked(method, path)
            refusals.raise_trouble(
                answer,
                found,
                writes=_may_be_done(answer),
                busy=self.history.recently,
                wall=self._wall,
            )
        return answer

    def get(self, path: str, reader: Callable[[Any], T]) -> T:
        """The answer of a GET, read. Raises Refusal for any status but 200, and as `call` does."""
        answer = self._got(path)
        if answer.status != 200:
            raise self.refused(answer)
        return self.decoded(answer, reader)

    def get_or_none(self, path: str, reader: Callable[[Any], T]) -> T | None:
        """As `get`, but None where the PIM itself says 404; a web server's own 404 is an error."""
        answer = self._got(path)
        if answer.status == 404 and refusals.read(answer, self.transport.redact).json:
            return None
        if answer.status != 200:
            raise self.refused(answer)
        return self.decoded(answer, reader)

    def one(
        self,
        path: str,
        code: str,
        reader: Callable[[Any], T],
        search: Callable[[Sequence[str]], list[T]],
        code_of: Callable[[T], str | None],
    ) -> T | None:
        """An entity by its code; None where there is none. `path` has the code as its last segment.

        Servers in front of the PIM decode, collapse or refuse some characters of a path, so a code that has
        them is looked up with `search` too, unless the path led to it. `code_of` gives an entity's own code.
        """
        plain = _PLAIN.fullmatch(code) is not None
        if code not in (".", ".."):
            try:
                found = self.get_or_none(path, reader)
            except (Refusal, Trouble) as problem:
                if plain or problem.failure.http_status not in (400, 404, 405):
                    raise
                found = None
            if plain or (found is not None and folded(code_of(found) or code) == folded(code)):
                return found
        return next(iter(search([code])), None)

    def _got(self, path: str) -> Answer:
        resumed = _resumed.answers
        if resumed is None:
            return self.call("GET", path)
        if path not in resumed:
            answer = self.call("GET", path)
            if answer.cut or answer.status != 200:
                return answer
            resumed[path] = answer
        return resumed[path]

    def pages(self, path: str, reader: Callable[[Any], T]) -> Iterator[list[T]]:
        """A list's pages, as long as there is a next one. `path` with its query. Raises as `get` does."""
        asked = set()
        while path and path not in asked:
            asked.add(path)
            items, path = self.page(path, reader)
            if items:
                yield items

    def page(self, path: str, reader: Callable[[Any], T]) -> tuple[list[T], str]:
        """One page of a list, and the path of the next; empty where there is none. Raises as `get` does."""

        def read(data: Any) -> tuple[list[T], str]:
            source = parse.mapping(data)
            embedded = parse.mapping(source.get("_embedded"), "_embedded")
            items = [reader(item) for item in parse.items(embedded.get("items"), "items")]
            links = parse.mapping(source.get("_links") or {}, "_links")
            following = parse.mapping(links.get("next") or {}, "next")
            return items, parse.optional(following, "href") or ""

        items, href = self.get(path, read)
        # Of the link only the query: its host can be wrong behind a proxy.
        following = urlsplit(href).query
        if not following or not items:
            return items, ""
        # It may hold what no request line can: PIMs encode it, but not all that is in front of one does.
        following = f"{path.partition('?')[0]}?{quote(following, safe=_QUERY, errors='surrogatepass')}"
        # A link to the page itself would never come to an end.
        return items, following if following != path else ""

    def decoded(self, answer: Answer, reader: Callable[[Any], T]) -> T:
        """The answer's JSON through `reader`.

        Raises Trouble if the answer broke off or is not the PIM's own where the PIM answered before, else
        Refusal.
        """
        if answer.cut:
            raise self._broken_off(answer)
        try:
            read = reader(parse.document(answer.body, self.transport.redact))
        except parse.Garbled as error:
            if _resumed.answers is not None:
                _resumed.answers.pop(answer.path.removeprefix(API), None)
            problem: CallError
            if error.broken_off:
                problem = self._broken_off(answer)
            elif self.history.any_worked:
                problem = self._outage(answer)
            else:
                problem = Refusal(
                    Failure(
                        Kind.REFUSED,
                        self.transport.redact(
                            f"the answer is not a PIM's, or not of a known version: {error}"
                        ),
                        "Check AKENEO_URL, and whether a proxy or a login page is in front of the PIM.",
                        answer.status,
                    )
                )
            raise problem from None
        self.history.worked(answer.method, answer.path.removeprefix(API))
        return read

    def refused(
        self, answer: Answer, sent: RequestContext = NOTHING, *, free: bool = False
    ) -> Refusal | AccessError | Trouble:
        """The error for an answer. `free`: the endpoint needs no right but that to use the API at all.

        So its 403, if it names nothing of what was sent, is about the user (docs/pim-behaviour.md, "Rights").
        """
        clean = self.transport.redact
        found = refusals.read(answer, clean)
        if not found.json and self._is_outage(answer):
            return self._outage(answer)
        if answer.status == 401 and refusals.wants_basic(answer):
            return refusals.basic_gate(self.transport.url)
        if answer.status == 403 and free and refusals.mentions_nothing(answer, sent, clean):
            return AccessError(
                f"this user may not use the PIM's API: {found.message}",
                "Give the connection's role the right `Overall Web API access` in the PIM.",
                Kind.API_FORBIDDEN,
            )
        return refusals.refusal(answer, sent, clean)

    def _is_outage(self, answer: Answer) -> bool:
        """Can this answer, which is not the PIM's, not be about what was asked?"""
        if 200 <= answer.status < 400:
            return self.history.any_worked
        return answer.status in (404, 405) and self.history.exists(
            answer.method, answer.path.removeprefix(API)
        )

    def _outage(self, answer: Answer) -> Trouble:
        found = refusals.read(answer, self.transport.redact)
        return refusals.outage(answer, found, writes=_may_be_done(answer))

    def _broken_off(self, answer: Answer) -> Trouble:
        return Trouble(
            Failure(
                Kind.CONNECTION, "the PIM's answer broke off", "Run the same command again.", answer.status
            ),
            maybe_done=_may_be_done(answer),
        )

    def patch_lines(self, path: str, lines: Sequence[Mapping[str, Any]], key: str) -> list[LineResult]:
        """Products' way: a JSON object a line. One result for each line, answered or not.

        Raises Refusal where the batch was refused as a whole, ValueError for more than 100 lines.
        """
        body = "\n".join(_dumps(line) for line in _checked(lines)).encode("utf-8", "surrogatepass")
        answer = self.call("PATCH", path, body=body, headers={"Content-Type": COLLECTION})
        if answer.status != 200:
            raise self.refused(answer)
        said = [_read_or_none(text) for text in answer.body.split(b"\n") if text.strip()]
        return self._results(lines, said, key, entity=False)

    def patch_array(self, path: str, lines: Sequence[Mapping[str, Any]]) -> list[LineResult]:
        """Assets' and records' way: one JSON array there and back, told by code. Else as `patch_lines`."""
        body = _dumps(list(_checked(lines))).encode("utf-8", "surrogatepass")
        answer = self.call("PATCH", path, body=body, headers={"Content-Type": JSON})
        if answer.status != 200:
            raise self.refused(answer)
        said: list[Any] = []
        if not answer.cut:
            said = self.decoded(answer, lambda data: parse.items(data, "answer"))
        return self._results(lines, said, "code", entity=True)

    def _results(
        self, lines: Sequence[Mapping[str, Any]], said: list[Any], key: str, *, entity: bool
    ) -> list[LineResult]:
        results = []
        own = match_answers(lines, said, key, numbered=not entity)
        for number, (line, found) in enumerate(zip(lines, own, strict=True), 1):
            code = str(line.get(key, ""))
            status = found["status_code"] if found else None
            failure = None
            if found is not None and not 200 <= found["status_code"] < 300:
                failure = refusals.of_line(found, _sent(line, code, entity), self.transport.redact)
            results.append(LineResult(number, code, status, failure))
        return results


class _Resumed(threading.local):
    """The answers that this thread's look-up has already; None: it is not one that can be resumed."""

    answers: MutableMapping[str, Answer] | None = None


_resumed = _Resumed()


def _may_be_done(answer: Answer) -> bool:
    """Could the PIM have done what it was asked, in spite of this answer?"""
    return answer.method != "GET" and answer.whole


def _checked(lines: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if len(lines) > BATCH:
        raise ValueError(f"the PIM takes {BATCH} lines at most, not {len(lines)}")
    return lines


def _read_or_none(text: bytes) -> Any:
    """A line of an answer; None where it broke off: the line that it was for stays unanswered."""
    try:
        return parse.document(text)
    except parse.Garbled:
        return None


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _sent(line: Mapping[str, Any], code: str, entity: bool) -> RequestContext:
    values = line.get("values") or {}
    first: Mapping[str, Any] = next((entry for entries in values.values() for entry in entries), {})
    return RequestContext(
        code=code,
        attributes=tuple(values),
        locale=first.get("locale"),
        scope=first.get("channel" if entity else "scope"),
        filename=str(first.get("data") or "").rpartition("/")[2],
        entity=entity,
    )
