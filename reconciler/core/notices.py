"""What a plan says besides what it does: what nobody's is, what cannot be read yet, what is worth knowing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from reconciler.core.action import Verb
from reconciler.core.draft import Draft
from reconciler.core.model import Address, Holding, group_address, seat_address, setting_address
from reconciler.core.naming import can_be_named
from reconciler.core.order import leavers
from reconciler.core.plan import Leaving, Unmanaged
from reconciler.core.progress import Progress
from reconciler.core.standing import Standing


def tell_strangers(draft: Draft, loose: Iterable[Holding], progress: Progress) -> None:
    """Show groups that no file writes, and who sits there, by the name that a group had while it was written."""
    written = {group.name for group in draft.manifest.tenant.license_groups}
    names = {
        (ref, product): name for name, (ref, product, _) in progress.remembered.items() if name not in written
    }
    for one in loose:
        name = names.get((one.ref, one.product), one.ref)
        draft.unmanaged.append(Unmanaged(address=group_address(name), ref=one.ref, product=one.product))
        draft.unmanaged += [
            Unmanaged(address=seat_address(name, place.login), ref=place.ref)
            for place in one.places
            if place.login
        ]
        _tell_end(draft, group_address(name), one)


def _tell_end(draft: Draft, address: Address, holding: Holding) -> None:
    """Say when it ends, where its end was asked for before its group was taken out of the file."""
    today = draft.now.date() if draft.now else date.min
    days = {place.ref: place.ends_on for place in holding.places if place.ends_on is not None}
    if holding.ends_on is not None and not days:
        days[holding.ref] = holding.ends_on
    draft.leaving += [Leaving(address=address, ref=ref, on=on, ended=on < today) for ref, on in days.items()]


def tell_unready(draft: Draft, standings: Mapping[str, Standing]) -> None:
    """Show empty seats that cannot be used yet, and that no open action is about."""
    for standing in standings.values():
        if standing.pending:
            continue  # the number that is on its way is told already
        unready = [
            place
            for place in standing.live
            if place.login is None and not place.ready and place.ref not in standing.touched
        ]
        if unready:
            reason = f"not readable yet: {', '.join(sorted(place.ref for place in unready))}"
            draft.wait(standing.address, None, reason, ref=unready[0].ref)


def tell_notices(
    draft: Draft, standings: Mapping[str, Standing], progress: Progress, *, beside: Sequence[str] = ()
) -> None:
    """Add the findings: the provider's own notices once each, names, renames, new services, lost seats.

    beside: what is worth knowing of the tenant itself.
    """
    for notice in beside:
        draft.find("RC4301", setting_address(), notice, severity="info")
    told: set[str] = set(beside)
    for standing in standings.values():
        for notice in standing.holding.notices if standing.holding else ():
            if notice not in told:
                draft.find("RC4301", standing.address, notice, severity="info")
            told.add(notice)
        _new_service(draft, standing)
        _two_names(draft, standing, progress)
        _ending_people(draft, standing)
    _two_seats(draft, standings)
    _display_name(draft, standings)


def _new_service(draft: Draft, standing: Standing) -> None:
    if standing.group.service != "new" or standing.holding is None:
        return
    ref = standing.holding.ref
    draft.find(
        "RC4106",
        standing.address,
        f"this group is {ref} now: write `service: {ref}` instead of `service: new`",
        source=draft.group_source(standing.group.name, "service"),
    )


def _two_names(draft: Draft, standing: Standing, progress: Progress) -> None:
    """Say that `previously` does nothing when the old and the new group are two."""
    old = standing.group.previously
    known = progress.services.get(old or "")
    if known is None or standing.holding is None or known[0] == standing.holding.ref:
        return
    draft.find(
        "RC4202",
        standing.address,
        f"both {old} ({known[0]}) and {standing.group.name} ({standing.holding.ref}) exist, "
        "so `previously` does nothing",
        source=draft.group_source(standing.group.name, "previously"),
    )


def _ending_people(draft: Draft, standing: Standing) -> None:
    """Say who sits on a seat that ends while the group goes on."""
    if standing.cancelled or standing.counts_ending or not standing.capabilities.pool:
        return
    for place in standing.ending:
        if place.login:
            said = f"{place.login} sits on {place.ref}, which ends on {place.ends_on}"
            draft.find("RC4303", seat_address(standing.group.name, place.login), said)


def _two_seats(draft: Draft, standings: Mapping[str, Standing]) -> None:
    """Say who would hold two seats at once under one login, before anything is bought for them.

    What OVHcloud answers to a login that is in use is not documented (verified 2026-11): it may refuse, it may not,
    so nothing is blocked. Who moves is told as well: they may be without a licence for a moment.
    """
    if not draft.capabilities.pool or not draft.capabilities.slots or draft.capabilities.directory:
        return
    joins = [one for one in draft.actions if one.verb is Verb.ACTIVATE]
    held: dict[str, set[str]] = {str(one.detail["login"]): set() for one in joins}
    for one in joins:
        held[str(one.detail["login"])].add(one.group or "")
    for name, standing in standings.items():
        for place in standing.places if joins else ():
            if place.login in held:
                held[place.login].add(name)
    leaving = leavers(draft.actions)
    for one in joins:
        login = str(one.detail["login"])
        old = leaving.get(one.id)
        if old is not None and str(old.detail["login"]).startswith(f"{login}@"):
            held[login].add(old.group or "")  # into a group whose domain nobody knows before it is delivered
        if others := sorted(held[login] - {one.group}):
            said = (
                f"{login} would hold two seats at once, here and in {', '.join(others)}, and nobody knows whether the "
                f"provider takes one login twice: if it refuses, {_then(moves=old is not None)}"
            )
            draft.find("RC4307", one.address, said, source=one.source)


def _then(*, moves: bool) -> str:
    if moves:
        return "the old seat is given back first, and this one filled right after"
    return "take the other licence away first"


def _display_name(draft: Draft, standings: Mapping[str, Standing]) -> None:
    """Say when the provider shows the tenant under another name, and it is not changed.

    A subscription's name is its product's, and a service that shows its own name was given none.
    """
    wanted = draft.manifest.tenant.name
    if wanted is None or not draft.capabilities.people or draft.capabilities.directory:
        return
    told = {wanted, ""}
    for one in standings.values():
        name = one.holding.name if one.holding else ""
        if one.holding is None or name in told or name == one.holding.ref:
            continue
        if draft.capabilities.renames and can_be_named(one.holding):
            continue  # changed, or on its way
        told.add(name)
        address = one.address
        said = f"the provider shows the tenant as {name!r}, the file as {wanted!r}"
        draft.find("RC4304", address, said, source=draft.source("name"), severity="info")
