"""OVHcloud's answers, typed as published and tolerant of what is new: extra fields, unknown words, nulls."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from sys import intern
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from reconciler.core.manifest import login_key

OFTEN = 20
"""Texts of at most this length are shared; what is longer is mostly a login, and nobody else's."""

UCENT = Decimal(10) ** -8
"""Prices come as whole numbers of this part of a currency unit."""


_TOLERANT = ConfigDict(
    extra="ignore",
    alias_generator=to_camel,
    populate_by_name=True,
    coerce_numbers_to_str=True,
    defer_build=True,  # each when it is first read: a plan meets few of them
)


class Wire(BaseModel):
    """One published model: camelCase outside, every field optional, what is unknown ignored."""

    model_config = _TOLERANT | ConfigDict(frozen=True)


def _word(value: Any) -> Any:
    if value is None:
        return ""
    # Names, countries, words and tenants stand in memory once, however many of an account's seats share them.
    return intern(value) if type(value) is str and len(value) <= OFTEN else value


def _number(value: Any) -> Any:
    return 0 if value is None else value


def _list(value: Any) -> Any:
    return [] if value is None else value


def _day(value: Any) -> Any:
    return value[:10] if isinstance(value, str) and len(value) > 10 else value


Text = Annotated[str, BeforeValidator(_word)]
Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what its models call long
Number = Annotated[Long, BeforeValidator(_number)]
Day = Annotated[date | None, BeforeValidator(_day)]


class Tenant(Wire):
    """A tenant of any family: the `OfficeTenantNative` models and `saas.csp2.OfficeTenant`."""

    service_name: Text = ""
    display_name: Text = ""
    service_type: Text = ""
    status: Text = "ok"
    mca_agreed: bool | None = None
    has_accepted_new_mca: bool | None = Field(default=None, alias="hasAcceptedNewMCA")
    mpn_id: str | None = None
    mpn_issue_flag: str | None = None


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class Seat:
    """`license.officePrepaid.OfficeUserNativeWithIAM`: one prepaid seat, with or without a person."""

    # A slotted dataclass, not a model: an account has hundreds of thousands, at a quarter of the memory.
    service_name: Text = ""
    tenant_service_name: Text = ""
    activation_email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    is_virtual: bool | None = None
    licences: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    status: Text = "ok"
    task_pending_id: Number = 0
    usage_location: Text = ""

    @property
    def free(self) -> bool:
        """Nobody sits on it."""
        return self.first_name == "configureme" if self.is_virtual is None else self.is_virtual

    @property
    def login(self) -> str | None:
        """Who sits on it."""
        return None if self.free else login_key(self.activation_email)

    @property
    def settled(self) -> bool:
        """The provider is not working on it."""
        return self.status == "ok" and not self.task_pending_id


class Member(Wire):
    """`license.office.OfficeUserNative`: one pay-as-you-go user."""

    activation_email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    is_virtual: bool | None = None
    delete_at_expiration: bool | None = None
    licences: Annotated[list[str], BeforeValidator(_list)] = []
    status: Text = "ok"
    task_pending_id: Number = 0
    usage_location: Text = ""

    @property
    def login(self) -> str | None:
        """Who it is."""
        return None if self.is_virtual else self.activation_email.lower()

    @property
    def settled(self) -> bool:
        """The provider is not working on it."""
        return self.status == "ok" and not self.task_pending_id


class Task(Wire):
    """`OfficeTaskNative`, `OfficeTask`: `function` is free text and never switched on."""

    id: Number = 0
    function: Text = ""
    status: Text = ""

    @property
    def failed(self) -> bool:
        """It ended without having done what it was for."""
        return self.status in {"error", "cancelled"}

    @property
    def open(self) -> bool:
        """It has not ended."""
        return not self.failed and self.status != "done"


class Subscription(Wire):
    """`saas.csp2.OfficeSubscription`; `status` is free text."""

    id: Long
    license_id: Long
    quantity: Long
    status: Text = ""
    task_pending_id: Number = 0


class Licence(Wire):
    """`saas.csp2.OfficeLicence`: what may be bought in a reseller tenant."""

    id: Long
    name: Text = ""
    licence_type: Text = ""
    limit: Long | None = None
    new_seats_allowed: bool | None = None
    new_subscriptions_allowed: bool | None = None


class Renew(Wire):
    """`service.RenewType`, the writable part of a service record."""

    delete_at_expiration: bool | None = None
    automatic: bool | None = None


