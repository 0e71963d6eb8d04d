"""One request to OVHcloud's API, from the path it came with to the answer that goes back."""

import json
from typing import Any
from urllib.parse import parse_qsl, unquote

from msgspec.structs import replace

from reconciler.sandbox import interference
from reconciler.sandbox.call import ApiError, Call, Reply, Request, bad, missing, service
from reconciler.sandbox.faults import Faults, twisted, waiting
from reconciler.sandbox.ovh import (
    auth,
    carts,
    catalog,
    checkout,
    csp2,
    gate,
    mail,
    me,
    pages,
    payg,
    prepaid,
    purchases,
    services,
)
from reconciler.sandbox.ovh import interference as changes
from reconciler.sandbox.ovh.routes import ROUTES
from reconciler.sandbox.router import Found
from reconciler.sandbox.store import Tx

PREFIXES = ("1.0", "v1")

# Importing a part fills the table of routes; named here so that none is forgotten.
PARTS = (auth, carts, catalog, changes, checkout, csp2, mail, me, payg, prepaid, purchases, services)

_HTML = b"<html><body><h1>408 Request Time-out</h1>\nYour browser was too slow.\n</body></html>\n"


def answer(tx: Tx, request: Request) -> tuple[Reply, str, str]:
    """Give the answer, the path without its prefix, and who asked."""
    raw = tuple(request.raw_path.strip("/").split("/"))[1:]
    parts = tuple(unquote(part) for part in raw)
    path = "/" + "/".join(parts)
    faults = waiting(tx, request.method, path)
    early = _before(faults)
    if early is not None:
        return early, path, ""
    caller = gate.ANONYMOUS
    try:
        found = ROUTES.find(request.method, parts)
        caller = gate.admit(tx, request, None if found is None else found.route, path)
        _within_rate(tx, caller["name"])
        reply = _handled(
            Call(tx, faults, caller=caller, base=request.base, request=request), found, raw, path
        )
    except ApiError as refusal:
        return Reply(refusal.status, refusal.body, refusal.headers), path, caller["name"]
    return _after(faults, reply), path, caller["name"]


def _handled(call: Call, found: Found | None, raw: tuple[str, ...], path: str) -> Reply:
    request = call.request
    assert request is not None  # noqa: S101 - this file made the call
    if found is None:
        parts = tuple(unquote(part) for part in raw)
        if ROUTES.knows(parts):
            raise service(405, "Client::MethodNotAllowed", "This method is not allowed here")
        raise missing("Got an invalid (or empty) URL")
    if call.faults.take("busy") is not None:
        raise service(403, "Client::Forbidden::Busy", "A task is already pending on this object")
    somebody = call.faults.take("interference")
    if somebody is not None and somebody.get("when", "before") == "before":
        interference.change(call.tx, str(somebody.get("change", "")))
    call = replace(call, query=dict(parse_qsl(request.raw_query, keep_blank_values=True)))
    reply = _read(call, found, raw, path) if request.method == "GET" else _write(call, found)
    if somebody is not None and somebody.get("when") == "after":
        interference.change(call.tx, str(somebody.get("change", "")))
    return reply


def _read(call: Call, found: Found, raw: tuple[str, ...], path: str) -> Reply:
    request, settings = call.request, call.tx.settings
    assert request is not None  # noqa: S101 - this file made the call
    separator = request.headers.get("x-ovh-batch", "") if settings.batch else ""
    place = pages.batched(raw, separator)
    if place is None and separator and found.route.path.endswith("}"):
        place = len(raw) - 1
    if place is not None:
        return Reply(content=pages.batch(call, raw, place, separator, lambda parts: _get(call, parts)))
    content = found.route.handler(replace(call, path=found.path))
    if not isinstance(content, list):
        return Reply(content=content)
    ids = all(isinstance(one, str | int) for one in content)
    if call.faults.take("fail-list") is not None:
        raise service(500, "Server::InternalServerError", "Internal server error")
    parts = tuple(unquote(part) for part in raw)
    mode = request.headers.get("x-pagination-mode", "") if settings.expanded else ""
    if ids and mode == "CachedObjectList-Pages" and ROUTES.find("GET", (*parts, "0")) is not None:
        return pages.expanded(
            call, path, request.headers, content, lambda one: _get(call, (*parts, str(one)))
        )
    return Reply(content=content)


def _get(call: Call, parts: tuple[str, ...]) -> object:
    found = ROUTES.find("GET", parts)
    if found is None:
        raise missing("Got an invalid (or empty) URL")
    return found.route.handler(replace(call, path=found.path))


def _write(call: Call, found: Found) -> Reply:
    body = _body(call, found)
    call.tx.run("SAVEPOINT handler")
    try:
        content = found.route.handler(replace(call, path=found.path, body=body))
    except ApiError:
        # A fault that was used up stays so; what the handler began does not.
        call.tx.run("ROLLBACK TO handler")
        call.tx.run("RELEASE handler")
        raise
    call.tx.run("RELEASE handler")
    return Reply(content=content)


def _body(call: Call, found: Found) -> dict[str, Any] | None:
    request = call.request
    assert request is not None  # noqa: S101 - this file made the call
    if found.route.shape is None:
        return None
    try:
        given = json.loads(request.body) if request.body.strip() else None
    except ValueError:
        raise bad("The input provided isn't valid: the body is no JSON") from None
    return found.route.shape.check(given)


def _before(faults: Faults) -> Reply | None:
    if faults.take("refuse") is not None:
        return Reply(0, lost="refused")
    if faults.take("lose-reply-before") is not None:
        return Reply(0, lost="before")
    throttle = faults.take("throttle")
    if throttle is not None:
        seconds = str(int(float(throttle.get("seconds", 2))))
        return Reply(429, {"message": "Too many requests"}, {"Retry-After": seconds})
    if faults.take("html") is not None:
        return Reply(408, raw=_HTML, media_type="text/html")
    if faults.take("error-before") is not None:
        return Reply(500, {"class": "Server::InternalServerError", "message": "Internal server error"})
    if faults.take("expired") is not None:
        return Reply(460, {"message": "This Service is expired"})
    return None


def _after(faults: Faults, reply: Reply) -> Reply:
    if faults.take("lose-reply-after") is not None:
        return replace(reply, lost="after")
    if faults.take("error-after") is not None:
        return Reply(500, {"class": "Server::InternalServerError", "message": "Internal server error"})
    if faults.take("malformed") is not None:
        return replace(reply, raw=b'{"serviceName": "cut o')
    if faults.take("wrong-types") is not None:
        return replace(reply, content=twisted(reply.content))
    slow = faults.take("slow")
    return reply if slow is None else replace(reply, wait=float(slow.get("seconds", 60)))


def _within_rate(tx: Tx, caller: str) -> None:
    if not tx.settings.rate:
        return
    since = tx.now - 60
    times = tx.column("SELECT at FROM request WHERE caller = ? AND at > ? ORDER BY at", caller, since)
    if len(times) >= tx.settings.rate:
        wait = str(max(1, int(times[-int(tx.settings.rate)] - since) + 1))
        raise ApiError(429, {"message": "Too many requests"}, {"Retry-After": wait})
