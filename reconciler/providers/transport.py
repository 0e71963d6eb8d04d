"""How bytes reach a provider: the connections, and the one gate that keeps a reader from writing."""

from __future__ import annotations

import functools
import json
import ssl
import urllib.request
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import yarl

from reconciler.core.endpoints import is_loopback
from reconciler.core.errors import ReconcilerError
from reconciler.providers.libraries import AiohttpResponseStream, aiohttp, httpx

DRY_RUN = "reconciler-dry-run"
"""How a cart is described that only asks for a price; at Partner Center, how each of its lines is named."""

READING = frozenset({"GET", "HEAD"})

_BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientProxyConnectionError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


class ReadOnlyError(ReconcilerError):
    """A client that was opened for reading was asked to change something; nothing was sent."""


class Connections(httpx.AsyncBaseTransport):
    """httpx's API on aiohttp's connections, with three things that a buyer of licences needs otherwise.

    A URL goes out exactly as it was signed. Nothing is ever sent twice: aiohttp would repeat a PUT or a
    DELETE by itself. And a write has a connection of its own, so that one which the server closed while it
    was idle is not mistaken for a lost answer. What failed after sending is never a failure to connect.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._reading: aiohttp.ClientSession | None = None
        self._writing: aiohttp.ClientSession | None = None
        self._proxies: dict[tuple[str, str], str | None] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and give the answer as it begins."""
        timeout: dict[str, Any] = request.extensions.get("timeout", {})
        proxy = self._proxy(request.url)
        try:
            answer = await self._session(request.method).request(
                request.method,
                yarl.URL(str(request.url), encoded=True),
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                data=request.content or None,
                allow_redirects=False,
                compress=False,
                ssl=_tls() if proxy or request.url.scheme == "https" else True,
                timeout=aiohttp.ClientTimeout(
                    sock_connect=timeout.get("connect"),
                    sock_read=timeout.get("read"),
                    connect=timeout.get("pool"),
                ),
                proxy=proxy,
            )
        except _BEFORE_SENDING as error:
            raise httpx.ConnectError(str(error)) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx.ReadError(str(error)) from error
        return httpx.Response(
            status_code=answer.status,
            headers=answer.raw_headers,
            stream=AiohttpResponseStream(answer),
            request=request,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        for session in (self._reading, self._writing):
            if session is not None:
                await session.close()

    def _proxy(self, url: httpx.URL) -> str | None:
        # Worked out once for each host: it costs as much as signing and sending together.
        host = (url.scheme, url.host)
        if host not in self._proxies:
            self._proxies[host] = _proxy(url)
        return self._proxies[host]

    def _session(self, method: str) -> aiohttp.ClientSession:
        if method in READING:
            self._reading = self._reading or self._open(keep=True)
            return self._reading
        self._writing = self._writing or self._open(keep=False)
        return self._writing

    def _open(self, *, keep: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=self._limit, force_close=not keep)
        session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        session._retry_connection = False  # noqa: SLF001 - the only way to keep aiohttp from repeating
        return session


class ReadOnly(httpx.AsyncBaseTransport):
    """The gate: lets pass what changes nothing, a token's fetch, and carts that only ask for a price.

    At Microsoft besides: asking whether an address can be one, and batches of nothing but reads.

    It stands where every request has to pass, so that no adapter can forget it.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, base_url: str, token_url: str | None) -> None:
        self._inner = inner
        self._base = urlsplit(base_url)
        self._token_url = token_url
        self._carts: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, or refuse it before anything is sent."""
        opens_cart = self._opens_cart(request)
        if request.method in READING or opens_cart or self._harmless(request):
            response = await self._inner.handle_async_request(request)
            if opens_cart:
                await self._remember(response)
            return response
        raise ReadOnlyError(
            f"{request.method} {request.url.path}: this client was opened for reading, so nothing was sent"
        )

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._inner.__aexit__(exc_type, exc_value, traceback)

    async def aclose(self) -> None:
        """Close what is behind the gate."""
        await self._inner.aclose()

    def _opens_cart(self, request: httpx.Request) -> bool:
        return (
            request.method == "POST"
            and self._path(request) == ["order", "cart"]
            and _field(request.content, "description") == DRY_RUN
        )

    async def _remember(self, response: httpx.Response) -> None:
        await response.aread()
        cart = _field(response.content, "cartId")
        if response.is_success and isinstance(cart, str) and cart:
            self._carts.add(cart)

    def _harmless(self, request: httpx.Request) -> bool:
        if request.method == "POST" and self._token_url is not None and str(request.url) == self._token_url:
            return True
        match request.method, self._path(request):
            case "DELETE", ["order", "cart", cart]:
                return cart in self._carts
            case "POST", ["order", "cart", cart, ("assign" | "officePrepaid")]:
                return cart in self._carts
            case "POST", ["order", "cart", cart, "item", item, "configuration"]:
                return cart in self._carts and item.isdecimal()
            case "POST", ["customers", _, "carts"]:  # it has no DELETE: it expires, and is never checked out
                return _only_asks(request.content)
            case "POST", ["validations", "address"]:
                return True
            case "POST", ["$batch"]:
                return _only_reads(request.content)
        return False

    def _path(self, request: httpx.Request) -> list[str]:
        """Take the path below the API's root apart; empty when it stands elsewhere."""
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        root = self._base.path.rstrip("/") + "/"
        if query or request.url.host != self._base.hostname or not path.startswith(root):
            return []
        return [unquote(part) for part in path.removeprefix(root).split("/")]


@functools.cache
def _tls() -> ssl.SSLContext:
    # Once a process and not before the first request needs it: it costs more than a small plan.
    return httpx.create_ssl_context()


def _field(body: bytes, name: str) -> object:
    try:
        return json.loads(body)[name]
    except (ValueError, TypeError, KeyError, RecursionError):  # the last: it nests without an end
        return None


def _only_asks(body: bytes) -> bool:
    lines = _field(body, "lineItems")
    if not isinstance(lines, list) or not lines:
        return False
    return all(isinstance(line, dict) and line.get("friendlyName") == DRY_RUN for line in lines)


def _only_reads(body: bytes) -> bool:
    calls = _field(body, "requests")
    if not isinstance(calls, list) or not calls:
        return False
    return all(isinstance(call, dict) and call.get("method") == "GET" for call in calls)


def _proxy(url: httpx.URL) -> str | None:
    # As the environment says, but never for this machine itself.
    if is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    return urllib.request.getproxies().get(url.scheme)
