"""Partner Center's models, as far as they are read (its resource pages, 2023-10); what is unknown is let pass."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from reconciler.providers.microsoft.wire import Id, Missing, Text, Wire


def _moment(value: Any) -> Any:
    """Read a moment with or without a zone; without one it is UTC. Microsoft writes seven digits of a second."""
    if not isinstance(value, str) or not value.strip():
        return None
    head, dot, rest = value.strip().replace(" ", "").replace("Z", "+00:00").partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    fraction = f".{rest[: min(digits, 6)]:0<6}" if dot else ""
    try:
        found = datetime.fromisoformat(f"{head}{fraction}{rest[digits:]}")
    except ValueError:
        return value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _day(value: Any) -> Any:
    return value[:10] if isinstance(value, str) and value else None


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else "" if value is None else value


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Day = Annotated[date | None, BeforeValidator(_day)]
Word = Annotated[str, BeforeValidator(_lower)]
"""A word of a fixed list, which is read in any case."""


class Detail(Wire):
    """Seats that may still be given back."""

    quantity: int = 0
    allowed_until_date_time: Moment = None


class Refundable(Wire):
    """How many seats may be given back, by purchase."""

    total_quantity: int = 0
    details: Annotated[tuple[Detail, ...], Missing] = ()


class Refund(Wire):
    """Until when something may be taken back; the resource page calls it `expiresAfter`, the samples `expiresAt`."""

    type: Text = ""
    expires_at: Moment = None
    expires_after: Text = ""


class NextProduct(Wire):
    """What a subscription becomes at its renewal."""

    product_id: Text = ""
    sku_id: Text = ""
    availability_id: Text = ""
    billing_cycle: Word = ""
    term_duration: Text = ""


class NextTerm(Wire):
    """`scheduledNextTermInstructions`: what changes by itself at the renewal."""

    product: NextProduct | None = None
    quantity: int | None = None


class ProductType(Wire):
    """Which kind of product it is; `OnlineServicesNCE` are licences of the new commerce."""

    id: Text = ""


class Subscription(Wire):
    """A subscription of a customer."""

    id: Id
    offer_id: Text = ""
    offer_name: Text = ""
    friendly_name: Text = ""
    product_type: ProductType | None = None
    quantity: int = 0
    status: Word = ""
    auto_renew_enabled: bool | None = None
    is_trial: bool | None = None
    billing_cycle: Word = ""
    billing_type: Word = ""
    term_duration: Text = ""
    commitment_end_date: Day = None
    effective_start_date: Moment = None
    cancellation_allowed_until_date: Moment = None
    refund_options: Annotated[tuple[Refund, ...], Missing] = ()
    refundable_quantity: Refundable | None = None
    scheduled_next_term_instructions: NextTerm | None = None
    scheduled_actions: Annotated[tuple[Any, ...], Missing] = ()
    suspension_reasons: Annotated[tuple[Text, ...], Missing] = ()
    parent_subscription_id: Text = ""
    order_id: Text = ""

    @property
    def modern(self) -> bool:
        """Whether it is bound to a term by the rules of the new commerce."""
        return self.offer_id.count(":") == 2

    @property
    def product(self) -> str:
        """`product:sku`, without the availability, which changes over time; an old offer is its own product."""
        return ":".join(self.offer_id.split(":")[:2]).upper()


class OrderLine(Wire):
    """One line of an order; its subscription may come later than the order."""

    offer_id: Text = ""
    subscription_id: Text = ""
    friendly_name: Text = ""
    quantity: int = 0
    transaction_type: Word = ""

    @property
    def product(self) -> str:
        """`product:sku` of what was bought."""
        return ":".join(self.offer_id.split(":")[:2]).upper()


class Order(Wire):
    """An order of a customer."""

    id: Id
    status: Word = ""
    creation_date: Moment = None
    line_items: Annotated[tuple[OrderLine, ...], Missing] = ()


class OrderError(Wire):
    """Why a part of a cart was not ordered."""

    order_group_id: Text = ""
    code: Text = ""
    description: Text = ""


class Checkout(Wire):
    """What a checkout made, which may be a part of what was asked for."""

    orders: Annotated[tuple[Order, ...], Missing] = ()
    order_errors: Annotated[tuple[OrderError, ...], Missing] = ()


class Pricing(Wire):
    """Prices before tax: `price` is of one licence for one bill, `extended_price` of the line's whole term."""

    price: Decimal | None = None
    list_price: Decimal | None = None
    extended_price: Decimal | None = None


class LineError(Wire):
    """Why a line cannot be bought; the cart is created all the same."""

    error_code: Text = ""
    error_description: Text = ""


class Line(Wire):
    """A line of a cart."""

    catalog_item_id: Text = ""
    quantity: int = 0
    term_duration: Text = ""
    billing_cycle: Word = ""
    currency_code: Text = ""
    friendly_name: Text = ""
    pricing: Pricing | None = None
    error: LineError | None = None


class Cart(Wire):
    """A cart; it is there until it expires, and has no DELETE."""

    id: Id
    status: Word = ""
    expiration_timestamp: Moment = None
    line_items: Annotated[tuple[Line, ...], Missing] = ()


class Attributes(Wire):
    """What the catalogue says of a SKU besides; `provisioning_id` is the directory's skuId."""

    provisioning_id: Word = ""
    is_addon: bool | None = None


class Sku(Wire):
    """One SKU of a product."""

    id: Id
    product_id: Text = ""
    title: Text = ""
    minimum_quantity: int | None = None
    maximum_quantity: int | None = None
    is_trial: bool | None = None
    dynamic_attributes: Attributes | None = None

    @property
    def directory(self) -> str:
        """How the directory calls it."""
        return self.dynamic_attributes.provisioning_id if self.dynamic_attributes else ""


class Product(Wire):
    """A product of the catalogue."""

    id: Id
    title: Text = ""
    product_type: ProductType | None = None


class Term(Wire):
    """How a SKU may be bought."""

    duration: Text = ""
    billing_cycle: Word = ""


class Availability(Wire):
    """What of a SKU can be bought at the moment; its id changes over time and is never kept."""

    id: Id
    catalog_item_id: Text = ""
    segment: Word = ""
    is_purchasable: bool | None = None
    terms: Annotated[tuple[Term, ...], Missing] = ()


class CompanyProfile(Wire):
    """A customer's company."""

    domain: Word = ""
    company_name: Text = ""


class Customer(Wire):
    """A customer of the partner; the first administrator's password, shown once at its creation, is not read."""

    id: Id
    company_profile: CompanyProfile | None = None

    @property
    def domain(self) -> str:
        """Its first domain."""
        return self.company_profile.domain if self.company_profile else ""

    @property
    def name(self) -> str:
        """What the company is called."""
        return self.company_profile.company_name if self.company_profile else ""


class Signed(Wire):
    """Whether the customer signed the agreement by itself."""

    is_signed: bool = False


class Validation(Wire):
    """How Microsoft's review of a customer stands."""

    status: Text = ""


class Address(Wire):
    """What was made of an address."""

    status: Text = ""
    validation_message: Text = ""


class Words(Wire):
    """A list inside an object."""

    value: Annotated[tuple[str, ...], Missing] = ()


class Country(Wire):
    """What a country asks of a customer."""

    is_state_required: bool = False
    states: Words | None = None
    is_postal_code_required: bool = False
    postal_code_regex: Text = ""
    phone_number_regex: Text = ""
    supported_languages: Words | None = None
    supported_cultures: Words | None = None
    is_registration_number_supported: bool | None = None
