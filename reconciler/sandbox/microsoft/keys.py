"""The keys that every world knows, the partner's own directory, and who is behind a bearer token."""

from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.ovh.account import stored
from reconciler.sandbox.store import Tx

# Public on purpose; they open nothing but a sandbox.
PARTNER_TENANT = "5a4d0b00-0000-4000-8000-000000000001"
PARTNER_DOMAIN = "sandboxpartner.onmicrosoft.com"
CLIENT_ID = "5a4d0b00-0000-4000-8000-0000000000c1"
CLIENT_SECRET = "sandbox-microsoft-secret"  # noqa: S105 - public, see above
REFRESH_TOKEN = "sandbox-refresh-token"  # noqa: S105 - public, see above

CREDENTIALS = {
    "tenant_id": PARTNER_TENANT,
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "refresh_token": REFRESH_TOKEN,
}

PARTNER = {
    "tenant_id": PARTNER_TENANT,
    "domain": PARTNER_DOMAIN,
    "name": "Sandbox Partner",
    "mpn_id": "1234567",
    "country": "FR",
    "currency": "EUR",
}


def partner(tx: Tx) -> dict[str, str]:
    """Give the partner to whom the world belongs."""
    return PARTNER | stored(tx, "partner")


def add(tx: Tx, given: Mapping[str, Any]) -> None:
    """Register an application of the partner, and the refresh token of a person who signed in with it."""
    tx.run(
        "INSERT INTO ms_key VALUES (?, ?, ?, ?, ?)",
        *(given["client_id"], given["client_secret"], given.get("tenant_id") or partner(tx)["tenant_id"]),
        *(given.get("refresh_token"), tx.now),
    )


def begin(tx: Tx) -> None:
    """Give a new world its partner and the keys of which everybody knows."""
    add(tx, CREDENTIALS)


def bearer(tx: Tx, header: str) -> dict[str, Any] | None:
    """Give who is behind an `Authorization` header, while the token lasts."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    row = tx.one("SELECT * FROM ms_token WHERE token = ? AND expires > ?", token.strip(), tx.now)
    return None if row is None else dict(row)
