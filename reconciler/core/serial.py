"""Actions and plans as JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from msgspec import convert, to_builtins
from msgspec.structs import replace

from reconciler.core.action import Action
from reconciler.core.errors import ReconcilerError
from reconciler.core.model import Json, Price, Source
from reconciler.core.plan import (
    FORMAT_VERSION,
    Drift,
    Exceeded,
    Finding,
    Leaving,
    Plan,
    Run,
    Unmanaged,
    Waiting,
)

Values = dict[str, Any]


def run_to_dict(run: Run) -> Values:
    """The plan file; `created_at` and what the tool says besides are not part of any digest."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "plan",
        "tool_version": run.tool_version,
        "created_at": instant(run.created_at),
        "digest": run.digest,
        "tenants": [_plan_to_dict(plan) for plan in run.plans],
        "summary": {**run.summary, "tenants": run.tenants},
        "cost": [
            {
                "currency": cost.currency,
                "monthly_change": amount(cost.monthly_change),
                "unknown": cost.unknown,
            }
            for cost in run.cost
        ],
        "exceeded": [_exceeded_to_dict(exceeded) for exceeded in run.exceeded],
        "skipped": run.skipped,
        "notes": list(run.notes),
    }


CHANGED = "the plan file was changed after it was written: its digest is not that of its content"


def run_from_dict(values: Json, *, only_shown: bool = False) -> Run:
    """Read a plan file. What is counted or computed is so again; a digest that is not the stored one refuses.

    What an apply reads anew (`found`, `identified`) is not in the file.
    only_shown: nothing is going to be done by it, so that a digest which does not fit is a note.
    """
    check_header(values, kind="plan")
    try:
        run = Run(
            plans=tuple(_plan_from_dict(plan) for plan in values["tenants"]),
            created_at=moment(values["created_at"]),
            tool_version=read(str, values["tool_version"]),
            exceeded=read(tuple[Exceeded, ...], values.get("exceeded", ())),
            skipped=read(int, values.get("skipped", 0)),
            notes=read(tuple[str, ...], values.get("notes", ())),
        )
        stored = [values["digest"], *(plan["digest"] for plan in values["tenants"])]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged("plan", error) from error
    if stored == [run.digest, *(plan.digest for plan in run.plans)]:
        return run
    if not only_shown:
        raise ReconcilerError(
            CHANGED,
            hint="make a new one with `reconciler plan --out FILE`",
            code="tampered",
        )
    return replace(run, notes=(f"{CHANGED}; `apply` refuses it", *run.notes))


def action_to_dict(action: Action) -> Values:
    """An action as plan and journal keep it."""
    return {
        "id": action.id,
        "verb": action.verb.value,
        "address": action.address,
        "summary": action.summary,
        "before": plain(action.before),
        "after": plain(action.after),
        "needs": list(action.needs),
        "how": action.how,
        "repeatable": action.repeatable,
        "reason": action.reason,
        "source": source_to_dict(action.source),
        "price": _price_to_dict(action.price),
        "contracts": [{"name": contract.name, "url": contract.url} for contract in action.contracts],
        "scheduled_for": day(action.scheduled_for),
        "reversible_until": day(action.reversible_until),
        "instructions": action.instructions,
        "detail": plain(action.detail),
    }


def action_from_dict(values: Json) -> Action:
    """Read an action that `action_to_dict` wrote; unknown fields are ignored."""
    action: Action = read(Action, values)
    if action.price is not None:
        _possible(action.price.monthly)
        _possible(action.price.one_off)
    return action


def changed_fields(before: Json | None, after: Json | None) -> list[Values]:
    """Name the fields in which two states differ, with their values.

    The one place that asks deepdiff, and only about two states that exist and differ.
    """
    if before == after:
        return []
    old, new = before or {}, after or {}
    names = old.keys() | new.keys() if not old or not new else _differing(old, new)
    return [{"field": name, "before": old.get(name), "after": new.get(name)} for name in sorted(names)]


