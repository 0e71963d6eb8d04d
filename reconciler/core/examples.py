"""Faults of a file by example: what is wrong and what is right, as one reads it in a manifest."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """Lines at the top of a file that are refused, and the same lines as they are meant."""

    wrong: str
    right: str
    file: str = "tenant"


def _groups(one: str, other: str = "") -> str:
    return "license_groups:\n" + "".join(f"  - {{{each}}}\n" for each in (one, other) if each)


_OFFICE = "name: office, product: business, seats: 2"
_ADA = "login: ada, first_name: Ada, last_name: Lovelace"


def _users(one: str, other: str = "") -> str:
    return _groups(_OFFICE) + "users:\n" + "".join(f"  - {{{each}}}\n" for each in (one, other) if each)


_HELPDESK = "869713c9-0b28-4d08-8949-ae07ae1bf528"


def _delegated(access: str) -> str:
    return (
        "delegated_administration:\n  name: support\n  duration: P2Y\n  roles: [Global Reader]\n"
        f"  access: [{access}]\n"
    )


EXAMPLES: dict[str, Example] = {
    "RC1008": Example("name: Acme\nname: Acme UAB\n", "name: Acme UAB\n"),
    "RC1011": Example("name: !!str 12\n", 'name: "12"\n'),
    "RC1101": Example(_groups("name: office, product: business, seat: 2"), _groups(_OFFICE)),
    "RC1102": Example(_groups("product: business, seats: 2"), _groups(_OFFICE)),
    "RC1103": Example(_groups('name: office, product: business, seats: "2"'), _groups(_OFFICE)),
    "RC1104": Example(_groups(f"{_OFFICE}, renewal: never"), _groups(f"{_OFFICE}, renewal: off")),
    "RC1105": Example("name:\n", "name: Acme UAB\n"),
    "RC1106": Example(
        "accounts:\n  ovh-main:\n    api: ovh\n    endpoint: ovh-eu\n"
        "    credentials: {client_id: env://OVH_CLIENT_ID, client_secret: 3f9c51d0}\n",
        "accounts:\n  ovh-main:\n    api: ovh\n    endpoint: ovh-eu\n"
        "    credentials: {client_id: env://OVH_CLIENT_ID, client_secret: env://OVH_CLIENT_SECRET}\n",
        file="workspace",
    ),
    "RC2101": Example("account: ovh-mian\n", "account: ovh-main\n"),
    "RC2102": Example("account: partner\n", "account: ovh-main\n"),
    "RC2103": Example(
        "provider: ovh-csp2\n" + _groups("name: basic, product: Microsoft 365 Business Basic, seats: 2"),
        "provider: ovh-csp2\nservice: acme-csp\n"
        + _groups("name: basic, product: Microsoft 365 Business Basic, seats: 2"),
    ),
    "RC2104": Example(
        f"provider: ovh-csp2\nservice: acme-csp\nusers:\n  - {{{_ADA}}}\n",
        "provider: ovh-csp2\nservice: acme-csp\n"
        "directory: {provider: graph, account: partner, tenant_id: 8f5c0000-0000-4000-8000-00000000ac3e}\n"
        f"users:\n  - {{{_ADA}}}\n",
    ),
    "RC2201": Example(_groups(_OFFICE, _OFFICE), _groups(_OFFICE, "name: shop, product: business, seats: 2")),
    "RC2202": Example(_groups("name: office, product: bussiness, seats: 2"), _groups(_OFFICE)),
    "RC2203": Example(_groups("name: office, product: business"), _groups(_OFFICE)),
    "RC2205": Example(
        _groups(f"{_OFFICE}, beside: [acme.o365.ovh.com]"),
        _groups(f"{_OFFICE}, service: new, beside: [acme.o365.ovh.com]"),
    ),
    "RC2211": Example(
        _users(_ADA, "login: Ada, first_name: Ada, last_name: King"),
        _users(_ADA, "login: ada.king, first_name: Ada, last_name: King"),
    ),
    "RC2212": Example(_users(f"{_ADA}, licenses: [ofice]"), _users(f"{_ADA}, licenses: [office]")),
    "RC2213": Example(_users(f"{_ADA}, country: uk"), _users(f"{_ADA}, country: gb")),
    "RC2215": Example(
        _users(f"{_ADA}, previously: bob", "login: bob, first_name: Bob, last_name: Builder"),
        _users(f"{_ADA}, previously: ada.byron", "login: bob, first_name: Bob, last_name: Builder"),
    ),
    "RC2301": Example(
        _groups("name: office, product: business, seats: 1")
        + f"users:\n  - {{{_ADA}, licenses: [office]}}\n"
        + "  - {login: bob, first_name: Bob, last_name: Builder, licenses: [office]}\n",
        _groups(_OFFICE)
        + f"users:\n  - {{{_ADA}, licenses: [office]}}\n"
        + "  - {login: bob, first_name: Bob, last_name: Builder, licenses: [office]}\n",
    ),
    "RC2302": Example(
        _groups("name: staff, product: business, seats: 301"),
        _groups("name: staff, product: pro-plus, seats: 301"),
    ),
    "RC2401": Example(
        _groups(f"{_OFFICE}, state: cancelled"),
        _groups(f'{_OFFICE}, state: cancelled, reason: "customer left, ticket 4411"'),
    ),
    "RC2403": Example(
        _groups(f"{_OFFICE}, cancel: now"),
        _groups(f'{_OFFICE}, state: cancelled, reason: "customer left", cancel: now'),
    ),
    "RC2511": Example(
        _delegated(
            f"{{security_group: {_HELPDESK}}}, {{security_group: {_HELPDESK}, roles: [Global Reader]}}"
        ),
        _delegated(f"{{security_group: {_HELPDESK}}}"),
    ),
    "RC2512": Example(
        _delegated(f"{{security_group: {_HELPDESK}, roles: [User Administrator]}}"),
        _delegated(f"{{security_group: {_HELPDESK}, roles: [Global Reader]}}"),
    ),
    "RC2513": Example(
        _delegated(f"{{security_group: {_HELPDESK}, roles: []}}"),
        _delegated(f"{{security_group: {_HELPDESK}}}"),
    ),
    "RC3003": Example("requires: new\n", 'requires: ">=0.1"\n', file="workspace"),
    "RC3004": Example(
        "journal: mysql://db/reconciler\n", "journal: sqlite:///.reconciler/journal.db\n", file="workspace"
    ),
    "RC3101": Example(
        "accounts:\n  ovh-main: {api: ovh, endpoint: 'https://api.ovh.example/1.0', "
        "credentials: {client_id: env://ID, client_secret: env://SECRET}, token_url: 'https://www.ovh.com/token'}\n",
        "accounts:\n  ovh-main: {api: ovh, endpoint: ovh-eu, "
        "credentials: {client_id: env://ID, client_secret: env://SECRET}}\n",
        file="workspace",
    ),
    "RC3102": Example(
        "accounts:\n  ovh-main: {api: ovh, endpoint: ovh-eu}\n",
        "accounts:\n  ovh-main: {api: ovh, endpoint: ovh-eu, "
        "credentials: {client_id: env://ID, client_secret: env://SECRET}}\n",
        file="workspace",
    ),
}
"""By code; a test reads each of them, and the wrong lines get that code where the right ones get none."""
