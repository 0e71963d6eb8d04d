"""A provider in memory: plans are made of it, and carried out on it in any order that their needs allow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.claims import claims, lists_of
from reconciler.core.journal import Event, Kind
from reconciler.core.manifest import Tenant
from reconciler.core.model import Holding, Incoming, Organisation, Place, Snapshot
from reconciler.core.plan import Plan
from reconciler.core.planner import identities, plan_tenant, to_read
from reconciler.core.progress import Progress
from reconciler.core.provider import Capabilities
from reconciler.core.replay import replay
from reconciler.core.world import ActualState, World
from reconciler.providers.ovh.capabilities import FAMILIES
from tests.core.makers import ENDS, NAMES, NOW, RENEWS, begun, event, intended, written


@dataclass(kw_only=True)
class Scene:
    """One tenant, its account as it is, what else the workspace holds, and the journal."""

    tenant: Tenant
    holdings: list[Holding] = field(default_factory=list)
    incoming: list[Incoming] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    others: list[Tenant] = field(default_factory=list)
    memory: dict[str, Progress] = field(default_factory=dict)
    capabilities: Capabilities | None = None
    unread: frozenset[str] = frozenset()
    organisation: Organisation | None = None
    calendar: bool = False

    @property
    def progress(self) -> Progress:
        """Where the tenant stands."""
        return replay(self.events)

    def plan(self, now: Any = NOW) -> Plan:
        """Plan the tenant, as the engine does."""
        known = {**self.memory, self.tenant.tenant: self.progress}
        snapshot = Snapshot(holdings=tuple(self.holdings), incoming=tuple(self.incoming))
        world = World(
            snapshot=snapshot,
            lists=lists_of(snapshot),
            claims=claims(sorted([self.tenant, *self.others], key=lambda one: one.tenant), known, product_of),
            capabilities=self.capabilities or FAMILIES[self.tenant.provider],
            product_of=product_of,
            sandbox=True,
            calendar=self.calendar,
        )
        manifest = written(self.tenant)
        found = identities(self.tenant, world, self.progress)
        refs = to_read(self.tenant, world, found, self.progress) - self.unread
        actual = ActualState(
            identities=found,
            holdings=tuple(one for one in self.holdings if one.ref in refs),
            organisation=self.organisation or Organisation(),
        )
        return plan_tenant(manifest, world=world, actual=actual, progress=self.progress, now=now)

    def do(self, plan: Plan, *, random: Random | None = None) -> None:
        """Carry a plan out and journal it, in an order of its needs."""
        for group, ref, product, scope in plan.identified:
            self.events.append(event(Kind.ADOPTED, group=group, ref=ref, product=product, scope=scope))
        for group, login, as_written in plan.found:
            self.events.append(event(Kind.ADOPTED, group=group, login=login, written=as_written))
        if plan.actions:
            self.events.append(begun(*plan.actions))
        for action in shuffled(plan.actions, random):
            data = self._do(action)
            self.events += [intended(action), event(Kind.FINISHED, action, **data)]

    def _do(self, action: Action) -> dict[str, Any]:
        match action.verb:
            case Verb.ORDER:
                return self._order(action)
            case Verb.RESIZE:
                self._change(action, lambda one: _resized(one, action))
            case Verb.ACTIVATE:
                self._change(self._with_service(action), lambda one: self._seated(one, action))
            case Verb.DEACTIVATE:
                self._change(action, lambda one: self._left(one, action))
            case Verb.UPDATE if "renewal" in action.detail:
                service = self._with_service(action).detail["service"]
                payg = self.tenant.provider == "ovh-payg"
                self.holdings = [
                    _renewed(one, action)
                    if one.ref == service and (payg or one.product == action.detail["product"])
                    else one
                    for one in self.holdings
                ]
            case Verb.UPDATE if "name" in action.detail:
                service, name = action.detail["service"], action.detail["name"]
                self.holdings = [
                    replace(one, name=name) if one.ref == service else one for one in self.holdings
                ]
            case Verb.UPDATE:
                service = action.detail["service"]
                self.holdings = [
                    _updated(one, action) if one.ref == service else one for one in self.holdings
                ]
            case _:
                self._cancel(action)
        return {}

    def _with_service(self, action: Action) -> Action:
        known = self.progress.services.get(str(action.group))
        detail = {"service": known[0], **action.detail} if known else action.detail
        return replace(action, detail=detail)

    def _order(self, action: Action) -> dict[str, Any]:
        product, quantity = action.detail["product"], action.detail["quantity"]
        if self.tenant.provider == "ovh-csp2":
            number = str(900 + len(self.holdings))
            scope = str(self.tenant.service)
            self.holdings.append(Holding(ref=number, product=product, scope=scope, seats=quantity))
            return {"service": number, "scope": scope, "seats": quantity}
        ref = action.detail.get("scope") or f"new{len(self.holdings)}.o365.ovh.com"
        made = Holding(ref=ref, product=product, scope=ref, domain=ref, renewal="auto", renews_on=RENEWS)
        self.holdings.append(_with(made, _new(made, quantity)))
        return {"service": ref, "scope": ref, "seats": quantity}

    def _change(self, action: Action, change: Callable[[Holding], Holding]) -> None:
        key = (action.detail["service"], action.detail["product"])
        assert key in {(one.ref, one.product) for one in self.holdings}, action
        self.holdings = [change(one) if (one.ref, one.product) == key else one for one in self.holdings]

    def _seated(self, one: Holding, action: Action) -> Holding:
        detail = action.detail
        person: dict[str, Any] = {key: detail.get(key) or "" for key in ("login", "first_name", "last_name")}
        country = detail.get("country")
        assert person["login"] not in {place.login for place in one.places}, "a person sits once"
        if self.tenant.provider == "ovh-payg":
            place = Place(ref=person["login"], renews_on=RENEWS, country=country, **person)
            return replace(one, places=(*one.places, place), seats=len(one.places) + 1)
        free = [place.ref for place in one.places if place.login is None and place.ready]
        assert free, f"{action.address}: nobody may be seated without a seat"
        ref = next((target for target in detail.get("targets", ()) if target in free), free[0])
        return _with(
            one,
            tuple(
                place._replace(country=country, **person) if place.ref == ref else place
                for place in one.places
            ),
        )

    def _left(self, one: Holding, action: Action) -> Holding:
        (ref,) = action.detail["targets"]
        if self.tenant.provider == "ovh-payg":
            left = tuple(place for place in one.places if place.ref != ref)
            return replace(one, places=left, seats=len(left))
        empty: dict[str, Any] = {"login": None, "first_name": "", "last_name": "", "country": None}
        return _with(one, tuple(p._replace(**empty) if p.ref == ref else p for p in one.places))

    def _cancel(self, action: Action) -> None:
        service, product = action.detail["service"], action.detail["product"]
        match self.tenant.provider:
            case "ovh-csp2":
                self.holdings = [one for one in self.holdings if one.ref != service]
            case "ovh-payg":
                assert not any(one.places for one in self.holdings if one.ref == service)
                self.holdings = [
                    replace(one, ends_on=ENDS, renewal="off") if one.ref == service else one
                    for one in self.holdings
                ]
            case _:
                self.holdings = [
                    _with(one, tuple(place._replace(ends_on=ENDS) for place in one.places))
                    if (one.ref, one.product) == (service, product)
                    else one
                    for one in self.holdings
                ]


def product_of(tenant: Tenant) -> Callable[[str], str | None]:
    """What is sold: two products, or the licences of the reseller's list, by number or name."""
    if tenant.provider == "ovh-csp2":
        names = {name.casefold(): number for number, name in NAMES.items()}
        return lambda product: product if product in NAMES else names.get(product.casefold())
    return lambda product: product if product in {"business", "pro-plus"} else None


