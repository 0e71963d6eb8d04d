"""Who made the differences that `drift` found: git, or somebody at the provider."""

from __future__ import annotations

from reconciler.core.drift import SAID
from reconciler.core.model import Json
from reconciler.core.plan import Drift, Run
from reconciler.render import words
from reconciler.render.html_page import Anchors, Cell, Chip, Section, Table, shown

CAUSES = {
    "git": Chip("~", "git", "info"),
    "provider": Chip("!", "at the provider", "warn"),
    "both": Chip("!", "both", "warn"),
    "unknown": Chip("?", "unknown"),
}


def drift(run: Run, at: Anchors) -> Section:
    """Each difference, those that somebody made at the provider first."""
    found = [(plan.tenant, one) for plan in run.plans for one in plan.drift]
    found.sort(key=lambda pair: _FIRST.index(pair[1].cause))
    rows, after = shown([_row(tenant, one, at) for tenant, one in found], "difference")
    columns = ("tenant", "address", "changed in", "what the last apply left", "since", "why so")
    table = Table(caption="Differences", columns=columns, rows=rows, after=after)
    return Section(id="drift", title="Who changed it", tables=(table,) if rows else ())


_FIRST = ("provider", "both", "unknown", "git")


def _row(tenant: str, one: Drift, at: Anchors) -> tuple[Cell, ...]:
    return (
        Cell(code=tenant, href=at.href(tenant)),
        Cell(code=one.address, more=(one.verb.value if one.verb else "in no manifest",)),
        Cell(chips=(CAUSES[one.cause],)),
        Cell(text=_values(one.last)),
        Cell(text=words.moment(one.since) if one.since else "", short=True),
        Cell(text=SAID[one.cause]),
    )


def _values(last: Json | None) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in (last or {}).items())
