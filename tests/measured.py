"""What coverage does not look at: tests that only repeat, in many variations, what others are measured at."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

SUBPROCESSES = "COVERAGE_PROCESS_CONFIG"
"""The variable with which coverage measures the processes that a process starts."""


@contextmanager
def unmeasured() -> Iterator[None]:
    """Trace nothing here, nor in processes that are started here; elsewhere coverage goes on as before.

    Tracing makes Python half as fast, and costs each process 0.15 s before its first line.
    """
    if "coverage" not in sys.modules:
        yield
        return
    from coverage import Coverage  # it is there already, or nothing is measured

    measuring = Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    processes = os.environ.pop(SUBPROCESSES, None)
    try:
        yield
    finally:
        if processes is not None:
            os.environ[SUBPROCESSES] = processes
        measuring.start()


def measured_at(names: Collection[str], stories: Iterable[Any]) -> list[Any]:
    """Stories of which coverage looks at some, who come where no other test does."""
    return [one if one.name in names else pytest.param(one, marks=pytest.mark.unmeasured) for one in stories]
