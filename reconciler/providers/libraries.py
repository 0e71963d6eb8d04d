"""httpx and aiohttp, imported without what their import does for others: their share of a small plan is halved.

httpx brings a command line of its own, and with it rich and pygments; it does without when that is missing.
aiohttp reads this machine's authorities twice, for clients that name no TLS context; every client here names
one (see `transport`). What aiohttp makes for itself then trusts nobody: a request that forgot to name one
would be refused, and not go out unchecked.
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
    # None is what Python's import takes for a module that is not there.
    absent: dict[str, Any] = {_COMMAND_LINE: None}
    sys.modules |= absent
    try:
        yield
    finally:
        del sys.modules[_COMMAND_LINE]


def _nothing(_context: ssl.SSLContext) -> None:
    pass


@contextmanager
def _without_authorities() -> Iterator[None]:
    if "aiohttp" in sys.modules:
        yield
        return
    load = "set_default_verify_paths"  # inherited from the C class, so that taking ours away is enough
    setattr(ssl.SSLContext, load, _nothing)
    try:
        yield
    finally:
        delattr(ssl.SSLContext, load)


with _without_command_line():
    import httpx
with _without_authorities():
    import aiohttp
    from httpx_aiohttp.transport import AiohttpResponseStream

__all__ = ["AiohttpResponseStream", "aiohttp", "httpx"]
