"""httpx and aiohttp, imported in one place, and httpx without the command line that it brings for others.

That command line imports rich and pygments, which a small plan would wait for; httpx does without when it is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_COMMAND_LINE = "httpx._main"


@contextmanager
def _without_command_line() -> Iterator[None]:
    if "httpx" in sys.modules:
        yield
        return
    # None is what Python's import takes for a module that is not there.
    absent: dict[str, Any] = {_COMMAND_LINE: None}
    sys.modules |= absent
    try:
        yield
    finally:
        del sys.modules[_COMMAND_LINE]


with _without_command_line():
    import aiohttp
    import httpx
    from httpx_aiohttp.transport import AiohttpResponseStream

__all__ = ["AiohttpResponseStream", "aiohttp", "httpx"]
