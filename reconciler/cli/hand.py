"""What a person tells the journal: a step was done, an order did or did not happen, people are ours; and leases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from reconciler.cli.named import Seat, named
from reconciler.cli.options import JOURNAL, common, option
from reconciler.cli.output import can_ask, note
from reconciler.cli.proof import no_key, proof
from reconciler.cli.wiring import Chosen, World, files, journal_of, notes_of, run, setup
from reconciler.core.action import Action, Verb
from reconciler.core.claims import pin
from reconciler.core.errors import LeaseHeldError, ReconcilerError, StalePlanError, UsageError, WorkspaceError
from reconciler.core.journal import Journal, Kind
from reconciler.core.manifest import ManifestFile, Tenant
from reconciler.core.model import seat_address
from reconciler.core.open import Open
from reconciler.core.plan import Plan
from reconciler.core.progress import Progress
from reconciler.core.serial import action_to_dict
from reconciler.engine.clock import SystemClock
from reconciler.engine.inherit import inherit
from reconciler.engine.scribe import Scribe
from reconciler.engine.setup import Setup, load, plan_run
from reconciler.engine.tenant import leased
from reconciler.render.words import count


@contextmanager
def _journal(values: dict[str, Any], *, create: bool) -> Iterator[tuple[World, Journal]]:
    chosen = Chosen(workspace=values["workspace"], journal=values["journal"])
    world = files(chosen)
    for each in notes_of(world):
        note(each, as_json=values["log_json"])
    journal = journal_of(world, chosen, create=create)
    try:
        yield world, journal
    finally:
        journal.close()


def _made(world: World, journal: Journal, clock: SystemClock) -> Setup:
    return setup(world, journal, writes=False, clock=clock)


def _manifest(world: World, tenant: str) -> ManifestFile:
    found = next((one for one in world.selection.every if one.tenant.tenant == tenant), None)
    if found is None:
        names = ", ".join(sorted(one.tenant.tenant for one in world.selection.every))
        raise WorkspaceError(f"there is no tenant {tenant!r}", hint=f"the files name {names or 'none'}")
    return found


def _scribe(made: Setup, tenant: str, progress: Progress) -> Scribe:
    return Scribe(
        journal=made.journal,
        tenant=tenant,
        progress=progress,
        who=made.who,
        now=made.clock.now,
        tell=made.tell,
        plan=progress.plan,
    )


def _write(made: Setup, scribe: Scribe, about: str, write: Any) -> None:
    """Write under the tenant's lease, so that nobody applies meanwhile; these commands end with 0 or 1."""
    clock = SystemClock()

    async def locked() -> None:
        async with leased(scribe, scribe.tenant, holder=made.who.holder, about=about):
            await inherit(scribe)
            write()

    try:
        run(locked, made, clock)
    except (LeaseHeldError, StalePlanError) as error:
        raise WorkspaceError(error.message, hint=error.hint, code=error.code) from error


@click.command()
@click.argument("tenant")
@click.argument("address")
@option("--by", required=True, help="Who did it.")
@option("--evidence", default="", help="What shows it: a number, a link.")
@JOURNAL
@common
def confirm(tenant: str, address: str, by: str, evidence: str, **values: Any) -> None:
    """Say that a step by hand was done."""
    if not by.strip():
        raise UsageError("--by is empty: name who did it")
    no_key(by, evidence)
    with _journal(values, create=True) as (world, journal):
        manifest = _manifest(world, tenant)
        made = _made(world, journal, SystemClock())
        progress = load(made).get(tenant, Progress())
        one = _open_at(progress, tenant, address)
        if one.stage != "accepted" or one.waiting_on != "person":
            raise WorkspaceError(
                f"{tenant} {address} does not wait for a person: it is {one.stage}",
                hint="an in-doubt action is ended by `reconciler resolve`, a pending one by `reconciler resume`",
            )
        if one.ticket:
            raise WorkspaceError(
                f"{tenant} {address} can be asked about ({one.ticket}): nothing has to be confirmed",
                hint="`reconciler resume` asks the provider",
            )
        scribe = _scribe(made, tenant, progress)
        seen = proof(made, manifest, one)
        done = {"ref": evidence, "confirmed_by": by, "evidence": evidence, **seen}
        done |= _pinned(manifest, one.action)
        _write(made, scribe, "confirm", lambda: scribe.write(Kind.FINISHED, one.action, **done))
    click.echo(f"{tenant} {address}: confirmed by {by}")
    if address in scribe.progress.stuck:
        click.echo(
            f"Next: write `service:` in {address} of {manifest.file}, so that it is known which service was "
            "ordered; nothing else is planned for the group before"
        )
    elif scribe.progress.todo:  # what waited for it
        click.echo("Next: reconciler resume")


