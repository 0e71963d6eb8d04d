"""The rules a tenant's file is held to by itself; each problem has a lasting code.

They look at the sketch, not at the typed tenant, so that a wrong type in one place hides nothing in another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping

from reconciler.core.diagnostic import Path, Problem
from reconciler.core.manifest import API_OF, KNOWS_PEOPLE
from reconciler.core.rules_access import check_access
from reconciler.core.rules_people import check_people, unknown_country
from reconciler.core.sketch import Sketch, SketchGroup, items

OVH_PRODUCTS = ("business", "pro-plus")
# "Un groupe de licences Business peut contenir au maximum 300 licences" (OVHcloud's guide, verified 2026-11).
BUSINESS_LIMIT = 300
# What the order page of OVHcloud Exchange takes at once (verified 2026-11).
ATTACH_LIMIT = 25


def check(sketch: Sketch) -> list[Problem]:
    """List what breaks a rule in one tenant's file."""
    return [
        *_provider(sketch),
        *_groups(sketch),
        *_seats(sketch),
        *_cancelling(sketch),
        *check_people(sketch),
        *_keys(sketch),
        *_attach(sketch),
        *check_access(sketch),
    ]


def check_accounts(sketch: Sketch, accounts: Mapping[str, str] | None) -> list[Problem]:
    """List the accounts a tenant names that do not exist or have the wrong `api`.

    accounts: the `api` of each, empty where it is not known; None where nobody knows which there are.
    """
    if accounts is None:
        return []
    found = [
        *_account(("account",), sketch.account, API_OF.get(sketch.provider), accounts, why=sketch.provider),
    ]
    if sketch.directory and isinstance(name := sketch.directory.get("account"), str):
        found += _account(("directory", "account"), name, "microsoft", accounts, why="a directory")
    return found


def _account(
    path: Path, name: str, api: str | None, accounts: Mapping[str, str], *, why: str
) -> Iterator[Problem]:
    if not name:
        return
    has = accounts.get(name)
    if has is None:
        known = ", ".join(sorted(accounts)) or "none"
        yield Problem("RC2101", path, f"unknown account `{name}`", hint=f"accounts of the workspace: {known}")
    elif api is not None and has and has != api:
        yield Problem(
            "RC2102",
            path,
            f"the account `{name}` has `api: {has}`, but {why} needs `api: {api}`",
            hint="name another account or change the provider",
        )


def _provider(sketch: Sketch) -> Iterator[Problem]:
    if sketch.provider == "ovh-csp2" and "service" not in sketch.raw:
        yield Problem(
            "RC2103",
            ("provider",),
            "`service` is missing: ovh-csp2 needs the tenant's own service",
            hint="write `service:` with the reseller service's name",
        )
    outside = sketch.provider in API_OF and sketch.provider not in KNOWS_PEOPLE
    if outside and sketch.directory is None and "directory" not in sketch.raw and sketch.has_users:
        yield Problem(
            "RC2104",
            ("users",),
            f"{sketch.provider} sells seats and knows no people",
            hint="write a `directory`, or delete `users`",
            at_key=True,
        )
    if sketch.directory is not None and not _is_known(sketch, sketch.directory):
        yield Problem(
            "RC2105",
            ("directory",),
            "`tenant_id` is missing: nobody knows which directory is meant",
            hint="write the directory's id as `tenant_id:`",
        )
    country = (
        (sketch.raw.get("customer") or {}).get("country")
        if isinstance(sketch.raw.get("customer"), dict)
        else None
    )
    if isinstance(country, str):
        yield from unknown_country(country, ("customer", "country"))


def _is_known(sketch: Sketch, directory: Container[str]) -> bool:
    """Whether the directory has an id, or gets the one of the customer at Partner Center."""
    if "tenant_id" in directory:
        return True
    return sketch.provider == "partner-center" and not {"service", "customer"}.isdisjoint(sketch.raw)


def _groups(sketch: Sketch) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for group in sketch.groups:
        path = ("license_groups", group.index)
        if group.name in first:
            yield Problem(
                "RC2201",
                (*path, "name"),
                f"the group `{group.name}` stands here twice",
                hint="give each license group a name of its own",
            )
        elif group.name:
            first[group.name] = group.index
        yield from _product(sketch, group, path)
        if group.beside and group.service != "new":
            yield Problem(
                "RC2205",
                (*path, "beside"),
                "`beside` means something only with `service: new`",
                at_key=True,
                hint="write `service: new`, or delete `beside`",
            )
    for group in sketch.groups:
        if group.previously and group.previously in first:
            yield Problem(
                "RC2206",
                ("license_groups", group.index, "previously"),
                f"the old name `{group.previously}` is also written as a group",
                hint="delete `previously`, or the group of the old name",
            )
    yield from _same_old_names(sketch)


