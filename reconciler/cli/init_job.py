"""One `init`: what is asked, written, looked at and said."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli.ci import BRANCH
from reconciler.cli.init_ci import no_workflows_yet, say_next, shown, write_workflows
from reconciler.cli.init_files import KEYS, Start, contents, ignored, world_of
from reconciler.cli.output import can_ask
from reconciler.core.errors import UsageError, WorkspaceError
from reconciler.core.manifest import API_OF
from reconciler.core.rights import MICROSOFT, token_page
from reconciler.store.files import WORKSPACE_NAME
from reconciler.store.revisions import has_origin
from reconciler.store.written import create, exists

ENDPOINTS = {"ovh": ("sandbox", "ovh-eu", "ovh-ca", "ovh-us"), "microsoft": ("sandbox", "public")}
USUAL = {"ovh": "ovh-main", "microsoft": "partner", "manual": "by-hand"}
SIGNED = {key: f"OVH_{key.upper()}" for key in ("application_key", "application_secret", "consumer_key")}
TOKENS = {key: f"OVH_{key.upper()}" for key in ("client_id", "client_secret")}
APPLICATION = {
    key: f"MICROSOFT_{key.upper()}" for key in ("tenant_id", "client_id", "client_secret", "refresh_token")
}


class _Asking(Struct, frozen=True):
    """What options say, and at a terminal what a person says."""

    values: dict[str, Any]
    asks: bool

    def word(self, name: str, what: str, usual: str, choices: tuple[str, ...] = ()) -> str:
        """Give what an option says, else an answer, else what is usual."""
        given = self.values.get(name)
        if given:
            return str(given)
        if not self.asks:
            return usual
        kind = click.Choice(choices) if choices else None
        return str(click.prompt(what, default=usual, type=kind, err=True))


def do_init(values: dict[str, Any]) -> None:
    """Begin a workspace, or add workflows to one."""
    root: Path = (Path.cwd() / values["folder"]).resolve()
    kind = values["ci"]
    if kind is not None:
        no_workflows_yet(kind, root)
        if (root / WORKSPACE_NAME).exists():
            write_workflows(kind, root)
            say_next(kind, root)
            return
    start = _start(values)
    if kind is not None:
        # People and CI share one journal: a branch of the repository, where there is one with an origin.
        start = replace(start, journal=BRANCH if has_origin(root) else start.journal)
    files = contents(start, root)
    there = [shown(path) for path, _ in files if path.exists() or path.is_symlink()]
    if there:
        error = exists(there)
        raise WorkspaceError(error.message, hint="name another folder: reconciler init DIR", code=error.code)
    create(files)
    _ignore(root)
    _seed(start, root)
    for path, _ in files:
        click.echo(f"{shown(path)}: written")
    if kind is not None:
        write_workflows(kind, root)
    _next(start, root)
    if kind is not None:
        say_next(kind, root)


def _start(values: dict[str, Any]) -> Start:
    ask = _Asking(values, asks=can_ask())
    provider = ask.word("provider", "Provider", "ovh-prepaid", tuple(API_OF))
    api = API_OF[provider]
    if values["sandbox"] and values["endpoint"] not in {None, "sandbox"}:
        raise UsageError("--sandbox and --endpoint name two places: write one of them")
    endpoint = "sandbox" if values["sandbox"] or api == "manual" else _endpoint(ask, api)
    account = ask.word("account", "Name of the account", USUAL[api])
    tenant = "" if values["no_tenant"] else ask.word("tenant", "Name of the first tenant", "example")
    real = api != "manual" and endpoint != "sandbox"
    return Start(
        provider=provider,
        api=api,
        endpoint=endpoint,
        account=account,
        tenant=tenant,
        service=values["service"] or "",
        credentials=_credentials(ask, api) if real else {},
    )


def _endpoint(ask: _Asking, api: str) -> str:
    names = ENDPOINTS[api]
    said = ask.word("endpoint", "Endpoint (sandbox: a local provider, nothing is bought)", "sandbox", names)
    if api == "microsoft" and said not in names:
        raise UsageError(f"--endpoint {said}: at Microsoft it is sandbox or public")
    return said


def _credentials(ask: _Asking, api: str) -> dict[str, str]:
    """References to the credentials: as options say, or in the variables that a person names, or the usual ones."""
    given: dict[str, str] = {}
    for word in ask.values["credentials"]:
        key, sign, reference = word.partition("=")
        if not sign or key not in KEYS[api]:
            raise UsageError(
                f"--credential {key}: write KEY=REFERENCE, with KEY one of {', '.join(KEYS[api])}"
            )
        given[key] = reference
    if given:
        return given
    if api == "microsoft":
        usual = APPLICATION
    elif ask.asks and click.confirm("OAuth2 service account instead of the three keys?", err=True):
        usual = TOKENS
    else:
        usual = SIGNED
    return {key: f"env://{ask.word('', f'Variable with {key}', name)}" for key, name in usual.items()}


def _ignore(root: Path) -> None:
    """Keep the journal and the sandbox out of git; lines that are there stay."""
    path = root / ".gitignore"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    more = ignored(before)
    if more:
        try:
            with path.open("a", encoding="utf-8") as stream:
                stream.write(more)
        except OSError as error:
            raise WorkspaceError(
                f"{path}: cannot be written ({error.strerror})",
                hint="add the line .reconciler/ to it, which keeps the journal out of git",
            ) from error
        click.echo(f"{shown(path)}: {'added .reconciler/' if before else 'written'}")


def _seed(start: Start, root: Path) -> None:
    """Give a new sandbox what the first tenant lives in, where nothing of it can be bought."""
    world, file = world_of(start), root / ".reconciler" / "sandbox.db"
    if not world or file.exists():
        return
    from reconciler.sandbox.world import World

    made = World.open(file)
    try:
        made.load(world)
    finally:
        made.close()


def _next(start: Start, root: Path) -> None:
    click.echo()
    if start.is_sandbox:
        click.echo(f"account {start.account} is a sandbox: nothing is bought")
    elif start.api == "ovh":
        page = token_page(start.endpoint, writes=False)
        if page:
            click.echo(f"Keys for plans are made at {page}")
            click.echo(f"Keys for applies are made at {token_page(start.endpoint, writes=True)}")
    elif start.api == "microsoft":
        click.echo("".join(f"{line}\n" for line in MICROSOFT), nl=False)
    if start.credentials:
        _look(root)
    where = "" if root == Path.cwd() else f"cd {shown(root)}; "
    bring = f"reconciler import --account {start.account}"
    if not start.tenant and start.api != "manual":
        click.echo(f"Next: {where}{bring}")
        return
    click.echo(f"Next: {where}reconciler validate; reconciler plan")
    if not start.is_sandbox and start.api != "manual":
        click.echo(f"What is there already is written by: {bring}")


def _look(root: Path) -> None:
    """Try the credentials at once when they are there; where they are not, say which are missing."""
    from reconciler.cli.doctor_checks import accounts

    missing = [name for name in _variables(root) if not os.environ.get(name)]
    if missing:
        click.echo(
            f"Not there yet: {', '.join(missing)}; `reconciler doctor` tries the credentials once they are"
        )
        return
    for one in accounts(root / WORKSPACE_NAME):
        click.echo(f"{one.level:<4}  {one.what}" + (f"  ->  {one.remedy}" if one.remedy else ""))


def _variables(root: Path) -> list[str]:
    """The variables that the workspace file refers to."""
    text = (root / WORKSPACE_NAME).read_text(encoding="utf-8")
    return re.findall(r"env://(\w+)", text)
