"""Time as the adapters see it, and how fast requests may follow each other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from msgspec import Struct

from reconciler.core.errors import Unavailable

LONGEST_HOLD = 120.0
"""A provider that asks for a longer pause than this is not waited for within one request."""


class Clock(Struct, frozen=True):
    """Where time comes from: seconds since 1970, a clock that never jumps, and how to wait."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Pace:
    """At most `rate` requests a second and `concurrency` at once; none while the provider wants quiet."""

    def __init__(self, *, rate: float | None, concurrency: int, clock: Clock) -> None:
        self._clock = clock
        self._interval = 1 / rate if rate else 0.0
        self._burst = max(0.0, 1 - self._interval)  # what one second allows may go out at once
        self._next = clock.monotonic()
        self._quiet_until = 0.0
        self._slots = asyncio.Semaphore(concurrency)

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        try:
            await self._turn()
        except BaseException:
            self._slots.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._slots.release()

    def hold(self, seconds: float) -> None:
        """Send nothing for that long: the provider asked for it."""
        self._quiet_until = max(self._quiet_until, self._clock.monotonic() + seconds)

    async def _turn(self) -> None:
        now = self._clock.monotonic()
        self._next = max(self._next, now - self._burst) + self._interval
        wait = self._next - self._interval - now
        if wait > 0:
            await self._clock.sleep(wait)
        while (left := self._quiet_until - self._clock.monotonic()) > 0:
            if left > LONGEST_HOLD:
                raise Unavailable(
                    f"the provider asked for {left:.0f} s without requests",
                    hint="try again later",
                    code="throttled",
                    retry_after=left,
                )
            await self._clock.sleep(left)
