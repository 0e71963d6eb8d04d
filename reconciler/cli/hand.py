"""What a person tells the journal of an action: a step by hand was done, an order did or did not happen."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import JOURNAL, common, option
from reconciler.cli.proof import no_key, proof
from reconciler.cli.recording import manifest_of, opened, reading, scribe_of, under_lease
from reconciler.core.action import Action, Verb
from reconciler.core.claims import pin
from reconciler.core.diagnostic import one_line
from reconciler.core.errors import UsageError, WorkspaceError
from reconciler.core.journal import Kind
from reconciler.core.manifest import ManifestFile
from reconciler.core.open import Open
from reconciler.core.progress import Progress
from reconciler.core.serial import action_to_dict
from reconciler.engine.clock import SystemClock
from reconciler.engine.scribe import Scribe
from reconciler.engine.setup import load


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
    with opened(values, create=True) as (world, journal):
        manifest = manifest_of(world, tenant)
        made = reading(world, journal, SystemClock())
        progress = load(made).get(tenant, Progress())
        one = _to_confirm(progress, tenant, address)
        scribe = scribe_of(made, tenant, progress)
        seen = proof(made, manifest, one)
        done = {"ref": evidence, "confirmed_by": by, "evidence": evidence, **seen}
        done |= _pinned(manifest, one.action)
        under_lease(made, scribe, "confirm", lambda: scribe.write(Kind.FINISHED, one.action, **done))
    click.echo(f"{tenant} {address}: confirmed by {one_line(by)}")
    if address in scribe.progress.stuck:
        click.echo(
            f"Next: write `service:` in {address} of {manifest.file}, so that it is known which service was "
            "ordered; nothing else is planned for the group before"
        )
    elif scribe.progress.todo:  # what waited for it
        click.echo("Next: reconciler resume")


def _to_confirm(progress: Progress, tenant: str, address: str) -> Open:
    """The open action that waits for a person's word; WorkspaceError where it waits for something else."""
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
    return one


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
    with opened(values, create=True) as (world, journal):
        manifest_of(world, tenant)
        made = reading(world, journal, SystemClock())
        progress = load(made).get(tenant, Progress())
        scribe = scribe_of(made, tenant, progress)
        said = _resolution(scribe, progress, tenant, address, happened)
        under_lease(made, scribe, "resolve", said)
    if happened:
        click.echo(f"{tenant} {address}: happened as {one_line(happened)}\nNext: reconciler resume")
    else:
        click.echo(f"{tenant} {address}: did not happen, and may be planned again\nNext: reconciler plan")


def _resolution(scribe: Scribe, progress: Progress, tenant: str, address: str, happened: str | None) -> Any:
    there = progress.at(address)
    one = next((each for each in there if each.stage == "in-doubt" or each.told), None)
    stuck = progress.stuck.get(address)
    if stuck is not None and all(each.action.renames for each in there):
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
    # Where it went into a service, that is what the group is, and what a person says is another name of it.
    ref = str(detail.get("service") or happened)
    scope, product = str(detail.get("scope") or ref), str(detail.get("product", ""))
    scribe.write(Kind.ADOPTED, address=action.address, group=group, ref=ref, product=product, scope=scope)
