"""How prepaid groups and their seats come into the world."""

import json

from reconciler.sandbox.ovh import renewal
from reconciler.sandbox.ovh.account import account
from reconciler.sandbox.store import Tx

VACANT = "configureme"


def blank(tenant: str, number: int) -> str:
    """Give the login of a seat on which nobody sits."""
    return f"{number}@{tenant}"


def group(tx: Tx, name: str | None = None, *, display: str = "", kind: str = "prepaid") -> str:
    """Create a tenant; without a name it gets a generated one."""
    chosen = name or f"office{tx.serial('tenant', 5001)}.o365.ovh.com"
    tx.run(
        "INSERT INTO tenant (name, kind, display_name, contact, created) VALUES (?, ?, ?, ?, ?)",
        *(chosen, kind, display or chosen, json.dumps({}), tx.now),
    )
    return chosen


def add(
    tx: Tx,
    tenant: str,
    licence: str,
    *,
    plan: str,
    readable_at: float = 0.0,
    order: int | None = None,
    expiration: float | None = None,
    ending: bool = False,
) -> str:
    """Create one empty seat; gives its service name."""
    number = tx.serial(f"seat:{tenant}", 1001)
    name = f"{tenant}-{number}"
    country = account(tx)["subsidiary"].lower()
    tx.run(
        "INSERT INTO seat (name, tenant, number, licence, email, first, last, country, readable_at, order_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(name, tenant, number, licence, blank(tenant, number), VACANT, VACANT, country, readable_at, order),
    )
    renewal.create(tx, name, "prepaid", plan=plan, expiration=expiration, ending=ending)
    return name


def settle_on(tx: Tx, name: str, *, login: str, first: str, last: str, country: str | None = None) -> None:
    """Put a person on a seat at once, as a world file or Office Attach does."""
    tx.run(
        "UPDATE seat SET virtual = 0, email = ?, first = ?, last = ?, country = coalesce(?, country) WHERE name = ?",
        *(login, first, last, country, name),
    )
