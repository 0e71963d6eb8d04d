"""Makers for the tests of directories: a world with a customer's directory, and sellers joined with it."""

from __future__ import annotations

from typing import Any

import httpx
from msgspec.structs import replace

from reconciler.core.manifest import TENANT, Tenant
from reconciler.core.provider import Account
from reconciler.providers import OPEN, open_by_hand, open_session, with_directory
from reconciler.providers.microsoft.connection import Connection, open_partner
from reconciler.providers.settings import Settings
from reconciler.sandbox.client import MICROSOFT_URLS, transport
from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.world import World
from tests.providers.rig import KEYS, RESELLER, SETTINGS, Rig, Time, roots

ACME = "8f5c0000-0000-4000-8000-00000000ac3e"
DOMAIN = "acme.example"
BASIC = "3b555118-da6a-4418-894f-7df1e2096870"
PREMIUM = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
APPLICATION = {
    "tenant_id": keys.PARTNER_TENANT,
    "client_id": keys.CLIENT_ID,
    "client_secret": keys.CLIENT_SECRET,
    "refresh_token": keys.REFRESH_TOKEN,
}
WITH_DIRECTORY = "+graph"
"""What the name of a seller ends with where its tenants have a directory."""
MICROSOFT = Settings(base_url="", poll=30.0, settle=1200.0, sandbox=True)

ADA = {"login": "ada", "first_name": "Ada", "last_name": "Lovelace", "country": "lt", "licenses": ["basic"]}
BOB = {"login": "bob", "first_name": "Bob", "last_name": "Builder", "country": "fr", "licenses": ["basic"]}
CY = {"login": "cy", "first_name": "Cy", "last_name": "Newcomer", "country": "lt", "licenses": ["basic"]}

ADA_ID = "8f5c0000-0000-4000-8000-0000000000ad"
BOB_ID = "8f5c0000-0000-4000-8000-0000000000b0"

DIRECTORY: dict[str, Any] = {
    "id": ACME,
    "domain": "acme.onmicrosoft.com",
    "name": "Acme UAB",
    "country": "LT",
    "domains": [DOMAIN],
    "users": [
        {**{key: ADA[key] for key in ("first_name", "last_name", "country")}, "login": f"ada@{DOMAIN}"}
        | {"licences": ["O365_BUSINESS_ESSENTIALS"], "id": ADA_ID},
        {**{key: BOB[key] for key in ("first_name", "last_name", "country")}, "login": f"bob@{DOMAIN}"}
        | {"id": BOB_ID},
    ],
}
RESOLD: dict[str, Any] = {
    "microsoft": {"tenants": [DIRECTORY]},
    "csp2": [
        {"service": RESELLER, "directory": ACME, "subscriptions": [{"licence": 11, "quantity": 5}]},
    ],
}
"""A reseller tenant of OVHcloud with five seats of Business Basic, one of them Ada's."""

HELPDESK = "869713c9-0b28-4d08-8949-ae07ae1bf528"
SALES = "3a4c07b1-7d58-4d3e-9b0f-0d4f4f1b7c55"
BOTH = ["License Administrator", "User Administrator"]
DELEGATED: dict[str, Any] = {
    "name": "support",
    "duration": "P2Y",
    "roles": BOTH,
    "access": [{"security_group": HELPDESK}],
}
"""Delegated administration whose every role the help desk is to have."""


def approved(world: dict[str, Any], *roles: str, group: str = HELPDESK) -> dict[str, Any]:
    """A world whose customer has approved it; a group has these roles."""
    own: dict[str, Any] = {
        "groups": [{"id": HELPDESK, "name": "Helpdesk"}, {"id": SALES, "name": "Sales"}],
        "relationships": [
            {"name": "support", "customer": ACME, "roles": BOTH, "access": {group: [*roles]} if roles else {}}
        ],
    }
    return {**world, "microsoft": {**world["microsoft"], **own}}


BY_HAND: dict[str, Any] = {
    "microsoft": {"tenants": [{**DIRECTORY, "skus": [{"sku": "O365_BUSINESS_ESSENTIALS", "units": 5}]}]}
}
"""The same five seats, bought where nothing can be read."""

SERVICES = {"ovh-csp2": RESELLER, "partner-center": ACME}
"""What of a seller a tenant is."""
SUBSCRIPTION = "8f5c0000-0000-4000-8000-0000000005ab"
SOLD: dict[str, Any] = {
    "microsoft": {
        "customers": [
            {
                **DIRECTORY,
                "subscriptions": [
                    {
                        "id": SUBSCRIPTION,
                        "product": "O365_BUSINESS_ESSENTIALS",
                        "quantity": 5,
                        "bought": "30d",
                    }
                ],
            }
        ]
    }
}
"""The same five seats, bought at Partner Center."""


def manifest(provider: str = "ovh-csp2", **more: Any) -> Tenant:
    """A tenant with a directory, as it is written; a key that is None is not."""
    given: dict[str, Any] = {
        "version": 1,
        "tenant": "acme",
        "provider": provider,
        "account": "seller",
        "domain": DOMAIN,
        "directory": {"provider": "graph", "account": "partner", "tenant_id": ACME},
        "license_groups": [{"name": "basic", "product": "Microsoft 365 Business Basic", "seats": 5}],
        "users": [ADA, BOB],
    }
    if provider in SERVICES:
        given["service"] = SERVICES[provider]
    return TENANT.validate_python({key: one for key, one in (given | more).items() if one is not None})


def connected(
    world: World,
    time: Time,
    *,
    writes: bool = True,
    through: httpx.AsyncBaseTransport | None = None,
    base_url: str = "",
    **settings: Any,
) -> Connection:
    """Open the partner's account in a world; `base_url` is where OVHcloud's API stands in the same sandbox."""
    return open_partner(
        replace(MICROSOFT, **settings),
        roots(base_url) if base_url else MICROSOFT_URLS,
        APPLICATION,
        writes=writes,
        transport=through or transport(world),
        clock=time.clock,
    )


def seller(kind: str, world: World, time: Time, *, writes: bool = True) -> Account:
    """Open who sells; always inside this process."""
    if kind == "home-pl":
        return open_by_hand("seller", time.clock)
    if kind == "partner-center":
        return OPEN[kind]("seller", connected(world, time, writes=writes))
    session = open_session(SETTINGS, KEYS, writes=writes, transport=transport(world), clock=time.clock)
    return OPEN[kind]("seller", session)


def routed(
    world: World,
    time: Time,
    written: Tenant | None = None,
    *,
    document: dict[str, Any] | None = RESOLD,
    writes: bool = True,
    through: httpx.AsyncBaseTransport | None = None,
    **settings: Any,
) -> Rig:
    """Join who sells with the directory of the manifest, in a world that the document describes."""
    if document is not None:
        world.load(document)
    written = written or manifest()
    connection = connected(world, time, writes=writes, through=through, **settings)
    account = with_directory(seller(written.provider, world, time, writes=writes), "partner", connection)
    return Rig(world, connection.graph(ACME).session, account, account.tenant(written), time)


def ref(world: World, login: str) -> str:
    """The id of a person in a directory."""
    with world.transaction() as tx:
        return str(tx.column("SELECT id FROM ms_user WHERE upn = ? ORDER BY seq DESC", login)[0])


def asked(world: World, method: str, path: str) -> int:
    """How often something was asked for."""
    return sum(one["method"] == method and one["path"].startswith(path) for one in world.requests())
