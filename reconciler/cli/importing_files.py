"""What an import puts into files: new manifests, additions to those that are there, held to the rules between files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli.importing_read import Family
from reconciler.cli.wiring import World
from reconciler.core import across
from reconciler.core.claims import claim_of
from reconciler.core.diagnostic import one_line
from reconciler.core.errors import WorkspaceError
from reconciler.core.identity import Identity
from reconciler.core.imported import Imported, Live, imported
from reconciler.core.manifest import ManifestFile
from reconciler.core.missing import Missing, applied, missing
from reconciler.core.model import Holding
from reconciler.core.sketch import sketch
from reconciler.render.words import count
from reconciler.store.edit import overwrite
from reconciler.store.files import show as shown
from reconciler.store.merge import merged
from reconciler.store.written import create, manifest, schema_line
from reconciler.store.yaml import Unreadable, read

Raw = dict[str, Any]


class Outcome(Struct, kw_only=True):
    """What becomes of one service: a new file, an addition to one, or nothing because it is claimed.

    new: the tenant as it is written. add: what a file gets. content: the file's text, once it is known.
    """

    tenant: str
    file: str
    ref: str
    claimed: bool = False
    new: Imported | None = None
    add: Missing | None = None
    path: Path | None = None
    before: bytes = b""
    head: str = ""
    remarks: Mapping[str, str] | None = None
    content: bytes | None = None
    left_out: tuple[str, ...] = ()

    @property
    def raw(self) -> Raw:
        """The plain values of the file as it will be."""
        if self.new is not None:
            return self.new.raw
        before: Raw = read(self.before).value
        return applied(before, self.add) if self.add is not None else before

    @property
    def said(self) -> str:
        """What is said of it in one line."""
        if self.claimed:
            return f"{self.ref}: is tenant {self.tenant} already ({self.file})"
        if self.new is not None:
            users = self.new.raw.get("users")
            people = (
                "no people" if users is None else "1 person" if len(users) == 1 else f"{len(users)} people"
            )
            groups = count(len(self.new.raw["license_groups"]), "group")
            return f"{self.file}: {groups}, {people} ({self.ref})"
        what = self.add.said if self.add else ""
        return f"{self.file}: {f'added {what}' if what else 'says all of it already'}"


def fresh(live: Live, name: str, path: Path, root: Path, said: list[str]) -> Outcome:
    """A new file."""
    made = imported(live, name)
    remarks = {
        group["name"]: one_line(title)
        for group in made.raw["license_groups"]
        if (title := _title(live, group))
    }
    return Outcome(
        tenant=name,
        file=shown(path, cwd=Path.cwd()),
        ref=live.ref,
        new=made,
        path=path,
        head=schema_line("tenant", file=path, root=root),
        remarks=remarks,
        left_out=(*said, *made.left_out),
    )


def _title(live: Live, group: Raw) -> str:
    """What a product is called that is written by its number."""
    pinned = group.get("subscription")
    return next(
        (one.name for one in live.holdings if one.ref == str(pinned) and one.name != group["product"]), ""
    )


def added(
    live: Live, owner: ManifestFile, told: Mapping[str, Identity], family: Family, said: list[str]
) -> Outcome:
    """What a manifest that is there does not say."""
    path = Path.cwd() / owner.file
    before = path.read_bytes()
    known = {name: full for name, one in told.items() if (full := _full(one, live.holdings)) is not None}
    foreign, open_ = _foreign(live, owner, told, family)
    add = missing(read(before).value, owner.tenant, live, known, foreign | set(open_))
    return Outcome(
        tenant=owner.tenant.tenant,
        file=owner.file,
        ref=live.ref,
        add=add,
        path=path,
        before=before,
        left_out=(*said, *open_.values(), *add.left_out),
    )


def _full(one: Identity, holdings: tuple[Holding, ...]) -> Holding | None:
    outline = one.holding
    if one.verdict != "is" or outline is None:
        return None
    key = (outline.ref, outline.product, outline.scope)
    return next((each for each in holdings if (each.ref, each.product, each.scope) == key), None)


def _foreign(
    live: Live, owner: ManifestFile, told: Mapping[str, Identity], family: Family
) -> tuple[set[str], dict[str, str]]:
    """Holdings that are not this manifest's to add: somebody else's, or maybe a group's of its own."""
    tenant = owner.tenant
    product_of = family.world.product_of(tenant)
    unsure = {
        product_of(group.product) or group.product: group.name
        for group in tenant.license_groups
        if told[group.name].verdict != "is"
    }
    foreign, maybe = set(), {}
    for one in live.holdings:
        key = f"{one.ref} {one.product}"
        holder = family.world.claims.services.get(claim_of(tenant, one.ref, one.product))
        if holder is not None and holder[0] != tenant.tenant:
            foreign.add(key)
        elif one.product in unsure and one.seats:
            maybe[key] = f"{one.ref}: may be group/{unsure[one.product]}, whose service is not clear: pin it"
    return foreign, maybe


def settled_across(outcomes: list[Outcome], world: World) -> None:
    """Hold what is to be written against the rules between files, and spell it."""
    changed = {one.file: one for one in outcomes if one.new is not None or (one.add and one.add.said)}
    old = [one.file for one in world.loaded.manifests]
    names = [*(name for name in old if name not in changed), *changed]
    raws = [changed[name].raw if name in changed else _raw(name) for name in names]
    for index, problem in across.check([sketch(raw) for raw in raws], files=names):
        match problem.path:
            case ("users", int(at), *_) if names[index] in changed:
                _drop(changed[names[index]], raws[index]["users"][at], problem.message)
            case _:
                raise WorkspaceError(
                    f"{names[index]}: {problem.message}", hint=f"nothing was written: {problem.hint}"
                )
    for one in changed.values():
        one.content = _content(one)


def _raw(name: str) -> Raw:
    found: Raw = read((Path.cwd() / name).read_bytes()).value
    return found


def _drop(one: Outcome, person: Raw, why: str) -> None:
    """Leave a person out who belongs to another tenant already."""
    if one.new is not None:
        users = [each for each in one.new.raw["users"] if each is not person]
        one.new = replace(one.new, raw={**one.new.raw, "users": users})
    elif one.add is not None:
        people = tuple(each for each in one.add.people if each != person)
        one.add = replace(one.add, people=people)
    one.left_out = (*one.left_out, f"{person['login']}: {why}")


def _content(one: Outcome) -> bytes:
    try:
        if one.new is not None:
            return manifest(one.new.raw, head=one.head, remarks=one.remarks)
        assert one.add is not None  # noqa: S101 - nothing else is changed
        return merged(one.before, one.add)
    except Unreadable as error:
        raise WorkspaceError(
            f"{one.file}: {error.message}", hint=f"nothing was written: {error.hint}", code=error.code
        ) from None


def write(outcomes: list[Outcome]) -> None:
    """Write the new files, none of which may be there, then what others get."""
    create([(one.path, one.content) for one in outcomes if one.new and one.path and one.content])
    for one in outcomes:
        if one.add is not None and one.path is not None and one.content is not None:
            overwrite(one.path.resolve(), one.content)
