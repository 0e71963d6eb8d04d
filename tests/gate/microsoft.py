"""A world and a workspace at Microsoft in which every tenant has changes: sold by a partner, by OVHcloud, by hand."""

from __future__ import annotations

from typing import Any

from reconciler.sandbox.microsoft import keys
from tests.engine.microsoft import GIVEN, HELPDESK, NEW_CUSTOMER
from tests.gate.test_commands import WORLD as OVH_WORLD

CUSTOMER = "8f5c0000-0000-4000-8000-00000000ac3e"
RESOLD = "8f5c0000-0000-4000-8000-00000000ac4e"
BY_HAND = "8f5c0000-0000-4000-8000-00000000ac5e"
ADA = {"login": "ada", "first_name": "Ada", "last_name": "King", "country": "gb"}
WORLD: dict[str, Any] = {
    "account": OVH_WORLD["account"],
    "settings": OVH_WORLD["settings"],
    "csp2": [
        {
            "service": "contoso",
            "directory": RESOLD,
            "subscriptions": [{"id": 501, "licence": 11, "quantity": 10}],
        }
    ],
    "microsoft": {
        "groups": [{"id": HELPDESK, "name": "Helpdesk"}],
        "relationships": [
            {
                "name": "support",
                "customer": RESOLD,
                "roles": ["License Administrator", "User Administrator"],
                "access": {HELPDESK: ["User Administrator"]},
            }
        ],
        "customers": [
            {
                "id": CUSTOMER,
                "domain": "acme.onmicrosoft.com",
                "name": "Acme UAB",
                "country": "LT",
                "users": [
                    {**ADA, "licences": ["SPB"]},
                    {"login": "eve", "country": "pl", "group_licences": {"sales": ["SPB"]}},
                ],
                "subscriptions": [
                    {"product": "SPB", "quantity": 5, "bought": "30d"},
                    {"product": "ENTERPRISEPACK", "quantity": 3, "bought": "1d"},
                ],
            }
        ],
        "tenants": [
            {
                "id": RESOLD,
                "domain": "contoso.onmicrosoft.com",
                "users": [{**ADA, "licences": ["O365_BUSINESS_ESSENTIALS"]}],
            },
            {
                "id": BY_HAND,
                "domain": "foto.onmicrosoft.com",
                "users": [ADA],
                "skus": [{"sku": "O365_BUSINESS", "units": 2}],
            },
        ],
    },
}
DIRECTORY = "directory: {{provider: graph, account: partner, tenant_id: {}}}\n"
PEOPLE = """\
users:
  - {login: ada, first_name: Ada, last_name: Lovelace, country: lt, licenses: [office]}
  - {login: bob, first_name: Bob, last_name: Kahn, country: fr, licenses: [office]}
"""
PARTNER = f"""\
version: 1
tenant: acme
provider: partner-center
account: partner
service: {CUSTOMER}
domain: acme.onmicrosoft.com
{DIRECTORY.format(CUSTOMER)}license_groups:
  - {{name: office, product: SPB, seats: 7}}
  - {{name: gone, product: ENTERPRISEPACK, seats: 3, state: cancelled, reason: left, cancel: now}}
  - {{name: copilot, product: POWER_BI_PRO, seats: 1}}
{PEOPLE}"""
FRESH = f"""\
version: 1
tenant: fresh
provider: partner-center
account: partner
{NEW_CUSTOMER.replace("acme", "fresh")}license_groups: [{{name: office, product: SPB, seats: 3}}]
"""
RESELLER = f"""\
version: 1
tenant: resell
provider: ovh-csp2
account: ovh-main
service: contoso
domain: contoso.onmicrosoft.com
mpn_id: "7654321"
domains: [shop.example]
{GIVEN}{DIRECTORY.format(RESOLD)}license_groups:
  - {{name: office, product: Microsoft 365 Business Basic, seats: 12, subscription: 501}}
{PEOPLE}"""
MANUAL = f"""\
version: 1
tenant: byhand
provider: home-pl
account: home
domain: foto.onmicrosoft.com
{DIRECTORY.format(BY_HAND)}license_groups: [{{name: office, product: Office 365 Business, seats: 2}}]
{PEOPLE}"""
TENANTS = {"acme": PARTNER, "fresh": FRESH, "resell": RESELLER, "byhand": MANUAL}
SURFACES = "{{login: {root}/login, partner_center: {root}/partner-center, graph: {root}/graph}}"
APPLICATION = f"""
      tenant_id: {keys.PARTNER_TENANT}
      client_id: env://MS_CLIENT
      client_secret: env://MS_SECRET
      refresh_token: env://MS_REFRESH
"""
KNOWN = {
    "MS_CLIENT": keys.CLIENT_ID,
    "MS_SECRET": keys.CLIENT_SECRET,
    "MS_REFRESH": keys.REFRESH_TOKEN,
}


def account(root: str, credentials: str = APPLICATION) -> str:
    """The workspace's accounts at Microsoft and by hand."""
    return (
        f"  partner:\n    api: microsoft\n    endpoint: {SURFACES.format(root=root)}\n    poll: 1s\n    timeout: 2s\n"
        f"    credentials:{credentials}  home: {{api: manual}}\n"
    )
