"""A plan carried out in memory: nobody sits before there is a seat, in whatever order `needs` allows.

Actions of a tenant run side by side, so walking through one order proves little. What is proved is stronger:
every joiner has a seat of their own behind them, free from the start, or given back or bought by an action
that they need. Then no order seats more people than there are seats.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from msgspec import Struct, field

from reconciler.core.action import Action, Verb
from reconciler.core.order import shrinks
from reconciler.core.plan import Plan
from reconciler.core.standing import Standing

Key = tuple[str, str]
"""A group and a seat, or a group and a login."""


class Room(Struct):
    """One group while a plan is carried out: how many seats, and who sits on which; None: no ceiling."""

    seats: int | None
    people: dict[str, str] = field(default_factory=dict)

    @property
    def overfull(self) -> bool:
        """Whether more people sit there than there are seats."""
        return self.seats is not None and len(self.people) > self.seats


def rooms(standings: Mapping[str, Standing]) -> dict[str, Room]:
    """The groups as they are read, before the first action; of two seats of one person the first counts."""
    made: dict[str, Room] = {}
    for name, one in standings.items():
        people: dict[str, str] = {}
        for place in sorted(one.places, key=lambda place: place.ref, reverse=True):
            if place.login:
                people[place.login] = place.ref
        seats: int | None = len(one.places) if one.slotted else one.counted
        if not one.capabilities.pool:
            ceiling = one.limit
            seats = None if ceiling is None else max(ceiling, len(people))
        made[name] = Room(seats=seats, people=people)
    return made


def carry_out(state: Mapping[str, Room], action: Action) -> tuple[str, ...]:
    """Do one action to the groups in memory, and say what must not be so after it."""
    names = action.detail.get("groups") or [action.group or action.detail.get("group")]
    found: list[str] = []
    if names == [None]:
        _rename_everywhere(state, action)
        return ()
    for name in names:
        room = state.get(str(name))
        if room is None:
            found.append(f"{action.address} is in no group of the tenant")
        else:
            found += _change(room, action)
    return tuple(found)


def _rename_everywhere(state: Mapping[str, Room], action: Action) -> None:
    """A person of a directory is renamed in every group; nothing else of the tenant itself moves anybody."""
    old = str(action.detail.get("previously", ""))
    for room in state.values():
        if old in room.people:
            room.people[str(action.detail["login"])] = room.people.pop(old)


def _change(room: Room, action: Action) -> list[str]:
    login = str(action.detail.get("login", ""))
    targets = list(action.detail.get("targets", ()))
    match action.verb:
        case Verb.ACTIVATE:
            if login in room.people:
                return [f"{action.address}: {login} sits there already"]
            room.people[login] = targets[0] if targets else ""
        case Verb.DEACTIVATE if room.people.get(login) in targets:
            del room.people[login]
        case Verb.UPDATE if old := action.detail.get("previously"):
            room.people[login] = room.people.pop(str(old), "")
        case Verb.ORDER | Verb.RESIZE if room.seats is not None and not action.scheduled_for:
            room.seats += int(action.detail.get("quantity") or 0)
    if room.overfull:
        return [f"{action.address}: {len(room.people)} people on {room.seats} seats"]
    return []


def prove(plan: Plan, standings: Mapping[str, Standing], *, exist: Container[str] | None = None) -> None:
    """Refuse a plan that is not possible: it would be a bug, and is never shown.

    exist: the logins that a directory knows, where there is one.
    """
    wrong = violations(standings, plan.actions)
    if exist is not None:
        wrong = (*wrong, *_nobody(plan.actions, exist))
    if wrong:
        raise ValueError(f"the plan of {plan.tenant} is not possible: {'; '.join(wrong)}")


def _nobody(actions: Sequence[Action], exist: Container[str]) -> list[str]:
    """A person exists before being licensed."""
    made = {
        one.id: str(one.detail.get("login")) for one in actions if one.verb in {Verb.CREATE_USER, Verb.UPDATE}
    }
    return [
        f"{one.address}: nobody is sure to exist when they get it"
        for one in actions
        if one.verb is Verb.ACTIVATE
        and (login := str(one.detail.get("login"))) not in exist
        and login not in {made.get(need) for need in one.needs}
    ]


def violations(standings: Mapping[str, Standing], actions: Sequence[Action]) -> tuple[str, ...]:
    """What could go wrong in the order of the plan, or in any other that `needs` allows; nothing when it is sound."""
    if not actions:
        return ()
    state = rooms(standings)
    found = [wrong for action in actions for wrong in carry_out(state, action)]
    return (*found, *_side_by_side(standings, actions))


class _Seats(Struct):
    """What one group has to give, each to one joiner or to one seat that ends."""

    free: int | None
    given: dict[str, str] = field(default_factory=dict)
    bought: dict[str, int] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)


def _side_by_side(standings: Mapping[str, Standing], actions: Sequence[Action]) -> list[str]:
    """Give every joiner a seat that nobody else was given and that is there when they come."""
    known = {action.id for action in actions}
    found = [
        f"{action.address} needs {need}, which is no action of this plan"
        for action in actions
        for need in action.needs
        if need not in known
    ]
    seats = {name: _Seats(free=one.free) for name, one in standings.items()}
    of_groups = [(action, seats[name]) for action in actions if (name := action.group) in seats]
    for action, group in of_groups:
        if action.verb is Verb.DEACTIVATE:
            group.given[action.id] = str(action.detail["targets"][0])
        elif action.verb in {Verb.ORDER, Verb.RESIZE} and not shrinks(action):
            group.bought[action.id] = _gain(standings[str(action.group)], action)
    for action, group in of_groups:
        if action.verb is Verb.ACTIVATE:
            found += _joins(group, action)
    for action, group in of_groups:
        if shrinks(action):
            found += _ended(standings[str(action.group)], group, action)
    return found


def _gain(standing: Standing, action: Action) -> int:
    """Seats that joiners may have once it is done: the bought ones, and the free ones of those that go on."""
    targets = set(action.detail.get("targets", ()))
    free = sum(p.ref in targets and p.login is None and p.ready for p in standing.places)
    return int(action.detail.get("quantity") or 0) + free


def _joins(seats: _Seats, action: Action) -> list[str]:
    login = str(action.detail.get("login", ""))
    if login in seats.joined:
        return [f"{action.address}: {login} would be seated twice"]
    seats.joined.add(login)
    for need in action.needs:
        if need in seats.given:
            del seats.given[need]
            return []
        if seats.bought.get(need, 0) > 0:
            seats.bought[need] -= 1
            return []
    if seats.free is None:
        return []
    seats.free -= 1
    return [] if seats.free >= 0 else [f"{action.address}: no seat is sure to be free when {login} comes"]


def _ended(standing: Standing, seats: _Seats, action: Action) -> list[str]:
    """A seat that ends is empty by then, and nobody was given it."""
    if not standing.slotted:
        return _fewer(seats, action)
    sitting = {place.ref: place.login for place in standing.places}
    found: list[str] = []
    for ref in action.detail.get("targets", ()):
        if sitting.get(ref) is None:
            seats.free = (seats.free or 0) - 1
            if seats.free < 0:
                found.append(f"{action.address}: {ref} is ended and somebody was to sit there")
            continue
        need = next((one for one in action.needs if seats.given.get(one) == ref), None)
        if need is None:
            found.append(f"{action.address}: {ref} is ended while {sitting[ref]} may sit there")
        else:
            del seats.given[need]
    return found


def _fewer(seats: _Seats, action: Action) -> list[str]:
    """So many seats are free by then, from the start or because somebody left whom the action waits for."""
    lost = -int(action.detail.get("quantity") or 0)
    for need in action.needs:
        if lost and seats.given.pop(need, None) is not None:
            lost -= 1
    seats.free = (seats.free or 0) - lost
    return [f"{action.address}: seats are taken away and people sit there"] if seats.free < 0 else []
