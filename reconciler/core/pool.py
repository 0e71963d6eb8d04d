"""Who sits where and who is to sit: joiners, leavers, movers and renames, never more people than seats.

A freed seat is given to a joiner before a bought one; who moves keeps the old seat until the new is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.manifest import Group, Person, Tenant, full_login
from reconciler.core.model import Place, User
from reconciler.core.progress import Progress
from reconciler.core.standing import Standing

Key = tuple[str, str]
"""A group and a login in full."""


@dataclass(slots=True)
class Joiner:
    """A person who is to get a seat: from where, and who has to leave it first."""

    group: str
    person: Person
    login: str
    after: Key | None = None
    bought: bool = False


@dataclass(slots=True)
class Leaver:
    """One of ours whom nobody writes any more: `moving` while another seat of theirs has to come first."""

    group: str
    login: str
    place: Place
    written: str
    moving: tuple[str, ...] = ()
    reused: bool = False


@dataclass(slots=True)
class Rename:
    """A person whose login changes in place."""

    group: str
    person: Person
    login: str
    old: str
    place: Place


@dataclass(slots=True)
class Pool:
    """What is to happen to the people of one tenant, before it is put into actions."""

    joiners: list[Joiner] = field(default_factory=list)
    leavers: list[Leaver] = field(default_factory=list)
    renames: list[Rename] = field(default_factory=list)
    staying: list[tuple[str, Person, str, Place]] = field(default_factory=list)
    unmanaged: list[tuple[str, str, Place]] = field(default_factory=list)
    leaving: list[tuple[str, str, Place]] = field(default_factory=list)
    waiting: list[tuple[str, Person, str, str]] = field(default_factory=list)
    refused: list[tuple[str, Person, str, str]] = field(default_factory=list)
    said: list[tuple[str, str, str]] = field(default_factory=list)

    def seated(self, group: str) -> list[str]:
        """Who sits in a group and is not about to leave it."""
        ours = [login for name, _, login, _ in self.staying if name == group]
        others = [login for name, login, _ in self.unmanaged if name == group]
        renamed = [one.login for one in self.renames if one.group == group]
        return [*ours, *others, *renamed]


def people(tenant: Tenant, standings: Mapping[str, Standing], progress: Progress) -> Pool:
    """Sort everybody who sits or is to sit into what happens to them."""
    pool = Pool()
    for standing in standings.values():
        if standing.holding is None and standing.identity.verdict != "order":
            continue
        _sort_group(tenant, standing, progress, pool)
    _movers(pool)
    _allot(standings, pool)
    return pool


def written(tenant: Tenant, group: Group) -> list[Person]:
    """The people that the manifest puts into a group."""
    return [person for person in tenant.users or () if group.name in person.licenses]


def _sort_group(tenant: Tenant, standing: Standing, progress: Progress, pool: Pool) -> None:
    name = standing.group.name
    present = {place.login: place for place in standing.places if place.login}
    busy = standing.open_people
    wanted = {full_login(person.login, standing.domain): person for person in written(tenant, standing.group)}
    renamed = _renames(standing, wanted, present, progress, pool)
    for login, person in wanted.items():
        place = present.get(login)
        if login in renamed or login in busy:
            continue
        if place is not None:
            pool.staying.append((name, person, login, place))
        else:
            pool.joiners.append(Joiner(group=name, person=person, login=login))
    gone = {one.old for one in pool.renames if one.group == name}
    for login, place in present.items():
        if login in wanted or login in gone or login in busy:
            continue
        _unwritten(tenant, standing, progress, pool, login, place)


def _unwritten(
    tenant: Tenant, standing: Standing, progress: Progress, pool: Pool, login: str, place: Place
) -> None:
    name = standing.group.name
    owned = progress.owned.get((name, login))
    if owned is None and standing.group.previously:
        owned = progress.owned.get((standing.group.previously, login))
    if owned is None or tenant.users is None:
        pool.unmanaged.append((name, login, place))
    elif standing.stays_until_end:
        pool.leaving.append((name, login, place))
    else:
        pool.leavers.append(Leaver(group=name, login=login, place=place, written=owned))


def _renames(
    standing: Standing,
    wanted: Mapping[str, Person],
    present: Mapping[str, Place],
    progress: Progress,
    pool: Pool,
) -> set[str]:
    done: set[str] = set()
    name = standing.group.name
    for login, person in wanted.items():
        if person.previously is None:
            continue
        old = full_login(person.previously, standing.domain)
        if old not in present:
            continue
        if login in present:
            pool.said.append(
                (name, person.login, f"both {old} and {login} exist, so `previously` does nothing")
            )
        elif (name, old) not in progress.owned:
            pool.said.append(
                (name, person.login, f"{old} is not ours, so `previously` does nothing: adopt it")
            )
        elif old not in standing.open_people:
            pool.renames.append(Rename(name, person, login, old, present[old]))
            done.add(login)
    return done


def _movers(pool: Pool) -> None:
    arriving: dict[str, list[str]] = {}
    for joiner in pool.joiners:
        arriving.setdefault(joiner.login, []).append(joiner.group)
    for leaver in pool.leavers:
        leaver.moving = tuple(arriving.get(leaver.login, ()))


def _allot(standings: Mapping[str, Standing], pool: Pool) -> None:
    """Give every joiner a seat: a free one, one that is freed, then a bought one; in rounds, for movers."""
    free = {name: one.free for name, one in standings.items()}
    bought = {name: one.growth for name, one in standings.items()}
    room = {name: one.room(len(pool.seated(name))) for name, one in standings.items()}
    todo = list(pool.joiners)
    pool.joiners = []
    seated: set[Key] = set()
    while todo:
        left: list[Joiner] = []
        for joiner in todo:
            if _seat(joiner, free, bought, room, pool.leavers, seated):
                seated.add((joiner.group, joiner.login))
                pool.joiners.append(joiner)
            else:
                left.append(joiner)
        if len(left) == len(todo):
            break
        todo = left
    else:
        return
    for joiner in todo:
        _unseated(standings[joiner.group], joiner, pool, room)


def _seat(
    joiner: Joiner,
    free: dict[str, int | None],
    bought: dict[str, int],
    room: dict[str, int | None],
    leavers: Sequence[Leaver],
    seated: set[Key],
) -> bool:
    group = joiner.group
    left = room[group]
    if left is not None and left <= 0:
        return False
    available = free[group]
    if available is None or available > 0:
        if available is not None:
            free[group] = available - 1
    elif leaver := _freed(group, leavers, seated):
        leaver.reused = True
        joiner.after = (leaver.group, leaver.login)
    elif bought[group] > 0:
        bought[group] -= 1
        joiner.bought = True
    else:
        return False
    if left is not None:
        room[group] = left - 1
    return True


def _freed(group: str, leavers: Iterable[Leaver], seated: set[Key]) -> Leaver | None:
    for leaver in leavers:
        if leaver.group != group or leaver.reused:
            continue
        if all((where, leaver.login) in seated for where in leaver.moving):
            return leaver
    return None


def _unseated(standing: Standing, joiner: Joiner, pool: Pool, room: Mapping[str, int | None]) -> None:
    name = joiner.group
    entry = (name, joiner.person, joiner.login)
    left = room[name]
    if standing.pending:
        pool.waiting.append((*entry, f"waits for the seats of group/{name}"))
        return
    others = [login for group, login, _ in pool.unmanaged if group == name]
    if left is not None and left <= 0 and others:
        reason = f"no seat left in {name}: {', '.join(sorted(others))} sit there and no file names them"
    elif any(one.group == name and not one.reused for one in pool.leavers):
        reason = f"no free seat in {name} while everybody who moves waits for another: add a seat"
    else:
        reason = f"no free seat in {name}"
    pool.refused.append((*entry, reason))


def user_of(person: Person, login: str) -> User:
    """The person as a provider keeps them."""
    country = person.country.lower() if person.country else None
    return User(login, person.first_name, person.last_name, country)
