"""Who sits where and who is to sit: joiners, leavers, movers and renames, never more people than seats.

A freed seat is given to a joiner before a bought one; who moves keeps the old seat until the new is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct, field

from reconciler.core.manifest import Group, Person, Tenant, full_login, login_key
from reconciler.core.model import Place
from reconciler.core.progress import Progress
from reconciler.core.standing import Standing

Key = tuple[str, str]
"""A group and a login in full."""

_REF = attrgetter("ref")


class Joiner(Struct):
    """A person who is to get a seat: which, whose it is until they leave it, or whether it is bought.

    after: the group and the seat that somebody has to leave first.
    """

    group: str
    person: Person
    login: str
    after: tuple[str, str] | None = None
    bought: bool = False
    seat: str | None = None


class Leaver(Struct):
    """One of ours whom nobody writes any more: `moving` while another seat of theirs has to come first.

    moving: where that seat is to be, and the login there, which may be in another domain.
    again: it is a second seat of the same person in the group. reused: a joiner gets the seat.
    kept: why the seat is kept for now, and whether it comes by itself.
    """

    group: str
    login: str
    place: Place
    written: str
    moving: tuple[Key, ...] = ()
    again: bool = False
    reused: bool = False
    kept: str = ""
    waits: bool = False


class Rename(NamedTuple):
    """A person whose login changes in place."""

    group: str
    person: Person
    login: str
    old: str
    place: Place


class Staying(NamedTuple):
    """A person who sits where the manifest wants them."""

    group: str
    person: Person
    login: str
    place: Place


class Stranger(NamedTuple):
    """A person on a seat that this tool does not take away; `written`: the login of one of ours, as it was."""

    group: str
    login: str
    place: Place
    written: str = ""


class Waiter(NamedTuple):
    """A person who gets no seat now, and why."""

    group: str
    person: Person
    login: str
    reason: str


class Pool(Struct):
    """What is to happen to the people of one tenant, before it is put into actions.

    busy: how many people of a group have an open action and sit there already.
    coming: people who are on their way to a seat by an open action, or would sit in a group that is blocked.
    said: what is worth a finding, by group and login.
    staying: in no particular order: nearly everybody stays, and for most of them nothing is said or done.
    """

    joiners: list[Joiner] = field(default_factory=list)
    leavers: list[Leaver] = field(default_factory=list)
    renames: list[Rename] = field(default_factory=list)
    staying: list[Staying] = field(default_factory=list)
    unmanaged: list[Stranger] = field(default_factory=list)
    leaving: list[Stranger] = field(default_factory=list)
    waiting: list[Waiter] = field(default_factory=list)
    refused: list[Waiter] = field(default_factory=list)
    busy: dict[str, int] = field(default_factory=dict)
    coming: dict[Key, bool] = field(default_factory=dict)
    said: list[tuple[str, str, str]] = field(default_factory=list)

    def seated(self, group: str) -> list[str]:
        """Who sits in a group and is not about to leave it."""
        some = (self.staying, self.unmanaged, self.renames)
        return [one.login for part in some for one in part if one.group == group]

    def others(self, group: str) -> str:
        """Who sits in a group and in no file, as text."""
        return ", ".join(sorted({one.login for one in self.unmanaged if one.group == group}))


def sort_people(tenant: Tenant, standings: Mapping[str, Standing], progress: Progress) -> Pool:
    """Sort everybody who sits or is to sit into what happens to them."""
    pool = Pool()
    members = _members(tenant)
    for name, standing in sorted(standings.items()):
        wanted = {full_login(one.login, standing.domain): one for one in members.get(name, ())}
        if not standing.active:
            pool.coming |= {(name, login): False for login in wanted}
            continue
        _sort_group(standing, _Case(tenant, progress, pool, wanted, standings))
    pool.joiners.sort(key=lambda one: (one.login, one.group))
    pool.leavers.sort(key=lambda one: (one.login, one.group, one.place.ref))
    pool.renames.sort(key=lambda one: (one.login, one.group))
    _movers(pool, standings, members)
    return pool


def _members(tenant: Tenant) -> dict[str, list[Person]]:
    """Whom the manifest puts into which group."""
    members: dict[str, list[Person]] = {}
    for person in tenant.users or ():
        for name in person.licenses:
            members.setdefault(name, []).append(person)
    return members


class _Case(NamedTuple):
    """What one group's people are sorted by."""

    tenant: Tenant
    progress: Progress
    pool: Pool
    wanted: Mapping[str, Person]
    standings: Mapping[str, Standing]

    def is_ours(self, standing: Standing, login: str) -> bool:
        """Whether a person is ours in a group, or in another group of the same pay-as-you-go user."""
        if owned_as(self.progress, standing.group, login) is not None:
            return True
        return login in standing.elsewhere and any(
            other.ref == standing.ref and owned_as(self.progress, other.group, login) is not None
            for other in self.standings.values()
        )


def owned_as(progress: Progress, group: Group, login: str) -> str | None:
    """The login as it was written when the person became ours; None when they are not."""
    owned = progress.owned.get((group.name, login))
    if owned is None and group.previously:
        return progress.owned.get((group.previously, login))
    return owned


