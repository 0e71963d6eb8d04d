"""The shape of a tenant's YAML: one frozen value a file, its attributes named as the keys are written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from reconciler.core.diagnostic import Position
from reconciler.core.fields import (
    Count,
    Country,
    Flag,
    Guid,
    Host,
    Ident,
    Login,
    Optional,
    Part,
    Product,
    Reference,
    Service,
    Slug,
    Term,
    Text,
    Version,
)
from reconciler.core.model import Source

ProviderName = Literal["ovh-payg", "ovh-prepaid", "ovh-csp2", "partner-center", "home-pl"]

API_OF: dict[str, str] = {
    "ovh-payg": "ovh",
    "ovh-prepaid": "ovh",
    "ovh-csp2": "ovh",
    "partner-center": "microsoft",
    "home-pl": "manual",
}
"""The `api` that the account of each provider must have."""

KNOWS_PEOPLE = frozenset({"ovh-payg", "ovh-prepaid"})
"""Providers that know the people themselves; the others need a `directory`."""


@dataclass(slots=True, frozen=True, config=ConfigDict(extra="forbid"))
class Person:
    """A person of the tenant, and the license groups that person has a place in."""

    # A slotted dataclass, not a model: there are hundreds of thousands, at a third of the memory.
    login: Annotated[
        Login, Field(description="What the person signs in with; `domain` is added without an @.")
    ]
    first_name: Annotated[Text, Field(description="Given name.")]
    last_name: Annotated[Text, Field(description="Family name.")]
    country: Annotated[Optional[Country], Field(description="Where the licence is used, ISO 3166-1.")] = None
    licenses: Annotated[tuple[Slug, ...], Field(description="Names of license groups of this tenant.")] = ()
    previously: Annotated[Optional[Login], Field(description="The login before: a rename, not a leaver.")] = (
        None
    )


class Directory(Part):
    """Who knows the people where the seller does not."""

    provider: Literal["graph"] = Field(description="Microsoft Graph is the only directory.")
    account: Slug = Field(description="An account of the workspace with `api: microsoft`.")
    tenant_id: Optional[Ident] = Field(
        None,
        description="The directory's id, checked before the first write. "
        "With partner-center it is the customer's id, and may stay unwritten.",
    )


class Group(Part):
    """A license group: a number of seats of one product, bought as one service or subscription."""

    name: Slug = Field(description="Unique in the tenant; a-z, 0-9 and dashes.")
    product: Product = Field(
        description="What is bought: business, pro-plus, or the provider's own name or id."
    )
    seats: Optional[Count] = Field(None, description="What is paid for; with ovh-payg an optional ceiling.")
    service: Optional[Service] = Field(None, description="Pin: the service this group is, or `new`.")
    beside: tuple[Service, ...] = Field((), description="With `service: new`: services this group is not.")
    subscription: Optional[Ident] = Field(None, description="Pin: the subscription this group is.")
    term: Optional[Term] = Field(None, description="How long a purchase binds, as in P1Y.")
    billing: Optional[Text] = Field(None, description="How often it is billed, as in monthly.")
    renewal: Optional[Literal["auto", "off"]] = Field(None, description="Whether it renews at its end.")
    protect: Flag = Field(default=False, description="Never resized down and never cancelled.")
    state: Optional[Literal["cancelled"]] = Field(None, description="The only way to cancel; needs `reason`.")
    reason: Optional[Text] = Field(None, description="Why it is cancelled; goes into the journal.")
    cancel: Optional[Literal["now"]] = Field(None, description="End at once where the provider can.")
    previously: Optional[Slug] = Field(None, description="The name before: a rename.")
    sku: Optional[Text] = Field(
        None,
        description="What the directory calls the product (skuId or skuPartNumber), when it is not plain.",
    )


class PostalAddress(Part):
    """Where the customer is billed."""

    first_name: Text = Field(description="Given name of the contact.")
    last_name: Text = Field(description="Family name of the contact.")
    line1: Text = Field(description="Street and number.")
    line2: Optional[Text] = Field(None, description="More of the address.")
    city: Text = Field(description="Town.")
    state: Optional[Text] = Field(None, description="State or region, where the country asks for one.")
    postal_code: Optional[Text] = Field(None, description="In quotes when it is a number.")
    phone: Optional[Text] = Field(None, description="With the country's prefix.")


class Customer(Part):
    """The customer's account at Partner Center, created when none is known."""

    domain: Host = Field(description="The first domain, NAME.onmicrosoft.com.")
    company: Text = Field(description="The company's legal name.")
    country: Country = Field(description="ISO 3166-1 alpha-2.")
    language: Text = Field(description="Language of the account, as in lt.")
    culture: Text = Field(description="Language and country, as in lt-LT.")
    email: Text = Field(description="Where bills and notices go.")
    registration_number: Optional[Text] = Field(None, description="Where the country asks for one.")
    address: PostalAddress = Field(description="Where the customer is billed.")


class Access(Part):
    """Who of the partner may use delegated administration: a security group, and its roles."""

    security_group: Guid = Field(description="Object id of a security group of the partner's own directory.")
    roles: Optional[tuple[Text, ...]] = Field(
        None, description="What its members may do; absent: all roles of the relationship."
    )


class DelegatedAdministration(Part):
    """Rights of the partner in the customer's directory (GDAP); accepted by the customer."""

    name: Text = Field(description="Shown to the customer.")
    duration: Term = Field(description="How long it lasts, as in P2Y.")
    roles: tuple[Text, ...] = Field((), description="Ids or names of directory roles.")
    access: Optional[tuple[Access, ...]] = Field(
        None,
        description="Who of the partner gets which of the roles. Absent: given in Partner Center. []: nobody.",
    )

    def given(self) -> dict[str, tuple[str, ...]]:
        """The roles that each security group is to have, sorted, by the group's id in lower case."""
        return {
            one.security_group.lower(): tuple(sorted(set(self.roles if one.roles is None else one.roles)))
            for one in self.access or ()
        }


