# ruff: noqa: D103 - the route above a handler says what it answers
"""Graph's `$batch`: up to twenty calls in one, each with its own answer, in no order that can be relied on."""

import json
from collections.abc import Iterator
from typing import Any

from reconciler.sandbox.call import Call, Reply, Request
from reconciler.sandbox.faults import waiting
from reconciler.sandbox.microsoft import misbehaviour
from reconciler.sandbox.microsoft.calls import inner
from reconciler.sandbox.microsoft.errors import odd
from reconciler.sandbox.microsoft.routes import graph

MOST = 20


@graph("POST", "/$batch")
def batch(call: Call) -> dict[str, Any]:
    asked = call.body.get("requests") if isinstance(call.body, dict) else None
    if not isinstance(asked, list) or not asked:
        raise odd("BadRequest", "Invalid batch payload format.")
    if len(asked) > MOST:
        raise odd("BadRequest", f"Number of batch request steps exceeds the maximum value of {MOST}.")
    ids = [one.get("id") if isinstance(one, dict) else None for one in asked]
    if None in ids or len(set(ids)) != len(ids):
        raise odd("BadRequest", "Every request of a batch needs an id of its own.")
    every = _every(call)
    answers: dict[str, dict[str, Any]] = {}
    for place, one in enumerate(asked):
        answers[str(one["id"])] = _one(call, one, answers, hit=bool(every) and place % every == 0)
    # The answers come as they are ready, which is not the order of the questions.
    return {"responses": list(reversed(answers.values()))}


def _every(call: Call) -> int:
    fault = call.faults.take("partial-batch")
    return 0 if fault is None else int(fault.get("every", 2))


def _one(call: Call, one: dict[str, Any], answers: dict[str, dict[str, Any]], *, hit: bool) -> dict[str, Any]:
    number = str(one["id"])
    needed = [answers.get(str(name), {"status": 424}) for name in one.get("dependsOn") or ()]
    if any(answer["status"] >= 400 for answer in needed):
        error = {
            "error": {"code": "FailedDependency", "message": "A request that this one depends on failed."}
        }
        return {"id": number, "status": 424, "headers": {}, "body": error}
    reply = misbehaviour.throttled("graph", 2) if hit else _answered(call, _request(call, one))
    return {"id": number, "status": reply.status, "headers": dict(_headers(reply)), "body": reply.content}


def _answered(call: Call, request: Request) -> Reply:
    faults = waiting(call.tx, request.method, request.raw_path)
    early = misbehaviour.instead(faults, "graph")
    if early is not None:
        return early
    reply, _ = inner(call.tx, request, faults)
    return misbehaviour.broken("graph") if faults.take("error-after") is not None else reply


def _request(call: Call, one: dict[str, Any]) -> Request:
    path, _, query = str(one.get("url", "")).lstrip("/").partition("?")
    outer = call.request
    assert outer is not None  # noqa: S101 - the face made the call
    own = {str(key).lower(): str(value) for key, value in (one.get("headers") or {}).items()}
    headers = {"authorization": outer.headers.get("authorization", ""), **own}
    body = json.dumps(one["body"]).encode() if one.get("body") is not None else b""
    return Request(
        str(one.get("method", "GET")).upper(), outer.base, f"/graph/v1.0/{path}", query, headers, body
    )


def _headers(reply: Reply) -> Iterator[tuple[str, str]]:
    if reply.raw is None:
        yield "Content-Type", "application/json"
    yield from reply.headers.items()
