"""Who is ours: people that are adopted, and lose their licence when no file names them, and those let go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from reconciler.cli.named import Seat, named
from reconciler.cli.options import JOURNAL, common, option
from reconciler.cli.output import can_ask, note
from reconciler.cli.recording import manifest_of, opened, reading, scribe_of, under_lease
from reconciler.cli.wiring import run
from reconciler.core.claims import pin
from reconciler.core.errors import ReconcilerError, WorkspaceError
from reconciler.core.journal import Kind
from reconciler.core.manifest import ManifestFile, Tenant
from reconciler.core.model import seat_address
from reconciler.core.plan import Plan
from reconciler.core.progress import Progress
from reconciler.engine.clock import SystemClock
from reconciler.engine.scribe import Scribe
from reconciler.engine.setup import Setup, load, plan_run
from reconciler.render.words import count


@click.command()
@click.argument("tenant")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@JOURNAL
@common
def adopt(tenant: str, addresses: tuple[str, ...], **values: Any) -> None:
    """From now on these people are ours: who is then no longer written loses the licence.

    Without an address, everybody who sits in the tenant's groups.
    """
    with opened(values, create=True) as (world, journal):
        manifest = manifest_of(world, tenant)
        clock = SystemClock()
        made = reading(world, journal, clock)
        progress = load(made)
        plan = _plan(made, manifest, progress, clock)
        seats = _seats(plan, addresses, domain=manifest.tenant.domain)
        scribe = scribe_of(made, tenant, progress.get(tenant, Progress()))
        under_lease(made, scribe, "adopt", lambda: _adopt(scribe, seats))
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
    """The opposite of adopt: from now on nobody takes a seat from these people, or deletes them.

    Without an address, everybody of the tenant who is ours; a terminal is asked first.
    """
    with opened(values, create=True) as (world, journal):
        manifest = manifest_of(world, tenant)
        made = reading(world, journal, SystemClock())
        progress = load(made).get(tenant, Progress())
        keys = _ours(progress, manifest.tenant, addresses)
        if keys and not addresses and not yes:
            _sure(tenant, len(keys), values)
        scribe = scribe_of(made, tenant, progress)

        def write() -> None:
            for group, login in keys:
                scribe.write(Kind.RELEASED, address=seat_address(group, login), group=group, login=login)

        under_lease(made, scribe, "release", write)
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
