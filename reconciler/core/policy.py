"""Guards: what one run may do at most, judged on plans before the first call, and how to lift a guard once."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from msgspec import Struct, field

from reconciler.core.action import Action, Verb
from reconciler.core.errors import UsageError
from reconciler.core.money import ZERO, rise, this_month
from reconciler.core.open import Spending
from reconciler.core.order import shrinks
from reconciler.core.plan import Exceeded, Plan
from reconciler.core.workspace import Policy

_ODD = re.compile(r"[^\w .+-]")
"""What may mean something else to YAML."""
HALF_AT_LEAST = 5
"""From this many people on, taking more than half of a group away exceeds max_deactivations."""

RULES = (
    "max_monthly_increase",
    "max_seats_per_action",
    "max_cancellations",
    "max_deactivations",
    "max_tenants_changed",
    "protected",
)


class Allowances(Struct, frozen=True, kw_only=True):
    """What the command line lifts once: a number or amount by rule, and tenants that lose their protection."""

    numbers: Mapping[str, Decimal] = field(default_factory=dict)
    tenants: frozenset[str] = frozenset()

    def limit(self, rule: str, written: Decimal | int | None) -> Decimal | None:
        """The limit of a rule: lifted, else as written."""
        if rule in self.numbers:
            return self.numbers[rule]
        return None if written is None else Decimal(written)


def allowances(texts: Iterable[str]) -> Allowances:
    """Read `RULE=N` as given with --allow."""
    numbers: dict[str, Decimal] = {}
    tenants: set[str] = set()
    for text in texts:
        rule, equals, value = text.partition("=")
        if rule not in RULES or not equals or not value:
            raise UsageError(f"--allow {text}: not RULE=N", hint=f"RULE is one of {', '.join(RULES)}")
        if rule == "protected":
            tenants.add(value)
            continue
        numbers[rule] = _number(text, value)
    return Allowances(numbers=numbers, tenants=frozenset(tenants))


def _number(text: str, value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise UsageError(f"--allow {text}: {value!r} is not a number", hint=_allow_hint(text)) from error
    if not number.is_finite() or number < 0:
        raise UsageError(f"--allow {text}: {value!r} is not a limit", hint=_allow_hint(text))
    return number


def _allow_hint(text: str) -> str:
    """How a guard is lifted, and where the number is told."""
    rule = text.partition("=")[0]
    example = "800.00, in the rule's currency" if rule == "max_monthly_increase" else "120"
    return f"write --allow {rule}=N, N being a number such as {example}; `reconciler plan` names the one it takes"


Service = tuple[str, str, str]
"""A service or subscription, the product in it, and the tenant's own service that it belongs to."""


class Past(Struct, frozen=True, kw_only=True):
    """Under what a tenant was known: its name before, by tenant, and the services that the journal says it has."""

    names: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, frozenset[Service]] = field(default_factory=dict)

    def concerns(self, name: str, action: Action, tenant: str) -> bool:
        """Whether an action of `name` is done to `tenant`: under its name, one before, or to a service of it."""
        if tenant in {name, self.names.get(name)}:
            return True
        one = tuple(str(action.detail.get(key, "")) for key in ("service", "product", "scope"))
        return one in self.services.get(tenant, ())


class Work(Struct, frozen=True, kw_only=True):
    """What a run would do, as guards see it: actions by tenant, and the people of groups that lose some."""

    actions: Mapping[str, tuple[Action, ...]]
    spending: tuple[Spending, ...] = ()
    seated: Mapping[tuple[str, str], int] = field(default_factory=dict)
    past: Past = field(default_factory=Past)

    @property
    def all(self) -> list[Action]:
        """Every action."""
        return [action for some in self.actions.values() for action in some]


def work_of(plans: Iterable[Plan], spending: Iterable[Spending], past: Past | None = None) -> Work:
    """What plans would do; held tenants and those that could not be read do nothing."""
    chosen = [plan for plan in plans if plan.error is None and plan.hold is None]
    return Work(
        actions={plan.tenant: plan.actions for plan in chosen if plan.actions},
        spending=tuple(spending),
        seated={(plan.tenant, group): count for plan in chosen for group, count in plan.seated},
        past=past or Past(),
    )


def exceeded(
    work: Work, policies: Sequence[Policy], allowed: Allowances, now: datetime
) -> tuple[Exceeded, ...]:
    """Every guard that a run exceeds, under each of the policies that hold."""
    found: dict[tuple[str, str], Exceeded] = {}
    for policy in policies:
        for rule in GUARDS:
            for one in rule(work, policy, allowed, now):
                found.setdefault((one.rule, one.message), one)
    return tuple(found.values())


def _over(rule: str, number: Decimal | int, limit: Decimal | None, what: str) -> list[Exceeded]:
    if limit is None or number <= limit:
        return []
    return [
        Exceeded(
            rule=rule,
            number=str(number),
            limit=str(limit),
            message=what,
            hint=f"review the plan; to allow it once: --allow {rule}={number}",
        )
    ]


def _increase(work: Work, policy: Policy, allowed: Allowances, now: datetime) -> list[Exceeded]:
    rule, limit = "max_monthly_increase", policy.max_monthly_increase
    if limit is None:
        return []
    rises, unknown = rise(work.all)
    if unknown and rule not in allowed.numbers:
        return [
            Exceeded(
                rule=rule,
                number="unknown",
                limit=f"{limit.amount} {limit.currency}",
                message=f"{_purchases(unknown)} no known price",
                hint=f"write under `prices:` of reconciler.yaml what a seat costs, {_rows(unknown, limit.currency)}; "
                f"or allow it once: --allow {rule}={limit.amount}",
            )
        ]
    spent = this_month(work.spending, now)
    lifted = allowed.limit(rule, limit.amount)
    found: list[Exceeded] = []
    for currency, amount in sorted(rises.items()):
        if amount <= 0:
            continue
        # No limit is written for another currency, so any rise in it has to be looked at.
        ceiling = lifted if currency == limit.currency or rule in allowed.numbers else ZERO
        before = spent.get(currency, ZERO)
        what = f"the monthly bill rises by {amount} {currency} in this run"
        if before:
            what += f", after {before} {currency} this month"
        found += _over(rule, amount + before, ceiling, what)
    return found


