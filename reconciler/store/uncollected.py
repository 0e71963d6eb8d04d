"""Reading much at once without the garbage collector going through the growing pile."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected(*, freeze: bool = False) -> Iterator[None]:
    """Keep the collector away meanwhile: it takes a fifth of the time, or half of it.

    freeze: what was read is kept to the end, so it is never looked at again.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            if freeze:
                gc.freeze()
            gc.enable()
