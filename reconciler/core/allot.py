"""Which seat each joiner gets: a free one, one that somebody leaves, then a bought one, in rounds for movers."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from reconciler.core.action import Verb
from reconciler.core.manifest import full_login
from reconciler.core.pool import Joiner, Key, Leaver, Pool, Waiter
from reconciler.core.standing import Standing

ONE_LICENCE = "a pay-as-you-go user holds one licence"


class _Seats(Struct):
    """What each group has to give, counted down while it is given."""

    free: dict[str, int | None] = field(default_factory=dict)
    bought: dict[str, int] = field(default_factory=dict)
    room: dict[str, int | None] = field(default_factory=dict)
    idle: dict[str, list[str]] = field(default_factory=dict)
    leavers: dict[str, list[Leaver]] = field(default_factory=dict)
    ordered: Mapping[str, str | None] = field(default_factory=dict)
    seated: set[Key] = field(default_factory=set)
    awaits: bool = False


def allot(
    standings: Mapping[str, Standing], pool: Pool, grown: Mapping[str, str | None], *, awaits: bool = False
) -> None:
    """Give every joiner a seat or say why not, then say which leavers keep theirs.

    grown: what is bought. awaits: whether what is to be ordered only waits for something else.
    """
    seats = _Seats(ordered=grown, awaits=awaits)
    for name, one in standings.items():
        seats.free[name] = one.free
        seats.bought[name] = one.gain if grown.get(name) else 0
        seats.idle[name] = one.idle
        ceiling = one.ceiling
        taken = len(pool.seated(name)) + pool.busy.get(name, 0) + one.reserved
        seats.room[name] = None if ceiling is None else ceiling - taken
    _one_licence(standings, pool)
    for leaver in pool.leavers:
        if not leaver.place.ready and not leaver.kept:
            leaver.kept, leaver.waits = "the provider works on this seat", True
        seats.leavers.setdefault(leaver.group, []).append(leaver)
    left = _in_rounds(standings, pool, seats)
    for joiner in left:
        _unseated(standings[joiner.group], joiner, pool, seats)
    _keepers(pool, seats)


def _in_rounds(standings: Mapping[str, Standing], pool: Pool, seats: _Seats) -> list[Joiner]:
    """Seat whom there is a seat for, until nobody more can be seated; who is left."""
    todo, pool.joiners = pool.joiners, []
    while True:
        left: list[Joiner] = []
        for joiner in todo:
            if _seat(standings[joiner.group], joiner, seats):
                seats.seated.add((joiner.group, joiner.login))
                _moved(standings[joiner.group], joiner, seats)
                pool.joiners.append(joiner)
            else:
                left.append(joiner)
        if not left or len(left) == len(todo):
            return left
        todo = left


def _moved(standing: Standing, joiner: Joiner, seats: _Seats) -> None:
    if joiner.person.previously:
        seats.seated.add((joiner.group, full_login(joiner.person.previously, standing.domain)))


def _seat(standing: Standing, joiner: Joiner, seats: _Seats) -> bool:
    group = joiner.group
    room, free = seats.room[group], seats.free[group]
    if room is not None and room <= 0:
        return False
    if not standing.can_seat:
        return False
    if standing.holding is None and not standing.capabilities.pool:
        if not seats.ordered.get(group):
            return False
        joiner.bought = True  # its order comes first, although no seat is bought with it
    elif free is None or free > 0:
        seats.free[group] = None if free is None else free - 1
        joiner.seat = seats.idle[group].pop(0) if seats.idle[group] else None
    elif (leaver := _freed(standing, seats)) is not None:
        leaver.reused = True
        joiner.after = (leaver.group, leaver.place.ref)
        joiner.bought = leaver.place in standing.kept
        joiner.seat = leaver.place.ref if standing.capabilities.pool and standing.slotted else None
    elif seats.bought[group] > 0:
        seats.bought[group] -= 1
        joiner.bought = True
    else:
        return False
    if room is not None:
        seats.room[group] = room - 1
    return True


def _freed(standing: Standing, seats: _Seats) -> Leaver | None:
    """Find who leaves a seat that goes on; one that was to end goes on when the plan keeps it."""
    group = standing.group.name
    for leaver in seats.leavers.get(group, ()):
        if leaver.reused or leaver.kept:
            continue
        ends = leaver.place.ends_on is not None and not standing.counts_ending and standing.capabilities.pool
        if ends and not (seats.ordered.get(group) and leaver.place in standing.kept):
            continue
        if seats.seated.issuperset(leaver.moving):
            return leaver
    return None


def _one_licence(standings: Mapping[str, Standing], pool: Pool) -> None:
    """Refuse what one user with one licence cannot express: two licences, or losing one of two."""
    joining: set[Key] = {(standings[one.group].ref, one.login) for one in pool.renames}
    kept: list[Joiner] = []
    for joiner in pool.joiners:
        standing = standings[joiner.group]
        ref = standing.ref or joiner.group
        if standing.capabilities.pool or not (
            joiner.login in standing.elsewhere or (ref, joiner.login) in joining
        ):
            joining.add((ref, joiner.login))
            kept.append(joiner)
            continue
        moves = any((standings[one.group].ref, one.login) == (ref, joiner.login) for one in pool.leavers)
        reason = f"{ONE_LICENCE}, {_why_not(joiner, ref, moves=moves)}"
        pool.refused.append(Waiter(joiner.group, joiner.person, joiner.login, reason))
    pool.joiners = kept
    for leaver in pool.leavers:
        standing = standings[leaver.group]
        if leaver.login in standing.elsewhere:
            leaver.kept = f"{leaver.login} holds two licences of one user: deleting the user takes both away"


def _why_not(joiner: Joiner, ref: str, *, moves: bool) -> str:
    """Who moves would be deleted and made anew, with what only they have: nobody does that unasked."""
    if not moves:
        return f"and {joiner.login} has or gets another in {ref}: take that away first"
    return (
        f"which cannot be changed into another: save what only {joiner.login} has, write them in no group for one "
        f"apply, which deletes the user, and in {joiner.group} for the next"
    )


def _unseated(standing: Standing, joiner: Joiner, pool: Pool, seats: _Seats) -> None:
    name, room = joiner.group, seats.room[joiner.group]
    others = pool.others(name)
    if standing.stuck is not None:
        reason = f"group/{name} is blocked"
    elif not standing.can_seat:
        support = standing.capabilities.verbs.get(Verb.ACTIVATE)
        reason = support.note if support else f"{standing.capabilities.provider} knows no people"
    elif standing.pending or (standing.identity.verdict == "order" and seats.awaits):
        reason = f"waits for the seats of group/{name}"
        pool.waiting.append(Waiter(name, joiner.person, joiner.login, reason))
        return
    elif room is not None and room <= 0 and others:
        reason = f"no seat left in {name}: {others} sit there and no file names them"
    elif any(not one.reused for one in seats.leavers.get(name, ())):
        reason = f"no free seat in {name} while everybody who moves waits for another: add a seat"
    else:
        reason = f"no free seat in {name}"
    pool.refused.append(Waiter(name, joiner.person, joiner.login, reason))


def _keepers(pool: Pool, seats: _Seats) -> None:
    """Who moves keeps the old seat while the new one is not sure."""
    waiting = {(one.group, one.login) for one in pool.waiting}
    for leaver in pool.leavers:
        missing = [key for key in leaver.moving if key not in seats.seated]
        if not missing or leaver.kept:
            continue
        leaver.kept = f"keeps this seat until the one in {', '.join(group for group, _ in missing)} is there"
        leaver.waits = all(pool.coming.get(key, key in waiting) for key in missing)
