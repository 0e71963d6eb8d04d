"""Where in today's file that stands which an earlier plan was made of: files are renamed and lines move."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.action import Action
from reconciler.core.diagnostic import Path
from reconciler.core.manifest import ManifestFile, login_key
from reconciler.core.model import Address, Source


def sources(manifest: ManifestFile, actions: Iterable[Action]) -> dict[str, Source | None]:
    """The places of actions by their id; where its line is written no more, the file, or nothing if none was known."""
    some = list(actions)
    if not some:
        return {}
    paths = _paths(manifest)
    return {one.id: _source(manifest, one, paths) for one in some}


def _paths(manifest: ManifestFile) -> dict[Address, Path]:
    """Each group and person by the address that tells them."""
    tenant = manifest.tenant
    paths: dict[Address, Path] = {
        f"group/{one.name}": ("license_groups", index) for index, one in enumerate(tenant.license_groups)
    }
    paths |= {
        f"user/{login_key(one.login)}": ("users", index) for index, one in enumerate(tenant.users or ())
    }
    return paths


def _source(manifest: ManifestFile, action: Action, paths: dict[Address, Path]) -> Source | None:
    kind, _, rest = action.address.partition("/")
    group, _, login = rest.partition("/")
    path = paths.get(action.address)
    if path is None and kind == "seat":
        path = paths.get(f"user/{login_key(login)}") or paths.get(f"group/{group}")
    if path is None:
        known = action.source
        return (
            known
            if known is None or known.file == manifest.file
            else Source(file=manifest.file, line=1, column=1)
        )
    return manifest.source(*path)
