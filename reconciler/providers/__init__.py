"""Who sells or keeps the licences: adapters that translate and decide nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.core.errors import WorkspaceError
from reconciler.core.provider import Account
from reconciler.providers.http import Dialect, Session
from reconciler.providers.libraries import httpx
from reconciler.providers.manual import ManualAccount
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.auth import ClientCredentials, Signature
from reconciler.providers.ovh.csp2.account import Csp2Account
from reconciler.providers.ovh.csp2.tenant import Csp2Tenant
from reconciler.providers.ovh.payg.account import PaygAccount
from reconciler.providers.ovh.payg.tenant import PaygTenant
from reconciler.providers.ovh.prepaid.account import PrepaidAccount
from reconciler.providers.ovh.prepaid.tenant import PrepaidTenant
from reconciler.providers.pace import Clock
from reconciler.providers.settings import Settings

if TYPE_CHECKING:  # a plan at OVHcloud imports nothing of Microsoft
    from reconciler.providers.microsoft.connection import Connection

KEYS = frozenset({"application_key", "application_secret", "consumer_key"})
CLIENT = frozenset({"client_id", "client_secret"})


def open_session(
    settings: Settings,
    credentials: Mapping[str, str],
    *,
    writes: bool,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock | None = None,
) -> Session:
    """Open an account's session, which its families share; the credentials go no further than its signatures.

    writes: without it every request that would change something is refused before it is sent.
    transport: where requests go instead of the network, e.g. to the local provider.
    """
    session = Session(settings, _auth(credentials), writes=writes, transport=transport, clock=clock)
    session.hidden.update(credentials.values())
    return session


def _auth(credentials: Mapping[str, str]) -> Dialect:
    for name, value in credentials.items():
        if not (value.isascii() and value.isprintable()):
            raise WorkspaceError(
                f"the credential {name} holds characters that none has: a line break, or letters with accents",
                hint="copy it again; a file or a variable holds the value alone",
            )
    if credentials.keys() == KEYS:
        return Signature(**credentials)
    if credentials.keys() == CLIENT:
        return ClientCredentials(**credentials)
    raise WorkspaceError(
        "an OVHcloud account needs application_key, application_secret and consumer_key, "
        "or client_id and client_secret",
        hint="write one of the two sets under `credentials:`",
    )


def open_by_hand(name: str, clock: Clock | None = None) -> Account:
    """Open an account at a reseller without an API; there is nothing to connect to."""
    return ManualAccount(name, clock=clock)


def with_directory(seller: Account, name: str, connection: Connection) -> Account:
    """Join a seller's account with the directories of its tenants, which account `name` at Microsoft opens."""
    from reconciler.providers.microsoft.graph.account import Graph
    from reconciler.providers.routed import RoutedAccount

    return RoutedAccount(seller, Graph(name, connection))


def _partner_center(name: str, connection: Connection) -> Account:
    # Imported when it is opened: what it can say takes as long to import as a small plan at OVHcloud.
    from reconciler.providers.microsoft.partner_center.account import PartnerCenterAccount
    from reconciler.providers.microsoft.partner_center.tenant import PartnerCenterTenant

    return PartnerCenterAccount(name, connection, open_tenant=PartnerCenterTenant)


OPEN: Mapping[str, Callable[[str, Any], Account]] = {
    "ovh-payg": lambda name, session: PaygAccount(name, Api(session), open_tenant=PaygTenant),
    "ovh-prepaid": lambda name, session: PrepaidAccount(name, Api(session), open_tenant=PrepaidTenant),
    "ovh-csp2": lambda name, session: Csp2Account(name, Api(session), open_tenant=Csp2Tenant),
    "partner-center": _partner_center,
}
"""The name in a manifest to what opens it, from an account's name and what its API shares: a session of
`open_session` at OVHcloud, a connection of `microsoft.connection.open_partner` at Microsoft."""

__all__ = [
    "CLIENT",
    "KEYS",
    "OPEN",
    "open_by_hand",
    "open_session",
    "with_directory",
]
