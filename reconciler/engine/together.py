"""Side by side, and never left alone: what ends the whole ends its parts first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def together(works: Iterable[Callable[[], Awaitable[T]]], *, most: int = 0) -> list[T]:
    """Do some works side by side, at most so many at once; their results in order.

    When one raises, or all are cancelled, none goes on: nobody would hold its lease any more.
    """
    gate = asyncio.Semaphore(most) if most else None

    async def one(work: Callable[[], Awaitable[T]]) -> T:
        if gate is None:
            return await work()
        async with gate:
            return await work()

    tasks = [asyncio.create_task(one(work)) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
