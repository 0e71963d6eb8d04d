"""What a plan changes on the bill: per month, later, at once and unknown, per currency; never added across them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from reconciler.core.action import Action
from reconciler.core.plan import Cost, Run, cost
from reconciler.core.serial import amount
from reconciler.render import words
from reconciler.render.html_page import Cell, Section, Table

ZERO = Decimal(0)


def money(run: Run) -> Section:
    """One line for each currency, what has no known price, and which contracts consent accepts."""
    actions = [action for plan in run.plans for action in plan.actions]
    later = _by_currency(cost(action for action in actions if action.scheduled_for is not None))
    whole = _by_currency(run.cost)
    once, outside = _at_once(actions), _outside(run)
    currencies = sorted({*whole, *once, *outside})
    rows = tuple(
        (
            Cell(text=currency),
            _amount(whole.get(currency), "/month"),
            _amount(later.get(currency), "/month"),
            _amount(once.get(currency), " once"),
            _amount(outside.get(currency), "/month", sign=False),
        )
        for currency in currencies
    )
    columns = ("currency", "change of the bill", "of it at a later date", "at once", "in no manifest")
    table = Table(caption="Amounts without tax", columns=columns, rows=rows)
    return Section(
        id="money",
        title="Money",
        intro=_said(run),
        tables=(table,) if rows else (),
        links=tuple((contract.name, link(contract.url)) for contract in words.contracts(run)),
    )


def link(url: str) -> str:
    """A link only where it leads to a page, never to a script."""
    return url if url.startswith(("https://", "http://")) else ""


def _said(run: Run) -> tuple[str, ...]:
    unknown = max((one.unknown for one in run.cost), default=0)
    lines = []
    if unknown:
        lines.append(f"{words.count(unknown, 'action')} of unknown price: in no sum below.")
    if words.contracts(run):
        lines.append("Consent to this plan accepts the contracts listed here.")
    return tuple(lines)


def _by_currency(costs: Iterable[Cost]) -> dict[str, Decimal]:
    return {one.currency: one.monthly_change for one in costs if one.currency}


def _at_once(actions: Iterable[Action]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for action in actions:
        if action.price is not None and action.price.one_off:
            total[action.price.currency] = total.get(action.price.currency, ZERO) + action.price.one_off
    return total


def _outside(run: Run) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for plan in run.plans:
        for one in plan.unmanaged:
            if one.monthly is not None:
                total[one.monthly.currency] = total.get(one.monthly.currency, ZERO) + one.monthly.amount
    return total


def _amount(value: Decimal | None, unit: str, *, sign: bool = True) -> Cell:
    if not value:
        return Cell(text="0" if sign and unit == "/month" else "", number=True)
    plus = "+" if sign and value > 0 else ""
    return Cell(text=f"{plus}{amount(value)}{unit}", number=True)
