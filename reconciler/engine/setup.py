"""Everything one run works with, and the plan it makes of it."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from msgspec import Struct, field

from reconciler.core.journal import Event, Journal, Kind
from reconciler.core.manifest import ManifestFile
from reconciler.core.open import Spending
from reconciler.core.plan import Plan, Run
from reconciler.core.policy import Allowances, Past, exceeded, work_of
from reconciler.core.progress import Progress
from reconciler.core.replay import by_tenant, replay, untaken
from reconciler.core.workspace import Policy
from reconciler.core.workspace import Price as WorkspacePrice
from reconciler.engine.clock import Clock
from reconciler.engine.read import Accounts, Selection, plans
from reconciler.engine.scribe import Tell, Who


class Setup(Struct, kw_only=True):
    """Everything one run works with.

    policies: those that hold (the present one, and the base revision's). fresh_refused: why a purchase must
    not be made with this journal, if so. notes: what every output should say first. accepted: a person goes on
    with a journal that is behind. known: the actions, and the provider's refs, that the journal names.
    calendar: plans tell when everything renews or ends. digest: that of the run which is applied.
    """

    selection: Selection
    accounts: Accounts
    journal: Journal
    policies: tuple[Policy, ...]
    who: Who
    clock: Clock
    tell: Tell
    tool_version: str
    prices: tuple[WorkspacePrice, ...] = ()
    allowed: Allowances = field(default_factory=Allowances)
    wait: timedelta = timedelta(0)
    concurrency: int = 16
    notes: tuple[str, ...] = ()
    fresh_refused: str = ""
    at: datetime | None = None
    calendar: bool = False
    acting: bool = False
    accepted: bool = False
    digest: str = ""
    known: frozenset[str] = frozenset()


def load(setup: Setup) -> dict[str, Progress]:
    """Where every tenant of the workspace stands."""
    events = setup.journal.events()
    setup.known = known_of(events)
    return progress_of(events, setup.selection.every)


def known_of(events: Iterable[Event]) -> frozenset[str]:
    """The ids of the actions that were begun, and what the provider's answers to them were called."""
    found: set[str] = set()
    for event in events:
        if event.action:
            found.add(event.action)
            found.update(str(event.data[word]) for word in ("ref", "ticket", "cart") if event.data.get(word))
    return frozenset(found)


def progress_of(events: Iterable[Event], manifests: Sequence[ManifestFile]) -> dict[str, Progress]:
    """Where every tenant stands; a renamed one goes on with what was known under its old name."""
    told = by_tenant(events)
    progress = untaken({tenant: replay(some) for tenant, some in told.items()})
    renamed = _renamed(manifests) if told else {}
    names = {one.name for one in manifests} if renamed else set()
    for name, old in renamed.items():
        own = told.get(name, [])
        if old in names or old not in told:
            continue
        if not any(map(_is_its_own, own)):
            progress[name] = replay([*told[old], *own])
            progress[name].inherited = old
            progress[old].open.clear()  # from here on it is settled under the new name alone
        elif progress[name].took != old:
            progress[name].twice = old
    return progress


def _renamed(manifests: Iterable[ManifestFile]) -> dict[str, str]:
    """The tenants that had another name, with that name."""
    return {one.name: old for one in manifests if (old := one.previously)}


def _is_its_own(event: Event) -> bool:
    """Whether a tenant that was renamed has begun under its new name: being refused there is no beginning."""
    return event.kind is not Kind.OWED and not event.data.get("accepted")


async def plan_run(setup: Setup, progress: Mapping[str, Progress]) -> Run:
    """Plan every selected tenant and hold the result against the policy."""
    with _no_collection():
        made = await plans(
            setup.selection,
            accounts=setup.accounts,
            progress=progress,
            prices=setup.prices,
            at=setup.at,
            calendar=setup.calendar,
        )
    return judged(setup, made, progress)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from walking what is only growing (a third of the time of a big plan)."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.freeze()  # what is there now is looked at no more: a plan is kept to the end
            gc.enable()


def judged(setup: Setup, made: Iterable[Plan], progress: Mapping[str, Progress]) -> Run:
    """Hold plans against every policy that applies."""
    ordered = tuple(sorted(made, key=lambda plan: plan.tenant))
    now = setup.at or setup.clock.now()
    work = work_of(ordered, spending(progress), past(setup, progress))
    over = exceeded(work, setup.policies, setup.allowed, now)
    return Run(
        plans=ordered,
        created_at=setup.clock.now(),
        tool_version=setup.tool_version,
        exceeded=over,
        skipped=len(setup.selection.every) - len(setup.selection.chosen),
        notes=setup.notes,
    )


def past(setup: Setup, progress: Mapping[str, Progress]) -> Past:
    """Under what each tenant was known before, which no manifest takes back."""
    return Past(
        names=_renamed(setup.selection.every),
        services={name: frozenset(known.services.values()) for name, known in progress.items()},
    )


def spending(progress: Mapping[str, Progress]) -> list[Spending]:
    """What earlier applies of the whole workspace added to the bill, each action once: a rename names it twice."""
    return list({key: one for known in progress.values() for key, one in known.spending.items()}.values())