def _purchases(unknown: Sequence[str]) -> str:
    return "1 purchase has" if len(unknown) == 1 else f"{len(unknown)} purchases have"


def _rows(products: Iterable[str], currency: str) -> str:
    """The rows of the workspace that would tell a price, as one writes them; the amount is an example."""
    rows = (
        f'{{product: {_quoted(one)}, amount: "10.50", currency: {currency}, per: month}}'
        for one in sorted(set(products))
    )
    return f"as in {', '.join(rows)}"


def _quoted(product: str) -> str:
    """A product as YAML reads it as text within braces."""
    return json.dumps(product, ensure_ascii=False) if _ODD.search(product) or product.isdigit() else product


def _seats(work: Work, policy: Policy, allowed: Allowances, _now: datetime) -> list[Exceeded]:
    limit = allowed.limit("max_seats_per_action", policy.max_seats_per_action)
    found: list[Exceeded] = []
    for tenant, actions in work.actions.items():
        for action in actions:
            if more := added(action):
                what = f"{tenant} {action.address} adds seats at once"
                found += _over("max_seats_per_action", more, limit, what)
    return found


def added(action: Action) -> int:
    """How many seats an action adds to what is paid for, those included that were about to end."""
    if action.verb not in {Verb.ORDER, Verb.RESIZE}:
        return 0
    before, after = action.before or {}, action.after or {}
    return int(after.get("seats") or 0) - int(before.get("seats") or 0)


def _cancellations(work: Work, policy: Policy, allowed: Allowances, _now: datetime) -> list[Exceeded]:
    number = sum(action.verb is Verb.CANCEL for action in work.all)
    limit = allowed.limit("max_cancellations", policy.max_cancellations)
    return _over("max_cancellations", number, limit, "groups cancelled in this run")


def _deactivations(work: Work, policy: Policy, allowed: Allowances, _now: datetime) -> list[Exceeded]:
    rule = "max_deactivations"
    deleted = sum(_only_deleted(actions) for actions in work.actions.values())
    number = deleted + sum(action.verb is Verb.DEACTIVATE for action in work.all)
    what = "people lose a seat or are deleted in this run" if deleted else "people lose a seat in this run"
    found = _over(rule, number, allowed.limit(rule, policy.max_deactivations), what)
    if found or rule in allowed.numbers:
        return found
    lost: Counter[tuple[str, str]] = Counter()
    for tenant, actions in work.actions.items():
        lost.update((tenant, one.group or "") for one in actions if one.verb is Verb.DEACTIVATE)
    for (tenant, group), leaving in sorted(lost.items()):
        seated = work.seated.get((tenant, group))
        if seated is None:
            continue  # what a resume goes on with was judged when its plan was made
        if leaving >= HALF_AT_LEAST and leaving * 2 > seated:
            found.append(
                Exceeded(
                    rule=rule,
                    number=str(leaving),
                    limit=f"half of {seated}",
                    message=f"more than half of the people of {tenant} group/{group} lose their seat",
                    hint=f"review the plan; to allow it once: --allow {rule}={max(number, leaving)}",
                )
            )
    return found


def _only_deleted(actions: Sequence[Action]) -> int:
    """How many people a plan deletes from the directory who lose no seat in it, and so are not counted yet."""
    losing = {action.detail.get("login") for action in actions if action.verb is Verb.DEACTIVATE}
    return sum(
        action.verb is Verb.DELETE_USER and action.detail.get("login") not in losing for action in actions
    )


def _tenants(work: Work, policy: Policy, allowed: Allowances, _now: datetime) -> list[Exceeded]:
    limit = allowed.limit("max_tenants_changed", policy.max_tenants_changed)
    number = sum(bool(actions) for actions in work.actions.values())
    return _over("max_tenants_changed", number, limit, "tenants changed in this run")


def _protected(work: Work, policy: Policy, allowed: Allowances, _now: datetime) -> list[Exceeded]:
    return [
        Exceeded(
            rule="protected",
            number=f"{action.verb} {action.address}",
            limit=f"the protection of {tenant}",
            message=f"{action.verb} {action.address} takes something away from {tenant}",
            hint=f"review the plan; to allow it once: --allow protected={tenant}",
        )
        for tenant in policy.protected
        if tenant not in allowed.tenants
        for name, actions in work.actions.items()
        for action in actions
        if takes_away(action) and work.past.concerns(name, action, tenant)
    ]


def takes_away(action: Action) -> bool:
    """Whether something is lost: a seat's person, seats, a group, or its renewal."""
    if action.verb in {Verb.DEACTIVATE, Verb.CANCEL, Verb.DELETE_USER}:
        return True
    return shrinks(action) or _fewer_later(action) or action.detail.get("renewal") == "off"


def _fewer_later(action: Action) -> bool:
    """Whether fewer seats are to be renewed."""
    before, after = action.before or {}, action.after or {}
    return action.verb is Verb.SCHEDULE and int(after.get("seats") or 0) < int(before.get("seats") or 0)


Guard = Callable[[Work, Policy, Allowances, datetime], list[Exceeded]]
GUARDS: tuple[Guard, ...] = (_increase, _seats, _cancellations, _deactivations, _tenants, _protected)
