"""The order in which actions are done: nothing sits before it exists, nothing is taken away while in use.

order > (wait) > resize up               seats exist before anyone sits on them
      > create-user > update             people exist before they sit
      > deactivate > activate            a full group frees a seat before it fills one
      > delete-user > resize down > cancel    nothing is taken away while it is in use
      > schedule                         last: providers drop scheduled changes at any other change
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from reconciler.core.action import Action, Verb

RANK: dict[Verb, int] = {
    Verb.ORDER: 0,
    Verb.RESIZE: 1,
    Verb.CREATE_USER: 2,
    Verb.UPDATE: 3,
    Verb.DEACTIVATE: 4,
    Verb.ACTIVATE: 5,
    Verb.DELETE_USER: 6,
    Verb.CANCEL: 8,
    Verb.SCHEDULE: 9,
}
DOWN = 7


def rank(action: Action) -> int:
    """Where an action stands in the picture above."""
    if action.verb is Verb.RESIZE and shrinks(action):
        return DOWN
    if action.verb is Verb.UPDATE and action.detail.get("renewal"):
        return DOWN
    return RANK[action.verb]


def shrinks(action: Action) -> bool:
    """Whether it takes seats away."""
    if action.verb is not Verb.RESIZE:
        return False
    before, after = action.before or {}, action.after or {}
    return (after.get("seats") or 0) < (before.get("seats") or 0)


def leavers(actions: Iterable[Action]) -> dict[str, Action]:
    """Who moves: by the action that fills the new seat, the one that gives the old seat back after it."""
    every = list(actions)
    joins = {one.id for one in every if one.verb is Verb.ACTIVATE}
    leaves = [one for one in every if one.verb is Verb.DEACTIVATE]
    return {need: one for one in leaves for need in one.needs if need in joins}


def _place(action: Action) -> tuple[int, str, str]:
    return rank(action), action.address, action.id


def in_order(actions: Sequence[Action]) -> list[Action]:
    """Sort by the picture, but never before what an action needs; the same whatever order they came in."""
    by_id = {action.id: action for action in actions}
    if not any(action.needs for action in actions) and len(by_id) == len(actions):
        return sorted(actions, key=_place)
    waiting = {action.id: {need for need in action.needs if need in by_id} for action in actions}
    needed_by: dict[str, list[str]] = {}
    for action in actions:
        for need in waiting[action.id]:
            needed_by.setdefault(need, []).append(action.id)
    ready = [_place(one) for one in actions if not waiting[one.id]]
    heapq.heapify(ready)
    done: list[Action] = []
    while ready:
        _, _, identifier = heapq.heappop(ready)
        done.append(by_id[identifier])
        for dependant in needed_by.get(identifier, ()):
            waiting[dependant].discard(identifier)
            if not waiting[dependant]:
                one = by_id[dependant]
                heapq.heappush(ready, _place(one))
    if len(done) != len(actions):
        stuck = sorted(one.address for one in actions if waiting[one.id])
        raise ValueError(f"actions need each other in a circle: {', '.join(stuck)}")
    return done
