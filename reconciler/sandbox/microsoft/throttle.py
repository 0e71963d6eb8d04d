"""How much a caller may ask: requests a minute everywhere, resource units at Graph."""

from typing import Any
from urllib.parse import parse_qs

from reconciler.sandbox.call import ApiError, Request
from reconciler.sandbox.microsoft.misbehaviour import throttled
from reconciler.sandbox.store import Tx

WINDOW = 10.0
"""Seconds over which Graph counts resource units (Graph's page about throttling, 2021-07)."""

_COSTS = {"users": 2, "subscribedSkus": 3, "licenseDetails": 2, "contracts": 3, "domainNameReferences": 4}


def spend(tx: Tx, caller: dict[str, Any], request: Request, surface: str) -> dict[str, str]:
    """Count a request and give the headers that tell about it; one too many is refused with 429."""
    _within_rate(tx, caller["name"], surface)
    if surface != "graph":
        return {}
    units = cost(request)
    headers = {"x-ms-resource-unit": str(units)}
    limit = tx.settings.graph_units
    if not limit:
        return headers
    since = tx.now - WINDOW
    spent = tx.column(
        "SELECT coalesce(sum(units), 0) FROM ms_spent WHERE caller = ? AND at > ?", caller["name"], since
    )
    share = (spent[0] + units) / limit
    if share > 0.8:
        headers["x-ms-throttle-limit-percentage"] = f"{min(share, 1.8):.2f}"
    if share > 1:
        reply = throttled("graph", int(WINDOW))
        assert isinstance(reply.content, dict)  # noqa: S101 - it was made one line above
        scope = f"Tenant_Application/ReadWrite/{caller['client']}/{caller['tenant']}"
        raise ApiError(429, reply.content, {**headers, **reply.headers, "x-ms-throttle-scope": scope})
    tx.run("DELETE FROM ms_spent WHERE caller = ? AND at <= ?", caller["name"], since)
    tx.run("INSERT INTO ms_spent VALUES (?, ?, ?)", caller["name"], tx.now, units)
    return headers


def cost(request: Request) -> int:
    """Give what a request costs, in Graph's resource units."""
    query = parse_qs(request.raw_query)
    units = _COSTS.get(request.raw_path.strip("/").rsplit("/", 1)[-1], 1) if request.method == "GET" else 1
    top = query.get("$top", ["100"])[0]
    units -= int("$select" in query) + int(top.isdigit() and int(top) < 20)
    return max(1, units + int("$expand" in query))


def _within_rate(tx: Tx, caller: str, surface: str) -> None:
    if not tx.settings.rate:
        return
    since = tx.now - 60
    times = tx.column("SELECT at FROM request WHERE caller = ? AND at > ? ORDER BY at", caller, since)
    if len(times) < tx.settings.rate:
        return
    reply = throttled(surface, max(1, int(times[-int(tx.settings.rate)] - since) + 1))
    assert isinstance(reply.content, dict)  # noqa: S101 - it was made one line above
    raise ApiError(429, reply.content, reply.headers)
