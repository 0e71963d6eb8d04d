"""Directories: how one comes into the world, with its first domain and its first administrator."""

from typing import Any

from reconciler.sandbox.microsoft import users
from reconciler.sandbox.microsoft.keys import partner
from reconciler.sandbox.microsoft.wire import named
from reconciler.sandbox.store import Tx


def add(tx: Tx, number: str, *, domain: str, name: str, country: str, new: bool = False) -> str:
    """Create a directory; whether the partner's application may enter a `new` one is a setting."""
    consent = int(not new or tx.settings.consent == "given")
    tx.run(
        "INSERT INTO ms_tenant VALUES (?, ?, ?, ?, ?, ?)",
        *(number, domain.lower(), name, country.upper(), tx.now, consent),
    )
    own(tx, number, domain, initial=domain.lower().endswith(".onmicrosoft.com"), standard=True)
    return number


def own(tx: Tx, tenant: str, domain: str, *, initial: bool = False, standard: bool = False) -> None:
    """Give a directory a domain that is verified."""
    tx.run(
        "INSERT INTO ms_domain VALUES (?, ?, 1, ?, ?, ?)",
        *(tenant, domain.lower(), int(standard), int(initial), code(tenant, domain)),
    )


def code(tenant: str, domain: str) -> str:
    """Give the text by which the owner of a domain shows that it is theirs."""
    return f"MS=ms{int(named('domain', tenant, domain.lower())[:8], 16) % 10**8:08d}"


def taken(tx: Tx, domain: str) -> bool:
    """Say whether a domain belongs to somebody already."""
    if domain.lower() == partner(tx)["domain"].lower():
        return True
    return tx.one("SELECT 1 FROM ms_domain WHERE name = ? AND verified", domain) is not None


def admin(tx: Tx, tenant: str, domain: str, address: dict[str, Any], *, country: str) -> None:
    """Put the first administrator into a new directory, without a licence."""
    body = {
        "userPrincipalName": f"admin@{domain.lower()}",
        "displayName": f"{address.get('firstName', '')} {address.get('lastName', '')}".strip() or "admin",
        "mailNickname": "admin",
        "givenName": address.get("firstName", ""),
        "surname": address.get("lastName", ""),
        "accountEnabled": True,
        "usageLocation": country.upper(),
    }
    users.add(tx, tenant, body, number=named("admin", tenant))
