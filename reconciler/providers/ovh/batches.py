"""What many tenants ask for at the same moment, in as few requests as can hold it.

Tenants are read side by side, so their small questions (is it suspended, when does it renew, is a task
open) come in waves. A wave is put into batches, of which one holds fifty ids; nobody waits for one to fill.
A batch is a feature that nobody promises: what it does not answer well is left out, and read one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeVar

from reconciler.core.errors import Rejected, Unavailable
from reconciler.providers.http import path
from reconciler.providers.ovh.api import Api
from reconciler.providers.published import parse

T = TypeVar("T")

CHUNK = 50  # ids a batch, as OVHcloud's own manager asks (reference section 10)


class Wave:
    """The ids that are asked for below one route until the requests begin, and the reading of them."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.answer: asyncio.Task[dict[str, Any]] | None = None
        self.done = asyncio.Event()


async def together(
    api: Api, route: str, kind: type[T], names: Sequence[str], *, suffix: str = ""
) -> dict[str, T]:
    """Read these objects with those that others ask for right now; what is not answered is left out."""
    if not names:
        return {}
    key = (route, suffix, kind)
    wave = api.waves.setdefault(key, Wave())
    wave.names.update(dict.fromkeys(names))
    if wave.answer is None:
        wave.answer = asyncio.create_task(_read(api, key, kind))
        wave.answer.add_done_callback(lambda _: wave.done.set())
    await wave.done.wait()  # and not for the answer itself: who gives up would take it from the others
    answered = wave.answer.result()
    return {name: answered[name] for name in names if name in answered}


async def one(api: Api, route: str, kind: type[T], name: str, *, suffix: str = "") -> T:
    """Read one object, with those that others ask for right now or by itself; errors are its own."""
    answered = await together(api, route, kind, [name], suffix=suffix)
    if name in answered:
        return answered[name]
    return await api.get(kind, f"{route}{path(name)}{suffix}")


async def numbers(api: Api, route: str, name: str, *, suffix: str) -> list[str]:
    """Read a plain list of ids below one object, as text."""
    return [str(each) for each in await one(api, route, list[str | int], name, suffix=suffix)]


async def _read(api: Api, key: tuple[str, str, Any], kind: type[T]) -> dict[str, T]:
    await asyncio.sleep(0)  # whoever was woken together with the first asks now
    route, suffix, _ = key
    names = list(api.waves.pop(key).names)
    chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    found: dict[str, T] = {}
    # The first goes ahead: a server that answers no batches is asked for one only.
    for some in (chunks[:1], chunks[1:]):
        for answered in await asyncio.gather(*(_batch(api, route, kind, chunk, suffix) for chunk in some)):
            found |= answered
    return found


async def _batch(api: Api, route: str, kind: type[T], names: Sequence[str], suffix: str) -> dict[str, T]:
    """Ask for several objects at once; what is not answered well is left out."""
    feature = f"batch {pattern(route)}{suffix}"
    plain = [name for name in names if "," not in name]
    if len(plain) < 2 or feature in api.unanswered:
        return {}
    joined = ",".join(path(name)[1:] for name in plain)
    try:
        answer = await api.session.read(f"{route}/{joined}{suffix}", headers={"X-Ovh-Batch": ","}, attempts=1)
    except Rejected:
        api.unanswered.add(feature)
        return {}
    except Unavailable:
        return {}
    if not isinstance(answer.data, list):
        api.unanswered.add(feature)
        return {}
    return _answered(kind, answer.data, set(plain))


def _answered(kind: type[T], items: list[Any], asked: set[str]) -> dict[str, T]:
    told: dict[str, Any] = {}
    for item in items:
        match item:
            case {"key": str() | int() as name, "value": value} if (
                not item.get("error") and str(name) in asked
            ):
                told[str(name)] = value
    try:
        return dict(zip(told, parse(list[kind], list(told.values())), strict=True))  # type: ignore[valid-type]
    except ValueError:  # one of them is not as published, which says nothing of the others
        return _one_by_one(kind, told)


def _one_by_one(kind: type[T], told: dict[str, Any]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, value in told.items():
        with suppress(ValueError):
            found[name] = parse(kind, value)
    return found


def pattern(route: str) -> str:
    """Name the kind of a route, so that one tenant's answer tells about the next one's."""
    parts = route.strip("/").split("/")
    return "/".join(part for place, part in enumerate(parts) if place < 2 or place % 2)
