"""What the doctor looks at: this machine, the files, each account, the journal; nothing is changed."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler import __version__
from reconciler.cli.doctor_ci import examine_ci
from reconciler.cli.opening import Opener
from reconciler.core.errors import ReconcilerError
from reconciler.core.manifest import API_OF, Tenant
from reconciler.core.rights import ROOTS, Checked, token_page
from reconciler.core.workspace import ManualAccount, MicrosoftAccount, OvhAccount, Workspace
from reconciler.render.words import count
from reconciler.store.journal import open_journal
from reconciler.store.links import there
from reconciler.store.manifests import Loaded, load
from reconciler.store.revisions import inside
from reconciler.store.secrets import resolve

OLDEST = (3, 11)


def examine(values: dict[str, Any]) -> list[Checked]:
    """Look at everything in order; what cannot be looked at because of something before is left out."""
    loaded = _loaded(values["workspace"])
    found = [_python(), *_files(loaded)]
    if loaded.workspace is None:
        return found
    opener = Opener(workspace=loaded.workspace, root=loaded.root, writes=False)
    found += asyncio.run(_accounts(loaded, loaded.workspace, opener, plan_only=values["plan_only"]))
    url = values["journal"] or loaded.workspace.journal
    found += [*_journal(url, loaded), _git(loaded.root)]
    return found + (examine_ci(values["ci"], loaded.root.absolute()) if values["ci"] else [])


def accounts(workspace: Path) -> list[Checked]:
    """Look at the accounts of a workspace file alone."""
    loaded = _loaded(workspace)
    if loaded.workspace is None:
        return list(_files(loaded))
    opener = Opener(workspace=loaded.workspace, root=loaded.root, writes=False)
    return asyncio.run(_accounts(loaded, loaded.workspace, opener, plan_only=False))


def _loaded(workspace: Path | None) -> Loaded:
    allowed = frozenset(os.environ.get("RECONCILER_ENDPOINTS", "").split())
    return load((), workspace_file=workspace, cwd=Path.cwd(), allowed_hosts=allowed, version=__version__)


def _python() -> Checked:
    what = f"reconciler {__version__} on Python {platform.python_version()}"
    if sys.version_info < OLDEST:
        return Checked("fail", what, f"install Python {'.'.join(map(str, OLDEST))} or later")
    return Checked("ok", what)


def _files(loaded: Loaded) -> Iterator[Checked]:
    other = next((one for one in loaded.diagnostics if one.code in {"RC3001", "RC3002", "RC3003"}), None)
    if other is not None:
        yield Checked("fail", f"{other.file}: {other.message}", other.hint)
        return
    requires = loaded.workspace.requires if loaded.workspace else None
    if requires:
        yield Checked("ok", f"the workspace requires {requires}")
    if loaded.errors:
        first = loaded.errors[0]
        said = f"{count(len(loaded.errors), 'error')} in the files, the first at {first.file}:{first.line}"
        yield Checked("fail", said, "`reconciler validate` shows all of them")
    elif not loaded.manifests:
        yield Checked(
            "warn", "no tenant is written yet", "`reconciler import` or `reconciler init` writes some"
        )
    else:
        yield Checked("ok", f"the files are valid: {count(len(loaded.manifests), 'tenant')}")


async def _accounts(
    loaded: Loaded, workspace: Workspace, opener: Opener, *, plan_only: bool
) -> list[Checked]:
    told = await asyncio.gather(
        *(
            _account(name, account, loaded, opener, plan_only=plan_only)
            for name, account in sorted(workspace.accounts.items())
        )
    )
    return [one._replace(what=f"account {name}: {one.what}") for name, some in told for one in some]


async def _account(
    name: str, account: object, loaded: Loaded, opener: Opener, *, plan_only: bool
) -> tuple[str, list[Checked]]:
    match account:
        case ManualAccount():
            return name, [Checked("ok", "has no API: its steps are done by hand")]
        case OvhAccount() | MicrosoftAccount() if bad := _unresolved(account):
            return name, bad
        case OvhAccount() | MicrosoftAccount():
            sandbox = Checked("warn", "is the sandbox: nothing is bought", "`endpoint:` names the real one")
            first = [sandbox] if account.is_sandbox else []
            try:
                told = await _asked(name, account, loaded, opener, plan_only=plan_only)
                return name, first + told
            except ReconcilerError as error:
                return name, [*first, Checked("fail", error.message, error.hint)]
    return name, []


def _unresolved(account: OvhAccount | MicrosoftAccount) -> list[Checked]:
    """Which credentials are not where the file says; their values are not told."""
    if account.is_sandbox or account.credentials is None:
        return []
    bad = []
    for key, value in account.credentials.model_dump().items():
        if value and "://" in value:
            try:
                resolve(value, os.environ)
            except ReconcilerError as error:
                bad.append(Checked("fail", f"{key}: {error.message}", error.hint))
    return bad


async def _asked(
    name: str, account: OvhAccount | MicrosoftAccount, loaded: Loaded, opener: Opener, *, plan_only: bool
) -> list[Checked]:
    tenants = [one.head for one in loaded.manifests]
    used = {
        str(one.provider)
        for one in tenants
        if one.account == name and API_OF.get(str(one.provider)) == account.api
    }
    connection = opener.opened(name)
    try:
        if isinstance(account, OvhAccount):
            return await _asked_ovh(account, connection, used or ROOTS, plan_only=plan_only)
        served = [one for one in tenants if one.directory and one.directory.account == name]
        return await _asked_microsoft(connection, served, sells=bool(used))
    finally:
        await connection.close()


async def _asked_ovh(
    account: OvhAccount, session: Any, used: Iterable[str], *, plan_only: bool
) -> list[Checked]:
    """What the keys may do, of that which the tenants' providers need."""
    from reconciler.providers.ovh.api import Api
    from reconciler.providers.ovh.checkup import checkup

    told = await checkup(Api(session), used, plan_only=plan_only and not account.is_sandbox)
    return [_where_to(one, account) for one in told]