def _pinned(manifest: ManifestFile, action: Action) -> dict[str, str]:
    """Which service an order by hand has brought, where the file says it."""
    groups = [one for one in manifest.tenant.license_groups if one.name == action.group]
    ref = pin(manifest.tenant, groups[0]) if groups and action.verb is Verb.ORDER else None
    return {"service": ref} if ref else {}


def _open_at(progress: Progress, tenant: str, address: str) -> Open:
    """The open action on an address; of several, the one that waits for a person."""
    some = progress.at(address)
    if not some:
        open_now = ", ".join(sorted(each.action.address for each in progress.open.values()))
        raise WorkspaceError(
            f"nothing is open at {tenant} {address}",
            hint=f"open are: {open_now}" if open_now else "`reconciler status` shows what is open elsewhere",
        )
    return next((one for one in some if one.waiting_on == "person" and not one.ticket), some[0])


@click.command()
@click.argument("tenant")
@click.argument("address")
@option("--happened", metavar="REF", help="It did: the order's number, the subscription or the service.")
@option("--did-not-happen", is_flag=True, help="It did not; it may be planned again.")
@JOURNAL
@common
def resolve(tenant: str, address: str, happened: str | None, *, did_not_happen: bool, **values: Any) -> None:
    """End an in-doubt action, or a failed purchase that blocks its group."""
    if (happened is None) is not did_not_happen:
        raise UsageError("say either --happened REF or --did-not-happen")
    if happened is not None and not happened.strip():
        raise UsageError("--happened is empty: name the order, the subscription or the service")
    with _journal(values, create=True) as (world, journal):
        _manifest(world, tenant)
        made = _made(world, journal, SystemClock())
        progress = load(made).get(tenant, Progress())
        scribe = _scribe(made, tenant, progress)
        said = _resolution(scribe, progress, tenant, address, happened)
        _write(made, scribe, "resolve", said)
    if happened:
        click.echo(f"{tenant} {address}: happened as {happened}\nNext: reconciler resume")
    else:
        click.echo(f"{tenant} {address}: did not happen, and may be planned again\nNext: reconciler plan")


def _resolution(scribe: Scribe, progress: Progress, tenant: str, address: str, happened: str | None) -> Any:
    opened = progress.at(address)
    one = next((each for each in opened if each.stage == "in-doubt" or each.told), None)
    stuck = progress.stuck.get(address)
    if stuck is not None and all(each.action.renames for each in opened):
        return lambda: _unstick(scribe, stuck.action, happened)
    if one is None:
        raise WorkspaceError(f"{tenant} {address} is not in doubt", hint="`reconciler status` shows what is")
    action = one.action
    if happened is None:
        said = "a person says it did not happen"
        return lambda: scribe.write(
            Kind.FAILED, action, final=True, resolved=True, code="resolved", message=said
        )
    if _is_order(action, happened):
        return lambda: _follow(scribe, action, happened)
    return lambda: scribe.write(Kind.FINISHED, action, ref=happened, service=happened, resolved=True)


