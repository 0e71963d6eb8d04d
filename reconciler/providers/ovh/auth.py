"""How OVHcloud wants a request authorised, and how it words a refusal (reference sections 8 and 9)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from reconciler.core.errors import Unavailable, Uncertain, WorkspaceError
from reconciler.providers.http import Answer, Refusal, Session

FAR = 1e11
"""No provider's clock has come this far (the year 5138), and calendars end not much later."""

EARLY = 60.0
"""A token is fetched anew this long before it ends."""

LONGEST = 86400
"""A token is fetched anew after a day, whatever it says of itself."""

OLD = 600.0
"""A difference of clocks is not trusted for longer: this machine may have slept, or its clock been set."""


class ServerTime:
    """The provider's clock: how far it is ahead of ours; asked once, again when refused, and now and then."""

    def __init__(self) -> None:
        self._ahead: float | None = None
        self._asked = 0.0
        self._lock = asyncio.Lock()

    async def now(self, session: Session, *, fresh: bool = False) -> float:
        """Seconds since 1970 at the provider."""
        async with self._lock:
            old = session.clock.monotonic() - self._asked > OLD
            if fresh or old or self._ahead is None:
                await self._ask(session)
        return session.clock.now() + (self._ahead or 0.0)

    async def _ask(self, session: Session) -> None:
        url = f"{session.settings.base_url.rstrip('/')}/auth/time"
        answer = await session.fetch("GET", url, content=b"", headers={})
        if answer.status != 200 or not _is_time(answer.data):
            raise Unavailable(f"GET /auth/time: {answer.status}, no time in it", code="no-time")
        self._ahead = answer.data - session.clock.now()
        self._asked = session.clock.monotonic()


def _is_time(data: Any) -> bool:
    return isinstance(data, int | float) and not isinstance(data, bool) and 0 < data < FAR


class _Spoken:
    """What both ways of authorising share: the clock and the three shapes of an error body."""

    def __init__(self) -> None:
        self.time = ServerTime()

    async def now(self, session: Session, *, fresh: bool) -> float:
        """Give the provider's time."""
        return await self.time.now(session, fresh=fresh)

    def refusal(self, status: int, data: Any) -> Refusal | None:
        """Read `{errorCode, httpCode, message}`, `{class, message, details}` or `{message}`."""
        match data:
            case {"message": str(message)}:
                code = data.get("class") or data.get("errorCode") or ""
            case {"class": str(code)} | {"errorCode": str(code)}:
                message = ""
            case _:
                return None
        code = code if isinstance(code, str) else ""
        busy = status in {403, 409} and (
            code.endswith("::Busy") or (status == 409 and "busy" in message.lower())
        )
        return Refusal(code, message, busy)

    def trace(self, headers: Mapping[str, str]) -> str:
        """Give the query id that OVHcloud's staff ask for."""
        return headers.get("x-ovh-queryid", "")


class Signature(_Spoken):
    """An application key and a consumer key: every request is signed over exactly what is sent."""

    def __init__(self, *, application_key: str, application_secret: str, consumer_key: str) -> None:
        super().__init__()
        self._key = application_key
        self._secret = application_secret
        self._consumer = consumer_key

    def __repr__(self) -> str:
        return "Signature(...)"

    async def headers(self, session: Session, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """Sign one request with the provider's time."""
        timestamp = str(int(await self.time.now(session)))
        return {
            "X-Ovh-Application": self._key,
            "X-Ovh-Consumer": self._consumer,
            "X-Ovh-Timestamp": timestamp,
            "X-Ovh-Signature": self.sign(method, url, body, timestamp),
        }

    async def renewed(self, session: Session, status: int, refusal: Refusal) -> bool:
        """Ask for the time again when the request's own was too far off."""
        if status != 400 or refusal.code != "QUERY_TIME_OUT":
            return False
        await self.time.now(session, fresh=True)
        return True

    def sign(self, method: str, url: str, body: bytes, timestamp: str) -> str:
        """Sign what is sent: `$1$` and the SHA-1 of the six parts joined by `+`."""
        parts = (self._secret, self._consumer, method, url, body.decode(), timestamp)
        # Verified 2026-08-04, api.ovh.com/auth.
        return "$1$" + hashlib.sha1("+".join(parts).encode()).hexdigest()  # noqa: S324 - what the API asks for


class ClientCredentials(_Spoken):
    """A service account: OAuth2 client credentials, one token at a time for all requests."""

    def __init__(self, *, client_id: str, client_secret: str) -> None:
        super().__init__()
        self._basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._token = ""
        self._until = 0.0
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return "ClientCredentials(...)"

    async def headers(self, session: Session, method: str, url: str, body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - a token does not depend on the request
        """Give the bearer token, fetched when there is none or it is about to end."""
        async with self._lock:
            if not self._token or session.clock.monotonic() >= self._until:
                await self._fetch(session)
            return {"Authorization": f"Bearer {self._token}"}

    async def renewed(self, session: Session, status: int, refusal: Refusal) -> bool:  # noqa: ARG002 - any 401 means it
        """Fetch another token when this one is not taken any more."""
        if status != 401:
            return False
        async with self._lock:
            self._token = ""
        return True

    async def _fetch(self, session: Session) -> None:
        url = session.settings.token_url
        if url is None:
            raise WorkspaceError(
                "client credentials need a token_url", hint="write `token_url:` beside `endpoint:`"
            )
        form = urlencode({"grant_type": "client_credentials", "scope": "all"}).encode()
        headers = {
            "Authorization": f"Basic {self._basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            answer = await session.fetch("POST", url, content=form, headers=headers)
        except Uncertain as error:  # a token that never arrived changes nothing
            raise Unavailable(error.message, hint="try again later", code=error.code) from error
        self._take(answer, session.clock.monotonic())

    def _take(self, answer: Answer, now: float) -> None:
        match answer.data:
            case {"access_token": str(token), "expires_in": int() | float() as lasts} if answer.status == 200:
                self._token = token
                lasts = min(lasts, LONGEST)
                self._until = now + max(lasts - EARLY, lasts / 2)
            case {"access_token": str(token)} if answer.status == 200:
                self._token, self._until = token, now + EARLY
            case _ if 400 <= answer.status < 500 and answer.status not in {408, 429}:
                raise WorkspaceError(
                    f"the token server refused the client credentials ({answer.status})",
                    hint="check client_id and client_secret",
                )
            case _:
                raise Unavailable(f"the token server answered {answer.status}", code="no-token")
