"""One request to a Microsoft surface, from the path it came with to the answer that goes back."""

from urllib.parse import unquote

from msgspec.structs import replace

from reconciler.sandbox.call import Reply, Request
from reconciler.sandbox.faults import waiting
from reconciler.sandbox.microsoft import (
    access,
    agreements,
    batch,
    carts,
    catalog,
    changes,
    customers,
    directory,
    domains,
    gdap,
    groups,
    interference,
    licences,
    login,
    misbehaviour,
    orders,
    people,
    rules,
    skus,
    subscriptions,
    users,
)
from reconciler.sandbox.microsoft.calls import inner
from reconciler.sandbox.microsoft.wire import fresh, instant
from reconciler.sandbox.store import Tx

PREFIXES = ("login", "partner-center", "graph")

# Importing a part fills the tables of routes; named here so that none is forgotten.
PARTS = (
    (agreements, carts, catalog, changes, customers, orders, people, rules, subscriptions),
    (access, batch, directory, domains, gdap, groups, interference, licences, skus, users),
)


def answer(tx: Tx, request: Request) -> tuple[Reply, str, str]:
    """Give the answer, the path, and who asked."""
    raw = tuple(request.raw_path.strip("/").split("/"))
    parts = tuple(unquote(part) for part in raw)
    path = "/" + "/".join(parts)
    if parts[0] == "login":
        faults = misbehaviour.meant(waiting(tx, request.method, path), "/login")
        early = misbehaviour.before(faults, "login")
        reply = early or misbehaviour.after(faults, login.answer(tx, request, parts[1:]), "login")
        return reply, path, ""
    faults = waiting(tx, request.method, path)
    early = misbehaviour.before(faults, parts[0])
    if early is not None:
        return _signed(tx, request, early, parts[0]), path, ""
    reply, caller = inner(tx, request, faults)
    return _signed(tx, request, misbehaviour.after(faults, reply, parts[0]), parts[0]), path, caller


def _signed(tx: Tx, request: Request, reply: Reply, surface: str) -> Reply:
    sent = request.headers
    if surface == "graph":
        return _signed_graph(tx, sent.get("client-request-id", ""), reply)
    own = {
        "MS-RequestId": sent.get("ms-requestid") or fresh(tx, "request"),
        "MS-CorrelationId": sent.get("ms-correlationid") or fresh(tx, "correlation"),
        "MS-CV": f"{tx.serial('ms:cv', 1):x}.0",
        "MS-ServerId": "020000001",
    }
    return replace(reply, headers={**own, **reply.headers})


def _signed_graph(tx: Tx, client: str, reply: Reply) -> Reply:
    number = fresh(tx, "request")
    headers = {"request-id": number, "client-request-id": client or number, **reply.headers}
    content = reply.content
    if isinstance(content, dict) and isinstance(content.get("error"), dict):
        when = instant(tx.now).removesuffix("Z")
        detail = {"date": when, "request-id": number, "client-request-id": client or number}
        content = {"error": {**content["error"], "innerError": detail}}
    return replace(reply, headers=headers, content=content)
