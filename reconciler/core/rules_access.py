"""The rules for who of the partner gets which of the delegated roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.core.diagnostic import Path, Problem
from reconciler.core.sketch import Sketch, items

WHERE = ("delegated_administration", "access")


def check_access(sketch: Sketch) -> Iterator[Problem]:
    """List what is wrong with the security groups of `access:`, and with the roles they are to have."""
    delegated = sketch.raw.get("delegated_administration")
    if not isinstance(delegated, dict):
        return
    given = items(delegated, "access")
    yield from _twice(given)
    for index, one in given:
        yield from _roles(one.get("roles"), _words(delegated.get("roles")), (*WHERE, index, "roles"))


def _twice(given: list[tuple[int, dict[str, Any]]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, one in given:
        group = one.get("security_group")
        if not isinstance(group, str):
            continue
        if group.lower() in seen:
            said = f"the security group `{group[:64]}` stands here twice"
            hint = "write one entry with all of its roles"
            yield Problem("RC2511", (*WHERE, index, "security_group"), said, hint=hint)
        seen.add(group.lower())


def _roles(wanted: object, delegated: list[str], path: Path) -> Iterator[Problem]:
    """A group can only be given what the customer is asked for, spelled the same way."""
    if wanted == []:
        hint = "delete `roles:` to give all roles of the relationship, or write some of them"
        yield Problem("RC2513", path, "the security group is given no role", hint=hint)
    known = {one.casefold() for one in delegated}
    for nth, role in enumerate(_words(wanted)):
        if role.casefold() not in known:
            yield Problem(
                "RC2512",
                (*path, nth),
                f"the role `{role[:64]}` is not delegated by the relationship",
                hint=f"roles of the relationship: {', '.join(delegated) or 'none'}; "
                "write it the same way in both places",
            )


def _words(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
