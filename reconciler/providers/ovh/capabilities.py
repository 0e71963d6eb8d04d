"""What each of OVHcloud's three Office families can do, and why not what it cannot."""

from __future__ import annotations

from reconciler.core.action import Verb
from reconciler.core.provider import Capabilities, Support

BUSINESS, PRO_PLUS = "business", "pro-plus"
LICENCES = {BUSINESS: "officeBusiness", PRO_PLUS: "officeProPlus"}
PRODUCTS = {licence: product for product, licence in LICENCES.items()}

# A Business group holds at most 300 licences (customer guide, seed 001; verified 2026-08-04).
BUSINESS_LIMIT = 300

ORDER_PROMISE = 4 * 3600  # delivery takes up to four hours after payment (customer guide)

_API = Support(how="api")
_ABSOLUTE = Support(how="api", repeatable=True)
_NO_SCHEDULE = Support(
    how="not-at-all", note="OVHcloud keeps no changes for later; an end is asked for and happens by itself"
)

PREPAID = Capabilities(
    provider="ovh-prepaid",
    verbs={
        Verb.ORDER: _API,
        Verb.RESIZE: Support(
            how="api", note="more seats are an order; fewer are seats that end at their expiration"
        ),
        Verb.ACTIVATE: _API,
        Verb.UPDATE: _ABSOLUTE,
        Verb.DEACTIVATE: Support(how="api", repeatable=True, note="the seat is free again and stays paid"),
        Verb.CREATE_USER: Support(how="not-at-all", note="activating a seat creates its person"),
        Verb.DELETE_USER: Support(how="not-at-all", note="freeing a seat removes its person"),
        Verb.SCHEDULE: _NO_SCHEDULE,
        Verb.CANCEL: Support(how="api", repeatable=True, note="every seat ends at its expiration"),
    },
    pool=True,
    people=True,
    shrink="at-expiration",
    cancel="at-expiration",
    products=frozenset(LICENCES),
    max_seats={BUSINESS: BUSINESS_LIMIT},
    promise_seconds=ORDER_PROMISE,
)

PAYG = Capabilities(
    provider="ovh-payg",
    verbs={
        Verb.ORDER: Support(
            how="by-hand",
            note="no plan code of a pay-as-you-go group is known: order it on OVHcloud's site, then pin it",
            link="https://www.ovhcloud.com/en/collaborative-tools/microsoft-365/",
        ),
        Verb.RESIZE: Support(how="not-at-all", note="seats follow the people; `seats` is a ceiling"),
        Verb.ACTIVATE: Support(how="api", note="creates the person, who is billed from then on"),
        Verb.UPDATE: Support(
            how="api", repeatable=True, note="people, the renewal, and the service's display name (`name:`)"
        ),
        Verb.DEACTIVATE: Support(
            how="api", repeatable=True, note="deletes the person; the month is still billed"
        ),
        Verb.CREATE_USER: Support(how="not-at-all", note="activating creates the person"),
        Verb.DELETE_USER: Support(how="not-at-all", note="deactivating deletes the person"),
        Verb.SCHEDULE: _NO_SCHEDULE,
        Verb.CANCEL: Support(
            how="api", repeatable=True, note="the service ends at its expiration once nobody is left on it"
        ),
    },
    pool=False,
    people=True,
    renames=True,
    shrink="now",
    cancel="at-expiration",
    products=frozenset(LICENCES),
    max_seats={BUSINESS: BUSINESS_LIMIT},
    promise_seconds=ORDER_PROMISE,
)

_NO_PEOPLE = "people are kept in Microsoft's directory, not by OVHcloud"

CSP2 = Capabilities(
    provider="ovh-csp2",
    verbs={
        Verb.ORDER: _API,
        Verb.RESIZE: _ABSOLUTE,
        Verb.ACTIVATE: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.UPDATE: Support(how="api", repeatable=True, note="the partner id of the tenant (`mpn_id:`)"),
        Verb.DEACTIVATE: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.CREATE_USER: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.DELETE_USER: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.SCHEDULE: _NO_SCHEDULE,
        Verb.CANCEL: Support(how="api", repeatable=True, note="ends at once, with all its seats"),
    },
    pool=True,
    people=False,
    shrink="now",
    cancel="now",
    slots=False,
    renewal=False,
    products=None,
    promise_seconds=ORDER_PROMISE,
    settings={"mpn_id": Support(how="api", repeatable=True, note="the Microsoft partner id of the tenant")},
)

FAMILIES = {one.provider: one for one in (PAYG, PREPAID, CSP2)}
