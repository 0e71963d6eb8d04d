"""Whether the journal is behind: what was done and is known elsewhere must be known to it before anything is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from reconciler.core.errors import JournalError, ProviderError
from reconciler.core.journal import Event, Kind
from reconciler.core.plan import Plan, Run
from reconciler.core.progress import Progress
from reconciler.core.trace import Marked, Trace
from reconciler.engine.aside import aside
from reconciler.engine.setup import Setup, known_of

HINT = (
    "put back the newest state of the journal, and run `reconciler plan` before anything else. If it is lost for"
    " good: look at each of these at the provider, then `reconciler apply --accept-journal` goes on without it"
)


async def not_behind(setup: Setup, plans: Iterable[Plan], progress: dict[str, Progress]) -> tuple[Plan, ...]:
    """Refuse the run while the journal does not know what we have done; JournalError says what was seen.

    Looked at are the accounts of the tenants that are applied: a purchase carries our mark there. Gives the
    plans, without those of an account that cannot be asked: the others' tenants go on. Where nothing is to do,
    what was seen is a note.
    """
    plans = tuple(plans)
    found, unasked = await _unknown(
        setup, [plan for plan in plans if plan.hold is None and plan.error is None]
    )
    if setup.accepted:
        for one in found:
            _accept(setup, one, progress)
    elif found or setup.journal.behind:
        seen = [f"bought from here, and unknown to the journal: {one.told}" for one in found]
        if not (setup.journal.behind or _acts(plans, progress)):
            setup.notes = (*setup.notes, *seen)
            return plans
        raise JournalError(
            "; ".join(filter(None, [setup.journal.behind, *seen])) + ". Nothing was sent",
            hint=HINT,
            code="journal-behind",
        )
    return tuple(_unless_unasked(plan, unasked.get((plan.account, plan.provider))) for plan in plans)


def _acts(plans: Iterable[Plan], progress: Mapping[str, Progress]) -> bool:
    """Whether anything would be sent: where nothing is to do, what the journal does not know does no harm."""
    return any(
        plan.actions or (known := progress.get(plan.tenant, Progress())).open or known.todo for plan in plans
    )


async def proven(setup: Setup, run: Run, progress: dict[str, Progress]) -> Run:
    """The run without what the journal may not know all of; see `not_behind`."""
    return replace(run, plans=await not_behind(setup, run.plans, progress))


def _unless_unasked(plan: Plan, why: str | None) -> Plan:
    if why is None or plan.hold is not None or plan.error is not None:
        return plan
    return replace(plan, actions=(), error=f"it cannot be seen whether the journal is complete: {why}")


async def _unknown(setup: Setup, plans: Iterable[Plan]) -> tuple[list[Trace], dict[tuple[str, str], str]]:
    """The purchases that carry the mark of one of our tenants, and of which the journal knows nothing.

    Beside them, by account and family, why one could not be asked.
    """
    named = {one.name: one.head for one in setup.selection.every}
    names = named.keys() | {tenant.previously for tenant in named.values()}
    first = {(plan.account, plan.provider): named[plan.tenant] for plan in plans if plan.tenant in named}
    found: list[Trace] = []
    unasked: dict[tuple[str, str], str] = {}
    for place, tenant in first.items():
        account = setup.accounts.of(tenant)
        if isinstance(account, Marked):
            try:
                found += [one for one in await account.traces(setup.known) if one.tenant in names]
            except ProviderError as error:
                unasked[place] = error.message
    if not any(one.action not in setup.known for one in found):
        return [], unasked
    # Another run may have begun them meanwhile: it writes before it sends, so by now they would be there.
    setup.known = known_of(await aside(setup.journal, setup.journal.events))
    return [one for one in found if one.action not in setup.known], unasked


def _accept(setup: Setup, one: Trace, progress: dict[str, Progress]) -> None:
    """Write down what a person has looked at, so that it stops nobody any more."""
    (written,) = setup.journal.append(
        Event(
            kind=Kind.ADOPTED,
            tenant=one.tenant,
            at=setup.clock.now(),
            action=one.action,
            address=one.address,
            data={"cart": one.ref, "order": one.order, "accepted": True},
            by=setup.who.by,
            run=setup.who.run,
            commit=setup.who.commit,
        )
    )
    setup.tell(written)
    known = progress.setdefault(one.tenant, Progress())
    known.last_seq = max(known.last_seq, written.seq)
