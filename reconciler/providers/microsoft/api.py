"""Typed calls to one of Microsoft's surfaces: lists in portions, hints for known refusals, ids of requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from reconciler.core.errors import Missing, ProviderError, Unavailable, Uncertain
from reconciler.providers.http import Session
from reconciler.providers.microsoft.wire import Link, Page
from reconciler.providers.published import parse

T = TypeVar("T")

_REQUESTS = UUID("7d0c1f0a-4a53-5b1c-9d63-0c9a8f0f6f11")
LONGEST_LIST = 10_000
"""Portions of one list: a list that has no end is no list."""
_PASSED_ON = re.compile(r"MS-[A-Za-z-]+\Z", re.IGNORECASE)
_VISIBLE = re.compile(r"[!-~]*")


def request_id(action: str, step: str, number: int) -> str:
    """Give the id of one call of an action: the same as long as no answer came, another after any."""
    return str(uuid5(_REQUESTS, f"{action}/{step}/{number}"))


class Api:
    """The calls of one surface; `hints` say what to do about a refusal, by its code."""

    def __init__(self, session: Session, hints: Mapping[str, str] | None = None) -> None:
        self.session = session
        self.settings = session.settings
        self._hints = hints or {}

    async def now(self) -> datetime:
        """The provider's clock; a local provider's may have been turned since it was last asked."""
        seconds = await self.session.dialect.now(self.session, fresh=self.settings.sandbox)
        return datetime.fromtimestamp(seconds, UTC)

    async def document(
        self, route: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Read one object as it comes, to be sent back whole."""
        try:
            answer = await self.session.read(route, query=query, headers=headers)
        except ProviderError as error:
            raise self._told(error) from error
        if not isinstance(answer.data, dict):
            raise Unavailable(f"GET {route}: the answer is no object", code="unreadable")
        return answer.data

    async def get(
        self,
        kind: type[T],
        route: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Read one object; a body of another shape is as good as none."""
        return _read(kind, await self.document(route, query, headers), f"GET {route}", Unavailable)

    async def maybe(self, kind: type[T], route: str, query: Mapping[str, str] | None = None) -> T | None:
        """Read one object that may not be there."""
        try:
            return await self.get(kind, route, query)
        except Missing:
            return None

    async def items(self, kind: type[T], route: str, query: Mapping[str, str] | None = None) -> list[T]:
        """Read a whole list of Partner Center, portion by portion; a partial one raises."""
        found: list[Any] = []
        page = await self.get(Page, route, query)
        for _ in range(LONGEST_LIST):
            found += page.items
            link = page.links.next if page.links else None
            if link is None or not link.uri:
                if page.total_count is not None and len(found) < page.total_count:
                    said = f"{len(found)} of {page.total_count} came"
                    raise Unavailable(f"GET {route}: the list is not whole: {said}", code="partial")
                return [_read(kind, one, f"GET {route}", Unavailable) for one in found]
            page = await self.get(Page, self._below(link.uri), headers=_wanted(link, f"GET {route}"))
        raise Unavailable(f"GET {route}: the list has no end", code="unreadable")

    async def values(
        self,
        kind: type[T],
        route: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> list[T]:
        """Read a whole list of Graph; its links to the next portion are followed as they are."""
        found: list[T] = []
        body = await self.document(route, query, headers)
        for _ in range(LONGEST_LIST):
            if not isinstance(body.get("value"), list):
                raise Unavailable(f"GET {route}: the answer is no list", code="unreadable")
            found += [_read(kind, one, f"GET {route}", Unavailable) for one in body["value"]]
            following = body.get("@odata.nextLink")
            if not following:
                return found
            body = await self.document(self._below(str(following)), headers=headers)
        raise Unavailable(f"GET {route}: the list has no end", code="unreadable")

    async def ask(self, kind: type[T], route: str, body: object) -> T:
        """Ask something by a POST that changes nothing; repeated like any reading."""
        try:
            answer = await self.session.ask(route, body)
        except ProviderError as error:
            raise self._told(error) from error
        return _read(kind, answer.data, f"POST {route}", Unavailable)

    async def send(
        self,
        kind: type[T],
        method: str,
        route: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Change something and read the answer; one of another shape leaves open what happened."""
        data = await self.do(method, route, body, headers=headers)
        return _read(kind, data, f"{method} {route}", Uncertain)

    async def do(
        self, method: str, route: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Change something; gives the answer as it came."""
        try:
            return (await self.session.write(method, route, body, headers=headers)).data
        except ProviderError as error:
            raise self._told(error) from error

    async def exists(self, route: str) -> bool:
        """Ask by HEAD whether something is there."""
        return await self.session.exists(route)

    def _below(self, uri: str) -> str:
        """Take a link to this surface apart: a whole URL, a path with the version, or one below it."""
        base = urlsplit(self.settings.base_url)
        try:
            link = urlsplit(uri)
        except ValueError:
            raise Unavailable("a list goes on at an address that is none", code="unreadable") from None
        if link.netloc and (link.scheme, link.netloc) != (base.scheme, base.netloc):
            raise Unavailable(f"a list goes on at {link.netloc}, which is another place", code="unreadable")
        root = base.path.rstrip("/")
        version = f"/{root.rpartition('/')[2]}"
        path = link.path
        for known in (root, version):
            if path.startswith(f"{known}/"):
                path = path.removeprefix(known)
                break
        return path + (f"?{link.query}" if link.query else "")

    def _told(self, error: ProviderError) -> ProviderError:
        """Say what to do about a refusal that is known."""
        hint = self._hints.get(error.code) or error.hint
        return type(error)(error.message, hint=hint, code=error.code, retry_after=error.retry_after)


def _wanted(link: Link, place: str) -> dict[str, str]:
    """The headers that a link wants sent: its own kind alone, for another could take the place of ours."""
    for header in link.headers:
        if not (_PASSED_ON.match(header.key) and _VISIBLE.fullmatch(header.value)):
            raise Unavailable(f"{place}: the list goes on under a header that is none", code="unreadable")
    return {header.key: header.value for header in link.headers}


def _read(kind: type[T], data: Any, place: str, unread: type[ProviderError]) -> T:
    try:
        return parse(kind, data)
    except ValueError as error:
        raise unread(f"{place}: the answer is not as published ({error})", code="unreadable") from None