def _is_order(action: Action, ref: str) -> bool:
    """Whether a reference is the number of an order, whose service only the order itself tells."""
    return (
        action.verb in {Verb.ORDER, Verb.RESIZE}
        and ref.isdigit()
        and action.detail.get("provider") == "ovh-prepaid"
    )


def _follow(scribe: Scribe, action: Action, order: str) -> None:
    scribe.write(
        Kind.ACCEPTED,
        action,
        ticket=order,
        waiting_on="provider",
        status="as a person says",
        resolved=True,
    )


def _unstick(scribe: Scribe, action: Action, happened: str | None) -> None:
    """Let go of a failed purchase; one that happened after all is followed, or is what its group is."""
    group = action.address.partition("/")[2]
    scribe.write(Kind.RELEASED, address=action.address, stuck=True, group=group)
    if happened is None:
        return
    if _is_order(action, happened):
        scribe.write(Kind.INTENDED, action, action=action_to_dict(action), attempt=1)
        _follow(scribe, action, happened)
        return
    detail = action.detail
    scope, product = str(detail.get("scope") or happened), str(detail.get("product", ""))
    scribe.write(
        Kind.ADOPTED, address=action.address, group=group, ref=happened, product=product, scope=scope
    )


@click.command()
@click.argument("tenant")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@JOURNAL
@common
def adopt(tenant: str, addresses: tuple[str, ...], **values: Any) -> None:
    """From now on these people are ours: who is then no longer written loses the licence.

    Without an address, everybody who sits in the tenant's groups.
    """
    with _journal(values, create=True) as (world, journal):
        manifest = _manifest(world, tenant)
        clock = SystemClock()
        made = _made(world, journal, clock)
        progress = load(made)
        plan = _plan(made, manifest, progress, clock)
        seats = _seats(plan, addresses, domain=manifest.tenant.domain)
        scribe = _scribe(made, tenant, progress.get(tenant, Progress()))
        _write(made, scribe, "adopt", lambda: _adopt(scribe, seats))
    for group, login in seats:
        click.echo(f"{tenant} {seat_address(group, login)}: ours")
    if not seats:
        click.echo(f"{tenant}: nobody to adopt")


def _plan(made: Setup, manifest: ManifestFile, progress: dict[str, Progress], clock: SystemClock) -> Plan:
    made.selection = type(made.selection)(every=made.selection.every, chosen=(manifest,))
    planned = run(lambda: plan_run(made, progress), made, clock).plans[0]
    if planned.error is not None:
        raise WorkspaceError(f"{planned.tenant}: {planned.error}", hint="nothing was adopted")
    return planned


def _seats(plan: Plan, addresses: tuple[str, ...], *, domain: str | None) -> list[Seat]:
    """The seats that are there and not ours, by group and login; all, or those named."""
    refs = dict(plan.refs)
    there = [one.address.split("/", 2) for one in plan.unmanaged if one.address.startswith("seat/")]
    free = [(group, login, login) for _, group, login in there] + list(plan.found)
    known = named(free, {group: domain or ref for group, ref in refs.items()})
    unknown = _unknown(addresses, known)
    if unknown:
        raise WorkspaceError(
            f"{plan.tenant} {unknown} is not there, or is ours already", hint=f"there are: {_listed(free)}"
        )
    meant = _meant(addresses, known) if addresses else sorted({(group, login) for group, login, _ in free})
    return [seat for seat in dict.fromkeys(meant) if seat[0] in refs]


def _unknown(addresses: Iterable[str], known: Mapping[str, list[Seat]]) -> str:
    """The first address that means no seat; empty when each means one."""
    return next((address for address in addresses if address.casefold() not in known), "")


def _meant(addresses: Iterable[str], known: Mapping[str, list[Seat]]) -> list[Seat]:
    """The seats that addresses mean."""
    return [seat for address in addresses for seat in known[address.casefold()]]


