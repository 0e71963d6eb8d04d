"""When seats renew or end, how many of them nobody uses, and until when something can be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from reconciler.core.draft import Draft
from reconciler.core.model import Holding, Place
from reconciler.core.plan import Due
from reconciler.core.provider import Windows
from reconciler.core.standing import Standing

NOTICES = (1, 7, 30, 60)
"""Days before an end at which a plan speaks of it (seed 004: a notice 60, 30, 7 and 1 days before the expiry)."""
SHORT = timedelta(days=120)
"""A term that comes round more often is told by `renewals` alone: a notice a month is read by nobody."""
TERMS = {"P1M": 30, "P3M": 90, "P6M": 180}
"""Days of the terms that are short; every other one is a year or more."""


class _Day(NamedTuple):
    on: date
    ends: bool
    seats: int | None
    idle: int | None


def dues(tenant: str, standings: Mapping[str, Standing], now: datetime) -> tuple[Due, ...]:
    """Everything of a tenant that renews or ends on a known day, the next first."""
    found = [
        _due(tenant, standing, holding, day, now.date())
        for standing in standings.values()
        if (holding := standing.holding) is not None
        for day in _days(standing, holding)
    ]
    return tuple(sorted(found, key=lambda one: (one.on, one.address)))


def within(some: Iterable[Due], days: int) -> tuple[Due, ...]:
    """What comes within so many days, and what is over and still counted down."""
    return tuple(one for one in some if one.days <= days and (one.days >= 0 or one.what == "ended"))


def _days(standing: Standing, holding: Holding) -> Iterator[_Day]:
    dated = any(place.ends_on or place.renews_on for place in standing.places)
    if standing.slotted and standing.capabilities.pool and dated:
        yield from _by_day(standing.places)
        return
    on, ends = holding.ends_on or holding.renews_on, holding.ends_on is not None or holding.renewal == "off"
    if on is not None:
        yield _Day(on, ends, holding.seats, _idle(standing, holding))


def _idle(standing: Standing, holding: Holding) -> int | None:
    """How many seats would be paid again for nobody; None where nobody can tell who sits on them."""
    idle = standing.free if standing.capabilities.people and standing.capabilities.pool else None
    after = (holding.scheduled or {}).get("seats")
    if idle is None or after is None:
        return idle
    return max(0, idle - (standing.counted - int(str(after))))  # what is not renewed is not paid again


def _by_day(places: Iterable[Place]) -> Iterator[_Day]:
    """Seats bought one by one, gathered by the day on which they renew or end."""
    days: dict[tuple[date, bool], list[Place]] = {}
    for place in places:
        on = place.ends_on or place.renews_on
        if on is not None:
            days.setdefault((on, place.ends_on is not None), []).append(place)
    for (on, ends), some in days.items():
        yield _Day(on, ends, len(some), sum(place.login is None for place in some))


def _due(tenant: str, standing: Standing, holding: Holding, day: _Day, today: date) -> Due:
    over = day.ends and day.on < today
    windows = standing.capabilities.windows if day.ends else Windows()
    planned = (holding.scheduled or {}).get("seats")
    return Due(
        tenant=tenant,
        address=standing.address,
        ref=holding.ref,
        product=standing.group.product,
        what="ended" if over else "ends" if day.ends else "renews",
        on=day.on,
        days=(day.on - today).days,
        seats=day.seats,
        idle=day.idle,
        grace_until=_after(day.on, windows.grace),
        kept_until=_after(day.on, windows.kept),
        scheduled=planned if planned != holding.seats else None,
    )


def _after(on: date, days: int | None) -> date | None:
    return None if days is None else on + timedelta(days=days)


def tell_dues(draft: Draft, standings: Mapping[str, Standing], now: datetime) -> None:
    """Say in the plan what renews or ends soon, at the notices' distance, where that does not happen all the time."""
    for standing in standings.values():
        holding = standing.holding
        if holding is None or _short(holding):
            continue
        asked = standing.cancelled or standing.counts_ending
        for day in _days(standing, holding):
            if day.ends and asked and day.on >= now.date():
                continue  # it ends because the manifest says so, and stands among what is leaving
            one = _due(draft.manifest.tenant.tenant, standing, holding, day, now.date())
            _tell(draft, standing, one, one.days)


def _short(holding: Holding) -> bool:
    """Whether its term comes round so often that a notice would say nothing; one that ends is told all the same."""
    if holding.ends_on is not None:
        return False
    days = TERMS.get(holding.term, 365) if holding.term else 0
    return timedelta(days=days) < SHORT


def _tell(draft: Draft, standing: Standing, one: Due, days: int) -> None:
    notice = next((limit for limit in NOTICES if 0 <= days <= limit), None)
    source = draft.group_source(standing.group.name)
    if one.what == "ended" and one.kept_until and days + (one.kept_until - one.on).days >= 0:
        draft.find("RC4402", one.address, _over(one, days), source=source)
    elif notice is not None:
        severity: Literal["info", "warning"] = "warning" if notice <= NOTICES[1] else "info"
        draft.find("RC4401", one.address, _soon(one, days), source=source, severity=severity)


def _soon(one: Due, days: int) -> str:
    when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    idle = f", {one.idle} of them idle" if one.idle else ""
    several = one.seats not in {None, 1}
    seats = "the group" if one.seats is None else f"{one.seats} seat{'s' if several else ''}"
    verb = one.what.removesuffix("s") if several else one.what
    return f"{seats} {verb} {when}, on {one.on}{idle}; the last day to change that is {one.last_day}"


def _over(one: Due, days: int) -> str:
    grace = (one.grace_until - one.on).days + days if one.grace_until else 0
    kept = (one.kept_until - one.on).days + days if one.kept_until else 0
    used = (
        f"can be used for {_more(grace)}, until {one.grace_until}" if grace > 0 else "cannot be used any more"
    )
    return f"ended on {one.on}: it {used}; its data are kept for {_more(kept)}, until {one.kept_until}"


def _more(days: int) -> str:
    return f"{days} more day{'' if days == 1 else 's'}"
