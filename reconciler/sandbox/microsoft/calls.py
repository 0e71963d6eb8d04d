"""One call at Partner Center or Graph: who asks, which route answers, what the handler says."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

from msgspec.structs import replace

from reconciler.sandbox import interference
from reconciler.sandbox.call import ApiError, Call, Reply, Request
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.microsoft import gate, memory, misbehaviour, throttle
from reconciler.sandbox.microsoft.errors import bad_request, classic, odd
from reconciler.sandbox.microsoft.routes import GRAPH, PARTNER
from reconciler.sandbox.router import Found, Router
from reconciler.sandbox.store import Tx

_FUNCTION = re.compile(r"(?P<name>[\w.]+)\((?:\w+=)?'(?P<value>[^']*)'\)")
_VERSIONS = {"partner-center": "v1", "graph": "v1.0"}


def inner(tx: Tx, request: Request, faults: Faults) -> tuple[Reply, str]:
    """Answer one call, or one of a batch, and say who asked; without what may happen on the way back."""
    parts = tuple(_segments(request.raw_path))
    surface = parts[0]
    name = ""
    try:
        router = PARTNER if surface == "partner-center" else GRAPH
        known = len(parts) > 1 and parts[1] == _VERSIONS[surface]
        found = router.find(request.method, parts[2:]) if known else None
        if surface == "graph":
            caller = gate.graph(tx, request)
        else:
            caller = gate.partner(tx, request, None if found is None else found.route)
        name = caller["name"]
        headers = throttle.spend(tx, caller, request, surface)
        call = Call(tx, faults, caller=caller, base=request.base, request=request)
        reply = _handled(call, router, found, parts, surface)
        return replace(reply, headers={**headers, **reply.headers}), name
    except ApiError as refusal:
        return Reply(refusal.status, refusal.body, refusal.headers), name


def _segments(raw: str) -> list[str]:
    # subscriptions(commerceSubscriptionId='x') is a word and a value to the table of routes.
    found: list[str] = []
    for part in raw.strip("/").split("/"):
        text = unquote(part)
        function = _FUNCTION.fullmatch(text)
        found += [text] if function is None else [f"{function['name']}()", function["value"]]
    return found


def _handled(call: Call, router: Router, found: Found | None, parts: tuple[str, ...], surface: str) -> Reply:
    request = call.request
    assert request is not None  # noqa: S101 - this file made the call
    if found is None:
        if surface == "graph":
            raise odd("BadRequest", f"Resource not found for the segment '{parts[-1]}'.")
        raise classic(1000) if not router.knows(parts[2:]) else ApiError(405, {"message": "Not allowed"})
    if call.faults.take("busy") is not None:
        raise odd("Locked", "The object is being changed.", 423) if surface == "graph" else classic(900278)
    somebody = call.faults.take("interference") or {}
    change, when = str(somebody.get("change", "")), somebody.get("when", "before")
    if somebody and when == "before":
        interference.change(call.tx, change)
    query = dict(parse_qsl(request.raw_query, keep_blank_values=True))
    call = replace(call, path=found.path, query=query, body=_body(request, surface))
    reply = _done(call, found)
    if somebody and when == "after":
        interference.change(call.tx, change)
    return reply


def _done(call: Call, found: Found) -> Reply:
    if found.route.method in {"GET", "HEAD"}:
        return _read(call, found)
    call.tx.run("SAVEPOINT handler")
    try:
        reply = memory.once(call, lambda: _reply(found.route.handler(call)))
    except ApiError:
        # A fault that was used up stays so; what the handler began does not.
        call.tx.run("ROLLBACK TO handler")
        call.tx.run("RELEASE handler")
        raise
    call.tx.run("RELEASE handler")
    return reply


def _read(call: Call, found: Found) -> Reply:
    reply = _reply(found.route.handler(call))
    content = reply.content
    listed = isinstance(content, dict) and ("items" in content or isinstance(content.get("value"), list))
    if listed and call.faults.take("fail-list") is not None:
        request = call.request
        assert request is not None  # noqa: S101 - this file made the call
        return misbehaviour.broken(request.raw_path.strip("/").split("/")[0])
    return reply


def _reply(content: object) -> Reply:
    match content:
        case Reply():
            return content
        case None:
            return Reply(204, raw=b"")
    return Reply(content=content)


def _body(request: Request, surface: str) -> Any:
    if not request.body.strip():
        return None
    try:
        return json.loads(request.body)
    except ValueError:
        if surface == "graph":
            raise bad_request("Unable to read JSON request payload.") from None
        raise classic(800002, text="The body is no JSON") from None
