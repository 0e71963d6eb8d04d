"""A seller of numbers and a directory in memory: plans are made of both, and carried out in any order."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.model import Entry, Holding, Organisation, Place, Tranche
from reconciler.core.provider import Capabilities, Support, Windows
from tests.core.makers import NAMES, NOW, RENEWS
from tests.core.scene import Scene

DOMAIN = "alfa.example"
API = Support(how="api")
SOLD = Capabilities(
    provider="ovh-csp2",
    verbs=dict.fromkeys(Verb, API),
    pool=True,
    people=True,
    slots=False,
    directory=True,
    shrink="window",
    cancel="window",
    settings={"domains": API, "mpn_id": API, "customer": API},
    windows=Windows(grace=30, kept=120),
)
"""A seller with windows and a directory, as one: what Partner Center and Graph are together."""


def entry(login: str, *, country: str | None = "lt", **more: Any) -> Entry:
    """A person of the directory, named as `person` names them."""
    name = login.partition("@")[0]
    full = login if "@" in login else f"{login}@{DOMAIN}"
    return Entry(**{"ref": f"id-{name}", "login": full, "first_name": name.title(), "last_name": "Doe",
                    "country": country, **more})  # fmt: skip


def sold(number: int, seats: int, *logins: str, product: str = "11", back: int = 0, **more: Any) -> Holding:
    """A subscription with these people on it; `back` seats may still be given back."""
    places = tuple(
        Place(ref=one.ref, login=one.login, first_name=one.first_name, last_name=one.last_name)
        for one in map(entry, logins)
    )
    until = NOW + timedelta(hours=3)
    basic: dict[str, Any] = {"renewal": "auto", "renews_on": RENEWS, "name": NAMES.get(product, "")}
    windows = {"refundable": (Tranche(back, until),) if back else (), "cancel_until": until if back else None}
    return Holding(
        **{
            "ref": str(number),
            "product": product,
            "scope": "alfa",
            "seats": seats,
            "places": places,
            **basic,
            **windows,
            **more,
        }
    )


def later(days: int) -> datetime:
    """So many days after now."""
    return datetime(2026, 11, 21, 12, 0, tzinfo=UTC) + timedelta(days=days)


@dataclass(kw_only=True)
class Company(Scene):
    """A tenant whose seats are a number and whose people are in a directory."""

    capabilities: Capabilities | None = SOLD
    organisation: Organisation | None = None

    def _do(self, action: Action) -> dict[str, Any]:
        kind = action.address.partition("/")[0]
        match action.verb:
            case Verb.UPDATE if kind == "tenant":
                settings = {**self._known.settings, action.address: dict(action.after or {})}
                self.organisation = replace(self._known, settings=settings)
            case Verb.CREATE_USER | Verb.DELETE_USER:
                self._exist(action)
            case Verb.UPDATE if kind == "user":
                self._exist(action)
            case Verb.ACTIVATE:
                self._change(self._with_service(action), lambda one: self._licensed(one, action))
            case Verb.DEACTIVATE:
                login = action.detail["login"]
                self._change(action, lambda one: _without(one, login))
            case Verb.RESIZE:
                self._change(action, lambda one: _numbered(one, (action.after or {})["seats"]))
            case Verb.SCHEDULE:
                self._change(action, lambda one: replace(one, scheduled=dict(action.after or {})))
            case Verb.CANCEL if action.scheduled_for:
                on = action.scheduled_for
                self._change(action, lambda one: replace(one, renewal="off", ends_on=on))
            case Verb.CANCEL:
                self.holdings = [one for one in self.holdings if one.ref != action.detail["service"]]
            case _:
                return super()._do(action)
        return {}

    @property
    def _known(self) -> Organisation:
        return self.organisation or Organisation(entries=())

    def _exist(self, action: Action) -> None:
        detail = action.detail
        login, old = detail["login"], detail.get("previously")
        entries = {one.login: one for one in self._known.entries or ()}
        if action.verb is Verb.DELETE_USER:
            assert not any(place.login == login for one in self.holdings for place in one.places)
            entries[login] = entries[login]._replace(deleted=True)
        else:
            was = entries.pop(old, None) if old else entries.get(login)
            entries[login] = Entry(
                ref=was.ref if was else f"id-{login}",
                login=login,
                first_name=detail["first_name"],
                last_name=detail["last_name"],
                country=detail.get("country") or (was.country if was else None),
            )
            self.holdings = [_named(one, old, entries[login]) for one in self.holdings]
        self.organisation = replace(self._known, entries=tuple(entries.values()))

    def _licensed(self, one: Holding, action: Action) -> Holding:
        login = action.detail["login"]
        person = next((e for e in self._known.entries or () if e.login == login and not e.deleted), None)
        assert person is not None, f"{login} is licensed before being created"
        assert person.country, f"{login} is licensed without a country"
        assert len(one.places) < (one.seats or 0), f"{action.address}: more people than seats"
        assert login not in {place.login for place in one.places}
        place = Place(ref=person.ref, login=login, first_name=person.first_name, last_name=person.last_name)
        return replace(one, places=(*one.places, place))


def _without(one: Holding, login: str) -> Holding:
    return replace(one, places=tuple(place for place in one.places if place.login != login))


def _numbered(one: Holding, seats: int) -> Holding:
    assert len(one.places) <= seats, "nobody loses a seat by a number"
    return replace(one, seats=seats, scheduled=None)


def _named(one: Holding, old: str | None, person: Entry) -> Holding:
    names: dict[str, Any] = {
        "login": person.login,
        "first_name": person.first_name,
        "last_name": person.last_name,
    }
    return replace(
        one,
        places=tuple(
            place._replace(**names) if place.login in {old, person.login} else place for place in one.places
        ),
    )
