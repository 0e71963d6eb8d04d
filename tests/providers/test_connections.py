"""The connections that carry real requests, against a server on this machine that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from reconciler.core.errors import ProviderError, Unavailable, Uncertain
from reconciler.providers.http import Session, path
from reconciler.providers.ovh.auth import Signature
from reconciler.providers.settings import Settings
from reconciler.providers.transport import Connections

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1"
TORN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"


@dataclass
class Server:
    """Reads requests off a socket and answers each with raw bytes; nothing means hanging up."""

    answer: Callable[[int], bytes]
    lines: list[str] = field(default_factory=list)
    connections: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                size = next((int(one[15:]) for one in lines if one.lower().startswith("content-length:")), 0)
                await reader.readexactly(size)
                if "/auth/time" in lines[0]:
                    answer = OK
                else:
                    self.lines.append(lines[0])
                    answer = self.answer(len(self.lines))
                writer.write(answer)
                await writer.drain()
                if answer != OK:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Session]:
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    settings = Settings(base_url=f"http://127.0.0.1:{port}/1.0", timeout=5)
    keys = Signature(application_key="k", application_secret="s", consumer_key="c")
    session = Session(settings, keys, writes=True)
    try:
        yield session
    finally:
        await session.close()
        listening.close()
        await listening.wait_closed()


async def test_a_path_goes_out_exactly_as_it_was_signed() -> None:
    server = Server(lambda _: OK)

    async with serving(server) as session:
        await session.read(path("user", "o'neil,x y@a.com"), query={"d": "a+b@c"})
        await session.read(f"{path('seat')}/a%40b,c%40d")

    assert server.lines == [
        "GET /1.0/user/o%27neil%2Cx%20y%40a.com?d=a%2Bb%40c HTTP/1.1",
        "GET /1.0/seat/a%40b,c%40d HTTP/1.1",
    ]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("answer", [b"", TORN], ids=["hangs up", "breaks off"])
async def test_a_write_whose_answer_is_lost_is_uncertain_and_not_repeated(method: str, answer: bytes) -> None:
    server = Server(lambda _: answer)

    async with serving(server) as session:
        with pytest.raises(Uncertain):
            await session.write(method, "/x", {"a": 1})

    assert len(server.lines) == 1


async def test_a_write_on_an_account_that_was_idle_has_a_connection_of_its_own() -> None:
    server = Server(lambda _: OK)

    async with serving(server) as session:
        await session.read("/x")
        await session.read("/x")
        read = server.connections
        await session.write("POST", "/x")
        await session.write("POST", "/x")

    assert read == 1
    assert server.connections == 3


async def test_a_server_that_hangs_up_makes_a_read_unavailable() -> None:
    server = Server(lambda _: b"")

    async with serving(server) as session:
        with pytest.raises(Unavailable):
            await session.read("/x", attempts=1)


async def test_where_nobody_listens_nothing_was_sent() -> None:
    listening = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    keys = Signature(application_key="k", application_secret="s", consumer_key="c")
    session = Session(Settings(base_url=f"http://127.0.0.1:{port}"), keys, writes=True)

    with pytest.raises(ProviderError) as caught:
        await session.write("POST", "/x")
    await session.close()

    assert type(caught.value) is Unavailable


async def test_an_answer_that_does_not_come_in_time_is_no_failure_to_connect() -> None:
    stopped = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stopped.wait()
        writer.close()

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    connections = Connections(limit=2)
    async with httpx.AsyncClient(transport=connections, timeout=httpx.Timeout(5, read=0.05)) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(f"http://127.0.0.1:{port}/x")
    stopped.set()
    listening.close()
    await listening.wait_closed()