def _differing(old: Json, new: Json) -> set[str]:
    from deepdiff import DeepDiff

    diff = DeepDiff(
        dict(old), dict(new), view="tree", ignore_private_variables=False, threshold_to_diff_deeper=0
    )
    return {item.path(output_format="list")[0] for items in diff.values() for item in items}


def amount(value: Decimal) -> str:
    """An amount of money: no exponent, at least two decimals, none lost."""
    whole, _, decimals = f"{value or Decimal(0):f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def day(value: date | None) -> str | None:
    """A date as ISO 8601."""
    return None if value is None else value.isoformat()


def instant(value: datetime) -> str:
    """A time as RFC 3339 in UTC; one without a zone is UTC already."""
    return utc(value).isoformat().replace("+00:00", "Z")


def utc(value: datetime) -> datetime:
    """A time in UTC; one without a zone is UTC already, and so is one beyond the calendar's ends."""
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (OverflowError, ValueError):  # 9999-12-31 somewhere west: only a damaged file says so
        return value.replace(tzinfo=UTC)


def maybe(value: datetime | None) -> str | None:
    """A time, where there is one."""
    return None if value is None else instant(value)


def moment(value: str) -> datetime:
    """Read a time that `instant` wrote."""
    read_at = datetime.fromisoformat(value)
    return read_at if read_at.tzinfo else read_at.replace(tzinfo=UTC)


def plain(value: Any) -> Any:
    """A JSON value made of dicts, lists and scalars alone, with the same digest."""
    return to_builtins(value, order="sorted", enc_hook=str)


def source_to_dict(source: Source | None) -> Values | None:
    """Where it is written."""
    if source is None:
        return None
    return {"file": source.file, "line": source.line, "column": source.column}


def read(kind: Any, value: Any) -> Any:
    """Read a value of this type from JSON, every part of it checked."""
    return convert(value, kind, strict=False)


def _possible(amount: Decimal) -> None:
    """Refuse what is no amount of money: written out, `1e999999999` would fill any memory."""
    exponent = amount.as_tuple().exponent
    if not (isinstance(exponent, int) and -100 < exponent < 40 and abs(amount) < 10**40):
        raise ValueError("no amount of money")


def check_header(values: Json, *, kind: str) -> None:
    """Refuse what is no file of this kind, or one of another major version."""
    found = values.get("kind") if isinstance(values, Mapping) else None
    if found != kind:
        raise ReconcilerError(f"this is no {kind} file", hint=f"its `kind` is {found!r}, not {kind!r}")
    version = str(values.get("format_version"))
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise ReconcilerError(
            f"the {kind} file has format {version}, and this version reads {FORMAT_VERSION}",
            hint="read it with the version of the tool that wrote it",
        )


def damaged(kind: str, error: Exception) -> ReconcilerError:
    """What to say of a file that has the right header and not the right content."""
    why = f"{error} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0]
    return ReconcilerError(f"the {kind} file cannot be read: {why}", hint="write it again")


def _plan_to_dict(plan: Plan) -> Values:
    return {
        "tenant": plan.tenant,
        "provider": plan.provider,
        "status": plan.status.value,
        "digest": plan.digest,
        "actions": [_planned(action) for action in plan.actions],
        "pending": [_waiting_to_dict(item) for item in plan.pending],
        "blocked": [_waiting_to_dict(item) for item in plan.blocked],
        "unmanaged": [_unmanaged_to_dict(item) for item in plan.unmanaged],
        **({"drift": [_drift_to_dict(item) for item in plan.drift]} if plan.drift else {}),
        "leaving": [_leaving(item) for item in plan.leaving],
        "findings": [_finding_to_dict(item) for item in plan.findings],
        "account": plan.account,
        "name": plan.name,
        "refs": [list(pair) for pair in plan.refs],
        "begun": plan.begun,
        "error": plan.error,
        "hold": plan.hold,
        "sandbox": plan.sandbox,
        "in_doubt": plan.in_doubt,
    }


