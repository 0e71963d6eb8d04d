"""The rules that hold between files: names, claims and logins that may stand in one workspace only once."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from reconciler.core.diagnostic import Path, Problem
from reconciler.core.manifest import full_login
from reconciler.core.sketch import Sketch

Found = Iterator[tuple[int, Problem]]
"""A problem, and the index of the sketch it stands in."""

Marks: TypeAlias = "array[int]"
"""A number for each login of a sketch, in eight bytes: the same for the same login, and hardly ever for two."""

AT_ONCE = 1 << 16
"""How many marks are compared at the same time."""


def check(sketches: Sequence[Sketch], *, files: Sequence[str], marks: Sequence[Marks] | None = None) -> Found:
    """List what breaks a rule between files, each at the later of the two places.

    marks: those of each sketch, from when its people were at hand; people are gone through only where marks meet.
    """
    yield from _names(sketches, files)
    yield from _claims(sketches, files)
    alike = _alike(marks or [marks_of(each) for each in sketches])
    yield from _logins({index: sketches[index] for index in alike}, files)


def marks_of(sketch: Sketch) -> Marks:
    """Give the marks of a sketch's logins, each once."""
    directory = _directory(sketch)
    return array("q", {hash(_key(one.login, sketch.domain, directory)) for one in sketch.users if one.login})


def _alike(marks: Sequence[Marks]) -> list[int]:
    """Which sketches have a mark that another has too: a part of all numbers at a time, for the memory."""
    parts = 1 + sum(map(len, marks)) // AT_ONCE
    twice: set[int] = set()
    for part in range(parts):
        some = [mark for each in marks for mark in each if mark % parts == part]
        if len(set(some)) < len(some):
            twice |= {mark for mark, times in Counter(some).items() if times > 1}
    return [index for index, each in enumerate(marks) if not twice.isdisjoint(each)] if twice else []


def _names(sketches: Sequence[Sketch], files: Sequence[str]) -> Found:
    first: dict[str, int] = {}
    olds: dict[str, int] = {}
    for index, sketch in enumerate(sketches):
        if not sketch.tenant:
            continue
        if sketch.tenant in first:
            message = f"the tenant `{sketch.tenant}` stands in {files[first[sketch.tenant]]} too"
            yield index, Problem("RC2601", ("tenant",), message, hint="give each tenant a name of its own")
        first.setdefault(sketch.tenant, index)
    for index, sketch in enumerate(sketches):
        old = sketch.previously
        if old and old in first:
            message = f"the old name `{old}` is also written as a tenant, in {files[first[old]]}"
            hint = "delete `previously`, or the tenant of the old name"
            yield index, Problem("RC2602", ("previously",), message, hint=hint)
        if old and old in olds:
            message = f"the tenant in {files[olds[old]]} was previously `{old}` too"
            yield index, Problem("RC2602", ("previously",), message, hint="keep one of them")
        olds.setdefault(old, index)


def _claims(sketches: Sequence[Sketch], files: Sequence[str]) -> Found:
    first: dict[tuple[str, ...], tuple[int, str]] = {}
    for index, sketch in enumerate(sketches):
        for group in sketch.groups:
            path: Path = ("license_groups", group.index)
            for claim, key in _pins(sketch, group_index=group.index):
                if claim not in first:
                    first[claim] = (index, group.name)
                    continue
                other, name = first[claim]
                message = (
                    f"`{claim[-2]}` with the product {claim[-1]} is claimed by `{name}` in {files[other]} too"
                )
                hint = "one service or subscription is one group: delete one of the two"
                yield index, Problem("RC2603", (*path, key) if key else path, message, hint=hint)


def _pins(sketch: Sketch, *, group_index: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """List what a group claims by being written, each with the key that says so."""
    group = next(each for each in sketch.groups if each.index == group_index)
    product = group.product.lower()
    if not product:
        return
    if group.service and group.service != "new":
        yield ("service", group.service, product), "service"
    elif sketch.provider == "ovh-payg" and sketch.service and group.service != "new":
        # A pay-as-you-go tenant is its service: an unpinned group can be nothing else.
        yield ("service", sketch.service, product), ""
    if group.subscription:
        # Numbers of subscriptions are the service's own.
        yield ("subscription", sketch.provider, sketch.service, group.subscription, product), "subscription"


def _logins(sketches: Mapping[int, Sketch], files: Sequence[str]) -> Found:
    first: dict[str, tuple[int, str]] = {}
    for index, sketch in sketches.items():
        directory = _directory(sketch)
        here = (index, directory)
        for person in sketch.users:
            if not person.login:
                continue
            key = _key(person.login, sketch.domain, directory)
            other, where = first.setdefault(key, here)
            whole = full_login(person.login, sketch.domain)
            if other == index or ("@" in whole and not _may_be_one(where, directory)):
                continue
            message = f"the login `{whole}` stands in {files[other]} too, and both are one directory"
            hint = "a person belongs to one tenant: delete one of the two"
            yield index, Problem("RC2604", ("users", person.place, "login"), message, hint=hint)


def _key(login: str, domain: str, directory: str) -> str:
    """Under what a login may stand only once: without a domain it says nothing outside its own directory."""
    whole = full_login(login, domain)
    return whole if "@" in whole else f"{directory} {whole}"


def _directory(sketch: Sketch) -> str:
    """Tell which directory knows a tenant's people, by the best that is written."""
    known = sketch.directory.get("tenant_id") if sketch.directory else None
    if isinstance(known, (str, int)):
        return f"id:{str(known).lower()}"
    return f"service:{sketch.service}" if sketch.service else f"tenant:{sketch.tenant}"


def _may_be_one(one: str, other: str) -> bool:
    """Two directories known by id are one only if the ids are; else one sign-in name means one directory."""
    return one == other or not (one.startswith("id:") and other.startswith("id:"))
