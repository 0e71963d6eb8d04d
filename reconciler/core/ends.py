"""What takes something away from a licence group: renewal off, fewer seats, cancel, or why that is not done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from reconciler.core.action import Change, Verb
from reconciler.core.draft import Draft, Wording
from reconciler.core.groups import detail_of
from reconciler.core.model import Holding, Place
from reconciler.core.plan import Leaving
from reconciler.core.pool import Pool
from reconciler.core.standing import Standing
from reconciler.core.windows import ends_later, occupied, shrink_number


def tell_leaving(draft: Draft, standing: Standing) -> None:
    """Say what ends on a date because it was asked to."""
    holding = standing.holding
    if holding is None:
        return
    days = {place.ref: place.ends_on for place in standing.ending}
    if holding.ends_on is not None and not days:
        days[holding.ref] = holding.ends_on
    today = draft.now.date() if draft.now else date.min
    draft.leaving += [
        Leaving(address=standing.address, ref=ref, on=on, ended=on is not None and on < today)
        for ref, on in days.items()
    ]


def shrink(
    draft: Draft,
    standing: Standing,
    pool: Pool,
    *,
    freed: Mapping[tuple[str, str], str],
    grown: str | None,
    standings: Mapping[str, Standing],
) -> None:
    """Plan renewal and fewer seats. `freed`: deactivations by group and seat; `grown`: what comes first."""
    holding, group = standing.holding, standing.group
    if standing.pending or standing.cancelled:
        return
    if standing.renewal is not None and (holding is not None or (grown and standing.capabilities.pool)):
        _renewal(draft, standing, grown, standings)
    if group.seats is None or not standing.capabilities.pool:
        return
    if not standing.slotted:
        shrink_number(draft, standing, pool, freed=freed, grown=grown)
        return
    if group.seats >= standing.counted or standing.counts_ending:
        return  # with `renewal: off` all of them end, and count until then
    if group.protect:
        said = "protect: true: seats are never taken away"
        draft.block(standing.address, Verb.RESIZE, said, source=draft.group_source(group.name, "seats"))
        return
    _fewer(draft, standing, pool, freed)


def _renewal(draft: Draft, standing: Standing, grown: str | None, standings: Mapping[str, Standing]) -> None:
    holding = standing.holding
    wanted, pooled = standing.renewal, standing.capabilities.pool
    if wanted == "auto" and pooled and standing.slotted:
        return  # seats that were to end are wanted back by their number
    source, known = draft.group_source(standing.group.name, "renewal"), standing.capabilities.renewal
    if holding is not None and holding.renewal is None and not (standing.places and standing.slotted):
        known = False
    if not known and wanted == "off":
        reason = f"{draft.capabilities.provider} has no renewal that could be switched off"
        draft.block(standing.address, Verb.UPDATE, reason, source=source)
    if not known or _ends(standing, holding, grown) == (wanted == "off"):
        return
    barred = _barred(draft, standing, standings)
    if barred is None:
        _renew(draft, standing, grown)
    elif barred:
        draft.block(standing.address, Verb.UPDATE, barred, source=source)


def _barred(draft: Draft, standing: Standing, standings: Mapping[str, Standing]) -> str | None:
    """Why the renewal stays as it is; empty when another group says it already; None when it is changed."""
    holding, off = standing.holding, standing.renewal == "off"
    if holding is not None and holding.frozen not in {"", draft.closed}:
        return holding.frozen
    if standing.group.protect and off:
        return "protect: true: its renewal is never switched off"
    if standing.capabilities.pool or (others := _who_else(standing, standings)) is None:
        return None
    return (
        f"{standing.ref} would end for {others} too: write `renewal: off` there as well"
        if others and off
        else ""
    )


def _renew(draft: Draft, standing: Standing, grown: str | None) -> None:
    wanted, live, holding = standing.renewal, standing.live, standing.holding
    each = standing.capabilities.pool and standing.slotted and not grown
    off = wanted == "off"
    draft.act(
        Verb.UPDATE,
        Change(standing.address, before={"renewal": "auto" if off else "off"}, after={"renewal": wanted}),
        Wording(
            summary="renewal off: it ends at its expiration" if off else "renewal on again",
            reason=f"manifest asks for renewal: {wanted}"
            if standing.group.renewal
            else "no longer cancelled",
            source=draft.group_source(standing.group.name, "renewal"),
        ),
        detail=detail_of(standing, targets=[place.ref for place in live] if each else [], renewal=wanted),
        needs=[grown] if grown else [],
        reversible_until=(_last(live) or (holding.renews_on if holding else None)) if off else None,
    )


def _who_else(standing: Standing, standings: Mapping[str, Standing]) -> str | None:
    """Who would be surprised by another renewal of the service; empty when another group says it; None: nobody."""
    beside = _beside(standing, standings)
    known = {place.login for one in (standing, *beside) for place in one.places}
    surprised = {one.address for one in beside if one.renewal != standing.renewal}
    surprised |= {login for login in standing.elsewhere if login not in known}
    if surprised:
        return ", ".join(sorted(surprised))
    first = min(one.group.name for one in (standing, *beside))
    return None if first == standing.group.name else ""


def _ends(standing: Standing, holding: Holding | None, grown: str | None) -> bool:
    """Whether everything ends already."""
    if holding is None or grown:
        return False
    if standing.capabilities.pool and standing.slotted:
        return bool(standing.places) and not standing.live
    return holding.renewal == "off"


def _last(places: Sequence[Place]) -> date | None:
    return max((place.renews_on for place in places if place.renews_on), default=None)


def _fewer(draft: Draft, standing: Standing, pool: Pool, freed: Mapping[tuple[str, str], str]) -> None:
    name, seats = standing.group.name, standing.group.seats or 0
    source = draft.group_source(name, "seats")
    count = standing.counted - seats
    chosen = _endable(standing, pool, freed)[:count]
    if len(chosen) < count:
        draft.block(standing.address, Verb.RESIZE, occupied(standing, pool), source=source)
        return
    on = _last(chosen) if draft.capabilities.shrink == "at-expiration" else None
    draft.act(
        Verb.RESIZE,
        Change(standing.address, before={"seats": standing.counted}, after={"seats": seats}),
        Wording(
            summary=f"{standing.counted} -> {seats} seats" + (f", {count} end on {on}" if on else ""),
            reason=f"manifest asks for {seats} seats",
            source=source,
        ),
        detail=detail_of(standing, quantity=-count, targets=[place.ref for place in chosen], expect=seats),
        needs=[freed[name, place.ref] for place in chosen if place.login],
        scheduled_for=on,
        reversible_until=on,
    )


def _endable(standing: Standing, pool: Pool, freed: Mapping[tuple[str, str], str]) -> list[Place]:
    """Which seats may be ended: free ones first, then those that leavers free; never one a joiner takes."""
    name = standing.group.name
    taken = {joiner.seat for joiner in pool.joiners if joiner.group == name}
    places = {place.ref: place for place in standing.live}
    idle = [places[ref] for ref in reversed(standing.idle) if ref in places and ref not in taken]
    spare = idle[: max(0, (standing.free or 0) - sum(ref in places for ref in taken & set(standing.idle)))]
    left = [
        one.place
        for one in pool.leavers
        if one.group == name and not one.reused and (name, one.place.ref) in freed and one.place.ref in places
    ]
    left.sort(key=lambda place: place.ref, reverse=True)
    return [*spare, *left]


def cancel(
    draft: Draft,
    standing: Standing,
    pool: Pool,
    *,
    freed: Mapping[tuple[str, str], str],
    standings: Mapping[str, Standing],
) -> None:
    """Plan the end of a group that the manifest cancels, or say why it does not end."""
    holding = standing.holding
    if holding is None or standing.pending or not standing.cancelled or _settled(draft, standing, holding):
        return
    parts = [standing]
    if not standing.capabilities.pool and not pool.others(standing.group.name):
        parts += _beside(standing, standings)
        if _in_use(parts, pool) or min(one.group.name for one in parts) != standing.group.name:
            return  # its own people go; the service ends once, when nobody and no other group is left on it
    needs = {action for (group, _), action in freed.items() if group in {one.group.name for one in parts}}
    why = _why_not(draft, standing, pool) or _hanging(holding, standings)
    if why:
        draft.block(
            standing.address, Verb.CANCEL, why, source=draft.group_source(standing.group.name, "state")
        )
        return
    _end(draft, standing, holding, sorted(needs))


def _beside(standing: Standing, standings: Mapping[str, Standing]) -> list[Standing]:
    """The other groups of a service."""
    return [other for other in standings.values() if other is not standing and other.ref == standing.ref]


def _in_use(parts: Sequence[Standing], pool: Pool) -> bool:
    """Whether somebody will still use the service of these groups."""
    known = {place.login for one in parts for place in one.places}
    if any(not one.cancelled or one.elsewhere - known for one in parts):
        return True
    return any(pool.others(one.group.name) or _kept(one, pool) for one in parts[1:])


def _kept(standing: Standing, pool: Pool) -> list[str]:
    """Who leaves and still sits there after this plan, or is being worked on."""
    name = standing.group.name
    kept = {one.login for one in pool.leavers if one.group == name and one.kept}
    present = {place.login for place in standing.places if place.login}
    return sorted(kept | (present & standing.open_people))


def _settled(draft: Draft, standing: Standing, holding: Holding) -> bool:
    """Whether its end was asked for already."""
    if standing.slotted and standing.capabilities.pool:
        return not standing.live
    return holding.ends_on is not None and ends_later(draft, standing, holding)


def _why_not(draft: Draft, standing: Standing, pool: Pool) -> str:
    name = standing.group.name
    if standing.group.protect:
        return "protect: true: this group is never cancelled"
    if standing.holding is not None and standing.holding.frozen:
        return standing.holding.frozen
    if others := pool.others(name):
        return f"nobody wrote {others}, who sit in {name}: move or remove them first"
    if not standing.stays_until_end and (kept := _kept(standing, pool)):
        return f"{', '.join(kept)} still sit in {name}"
    if draft.capabilities.cancel == "now" and not standing.ends_now:
        return (
            f"{draft.capabilities.provider} ends a subscription at once and knows no other way: "
            "write `cancel: now` to accept that"
        )
    return ""


def _hanging(holding: Holding, standings: Mapping[str, Standing]) -> str:
    """Why a group does not end: what hangs on it would end too, and no file asks for that."""
    ending = {one.ref for one in standings.values() if one.cancelled}
    left = ", ".join(one for one in holding.addons if one not in ending)
    return f"{left} would end with it, as an add-on of {holding.ref}: cancel that as well" if left else ""


def _end(draft: Draft, standing: Standing, holding: Holding, needs: Iterable[str]) -> None:
    live, pooled = standing.live, draft.capabilities.pool
    later = ends_later(draft, standing, holding)
    on = (_last(live) or holding.renews_on) if later else None
    when = f"ends on {on}" if on else "ends at its expiration" if later else "ends at once"
    if later and standing.ends_now:
        when += f": {draft.capabilities.provider} cannot end it sooner"
    paid = {"seats": standing.counted} if pooled else {"service": holding.ref}
    draft.act(
        Verb.CANCEL,
        Change(standing.address, before=paid, after=None),
        Wording(
            summary=when,
            reason=f"state: cancelled ({standing.group.reason})",
            source=draft.group_source(standing.group.name, "state"),
        ),
        detail=detail_of(
            standing,
            targets=[place.ref for place in live] if pooled and standing.slotted else [],
            ends_now=standing.ends_now or None,
        ),
        needs=tuple(needs),
        scheduled_for=on,
        reversible_until=on,
    )