class Service(Wire):
    """`services.Service`: how a service renews and when it ends."""

    can_delete_at_expiration: bool | None = None
    expiration: Day = None
    renew: Renew | None = None
    status: Text = ""

    @property
    def ending(self) -> bool:
        """Its end was asked for."""
        return bool(self.renew and self.renew.delete_at_expiration)

    @property
    def by_hand(self) -> bool:
        """It renews only when somebody pays, although it is not to end."""
        return not self.ending and self.renew is not None and self.renew.automatic is False

    def runs(self, day: date) -> bool:
        """Whether it is paid for on a day, as far as the record says so."""
        return self.status != "expired" and self.expiration is not None and self.expiration >= day


class Me(Wire):
    """`nichandle.Nichandle`, the part that ordering needs."""

    ovh_subsidiary: Text = ""


class Cart(Wire):
    """`order.cart.Cart`."""

    cart_id: str
    description: Text = ""
    items: Annotated[list[Long], BeforeValidator(_list)] = []
    read_only: bool | None = None


class ItemSettings(Wire):
    """`order.cart.ItemSettings`."""

    plan_code: str | None = None
    quantity: Long | None = None


class Item(Wire):
    """`order.cart.Item`."""

    item_id: Long
    settings: ItemSettings | None = None


class Amount(Wire):
    """`order.Price`."""

    currency_code: Text = ""
    price_in_ucents: Annotated[int, Field(gt=-(10**48), lt=10**48)] | None = None
    value: Annotated[Decimal, Field(max_digits=40, decimal_places=12)] | None = None

    @property
    def amount(self) -> Decimal:
        """The amount in major units, exactly."""
        exact = (self.value or Decimal(0)) if self.price_in_ucents is None else self.price_in_ucents * UCENT
        cents = exact.scaleb(2)
        return Decimal(int(cents)).scaleb(-2) if cents == int(cents) else exact.normalize()


class QuoteLine(Wire):
    """`order.OrderDetail`."""

    cart_item_id: Long | None = Field(default=None, alias="cartItemID")
    detail_type: Text = ""
    description: Text = ""
    quantity: Number = 0
    total_price: Amount | None = None
    original_total_price: Amount | None = None


class Prices(Wire):
    """`order.OrderPrices`."""

    without_tax: Amount | None = None


class Terms(Wire):
    """`order.Contract`, without its text."""

    name: Text = ""
    url: Text = ""


class Order(Wire):
    """`order.Order`: a cart's preview or what came of it; its URL opens the order and is not read."""

    contracts: Annotated[list[Terms], BeforeValidator(_list)] = []
    details: Annotated[list[QuoteLine], BeforeValidator(_list)] = []
    order_id: Long | None = None
    prices: Prices | None = None


class OrderLine(Wire):
    """`billing.OrderDetail`; its quantity is text."""

    description: Text = ""
    domain: Text = ""
    quantity: Annotated[str, BeforeValidator(lambda it: "" if it is None else str(it))] = ""
    cancelled: bool | None = None


class Configuration(Wire):
    """`billing.ItemDetail.OrderConfiguration`."""

    label: Text = ""
    value: Text = ""


class OrderPlan(Wire):
    """`billing.ItemDetail.OrderPlan`."""

    code: str | None = None
    quantity: Long | None = None


class Extended(Wire):
    """`billing.ItemDetail.Order`."""

    plan: OrderPlan | None = None
    configurations: Annotated[list[Configuration], BeforeValidator(_list)] = []


class Extension(Wire):
    """`billing.ItemDetail`: which plan an order's line is of."""

    order: Extended | None = None


class ExchangeDirectory(Wire):
    """`msServices.ActiveDirectoryOrganizationalUnit`: an Exchange service, and the Office tenant linked to it."""

    office_tenant_service_name: Text = ""
    state: Text = ""


class Pricing(Wire):
    """`order.catalog.public.Pricing`."""

    capacities: Annotated[list[str], BeforeValidator(_list)] = []
    interval: Number = 0
    interval_unit: Text = ""
    mode: Text = ""
    price: Number = 0


class Plan(Wire):
    """`order.catalog.public.Plan`."""

    plan_code: Text = ""
    pricings: Annotated[list[Pricing], BeforeValidator(_list)] = []


class Locale(Wire):
    """`order.catalog.public.Locale`."""

    currency_code: Text = ""


class Catalog(Wire):
    """`order.catalog.public.Catalog`."""

    locale: Locale = Locale()
    plans: Annotated[list[Plan], BeforeValidator(_list)] = []
