"""From what an account holds to what a manifest would write, so that the plan after it says no changes.

What a manifest cannot say (a login with signs that none has, people on a seat that ends) is left out and told:
it stays unmanaged, and nobody loses anything by that.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from pydantic import ValidationError

from reconciler.core.countries import COUNTRIES
from reconciler.core.errors import WorkspaceError
from reconciler.core.explain import problems
from reconciler.core.fields import HOST, TERM
from reconciler.core.manifest import TENANT, full_login
from reconciler.core.model import Holding, Place
from reconciler.core.rules import check
from reconciler.core.shapes import TENANT_KEYS
from reconciler.core.sketch import sketch

Raw = dict[str, Any]
POOLED = frozenset({"ovh-prepaid", "ovh-csp2", "partner-center"})
BY_SERVICE = frozenset({"ovh-payg", "ovh-prepaid"})
_NEEDED = frozenset({"version", "tenant", "provider", "account", "service", "directory"})
LONGEST = 63
"""The most characters a name in an address may have."""


class Live(Struct, frozen=True, kw_only=True):
    """One service or customer as it was read in full.

    ref: the tenant's own service, or the customer's id. domain: the first domain, where the seller tells it.
    products: what a manifest calls the product of a holding, by the holding's product.
    directory: who knows the people, as a manifest writes it. known: the holdings whose product it knows.
    home: what is appended to logins without @ when no manifest says.
    """

    provider: str
    account: str
    ref: str
    name: str = ""
    domain: str = ""
    mpn_id: str = ""
    holdings: tuple[Holding, ...] = ()
    products: Mapping[str, str] = field(default_factory=dict)
    directory: Mapping[str, str] | None = None
    known: frozenset[str] = frozenset()
    home: str = ""

    @property
    def has_people(self) -> bool:
        """Whether anybody can tell who sits where."""
        return self.provider in BY_SERVICE or self.directory is not None


class Seated(Struct, kw_only=True):
    """Who is to sit where: people by login in full, as a manifest writes them, and who was left out and why."""

    people: dict[str, Raw] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


class Imported(Struct, frozen=True, kw_only=True):
    """A tenant as it would be written; `left_out` says what it does not say, and why."""

    raw: Raw
    left_out: tuple[str, ...] = ()

    @property
    def tenant(self) -> str:
        """Its name."""
        return str(self.raw["tenant"])


def slug(text: str, otherwise: str) -> str:
    """Make a name for addresses out of any text."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].strip("-") or otherwise


def tenant_name(live: Live, taken: Iterable[str] = ()) -> str:
    """Name a tenant: by its service's or domain's first part, else by all of it, else with a number."""
    known = set(taken)
    address = live.ref if live.provider != "partner-center" else live.domain or live.name or live.ref
    return _free([slug(address.partition(".")[0], "tenant"), slug(address, "tenant")], known)


def _free(wanted: Sequence[str], taken: set[str]) -> str:
    for one in wanted:
        if one not in taken:
            return one
    number = 2
    while (one := f"{wanted[0][: LONGEST - 5]}-{number}") in taken:
        number += 1
    return one


def imported(live: Live, name: str) -> Imported:
    """Write a tenant that says what is there."""
    left_out: list[str] = []
    groups = named_groups(live, there(live))
    seated = seat(live, groups, left_out=left_out)
    raw: Raw = {"version": 1, "tenant": name}
    if live.name and live.name != live.ref:
        raw["name"] = live.name
    raw |= {"provider": live.provider, "account": live.account, "service": live.ref}
    domain = written_domain(live, seated.people)
    if domain and domain != own_domain(live):
        raw["domain"] = domain
    if live.directory is not None:
        raw["directory"] = dict(live.directory)
    raw["license_groups"] = [group_of(live, one, group) for group, one in groups.items()]
    if live.has_people:
        people = sorted(seated.people.items())
        raw["users"] = [{**person, "login": short(login, domain)} for login, person in people]
    if live.mpn_id:
        raw["mpn_id"] = live.mpn_id
    return Imported(raw=_allowed(raw, left_out), left_out=tuple(left_out))


def there(live: Live) -> list[Holding]:
    """List the holdings that are groups: a pay-as-you-go service that nobody uses has one, so that it is known."""
    some = [one for one in live.holdings if one.seats]
    if live.provider == "ovh-payg" and not some:
        some = list(live.holdings[:1])
    return sorted(some, key=lambda one: (live.products.get(one.product, one.product), one.ref))


def named_groups(live: Live, holdings: Iterable[Holding], taken: Iterable[str] = ()) -> dict[str, Holding]:
    """Name each holding by its product; the second of a product gets a number."""
    used = set(taken)
    found: dict[str, Holding] = {}
    for one in holdings:
        title = one.name if live.provider == "partner-center" and one.name else live.products.get(one.product)
        name = _free([slug(title or one.product, "group")], used)
        used.add(name)
        found[name] = one
    return found


def group_of(live: Live, one: Holding, name: str) -> Raw:
    """Write a group: what it is, how many seats, and its pin."""
    raw: Raw = {"name": name, "product": live.products.get(one.product, one.product)}
    if live.provider in POOLED:
        raw["seats"] = seats_of(live, one)
    raw |= pin_of(live, one)
    if live.provider == "partner-center":
        if re.fullmatch(TERM, one.term):
            raw["term"] = one.term
        if one.billing:
            raw["billing"] = one.billing
    if one.renewal == "off":
        raw["renewal"] = "off"
    return raw


def pin_of(live: Live, one: Holding) -> Raw:
    """Say which service or subscription a group is; a number as a number."""
    if live.provider in BY_SERVICE:
        return {"service": one.ref}
    return {"subscription": int(one.ref) if re.fullmatch(r"[1-9][0-9]{0,17}", one.ref) else one.ref}


