"""Makers of one line for everything the planning core works with."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from reconciler.core.action import Action, Verb
from reconciler.core.diagnostic import Position
from reconciler.core.journal import Event, Kind
from reconciler.core.manifest import Group, ManifestFile, Person, Tenant
from reconciler.core.model import Holding, Incoming, Place, Price
from reconciler.core.serial import action_to_dict

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RENEWS = date(2026, 12, 31)
ENDS = date(2026, 12, 1)
SERVICE = "acme.o365.ovh.com"
PRICE = Price(monthly=Decimal("10.50"), one_off=Decimal(0), currency="EUR", source="catalog")


def group(name: str = "office", **more: Any) -> Group:
    """A license group of three Business seats, pinned to the one service, unless said otherwise."""
    return Group(**_said({"name": name, "product": "business", "seats": 3, "service": SERVICE, **more}))


def _said(keys: dict[str, Any]) -> dict[str, Any]:
    """What is written; None is a key that is not."""
    return {key: value for key, value in keys.items() if value is not None}


def bare(name: str = "office", **more: Any) -> Group:
    """A license group without a pin."""
    return group(name, **{"service": None, **more})


def cancelled(name: str = "office", **more: Any) -> Group:
    """A license group that the manifest cancels."""
    return group(name, **{"state": "cancelled", "reason": "they left", **more})


def person(login: str, *groups: str, **more: Any) -> Person:
    """A person in these groups, or in the office."""
    names = {"first_name": login.partition("@")[0].title(), "last_name": "Doe"}
    return Person(**_said({"login": login, **names, "licenses": groups or ("office",), **more}))


def tenant(*groups: Group, people: Iterable[Person] | None = (), **more: Any) -> Tenant:
    """A prepaid tenant; `people=None` is a file without `users`."""
    users = None if people is None else tuple(people)
    basic = {"version": 1, "tenant": "acme", "provider": "ovh-prepaid", "account": "main", "domain": SERVICE}
    return Tenant(**_said({**basic, "license_groups": groups, "users": users, **more}))


def written(one: Tenant) -> ManifestFile:
    """A tenant as if it was read from a file."""
    file = f"tenants/{one.tenant}.yaml"
    return ManifestFile(one, file=file, where=lambda *path: Position(file, 1 + len(path), 1))


def full(login: str) -> str:
    """A login in full."""
    return login if "@" in login else f"{login}@{SERVICE}"


def seat(number: int | str, login: str | None = None, **more: Any) -> Place:
    """A seat of the service: free, or with a person as `person` names them."""
    ref = number if isinstance(number, str) else f"{SERVICE}-{1000 + number}"
    if login is None:
        return Place(**{"ref": ref, "renews_on": RENEWS, **more})
    names = {"first_name": login.partition("@")[0].title(), "last_name": "Doe"}
    return Place(**{"ref": ref, "login": full(login), **names, "renews_on": RENEWS, **more})


def service(*logins: str | None, ref: str = SERVICE, product: str = "business", **more: Any) -> Holding:
    """A prepaid service with one seat for each login, free where it is None."""
    prefix = ref if product == "business" else f"{ref}-{product}"
    places = tuple(seat(f"{prefix}-{1000 + n}", login) for n, login in enumerate(logins, 1))
    return holding(*places, ref=ref, product=product, **more)


def holding(*places: Place, ref: str = SERVICE, product: str = "business", **more: Any) -> Holding:
    """A prepaid service with these seats."""
    basic = {"scope": ref, "seats": len(places), "renewal": "auto", "renews_on": RENEWS, "domain": ref}
    return Holding(**{"ref": ref, "product": product, "places": places, **basic, **more})


def subscription(number: int, seats: int, product: str = "11", **more: Any) -> Holding:
    """A reseller tenant's subscription."""
    basic = {"ref": str(number), "product": product, "scope": "alfa", "name": NAMES.get(product, "")}
    return Holding(**{**basic, "seats": seats, **more})


NAMES = {"11": "Business Basic", "18": "Apps"}


def office(*logins: str, product: str = "business", ref: str = SERVICE, **more: Any) -> Holding:
    """A pay-as-you-go service with these people on it."""
    places = tuple(seat(full(login), login) for login in logins)
    return holding(*places, ref=ref, product=product, **more)


def coming(number: int, quantity: int = 2, **more: Any) -> Incoming:
    """An order on its way."""
    basic = {"product": "business", "status": "delivering", "since": NOW}
    return Incoming(**{"ref": str(number), "quantity": quantity, **basic, **more})


def action(verb: Verb = Verb.RESIZE, address: str = "group/office", **more: Any) -> Action:
    """An action whose id is its verb and address."""
    return Action(**{"id": f"{verb} {address}", "verb": verb, "address": address, "summary": "", **more})


def event(kind: Kind, of: Action | None = None, *, at: datetime = NOW, **data: Any) -> Event:
    """One thing that happened to the tenant, and to an action when it is about one."""
    address = of.address if of else str(data.pop("address", ""))
    plan = str(data.pop("plan", "sha256:plan"))
    return Event(
        kind=kind, tenant="acme", at=at, action=of.id if of else "", address=address, plan=plan, data=data
    )


def begun(*actions: Action, **more: Any) -> Event:
    """A plan of these actions was begun."""
    return event(Kind.BEGUN, actions=[action_to_dict(one) for one in actions], **more)


def intended(of: Action, **more: Any) -> Event:
    """An action was about to be tried."""
    return event(Kind.INTENDED, of, **{"action": action_to_dict(of), "attempt": 1, **more})


def ours(*logins: str, group: str = "office") -> list[Event]:
    """These people were found as written, so they are ours."""
    return [
        event(Kind.ADOPTED, group=group, login=full(login), written=login.partition("@")[0])
        for login in logins
    ]


def known(group: str = "office", ref: str = SERVICE, product: str = "business", **more: Any) -> Event:
    """The journal remembers which service a group is."""
    return event(Kind.ADOPTED, **{"group": group, "ref": ref, "product": product, "scope": ref, **more})
