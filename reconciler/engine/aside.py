"""The journal's calls from within the loop: one that is far away is asked beside it, so that others may join in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from reconciler.core.journal import Journal

T = TypeVar("T")

MOST = 64
"""Calls that wait for a distant journal at the same time; what is more goes with the next."""


async def aside(journal: Journal, call: Callable[[], T]) -> T:
    """Make a call of the journal, and give its answer once that is durable.

    A journal at hand is called at once: it answers within milliseconds. A distant one would keep everybody
    waiting for its network, one after another; called from threads, it puts into one push what is asked for
    while another is under way. Cancelled, the call may still be carried out: the journal then knows more than
    was done, never less.
    """
    if not journal.distant:
        return call()
    return await asyncio.get_running_loop().run_in_executor(_threads(), call)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST, thread_name_prefix="journal")