class ProductKey(Part):
    """A product key that a person redeems, once; only where it is kept stands here."""

    group: Slug = Field(description="The license group it is redeemed for.")
    key: Reference = Field(description="env://NAME or file:///path, never the key.")


class OfficeAttach(Part):
    """Exchange accounts that get Office on OVHcloud's order page, by hand."""

    exchange: Service = Field(description="The hosted Exchange service.")
    accounts: tuple[Login, ...] = Field(description="The accounts, at most 25.")


class Tenant(Part):
    """One customer's organisation: what it buys, and who gets what."""

    version: Version = Field(description="Version of this file format.")
    tenant: Slug = Field(description="Unique in the workspace; a-z, 0-9 and dashes.")
    name: Optional[Text] = Field(None, description="Display name.")
    previously: Optional[Slug] = Field(None, description="The tenant's name before: a rename.")
    provider: ProviderName = Field(description="Who sells, and under which contract.")
    account: Slug = Field(description="An account of the workspace file.")
    service: Optional[Service] = Field(None, description="The tenant's own service, or the customer's id.")
    hold: Optional[Text] = Field(None, description="Why nothing is applied; plans are still shown.")
    domain: Optional[Host] = Field(None, description="Appended to logins written without an @.")
    directory: Optional[Directory] = Field(
        None, description="Who knows the people, where the seller does not."
    )
    license_groups: tuple[Group, ...] = Field((), description="What is bought.")
    users: Optional[tuple[Person, ...]] = Field(
        None, description="Who has which licence. Absent: people are not managed. []: nobody."
    )
    customer: Optional[Customer] = Field(None, description="The customer's account at Partner Center.")
    domains: tuple[Host, ...] = Field((), description="Domains the directory gets and verifies.")
    delegated_administration: Optional[DelegatedAdministration] = Field(
        None, description="GDAP relationship."
    )
    mpn_id: Optional[Text] = Field(None, description="ovh-csp2: the partner id on the tenant.")
    partner_of_record: Optional[Text] = Field(None, description="Partner id, set by hand.")
    product_keys: tuple[ProductKey, ...] = Field((), description="Keys redeemed by hand, each once.")
    office_attach: Optional[OfficeAttach] = Field(None, description="OVHcloud Exchange: done by hand.")

    @property
    def directory_id(self) -> str:
        """The id of its directory; empty while the customer whose id it is has not been created."""
        if self.directory is None:
            return ""
        own = self.service if self.provider == "partner-center" else None
        return str(self.directory.tenant_id or own or "").lower()


TENANT: TypeAdapter[Tenant] = TypeAdapter(Tenant)


def fingerprint(tenant: Tenant) -> str:
    """What is written, as one short word: another one means that the manifest says something else."""
    return hashlib.sha256(TENANT.dump_json(tenant)).hexdigest()[:16]


Key = tuple[str, str, str]
"""An account of the workspace, a kind of provider, and the account of the directory, if people are kept there."""


def key_of(tenant: Tenant) -> Key:
    """What a tenant is bought with, and where its people are kept."""
    return tenant.account, tenant.provider, tenant.directory.account if tenant.directory else ""


Where = Callable[..., Position]
"""From a path to its place; what is not written stands where its nearest written parent does."""


class ManifestFile:
    """One tenant as written, and where each of its values stands.

    Who looks at all manifests asks for their heads: of a great many, people are in memory only while their tenant
    is planned, and `tenant` makes all of it anew.
    """

    __slots__ = ("_tenant", "_where", "file")

    def __init__(self, tenant: Tenant, *, file: str, where: Where) -> None:
        self._tenant = tenant
        self.file = file
        self._where = where

    @property
    def tenant(self) -> Tenant:
        """The tenant as written."""
        return self._tenant

    @property
    def name(self) -> str:
        """The tenant's name."""
        return self._tenant.tenant

    @property
    def previously(self) -> str | None:
        """The tenant's old name, where one is written."""
        return self._tenant.previously

    @property
    def key(self) -> Key:
        """What it is bought with, and where its people are kept."""
        return key_of(self._tenant)

    @property
    def service(self) -> str | None:
        """The tenant's own service, where one is known."""
        return self._tenant.service

    @property
    def head(self) -> Tenant:
        """The tenant, of which everything but the people can be relied on."""
        return self._tenant

    def opened(self) -> ManifestFile:
        """The same with everything in memory."""
        return self

    def where(self, *path: str | int) -> Position:
        """Tell where a value stands, as in `where("license_groups", 0, "seats")`."""
        return self._where(*path)

    def source(self, *path: str | int) -> Source:
        """Where a value stands, as what asks for something."""
        place = self.where(*path)
        return Source(file=place.file, line=place.line, column=place.column)

    def at(self, service: str) -> ManifestFile:
        """The same file of a tenant whose own service became known: what it sells under was created."""
        return ManifestFile(
            self._tenant.model_copy(update={"service": service}), file=self.file, where=self._where
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.file!r})"


def full_login(login: str, domain: str | None) -> str:
    """Complete a login with a domain, in lower case: logins are compared without regard to case."""
    if domain and "@" not in login:
        return f"{login}@{domain}".lower()
    lower = login.lower()
    return login if lower == login else lower  # as in `login_key`: everybody's login comes by here


def login_key(login: str) -> str:
    """Give the form under which a login stands in addresses: as written, in lower case."""
    lower = login.lower()
    return login if lower == login else lower  # the same text once, however many keep it
