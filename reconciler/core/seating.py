"""What happens to people, as actions: who gets a seat, who gives one back, whose details or login change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType

from reconciler.core.action import Change, Verb
from reconciler.core.draft import Draft, Wording
from reconciler.core.groups import detail_of
from reconciler.core.manifest import Person, full_login, login_key
from reconciler.core.model import Json, Place, seat_address, user_address
from reconciler.core.plan import Leaving, Unmanaged
from reconciler.core.pool import Joiner, Key, Leaver, Pool, Rename, Staying, details_of
from reconciler.core.standing import Standing


def seat_people(
    draft: Draft,
    standings: Mapping[str, Standing],
    pool: Pool,
    grown: Mapping[str, str | None],
    *,
    exist: Mapping[str, str] = MappingProxyType({}),
) -> dict[tuple[str, str], str]:
    """Turn what happens to people into actions; the ids of the deactivations by group and seat.

    exist: the actions by which people come to be in the directory as written, by login.
    """
    if not draft.capabilities.directory:
        _updates(draft, standings, pool)
    ids: dict[tuple[str, str], str] = {}
    joined: dict[Key, str] = {}
    for leaver in pool.leavers:
        if not leaver.kept:
            ids[leaver.group, leaver.place.ref] = draft.id_of(Verb.DEACTIVATE, _leaving(leaver))
    known = {name: detail_of(standing) for name, standing in standings.items()}
    for joiner in pool.joiners:
        bought = grown.get(joiner.group) if joiner.bought else None
        sources = (ids.get(joiner.after or ("", "")), bought, exist.get(joiner.login))
        needs = [source for source in sources if source]
        made = _activate(draft, joiner, needs, known[joiner.group])
        joined[joiner.group, joiner.login] = made
        if joiner.person.previously:
            old = full_login(joiner.person.previously, standings[joiner.group].domain)
            joined.setdefault((joiner.group, old), made)
    for leaver in pool.leavers:
        _leave(draft, standings[leaver.group], leaver, joined)
    _tell_people(draft, standings, pool)
    return ids


def _leave(draft: Draft, standing: Standing, leaver: Leaver, joined: Mapping[Key, str]) -> None:
    address = seat_address(leaver.group, leaver.written)
    if leaver.kept and leaver.waits:
        draft.wait(address, Verb.DEACTIVATE, leaver.kept)
    elif leaver.kept:
        draft.block(address, Verb.DEACTIVATE, leaver.kept, source=draft.group_source(leaver.group))
    else:
        needs = [joined[key] for key in leaver.moving]
        _deactivate(draft, standing, leaver, needs)


def _activate(draft: Draft, joiner: Joiner, needs: list[str], known: Json) -> str:
    person, group = joiner.person, joiner.group
    details = details_of(person, joiner.login)
    targets = {"targets": [joiner.seat]} if joiner.seat else {}
    made = draft.act(
        Verb.ACTIVATE,
        Change(seat_address(group, login_key(person.login)), before=None, after=details),
        Wording(
            summary=f"{person.first_name} {person.last_name} gets a seat in {group}",
            reason=f"manifest puts {person.login} into {group}",
            source=draft.person_source(person),
        ),
        detail={**known, **details, **targets},
        needs=needs,
    )
    return made or ""  # a joiner is one only where the provider seats people


def _leaving(leaver: Leaver) -> Change:
    """What a deactivation is known by; a second seat of the same person is another action."""
    before = {"login": leaver.login}
    if leaver.again:
        before["seat"] = leaver.place.ref
    return Change(seat_address(leaver.group, leaver.written), before, after=None)


def _deactivate(draft: Draft, standing: Standing, leaver: Leaver, needs: list[str]) -> None:
    moves = bool(needs)
    draft.act(
        Verb.DEACTIVATE,
        _leaving(leaver),
        Wording(
            summary=f"{leaver.login} gives the seat back" + (" after moving" if moves else ""),
            reason="moved to another group" if moves else "ours, and no longer written in the manifest",
            source=draft.group_source(standing.group.name),
        ),
        detail=detail_of(standing, login=leaver.login, targets=[leaver.place.ref]),
        needs=needs,
    )


def _updates(draft: Draft, standings: Mapping[str, Standing], pool: Pool) -> None:
    """Renames and new details; who is one user of two groups is changed once."""
    told: set[str] = set()
    users: dict[tuple[str, str], list[str]] = {}
    for one in pool.renames:
        users.setdefault((standings[one.group].ref, one.place.ref), []).append(one.group)
    done: set[tuple[str, str]] = set()
    for one in pool.renames:
        key = (standings[one.group].ref, one.place.ref)
        if key not in done:
            _update(draft, standings[one.group], one, told, previously=one.old, groups=users[key])
        done.add(key)
    other = [one for one in pool.staying if not one.place.ready or _differs(one.place, one.person)]
    for staying in sorted(other, key=attrgetter("login", "group")):
        group, person, _, place = staying
        key = (standings[group].ref, place.ref)
        if key in done:
            continue
        done.add(key)
        if not place.ready:
            _busy(draft, group, person, place)
        else:
            _update(draft, standings[group], staying, told)


def _differs(place: Place, person: Person) -> bool:
    # Asked of everybody, so nothing is made for those who sit as written; their login is the same.
    if place.last_name != person.last_name or place.first_name != person.first_name:
        return True
    country = person.country
    return country is not None and place.country != country and place.country != country.lower()


def _busy(draft: Draft, group: str, person: Person, place: Place) -> None:
    reason = f"the provider works on it (task {place.task})" if place.task else "not readable yet"
    draft.wait(seat_address(group, login_key(person.login)), Verb.UPDATE, reason, ref=place.ref)


def _update(
    draft: Draft,
    standing: Standing,
    one: Staying | Rename,
    told: set[str],
    *,
    previously: str | None = None,
    groups: Sequence[str] = (),
) -> None:
    person, place = one.person, one.place
    shown = login_key(person.login)
    address = seat_address(standing.group.name, shown) if shown in told else user_address(shown)
    told.add(shown)
    details = details_of(person, one.login)
    after = {key: value for key, value in details.items() if key != "login" or previously}
    has = {**place.user._asdict(), "login": previously}
    before = {key: has[key] for key in after}
    differs = [key for key in after if before[key] != after[key]]
    draft.act(
        Verb.UPDATE,
        Change(address, before, after),
        Wording(
            summary=", ".join(f"{key} {before[key]} -> {after[key]}" for key in differs),
            reason="manifest renames the person" if previously else "manifest says otherwise",
            source=draft.person_source(person),
        ),
        detail=detail_of(
            standing,
            group=standing.group.name,
            targets=[place.ref],
            previously=previously,
            groups=list(groups) if len(groups) > 1 else None,
            **details,
        ),
    )


def _tell_people(draft: Draft, standings: Mapping[str, Standing], pool: Pool) -> None:
    for one in pool.waiting:
        address = seat_address(one.group, login_key(one.person.login))
        draft.wait(address, Verb.ACTIVATE, one.reason)
    for one in pool.refused:
        address = seat_address(one.group, login_key(one.person.login))
        draft.block(address, Verb.ACTIVATE, one.reason, source=draft.person_source(one.person))
    for stranger in pool.unmanaged:
        address = seat_address(stranger.group, stranger.login)
        draft.unmanaged.append(Unmanaged(address=address, ref=stranger.place.ref))
    for stranger in pool.leaving:
        holding, place = standings[stranger.group].holding, stranger.place
        on = place.ends_on or place.renews_on or (holding.renews_on if holding else None)
        address = seat_address(stranger.group, stranger.written or stranger.login)
        draft.leaving.append(Leaving(address=address, ref=place.ref, on=on))
    for group, login, said in pool.said:
        draft.find("RC4201", user_address(login_key(login)), f"{said} ({group})")
