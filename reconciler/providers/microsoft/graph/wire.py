"""Graph's answers, typed as published and tolerant of what is new: extra fields, unknown words, nulls."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, Strict
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from reconciler.core.manifest import login_key
from reconciler.providers.microsoft.wire import Missing, Text, Wire

_TOLERANT = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True, defer_build=True)
"""For what there are hundreds of thousands of: their names are not read in any case, which would copy each."""


def _number(value: Any) -> Any:
    return 0 if value is None else value


def _lower(value: Any) -> Any:
    return (value or "").lower() if isinstance(value, str | None) else value


Number = Annotated[int, BeforeValidator(_number)]
Key = Annotated[str, BeforeValidator(_lower)]
"""An id, which Graph writes in any case."""
Name = Annotated[str, Strict(), Field(min_length=1)]
"""An id that has to be there."""


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class Licence:
    """`assignedLicense`: one licence that a person has, however it came."""

    sku_id: Key = ""


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class LicenceState:
    """`licenseAssignmentState`: how a licence came; `assigned_by_group` is empty for one given directly."""

    sku_id: Key = ""
    assigned_by_group: Text = ""
    state: Text = ""
    error: Text = ""


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class User:
    """`user`: a person of a directory, or of its bin."""

    # A slotted dataclass, not a model: a directory may have a hundred thousand.
    id: Text = ""
    user_principal_name: Text = ""
    display_name: Text = ""
    given_name: Text = ""
    surname: Text = ""
    usage_location: Text = ""
    assigned_licenses: Annotated[tuple[Licence, ...], Missing] = ()
    license_assignment_states: Annotated[tuple[LicenceState, ...], Missing] = ()

    @property
    def login(self) -> str:
        """What the person signs in with; one in the bin may have the own id, without dashes, put before it."""
        mark = self.id.replace("-", "").lower()
        login = login_key(self.user_principal_name)
        return login.removeprefix(mark) if mark else login

    @property
    def country(self) -> str | None:
        """Where licences are used, in lower case."""
        return self.usage_location.lower() or None

    def has(self, sku: str) -> bool:
        """Whether the person has a licence, however it came."""
        return any(one.sku_id == sku for one in self.assigned_licenses)

    def states(self, sku: str) -> tuple[LicenceState, ...]:
        """Each way in which a licence came to the person."""
        return tuple(one for one in self.license_assignment_states if one.sku_id == sku)

    def directly(self, sku: str) -> bool:
        """Whether the licence was given to the person, not only to a group."""
        states = self.states(sku)
        return self.has(sku) and (not states or any(not one.assigned_by_group for one in states))

    def via(self, sku: str) -> str:
        """The group that gives the licence; empty when the person has it directly or not at all."""
        if not self.has(sku) or self.directly(sku):
            return ""
        return min(one.assigned_by_group for one in self.states(sku))


BIN_FIELDS = "id,userPrincipalName,displayName,givenName,surname,usageLocation"
USER_FIELDS = f"{BIN_FIELDS},assignedLicenses,licenseAssignmentStates"
"""Asked for by name: without it Graph leaves out the location and the licences."""


class Units(Wire):
    """`licenseUnitsDetail`: bought seats by state."""

    enabled: Number = 0


class Sku(Wire):
    """`subscribedSku`: a product of the directory, the sum of everything bought of it."""

    sku_id: Key = ""
    sku_part_number: Text = ""
    prepaid_units: Units = Field(default_factory=Units)


class VerifiedDomain(Wire):
    """A domain as the organisation lists it."""

    name: Text = ""
    is_default: bool | None = None


class Organization(Wire):
    """`organization`: whose directory a token opens."""

    id: Key = ""
    display_name: Text = ""
    verified_domains: Annotated[tuple[VerifiedDomain, ...], Missing] = ()

    @property
    def domain(self) -> str:
        """The domain that new people get when nothing else is said."""
        return next((one.name.lower() for one in self.verified_domains if one.is_default), "")


class Domain(Wire):
    """`domain`: a domain of the directory."""

    id: Key = ""
    is_verified: bool | None = None
    is_default: bool | None = None
    supported_services: Annotated[tuple[str, ...], Missing] = ()


class DnsRecord(Wire):
    """`domainDnsRecord`: what has to stand in the DNS; which fields count depends on its type."""

    label: Text = ""
    record_type: Text = ""
    ttl: Number = 0
    text: Text = ""
    mail_exchange: Text = ""
    preference: int | None = None
    canonical_name: Text = ""
    name_target: Text = ""
    service: Text = ""
    protocol: Text = ""
    port: int | None = None
    weight: int | None = None
    priority: int | None = None

    @property
    def said(self) -> str:
        """The record in one line, as a person types it at the registrar."""
        match self.record_type.lower():
            case "txt":
                value = f'"{self.text}"'
            case "mx":
                value = f"{_or(self.preference, 0)} {self.mail_exchange}"
            case "cname":
                value = self.canonical_name
            case "srv":
                numbers = f"{_or(self.priority, 0)} {_or(self.weight, 0)} {_or(self.port, 0)}"
                return f"SRV {self.service}.{self.protocol}.{self.label} {numbers} {self.name_target}"
            case _:
                value = self.text or self.canonical_name or self.mail_exchange
        return f"{self.record_type.upper()} {self.label} {value} (TTL {self.ttl})"


def _or(value: int | None, other: int) -> int:
    return other if value is None else value


class GroupName(Wire):
    """A `group` by its name."""

    id: Text = ""
    display_name: Text = ""


class RoleTemplate(Wire):
    """`directoryRoleTemplate`: a role that can be delegated."""

    id: Key = ""
    display_name: Text = ""


class RelationshipCustomer(Wire):
    """Whose directory a relationship is about."""

    tenant_id: Key = ""
    display_name: Text = ""


class UnifiedRole(Wire):
    """`unifiedRole`: a role that is delegated."""

    role_definition_id: Key = ""


class AccessDetails(Wire):
    """`delegatedAdminAccessDetails`: which roles."""

    unified_roles: Annotated[tuple[UnifiedRole, ...], Missing] = ()

    @property
    def roles(self) -> frozenset[str]:
        """The ids of the roles."""
        return frozenset(one.role_definition_id for one in self.unified_roles)


class Relationship(Wire):
    """`delegatedAdminRelationship`: rights of the partner in a customer's directory (GDAP)."""

    id: Name
    display_name: Text = ""
    status: Text = ""
    duration: Text = ""
    customer: RelationshipCustomer = Field(default_factory=RelationshipCustomer)
    access_details: AccessDetails = Field(default_factory=AccessDetails)

    @property
    def alive(self) -> bool:
        """Whether the partner has the rights now."""
        return self.status in {"active", "expiring"}

    def is_with(self, tenant_id: str) -> bool:
        """Whether it is about that directory; one that names none is about any."""
        return self.customer.tenant_id in {"", tenant_id.lower()}


class AccessContainer(Wire):
    """`delegatedAdminAccessContainer`: who is given roles."""

    access_container_id: Key = ""


class Assignment(Wire):
    """`delegatedAdminAccessAssignment`: roles of a relationship that a security group of the partner has."""

    id: Name
    etag: Text = Field("", alias="@odata.etag")
    status: Text = ""
    access_container: AccessContainer = Field(default_factory=AccessContainer)
    access_details: AccessDetails = Field(default_factory=AccessDetails)

    @property
    def group(self) -> str:
        """The security group, by its id."""
        return self.access_container.access_container_id

    @property
    def roles(self) -> frozenset[str]:
        """The ids of its roles."""
        return self.access_details.roles


class Operation(Wire):
    """`delegatedAdminRelationshipOperation`: a change that is on its way; `data` is JSON in a text."""

    id: Name
    status: Text = ""
    data: Text = ""
    created_date_time: Text = ""


class Made(Wire):
    """What an answer names as made; one that names nothing leaves open what happened."""

    id: Name
