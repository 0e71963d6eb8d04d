"""The ASGI application that answers for a world."""

import json

from starlette.requests import Request as Incoming
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.sandbox.call import Reply, Request
from reconciler.sandbox.world import World


class LostReplyError(Exception):
    """A fault: the connection dies. `reached` tells whether the request got through first."""

    def __init__(self, *, reached: bool) -> None:
        super().__init__("the sandbox was told to lose this reply")
        self.reached = reached


class LateReplyError(Exception):
    """A fault: the answer is ready but comes `seconds` later."""

    def __init__(self, seconds: float, answer: Response) -> None:
        super().__init__(f"the sandbox was told to answer {seconds} s late")
        self.seconds = seconds
        self.answer = answer


def application(world: World, *, trusting: bool = False) -> ASGIApp:
    """Serve a world; a lost or late reply leaves as an exception, for whoever holds the connection.

    trusting: OVHcloud's side lets in whoever shows no login at all.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        incoming = Incoming(scope, receive)
        body = await incoming.body()
        response = _outgoing(
            _own(world, incoming) or world.handle(_request(incoming, body, trusted=trusting))
        )
        await response(scope, receive, send)

    return app


def _request(incoming: Incoming, body: bytes, *, trusted: bool) -> Request:
    scope = incoming.scope
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return Request(
        incoming.method,
        f"{scope['scheme']}://{headers.get('host', '')}",
        raw.decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        headers,
        body,
        trusted,
    )


def _own(world: World, incoming: Incoming) -> Reply | None:
    match incoming.method, incoming.url.path:
        case "GET", "/sandbox/ledger":
            return Reply(content=world.ledger())
        case "GET", "/sandbox/requests":
            return Reply(content=world.requests())
        case "GET", "/sandbox/state":
            return Reply(content=world.state())
    return None


def _outgoing(reply: Reply) -> Response:
    if reply.lost:
        raise LostReplyError(reached=reply.lost != "refused")
    content = reply.raw
    if content is None:
        content = json.dumps(reply.content, ensure_ascii=False, separators=(",", ":")).encode()
    response = Response(content, reply.status, dict(reply.headers), reply.media_type)
    if reply.wait:
        raise LateReplyError(reply.wait, response)
    return response


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
