"""What the directory can do, as data."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.action import Verb
from reconciler.core.provider import Support

PEOPLE: Mapping[Verb, Support] = {
    Verb.ACTIVATE: Support(
        how="api",
        repeatable=True,
        note="once the person has a country, and the seats that were bought show in the directory",
    ),
    Verb.UPDATE: Support(
        how="api",
        repeatable=True,
        note="names, country and login in the directory; a display name that somebody chose stays",
    ),
    Verb.DEACTIVATE: Support(
        how="api", repeatable=True, note="a licence that a group of the directory gives is left alone"
    ),
    Verb.CREATE_USER: Support(
        how="api", note="with a password that nobody sees, or out of the bin; an administrator sets another"
    ),
    Verb.DELETE_USER: Support(
        how="api",
        repeatable=True,
        note="only who was created here; the directory keeps the person for 30 days",
    ),
}
"""The verbs that are about people."""

SETTINGS: Mapping[str, Support] = {
    "domains": Support(how="api", repeatable=True, note="the DNS record that proves it is a step by hand"),
    "delegated_administration": Support(
        how="api", note="the customer's Global Administrator approves it by hand"
    ),
    "delegated_administration.access": Support(
        how="api",
        repeatable=True,
        note="security groups of the partner get their roles once the customer approved; nobody's are taken away",
    ),
}
"""The keys of a tenant that the directory acts on."""
