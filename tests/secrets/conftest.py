"""Time does not pass in these tests: whoever wants to wait has waited already."""

from __future__ import annotations

import asyncio
import time

import pytest

from reconciler.engine.clock import SystemClock
from reconciler.providers import http
from reconciler.providers.microsoft import connection
from reconciler.providers.pace import Clock


class _Jumping:
    """A clock that a wait moves on at once."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: time.monotonic() + self._ahead, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self._ahead += seconds
        await asyncio.sleep(0)


async def _soon(_clock: SystemClock, _seconds: float) -> None:
    await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that fails is asked again, and a refused write tried again, without the pauses between."""
    for module in (http, connection):
        monkeypatch.setattr(module, "Clock", lambda: _Jumping().clock())
    monkeypatch.setattr(SystemClock, "sleep", _soon)
