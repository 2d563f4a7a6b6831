"""One token for all threads: asked for once, renewed once, whoever needs it first."""

from __future__ import annotations

import base64
import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..errors import AccessError, UsageError
from .answers import parse, refusals
from .connection import Connection
from .errors import Trouble
from .http.transport import Answer, Transport

TOKEN_PATH = "/api/oauth/v1/token"  # noqa: S105 - a path, no secret
BODY_LIMIT = 300
"""Bytes that the PIM takes in a token request (docs/pim-behaviour.md, "Login and tokens")."""


@dataclass(frozen=True)
class Token:
    """`born` and `lifetime` in monotonic seconds; each renewal counts `generation` up."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    born: float
    lifetime: float | None
    generation: int

    @property
    def renew_at(self) -> float:
        """Shortly before the end: 30 seconds, or a tenth of a short life."""
        if self.lifetime is None:
            return math.inf
        return self.born + self.lifetime - min(30.0, self.lifetime / 10)

    def over(self, now: float) -> bool:
        return self.lifetime is not None and now >= self.born + self.lifetime


class TokenAuth:
    """Holds the current token; asks for one, and for the next, when it must.

    An App's token is used as it stands. All methods may be called by any thread.
    """

    def __init__(
        self,
        connection: Connection,
        transport: Transport,
        clock: Callable[[], float],
        wall: Callable[[], float] | None = None,
    ) -> None:
        """`clock`: monotonic seconds; `wall`: seconds since 1970, for a Retry-After that is a date.

        Raises UsageError for a token that cannot be sent in a header.
        """
        self._connection = connection
        self._transport = transport
        self._clock = clock
        self._wall = wall
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._refused: AccessError | None = None
        self._trouble: Trouble | None = None
        self._failures = 0
        self._not_before = -math.inf
        transport.redact.learn(connection.client_secret.reveal(), connection.password.reveal())
        client = connection.client_id.encode("utf-8", "surrogateescape")
        secret = connection.client_secret.reveal().encode("utf-8", "surrogateescape")
        self._client = base64.b64encode(client + b":" + secret).decode()
        transport.redact.learn(self._client)
        if connection.token:
            token = connection.token.reveal()
            if not _sendable(token):
                raise UsageError(
                    "AKENEO_TOKEN holds what no token can: spaces, line breaks or letters beyond ASCII",
                    "Copy the token again, without quotes and without the word Bearer.",
                )
            transport.redact.learn(token)
            self._token = Token(token, None, clock(), None, 1)

    @property
    def lifetime(self) -> float | None:
        """Seconds that the current token was given to live; None before the login and for an App's token."""
        token = self._token
        return token.lifetime if token else None

    def current(self) -> Token:
        """A token that should be good. Raises AccessError, Trouble."""
        token = self._token
        now = self._clock()
        if token is not None and now < token.renew_at:
            return token
        if token is None or token.over(now):
            return self._renewed(token)
        # It is still good for a while: one thread goes for the next, the others need not wait.
        if now >= self._not_before and self._lock.acquire(blocking=False):
            try:
                if self._token is token:
                    self._renew()
            except Trouble:
                self._not_before = now + (token.born + (token.lifetime or 0) - token.renew_at) / 4
            finally:
                self._lock.release()
        return self._token or token

    def renew(self, refused: Token, *, replayed: bool) -> bool:
        """After a 401 for `refused`: is there another token worth a try? Raises AccessError, Trouble.

        `replayed`: the call had been answered 401 before. Then only a token that another thread got
        meanwhile, or the natural end of this one, is a reason to go on.
        """
        if self._connection.token:
            return False
        token = self._token
        same = token is not None and token.generation == refused.generation
        if replayed and same and not refused.over(self._clock()):
            return False
        self._renewed(refused)
        return True

    def _renewed(self, stale: Token | None) -> Token:
        """A token newer than `stale`. Raises AccessError, Trouble.

        Of all threads that come with the same stale token one asks the PIM; the others share what it
        got, be it a token or a failure; refused credentials are tried once.
        """
        failures = self._failures
        with self._lock:
            token = self._token
            if token is not None and (stale is None or token.generation != stale.generation):
                return token
            if self._refused:
                raise _copy(self._refused)
            if self._trouble and self._failures != failures:
                raise self._trouble.again()
            return self._renew()

    def refuse(self, message: str) -> AccessError:
        """The error for a token that was answered 401 and cannot be renewed, or was just renewed."""
        app = self._connection.token is not None
        return AccessError(
            f"the PIM refused the {'App' if app else 'new'} token: {message}",
            "The App was disconnected, or AKENEO_TOKEN is another PIM's: connect it again, set the new token."
            if app
            else "The login went well, so something between may drop the Authorization header: "
            'on Apache set `SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1`.',
        )

    def _renew(self) -> Token:
        self._trouble = None
        stale = self._token
        try:
            answer = self._refreshed(stale.refresh) if stale and stale.refresh else None
            token = self._read(answer or self._logged_in(), stale)
        except AccessError as error:
            self._refused = error
            raise _copy(error) from None
        except Trouble as trouble:
            self._trouble = trouble
            self._failures += 1
            if stale is not None and trouble.failure.http_status is None:
                # A refresh whose answer was lost may have used the refresh token up.
                self._token = replace(stale, refresh=None)
            raise trouble.again() from None
        self._token = token
        return token

    def _refreshed(self, refresh: str) -> Answer | None:
        answer = self._ask({"grant_type": "refresh_token", "refresh_token": refresh})
        return answer if answer.status == 200 else None

    def _logged_in(self) -> Answer:
        answer = self._ask(
            {
                "grant_type": "password",
                "username": self._connection.username,
                "password": self._connection.password.reveal(),
            }
        )
        if answer.status != 200:
            raise refusals.of_login(answer, self._transport.redact, self._transport.url)
        return answer

    def _ask(self, grant: dict[str, str]) -> Answer:
        body = json.dumps(grant, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        answer = self._transport.exchange(
            "POST",
            TOKEN_PATH,
            headers={"Content-Type": "application/json", "Authorization": f"Basic {self._client}"},
            body=body,
            login=True,
        )
        refusals.raise_trouble(answer, self._transport.redact, writes=False, wall=self._wall)
        if answer.status == 413 and len(body) > BODY_LIMIT:
            raise AccessError(
                f"the login takes {len(body)} bytes, and the PIM reads {BODY_LIMIT} at most",
                "Give the connection a shorter user name or password.",
            )
        return answer

    def _read(self, answer: Answer, stale: Token | None) -> Token:
        try:
            data = parse.mapping(parse.document(answer.body, self._transport.redact))
            access = parse.text(data, "access_token")
            refresh = data.get("refresh_token")
            lifetime = data.get("expires_in")
        except parse.Garbled as error:
            raise refusals.no_pim(self._transport.url, str(error), self._transport.redact) from None
        if not _sendable(access):
            raise refusals.no_pim(self._transport.url, "access_token is no token", self._transport.redact)
        refresh = refresh if isinstance(refresh, str) and refresh else None
        if isinstance(lifetime, bool) or not isinstance(lifetime, (int, float)) or not lifetime > 0:
            lifetime = None
        self._transport.redact.learn(access, refresh or "")
        generation = stale.generation + 1 if stale else 1
        return Token(access, refresh, self._clock(), lifetime, generation)


def _sendable(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _copy(error: AccessError) -> AccessError:
    """The same error for one thread more: a raised exception is not shared."""
    return AccessError(error.message, error.hint, error.kind)
