"""The sandbox over HTTP on this machine, where a lost reply is a connection that really dies."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.sandbox.app import LateReplyError, LostReplyError, application
from reconciler.sandbox.world import World

HOST = "127.0.0.1"


class _Protocol(H11Protocol):
    """HTTP as usual, but the application may take the connection itself."""

    open: dict[tuple[str, int], asyncio.BaseTransport] = {}  # noqa: RUF012 - by client, for the whole server

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            self.open[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            self.open.pop(self.client, None)
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """A server that says where it is once it listens."""

    tell: Callable[[str], None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self.tell is not None:
            root = address(self).removesuffix("/1.0")
            self.tell(f"OVHcloud sandbox at {root}/1.0")
            self.tell(f"Microsoft sandbox at {root}/login, {root}/partner-center and {root}/graph")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            # A signal is how a person ends it, so it ends well and is not raised once more.
            self._captured_signals.clear()


def serve(port: int, state: Path, *, signed: bool = False, tell: Callable[[str], None] = print) -> None:
    """Serve the world of a file until a signal ends it; port 0 takes a free one. Tells the base URL.

    Raises OSError when the port cannot be had.
    signed: refuse whoever shows no login, as OVHcloud does.
    """
    world = World.open(state)
    try:
        running = server(world, port, trusting=not signed)
        running.tell = tell
        with socket.create_server((HOST, port)) as listening:
            running.run(sockets=[listening])
    finally:
        world.close()


def server(world: World, port: int, *, trusting: bool = False) -> _Server:
    """Give a server for a world that is not started yet."""
    config = uvicorn.Config(
        _hanging_up(application(world, trusting=trusting)),
        host=HOST,
        port=port,
        http=_Protocol,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
    )
    return _Server(config)


def address(running: uvicorn.Server) -> str:
    """Give the base URL of a server that was started."""
    port = running.servers[0].sockets[0].getsockname()[1]
    return f"http://{HOST}:{port}/1.0"


def _hanging_up(app: ASGIApp) -> ASGIApp:
    async def hanging_up(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except LateReplyError as late:
            await asyncio.sleep(late.seconds)
            await late.answer(scope, receive, send)
        except LostReplyError:
            connection = _Protocol.open.get(scope["client"])
            if isinstance(connection, asyncio.WriteTransport):
                connection.abort()
            # Returning before the server knows that the connection is gone would make it answer 500.
            while (await receive())["type"] != "http.disconnect":
                continue

    return hanging_up
