"""One request to a provider, and the right error for what went wrong; the only place that speaks HTTP.

On a write only the provider's own refusal is `Rejected`; what was not accepted is `Unavailable`; everything
else may have taken effect and is `Uncertain`. On a read everything but a refusal is `Unavailable`, and reads
are repeated here, a few times, never earlier than the provider asked. Writes are never repeated.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct
from msgspec.json import decode

from reconciler import __version__
from reconciler.core.errors import Missing, ProviderError, Rejected, Unavailable, Uncertain
from reconciler.providers.libraries import httpx
from reconciler.providers.pace import LONGEST_HOLD, Clock, Pace
from reconciler.providers.settings import Settings
from reconciler.providers.transport import READING, Connections, ReadOnly

T = TypeVar("T")
LARGEST = 64 * 1024 * 1024
READ_ATTEMPTS = 4
LONGEST_MESSAGE = 500
SHORTEST_SECRET = 8
_QUERY = re.compile(r"(https?://[^\s?#]+)[?#]\S+")  # an order's link opens it for everybody
LONGEST_PAUSE = 10 * 366 * 86400.0
"""Who asks for more than these seconds asks never to be called again; more than this no calendar holds."""
ABSENT = 404


_HEADERS = {
    "User-Agent": f"m365-reconciler/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
}


class Answer(NamedTuple):
    """What a provider answered: the body as parsed JSON (None when it was empty), headers, status."""

    data: Any
    headers: Mapping[str, str]
    status: int


class Refusal(NamedTuple):
    """A provider's own error body: its class or code, its words, and whether it only means `not now`.

    wait: how many seconds to leave it alone then, when the answer itself does not say.
    """

    code: str
    message: str
    busy: bool = False
    wait: float = 1.0


class Dialect(Protocol):
    """What differs between providers: how a request is authorised, and how a refusal is worded."""

    async def headers(self, session: Session, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """Give the headers that authorise this request, exactly as it will be sent."""
        ...

    async def renewed(self, session: Session, status: int, refusal: Refusal) -> bool:
        """Tell whether a refusal was about credentials gone stale, which are fresh again by now."""
        ...

    def refusal(self, status: int, data: Any) -> Refusal | None:
        """Read an error body; None when it is none of the provider's own shapes."""
        ...

    async def now(self, session: Session, *, fresh: bool) -> float:
        """Give the provider's time, in seconds since 1970; `fresh` asks again."""
        ...

    def trace(self, headers: Mapping[str, str]) -> str:
        """Give what the provider's staff will ask for, when an answer carries it."""
        ...


def path(*parts: object) -> str:
    """Spell a path from its parts, each encoded by itself; what is not a plain character is escaped."""
    return "/" + "/".join(quote(str(part), safe="") for part in parts)