def _same_old_names(sketch: Sketch) -> Iterator[Problem]:
    seen: set[str] = set()
    for group in sketch.groups:
        if group.previously and group.previously in seen:
            path = ("license_groups", group.index, "previously")
            yield Problem("RC2206", path, f"two groups were previously `{group.previously}`", hint="keep one")
        seen.add(group.previously)


def _product(sketch: Sketch, group: SketchGroup, path: Path) -> Iterator[Problem]:
    if sketch.provider in KNOWS_PEOPLE and group.product and group.product not in OVH_PRODUCTS:
        yield Problem(
            "RC2202",
            (*path, "product"),
            f"{sketch.provider} sells business and pro-plus, not `{group.product}`",
            hint="write business or pro-plus",
        )
    if sketch.provider in API_OF and sketch.provider != "ovh-payg" and not group.has_seats:
        yield Problem(
            "RC2203",
            path,
            f"`seats` is missing in the group `{group.name}`",
            hint="write how many are paid for",
        )


def _seats(sketch: Sketch) -> Iterator[Problem]:
    people = Counter(
        name
        for person in sketch.users
        for name in {each for each in person.licenses if isinstance(each, str)}
    )
    for group in sketch.groups:
        path = ("license_groups", group.index, "seats")
        seated = people[group.name]
        if group.seats is not None and seated > group.seats:
            yield Problem(
                "RC2301",
                path,
                f"{seated} people have the licence `{group.name}`, but it has {group.seats} seats",
                hint=f"set seats to {seated}, or take the licence from {seated - group.seats}",
            )
        size = max(group.seats or 0, seated)
        if sketch.provider in KNOWS_PEOPLE and group.product == "business" and size > BUSINESS_LIMIT:
            yield Problem(
                "RC2302",
                path,
                f"a Business service holds at most {BUSINESS_LIMIT} seats, not {size}",
                hint="use pro-plus, or spread the people over two groups",
            )


def _cancelling(sketch: Sketch) -> Iterator[Problem]:
    cancelled = {group.name for group in sketch.groups if group.cancelled and group.name}
    for group in sketch.groups:
        path = ("license_groups", group.index)
        if group.cancelled and not group.reason:
            yield Problem(
                "RC2401",
                (*path, "state"),
                f"the group `{group.name}` is cancelled without a reason",
                hint='write `reason:`, as in "customer left, ticket 4411"',
            )
        if group.cancel and not group.cancelled:
            yield Problem(
                "RC2403",
                (*path, "cancel"),
                "`cancel` means something only with `state: cancelled`",
                at_key=True,
                hint="write `state: cancelled` and a `reason`, or delete `cancel`",
            )
    if not cancelled:
        return
    for person in sketch.users:
        for nth, name in enumerate(person.licenses):
            if isinstance(name, str) and name in cancelled:
                yield Problem(
                    "RC2402",
                    ("users", person.place, "licenses", nth),
                    f"the group `{name}` is cancelled, but `{person.login}` is still in it",
                    hint=f"take `{name}` out of the person's licenses",
                )


def _keys(sketch: Sketch) -> Iterator[Problem]:
    names = {group.name for group in sketch.groups}
    for index, key in items(sketch.raw, "product_keys"):
        group = key.get("group")
        if isinstance(group, str) and group not in names:
            yield Problem(
                "RC2204",
                ("product_keys", index, "group"),
                f"no license group is named `{group}`",
                hint=f"groups of this tenant: {', '.join(sorted(names)) or 'none'}",
            )


def _attach(sketch: Sketch) -> Iterator[Problem]:
    attach = sketch.raw.get("office_attach")
    accounts = attach.get("accounts") if isinstance(attach, dict) else None
    if isinstance(accounts, list) and len(accounts) > ATTACH_LIMIT:
        yield Problem(
            "RC2501",
            ("office_attach", "accounts", ATTACH_LIMIT),
            f"one order takes at most {ATTACH_LIMIT} accounts, not {len(accounts)}",
            hint="order the first 25, then write the others",
        )
