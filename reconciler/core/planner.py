"""From what is written, what is there and what is on its way to one tenant's plan; composes, decides little."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import attrgetter

from msgspec.structs import replace

from reconciler.core.action import Verb
from reconciler.core.allot import allot
from reconciler.core.claims import claim_of
from reconciler.core.directory import drop_people, keep_people
from reconciler.core.draft import Draft
from reconciler.core.ends import cancel, shrink, tell_leaving
from reconciler.core.groups import grow
from reconciler.core.identity import Identity, identify_all
from reconciler.core.manifest import ManifestFile, Tenant, login_key
from reconciler.core.model import Holding, Organisation, group_address
from reconciler.core.naming import name_services
from reconciler.core.notices import tell_notices, tell_strangers, tell_unready
from reconciler.core.open import Open
from reconciler.core.order import in_order
from reconciler.core.plan import Plan, Waiting
from reconciler.core.pool import Pool, sort_people
from reconciler.core.progress import Progress
from reconciler.core.renewals import dues, tell_dues
from reconciler.core.seating import seat_people
from reconciler.core.settings import settle_settings
from reconciler.core.simulate import prove
from reconciler.core.sources import sources
from reconciler.core.standing import Standing, standing_of
from reconciler.core.usage import usage
from reconciler.core.world import ActualState, World


def identities(tenant: Tenant, world: World, progress: Progress) -> dict[str, Identity]:
    """Say what each group of a tenant is; its people do not matter."""
    return identify_all(
        tenant,
        lists=world.lists,
        progress=progress,
        claimed=world.claims,
        product_of=world.product_of(tenant),
    )


def to_read(
    tenant: Tenant, world: World, found: Mapping[str, Identity], progress: Progress
) -> frozenset[str]:
    """Which services to read in full: its groups', its own, and those of groups that are no longer written."""
    holdings = [one.holding for one in found.values() if one.holding]
    scopes = {tenant.service, *(one.scope for one in holdings)} - {None}
    own = {one.ref for scope in scopes for one in world.lists.by_scope.get(str(scope), ())}
    known = {ref for ref, _, _ in forgotten(tenant, progress).values() if ref in world.lists.by_ref}
    return frozenset({one.ref for one in holdings} | own | known)


def forgotten(tenant: Tenant, progress: Progress) -> dict[str, tuple[str, str, str]]:
    """Groups that the journal remembers and no file writes any more."""
    written = {one.name for one in tenant.license_groups} | {one.previously for one in tenant.license_groups}
    return {name: one for name, one in progress.remembered.items() if name not in written}


def plan_tenant(
    manifest: ManifestFile, *, world: World, actual: ActualState, progress: Progress, now: datetime
) -> Plan:
    """Plan one tenant from its manifest, what is there of it, and the journal."""
    tenant, beside = manifest.tenant, actual.organisation
    standings = {
        group.name: standing_of(tenant, group, world=world, actual=actual, progress=progress, now=now)
        for group in sorted(tenant.license_groups, key=attrgetter("name"))  # the file's order decides nothing
    }
    draft = Draft(manifest=manifest, capabilities=world.capabilities, begun=progress.begun, now=now)
    _tell_open(draft, progress, now)
    _tell_blocked(draft, standings)
    _settle(draft, beside, progress, hopeful=world.hopeful)
    pool = _fill(draft, standings, beside, progress)
    tell_strangers(draft, _loose(tenant, world, actual, standings, progress), progress)
    name_services(draft, standings, progress)
    tell_unready(draft, standings)
    tell_notices(draft, standings, progress, beside=beside.notices)
    tell_dues(draft, standings, now)
    plan = _plan(draft, standings, pool, progress, sandbox=world.sandbox)
    prove(plan, standings, exist=beside.logins)
    if not world.calendar:
        return plan
    return replace(plan, dues=dues(tenant.tenant, standings, now), usage=usage(standings))


def _tell_open(draft: Draft, progress: Progress, now: datetime) -> None:
    """Say what is under way already, and where today's file asks for it."""
    opened = progress.open.values()
    places = sources(draft.manifest, (one.action for one in opened))
    draft.pending += [replace(waiting(one, now), source=places[one.action.id]) for one in opened]


def _tell_blocked(draft: Draft, standings: Mapping[str, Standing]) -> None:
    """Say of which groups nobody knows what they are."""
    for name, standing in standings.items():
        identity = standing.identity
        if identity.verdict == "blocked":
            draft.block(group_address(name), Verb.ORDER, identity.reason, source=draft.group_source(name))


def _settle(draft: Draft, beside: Organisation, progress: Progress, *, hopeful: bool) -> None:
    """Plan what the tenant is to have besides, then tell the draft what that, or a review, holds up."""
    settle_settings(draft, beside, progress)
    draft.unready, draft.closed = beside.unready, beside.closed
    if not (draft.awaits or draft.first or hopeful):
        draft.awaits = beside.awaits