async def _asked_microsoft(connection: Any, served: Sequence[Tenant], *, sells: bool) -> list[Checked]:
    """What the application may do for the tenants whose directory it keeps; without any, it is there to sell."""
    from reconciler.providers.microsoft.checkup import checkup

    directories = {one.directory.tenant_id for one in served if one.directory and one.directory.tenant_id}
    delegates = any(one.delegated_administration for one in served)
    return await checkup(connection, directories, sells=sells or not directories, delegates=delegates)


def _where_to(one: Checked, account: OvhAccount) -> Checked:
    """Say where keys with the right rights are made."""
    page = token_page(account.endpoint, writes="apply" in one.remedy)
    return one._replace(remedy=f"{one.remedy}: {page}") if page and "make keys" in one.remedy else one


def _journal(url: str, loaded: Loaded) -> Iterator[Checked]:
    try:
        journal = open_journal(url, root=loaded.root, create=False, env=os.environ)
    except ReconcilerError as error:
        yield Checked("fail", f"journal: {error.message}", error.hint)
        return
    try:
        if journal.fresh:
            yield Checked("warn", "journal: there is none yet", "the first apply makes it; nothing to do")
        else:
            last = max((event.at for event in journal.stream()), default=None)
            when = f", last written {last:%Y-%m-%d %H:%M} UTC" if last else ", empty"
            yield Checked("ok", f"journal: can be read{when}")
        if journal.moved:
            yield Checked("fail", f"journal: {journal.moved}", "write the new one in `journal:`")
        if journal.behind:
            yield Checked("fail", f"journal: {journal.behind}", "put the newer one back; see docs/journal.md")
        yield from _writable(url, loaded.root)
        for lease in journal.leases():
            left = max(0, round((lease.until - datetime.now(UTC)).total_seconds()))
            since = f"since {lease.since:%Y-%m-%d %H:%M} UTC, {left} s left"
            what = f"lease of {lease.name}: held by {lease.holder} {since}"
            yield Checked("warn", what, "it ends by itself; `reconciler lease release` breaks it")
    except ReconcilerError as error:
        yield Checked("fail", f"journal: {error.message}", error.hint)
    finally:
        journal.close()


def _writable(url: str, root: Path) -> Iterator[Checked]:
    """Tell whether a journal that is a file could be written; of others only writing shows it."""
    if not url.startswith("sqlite"):
        return
    path = root.absolute() / url.partition("://")[2].removeprefix("/")
    place = next(one for one in (path, *path.parents) if there(one))
    folder = path.parent if there(path.parent) else place
    if not (os.access(place, os.W_OK) and os.access(folder, os.W_OK)):
        yield Checked("fail", f"journal: {place} cannot be written", "run as its owner, or make it writable")
    elif shutil.disk_usage(folder).free < _SPACE:
        yield Checked("fail", "journal: the disk is full", "free disk space")
    else:
        yield Checked("ok", "journal: can be written")


_SPACE = 10 * 1024 * 1024
"""Bytes: what an apply of a thousand tenants writes, and more."""


def _git(root: Path) -> Checked:
    if shutil.which("git") is None:
        return Checked("warn", "git is not installed", "--changed-since and a journal in git need it")
    if not inside(root):
        return Checked(
            "warn", "the workspace is in no git repository", "`git init`; --changed-since needs one"
        )
    return Checked("ok", "the workspace is in a git repository")
