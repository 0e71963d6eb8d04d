"""Stories at Partner Center and in a directory: who buys is a partner, and Microsoft Graph keeps the people."""

from __future__ import annotations

from tests.engine.stories import Provider, Story

CUSTOMER = "8f5c0000-0000-4000-8000-00000000ac3e"
SUBSCRIPTION = "8f5c0000-0000-4000-8000-0000000005ab"
DOMAIN = "acme.onmicrosoft.com"
OWN_DIRECTORY = f", tenant_id: {CUSTOMER}"
"""What is not written where the directory comes with the customer."""
PEOPLE = {
    "ada": "first_name: Ada, last_name: Lovelace, country: lt",
    "bob": "first_name: Bob, last_name: Kahn, country: fr",
    "eve": "first_name: Eve, last_name: Curie, country: pl",
}
NEW_CUSTOMER = f"""
customer:
  domain: {DOMAIN}
  company: Acme UAB
  country: LT
  language: lt
  culture: lt-LT
  email: billing@acme.example
  address: {{first_name: Ada, last_name: Lovelace, line1: Gedimino 1, city: Vilnius, postal_code: "01103"}}
"""


def written(*logins: str) -> str:
    """People of a tenant's file, each with a licence of `office`."""
    people = "\n".join(f"  - {{login: {one}, {PEOPLE[one]}, licenses: [office]}}" for one in logins)
    return f"domain: {DOMAIN}\nusers:\n{people}\n"


def partner(group: str, *logins: str, more: str = f"service: {CUSTOMER}") -> str:
    """A tenant of a partner; with a directory when people are named."""
    return _tenant("partner-center", "partner", f"{more}\n", group, *logins)


def reseller(group: str, *logins: str, more: str = "") -> str:
    """A reseller tenant at OVHcloud, whose people a directory keeps."""
    return _tenant("ovh-csp2", "ovh-main", f"service: acme-csp\n{more}", group, *logins)


def by_hand(group: str, *logins: str) -> str:
    """A tenant of a reseller without an API."""
    return _tenant("home-pl", "home", "", group, *logins)


def _tenant(provider: str, account: str, more: str, group: str, *logins: str) -> str:
    directory = f"directory: {{provider: graph, account: partner{OWN_DIRECTORY}}}\n"
    return (
        f"version: 1\ntenant: acme\nprovider: {provider}\naccount: {account}\n{more}"
        f"{directory if logins else ''}license_groups:\n  - {{name: office, {group}}}\n"
        f"{written(*logins) if logins else ''}"
    )


def directory(*sitting: str, licence: str = "SPB", more: str = "") -> str:
    """A directory of a world file, with people who have a licence."""
    people = ", ".join(f"{{login: {one}, {PEOPLE[one]}, licences: [{licence}]}}" for one in sitting)
    return f"id: {CUSTOMER}, domain: {DOMAIN}, name: Acme UAB, country: LT, users: [{people}]{more}"


def customer(seats: int, *sitting: str, bought: str = "30d", more: str = "") -> str:
    """A customer of the partner with a subscription; people named here have a licence."""
    subscription = f"{{id: {SUBSCRIPTION}, product: SPB, quantity: {seats}, bought: {bought}{more}}}"
    return f"microsoft: {{customers: [{{{directory(*sitting)}, subscriptions: [{subscription}]}}]}}"


def resold(seats: int, *sitting: str) -> str:
    """A reseller tenant with a subscription of Business Basic, and its directory."""
    basic = directory(*sitting, licence="O365_BUSINESS_ESSENTIALS")
    subscriptions = f"[{{id: 501, licence: 11, quantity: {seats}}}]"
    return (
        f"microsoft: {{tenants: [{{{basic}}}]}}\n"
        f"csp2: [{{service: acme-csp, directory: {CUSTOMER}, subscriptions: {subscriptions}}}]"
    )


