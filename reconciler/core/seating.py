"""What happens to people, as actions: who gets a seat, who gives one back, whose details or login change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.action import Verb
from reconciler.core.draft import Draft
from reconciler.core.groups import detail_of
from reconciler.core.manifest import Person, login_key
from reconciler.core.model import Place, seat_address, user_address
from reconciler.core.plan import Leaving, Unmanaged, Waiting
from reconciler.core.pool import Pool, user_of
from reconciler.core.standing import Standing

PERSON_FIELDS = ("first_name", "last_name", "country")


def seat_people(
    draft: Draft, standings: Mapping[str, Standing], pool: Pool, grown: Mapping[str, str | None]
) -> dict[tuple[str, str], str]:
    """Turn what happens to people into actions; the ids of the deactivations by group and login."""
    _updates(draft, standings, pool)
    joined: dict[tuple[str, str], str] = {}
    for joiner in pool.joiners:
        made = _activate(draft, standings[joiner.group], joiner.person, joiner.login)
        if made:
            joined[joiner.group, joiner.login] = made
    freed: dict[tuple[str, str], str] = {}
    for leaver in pool.leavers:
        needs = [joined[where, leaver.login] for where in leaver.moving if (where, leaver.login) in joined]
        if len(needs) < len(leaver.moving):
            draft.block(
                seat_address(leaver.group, leaver.written),
                Verb.DEACTIVATE,
                f"keeps this seat until the one in {', '.join(leaver.moving)} is there",
                source=None,
            )
            continue
        made = _deactivate(draft, standings[leaver.group], leaver.login, leaver.written, leaver.place, needs)
        if made:
            freed[leaver.group, leaver.login] = made
    _link(draft, pool, joined, freed, grown)
    _tell_people(draft, standings, pool)
    return freed


def _link(
    draft: Draft,
    pool: Pool,
    joined: Mapping[tuple[str, str], str],
    freed: Mapping[tuple[str, str], str],
    grown: Mapping[str, str | None],
) -> None:
    """A joiner needs the seat that is bought or freed for them."""
    needs: dict[str, str] = {}
    for joiner in pool.joiners:
        made = joined.get((joiner.group, joiner.login))
        source = (
            freed.get(joiner.after) if joiner.after else grown.get(joiner.group) if joiner.bought else None
        )
        if made and source:
            needs[made] = source
    draft.actions = [
        replace(one, needs=(*one.needs, needs[one.id])) if one.id in needs else one for one in draft.actions
    ]


def _activate(draft: Draft, standing: Standing, person: Person, login: str) -> str | None:
    user = user_of(person, login)
    return draft.act(
        Verb.ACTIVATE,
        seat_address(standing.group.name, login_key(person.login)),
        summary=f"{user.first_name} {user.last_name} gets a seat in {standing.group.name}",
        before=None,
        after={"login": login, **_fields(user._asdict(), person)},
        detail=detail_of(standing, **user._asdict()),
        reason=f"manifest puts {person.login} into {standing.group.name}",
        source=draft.person_source(person),
    )


def _fields(values: Mapping[str, object], person: Person) -> dict[str, object]:
    return {key: values[key] for key in PERSON_FIELDS if key != "country" or person.country}


def _deactivate(
    draft: Draft, standing: Standing, login: str, shown: str, place: Place, needs: list[str]
) -> str | None:
    moves = bool(needs)
    return draft.act(
        Verb.DEACTIVATE,
        seat_address(standing.group.name, shown),
        summary=f"{login} gives the seat back" + (" after moving" if moves else ""),
        before={"login": login},
        after=None,
        detail=detail_of(standing, login=login, targets=[place.ref]),
        reason="moved to another group" if moves else "ours, and no longer written in the manifest",
        source=draft.group_source(standing.group.name),
        needs=needs,
    )


def _updates(draft: Draft, standings: Mapping[str, Standing], pool: Pool) -> None:
    done: set[tuple[str, str]] = set()
    told: set[str] = set()
    for one in pool.renames:
        _update(draft, standings[one.group], one.person, one.login, one.place, told, previously=one.old)
        done.add((standings[one.group].product, one.place.ref))
    for group, person, login, place in pool.staying:
        standing = standings[group]
        user = user_of(person, login)
        same = place.user._replace(country=user.country) if user.country is None else place.user
        key = (standing.holding.ref if standing.holding else "", place.ref)
        if same == user or not place.ready or key in done:
            if not place.ready:
                _busy(draft, group, person, place)
            continue
        done.add(key)
        _update(draft, standing, person, login, place, told)


def _busy(draft: Draft, group: str, person: Person, place: Place) -> None:
    draft.pending.append(
        Waiting(
            address=seat_address(group, login_key(person.login)),
            verb=Verb.UPDATE,
            reason=f"the provider works on it (task {place.task})" if place.task else "not readable yet",
            ref=place.ref,
            state="pending",
        )
    )


def _update(
    draft: Draft,
    standing: Standing,
    person: Person,
    login: str,
    place: Place,
    told: set[str],
    *,
    previously: str | None = None,
) -> None:
    shown = login_key(person.login)
    address = seat_address(standing.group.name, shown) if shown in told else user_address(shown)
    told.add(shown)
    was = _fields(place.user._asdict(), person)
    wanted = _fields(user_of(person, login)._asdict(), person)
    if previously:
        was, wanted = {"login": previously, **was}, {"login": login, **wanted}
    changed = [key for key in wanted if was[key] != wanted[key]]
    draft.act(
        Verb.UPDATE,
        address,
        summary=", ".join(f"{key} {was[key]} -> {wanted[key]}" for key in changed),
        before=was,
        after=wanted,
        detail=detail_of(
            standing,
            group=standing.group.name,
            targets=[place.ref],
            previously=previously,
            **user_of(person, login)._asdict(),
        ),
        reason="manifest renames the person" if previously else "manifest says otherwise",
        source=draft.person_source(person),
    )


def _tell_people(draft: Draft, standings: Mapping[str, Standing], pool: Pool) -> None:
    for group, person, _, reason in pool.waiting:
        address = seat_address(group, login_key(person.login))
        draft.pending.append(Waiting(address=address, verb=Verb.ACTIVATE, reason=reason, state="pending"))
    for group, person, _, reason in pool.refused:
        address = seat_address(group, login_key(person.login))
        draft.block(address, Verb.ACTIVATE, reason, source=draft.person_source(person))
    for group, login, place in pool.unmanaged:
        draft.unmanaged.append(Unmanaged(address=seat_address(group, login), ref=place.ref))
    for group, login, place in pool.leaving:
        holding = standings[group].holding
        on = place.ends_on or place.renews_on or (holding.renews_on if holding else None)
        draft.leaving.append(Leaving(address=seat_address(group, login), ref=place.ref, on=on))
    for group, login, said in pool.said:
        draft.find("RC4201", user_address(login_key(login)), f"{said} ({group})")
