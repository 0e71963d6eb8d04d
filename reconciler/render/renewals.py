"""What renews or ends when, as text for a terminal and as JSON for programs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from reconciler.core.plan import FORMAT_VERSION, Due, Run
from reconciler.render import words
from reconciler.render.options import Options
from reconciler.render.page import Page, Piece, Row

SOON = 7
"""Days from which on a line is coloured: somebody who wants to change something has this week."""


def text(run: Run, due: tuple[Due, ...], days: int, options: Options) -> str:
    """One line for each day of a group: when, what, how many seats, how many of them idle, until when to act."""
    page = Page(options)
    for note in run.notes:
        page.prose(f"Note: {note}", style="yellow", hang=2)
    for plan in run.plans:
        if plan.error is not None:
            page.prose(f"{plan.tenant}: {plan.error}", style="bold red", hang=2)
    page.blank()
    page.table([_row(one) for one in due], indent=0, after=lambda at: _below(page, due[at]))
    page.blank()
    page.prose(verdict(due, days), style="bold", hang=2)
    return page.text()


def _row(one: Due) -> Row:
    style = "yellow" if 0 <= one.days <= SOON or one.what == "ended" else ""
    return [
        Piece(one.on.isoformat(), style),
        Piece(left(one.days), style),
        Piece(f"{one.tenant} {one.address}"),
        Piece(f"{one.what}: {seats(one)}"),
        Piece(f"act by {one.last_day}" if one.days > 0 else "", "dim"),
    ]


def left(days: int) -> str:
    """How far away a day is."""
    match days:
        case 0:
            return "today"
        case 1:
            return "tomorrow"
        case _:
            return f"in {days} days" if days > 0 else f"{-days} days ago"


def seats(one: Due) -> str:
    """How many of what, how many after it, how many idle."""
    if one.seats is None:
        return f"all of {one.product}"
    said = f"{words.count(one.seats, 'seat')} of {one.product}"
    if one.scheduled is not None:
        said += f" (then {one.scheduled})"
    return f"{said}, {one.idle} idle" if one.idle else said


def _below(page: Page, one: Due) -> None:
    said = kept(one)
    if said:
        page.line(Piece(said, "dim"), indent=4)


def kept(one: Due) -> str:
    """What is still there after an end, and until when; empty when nothing is."""
    today = one.on - timedelta(days=one.days)
    if one.what == "renews" or one.kept_until is None or one.kept_until < today:
        return ""
    usable = f"usable until {one.grace_until}, " if one.grace_until and one.grace_until >= today else ""
    return f"{usable}data kept until {one.kept_until}"


def verdict(due: tuple[Due, ...], days: int) -> str:
    """How many dates there are, and what idle seats would cost again."""
    if not due:
        return f"Nothing renews or ends within {days} days."
    idle = sum(one.idle or 0 for one in due if one.what == "renews")
    spare = f"; {words.count(idle, 'idle seat')} would be paid again" if idle else ""
    return f"{words.count(len(due), 'date')} within {days} days{spare}."


def as_json(run: Run, due: tuple[Due, ...], days: int, _: Options) -> str:
    """The same for programs; dates are days in UTC."""
    document = {
        "format_version": FORMAT_VERSION,
        "kind": "renewals",
        "tool_version": run.tool_version,
        "created_at": run.created_at.isoformat().replace("+00:00", "Z"),
        "within_days": days,
        "renewals": [_due(one) for one in due],
        "errors": [{"tenant": plan.tenant, "message": plan.error} for plan in run.plans if plan.error],
        "notes": list(run.notes),
    }
    return json.dumps(document, indent=2) + "\n"


def _due(one: Due) -> dict[str, Any]:
    return {
        "tenant": one.tenant,
        "address": one.address,
        "ref": one.ref,
        "product": one.product,
        "what": one.what,
        "on": one.on.isoformat(),
        "days": one.days,
        "seats": one.seats,
        "idle": one.idle,
        "last_day_to_act": one.last_day.isoformat(),
        "grace_until": one.grace_until.isoformat() if one.grace_until else None,
        "kept_until": one.kept_until.isoformat() if one.kept_until else None,
        "scheduled_seats": one.scheduled,
    }