def elsewhere(seats: int, *sitting: str) -> str:
    """A directory whose seats were bought where nothing can be read."""
    skus = f", skus: [{{sku: O365_BUSINESS, units: {seats}}}]"
    return f"microsoft: {{tenants: [{{{directory(*sitting, licence='O365_BUSINESS', more=skus)}}}]}}"


def sold(seen: Provider) -> list[tuple[int, str, int]]:
    """Quantity, status and renewal of each subscription."""
    rows = seen.rows("SELECT * FROM ms_subscription ORDER BY seq")
    return [(one["quantity"], one["status"], one["renew"]) for one in rows]


def planned(seen: Provider) -> list[tuple[int, bool]]:
    """The seats of each subscription, and whether its renewal brings something else."""
    rows = seen.rows("SELECT * FROM ms_subscription ORDER BY seq")
    return [(one["quantity"], bool(one["scheduled"])) for one in rows]


def licensed(seen: Provider) -> list[str]:
    """The logins of those who have a licence, without their domain."""
    rows = seen.rows(
        "SELECT upn FROM ms_user JOIN ms_licence ON ms_licence.user = ms_user.id WHERE deleted IS NULL"
    )
    return sorted(one["upn"].partition("@")[0] for one in rows)


def there(seen: Provider) -> list[str]:
    """The logins of everybody in the customer's directory but its administrator."""
    sql = "SELECT upn FROM ms_user WHERE tenant = ? AND deleted IS NULL"
    logins = [one["upn"].partition("@")[0] for one in seen.rows(sql, CUSTOMER)]
    return sorted(one for one in logins if one != "admin")


def both(seen: Provider) -> tuple[list[tuple[int, str, int]], list[str]]:
    """What is sold, and who has a licence."""
    return sold(seen), licensed(seen)


def reselling(seen: Provider) -> tuple[list[int], list[str]]:
    """The quantities of the reseller's subscriptions, and who has a licence."""
    return [one["quantity"] for one in seen.rows("SELECT * FROM subscription ORDER BY id")], licensed(seen)


def domains(seen: Provider) -> list[tuple[str, int]]:
    """The directory's further domains, and whether each is verified."""
    rows = seen.rows("SELECT name, verified FROM ms_domain WHERE tenant = ? AND initial = 0", CUSTOMER)
    return [(one["name"], one["verified"]) for one in rows]


def relations(seen: Provider) -> list[str]:
    """How each delegated relationship stands."""
    return [one["status"] for one in seen.rows("SELECT status FROM ms_relation ORDER BY seq")]


def rights(seen: Provider) -> list[tuple[str, int]]:
    """How each access assignment stands, and of how many roles it is."""
    rows = seen.rows(
        "SELECT status, data FROM ms_relation_part WHERE kind = 'assignment' AND status != 'deleted'"
    )
    return [(one["status"], one["data"].count("roleDefinitionId")) for one in rows]


def partner_ids(seen: Provider) -> list[str]:
    """The partner id of each reseller tenant."""
    return [one["mpn_id"] for one in seen.rows("SELECT mpn_id FROM tenant")]


BOUGHT = {"partner-order-placed": 1, "partner-subscription-created": 1}
KEPT = {"partner-order-placed": 0, "partner-subscription-created": 0, "partner-subscription-deleted": 0}
PREMIUM = "product: SPB, seats: {}"
BASIC = "product: Microsoft 365 Business Basic, seats: {}"
CANCEL = PREMIUM.format(5) + ", state: cancelled, reason: left"
GDAP = "delegated_administration: {name: support, duration: P2Y, roles: [User Administrator]}\n"
HELPDESK = "869713c9-0b28-4d08-8949-ae07ae1bf528"
BOTH = "[License Administrator, User Administrator]"
GIVEN = (
    f"delegated_administration: {{name: support, duration: P2Y, roles: {BOTH}, "
    f"access: [{{security_group: {HELPDESK}}}]}}\n"
)
GROUPS = f"microsoft: {{groups: [{{id: {HELPDESK}, name: Helpdesk}}], "
RELATED = f"{GROUPS}relationships: [{{name: support, customer: {CUSTOMER}, roles: {BOTH}, access: {{}}}}], "
APPROVED = RELATED.replace("access: {", f"access: {{{HELPDESK}: [User Administrator]")

