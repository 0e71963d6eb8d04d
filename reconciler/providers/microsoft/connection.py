"""One account at Microsoft: the same application at Partner Center and, directory by directory, at Graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from reconciler.core.errors import WorkspaceError
from reconciler.providers.http import Session
from reconciler.providers.libraries import httpx
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.auth import GRAPH, PARTNER_CENTER, Application, Bearer, Surface, token_url
from reconciler.providers.microsoft.hints import HINTS
from reconciler.providers.pace import Clock, Pace
from reconciler.providers.settings import Settings
from reconciler.providers.transport import Connections

BUSY_POLLS = 4
"""What has a change under way is left alone for so many of the account's polls: two minutes, as documented for
a renewal that runs (create-scheduled-changes, 2023-10)."""

NEEDED = frozenset({"tenant_id", "client_id", "client_secret"})
SECRET = frozenset({"client_id", "client_secret", "refresh_token"})
"""What no message repeats; the application's id stands here as it may be given as a reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """Where the three surfaces stand, with their versions or without."""

    login: str
    partner_center: str
    graph: str


@dataclass(slots=True, kw_only=True)
class Connection:
    """What an account's surfaces share: the application, the connections, the pace and the clock.

    hidden: credentials, which no message repeats.
    """

    settings: Settings
    roots: Roots
    application: Application
    writes: bool
    transport: httpx.AsyncBaseTransport
    clock: Clock
    pace: Pace
    hidden: frozenset[str] = field(repr=False)
    _opened: dict[tuple[str, str, bool], Api] = field(default_factory=dict)

    @property
    def has_person(self) -> bool:
        """Whether a person signed in for the application."""
        return self.application.has_person

    def partner_center(self, *, person: bool = False) -> Api:
        """Partner Center, for the partner; `person` for the calls that want a person behind the token."""
        own = self.application.tenant_id
        return self._open(PARTNER_CENTER, versioned(self.roots.partner_center, "v1"), own, person=person)

    def graph(self, tenant: str) -> Api:
        """Graph, for one directory; with the person behind the token when there is one."""
        return self._open(GRAPH, versioned(self.roots.graph, "v1.0"), tenant.lower(), person=self.has_person)

    async def close(self) -> None:
        """Close every connection."""
        for api in self._opened.values():
            await api.session.close()

    def _open(self, surface: Surface, base_url: str, tenant: str, *, person: bool) -> Api:
        key = (surface.audience, tenant, person)
        if key not in self._opened:
            self._opened[key] = Api(self._session(surface, base_url, tenant, person=person), HINTS)
        return self._opened[key]

    def _session(self, surface: Surface, base_url: str, tenant: str, *, person: bool) -> Session:
        busy = BUSY_POLLS * self.settings.poll
        made = Session(
            replace(self.settings, base_url=base_url, token_url=token_url(self.roots.login, tenant)),
            Bearer(self.application, surface, tenant=tenant, person=person, busy=busy),
            writes=self.writes,
            transport=self.transport,
            clock=self.clock,
            pace=self.pace,
        )
        made.hidden |= self.hidden
        return made


def versioned(root: str, version: str) -> str:
    """Where a version of a surface stands, from its root, which may say the version already."""
    return root if root.endswith(f"/{version}") else f"{root}/{version}"


def open_partner(
    settings: Settings,
    roots: Mapping[str, str],
    credentials: Mapping[str, str],
    *,
    writes: bool,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock | None = None,
) -> Connection:
    """Open an account at Microsoft; the credentials go no further than the form that asks for tokens.

    roots: `login`, `partner_center` and `graph`, as `MicrosoftAccount.urls` gives them.
    writes: without it every request that would change something is refused before it is sent.
    transport: where requests go instead of the network, e.g. to the local provider.
    """
    if NEEDED - credentials.keys():
        raise WorkspaceError(
            "an account at Microsoft needs tenant_id, client_id and client_secret",
            hint="write them under `credentials:`, and refresh_token where a person signed in",
        )
    clock = clock or Clock()
    return Connection(
        settings=settings,
        roots=Roots(**{key: url.rstrip("/") for key, url in roots.items()}),
        application=Application(**credentials),
        writes=writes,
        transport=transport or Connections(limit=settings.concurrency),
        clock=clock,
        hidden=frozenset(credentials[key] for key in SECRET & credentials.keys()),
        pace=Pace(rate=settings.rate, concurrency=settings.concurrency, clock=clock),
    )
