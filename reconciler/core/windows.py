"""What may be done now, what at the renewal and what never, where seats are a number that a provider binds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reconciler.core.action import Change, Verb
from reconciler.core.draft import Draft, Wording
from reconciler.core.groups import detail_of
from reconciler.core.model import Holding, Json
from reconciler.core.plan import Leaving
from reconciler.core.pool import Pool
from reconciler.core.standing import Standing


def ends_later(draft: Draft, standing: Standing, holding: Holding) -> bool:
    """Whether a cancelled group ends at its expiration, because that is asked for or nothing else is possible."""
    match draft.capabilities.cancel:
        case "now":
            return False
        case "window":
            return not (standing.ends_now and _open(holding.cancel_until, draft.now))
        case _:
            return True


def refundable(holding: Holding, now: datetime | None) -> int | None:
    """How many seats may be given back at once; None: any number."""
    if holding.refundable is None:
        return None
    return sum(one.seats for one in holding.refundable if _open(one.until, now))


def _open(until: datetime | None, now: datetime | None) -> bool:
    return until is not None and (now is None or now < until)


def shrink_number(
    draft: Draft, standing: Standing, pool: Pool, *, freed: Mapping[tuple[str, str], str], grown: str | None
) -> None:
    """Plan fewer seats of a group whose seats are a number, at once or at the renewal, and its next term."""
    holding = standing.holding
    if holding is None:
        return
    wish = _next_term(standing, holding)
    less = (standing.group.seats or 0) < standing.counted
    why = _refusal(standing, pool) if less else ""
    if why:
        draft.block(
            standing.address, Verb.RESIZE, why, source=draft.group_source(standing.group.name, "seats")
        )
    elif (less and not _fewer(draft, standing, holding, freed)) or _changes_seats(standing, holding):
        wish["seats"] = standing.group.seats
    if wish:
        _schedule(draft, standing, holding, wish, needs=[grown] if grown else [])


def _changes_seats(standing: Standing, holding: Holding) -> bool:
    """Whether the renewal would bring another number than the manifest's."""
    planned = (holding.scheduled or {}).get("seats")
    return planned is not None and planned != standing.group.seats


def _next_term(standing: Standing, holding: Holding) -> dict[str, object]:
    """The term and billing that are written and are not the present ones."""
    written = {
        "term": (standing.group.term, holding.term),
        "billing": (standing.group.billing, holding.billing),
    }
    return {key: want for key, (want, has) in written.items() if want and has and want != has}


def _fewer(draft: Draft, standing: Standing, holding: Holding, freed: Mapping[tuple[str, str], str]) -> bool:
    """Take seats away now; false when that has to wait for the renewal."""
    name, seats = standing.group.name, standing.group.seats or 0
    count = standing.counted - seats
    left = refundable(holding, draft.now)
    if draft.capabilities.shrink == "window" and left is not None and left < count:
        return False
    on = holding.renews_on if draft.capabilities.shrink == "at-expiration" else None
    draft.act(
        Verb.RESIZE,
        Change(standing.address, before={"seats": standing.counted}, after={"seats": seats}),
        Wording(
            summary=f"{standing.counted} -> {seats} seats" + (f" on {on}" if on else ""),
            reason=f"manifest asks for {seats} seats",
            source=draft.group_source(name, "seats"),
        ),
        detail=detail_of(standing, quantity=-count, targets=[], expect=seats),
        needs=sorted(action for (group, _), action in freed.items() if group == name),
        scheduled_for=on,
        reversible_until=on,
    )
    return True


def _refusal(standing: Standing, pool: Pool) -> str:
    if standing.group.protect:
        return "protect: true: seats are never taken away"
    if standing.holding is not None and standing.holding.frozen:
        return standing.holding.frozen
    if standing.capabilities.people and sitting(standing, pool) > (standing.group.seats or 0):
        return occupied(standing, pool)
    return ""


def _schedule(
    draft: Draft, standing: Standing, holding: Holding, wish: dict[str, object], *, needs: list[str]
) -> None:
    """Plan what changes at the renewal, or say that it is asked for, or that there is none."""
    source = draft.group_source(standing.group.name, "seats" if "seats" in wish else "term")
    was = _before(standing, holding, wish)
    if was == wish:
        fewer = standing.counted - int(str(wish.get("seats", standing.counted)))
        if fewer > 0:
            on = holding.renews_on
            draft.leaving.append(Leaving(address=standing.address, ref=holding.ref, on=on, seats=fewer))
        return
    if holding.ends_on is not None or standing.renewal == "off":
        on = holding.ends_on or holding.renews_on
        reason = f"it ends on {on}, so nothing can be changed at a renewal: switch its renewal on first"
        draft.block(standing.address, Verb.SCHEDULE, reason, source=source)
        return
    on = holding.renews_on
    differs = ", ".join(f"{key} {was[key]} -> {value}" for key, value in wish.items())
    draft.act(
        Verb.SCHEDULE,
        Change(standing.address, before=was, after=wish),
        Wording(
            summary=f"{differs} at the renewal on {on}",
            reason="the provider takes it at the renewal only",
            source=source,
        ),
        detail=detail_of(standing, **wish),
        needs=needs,
        scheduled_for=on,
        reversible_until=on,
    )


def _before(standing: Standing, holding: Holding, wish: Json) -> dict[str, object]:
    """What the renewal would bring as it stands."""
    planned = holding.scheduled or {}
    return {key: planned.get(key, _now(standing, holding, key)) for key in wish}


def _now(standing: Standing, holding: Holding, key: str) -> object:
    return {"seats": standing.counted, "term": holding.term, "billing": holding.billing}[key]


def sitting(standing: Standing, pool: Pool) -> int:
    """How many people sit in a group after the plan."""
    name = standing.group.name
    joining = sum(one.group == name for one in pool.joiners)
    staying = sum(one.group == name and bool(one.kept) for one in pool.leavers)
    return len(pool.seated(name)) + pool.busy.get(name, 0) + joining + staying


def occupied(standing: Standing, pool: Pool) -> str:
    """Why seats cannot be taken away: who sits there."""
    name = standing.group.name
    unready = sum(not place.ready for place in standing.live if not place.login)
    said = f"{sitting(standing, pool)} people sit in {name}, which is to have {standing.group.seats} seats"
    if unready:
        said += f"; {unready} seats are not ready"
    if others := pool.others(name):
        said += f"; nobody wrote {others}"
    return f"{said}: take people off the seats first"
