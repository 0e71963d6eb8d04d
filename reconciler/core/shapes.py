"""Which keys each mapping of the two files may have, taken from the models themselves."""

from __future__ import annotations

from dataclasses import fields

from reconciler.core.accounts import (
    ManualAccount,
    MicrosoftAccount,
    MicrosoftCredentials,
    MicrosoftEndpoint,
    OvhAccount,
    OvhCredentials,
)
from reconciler.core.explain import Shapes
from reconciler.core.fields import Part
from reconciler.core.manifest import (
    Access,
    Customer,
    DelegatedAdministration,
    Directory,
    Group,
    OfficeAttach,
    Person,
    PostalAddress,
    ProductKey,
    Tenant,
)
from reconciler.core.workspace import Limit, Policy, Price, Workspace


def _keys(model: type[Part]) -> tuple[str, ...]:
    return tuple(model.model_fields)


TENANT_KEYS: Shapes = {
    (): _keys(Tenant),
    ("directory",): _keys(Directory),
    ("license_groups",): _keys(Group),
    ("users",): tuple(field.name for field in fields(Person)),
    ("customer",): _keys(Customer),
    ("customer", "address"): _keys(PostalAddress),
    ("delegated_administration",): _keys(DelegatedAdministration),
    ("delegated_administration", "access"): _keys(Access),
    ("product_keys",): _keys(ProductKey),
    ("office_attach",): _keys(OfficeAttach),
}

WORKSPACE_KEYS: Shapes = {
    (): _keys(Workspace),
    ("accounts", "ovh"): _keys(OvhAccount),
    ("accounts", "ovh", "credentials"): _keys(OvhCredentials),
    ("accounts", "microsoft"): _keys(MicrosoftAccount),
    ("accounts", "microsoft", "credentials"): _keys(MicrosoftCredentials),
    ("accounts", "microsoft", "endpoint"): _keys(MicrosoftEndpoint),
    ("accounts", "manual"): _keys(ManualAccount),
    ("prices",): _keys(Price),
    ("policy",): _keys(Policy),
    ("policy", "max_monthly_increase"): _keys(Limit),
}
