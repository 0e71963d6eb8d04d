"""What Partner Center does by each of its verbs, for the contract that every family is held to."""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from tests.providers.rig import CUSTOMER, act

SUBSCRIPTION = "5b000000-0000-4000-8000-0000000000b5"
CARTS = "/partner-center/v1/customers/{}/carts"
CHANGE = "/partner-center/v1/customers/{}/subscriptions/{}"
OFFICE: dict[str, Any] = {"product": "SPB", "service": SUBSCRIPTION, "scope": CUSTOMER}
WORLD: dict[str, Any] = {
    "microsoft": {
        "customers": [
            {
                "id": CUSTOMER,
                "domain": "acme.onmicrosoft.com",
                "name": "Acme UAB",
                "country": "LT",
                "subscriptions": [{"id": SUBSCRIPTION, "product": "SPB", "quantity": 5}],
            }
        ]
    }
}
"""A customer with five seats of Business Premium, bought a moment ago."""

WRITTEN: dict[str, Any] = {
    "domain": "fresh.onmicrosoft.com",
    "company": "Fresh UAB",
    "country": "LT",
    "language": "lt",
    "culture": "lt-LT",
    "email": "billing@fresh.example",
    "address": {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "line1": "Gedimino 1",
        "city": "Vilnius",
        "postal_code": "01103",
        "phone": "+37060000000",
    },
}
"""A customer as a manifest writes it."""


def changing(verb: Verb, before: Any, after: Any, effect: str, **detail: Any) -> dict[str, Any]:
    """A case of a change of the subscription."""
    action = act(verb, "group/office", before=before, after=after, **detail, **OFFICE)
    return case(action, CHANGE, effect)


def case(action: Action, call: str, effect: str) -> dict[str, Any]:
    """A case of an action at that customer."""
    found = {"kind": "partner-center", "scope": CUSTOMER, "world": WORLD, "task": False}
    return found | {"action": action, "call": call, "effect": effect}


CASES: dict[str, dict[str, Any]] = {
    "partner-center customer": case(
        act(
            Verb.UPDATE,
            "tenant/customer",
            after={"domain": WRITTEN["domain"]},
            customer=WRITTEN,
        ),
        call="/partner-center/v1/customers",
        effect="partner-customer-created",
    ),
    "partner-center order": case(
        act(
            Verb.ORDER,
            "group/mail",
            after={"product": "STANDARDPACK", "seats": 3},
            product="STANDARDPACK",
            quantity=3,
            expect=3,
            scope=CUSTOMER,
        ),
        call=f"{CARTS}/{{}}/checkout",
        effect="partner-order-placed",
    ),
    "partner-center more seats": changing(
        Verb.RESIZE, {"seats": 5}, {"seats": 8}, "partner-quantity-changed", quantity=3, expect=8
    ),
    "partner-center fewer seats": changing(
        Verb.RESIZE, {"seats": 5}, {"seats": 2}, "partner-quantity-changed", quantity=-3, expect=2
    ),
    "partner-center at the renewal": changing(
        Verb.SCHEDULE, {"seats": 5}, {"seats": 2}, "partner-schedule-changed"
    ),
    "partner-center renewal off": changing(
        Verb.UPDATE, {"renewal": "auto"}, {"renewal": "off"}, "partner-renewal-changed", renewal="off"
    ),
    "partner-center cancel": {
        **case(
            replace(
                act(Verb.CANCEL, "group/office", before={"seats": 5}, **OFFICE),
                scheduled_for=date(2028, 1, 15),
            ),
            CHANGE,
            "partner-renewal-changed",
        )
    },
    "partner-center cancel at once": changing(
        Verb.CANCEL, {"seats": 5}, None, "partner-subscription-deleted", ends_now=True
    ),
}
