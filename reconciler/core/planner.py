"""From what is written, what is there and what is on its way to one tenant's plan; composes, decides little."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.action import Action, Verb
from reconciler.core.draft import Draft
from reconciler.core.groups import detail_of, grow, in_use, shrink
from reconciler.core.identity import Claims, Identity, ProductOf, identify
from reconciler.core.manifest import Group, ManifestFile, Person, Tenant, full_login, login_key
from reconciler.core.model import Holding, Place, Snapshot, group_address, seat_address, user_address
from reconciler.core.order import in_order
from reconciler.core.plan import Leaving, Plan, Unmanaged, Waiting
from reconciler.core.pool import Pool, people, user_of
from reconciler.core.progress import Open, Progress
from reconciler.core.provider import Capabilities
from reconciler.core.standing import Standing

PERSON_FIELDS = ("first_name", "last_name", "country")


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
    freed = _people(draft, standings, pool, grown)
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


def _people(
    draft: Draft, standings: Mapping[str, Standing], pool: Pool, grown: Mapping[str, str | None]
) -> dict[tuple[str, str], str]:
    """Turn what happens to people into actions; the ids of the deactivations by group and login."""
    _updates(draft, standings, pool)
    joined: dict[tuple[str, str], str] = {}
    for joiner in pool.joiners:
        made = _activate(draft, standings[joiner.group], joiner.person, joiner.login)
        if made:
            joined[joiner.group, joiner.login] = made
    freed: dict[tuple[str, str], str] = {}
    for leaver in pool.leavers:
        needs = [joined[where, leaver.login] for where in leaver.moving if (where, leaver.login) in joined]
        if len(needs) < len(leaver.moving):
            draft.block(
                seat_address(leaver.group, leaver.written),
                Verb.DEACTIVATE,
                f"keeps this seat until the one in {', '.join(leaver.moving)} is there",
                source=None,
            )
            continue
        made = _deactivate(draft, standings[leaver.group], leaver.login, leaver.written, leaver.place, needs)
        if made:
            freed[leaver.group, leaver.login] = made
    _link(draft, pool, joined, freed, grown)
    _tell_people(draft, standings, pool)
    return freed


def _link(
    draft: Draft,
    pool: Pool,
    joined: Mapping[tuple[str, str], str],
    freed: Mapping[tuple[str, str], str],
    grown: Mapping[str, str | None],
) -> None:
    """A joiner needs the seat that is bought or freed for them."""
    needs: dict[str, str] = {}
    for joiner in pool.joiners:
        made = joined.get((joiner.group, joiner.login))
        source = (
            freed.get(joiner.after) if joiner.after else grown.get(joiner.group) if joiner.bought else None
        )
        if made and source:
            needs[made] = source
    draft.actions = [
        replace(one, needs=(*one.needs, needs[one.id])) if one.id in needs else one for one in draft.actions
    ]


def _activate(draft: Draft, standing: Standing, person: Person, login: str) -> str | None:
    user = user_of(person, login)
    return draft.act(
        Verb.ACTIVATE,
        seat_address(standing.group.name, login_key(person.login)),
        summary=f"{user.first_name} {user.last_name} gets a seat in {standing.group.name}",
        before=None,
        after={"login": login, **_fields(user._asdict(), person)},
        detail=detail_of(standing, **user._asdict()),
        reason=f"manifest puts {person.login} into {standing.group.name}",
        source=draft.person_source(person),
    )


def _fields(values: Mapping[str, object], person: Person) -> dict[str, object]:
    return {key: values[key] for key in PERSON_FIELDS if key != "country" or person.country}


def _deactivate(
    draft: Draft, standing: Standing, login: str, shown: str, place: Place, needs: list[str]
) -> str | None:
    moves = bool(needs)
    return draft.act(
        Verb.DEACTIVATE,
        seat_address(standing.group.name, shown),
        summary=f"{login} gives the seat back" + (" after moving" if moves else ""),
        before={"login": login},
        after=None,
        detail=detail_of(standing, login=login, targets=[place.ref]),
        reason="moved to another group" if moves else "ours, and no longer written in the manifest",
        source=draft.group_source(standing.group.name),
        needs=needs,
    )


def _updates(draft: Draft, standings: Mapping[str, Standing], pool: Pool) -> None:
    done: set[tuple[str, str]] = set()
    told: set[str] = set()
    for one in pool.renames:
        _update(draft, standings[one.group], one.person, one.login, one.place, told, previously=one.old)
        done.add((standings[one.group].product, one.place.ref))
    for group, person, login, place in pool.staying:
        standing = standings[group]
        user = user_of(person, login)
        same = place.user._replace(country=user.country) if user.country is None else place.user
        key = (standing.holding.ref if standing.holding else "", place.ref)
        if same == user or not place.ready or key in done:
            if not place.ready:
                _busy(draft, group, person, place)
            continue
        done.add(key)
        _update(draft, standing, person, login, place, told)


def _busy(draft: Draft, group: str, person: Person, place: Place) -> None:
    draft.pending.append(
        Waiting(
            address=seat_address(group, login_key(person.login)),
            verb=Verb.UPDATE,
            reason=f"the provider works on it (task {place.task})" if place.task else "not readable yet",
            ref=place.ref,
            state="pending",
        )
    )


def _update(
    draft: Draft,
    standing: Standing,
    person: Person,
    login: str,
    place: Place,
    told: set[str],
    *,
    previously: str | None = None,
) -> None:
    shown = login_key(person.login)
    address = seat_address(standing.group.name, shown) if shown in told else user_address(shown)
    told.add(shown)
    was = _fields(place.user._asdict(), person)
    wanted = _fields(user_of(person, login)._asdict(), person)
    if previously:
        was, wanted = {"login": previously, **was}, {"login": login, **wanted}
    changed = [key for key in wanted if was[key] != wanted[key]]
    draft.act(
        Verb.UPDATE,
        address,
        summary=", ".join(f"{key} {was[key]} -> {wanted[key]}" for key in changed),
        before=was,
        after=wanted,
        detail=detail_of(
            standing,
            group=standing.group.name,
            targets=[place.ref],
            previously=previously,
            **user_of(person, login)._asdict(),
        ),
        reason="manifest renames the person" if previously else "manifest says otherwise",
        source=draft.person_source(person),
    )


def _tell_people(draft: Draft, standings: Mapping[str, Standing], pool: Pool) -> None:
    for group, person, _, reason in pool.waiting:
        address = seat_address(group, login_key(person.login))
        draft.pending.append(Waiting(address=address, verb=Verb.ACTIVATE, reason=reason, state="pending"))
    for group, person, _, reason in pool.refused:
        address = seat_address(group, login_key(person.login))
        draft.block(address, Verb.ACTIVATE, reason, source=draft.person_source(person))
    for group, login, place in pool.unmanaged:
        draft.unmanaged.append(Unmanaged(address=seat_address(group, login), ref=place.ref))
    for group, login, place in pool.leaving:
        holding = standings[group].holding
        on = place.ends_on or place.renews_on or (holding.renews_on if holding else None)
        draft.leaving.append(Leaving(address=seat_address(group, login), ref=place.ref, on=on))
    for group, login, said in pool.said:
        draft.find("RC4201", user_address(login_key(login)), f"{said} ({group})")


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


def logins(tenant: Tenant, domain: str) -> dict[str, str]:
    """Every written login in full, to how it is written."""
    return {
        full_login(one.login, tenant.domain or domain): login_key(one.login) for one in tenant.users or ()
    }