class Session:
    """One account's conversation with its provider, shared by everything that uses the account.

    requests: how many were sent, by method; a count of what the API's limits are about.
    hidden: words that no message repeats, whatever the provider says: credentials and tokens.
    """

    def __init__(
        self,
        settings: Settings,
        dialect: Dialect,
        *,
        writes: bool,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.settings = settings
        self.dialect = dialect
        self.clock = clock or Clock()
        self.writes = writes
        self.requests: Counter[str] = Counter()
        self.hidden: set[str] = set()
        own = Pace(rate=settings.rate, concurrency=settings.concurrency, clock=self.clock)
        self._pace = pace or own  # surfaces of one account share theirs
        inner = transport or Connections(limit=settings.concurrency)
        if not writes:
            inner = ReadOnly(inner, base_url=settings.base_url, token_url=settings.token_url)
        # httpx's client would do much for each request that nobody here wants: redirects, cookies, environments.
        self._transport: httpx.AsyncBaseTransport = inner
        self._extensions = {"timeout": httpx.Timeout(settings.timeout).as_dict()}
        self._base = settings.base_url.rstrip("/")

    async def read(
        self,
        route: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        attempts: int = READ_ATTEMPTS,
        authorised: bool = True,
    ) -> Answer:
        """Read something; tried a few times, with growing pauses, as long as that may help."""
        url = self._url(route, query)
        return await self.patiently(
            lambda: self._call("GET", url, b"", headers or {}, authorised=authorised), attempts
        )

    async def ask(self, route: str, body: object) -> Answer:
        """Read something that is asked for by a POST; repeated like any reading."""

        async def once() -> Answer:
            try:
                return await self.write("POST", route, body)
            except Uncertain as error:  # nothing was to change, so nothing has
                raise Unavailable(error.message, code=error.code, retry_after=error.retry_after) from error

        return await self.patiently(once)

    async def patiently(self, once: Callable[[], Awaitable[T]], attempts: int = READ_ATTEMPTS) -> T:
        """Do what changes nothing, a few times, with growing pauses, as long as that may help."""
        for attempt in range(1, attempts + 1):
            try:
                return await once()
            except Unavailable as error:
                if attempt == attempts or (error.retry_after or 0) > LONGEST_HOLD:
                    raise
                pause = 0.2 * 2**attempt * (1 + random.random())  # noqa: S311 - spreads load, hides nothing
                await self.clock.sleep(max(pause, error.retry_after or 0))
        raise AssertionError("a read is tried at least once")

    async def exists(self, route: str) -> bool:
        """Ask whether something is there, whose absence is told by 404 alone; asked once."""
        answer = await self._call("HEAD", self._url(route, None), b"", {}, authorised=True)
        return answer.status != ABSENT

    async def write(
        self, method: str, route: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Change something, once."""
        content = (
            b"" if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        )
        return await self._call(method, self._url(route, None), content, headers or {}, authorised=True)

    async def fetch(self, method: str, url: str, *, content: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request of the dialect's own, e.g. for a token: not authorised, not paced, not repeated."""
        return await self._send(method, url, content, dict(headers))

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def _url(self, route: str, query: Mapping[str, str] | None) -> str:
        return f"{self._base}{route}" + (f"?{urlencode(query, quote_via=quote, safe='')}" if query else "")

    async def _call(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, authorised: bool
    ) -> Answer:
        for attempt in (1, 2):
            async with self._pace:
                mine = await self.dialect.headers(self, method, url, body) if authorised else {}
                answer = await self._send(method, url, body, {**mine, **headers})
            if 200 <= answer.status < 300 or (method == "HEAD" and answer.status == ABSENT):
                return answer
            refusal = self.dialect.refusal(answer.status, answer.data)
            if attempt == 1 and authorised and 400 <= answer.status < 500:
                why = refusal or Refusal("", "")
                if await self.dialect.renewed(self, answer.status, why):
                    continue  # it was refused before anything was looked at, so this repeats nothing
            self.hidden.update(value.rpartition(" ")[2] for value in mine.values())
            raise self._error(method, url, answer, refusal)
        raise AssertionError("the second attempt answers or raises")

    async def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        place = f"{method} {urlsplit(url).path}"
        lost = Unavailable if method in READING else Uncertain
        kind = {"Content-Type": "application/json"} if body else {}
        own = {**_HEADERS, **kind, **headers}
        try:
            request = httpx.Request(method, url, content=body, headers=own, extensions=self._extensions)
        except httpx.InvalidURL as error:  # made of a name that no server can mean
            raise Unavailable(f"{_plain(place)}: not sent ({_words(error)})", code="no-address") from error
        self.requests[method] += 1
        try:
            response = await self._transport.handle_async_request(request)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
        ) as error:
            raise Unavailable(
                f"{place}: no connection ({_words(error)})", hint="try again later", code="unreachable"
            ) from error
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, OSError) as error:
            raise lost(f"{place}: no answer ({_words(error)})", code="no-answer") from error
        try:
            content = await _content(response)
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, OSError) as error:
            raise lost(f"{place}: the answer broke off ({_words(error)})", code="no-answer") from error
        finally:
            await response.aclose()
        return _answer(place, lost, response, content)

    def _error(self, method: str, url: str, answer: Answer, refusal: Refusal | None) -> ProviderError:
        """Choose the error for an answer that is no success."""
        trace = self.dialect.trace(answer.headers)
        code = self.said(refusal.code) if refusal else ""
        said = self.said(refusal.message) if refusal else ""
        words = ": ".join(word for word in (f"{answer.status} {code}".strip(), said) if word)
        message = f"{method} {urlsplit(url).path}: {words}" + (f" ({self.said(trace)})" if trace else "")
        wait = retry_after(answer.headers, now=self.clock.now())
        if answer.status == 429 or (refusal and refusal.busy):
            if answer.status == 429:
                self._pace.hold(wait or 1.0)
            wait = wait or (refusal.wait if refusal else 1.0)
            return Unavailable(message, hint="try again later", code=code or "throttled", retry_after=wait)
        if refusal and 400 <= answer.status < 500 and answer.status != 408:
            return (Missing if answer.status == 404 else Rejected)(message, code=code or str(answer.status))
        lost = Unavailable if method in READING else Uncertain
        return lost(message, code=code or str(answer.status), retry_after=wait)

    def said(self, text: str) -> str:
        """Give what a provider said, fit to be shown and kept: it may repeat what it was sent, or link to an order."""
        for word in sorted(self.hidden, key=len, reverse=True):
            if len(word) >= SHORTEST_SECRET:
                text = text.replace(word, "***").replace(quote(word, safe=""), "***")
        return _plain(_QUERY.sub(r"\1?***", text))


class _Unreadable(Struct, frozen=True):
    """A body that is not JSON."""


UNREADABLE = _Unreadable()


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Give the seconds that a provider asks to wait, whichever way it says so."""
    value = headers.get("retry-after", "").strip()
    if not value:
        reset = _number(headers.get("x-ratelimit-reset", ""))
        if reset is None:
            return None
        return _pause(reset - now if reset > now / 2 else reset)  # a moment, or a number of seconds
    seconds = _number(value)
    if seconds is not None:
        return _pause(seconds)
    try:
        return _pause(parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _pause(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_PAUSE)


async def _content(response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > LARGEST:
            raise httpx.ReadError(f"it is larger than {LARGEST} bytes")
        parts.append(part)
    return b"".join(parts)


def _answer(place: str, lost: type[ProviderError], response: httpx.Response, content: bytes) -> Answer:
    """Read a body as JSON; one that cannot be read is the same as none, even when the status says 200."""
    data: Any = None
    if content.strip():
        data = _parsed(content)
    if data is UNREADABLE and response.is_success:
        raise lost(f"{place}: {response.status_code} with a body that is not JSON", code="unreadable")
    if 300 <= response.status_code < 400:
        raise lost(f"{place}: {response.status_code}, and redirects are not followed", code="redirect")
    return Answer(data, response.headers, response.status_code)


def _parsed(content: bytes) -> Any:
    """Read JSON; halves of characters, which it can spell and nothing else can, are as good as none."""
    with suppress(ValueError, RecursionError):
        return decode(content)  # strict and fast; Partner Center's byte order mark is for the other one
    try:
        data = json.loads(content)
        if (b"\\u" in content or b"\xed" in content) and _HALVES.search(content):
            json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return UNREADABLE
    return data


_HALVES = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


def _words(error: BaseException) -> str:
    return _plain(str(error)) or type(error).__name__


def _plain(text: str) -> str:
    """Make what a server said fit for a line on a terminal: one line, no control characters, not endless."""
    return "".join(one for one in " ".join(text.split()) if one.isprintable())[:LONGEST_MESSAGE]