def shuffled(actions: Sequence[Action], random: Random | None) -> list[Action]:
    """The actions in an order that their needs allow: as they are, or any other."""
    if random is None:
        return list(actions)
    left, done = list(actions), list[Action]()
    while left:
        ready = [one for one in left if not {other.id for other in left} & set(one.needs)]
        chosen = random.choice(ready)
        left.remove(chosen)
        done.append(chosen)
    return done


def _with(one: Holding, places: tuple[Place, ...]) -> Holding:
    over = bool(places) and all(place.ends_on for place in places)
    ends = ENDS if over else one.ends_on
    return replace(one, places=places, seats=len(places), ends_on=ends, renewal="off" if over else "auto")


def _new(one: Holding, quantity: int) -> tuple[Place, ...]:
    start = 5000 + len(one.places)
    return tuple(Place(ref=f"{one.ref}-{one.product}-{start + n}", renews_on=RENEWS) for n in range(quantity))


def _resized(one: Holding, action: Action) -> Holding:
    assert action.after is not None
    if not one.places:
        return replace(one, seats=action.after["seats"])
    quantity, targets = action.detail["quantity"], action.detail["targets"]
    ends = ENDS if quantity < 0 else None
    if ends:
        assert not any(place.login for place in one.places if place.ref in targets), (
            "nobody sits on what ends"
        )
    places = tuple(p._replace(ends_on=ends) if p.ref in targets else p for p in one.places)
    return replace(_with(one, (*places, *_new(one, max(0, quantity)))), ends_on=None)


def _renewed(one: Holding, action: Action) -> Holding:
    off = action.detail["renewal"] == "off"
    if one.places and action.detail["provider"] != "ovh-payg":
        return _with(one, tuple(place._replace(ends_on=ENDS if off else None) for place in one.places))
    return replace(one, renewal="off" if off else "auto", ends_on=ENDS if off else None)


def _updated(one: Holding, action: Action) -> Holding:
    (ref,) = action.detail["targets"]
    names = {key: action.detail[key] for key in ("login", "first_name", "last_name")}
    country = action.detail.get("country")
    return replace(
        one,
        places=tuple(
            _renamed(place, names, country or place.country) if place.ref == ref else place
            for place in one.places
        ),
    )


def _renamed(place: Place, names: dict[str, Any], country: str | None) -> Place:
    # Pay-as-you-go people are known by their login.
    ref = names["login"] if place.ref == place.login else place.ref
    return place._replace(ref=ref, country=country, **names)
