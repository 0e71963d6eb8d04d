"""The sandbox over real HTTP with a tap before it: every request that reaches the socket is written down."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox import server
from reconciler.sandbox.world import World


@dataclass(frozen=True)
class Seen:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answering = Callable[[Seen], Awaitable[Response | None]]


async def _as_usual(_seen: Seen) -> Response | None:
    return None


@dataclass
class Tap:
    """What came in, and who answers in the sandbox's place; with None the sandbox itself."""

    seen: list[Seen] = field(default_factory=list)
    answer: Answering = _as_usual

    @property
    def changing(self) -> list[Seen]:
        """Every request that is no plain reading; fetching a token, or asking about an address, changes nothing."""
        harmless = ("/login/", "/partner-center/v1/validations/")
        asked = [one for one in self.seen if one.method not in {"GET", "HEAD"}]
        return [one for one in asked if not one.path.startswith(harmless)]

    def before(self, app: ASGIApp) -> ASGIApp:
        """Stand before an application."""

        async def tapped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            body = await _body(receive)
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            seen = Seen(scope["method"], scope["path"], headers, body)
            self.seen.append(seen)
            answer = await self.answer(seen)
            again = _given_again(body, receive)
            await (answer(scope, again, send) if answer is not None else app(scope, again, send))

        return tapped


async def _body(receive: Receive) -> bytes:
    parts = b""
    while True:
        message = await receive()
        parts += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return parts


def _given_again(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


@dataclass(frozen=True)
class Served:
    """A world that answers at `url`, and the tap before it."""

    world: World
    url: str
    tap: Tap

    @property
    def root(self) -> str:
        """Where the server stands, without the API's own path."""
        return self.url.removesuffix("/1.0")


@contextmanager
def served(world: World) -> Iterator[Served]:
    """Serve a world on loopback."""
    told, tap = threading.Event(), Tap()
    running = server.server(world, 0)
    running.config.app = tap.before(running.config.app)  # type: ignore[arg-type] # it is the application itself
    running.tell = lambda _: told.set()
    thread = threading.Thread(target=running.run)
    thread.start()
    assert told.wait(20)
    try:
        yield Served(world, server.address(running), tap)
    finally:
        running.should_exit = True
        thread.join(20)
