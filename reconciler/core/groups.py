"""What is to happen to a licence group itself: order, more or fewer seats, renewal, cancel, or why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from reconciler.core.action import Verb
from reconciler.core.draft import Draft
from reconciler.core.model import Holding, Place
from reconciler.core.plan import Leaving, Waiting
from reconciler.core.pool import Leaver, Pool
from reconciler.core.progress import Stuck
from reconciler.core.standing import Standing


def detail_of(standing: Standing, **more: object) -> dict[str, object]:
    """What the provider has to know of the group, besides."""
    holding = standing.holding
    scope = holding.scope if holding else standing.identity.scope
    base: dict[str, object] = {
        "product": standing.product,
        "service": holding.ref if holding else None,
        "scope": scope,
    }
    return {key: value for key, value in {**base, **more}.items() if value is not None}


def grow(draft: Draft, standing: Standing) -> str | None:
    """Plan the seats that come first: an order, or more seats; the id of that action."""
    if _waits(draft, standing) or standing.cancelled:
        return None
    if standing.identity.verdict == "order":
        return _order(draft, standing)
    if standing.holding is None or not standing.capabilities.pool or standing.growth == 0:
        return None
    return _more(draft, standing, standing.holding)


def _waits(draft: Draft, standing: Standing) -> bool:
    """Whether a number is on its way or stuck, so that none is planned (the journal's own is told elsewhere)."""
    if not standing.pending:
        return False
    if standing.open is None and standing.stuck is not None:
        draft.blocked.append(_stuck(standing, standing.stuck))
    elif standing.open is None:
        draft.pending.append(_coming(standing))
    return True


def _stuck(standing: Standing, stuck: Stuck) -> Waiting:
    name = standing.address
    return Waiting(
        address=name,
        verb=stuck.action.verb,
        reason=f"{stuck.why}; it is not ordered again by itself: `reconciler resolve TENANT {name} "
        "--did-not-happen` allows that",
        ref=stuck.ref,
        since=stuck.since,
    )


def _coming(standing: Standing) -> Waiting:
    if standing.coming:
        order = standing.coming[0]
        who = "waits for a person" if order.waiting_on == "person" else "is on its way"
        return Waiting(
            address=standing.address,
            verb=Verb.RESIZE,
            reason=f"order {order.ref} of {order.quantity} seats {who} ({order.status})",
            ref=order.ref,
            since=order.since,
            state="by-hand" if order.waiting_on == "person" else "pending",
        )
    task = standing.holding.task if standing.holding else None
    return Waiting(
        address=standing.address, verb=Verb.RESIZE, reason=f"task {task} is open", ref=task, state="pending"
    )


def _order(draft: Draft, standing: Standing) -> str | None:
    group = standing.group
    seats = group.seats
    scope = standing.identity.scope
    into = f" into {scope}" if scope else ""
    what = f"{seats} seats of {group.product}{into}" if seats else f"{group.product}{into}"
    return draft.act(
        Verb.ORDER,
        standing.address,
        summary=what,
        before=None,
        after={"product": standing.product, "seats": seats},
        detail=detail_of(standing, quantity=seats, expect=seats),
        reason=f"manifest asks for {seats} seats" if seats else "manifest asks for the group",
        source=draft.group_source(group.name),
    )


def _more(draft: Draft, standing: Standing, holding: Holding) -> str | None:
    seats = standing.group.seats or 0
    undo = standing.ending[: standing.growth] if not standing.counts_ending else ()
    quantity = standing.growth - len(undo)
    kept = f", {len(undo)} of them by keeping what was to end" if undo else ""
    total = len(standing.places) if standing.capabilities.people else standing.counted
    return draft.act(
        Verb.RESIZE,
        standing.address,
        summary=f"{standing.counted} -> {seats} seats{kept}",
        before={"seats": standing.counted},
        after={"seats": seats},
        detail=detail_of(
            standing,
            quantity=quantity,
            expect=total + quantity,
            targets=[place.ref for place in undo],
            scope=holding.scope,
        ),
        reason=f"manifest asks for {seats} seats",
        source=draft.group_source(standing.group.name, "seats"),
    )


def shrink(draft: Draft, standing: Standing, pool: Pool, freed: dict[tuple[str, str], str]) -> None:
    """Plan what takes seats away: renewal off, fewer seats, cancel. `freed`: leavers' deactivations."""
    tell_leaving(draft, standing)
    if standing.holding is None or standing.pending:
        return
    if standing.cancelled:
        _cancel(draft, standing, standing.holding, pool, freed)
        return
    if standing.group.renewal is not None:
        _renewal(draft, standing, standing.holding)
    seats = standing.group.seats
    if seats is None or not standing.capabilities.pool or seats >= standing.counted:
        return
    if standing.counts_ending and standing.capabilities.people:
        return
    _fewer(draft, standing, pool, freed)


def tell_leaving(draft: Draft, standing: Standing) -> None:
    """Say what ends on a date because it was asked to."""
    if standing.holding is None:
        return
    if standing.holding.ends_on is not None and not standing.ending:
        draft.leaving.append(
            Leaving(address=standing.address, ref=standing.holding.ref, on=standing.holding.ends_on)
        )
    draft.leaving += [
        Leaving(address=standing.address, ref=place.ref, on=place.ends_on) for place in standing.ending
    ]


def _renewal(draft: Draft, standing: Standing, holding: Holding) -> None:
    wanted = standing.group.renewal
    source = draft.group_source(standing.group.name, "renewal")
    switchable = holding.renewal is not None or bool(standing.places)
    if not switchable and wanted == "off":
        reason = f"{draft.capabilities.provider} has no renewal that could be switched off"
        draft.block(standing.address, Verb.UPDATE, reason, source=source)
        return
    pooled = standing.capabilities.pool
    ends = not standing.live if standing.places and pooled else holding.renewal == "off"
    if not switchable or (wanted == "off") == ends or (wanted == "auto" and pooled):
        return
    live = standing.live
    draft.act(
        Verb.UPDATE,
        standing.address,
        summary="renewal off: it ends at its expiration" if wanted == "off" else "renewal on again",
        before={"renewal": "off" if ends else "auto"},
        after={"renewal": wanted},
        detail=detail_of(standing, targets=[place.ref for place in live] if pooled else [], renewal=wanted),
        reason=f"manifest asks for renewal: {wanted}",
        source=source,
        reversible_until=(_last(live) or holding.renews_on) if wanted == "off" else None,
    )


def _last(places: tuple[Place, ...]) -> date | None:
    dates = [place.renews_on for place in places if place.renews_on]
    return max(dates) if dates else None


def _fewer(draft: Draft, standing: Standing, pool: Pool, freed: dict[tuple[str, str], str]) -> None:
    seats = standing.group.seats or 0
    source = draft.group_source(standing.group.name, "seats")
    if standing.group.protect:
        draft.block(standing.address, Verb.RESIZE, "protect: true: seats are never taken away", source=source)
        return
    count = standing.counted - seats
    targets: list[str] = []
    needs: list[str] = []
    on: date | None = None
    if standing.capabilities.people:
        chosen = _endable(standing, pool, count)
        if len(chosen) < count:
            draft.block(standing.address, Verb.RESIZE, _occupied(standing, pool, seats), source=source)
            return
        targets = [place.ref for place in chosen]
        needs = [
            freed[standing.group.name, place.login]
            for place in chosen
            if place.login and (standing.group.name, place.login) in freed
        ]
        on = _last(tuple(chosen))
    draft.act(
        Verb.RESIZE,
        standing.address,
        summary=f"{standing.counted} -> {seats} seats" + (f", {count} end on {on}" if on else ""),
        before={"seats": standing.counted},
        after={"seats": seats},
        detail=detail_of(standing, quantity=-count, targets=targets, expect=seats),
        reason=f"manifest asks for {seats} seats",
        source=source,
        needs=needs,
        scheduled_for=on,
        reversible_until=on,
    )


def _endable(standing: Standing, pool: Pool, count: int) -> list[Place]:
    """Which seats to end: free ones first, then those that leavers free; never one a joiner takes."""
    name = standing.group.name
    taken = sum(
        joiner.group == name and joiner.after is None and not joiner.bought for joiner in pool.joiners
    )
    virtual = [place for place in standing.live if place.login is None and place.ready]
    virtual.sort(key=lambda place: place.ref, reverse=True)
    spare = virtual[: max(0, len(virtual) - taken - standing.reserved)]
    left = [one.place for one in pool.leavers if one.group == name and not one.reused]
    left.sort(key=lambda place: place.ref, reverse=True)
    return [*spare, *left][:count]


def _occupied(standing: Standing, pool: Pool, seats: int) -> str:
    name = standing.group.name
    others = sorted(login for group, login, _ in pool.unmanaged if group == name)
    seated = len(pool.seated(name)) + sum(one.group == name for one in pool.joiners)
    said = f"{seated} people sit in {name}, more than {seats} seats"
    if others:
        said += f"; nobody wrote {', '.join(others)}"
    return f"{said}: take them off the seats first"


def _cancel(
    draft: Draft, standing: Standing, holding: Holding, pool: Pool, freed: dict[tuple[str, str], str]
) -> None:
    name = standing.group.name
    source = draft.group_source(name, "state")
    others = sorted(login for group, login, _ in pool.unmanaged if group == name)
    if standing.group.protect:
        draft.block(
            standing.address, Verb.CANCEL, "protect: true: this group is never cancelled", source=source
        )
        return
    if others:
        draft.block(
            standing.address,
            Verb.CANCEL,
            f"nobody wrote {', '.join(others)}, who sit in {name}: move or remove them first",
            source=source,
        )
        return
    if draft.capabilities.cancel == "now" and not standing.ends_now:
        draft.block(
            standing.address,
            Verb.CANCEL,
            f"{draft.capabilities.provider} ends a subscription at once and knows no other way: "
            "write `cancel: now` to accept that",
            source=source,
        )
        return
    _end(draft, standing, holding, freed)


def _end(draft: Draft, standing: Standing, holding: Holding, freed: dict[tuple[str, str], str]) -> None:
    live = standing.live
    if _settled(standing, holding):
        return
    name = standing.group.name
    needs = [freed[key] for key in freed if key[0] == name]
    on = (_last(live) or holding.renews_on) if draft.capabilities.cancel == "at-expiration" else None
    pooled = draft.capabilities.pool
    draft.act(
        Verb.CANCEL,
        standing.address,
        summary=f"ends on {on}" if on else "ends at once" if standing.ends_now else "ends at its expiration",
        before={"seats": standing.counted} if pooled else {"service": holding.ref},
        after=None,
        detail=detail_of(
            standing,
            targets=[place.ref for place in live] if pooled else [],
            ends_now=standing.ends_now or None,
        ),
        reason=f"state: cancelled ({standing.group.reason})",
        source=draft.group_source(name, "state"),
        needs=needs,
        scheduled_for=on,
        reversible_until=on,
    )


def _settled(standing: Standing, holding: Holding) -> bool:
    """Whether its end was asked for already."""
    if standing.capabilities.people and standing.capabilities.pool:
        return not standing.live
    return holding.ends_on is not None


def in_use(standing: Standing, standings: Mapping[str, Standing], leavers: Iterable[Leaver]) -> bool:
    """Whether somebody still uses a pay-as-you-go service that a cancelled group is in."""
    holding = standing.holding
    if standing.capabilities.pool or holding is None:
        return False
    beside = [
        other
        for other in standings.values()
        if other is not standing and other.holding is not None and other.holding.ref == holding.ref
    ]
    if any(not other.cancelled or other.places for other in beside):
        return True
    gone = {one.login for one in leavers if one.group == standing.group.name}
    return any(place.login not in gone for place in standing.places)
