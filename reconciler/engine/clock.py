"""Time as the engine sees it: passed in, so that tests turn it and a signal can cut a wait short."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the engine asks of time."""

    def now(self) -> datetime:
        """This moment, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; returns at once when the run is to stop."""
        ...

    @property
    def stopping(self) -> bool:
        """Whether the run was asked to stop: nothing new is begun."""
        ...


class SystemClock:
    """The real clock; `stop()` ends every wait and keeps new actions from being begun."""

    def __init__(self) -> None:
        self._stop: asyncio.Event | None = None
        self._stopping = False

    def now(self) -> datetime:
        """This moment, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait, or until `stop()`."""
        if self._stop is None:
            self._stop = asyncio.Event()
        if self._stopping:
            return
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._stop.wait()
        except TimeoutError:
            return

    def stop(self) -> None:
        """Ask the run to end: what is in flight is finished or journalled, nothing new begins."""
        self._stopping = True
        if self._stop is not None:
            self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether `stop()` was called."""
        return self._stopping