def _listed(seats: Iterable[tuple[str, str, str]]) -> str:
    names = {seat_address(group, name) for group, login, written in seats for name in (login, written)}
    return ", ".join(sorted(names)) or "none"


def _adopt(scribe: Scribe, seats: list[Seat]) -> None:
    for group, login in seats:
        scribe.write(
            Kind.ADOPTED, address=seat_address(group, login), group=group, login=login, written=login
        )


@click.command()
@click.argument("tenant")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@option("--yes", is_flag=True, help="Do not ask.")
@JOURNAL
@common
def release(tenant: str, addresses: tuple[str, ...], *, yes: bool, **values: Any) -> None:
    """The opposite of adopt: from now on nobody takes a seat from these people.

    Without an address, everybody of the tenant who is ours; a terminal is asked first.
    """
    with _journal(values, create=True) as (world, journal):
        manifest = _manifest(world, tenant)
        made = _made(world, journal, SystemClock())
        progress = load(made).get(tenant, Progress())
        keys = _ours(progress, manifest.tenant, addresses)
        if keys and not addresses and not yes:
            _sure(tenant, len(keys), values)
        scribe = _scribe(made, tenant, progress)

        def write() -> None:
            for group, login in keys:
                scribe.write(Kind.RELEASED, address=seat_address(group, login), group=group, login=login)

        _write(made, scribe, "release", write)
    for group, login in keys:
        click.echo(f"{tenant} {seat_address(group, login)}: not ours any more")
    if not keys:
        click.echo(f"{tenant}: nobody is ours")


def _sure(tenant: str, number: int, values: dict[str, Any]) -> None:
    """Ask before everybody is released, where a person can be asked; else say how it is undone."""
    seats = count(number, "seat")
    undo = f"`reconciler adopt {tenant}` takes them back"
    if not can_ask():
        note(f"released without an address: {seats}; {undo}", as_json=values["log_json"])
    elif not click.confirm(f"Release {seats} of {tenant}, all that are ours? {undo}.", default=False):
        raise ReconcilerError("nobody was released", code="declined")


def _ours(progress: Progress, tenant: Tenant, addresses: tuple[str, ...]) -> list[Seat]:
    """The seats that are ours, by group and login; all, or those named."""
    owned = [(group, login, written) for (group, login), written in progress.owned.items()]
    homes = {one.name: pin(tenant, one) or "" for one in tenant.license_groups}
    homes |= {group: ref for group, (ref, _, _) in progress.services.items()}
    known = named(owned, {group: tenant.domain or home for group, home in homes.items()})
    unknown = _unknown(addresses, known)
    if unknown:
        raise WorkspaceError(f"{tenant.tenant} {unknown} is not ours", hint=f"ours are: {_listed(owned)}")
    return sorted({*_meant(addresses, known)} if addresses else progress.owned)


@click.group()
def lease() -> None:
    """Who is applying what."""


@lease.command("list")
@JOURNAL
@common
def lease_list(**values: Any) -> None:
    """List the leases that are held now."""
    with _journal(values, create=False) as (_, journal):
        held = journal.leases()
    for one in held:
        left = max(0, round((one.until - datetime.now(UTC)).total_seconds()))
        click.echo(
            f"{one.name}  {one.holder}  {one.about}  since {one.since:%Y-%m-%d %H:%M:%S} UTC, {left} s left"
        )
    if not held:
        click.echo("nobody holds a lease")


@lease.command("release")
@click.argument("name", metavar="TENANT")
@JOURNAL
@common
def lease_release(name: str, **values: Any) -> None:
    """Take a lease away from its holder, who then does nothing more."""
    with _journal(values, create=True) as (_, journal):
        broken = journal.break_lease(name)
    if not broken:
        raise WorkspaceError(
            f"nobody holds the lease of {name}", hint="`reconciler lease list` shows who holds what"
        )
    click.echo(f"the lease of {name} is free")
