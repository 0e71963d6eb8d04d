"""httpx and aiohttp, imported without what their import does for others: their share of a small plan is halved.

httpx brings a command line of its own, and with it rich and
pygments; it does without when that is missing. aiohttp reads this machine's authorities twice, for clients
that name no TLS context; every client here names one (see `transport`), and the context that aiohttp is given
instead trusts nobody, so that a request which forgot to would be refused and not go out unchecked.
"""

from __future__ import annotations

import ssl
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
    absent: dict[str, Any] = {
        _COMMAND_LINE: None
    }  # what Python's import takes for a module that is not there
    sys.modules |= absent
    try:
        yield
    finally:
        del sys.modules[_COMMAND_LINE]


@contextmanager
def _without_authorities() -> Iterator[None]:
    usual = ssl.create_default_context
    ssl.create_default_context = lambda *_, **__: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        yield
    finally:
        ssl.create_default_context = usual


with _without_command_line():
    import httpx
with _without_authorities():
    import aiohttp
    from httpx_aiohttp.transport import AiohttpResponseStream

__all__ = ["AiohttpResponseStream", "aiohttp", "httpx"]