def _sort_group(standing: Standing, case: _Case) -> None:
    name, pool, busy, wanted = standing.group.name, case.pool, standing.open_people, case.wanted
    taken = [place for place in sorted(standing.places, key=_REF) if place.login]
    # Of two seats of one person the first counts: it is put in last.
    present = {place.login: place for place in reversed(taken)}
    pool.busy[name] = len(busy & present.keys())
    renamed = _renames(standing, case, present)
    for login, person in wanted.items():
        if login in busy:
            pool.coming[name, login] = True
        elif (sits := present.get(login)) is not None:
            pool.staying.append(Staying(name, person, login, sits))
        elif login not in renamed:
            _joins(standing, pool, person, login)
    if len(present) < len(taken):
        _tell_twice(pool, name, taken)
    gone = {one.old for one in pool.renames if one.group == name}
    loose = [one for one in taken if not (one.login in wanted or one.login in gone or one.login in busy)]
    for login, places in _by_login(loose).items():
        _unwritten(standing, case, login, places)


def _tell_twice(pool: Pool, name: str, taken: Sequence[Place]) -> None:
    for login, places in _by_login(taken).items():
        if len(places) > 1:
            refs = " and ".join(place.ref for place in places)
            pool.said.append((name, login, f"sits on {refs}: one person needs one seat"))


def _by_login(taken: Sequence[Place]) -> dict[str, list[Place]]:
    seats: dict[str, list[Place]] = {}
    for place in taken:
        seats.setdefault(place.login or "", []).append(place)
    return seats


def _joins(standing: Standing, pool: Pool, person: Person, login: str) -> None:
    """Who is new gets a seat, unless it is somebody whose old login is being worked on: the rename comes after."""
    name = standing.group.name
    old = full_login(person.previously, standing.domain) if person.previously else None
    if old in standing.open_people:
        reason = f"waits until what is under way for {old} is done"
        pool.waiting.append(Waiter(name, person, login, reason))
    else:
        pool.joiners.append(Joiner(group=name, person=person, login=login))


def _unwritten(standing: Standing, case: _Case, login: str, places: list[Place]) -> None:
    name, pool = standing.group.name, case.pool
    owned = owned_as(case.progress, standing.group, login)
    if owned is None or places[0].via:
        pool.unmanaged.append(Stranger(name, login, places[0]))
    elif standing.stays_until_end:
        pool.leaving += [Stranger(name, login, place, owned) for place in places]
    elif case.tenant.users is None:
        pool.unmanaged.append(Stranger(name, login, places[0]))
    else:
        pool.leavers += [
            Leaver(group=name, login=login, place=place, written=owned, again=place is not places[0])
            for place in places
        ]


def _renames(standing: Standing, case: _Case, present: Mapping[str | None, Place]) -> set[str]:
    done: set[str] = set()
    name, pool = standing.group.name, case.pool
    for login, person in case.wanted.items():
        if person.previously is None:
            continue
        old = full_login(person.previously, standing.domain)
        if old not in present or {old, login} & standing.open_people:
            continue
        if login in present:
            said = f"both {old} and {login} exist, so `previously` does nothing"
            pool.said.append((name, person.login, said))
        elif not case.is_ours(standing, old):
            said = f"{old} is not ours, so `previously` does nothing: adopt it"
            pool.said.append((name, person.login, said))
        else:
            pool.renames.append(Rename(name, person, login, old, present[old]))
            done.add(login)
    return done


def _movers(pool: Pool, standings: Mapping[str, Standing], members: Mapping[str, list[Person]]) -> None:
    """Who leaves one group and is to sit in another is a mover, under the old login as well."""
    if not pool.leavers:
        return
    arriving: dict[str, set[Key]] = {}
    for group, login in (*pool.coming, *((one.group, one.login) for one in pool.joiners)):
        arriving.setdefault(login, set()).add((group, login))
    for joiner in pool.joiners:
        if joiner.person.previously:
            old = full_login(joiner.person.previously, standings[joiner.group].domain)
            arriving.setdefault(old, set()).add((joiner.group, old))
    written = _as_written(arriving, standings, members)
    for leaver in pool.leavers:
        # Without a domain while the group has no service yet, or nobody knows which of several is meant.
        short = leaver.login.partition("@")[0]
        found = (arriving.get(leaver.login), arriving.get(short), written.get(leaver.written))
        leaver.moving = tuple(sorted(set().union(*(one for one in found if one))))


def _as_written(
    arriving: Mapping[str, set[Key]], standings: Mapping[str, Standing], members: Mapping[str, list[Person]]
) -> dict[str, set[Key]]:
    """Where people arrive, by their login as written: in another service it has another domain."""
    written: dict[str, set[Key]] = {}
    for group in standings.keys() & members.keys():
        for person in members[group]:
            login = full_login(person.login, standings[group].domain)
            if (group, login) in arriving.get(login, ()):
                written.setdefault(login_key(person.login), set()).add((group, login))
    return written


def details_of(person: Person, login: str) -> dict[str, str]:
    """The person as a provider keeps them, by the names that an action uses; without a country none is written."""
    details = {"login": login, "first_name": person.first_name, "last_name": person.last_name}
    if person.country:
        details["country"] = person.country.lower()
    return details
