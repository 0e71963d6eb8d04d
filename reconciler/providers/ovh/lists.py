"""Many objects in few calls, with features that nobody promises: used where answered, never believed.

The plain list of ids is the truth. The expanded list is taken when it names the same ids; else objects are
asked for in batches, and what a batch leaves out one by one. What cannot be read is said for each id, so a
shorter list is never taken for the whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from reconciler.core.errors import Missing, ProviderError, Rejected, Unavailable
from reconciler.providers.http import path
from reconciler.providers.ovh import batches
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.expected import Expected
from reconciler.providers.published import parse

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

PAGE = 5000  # objects a page, as its manager asks
EXPIRED = "460"

EXPANDED_HEADERS = {
    "X-Pagination-Mode": "CachedObjectList-Pages",
    "X-Pagination-Size": str(PAGE),
    "Pragma": "no-cache",
}


NAMED = frozenset({"office", "officePrepaid", "user", "domain", "cart"})
"""Lists whose ids are published as text: a wrong one there would read as people or seats that are gone."""


class Listing(Generic[T]):
    """A list as read, by id: `objects`; `missing`, listed and not readable yet; `expired`; `failed`, not read."""

    def __init__(self) -> None:
        self.objects: dict[str, T] = {}
        self.missing: set[str] = set()
        self.expired: set[str] = set()
        self.failed: dict[str, ProviderError] = {}

    def whole(self) -> dict[str, T]:
        """Give the objects, or raise when one of them could not be read."""
        for error in self.failed.values():
            raise error
        return self.objects

    def ordered(self, names: Iterable[str]) -> Listing[T]:
        """The same in the order of these names."""
        self.objects = {name: self.objects[name] for name in names}
        return self

    def complete(self) -> dict[str, T]:
        """Give the objects, or raise when one that is listed is not among them, for whatever reason."""
        for name in sorted({*self.missing, *self.expired}):
            raise Unavailable(
                f"{name} is listed and cannot be read yet", hint="try again later", code="partial"
            )
        return self.whole()


class Kept(Protocol[T_contra]):
    """Where objects are put that are too many to be kept as they come."""

    def expect(self, number: int, /) -> None:
        """Be told how many are coming."""
        ...

    def add(self, name: str, one: T_contra, /) -> None:
        """Keep an object; its name is new."""
        ...

    def clear(self) -> None:
        """Forget them all: the list was not complete."""
        ...


async def ids(api: Api, route: str, query: dict[str, str] | None = None) -> list[str]:
    """Read a plain list of ids; numbers become text, but where names are due a number is no answer."""
    data = (await api.session.read(route, query=query)).data
    kinds = (str,) if route.rpartition("/")[2] in NAMED else (str, int)
    if not isinstance(data, list) or not all(isinstance(one, kinds) for one in data):
        raise Unavailable(f"GET {route}: the answer is no list of ids", code="unreadable")
    return [str(one) for one in data] if int in kinds else data  # no second list of an account's seats


async def listing(
    api: Api,
    route: str,
    kind: type[T],
    *,
    key: Callable[[T], str],
    only: Iterable[str] | None = None,
    shown: Sequence[str] = (),
    into: Kept[T] | None = None,
) -> Listing[T]:
    """Read every object of a list, or of its ids only those in `only`.

    shown: the ids as a batch told them, believed only where the expanded list names the same.
    into: what keeps the objects, page by page, instead of the listing.
    """
    if only is not None:
        return await objects(api, route, kind, sorted(only), key=key)
    found: Listing[T] = Listing()
    kept = _Objects(found) if into is None else into
    for told in (shown, None):
        # Held by nothing else: of an account's seats, the names alone are much.
        expected = Expected(await ids(api, route) if told is None else told)
        if await _as_shown(api, route, kind, key, expected, kept):
            return found if into is not None else found.ordered(expected.names())
    found = await objects(api, route, kind, expected.names(), key=key)
    if into is not None:
        for name in tuple(found.objects):
            into.add(name, found.objects.pop(name))
    return found


class _Objects(Generic[T]):
    """The objects of a listing."""

    def __init__(self, found: Listing[T]) -> None:
        self.add = found.objects.__setitem__
        self.clear = found.objects.clear

    def expect(self, number: int, /) -> None:
        """However many they are, all are kept as they come."""


async def _as_shown(
    api: Api, route: str, kind: type[T], key: Callable[[T], str], expected: Expected, kept: Kept[T]
) -> bool:
    """Keep the expanded list where it names exactly these ids, each once; else nothing of it."""
    if not expected.clear or len(expected) < 2:
        return False
    kept.expect(len(expected))
    if await _expanded(api, route, kind, key, expected, kept):
        return True
    kept.clear()
    return False


async def objects(
    api: Api,
    route: str,
    kind: type[T],
    names: Sequence[str],
    *,
    key: Callable[[T], str] | None = None,
    suffix: str = "",
) -> Listing[T]:
    """Read these objects below `route`, in batches where that is answered, else one by one."""
    found: Listing[T] = Listing()
    answered = await batches.together(api, route, kind, names, suffix=suffix)
    for name, one in answered.items():
        if key is None or key(one).lower() == name.lower():
            found.objects[name] = one
    left = [name for name in names if name not in found.objects]
    await asyncio.gather(*(_single(api, route, kind, name, suffix, found) for name in left))
    return found


async def _expanded(
    api: Api, route: str, kind: type[T], key: Callable[[T], str], expected: Expected, kept: Kept[T]
) -> bool:
    """Keep the expanded list page by page, if it is answered and adds up."""
    feature = f"expanded {batches.pattern(route)}"
    total, page, count = 1, 0, 0
    while count < total and feature not in api.unanswered:
        page += 1
        told = await _page(api, route, kind, page, feature)
        if told is None:
            return False
        some, elements = told
        for one in some:
            name = expected.meet(key(one))
            if name is None:
                return False
            kept.add(name, one)
        count += len(some)
        total = _elements(elements, count)
        if not some:
            break
    return count == total and expected.met


async def _page(
    api: Api, route: str, kind: type[T], page: int, feature: str
) -> tuple[list[T], str | None] | None:
    """Read a page of the expanded list, and how many elements all have; None when it is not answered."""
    try:
        headers = {**EXPANDED_HEADERS, "X-Pagination-Number": str(page)}
        answer = await api.session.read(route, headers=headers, attempts=1)
    except (Unavailable, Rejected):
        return None
    if not isinstance(answer.data, list) or not all(isinstance(one, dict) for one in answer.data):
        api.unanswered.add(feature)
        return None
    try:
        some: list[T] = parse(list[kind], answer.data)  # type: ignore[valid-type]
    except ValueError:
        return None
    return some, answer.headers.get("x-pagination-elements")


def _elements(header: str | None, otherwise: int) -> int:
    return int(header) if header and header.isdecimal() and len(header) < 10 else otherwise


async def _single(api: Api, route: str, kind: type[T], name: str, suffix: str, found: Listing[T]) -> None:
    try:
        found.objects[name] = await api.get(kind, f"{route}{path(name)}{suffix}")
    except Missing:
        found.missing.add(name)
    except Rejected as error:
        if error.code == EXPIRED:  # what has expired is listed for a while, and is not there any more
            found.expired.add(name)
        else:
            found.failed[name] = error
    except Unavailable as error:
        found.failed[name] = error
