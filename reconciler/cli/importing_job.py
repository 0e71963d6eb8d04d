"""One import: what is asked for, read, put into files, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli.importing_files import Outcome, added, fresh, settled_across, write
from reconciler.cli.importing_read import Family, Look, Wish, each, look
from reconciler.cli.telling import telling
from reconciler.cli.wiring import Chosen, World, files, journal_of, run, setup
from reconciler.core.errors import UsageError, WorkspaceError
from reconciler.core.imported import Live, tenant_name
from reconciler.core.manifest import API_OF, ManifestFile
from reconciler.core.planner import identities
from reconciler.core.progress import Progress
from reconciler.engine.clock import SystemClock
from reconciler.engine.setup import Setup, load
from reconciler.store.files import DEFAULT_FOLDER
from reconciler.store.files import show as shown
from reconciler.store.written import exists

MERGE = (
    "--merge adds to it what it does not say, and takes another name where it is another service's; --out DIR "
    "and the name of a SERVICE avoid it"
)


class Job(Struct, frozen=True, kw_only=True):
    """What one import works with."""

    wish: Wish
    world: World
    out: Path
    merge: bool
    made: Setup
    progress: Mapping[str, Progress]


def do_import(values: dict[str, Any]) -> int:
    """Import what is asked for; 1 when something could not be read."""
    out: Path | None = values["out"]
    folders = (out,) if out is not None and out.exists() else ()
    chosen = Chosen(paths=folders, workspace=values["workspace"], journal=values["journal"])
    world = files(chosen)
    wish = _wish(values, world)
    clock = SystemClock()
    journal = journal_of(world, chosen, create=False)
    told = telling(quiet=values["quiet"], log_json=values["log_json"], verbose=values["verbose"])
    try:
        with told as listener:
            made = setup(world, journal, writes=False, clock=clock)
            job = Job(
                wish=wish,
                world=world,
                out=(Path.cwd() / out) if out else world.root / DEFAULT_FOLDER,
                merge=values["merge"],
                made=made,
                progress=load(made),
            )
            listener.phase(f"reading account {wish.account}")
            found, outcomes = run(lambda: _import(job), made, clock)
    finally:
        journal.close()
    _say(job, found, outcomes)
    return 1 if found.failed else 0


def _wish(values: dict[str, Any], world: World) -> Wish:
    name, directory = values["account"], values["directory"]
    account = _account(world, name)
    if directory is not None and _account(world, directory).api != "microsoft":
        raise UsageError(
            f"--directory {directory}: a directory is opened by an account with `api: microsoft`"
        )
    fitting = tuple(one for one, api in API_OF.items() if api == account.api)
    if account.api == "manual":
        raise WorkspaceError(
            f"account {name} has no API (`api: manual`): there is nothing to read",
            hint="write the tenant by hand, as in docs/manifests.md",
        )
    wrong = [one for one in values["providers"] if one not in fitting]
    if wrong:
        raise UsageError(
            f"--provider {wrong[0]}: account {name} has `api: {account.api}`, which sells {', '.join(fitting)}"
        )
    return Wish(
        account=name,
        providers=tuple(values["providers"]) or fitting,
        services=tuple(values["services"]),
        directory=directory,
        tenant_ids=_tenant_ids(values),
        chosen=bool(values["providers"]),
    )


def _account(world: World, name: str) -> Any:
    if name not in world.workspace.accounts:
        known = ", ".join(sorted(world.workspace.accounts)) or "none"
        raise WorkspaceError(f"there is no account {name!r}", hint=f"accounts of the workspace: {known}")
    return world.workspace.accounts[name]


def _tenant_ids(values: dict[str, Any]) -> dict[str, str]:
    """Read SERVICE=ID; an ID alone is that of the only service that is named."""
    found: dict[str, str] = {}
    for word in values["tenant_ids"]:
        service, sign, number = word.rpartition("=")
        if not sign and len(values["services"]) != 1:
            raise UsageError(f"--tenant-id {word}: say whose it is, as in --tenant-id SERVICE={word}")
        found[(service if sign else values["services"][0]).casefold()] = number
    return found


async def _import(job: Job) -> tuple[Look, list[Outcome]]:
    found = await look(job.made, job.wish, job.progress)
    _unknown(job.wish, found)
    outcomes: list[Outcome] = []
    taken = {one.name for one in job.world.loaded.manifests}
    taken |= {one.stem for one in job.out.glob("*.yaml")}
    _refuse_existing(job, found)
    for family in found.families:
        wanted = _wanted(job, family, outcomes)
        for live in await each(job.made, job.wish, family, wanted, found):
            owner = wanted[live.ref]
            for one in _blocked(family, live, found, owner):
                outcome = _outcome(job, family, one, owner, taken)
                if outcome is not None:
                    outcomes.append(outcome)
                    taken.add(outcome.tenant)
    settled_across(outcomes, job.world)
    write(outcomes)
    return found, outcomes


def _unknown(wish: Wish, found: Look) -> None:
    there = [one for family in found.families for one in family.served.values()]
    for word in wish.services:
        named = any(word.casefold() in {one.ref.casefold(), one.domain.casefold()} for one in there)
        if not named and word not in found.failed:
            found.failed[word] = f"is not in account {wish.account}"


def _refuse_existing(job: Job, found: Look) -> None:
    """Say which files are there already, before anything is read or written."""
    if job.merge:
        return
    names = [_file(job, _first_name(family, ref)) for family in found.families for ref in family.served]
    there = sorted({shown(one, cwd=Path.cwd()) for one in names if one.exists() or one.is_symlink()})
    if there:
        error = exists(there)
        raise WorkspaceError(error.message, hint=MERGE, code=error.code)


def _first_name(family: Family, ref: str) -> str:
    served = family.served[ref]
    return tenant_name(
        Live(provider=family.provider, account="", ref=ref, name=served.name, domain=served.domain)
    )


def _file(job: Job, tenant: str) -> Path:
    return job.out / f"{tenant}.yaml"


def _wanted(job: Job, family: Family, outcomes: list[Outcome]) -> dict[str, ManifestFile | None]:
    """Which services are read: those that nobody claims, and with --merge the manifests of the others, once each."""
    wanted: dict[str, ManifestFile | None] = {}
    merging: set[str] = set()
    for ref in sorted(family.served):
        owner = family.owners.get(ref)
        if owner is None:
            wanted[ref] = None
        elif not job.merge:
            outcomes.append(Outcome(tenant=owner.name, file=owner.file, ref=ref, claimed=True))
        elif owner.name not in merging:
            wanted[ref] = owner
            merging.add(owner.name)
    return wanted


def _blocked(family: Family, live: Live, found: Look, owner: ManifestFile | None) -> Iterable[Live]:
    """Leave out a service that a group without a pin may be: with it claimed, that group would be ordered."""
    if owner is None:
        for one in live.holdings:
            if one.seats and one.product in family.wanting:
                found.failed[live.ref] = (
                    f"could be {family.wanting[one.product]}, which pins nothing: pin it there, or write "
                    "`service: new` with `beside:` if it is another one"
                )
                return ()
    return (live,)


def _outcome(
    job: Job, family: Family, live: Live, owner: ManifestFile | None, taken: set[str]
) -> Outcome | None:
    live, said = _readable(live, job.wish)
    if owner is not None:
        progress = job.progress.get(owner.name, Progress())
        told = identities(owner.head, family.world, progress)
        return added(live, owner, told, family, said)
    if not live.holdings:
        return None  # a service of another kind, which the list shows as well
    name = tenant_name(live, taken)
    return fresh(live, name, _file(job, name), job.world.root, said)


def _readable(live: Live, wish: Wish) -> tuple[Live, list[str]]:
    """Leave the people out where the directory's product of a group is not known: they could not be compared."""
    said: list[str] = []
    unknown = [one for one in live.holdings if one.seats and one.ref not in live.known]
    if live.directory is not None and unknown:
        names = ", ".join(one.name or one.product for one in unknown)
        said.append(f"people: the directory shows no product for {names}; write `sku:` there, then --merge")
        return replace(live, directory=None), said
    if not live.has_people:
        way = f"--tenant-id {live.ref}=ID says which directory is theirs"
        way = way if wish.directory else "--directory ACCOUNT reads them"
        said.append(f"people: nobody tells who they are; {way}")
    return live, said


def _say(job: Job, found: Look, outcomes: list[Outcome]) -> None:
    if job.world.workspace.accounts[job.wish.account].is_sandbox:
        click.echo(f"Note: account {job.wish.account} is a sandbox: nothing is bought\n")
    for one in sorted(outcomes, key=lambda each: (each.claimed, each.file, each.ref)):
        click.echo(one.said)
        for left in one.left_out:
            click.echo(f"  left out: {left}")
    for what, why in sorted(found.failed.items()):
        click.echo(f"error: {what}: {why}", err=True)
    written = [one for one in outcomes if one.content is not None]
    if not written:
        click.echo("nothing to import: every service that was read is in a manifest")
        return
    names = " ".join(one.tenant for one in written[:1]) if len(written) == 1 else "TENANT"
    plain = all(one.new is not None for one in written)
    then = "says no changes" if plain else "shows what differs all the same"
    click.echo(
        f"\nNext: `reconciler plan` {then}. Nobody is ours by an import: the first `reconciler apply` records "
        f"who it finds as written, `reconciler adopt {names}` does that at once."
    )
