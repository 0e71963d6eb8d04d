"""What credentials must be allowed: for reading, and for applying, at each provider."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote


class Rule(NamedTuple):
    """A method and a path; a `*` in it stands for anything, slashes too."""

    method: str
    path: str

    def allows(self, method: str, path: str) -> bool:
        """Whether a call is one of those."""
        return method == self.method and bool(self._pattern.fullmatch(path))

    def touches(self, other: Rule) -> bool:
        """Whether some call is one of those of both."""
        if self.method != other.method:
            return False
        sample, theirs = (one.path.replace("*", "any") for one in (self, other))
        return bool(self._pattern.fullmatch(theirs) or other._pattern.fullmatch(sample))

    @property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(".*".join(map(re.escape, self.path.split("*"))))


class Checked(NamedTuple):
    """One thing that was looked at: whether it is well, what it is, and what to do when it is not."""

    level: str
    what: str
    remedy: str = ""


ROOTS = {"ovh-payg": "/license/office", "ovh-prepaid": "/license/officePrepaid", "ovh-csp2": "/saas/csp2"}
"""Where OVHcloud keeps each family."""

# `/license/office` and `/license/office/*` are two rules, of which a key needs both (OVHcloud's own helper adds
# both; ovh/python-ovh `ovh/consumer_key.py`, 2026-11).
_READ = (
    "/auth/details",
    "/me",
    "/me/order",
    "/me/order/*",
    "/me/payment/method",
    "/me/payment/method/*",
    "/price/*",
)


# A cart that is filled and deleted tells a price and buys nothing; `POST /order/cart/*` would cover the checkout.
_CART = (
    Rule("POST", "/order/cart"),
    Rule("POST", "/order/cart/*/assign"),
    Rule("POST", "/order/cart/*/officePrepaid"),
    Rule("POST", "/order/cart/*/item/*/configuration"),
    Rule("DELETE", "/order/cart/*"),
)
_CHECKOUT = Rule("POST", "/order/cart/*/checkout")


def ovh_rules(providers: Iterable[str] = ROOTS, *, writes: bool) -> tuple[Rule, ...]:
    """List what a key at OVHcloud must be allowed to plan, or to apply as well."""
    wanted = [one for one in ROOTS if one in set(providers)]
    paths = [path for one in wanted for path in (ROOTS[one], f"{ROOTS[one]}/*")]
    rules = [Rule("GET", path) for path in (*_READ, *paths, "/order/*")]
    rules += _CART if "ovh-prepaid" in wanted else ()
    return (*rules, *ovh_changes(wanted)) if writes else tuple(rules)


def ovh_changes(providers: Iterable[str] = ROOTS) -> tuple[Rule, ...]:
    """List what buys, sells or changes something: a key that only plans is allowed none of it."""
    wanted = [one for one in ROOTS if one in set(providers)]
    rules = [Rule(method, f"{ROOTS[one]}/*") for one in wanted for method in ("POST", "PUT", "DELETE")]
    return (_CHECKOUT, *rules) if "ovh-prepaid" in wanted else tuple(rules)


def ovh_probes(providers: Iterable[str]) -> tuple[str, ...]:
    """Lists whose reading shows whether a key may do what a plan does."""
    wanted = set(providers)
    orders = ("/me/order", "/me/payment/method") if "ovh-prepaid" in wanted else ()
    return (*orders, *(root for one, root in ROOTS.items() if one in wanted))


TOKEN_PAGES = {
    "ovh-eu": "https://eu.api.ovh.com/createToken/",
    "ovh-ca": "https://ca.api.ovh.com/createToken/",
    "ovh-us": "https://api.us.ovhcloud.com/createToken/",
}
"""Where a person makes the three keys of OVHcloud; rights in the address are filled in already."""


def token_page(endpoint: str, *, writes: bool) -> str:
    """Give the address of the page that makes keys with the rights for a plan, or for an apply; empty for others."""
    page = TOKEN_PAGES.get(endpoint)
    if page is None:
        return ""
    rights = (f"{rule.method}={quote(rule.path, safe='/*')}" for rule in ovh_rules(writes=writes))
    return f"{page}?{'&'.join(rights)}"


DELEGATED = (
    "in the partner's own directory the application needs the delegated permission "
    "DelegatedAdminRelationship.Read.All to plan and DelegatedAdminRelationship.ReadWrite.All to apply, and the "
    "refresh_token of a person who is Admin agent; roles written by name want Directory.Read.All too"
)
"""What delegated administration needs: relationships and who is given their roles stand under one permission."""

MICROSOFT = (
    (
        "Partner Center: register the application in the partner's own directory, add it under Account settings > App "
        "management, and consent to the delegated permission user_impersonation of `Microsoft Partner Center`; its "
        "person has the role Admin agent, and signs in once with MFA for the refresh_token"
    ),
    (
        "Graph, to plan: Organization.Read.All, User.Read.All, Domain.Read.All, GroupMember.Read.All; in each "
        "customer's directory the customer or GDAP grants them"
    ),
    (
        "Graph, to apply: User.ReadWrite.All, LicenseAssignment.ReadWrite.All, Domain.ReadWrite.All, granted the "
        "same way"
    ),
    f"Graph, where delegated_administration is written: {DELEGATED}",
)
"""What the application needs at Microsoft."""