def seats_of(live: Live, one: Holding) -> int:
    """Count what is paid for: ending seats only where all of them end; what the renewal takes away is gone."""
    if live.provider == "ovh-prepaid":
        return len([place for place in one.places if _counts(one, place)])
    seats, planned = one.seats or 0, (one.scheduled or {}).get("seats")
    people = len({place.login for place in one.places if place.login})
    return int(planned) if planned is not None and people <= int(planned) < seats else seats


def _counts(one: Holding, place: Place) -> bool:
    return place.ends_on is None or one.renewal == "off"


def seat(
    live: Live,
    groups: Mapping[str, Holding],
    *,
    left_out: list[str],
    room: Mapping[str, int | None] | None = None,
) -> Seated:
    """Put everybody into the groups they sit in, never more than fit. `room`: how many a group still takes."""
    seated = Seated(left_out=left_out)
    if not live.has_people:
        return seated
    for name, one in groups.items():
        free = seats_of(live, one) if live.provider in POOLED else None
        if room is not None:
            free = room.get(name, free)
        for login, places in _by_login(one.places).items():
            said = _why_not(one, places, seated.people.get(login)) or (_FULL if free == 0 else "")
            if said:
                left_out.append(f"{login} in {name}: {said}")
                continue
            seated.people.setdefault(login, {**person_of(places[0]), "licenses": []})["licenses"].append(name)
            free = None if free is None else free - 1
    return seated


_FULL = "it has no seat for them that stays"


def _by_login(places: Iterable[Place]) -> dict[str, list[Place]]:
    """Everybody's seats in order: of two in one group a plan takes the first for the person's."""
    found: dict[str, list[Place]] = {}
    for place in sorted(places, key=lambda each: (each.login or "", each.ref)):
        if place.login:
            found.setdefault(place.login, []).append(place)
    return found


def _why_not(one: Holding, places: Sequence[Place], known: Raw | None) -> str:
    """Why somebody who sits there is not written so; empty when they can be."""
    place = places[0]
    if place.via:
        return f"the directory's group {place.via} gives the licence"
    if not any(_counts(one, each) for each in places):
        return f"the seat {place.ref} ends on {place.ends_on}"
    if known is not None and {**known, "licenses": None} != {**person_of(place), "licenses": None}:
        return f"is called {place.first_name} {place.last_name} on {place.ref}, and otherwise elsewhere"
    return ""


def person_of(place: Place) -> Raw:
    """Write a person without groups."""
    raw: Raw = {"login": place.login, "first_name": place.first_name, "last_name": place.last_name}
    return {**raw, "country": place.country} if place.country in COUNTRIES else raw


def own_domain(live: Live) -> str:
    """What is appended to short logins without a word: a service's own domain, which never changes."""
    domains = {one.domain.lower() for one in live.holdings}
    return live.ref.lower() if live.provider in BY_SERVICE and domains == {live.ref.lower()} else ""


def written_domain(live: Live, logins: Iterable[str]) -> str:
    """The domain that is left out of logins: the service's own, else that of most people."""
    used = Counter(login.partition("@")[2] for login in logins)
    used.pop("", None)
    if not used or own_domain(live) in used:
        return own_domain(live)
    domain = min(used, key=lambda one: (-used[one], one))
    return domain if re.fullmatch(HOST, domain) else ""


def short(login: str, domain: str) -> str:
    """Leave out a domain that is understood; what is left has to lead back to the same login."""
    local = login.removesuffix(f"@{domain}") if domain else login
    return local if full_login(local, domain) == login else login


def _allowed(raw: Raw, left_out: list[str]) -> Raw:
    """Leave out what the rules of a manifest refuse, and tell it, until nothing is refused."""
    while found := refused(raw):
        groups = {place: why for (key, place), why in found.items() if key == "license_groups"}
        users = {place: why for (key, place), why in found.items() if key == "users"}
        for (key, _), why in found.items():
            if key in _NEEDED:
                raise WorkspaceError(f"{raw['service']}: no manifest can say {key}: {raw[key]}: {why}")
            if key not in {"license_groups", "users"}:
                left_out.append(f"{key}: {why}")
                raw.pop(key, None)
        gone = {raw["license_groups"][place]["name"]: why for place, why in groups.items()}
        left_out += [f"group {name}: {why}" for name, why in gone.items()]
        left_out += [f"{raw['users'][place]['login']}: {why}" for place, why in users.items()]
        raw["license_groups"] = [one for one in raw["license_groups"] if one["name"] not in gone]
        if "users" in raw:
            stay = [one for place, one in enumerate(raw["users"]) if place not in users]
            raw["users"] = without(stay, gone)
    return raw


def without(people: Iterable[Raw], groups: Iterable[str]) -> list[Raw]:
    """Take groups out of everybody's licences; who has none left is not written."""
    gone = set(groups)
    told = [{**one, "licenses": [name for name in one["licenses"] if name not in gone]} for one in people]
    return [one for one in told if one["licenses"]]


def refused(raw: Raw) -> dict[tuple[str, int], str]:
    """Which groups, people and other keys the rules refuse, with the first reason of each."""
    told = list(check(sketch(raw)))
    try:
        TENANT.validate_python(raw)
    except ValidationError as error:
        told += problems(error, raw=raw, shapes=TENANT_KEYS)
    found: dict[tuple[str, int], str] = {}
    for one in told:
        match one.path:
            case (str(key), int(place), *_):
                found.setdefault((key, place), one.message)
            case (str(key), *_):
                found.setdefault((key, 0), one.message)
    return found