def _fill(draft: Draft, standings: Mapping[str, Standing], beside: Organisation, progress: Progress) -> Pool:
    """Plan what grows, who sits where, and then what is taken away; the people, sorted."""
    grown = {name: grow(draft, one) for name, one in standings.items()}
    pool = sort_people(draft.manifest.tenant, standings, progress)
    kept = keep_people(draft, beside, pool, progress)
    allot(standings, pool, grown, awaits=bool(draft.awaits))
    freed = seat_people(draft, standings, pool, grown, exist=kept.needs)
    drop_people(draft, beside, pool, progress, freed=freed)
    for name, standing in standings.items():
        tell_leaving(draft, standing)
        shrink(draft, standing, pool, freed=freed, grown=grown[name], standings=standings)
        cancel(draft, standing, pool, freed=freed, standings=standings)
    return pool


def _plan(
    draft: Draft, standings: Mapping[str, Standing], pool: Pool, progress: Progress, *, sandbox: bool
) -> Plan:
    """Put the draft into its final form and order."""
    tenant = draft.manifest.tenant
    return Plan(
        tenant=tenant.tenant,
        provider=tenant.provider,
        account=tenant.account,
        name=tenant.name or "",
        refs=tuple(sorted((name, one.holding.ref) for name, one in standings.items() if one.holding)),
        begun=progress.begun,
        actions=tuple(in_order(draft.actions)),
        pending=_ours(draft.pending, progress),
        blocked=tuple(draft.blocked),
        unmanaged=tuple(draft.unmanaged),
        leaving=tuple(draft.leaving),
        findings=tuple(draft.findings),
        hold=tenant.hold,
        sandbox=sandbox,
        in_doubt=any(one.stage == "in-doubt" for one in progress.open.values()),
        found=tuple(
            sorted(
                (group, login, login_key(person.login))
                for group, person, login, _ in pool.staying
                if (group, login) not in progress.owned
            )
        ),
        seated=tuple(
            (name, len({place.login for place in one.places if place.login}))
            for name, one in standings.items()
        ),
        identified=tuple(
            (name, one.holding.ref, one.product, one.holding.scope)
            for name, one in standings.items()
            if one.holding and one.identity.learnt and not one.cancelled
        ),
    )


def _ours(pending: Iterable[Waiting], progress: Progress) -> tuple[Waiting, ...]:
    """The items; those are marked that a resume goes on with though nothing is open there, as they are still to do."""
    left = {one.address for one in progress.todo.values()}
    return tuple(replace(item, ours=item.ours or item.address in left) for item in pending)


def waiting(one: Open, now: datetime) -> Waiting:
    """An open action as an item of a plan or a status."""
    return Waiting(
        address=one.action.address,
        verb=one.action.verb,
        reason=_reason(one, now),
        ref=one.ref,
        since=one.since,
        due_by=one.due_by,
        state=_state(one),
        source=one.action.source,
        ours=True,
    )


def _state(one: Open) -> str:
    if one.stage == "in-doubt":
        return "in-doubt"
    return "by-hand" if one.stage == "accepted" and one.waiting_on == "person" else "pending"


def _reason(one: Open, now: datetime) -> str:
    match one.stage:
        case "in-doubt":
            return f"in doubt: {one.why}; look, then `reconciler resolve`"
        case "intended":
            return "sent, and nobody has its answer yet: `reconciler resume` looks"
        case _ if one.waiting_on == "person":
            return one.instructions or f"waits for a person ({one.status})"
        case _ if one.due_by and now > one.due_by:
            return f"overdue: {one.status or 'accepted'}, was due by {one.due_by:%Y-%m-%d %H:%M} UTC"
        case _:
            return f"at the provider ({one.status or 'accepted'})"


def _loose(
    tenant: Tenant, world: World, actual: ActualState, standings: Mapping[str, Standing], progress: Progress
) -> list[Holding]:
    """What stands in the tenant's services, or was a group of it, and is no group of any file."""
    ours = {(one.holding.ref, one.holding.product) for one in standings.values() if one.holding}
    for group in tenant.license_groups:
        known = progress.services.get(group.name)
        if known:
            ours.add(known[:2])  # its product was changed in place: blocked, and not nobody's
    gone = {known[:2] for known in forgotten(tenant, progress).values()}
    read = {(one.ref, one.product, one.scope) for one in actual.holdings}
    outlines = [
        one
        for ref, _ in gone
        for one in world.lists.by_ref.get(ref, ())
        if (one.ref, one.product) in gone and (one.ref, one.product, one.scope) not in read
    ]
    return [
        one
        for one in (*actual.holdings, *outlines)
        if (one.ref, one.product) not in ours
        and claim_of(tenant, one.ref, one.product) not in world.claims.services
        and one.seats
    ]
