"""From files to typed tenants: everything is read, every fault of every file is told in one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from pydantic import ValidationError

from reconciler.core import across, rules, rules_workspace
from reconciler.core.diagnostic import Diagnostic, Position, Problem, diagnostic
from reconciler.core.explain import problems
from reconciler.core.manifest import TENANT, ManifestFile
from reconciler.core.shapes import TENANT_KEYS, WORKSPACE_KEYS
from reconciler.core.sketch import Sketch, sketch
from reconciler.core.workspace import WORKSPACE, Workspace
from reconciler.store.files import (
    default_paths,
    find_tenants,
    find_workspace,
    read_bytes,
    read_workspace,
    refused,
    show,
    size_of,
)
from reconciler.store.packed import Packed, Packer, packed_file
from reconciler.store.uncollected import uncollected
from reconciler.store.yaml import Document, Places, Unreadable, read

AT_HAND = 8 * 1024 * 1024
"""How many bytes of tenants' files stay in memory, about 60,000 people: who has fewer pays nothing for packing."""


class Loaded(Struct, frozen=True):
    """What a run starts from; with errors among the diagnostics it must not go on."""

    workspace: Workspace | None
    workspace_path: Path | None
    root: Path
    manifests: tuple[ManifestFile, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that keep the run from being made."""
        return tuple(found for found in self.diagnostics if found.is_error)


class _Read(Struct, frozen=True):
    """One tenant's file as far as it could be read."""

    file: str
    places: Places | Packed
    sketch: Sketch
    marks: across.Marks
    manifest: ManifestFile | None


def load(
    paths: Sequence[Path] = (),
    *,
    workspace_file: Path | None = None,
    cwd: Path,
    allowed_hosts: frozenset[str] = frozenset(),
    version: str,
    at_hand: int = AT_HAND,
) -> Loaded:
    """Read the workspace and every tenant below the paths; no fault stops the reading of the rest.

    at_hand: how many bytes of tenants' files stay in memory; of more, each is read again when its turn comes.
    """
    path = find_workspace(paths, given=workspace_file, cwd=cwd)
    root = path.parent if path else cwd
    with uncollected(freeze=True):
        workspace, apis, found = _workspace(path, cwd=cwd, allowed=allowed_hosts, version=version)
        if any(each.code == "RC3002" for each in found):
            # Another version of the tool may read everything else differently: say only this.
            return Loaded(None, path, root, (), tuple(found))
        files, missing = find_tenants(paths or default_paths(root), workspace=path, cwd=cwd)
        found.extend(missing)
        packer = Packer() if size_of(files) > at_hand else None
        done = [one for file in files if (one := _tenant(file, apis, found, cwd=cwd, packer=packer))]
        found.extend(_between(done))
        manifests = tuple(each.manifest for each in done if each.manifest)
    return Loaded(workspace, path, root, manifests, tuple(sorted(set(found))))


def _between(done: Sequence[_Read]) -> Iterator[Diagnostic]:
    """List what breaks a rule between the files."""
    for index, problem in across.check(
        [each.sketch for each in done],
        files=[each.file for each in done],
        marks=[each.marks for each in done],
    ):
        place = done[index].places.locate(problem.path, at_key=problem.at_key)
        yield diagnostic(problem, Position(done[index].file, *place))


def _workspace(
    path: Path | None, *, cwd: Path, allowed: frozenset[str], version: str
) -> tuple[Workspace | None, dict[str, str] | None, list[Diagnostic]]:
    """Read it, and the `api` of each account, which is known even where something else is wrong."""
    if path is None:
        return None, None, [_no_workspace(cwd)]
    file = show(path, cwd=cwd)
    try:
        document = read(read_workspace(path))
    except Unreadable as error:
        return None, None, [refused(file, error)]
    other = rules_workspace.refuses(document.value, version=version)
    if other is not None:
        return None, None, [_found(file, other, document)]
    found = [refused(file, fault) for fault in document.faults]
    workspace = None
    try:
        workspace = WORKSPACE.validate_python(document.value)
    except ValidationError as error:
        told = problems(error, raw=document.value, shapes=WORKSPACE_KEYS)
        found.extend(_found(file, problem, document) for problem in told)
    rest = rules_workspace.check(document.value, allowed=allowed)
    found.extend(_found(file, problem, document) for problem in rest)
    return workspace, rules_workspace.apis(document.value), found


def _tenant(
    path: Path,
    apis: Mapping[str, str] | None,
    found: list[Diagnostic],
    *,
    cwd: Path,
    packer: Packer | None,
) -> _Read | None:
    file = show(path, cwd=cwd)
    try:
        data = read_bytes(path)
        document = read(data)
    except Unreadable as error:
        found.append(refused(file, error))
        return None
    found.extend(refused(file, fault) for fault in document.faults)
    tenant = None
    try:
        tenant = TENANT.validate_python(document.value)
    except ValidationError as error:
        told = problems(error, raw=document.value, shapes=TENANT_KEYS)
        found.extend(_found(file, problem, document) for problem in told)
    drawn = sketch(document.value)
    rest = (*rules.check(drawn), *rules.check_accounts(drawn, apis))
    found.extend(_found(file, problem, document) for problem in rest)
    # What the rules between files ask is drawn by now; the plain values would be a quarter of the memory.
    kept = replace(drawn, raw={})
    marks = across.marks_of(drawn)
    if packer is not None:
        packed = packer.pack(data, file=file, raw=document.value if tenant else None)
        waiting = packed_file(tenant, packed) if tenant else None
        return _Read(file, packed, replace(kept, users=packed), marks, waiting)
    places = Places(data, file=file, items=document.items)
    manifest = ManifestFile(tenant, file=file, where=places) if tenant else None
    return _Read(file, places, kept, marks, manifest)


def _found(file: str, problem: Problem, document: Document) -> Diagnostic:
    return diagnostic(problem, Position(file, *document.where(problem.path, at_key=problem.at_key)))


def _no_workspace(cwd: Path) -> Diagnostic:
    return Diagnostic(
        show(cwd / "reconciler.yaml", cwd=cwd),
        1,
        1,
        "RC3001",
        "error",
        "no workspace file here or above the paths given",
        "run `reconciler init`, or name one with --workspace FILE",
    )