MICROSOFT = (
    Story(
        name="partner-new",
        provider="partner-center",
        world="{}",
        tenant=partner(PREMIUM.format(3), more=NEW_CUSTOMER),
        effects={"partner-customer-created": 1, **BOUGHT},
        check=sold,
        end=[(3, "active", 1)],
        helps=(f"agreement-signed {DOMAIN}",),
    ),
    Story(
        name="partner-new-and-people",
        provider="partner-center",
        world="{}",
        tenant=partner(PREMIUM.format(2), "ada", "bob", more=NEW_CUSTOMER).replace(OWN_DIRECTORY, ""),
        effects={"partner-customer-created": 1, **BOUGHT, "graph-user-created": 2},
        check=both,
        end=([(2, "active", 1)], ["ada", "bob"]),
        helps=(f"agreement-signed {DOMAIN}",),
    ),
    Story(
        name="partner-order-and-people",
        provider="partner-center",
        world=f"microsoft: {{customers: [{{{directory()}}}]}}",
        tenant=partner(PREMIUM.format(2), "ada", "bob"),
        effects={**BOUGHT, "graph-user-created": 2},
        check=both,
        end=([(2, "active", 1)], ["ada", "bob"]),
    ),
    Story(
        name="partner-more-for-a-joiner",
        provider="partner-center",
        world=customer(1, "ada"),
        tenant=partner(PREMIUM.format(2), "ada", "bob"),
        effects={**KEPT, "partner-quantity-changed": 1, "graph-user-created": 1},
        check=both,
        end=([(2, "active", 1)], ["ada", "bob"]),
    ),
    Story(
        name="partner-fewer-in-time",
        provider="partner-center",
        world=customer(5, bought="1d"),
        tenant=partner(PREMIUM.format(3)),
        effects={**KEPT, "partner-quantity-changed": 1},
        check=planned,
        end=[(3, False)],
    ),
    Story(
        name="partner-fewer-later",
        provider="partner-center",
        world=customer(5),
        tenant=partner(PREMIUM.format(3)),
        effects={**KEPT, "partner-quantity-changed": 0},
        check=planned,
        end=[(5, True)],
    ),
    Story(
        name="partner-more-after-fewer",
        provider="partner-center",
        world=customer(5),
        before=partner(PREMIUM.format(3)),
        tenant=partner(PREMIUM.format(8)),
        effects={**KEPT, "partner-quantity-changed": 1},
        check=planned,
        end=[(8, False)],
    ),
    Story(
        name="partner-renewal-off",
        provider="partner-center",
        world=customer(5),
        tenant=partner(PREMIUM.format(5) + ", renewal: off"),
        effects=KEPT,
        check=sold,
        end=[(5, "active", 0)],
    ),
    Story(
        name="partner-renewal-auto",
        provider="partner-center",
        world=customer(5, more=", renew: false"),
        tenant=partner(PREMIUM.format(5) + ", renewal: auto"),
        effects=KEPT,
        check=sold,
        end=[(5, "active", 1)],
    ),
    Story(
        name="partner-cancel-now",
        provider="partner-center",
        world=customer(5, bought="1d"),
        tenant=partner(CANCEL + ", cancel: now"),
        effects={**KEPT, "partner-subscription-deleted": 1},
        check=sold,
        end=[(5, "deleted", 0)],
    ),
    Story(
        name="partner-cancel-at-its-end",
        provider="partner-center",
        world=customer(5, bought="1d"),
        tenant=partner(CANCEL),
        effects=KEPT,
        check=sold,
        end=[(5, "active", 0)],
    ),
    Story(
        name="reseller-more-for-a-joiner",
        provider="ovh-csp2",
        world=resold(1, "ada"),
        tenant=reseller(BASIC.format(2), "ada", "bob"),
        effects={"subscription-changed": 1, "graph-user-created": 1},
        check=reselling,
        end=([2], ["ada", "bob"]),
    ),
    Story(
        name="reseller-partner-id",
        provider="ovh-csp2",
        world=resold(1, "ada"),
        tenant=reseller(BASIC.format(1), "ada", more='mpn_id: "7654321"\n'),
        effects={},
        check=partner_ids,
        end=["7654321"],
    ),
    Story(
        name="directory-leave",
        provider="ovh-csp2",
        world=resold(2, "ada"),
        before=reseller(BASIC.format(2), "ada", "bob"),
        tenant=reseller(BASIC.format(2), "ada"),
        effects={"graph-user-deleted": 1},
        check=there,
        end=["ada"],
    ),
    Story(
        name="directory-rename",
        provider="ovh-csp2",
        world=resold(2, "ada"),
        before=reseller(BASIC.format(2), "ada", "bob"),
        tenant=reseller(BASIC.format(2), "ada", "bob").replace("login: bob", "login: rob, previously: bob"),
        effects={"graph-user-created": 1, "graph-user-deleted": 0},
        check=licensed,
        end=["ada", "rob"],
    ),
    Story(
        name="directory-restore",
        provider="ovh-csp2",
        world=resold(2, "ada", "bob"),
        tenant=reseller(BASIC.format(2), "ada", "bob"),
        effects={"graph-user-created": 0, "graph-user-restored": 1},
        check=licensed,
        end=["ada", "bob"],
        start=(f"directory-user-removed {DOMAIN} bob@{DOMAIN}",),
    ),
    Story(
        name="directory-domain",
        provider="ovh-csp2",
        world=resold(1, "ada"),
        tenant=reseller(BASIC.format(1), "ada", more="domains: [shop.example]\n"),
        effects={"graph-domain-added": 1, "graph-domain-verified": 1},
        check=domains,
        end=[("shop.example", 1)],
        helps=("domain-published shop.example",),
    ),
    Story(
        name="directory-delegation",
        provider="ovh-csp2",
        world=resold(1, "ada"),
        tenant=reseller(BASIC.format(1), "ada", more=GDAP),
        effects={"graph-relationship-created": 1},
        check=relations,
        end=["active"],
        helps=("relationship-approved support",),
    ),
    Story(
        name="directory-delegation-and-access",
        provider="ovh-csp2",
        world=resold(1, "ada").replace("microsoft: {", GROUPS),
        tenant=reseller(BASIC.format(1), "ada", more=GIVEN),
        effects={"graph-relationship-created": 1, "graph-access-assigned": 1},
        check=rights,
        end=[("active", 2)],
        helps=("relationship-approved support",),
    ),
    Story(
        name="directory-access",
        provider="ovh-csp2",
        world=resold(1, "ada").replace("microsoft: {", RELATED),
        tenant=reseller(BASIC.format(1), "ada", more=GIVEN),
        effects={"graph-relationship-created": 0, "graph-access-assigned": 1},
        check=rights,
        end=[("active", 2)],
    ),
    Story(
        name="directory-access-widened",
        provider="ovh-csp2",
        world=resold(1, "ada").replace("microsoft: {", APPROVED),
        tenant=reseller(BASIC.format(1), "ada", more=GIVEN),
        effects={
            "graph-relationship-created": 0,
            "graph-access-assigned": 0,
            "graph-access-changed": 1,
        },
        check=rights,
        end=[("active", 2)],
    ),
    Story(
        name="by-hand-and-people",
        provider="home-pl",
        world=elsewhere(2, "ada"),
        tenant=by_hand("product: Office 365 Business, seats: 2", "ada", "bob"),
        effects={"graph-user-created": 1},
        check=licensed,
        end=["ada", "bob"],
    ),
)
