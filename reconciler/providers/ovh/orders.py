"""Orders after checkout: what they are of, how far they are, and which are on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.errors import Missing, Rejected, Unavailable
from reconciler.core.model import Incoming
from reconciler.providers.http import path
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.capabilities import BUSINESS, PRO_PLUS
from reconciler.providers.ovh.carts import EXISTING, PLANS
from reconciler.providers.ovh.lists import ids, objects
from reconciler.providers.ovh.wire import Extended, Extension, OrderLine

LOOK_BACK = timedelta(days=30)
"""How old an order may be that still counts as on its way (contract section 2)."""

JUST_DELIVERED = timedelta(days=2)
"""How long after an order its seats may still be unreadable; older ones are not looked into."""

WAITS_FOR_PERSON = frozenset({"notPaid", "documentsRequested"})
ENDED = frozenset({"cancelled", "delivered"})
UNREADABLE = "status not readable"
"""The word of an order that is listed and whose status is not: it is too new, or was deleted."""

OF_PLAN = {
    **{plan: product for product, plan in PLANS.items()},
    "office-business-pp": BUSINESS,  # the generation before, still sold with hosted Exchange
    "office-proplus-pp": PRO_PLUS,
}


class Bought(Struct, frozen=True, kw_only=True):
    """One product of one order: how many seats, into which service, and the names that its lines carry.

    told: whether the order says into which service; without its extension nobody knows.
    """

    order: str
    product: str
    quantity: int
    into: str | None
    names: frozenset[str]
    told: bool = True


async def since(api: Api, moment: datetime) -> list[str]:
    """Give the numbers of the orders made since a moment."""
    return await ids(api, "/me/order", {"date.from": moment.isoformat(timespec="seconds")})


async def status(api: Api, order: str) -> str:
    """Ask how far an order is, in the provider's own word."""
    return await api.get(str, path("me", "order", order, "status"))


async def bought(api: Api, order: str) -> list[Bought]:
    """Say which Office seats an order is of; nothing when it is of something else."""
    route = path("me", "order", order, "details")
    numbers = await ids(api, route)
    lines = (await objects(api, route, OrderLine, numbers)).complete()
    extensions = await asyncio.gather(*(_extension(api, f"{route}/{number}") for number in lines))
    groups: dict[tuple[str, str | None, bool], list[tuple[OrderLine, int | None]]] = {}
    for line, extended in zip(lines.values(), extensions, strict=True):
        if line.cancelled:
            continue
        said = extended.configurations if extended else []
        into = next((one.value for one in said if one.label == EXISTING), None)
        plan = extended.plan.quantity if extended and extended.plan else None
        for product in _products(line, extended):
            groups.setdefault((product, into or None, extended is not None), []).append((line, plan))
    return [
        Bought(
            order=order,
            product=product,
            into=into,
            quantity=_quantity(some),
            names=frozenset(
                line.domain for line, _ in some if line.domain and not line.domain.startswith("*")
            ),
            told=told,
        )
        for (product, into, told), some in groups.items()
    ]


async def on_their_way(
    api: Api, *, readable: Callable[[str], bool], settled: frozenset[str]
) -> list[tuple[Bought, str]]:
    """Give what is ordered and not there yet, each with the order's status.

    readable: whether a seat or service can be read. What is delivered is there once those it names are.
    settled: orders that were seen to be there before; asking about each of a busy month's would take its time.
    """
    now = await api.now()
    numbers = [one for one in await since(api, now - LOOK_BACK) if one not in settled]
    words = await asyncio.gather(*(_word(api, number) for number in numbers))
    fresh: set[str] = set()
    if {"delivered", UNREADABLE} & set(words):
        fresh = set(await since(api, now - JUST_DELIVERED))
    looked_into = [
        (number, word)
        for number, word in zip(numbers, words, strict=True)
        if word not in ENDED or (word == "delivered" and number in fresh)
    ]
    parts = await asyncio.gather(
        *(
            _bought(api, number, gone=word == UNREADABLE and number not in fresh)
            for number, word in looked_into
        )
    )
    return [
        (replace(one, into=one.into or _service_named(one.names, readable)), word)
        for (_, word), some in zip(looked_into, parts, strict=True)
        for one in some
        if not _there(one, word, readable)
    ]


def _there(one: Bought, word: str, readable: Callable[[str], bool]) -> bool:
    """Whether what was ordered can be read already, by the names that its lines carry."""
    if word == UNREADABLE:
        return bool(one.names) and all(map(readable, one.names))
    return word == "delivered" and all(map(readable, one.names))


async def _word(api: Api, order: str) -> str:
    try:
        return await status(api, order)
    except Missing:
        return UNREADABLE


async def _bought(api: Api, order: str, *, gone: bool) -> list[Bought]:
    """What an order is of; nothing where `gone` is so: it is listed, and neither its status nor a line can be read."""
    try:
        return await bought(api, order)
    except Missing:
        if gone:
            return []
        raise


def incoming(one: Bought, word: str) -> Incoming:
    """An order as the planner counts it."""
    who: Literal["provider", "person"] = "person" if word in WAITS_FOR_PERSON else "provider"
    return Incoming(
        ref=one.order,
        product=one.product,
        quantity=one.quantity,
        into=one.into,
        anywhere=one.into is None and not one.told,
        waiting_on=who,
        status=word,
    )


def _service_named(names: frozenset[str], readable: Callable[[str], bool]) -> str | None:
    """Give the service that an order without that configuration joins: its lines may name it, or its seats."""
    services = {service for name in names for service in (name, name.rpartition("-")[0])}
    return min(filter(readable, services), default=None)


async def _extension(api: Api, route: str) -> Extended | None:
    """Read what a line was ordered as; None where that is not told (the route is BETA)."""
    try:
        return (await api.get(Extension, f"{route}/extension")).order
    except Missing:
        return None
    except Rejected as error:
        raise Unavailable(error.message, code=error.code) from error


def _products(line: OrderLine, extended: Extended | None) -> tuple[str, ...]:
    """Say of which product a line is; of either, where only its words tell and they do not name it."""
    if extended and extended.plan and extended.plan.code:
        product = OF_PLAN.get(extended.plan.code)
        return (product,) if product else ()
    # They name the product in every language.
    words = line.description.lower()
    if not any(word in words for word in ("microsoft 365 apps", "office")):
        return ()
    if "enterprise" in words or "proplus" in words:
        return (PRO_PLUS,)
    return (BUSINESS,) if "business" in words else (BUSINESS, PRO_PLUS)


def _quantity(lines: list[tuple[OrderLine, int | None]]) -> int:
    """Count an order once, whether it has a line for all seats, one a seat, or two for the same item."""
    counts: dict[str, int] = {}
    for line, plan in lines:
        said = int(line.quantity) if line.quantity.isdecimal() and len(line.quantity) < 10 else 1
        counts[line.domain] = max(counts.get(line.domain, 0), said, (plan or 1) if len(lines) == 1 else 1)
    plans = {plan for _, plan in lines if plan}
    if len(plans) == 1 and set(counts.values()) <= {1, len(counts)} and plans == {len(counts)}:
        return len(counts)  # every seat's line repeats the number of all
    return max(sum(counts.values()), max(plans, default=1))
