"""Whether a plan may be applied without a second look: it takes nothing away and costs little."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from reconciler.core.action import Action, Verb
from reconciler.core.delegated import access_address
from reconciler.core.money import buys
from reconciler.core.order import shrinks
from reconciler.core.plan import Run
from reconciler.core.policy import takes_away

TAKES = {
    Verb.CANCEL: "cancels",
    Verb.DELETE_USER: "deletes a person",
    Verb.DEACTIVATE: "takes a licence from a person",
    Verb.SCHEDULE: "schedules a change",
}


def dangers(run: Run, *, free_rise: Decimal) -> tuple[str, ...]:
    """Why a person should look before this is applied, each reason once; empty when nobody needs to.

    free_rise: by how much the monthly bill may rise in each currency without a look.
    """
    found = [reason for plan in run.plans if plan.hold is None for reason in _of(plan.actions)]
    found += [f"is over the limit {exceeded.rule}" for exceeded in run.exceeded]
    for cost in run.cost:
        if cost.monthly_change > free_rise:
            found.append(f"raises the monthly bill by more than {free_rise} {cost.currency}")
    return tuple(dict.fromkeys(found))


def _of(actions: tuple[Action, ...]) -> Iterator[str]:
    for action in actions:
        if action.verb in TAKES:
            yield TAKES[action.verb]
        elif action.verb is Verb.RESIZE and shrinks(action):
            yield "takes seats away"
        elif takes_away(action):
            yield "switches a renewal off"
        elif action.address.startswith(access_address("")):
            yield "gives rights in a customer's directory"
        if action.price is None and (buys(action) or action.verb in {Verb.ORDER, Verb.RESIZE}):
            yield "costs nobody knows what"
        if action.price is not None and action.price.one_off > 0:
            yield "is paid for once"
