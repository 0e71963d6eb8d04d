"""What credentials must be allowed: for reading, and for applying, at each provider."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote


class Rule(NamedTuple):
    """A method and a path; a path that ends with `*` stands for all that begin so."""

    method: str
    path: str

    def allows(self, method: str, path: str) -> bool:
        """Whether a call is one of those."""
        if self.path.endswith("*"):
            return method == self.method and path.startswith(self.path[:-1])
        return (method, path) == self


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


def ovh_rules(providers: Iterable[str] = ROOTS, *, writes: bool) -> tuple[Rule, ...]:
    """List what a key at OVHcloud must be allowed; a cart that asks for a price is a write that buys nothing."""
    wanted = [one for one in ROOTS if one in set(providers)]
    paths = [path for one in wanted for path in (ROOTS[one], f"{ROOTS[one]}/*")]
    rules = [Rule("GET", path) for path in (*_READ, *paths, "/order/*")]
    rules += [Rule("POST", "/order/cart"), Rule("POST", "/order/cart/*"), Rule("DELETE", "/order/cart/*")]
    if writes:
        rules += [Rule(method, f"{ROOTS[one]}/*") for one in wanted for method in ("POST", "PUT", "DELETE")]
    return tuple(rules)


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


MICROSOFT = (
    (
        "Partner Center: register the application in the partner's own directory, add it under Account settings > App "
        "management, and consent to the delegated permission user_impersonation of `Microsoft Partner Center`; its "
        "person has the role Admin agent, and signs in once with MFA for the refresh_token"
    ),
    (
        "Graph, to plan: Organization.Read.All, User.Read.All, Domain.Read.All, GroupMember.Read.All, and "
        "DelegatedAdminRelationship.Read.All where delegated_administration is written"
    ),
    (
        "Graph, to apply: User.ReadWrite.All, LicenseAssignment.ReadWrite.All, Domain.ReadWrite.All, and "
        "DelegatedAdminRelationship.ReadWrite.All; in each customer's directory the customer or GDAP grants them"
    ),
)
"""What the application needs at Microsoft."""