def _plan_from_dict(values: Json) -> Plan:
    waiting = {
        kind: [{**item, "state": item.get("state") or ""} for item in values[kind]]
        for kind in ("pending", "blocked")
    }
    return Plan(
        tenant=read(str, values["tenant"]),
        provider=read(str, values["provider"]),
        account=read(str, values.get("account", "")),
        name=read(str, values.get("name", "")),
        refs=read(tuple[tuple[str, str], ...], values.get("refs", ())),
        begun=read(int, values.get("begun", 0)),
        actions=tuple(action_from_dict(action) for action in values["actions"]),
        pending=read(tuple[Waiting, ...], waiting["pending"]),
        blocked=read(tuple[Waiting, ...], waiting["blocked"]),
        unmanaged=tuple(_unmanaged_from_dict(item) for item in values["unmanaged"]),
        leaving=read(tuple[Leaving, ...], values["leaving"]),
        findings=read(tuple[Finding, ...], values["findings"]),
        error=read(_TEXT, values.get("error")),
        hold=read(_TEXT, values.get("hold")),
        sandbox=read(bool, values.get("sandbox", False)),
        in_doubt=read(bool, values.get("in_doubt", False)),
    )


def _planned(action: Action) -> Values:
    """An action as a plan tells it: which fields change stands right behind what it was and will be."""
    planned: Values = {}
    for key, value in action_to_dict(action).items():
        planned[key] = value
        if key == "after":
            planned["fields"] = changed_fields(planned["before"], value)
    return planned


def _price_to_dict(price: Price | None) -> Values | None:
    if price is None:
        return None
    return {
        "monthly": amount(price.monthly),
        "one_off": amount(price.one_off),
        "currency": price.currency,
        "source": price.source,
    }


def _waiting_to_dict(item: Waiting) -> Values:
    return {
        "address": item.address,
        "verb": item.verb and item.verb.value,
        "reason": item.reason,
        "ref": item.ref,
        "since": maybe(item.since),
        "due_by": maybe(item.due_by),
        "state": item.state or None,
        "source": source_to_dict(item.source),
        "ours": item.ours,
    }


def _leaving(item: Leaving) -> Values:
    told: Values = {"address": item.address, "ref": item.ref, "on": day(item.on)}
    if item.seats is not None:
        told["seats"] = item.seats
    return {**told, "ended": True} if item.ended else told


def _drift_to_dict(item: Drift) -> Values:
    return {
        "address": item.address,
        "verb": item.verb.value if item.verb else None,
        "cause": item.cause,
        "before": plain(item.before),
        "after": plain(item.after),
        "last": plain(item.last),
        "since": instant(item.since) if item.since else None,
    }


def _unmanaged_to_dict(item: Unmanaged) -> Values:
    return {
        "address": item.address,
        "ref": item.ref,
        "monthly": item.monthly and amount(item.monthly.amount),
        "currency": item.monthly and item.monthly.currency,
    }


def _unmanaged_from_dict(values: Json) -> Unmanaged:
    money = values["monthly"] and [values["monthly"], values.get("currency") or ""]
    item: Unmanaged = read(Unmanaged, {**values, "monthly": money})
    if item.monthly is not None:
        _possible(item.monthly.amount)
    return item


def _finding_to_dict(item: Finding) -> Values:
    return {
        "code": item.code,
        "severity": item.severity,
        "address": item.address,
        "message": item.message,
        "source": source_to_dict(item.source),
    }


def _exceeded_to_dict(item: Exceeded) -> Values:
    return {
        "rule": item.rule,
        "number": item.number,
        "limit": item.limit,
        "message": item.message,
        "hint": item.hint,
    }


_TEXT: Any = str | None
