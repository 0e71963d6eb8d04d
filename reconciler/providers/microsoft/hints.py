"""What to do about Microsoft's known refusals, by their codes (error-codes, 2023-10; codes from 2054 on are its)."""

from __future__ import annotations

from collections.abc import Mapping

_UPDATED = "plan again: it was changed meanwhile"
_SEATS = "more seats can be given back only within 7 days of their purchase: plan again, the rest waits for the renewal"
_WINDOW = "plan again: it can only be left to end at its term"
_REVIEW = (
    "wait for Microsoft's review of the customer (Partner Center > Customers > Account > Validation status)"
)
_TOKEN = "write `refresh_token:` under `credentials:`, of a person who signed in with MFA"  # noqa: S105 - words
_CATALOGUE = (
    "look the product up in Partner Center's catalogue; write it as PRODUCT:SKU, as in CFQ7TTC0LH18:0001"
)

HINTS: Mapping[str, str] = {
    "2055": _UPDATED,
    "PreconditionFailed": _UPDATED,
    "2001": "resume the subscription in Partner Center first",
    "800091": "resume the subscription in Partner Center first",
    "800090": _SEATS,
    "900214": _SEATS,
    "900257": _SEATS,
    "900213": _WINDOW,
    "900117": _WINDOW,
    "900311": "this subscription took its 1,200 changes: add a license group with `service: new`, move the people, "
    "and let this one end",
    "13605": "the customer must accept the Microsoft Customer Agreement: confirm it in Partner Center under the "
    "customer's Account page, or send the customer the link to sign it",
    "800073": _REVIEW,
    "800074": _REVIEW,
    "800075": "Microsoft did not approve the customer: open a case in Partner Center",
    "20002": "check `service:`; the customer must accept the partner's invitation first",
    "400013": _CATALOGUE,
    "400018": _CATALOGUE,
    "400019": "plan again: what can be bought has changed",
    "800067": "write fewer `seats:`, or a second license group",
    "2002": "write a number of `seats:` that the product allows",
    "900275": "write a number of `seats:` that the product allows",
    "800088": "write a number of `seats:` that the product allows",
    "600002": "write the company's `registration_number:` as its country spells it",
    "600049": "write the company's `registration_number:`",
    "600050": "write the company's `registration_number:` as its country spells it",
    "600051": "write the `phone:` of the customer's address",
    "900308": "give the person behind the refresh token the role that the call needs in Partner Center",
    "900309": "conditional access of the partner's directory refuses the person behind the refresh token",
    "900316": _TOKEN,
    "900329": _TOKEN,
    "900420": "the token is for an audience that is retired",
    "Authorization_RequestDenied": "the application needs User.ReadWrite.All, Directory.Read.All and, for `domains:`, "
    "Domain.ReadWrite.All in the customer's directory, with an administrator's consent",
}
