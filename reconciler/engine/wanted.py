"""Whether what an earlier run left unsent would still be planned: by the files and the account of today."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.money import buys
from reconciler.core.open import Open
from reconciler.core.progress import Progress
from reconciler.engine.read import plans
from reconciler.engine.setup import Setup

Key = tuple[Verb, str, str]
"""A verb, an address, and what it is to be before and after."""


async def unwanted(setup: Setup, progress: Mapping[str, Progress], tenants: Iterable[str]) -> frozenset[str]:
    """What is not begun, or perhaps never sent, and nobody would plan today; what cannot be read is among it.

    Asked of purchases, a pay-as-you-go person among them, and of display names. Of what turns out to have been
    done this says nothing: it is gone on with all the same.
    """
    left = {name: found for name in tenants if (found := _left(progress[name]))}
    if not left:
        return frozenset()
    pretended = {**progress, **{name: _never_begun(progress[name], some) for name, some in left.items()}}
    chosen = tuple(one for one in setup.selection.every if one.name in left)
    fresh = await plans(
        replace(setup.selection, chosen=chosen),
        accounts=setup.accounts,
        progress=pretended,
        prices=setup.prices,
        hopeful=True,
    )
    today = {
        plan.tenant: {key for action in plan.actions for key in (_key(action), _short(action))}
        for plan in fresh
        if plan.error is None
    }
    return frozenset(
        action.id for name, some in left.items() for action in some if _key(action) not in today.get(name, ())
    )


def _left(known: Progress) -> list[Action]:
    unsent = [one.action for one in known.open.values() if _unsure(one)]
    return [*unsent, *filter(_is_asked, known.todo.values())]


def _never_begun(known: Progress, some: Iterable[Action]) -> Progress:
    """Where things would stand if none of it had been begun, nor what the tenant itself needs before it."""
    needs = {need for action in some for need in action.needs}
    first = {key for key in needs & known.open.keys() if known.open[key].action.of_tenant}
    left = {key: one for key, one in known.open.items() if key not in first and not _unsure(one)}
    return replace(known, open=left)


def _unsure(one: Open) -> bool:
    return one.stage == "intended" and _is_asked(one.action)


def _is_asked(action: Action) -> bool:
    return buys(action) or action.renames


def _short(action: Action) -> Key:
    """An action as it was planned while its group had no service, and nobody knew the domain of its people."""
    login = str((action.after or {}).get("login", ""))
    after = action.after and {**action.after, "login": login.partition("@")[0]}
    return _key(replace(action, after=after)) if login else _key(action)


def _key(action: Action) -> Key:
    return action.verb, action.address, json.dumps([action.before, action.after], sort_keys=True, default=str)
