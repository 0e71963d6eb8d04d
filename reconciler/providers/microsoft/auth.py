"""Tokens for Microsoft's surfaces: an application's own, or its own with a person behind it.

Our own form goes through the session instead of msal, which speaks HTTP by itself, past the gate that keeps a
reader from writing, and takes no login that is not https (docs/decisions/0013).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from msgspec import Struct, field

from reconciler.core.errors import Rejected, Unavailable, Uncertain, WorkspaceError
from reconciler.providers.http import LONGEST_PAUSE, Answer, Refusal, Session
from reconciler.providers.microsoft import refusals

EARLY = 120.0
"""A token is fetched anew this long before it ends, in seconds."""

LATEST = 4e9
"""The last moment that a login may name, in seconds since 1970: a century in which every calendar works."""
_SENDABLE = re.compile(r"[!-~]+")
"""What a header can hold."""
BUSY = 409
LOCKED = 423


class Surface(Struct, frozen=True, kw_only=True):
    """One of Microsoft's APIs, as far as tokens and errors go.

    audience: whom a token is for. headers: sent with every request. correlation: the header that carries an id
    of each call, for Microsoft's staff. trace: the answer's header that they ask for.
    busy: statuses by which it says `not now`.
    """

    audience: str
    correlation: str
    trace: str
    busy: frozenset[int]
    headers: Mapping[str, str] = field(default_factory=dict)


PARTNER_CENTER = Surface(
    audience="https://api.partnercenter.microsoft.com",
    correlation="MS-CorrelationId",
    trace="ms-requestid",
    busy=frozenset({BUSY, LOCKED}),
    headers={"X-Locale": "en-US", "MS-Contract-Version": "v1"},
)
GRAPH = Surface(
    audience="https://graph.microsoft.com",
    correlation="client-request-id",
    trace="request-id",
    busy=frozenset({LOCKED}),
)


def token_url(login: str, tenant: str) -> str:
    """Where the tokens of a directory come from."""
    return f"{login.rstrip('/')}/{quote(tenant, safe='')}/oauth2/token"


class Application:
    """An application of the partner: who asks for tokens. Its secrets go no further than the form it fills in."""

    def __init__(
        self, *, tenant_id: str, client_id: str, client_secret: str, refresh_token: str = ""
    ) -> None:
        self.tenant_id = tenant_id
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self._refresh = refresh_token

    def __repr__(self) -> str:
        return f"Application({self.tenant_id!r}, ...)"

    @property
    def has_person(self) -> bool:
        """Whether a person signed in for it, so that it may do what an application alone may not."""
        return bool(self._refresh)

    def form(self, audience: str, *, person: bool) -> bytes:
        """Fill in the form that asks for a token."""
        grant = (
            {"grant_type": "refresh_token", "refresh_token": self._refresh, "scope": "openid"}
            if person
            else {"grant_type": "client_credentials"}
        )
        return urlencode({**grant, **self._client, "resource": audience}).encode()


class Bearer:
    """The dialect of one surface in one directory: one token at a time for all its requests.

    person: whether the token has the person behind it. busy: seconds to leave alone what has a change under way.
    """

    def __init__(
        self, application: Application, surface: Surface, *, tenant: str, person: bool, busy: float
    ) -> None:
        self._application = application
        self._surface = surface
        self._tenant = tenant
        self._person = person
        self._busy = busy
        self._token = ""
        self._until = 0.0
        self._ahead: float | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Bearer({self._surface.audience!r}, {self._tenant!r})"

    async def headers(self, session: Session, method: str, url: str, body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - a token does not depend on the request
        """Give the token, fetched when there is none or it is about to end, and an id of this call."""
        async with self._lock:
            if not self._token or session.clock.monotonic() >= self._until:
                await self._fetch(session)
            token = self._token
        return {
            **self._surface.headers,
            self._surface.correlation: str(uuid4()),
            "Authorization": f"Bearer {token}",
        }

    async def renewed(self, session: Session, status: int, refusal: Refusal) -> bool:  # noqa: ARG002 - any 401 means it
        """Fetch another token when this one is not taken any more."""
        if status != 401:
            return False
        async with self._lock:
            self._token = ""
        return True

    def refusal(self, status: int, data: Any) -> Refusal | None:
        """Read an error body."""
        found = refusals.read(data)
        if found is None:
            return None
        return found._replace(busy=found.busy or status in self._surface.busy, wait=self._busy)

    async def now(self, session: Session, *, fresh: bool) -> float:
        """Give the provider's time, which comes with each token."""
        async with self._lock:
            if fresh or self._ahead is None:
                await session.patiently(lambda: self._fetch(session))
        return session.clock.now() + (self._ahead or 0.0)

    def trace(self, headers: Mapping[str, str]) -> str:
        """Give the id by which Microsoft's staff find a call."""
        return headers.get(self._surface.trace, "")

    async def _fetch(self, session: Session) -> None:
        url = session.settings.token_url or ""
        form = self._application.form(self._surface.audience, person=self._person)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = await session.fetch("POST", url, content=form, headers=kind)
        except Uncertain as error:  # a token that never arrived changes nothing
            raise Unavailable(error.message, hint="try again later", code=error.code) from error
        self._take(session, answer)

    def _take(self, session: Session, answer: Answer) -> None:
        match answer.data:
            case {"access_token": str(token)} if answer.status == 200 and _SENDABLE.fullmatch(token):
                lasts = _seconds(answer.data.get("expires_in"), 2 * EARLY)
                self._token = token
                self._until = session.clock.monotonic() + max(lasts - EARLY, lasts / 2)
                ends = _seconds(answer.data.get("expires_on"), session.clock.now() + lasts, most=LATEST)
                self._ahead = ends - lasts - session.clock.now()
            case _ if 400 <= answer.status < 500 and answer.status not in {408, 429}:
                raise self._refused(session, answer)
            case _:
                raise Unavailable(
                    f"the login of {self._tenant} answered {answer.status}",
                    hint="try again later",
                    code="no-token",
                )

    def _refused(self, session: Session, answer: Answer) -> WorkspaceError | Rejected:
        why = refusals.read(answer.data) or Refusal(str(answer.status), "")
        code, words = session.said(why.code), session.said(why.message)  # it may repeat the form
        said = f"the login of directory {self._tenant} gives no token: {words or code}"
        if self._tenant.lower() != self._application.tenant_id.lower():
            hint = (
                "the customer must accept the partner's administration (delegated_administration), "
                "or the application must be consented to in that directory"
            )
            return Rejected(said, hint=hint, code=code)
        hint = (
            "a refresh token ends after 90 days without use, or when its person's password changes: sign in again"
            if self._person
            else "check tenant_id, client_id and client_secret"
        )
        return WorkspaceError(said, hint=hint, code=code)


def _seconds(value: Any, otherwise: float, *, most: float = LONGEST_PAUSE) -> float:
    """Read a number that the login writes as text; one that no clock shows is none."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return otherwise
    return found if 0 <= found <= most else otherwise
