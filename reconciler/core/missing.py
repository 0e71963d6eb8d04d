"""What a manifest does not say of what is there: groups, pins and people that an import adds to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.claims import pin
from reconciler.core.imported import (
    Live,
    Raw,
    group_of,
    named_groups,
    own_domain,
    pin_of,
    refused,
    seat,
    short,
    there,
    without,
)
from reconciler.core.manifest import Group, Tenant, full_login
from reconciler.core.model import Holding


class Missing(Struct, frozen=True, kw_only=True):
    """What is to be added to a file: nothing that is written is changed.

    pins: by group. licenses: by the place of a person in `users`. directory: only where none is written.
    """

    pins: Mapping[str, Raw]
    groups: tuple[Raw, ...] = ()
    people: tuple[Raw, ...] = ()
    licenses: Mapping[int, tuple[str, ...]]
    directory: Raw | None = None
    left_out: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What is added, in words; empty when nothing is."""
        told = [f"group/{one['name']}" for one in self.groups]
        told += [f"pin of group/{name}" for name in self.pins]
        told += [f"user/{one['login']}" for one in self.people[:_NAMED]]
        told += [f"{len(self.people) - _NAMED} more people"] if len(self.people) > _NAMED else []
        told += [f"licences of {len(self.licenses)} people"] if self.licenses else []
        told += ["directory"] if self.directory else []
        return ", ".join(told)


_NAMED = 5


def missing(raw: Raw, tenant: Tenant, live: Live, known: Mapping[str, Holding], foreign: set[str]) -> Missing:
    """Compare a manifest with what is there.

    raw: the file's plain values. known: which holding each group of it is. foreign: keys (`REF PRODUCT`) of
    holdings that other manifests claim.
    """
    written = {group.name: group for group in tenant.license_groups}
    taken = {f"{one.ref} {one.product}" for one in known.values()} | foreign
    loose = [one for one in there(live) if f"{one.ref} {one.product}" not in taken and one.seats]
    names = {*written, *(one.previously for one in written.values() if one.previously)}
    new = named_groups(live, loose, names)
    left_out: list[str] = []
    pins = _pins(tenant, live, written, known, left_out)
    groups = tuple(group_of(live, one, name) for name, one in new.items())
    people, licenses = _people(tenant, live, {**known, **new}, left_out)
    found = Missing(
        pins=pins,
        groups=groups,
        people=people,
        licenses=licenses,
        directory=dict(live.directory) if live.directory and tenant.directory is None else None,
        left_out=tuple(left_out),
    )
    return _allowed(raw, found)


def _pins(
    tenant: Tenant,
    live: Live,
    written: Mapping[str, Group],
    known: Mapping[str, Holding],
    left_out: list[str],
) -> dict[str, Raw]:
    pins: dict[str, Raw] = {}
    for name, one in known.items():
        if pin(tenant, written[name]) is not None:
            continue
        if written[name].service == "new":
            left_out.append(f"group/{name}: is {one.ref} now; write `service: {one.ref}` instead of `new`")
        else:
            pins[name] = pin_of(live, one)
    return pins


def _people(
    tenant: Tenant, live: Live, groups: Mapping[str, Holding], left_out: list[str]
) -> tuple[tuple[Raw, ...], dict[int, tuple[str, ...]]]:
    """Who sits there and is not written: whole people, and groups of those who are."""
    domains = {name: tenant.domain or one.domain or live.home for name, one in groups.items()}
    places: dict[str, int] = {}
    members: set[tuple[str, str]] = set()
    for at, person in enumerate(tenant.users or ()):
        spelled = {full_login(person.login, domains.get(name)) for name in person.licenses}
        places |= dict.fromkeys(spelled or {full_login(person.login, tenant.domain or live.home)}, at)
        members |= {(name, full_login(person.login, domains.get(name))) for name in person.licenses}
    inside = Counter(name for name, _ in members)
    rooms: dict[str, int | None] = {}
    open_groups: dict[str, Holding] = {}
    for name, one in groups.items():
        group = next((each for each in tenant.license_groups if each.name == name), None)
        if group is None:
            open_groups[name] = one
        elif group.state != "cancelled":
            rooms[name] = None if group.seats is None else max(0, group.seats - inside[name])
            left = tuple(place for place in one.places if (name, place.login or "") not in members)
            open_groups[name] = replace(one, places=left)
    seated = seat(live, open_groups, left_out=left_out, room=rooms).people
    new = {login: person for login, person in sorted(seated.items()) if login not in places}
    local = tenant.domain or own_domain(live)
    return (
        tuple({**person, "login": short(login, local)} for login, person in new.items()),
        _more_licenses(
            tenant, {login: one for login, one in seated.items() if login in places}, places, left_out
        ),
    )


def _more_licenses(
    tenant: Tenant, seated: Mapping[str, Raw], places: Mapping[str, int], left_out: list[str]
) -> dict[int, tuple[str, ...]]:
    """The groups of people who are written; who is called otherwise there would be changed by them."""
    more: dict[int, tuple[str, ...]] = {}
    for login, person in sorted(seated.items()):
        written = (tenant.users or ())[places[login]]
        if (person["first_name"], person["last_name"]) == (written.first_name, written.last_name):
            more[places[login]] = tuple(person["licenses"])
        else:
            called = f"{person['first_name']} {person['last_name']}"
            left_out.append(f"{login} in {', '.join(person['licenses'])}: is called {called} there")
    return more


def applied(raw: Raw, add: Missing) -> Raw:
    """Give the plain values of a file after the additions."""
    groups = [{**one, **add.pins.get(str(one.get("name")), {})} for one in raw.get("license_groups", [])]
    made: Raw = {**raw, "license_groups": [*groups, *add.groups]}
    if not made["license_groups"]:
        del made["license_groups"]
    if add.directory is not None:
        made["directory"] = add.directory
    if add.people or add.licenses:
        users = [
            {**one, "licenses": [*one.get("licenses", []), *add.licenses[at]]} if at in add.licenses else one
            for at, one in enumerate(raw.get("users", []))
        ]
        made["users"] = [*users, *add.people]
    return made


def _allowed(raw: Raw, add: Missing) -> Missing:
    """Leave out the additions that the rules refuse, and tell it."""
    groups, users = len(raw.get("license_groups", [])), len(raw.get("users", []))
    while found := refused(applied(raw, add)):
        bad = {place - groups: why for (key, place), why in found.items() if key == "license_groups"}
        gone = {add.groups[at]["name"]: why for at, why in bad.items() if at >= 0}
        out = {place - users: why for (key, place), why in found.items() if key == "users" and place >= users}
        if not gone and not out:  # the file itself is refused with them: it gets its pins and nothing else
            said = tuple(f"nothing but pins is added: {why}" for why in found.values())
            return Missing(pins=add.pins, licenses={}, left_out=(*add.left_out, *said))
        people = [one for at, one in enumerate(add.people) if at not in out]
        licenses = {at: tuple(one for one in some if one not in gone) for at, some in add.licenses.items()}
        add = replace(
            add,
            groups=tuple(one for one in add.groups if one["name"] not in gone),
            people=tuple(without(people, gone)),
            licenses={at: some for at, some in licenses.items() if some},
            left_out=(
                *add.left_out,
                *(f"group/{name}: {why}" for name, why in gone.items()),
                *(f"{add.people[at]['login']}: {why}" for at, why in out.items()),
            ),
        )
    return add
