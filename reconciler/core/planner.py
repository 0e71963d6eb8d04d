"""From what is written, what is there and what is on its way to one tenant's plan; composes, decides little."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.action import Action, Verb
from reconciler.core.draft import Draft
from reconciler.core.groups import grow, in_use, shrink
from reconciler.core.identity import Claims, Identity, ProductOf, identify
from reconciler.core.manifest import Group, ManifestFile, Tenant, login_key
from reconciler.core.model import Holding, Snapshot, group_address, seat_address
from reconciler.core.order import in_order
from reconciler.core.plan import Plan, Unmanaged, Waiting
from reconciler.core.pool import Pool, people
from reconciler.core.progress import Open, Progress
from reconciler.core.provider import Capabilities
from reconciler.core.seating import seat_people
from reconciler.core.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What one account shows, as planning needs it."""

    snapshot: Snapshot
    claims: Claims
    capabilities: Capabilities
    product_of: Callable[[Tenant], ProductOf]
    sandbox: bool


def identities(manifest: ManifestFile, world: World, progress: Progress) -> dict[str, Identity]:
    """Say what each group of a tenant is."""
    tenant = manifest.tenant
    return {
        group.name: identify(
            tenant,
            group,
            snapshot=world.snapshot,
            progress=progress,
            claimed=world.claims,
            product_of=world.product_of(tenant),
        )
        for group in tenant.license_groups
    }


def plan_tenant(
    manifest: ManifestFile,
    *,
    world: World,
    found: Mapping[str, Identity],
    holdings: tuple[Holding, ...],
    progress: Progress,
    now: datetime,
) -> Plan:
    """Plan one tenant from its manifest, its holdings read in full, and the journal."""
    tenant = manifest.tenant
    standings = {
        group.name: _standing(tenant, group, found[group.name], holdings, world, progress)
        for group in tenant.license_groups
    }
    draft = Draft(manifest=manifest, capabilities=world.capabilities, begun=progress.begun)
    _tell_open(draft, progress, now)
    for name, one in found.items():
        if one.verdict == "blocked":
            draft.block(group_address(name), Verb.ORDER, one.reason, source=draft.group_source(name))
    grown = {name: grow(draft, one) for name, one in standings.items()}
    pool = people(tenant, standings, progress)
    freed = seat_people(draft, standings, pool, grown)
    for standing in standings.values():
        if not (standing.cancelled and in_use(standing, standings, pool.leavers)):
            shrink(draft, standing, pool, freed)
    _strangers(draft, holdings, standings, world)
    _notices(draft, standings)
    _new_services(draft, standings)
    return _plan(draft, manifest, world, standings, pool, progress)


def _plan(
    draft: Draft,
    manifest: ManifestFile,
    world: World,
    standings: Mapping[str, Standing],
    pool: Pool,
    progress: Progress,
) -> Plan:
    tenant = manifest.tenant
    actions = [_with_account(action, tenant) for action in in_order(draft.actions)]
    return Plan(
        tenant=tenant.tenant,
        provider=tenant.provider,
        account=tenant.account,
        name=tenant.name or "",
        refs=tuple(sorted((name, one.holding.ref) for name, one in standings.items() if one.holding)),
        begun=progress.begun,
        actions=tuple(actions),
        pending=tuple(draft.pending),
        blocked=tuple(draft.blocked),
        unmanaged=tuple(draft.unmanaged),
        leaving=tuple(draft.leaving),
        findings=tuple(draft.findings),
        hold=tenant.hold,
        sandbox=world.sandbox,
        in_doubt=any(one.stage == "in-doubt" for one in progress.open.values()),
        found=tuple(
            (group, login, login_key(person.login))
            for group, person, login, _ in pool.staying
            if (group, login) not in progress.owned
        ),
        seated=tuple(
            (name, sum(place.login is not None for place in one.places)) for name, one in standings.items()
        ),
        identified=tuple(
            (name, one.holding.ref, one.product, one.holding.scope)
            for name, one in standings.items()
            if one.holding and one.identity.learnt and not one.cancelled
        ),
    )


def _with_account(action: Action, tenant: Tenant) -> Action:
    return replace(action, detail={**action.detail, "account": tenant.account, "provider": tenant.provider})


def _standing(
    tenant: Tenant,
    group: Group,
    identity: Identity,
    holdings: tuple[Holding, ...],
    world: World,
    progress: Progress,
) -> Standing:
    outline = identity.holding
    product = world.product_of(tenant)(group.product) or group.product
    holding = next(
        (one for one in holdings if outline and one.ref == outline.ref and one.product == product), outline
    )
    address = group_address(group.name)
    opened = [
        one
        for one in progress.open.values()
        if group.name in {one.action.group, one.action.detail.get("group")}
    ]
    busy = {str(one.action.detail.get("login", "")) for one in opened if one.action.address != address}
    present = {place.login for place in holding.places} if holding else set()
    coming = tuple(
        one
        for one in world.snapshot.incoming
        if holding is not None and one.into == holding.ref and one.product == product
    )
    return Standing(
        group=group,
        identity=identity,
        capabilities=world.capabilities,
        product=product,
        domain=tenant.domain or (holding.domain if holding else ""),
        holding=holding,
        open=progress.at(address),
        stuck=progress.stuck.get(address),
        coming=coming,
        open_people=frozenset(busy),
        reserved=sum(
            one.action.verb is Verb.ACTIVATE and one.action.detail.get("login") not in present
            for one in opened
        ),
    )


def _tell_open(draft: Draft, progress: Progress, now: datetime) -> None:
    for one in progress.open.values():
        draft.pending.append(waiting(one, now))


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


def _strangers(
    draft: Draft, holdings: tuple[Holding, ...], standings: Mapping[str, Standing], world: World
) -> None:
    """Show what stands in the tenant's own services and is no group of any file."""
    ours = {(one.holding.ref, one.holding.product) for one in standings.values() if one.holding}
    for one in holdings:
        key = (one.ref, one.product)
        if key in ours or key in world.claims.services or not one.seats:
            continue
        draft.unmanaged.append(Unmanaged(address=f"group/{one.ref}", ref=one.ref))
        draft.unmanaged += [
            Unmanaged(address=seat_address(one.ref, place.login), ref=place.ref)
            for place in one.places
            if place.login
        ]


def _notices(draft: Draft, standings: Mapping[str, Standing]) -> None:
    """Pass on what the provider says of the services, once each."""
    told: set[str] = set()
    for standing in standings.values():
        for notice in standing.holding.notices if standing.holding else ():
            if notice not in told:
                draft.find("RC4301", standing.address, notice, severity="info")
            told.add(notice)


def _new_services(draft: Draft, standings: Mapping[str, Standing]) -> None:
    for standing in standings.values():
        if standing.group.service == "new" and standing.holding is not None:
            draft.find(
                "RC4106",
                standing.address,
                f"this group is {standing.holding.ref} now: write `service: {standing.holding.ref}` "
                "instead of `service: new`",
                source=draft.group_source(standing.group.name, "service"),
            )
