"""One token for all threads: asked for once, renewed once, whoever needs it first."""

from __future__ import annotations

import base64
import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import field, replace
from typing import Any

from ..errors import AccessError, Failure, Kind, UsageError
from ..frozen import frozen
from .answers import parse, refusals
from .connection import Connection
from .errors import Trouble
from .http.transport import SMALL, Answer, Transport

TOKEN_PATH = "/api/oauth/v1/token"  # noqa: S105 - a path, no secret
BODY_LIMIT = 300
"""Bytes of a token request that the PIM accepts (docs/pim-behaviour.md, "Login and tokens")."""
PAUSES = (0.5, 1.5)
"""Seconds before each new login for a call whose new token was refused: a cluster may know it only later."""
_RENEWALS = 2
"""Times that a call is replayed without a pause, with tokens that had run out or that others replaced."""
_LONGEST_LIFE = 10 * 365 * 86400.0
"""Seconds. A longer lifetime is not believed."""


@frozen
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

    An App's token is used as it is. All methods may be called by any thread.
    """

    def __init__(
        self,
        connection: Connection,
        transport: Transport,
        clock: Callable[[], float],
        wall: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`clock`: monotonic seconds; `wall`: seconds since 1970, for a Retry-After that is a date; `sleep`
        waits so many seconds.

        Raises UsageError for a token that cannot be sent in a header.
        """
        self._connection = connection
        self._transport = transport
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._passed = 0
        self._logged_in_before = False
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
                    "AKENEO_TOKEN has a character that no token has: a space, a line break or the like",
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
        # It is still valid for a while: one thread renews it, the others need not wait.
        if now >= self._not_before and self._lock.acquire(blocking=False):
            try:
                if self._token is token:
                    self._renew()
            except Trouble:
                self._not_before = now + (token.born + (token.lifetime or 0) - token.renew_at) / 4
            finally:
                self._lock.release()
        return self._token or token

    def session(self) -> Session:
        """For one call: which token it uses, and what a refusal of it means."""
        return Session(self)

    def _renewed(self, stale: Token | None, *, login: bool = False) -> Token:
        """A token newer than `stale`. `login`: not by refreshing that one. Raises AccessError, Trouble.

        Of all threads that come with the same stale token one asks the PIM; the others share what it
        got, be it a token or a failure; refused credentials are tried once.
        """
        failures = self._failures
        with self._lock:
            token = self._token
            if token is not None and (stale is None or token.generation != stale.generation):
                return token
            if self._trouble and self._failures != failures:
                raise self._trouble.again()
            return self._renew(login=login)

    def _renew(self, *, login: bool = False) -> Token:
        if self._refused:
            raise _copy(self._refused)
        self._trouble = None
        stale = self._token
        try:
            refresh = stale.refresh if stale and not login else None
            answer = self._refreshed(refresh) if refresh else None
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
        self._logged_in_before = True
        return token

    def _outdated(self, token: Token) -> bool:
        """Has it run out, or is there a newer one already?"""
        now = self._token
        return token.over(self._clock()) or now is None or now.generation != token.generation

    def _app_refused(self, answer: Answer) -> AccessError:
        said = refusals.read(answer, self._transport.redact).message
        return AccessError(
            f"the PIM refused the App token: {said}",
            "The App was disconnected, or AKENEO_TOKEN belongs to another PIM: connect the App again and set "
            "the new token.",
        )

    def _new_token_refused(self, answer: Answer) -> AccessError:
        said = refusals.read(answer, self._transport.redact).message
        return AccessError(
            f"the PIM refused the new token: {said}",
            "The login succeeded, so something on the way may drop the Authorization header: "
            'on Apache set `SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1`.',
        )

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
            if self._logged_in_before and not refusals.read_login(answer, self._transport.redact).json:
                raise self._outage(answer)
            raise refusals.of_login(answer, self._transport.redact, self._transport.url)
        return answer

    def _outage(self, answer: Answer) -> Trouble:
        """This address gave a token before: it is not wrong."""
        return refusals.outage(answer, refusals.read_login(answer, self._transport.redact), writes=False)

    def _ask(self, grant: dict[str, str]) -> Answer:
        body = json.dumps(grant, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        answer = self._transport.exchange(
            "POST",
            TOKEN_PATH,
            headers={"Content-Type": "application/json", "Authorization": f"Basic {self._client}"},
            body=body,
            login=True,
            largest=SMALL,
        )
        found = refusals.read_login(answer, self._transport.redact)
        refusals.raise_trouble(answer, found, writes=False, wall=self._wall)
        if answer.status == 413 and len(body) > BODY_LIMIT:
            raise AccessError(
                f"the login takes {len(body)} bytes, and the PIM accepts {BODY_LIMIT} at most",
                "Give the connection a shorter user name or password.",
            )
        return answer

    def _read(self, answer: Answer, stale: Token | None) -> Token:
        # No message quotes the answer: whatever it is, there may be a token in it.
        clean = self._transport.redact
        try:
            data = parse.mapping(parse.document(answer.body))
            access = parse.text(data, "access_token")
            if not _sendable(access):
                raise parse.Garbled("access_token is not a token")
        except parse.Garbled as error:
            if self._logged_in_before:
                raise self._outage(answer) from None
            if answer.cut or error.broken_off:
                raise Trouble(
                    Failure(
                        Kind.CONNECTION,
                        "the answer to the login broke off",
                        "Run the same command again.",
                        answer.status,
                    )
                ) from None
            raise refusals.not_a_pim(self._transport.url, str(error), clean) from None
        refresh = data.get("refresh_token")
        refresh = refresh if isinstance(refresh, str) and refresh else None
        clean.learn(access, refresh or "")
        generation = stale.generation + 1 if stale else 1
        return Token(access, refresh, self._clock(), _lifetime(data.get("expires_in")), generation)


class Session:
    """The tokens of one call: a refused one is replaced and the call replayed, a few times."""

    def __init__(self, auth: TokenAuth) -> None:
        self._auth = auth
        self._token: Token | None = None
        self._pauses = iter(PAUSES)
        self._renewals = 0
        self._passed = auth._passed

    def current(self) -> Token:
        """The token to sign with. Raises AccessError, Trouble."""
        self._token = self._auth.current()
        return self._token

    def refused(self, answer: Answer) -> bool:
        """Was the token refused, and is there another to replay the call with? False: take the answer.

        A refused token is replaced. If the new one is refused too, the call waits and logs in again, twice:
        behind several servers a new token may not be known to all of them yet. Raises AccessError if that
        does not help either, but Trouble if other calls went through meanwhile; and as `current`.
        """
        auth, token = self._auth, self._token
        assert token is not None
        if answer.status != 401:
            if not 300 <= answer.status < 400 and answer.status < 500:
                auth._passed += 1
            return False
        if refusals.wants_basic(answer):
            raise self._refusal(answer, refusals.basic_gate(auth._transport.url))
        if auth._connection.token:
            raise self._refusal(answer, auth._app_refused(answer))
        self._renewals += 1
        if self._renewals == 1 or (self._renewals <= _RENEWALS and auth._outdated(token)):
            auth._renewed(token)
            return True
        pause = next(self._pauses, None)
        if pause is None:
            raise self._refusal(answer, auth._new_token_refused(answer))
        auth._sleep(pause)
        auth._renewed(token, login=True)
        return True

    def _refusal(self, answer: Answer, error: AccessError) -> AccessError | Trouble:
        if self._auth._passed == self._passed:
            return error
        return Trouble(
            Failure(
                Kind.UNAVAILABLE,
                f"{error.message} (while other requests were accepted)",
                "One of several servers behind this address may not know the token. Run the command again.",
                answer.status,
            )
        )


def _lifetime(seconds: Any) -> float | None:
    """`expires_in`, in seconds; None if it is missing or unusable."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    return float(seconds) if 0 < seconds <= _LONGEST_LIFE else None


def _sendable(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _copy(error: AccessError) -> AccessError:
    """The same error for another thread: a raised exception is not shared."""
    return AccessError(error.message, error.hint, error.kind)
