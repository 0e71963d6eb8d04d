"""What Partner Center can do, and why not what it cannot."""

from __future__ import annotations

from reconciler.core.action import Verb
from reconciler.core.provider import Capabilities, Support, Windows

DEFAULT_TERM, DEFAULT_BILLING = "P1Y", "monthly"
"""How a purchase binds when the manifest does not say."""

ORDER_PROMISE = 4 * 3600
"""Seconds an order may take: minutes as a rule, hours where it is looked at (reference section 14)."""

# Either is enough (confirm-customer-consent-customer-agreement, 2023-10); nobody but a person can give its word.
AGREEMENT_NOTE = (
    "let the customer's administrator sign the Microsoft Customer Agreement by the link in Partner Center, on the "
    "customer's Account page, or confirm there that the customer accepted it; `reconciler resume` then looks:"
)
AGREEMENT_LINK = "https://partner.microsoft.com/dashboard/v2/customers/list"

# An ended subscription is expired for 30 days, still usable, then disabled for 90 (subscription-lifecycle, 2023-10).
WINDOWS = Windows(grace=30, kept=120)

_NO_PEOPLE = "people are kept in Microsoft's directory: write `directory:`"

PARTNER_CENTER = Capabilities(
    provider="partner-center",
    verbs={
        Verb.ORDER: Support(
            how="api",
            note=f"{DEFAULT_TERM} billed {DEFAULT_BILLING} where `term:` and `billing:` are not written",
        ),
        Verb.RESIZE: Support(
            how="api",
            repeatable=True,
            note="more at any time; fewer at once only within 7 days of their purchase, else at the renewal",
        ),
        Verb.ACTIVATE: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.UPDATE: Support(
            how="api", repeatable=True, note="the renewal, and the customer's account, created once"
        ),
        Verb.DEACTIVATE: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.CREATE_USER: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.DELETE_USER: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.SCHEDULE: Support(
            how="api",
            repeatable=True,
            note="seats, term and billing at the renewal, while it renews by itself",
        ),
        Verb.CANCEL: Support(
            how="api",
            repeatable=True,
            note="at once with `cancel: now` within 7 days of the purchase or renewal, else it ends with its term",
        ),
    },
    pool=True,
    people=False,
    slots=False,
    shrink="window",
    cancel="window",
    products=None,
    promise_seconds=ORDER_PROMISE,
    settings={
        "customer": Support(how="api", note="created when no customer of the partner has its domain"),
        "agreement": Support(how="api", note=AGREEMENT_NOTE, link=AGREEMENT_LINK),
    },
    windows=WINDOWS,
)
