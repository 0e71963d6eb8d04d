"""How many seats of each group are paid for, how many people sit on them, how many are idle."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.plan import Usage
from reconciler.core.standing import Standing


def usage(standings: Mapping[str, Standing]) -> tuple[Usage, ...]:
    """What is used of every group that exists, as it was read, before anything is done."""
    return tuple(_usage(one) for one in standings.values() if one.holding is not None)


def _usage(standing: Standing) -> Usage:
    pool = standing.capabilities.pool
    taken = [place.login for place in standing.places if place.login]
    used = len(taken if standing.slotted else set(taken))
    known = standing.capabilities.people
    seats = _seats(standing) if pool else None
    return Usage(
        address=standing.address,
        product=standing.group.product,
        seats=seats,
        used=used if known else None,
        idle=max(0, seats - used) if known and seats is not None else None,
    )


def _seats(standing: Standing) -> int | None:
    if standing.slotted:
        return len(standing.places)
    return standing.holding.seats if standing.holding else None
