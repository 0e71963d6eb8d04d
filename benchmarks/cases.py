"""What is run in a process of its own: our loader and its rivals, the floor of a plan, clients, diffs."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import corpus
from measure import tell


@contextmanager
def inside(**more: float) -> Iterator[None]:
    """Tell the CPU of what stands inside, imports left out."""
    before = time.process_time()
    yield
    tell(inner=time.process_time() - before, **more)


def load_ours(root: str) -> None:
    from reconciler.store.manifests import load

    with inside():
        loaded = load((), cwd=Path(root), version="1.0")
    tell(tenants=len(loaded.manifests), errors=len(loaded.errors))
    for found in loaded.errors[:1]:
        print(found)


def load_csafe(root: str) -> None:
    import yaml

    from reconciler.core.manifest import TENANT

    with inside():
        for file in sorted(Path(root, "tenants").iterdir()):
            TENANT.validate_python(yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader))


def load_ruamel(root: str, files: str) -> None:
    from ruamel.yaml import YAML

    from reconciler.core.manifest import TENANT

    reader = YAML(typ="rt")
    chosen = sorted(Path(root, "tenants").iterdir())[: int(files)]
    with inside():
        for file in chosen:
            TENANT.validate_python(json.loads(json.dumps(reader.load(file))))


def load_json(root: str) -> None:
    loads = fastest_json()
    with inside():
        for file in sorted(Path(root, "json").iterdir()):
            loads(file.read_bytes())


def floor(root: str, url: str) -> None:
    """Nothing but the same bytes: manifests as JSON, and the people of every tenant over bare sockets."""
    loads = fastest_json()
    gc.disable()
    tenants = [loads(file.read_bytes()) for file in sorted(Path(root, "json").iterdir())]
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as wire:
        for tenant in tenants:
            if tenant["provider"] == "ovh-payg":
                loads(_page(wire, f"/1.0/license/office/{tenant['service']}/user", 1)[1])
        page, total, seen = 1, 1, 0
        while seen < total:
            total, body = _page(wire, "/1.0/license/officePrepaid", page)
            seats = loads(body)
            seen, page = seen + len(seats), page + 1
            total = total if seats else 0


def _page(wire: socket.socket, path: str, page: int) -> tuple[int, bytes]:
    wire.sendall(
        f"GET {path} HTTP/1.1\r\nX-Pagination-Number: {page}\r\nX-Pagination-Size: 5000\r\n\r\n".encode()
    )
    data = wire.recv(1 << 16)
    while b"\r\n\r\n" not in data:
        data += wire.recv(1 << 16)
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    parts, missing = [body], int(fields[b"content-length"]) - len(body)
    while missing:
        parts.append(wire.recv(min(missing, 1 << 20)))
        missing -= len(parts[-1])
    return int(fields.get(b"x-pagination-elements", b"0")), b"".join(parts)


def client_ours(url: str, number: str, in_flight: str) -> None:
    from reconciler.providers import open_session
    from reconciler.providers.settings import Settings

    settings = Settings(base_url=url, token_url=None, concurrency=int(in_flight))
    keys = dict.fromkeys(("application_key", "application_secret", "consumer_key"), "bench")
    session = open_session(settings, keys, writes=False)

    async def one() -> Any:
        return (await session.read("/bench/page")).data

    asyncio.run(_many(one, int(number), int(in_flight), session.close))


def client_httpx(url: str, number: str, in_flight: str) -> None:
    import httpx

    async def whole() -> None:
        client = httpx.AsyncClient(timeout=60)

        async def one() -> Any:
            return (await client.get(f"{url}/bench/page")).json()

        await _many(one, int(number), int(in_flight), client.aclose)

    asyncio.run(whole())


async def _many(one: Callable[[], Any], number: int, in_flight: int, close: Callable[[], Any]) -> None:
    await one()
    slots = asyncio.Semaphore(in_flight)
    took: list[float] = []

    async def timed() -> None:
        async with slots:
            began = time.perf_counter()
            assert len(await one()) == 50
            took.append(time.perf_counter() - began)

    with inside():
        await asyncio.gather(*(timed() for _ in range(number)))
    took.sort()
    tell(tail=took[int(len(took) * 0.99)] / statistics.median(took))
    await close()


def asked(url: str) -> None:
    """How many requests the server counted before this one."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as wire:
        found = json.loads(_page(wire, "/1.0/bench/asked", 0)[1])
    tell(asked=sum(number for path, number in found.items() if not path.startswith("bench")))


def diff_ours(tenants: str, users: str) -> None:
    from planning import compared

    tell(changed=compared(int(tenants), int(users)))


def diff_plans(tenants: str, users: str) -> None:
    from planning import planned

    tell(changed=planned(int(tenants), int(users)))


def diff_deepdiff(tenants: str, users: str) -> None:
    from deepdiff import DeepDiff

    wanted: dict[str, dict[str, str]] = {}
    found: dict[str, dict[str, str]] = {}
    for tenant in range(int(tenants)):
        for side, shape in ((wanted, "same"), (found, "onepct")):
            for one in corpus.at_provider(tenant, int(users), shape):
                side[f"{tenant}/{one.login}"] = {
                    "first_name": one.first,
                    "last_name": one.last,
                    "country": one.country,
                }
    with inside():
        changed = len(DeepDiff(found, wanted)["values_changed"])
    tell(changed=changed)


def fastest_json() -> Callable[[bytes], Any]:
    """orjson where it is installed, else the standard library's reader."""
    try:
        found: Callable[[bytes], Any] = import_module("orjson").loads
    except ImportError:
        return json.loads
    return found


CASES = {
    name.replace("_", "-"): function
    for name, function in list(globals().items())
    if name.startswith(("load_", "floor", "asked", "client_", "diff_"))
}

if __name__ == "__main__":
    CASES[sys.argv[1]](*sys.argv[2:])
