"""Whether a purchase that an earlier run left unsent would still be planned: by the files and the account of today."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.core.action import Action, Verb
from reconciler.core.money import buys
from reconciler.core.progress import Open, Progress
from reconciler.engine.read import plans
from reconciler.engine.setup import Setup


async def unwanted(setup: Setup, progress: Mapping[str, Progress], tenants: Iterable[str]) -> frozenset[str]:
    """Purchases not begun, or perhaps never sent, that nobody would plan today; what cannot be read is among them.

    Of a purchase that turns out to have been made this says nothing: it is gone on with all the same.
    """
    left = {name: found for name in tenants if (found := _left(progress[name]))}
    if not left:
        return frozenset()
    pretended = {**progress, **{name: _never_begun(progress[name]) for name in left}}
    chosen = tuple(one for one in setup.selection.every if one.tenant.tenant in left)
    fresh = await plans(
        replace(setup.selection, chosen=chosen),
        accounts=setup.accounts,
        progress=pretended,
        prices=setup.prices,
    )
    today = {plan.tenant: {_key(action) for action in plan.actions} for plan in fresh if plan.error is None}
    return frozenset(
        action.id for name, some in left.items() for action in some if _key(action) not in today.get(name, ())
    )


def _left(known: Progress) -> list[Action]:
    unsent = [one.action for one in known.open.values() if _unsure(one)]
    return [*unsent, *filter(_is_order, known.todo.values())]


def _never_begun(known: Progress) -> Progress:
    return replace(known, open={key: one for key, one in known.open.items() if not _unsure(one)})


def _unsure(one: Open) -> bool:
    return one.stage == "intended" and _is_order(one.action)


def _is_order(action: Action) -> bool:
    return action.verb in {Verb.ORDER, Verb.RESIZE} and buys(action)


def _key(action: Action) -> tuple[Verb, str, str]:
    return action.verb, action.address, json.dumps([action.before, action.after], sort_keys=True, default=str)
