"""A customer's account: found by its domain, created once, and whether Microsoft lets it buy.

The domain is what makes creating safe: it can be taken only once, so a lost answer is looked up by it, and the
same call again cannot create a second customer.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from reconciler.core.action import Action
from reconciler.core.errors import Missing, Rejected
from reconciler.core.provider import Absent, Attempt, Done, Step, Stepped, StepRecord, Told, Unknown
from reconciler.providers.http import path
from reconciler.providers.microsoft.api import Api, request_id
from reconciler.providers.microsoft.partner_center.account import PartnerCenterAccount
from reconciler.providers.microsoft.partner_center.wire import Address, Country, Customer, Signed, Validation
from reconciler.providers.microsoft.wire import Page
from reconciler.providers.settle import last, look_again

AGREEMENT = "MicrosoftCustomerAgreement"
UNCLEAR = frozenset({"interactionrequired", "multiple", "none"})
"""What an address may not be: Microsoft would not know where to bill."""

UNDER_REVIEW = "underreview"
REVIEW = "waits until Microsoft has reviewed the customer, which takes up to some days"
_REFUSED = {"notallowed": "Microsoft did not approve the customer: open a case in Partner Center"}


async def by_domain(account: PartnerCenterAccount, domain: str) -> Customer | None:
    """Find the partner's customer with that first domain."""
    wanted = {"Field": "Domain", "Value": domain, "Operator": "starts_with"}
    query = {"size": "100", "filter": json.dumps(wanted, separators=(",", ":"))}
    found = await account.api.items(Customer, "/customers", query)
    return next((one for one in found if one.domain == domain.lower()), None)


async def read(account: PartnerCenterAccount, scope: str) -> Customer:
    """Read a customer."""
    return await account.api.get(Customer, f"/customers{path(scope)}")


async def review(account: PartnerCenterAccount, scope: str) -> tuple[str, str]:
    """Say what has to pass, or why nothing can be ordered at all, for a customer who accepted the agreement."""
    status = await _validation(account, scope)
    plain = status.replace(" ", "").casefold()
    if plain in {"allowed", ""}:
        return "", ""
    if plain == UNDER_REVIEW:
        return REVIEW, ""
    said = f"Microsoft's review of the customer says {status}: nothing can be ordered"
    return "", _REFUSED.get(plain, said)


async def _validation(account: PartnerCenterAccount, scope: str) -> str:
    if not account.has_person:
        return ""  # only a person's token may ask; an order that is refused says the same
    route = f"/customers{path(scope)}/validationStatus"
    try:
        return (await account.personal.get(Validation, route, {"type": "account"})).status
    except Missing:
        return ""  # none is on file


async def accepted(account: PartnerCenterAccount, scope: str) -> bool:
    """Read whether the partner gave its word that the customer accepted the agreement, or the customer signed."""
    route = f"/customers{path(scope)}"
    kind = {"agreementType": AGREEMENT}
    if (await account.personal.get(Page, f"{route}/agreements", kind)).items:
        return True
    try:
        signed = await account.personal.get(Signed, f"{route}/directSignedMicrosoftCustomerAgreementStatus")
    except Missing:
        return False
    return signed.is_signed


async def create(
    account: PartnerCenterAccount, action: Action, attempt: Attempt
) -> AsyncGenerator[Told, None]:
    """Create a customer's account, after everything that can be asked was asked."""
    written: Mapping[str, Any] = action.detail["customer"]
    domain = str(written["domain"]).lower()
    if await account.api.exists(f"/domains{path(domain)}"):
        raise await _taken(account, domain)
    rules = await _country(account.api, written)
    await _address(account.api, written)
    yield Step(name="customer", data={"domain": domain})
    headers = {"MS-RequestId": request_id(action.id, "customer", attempt.number)}
    made = await account.api.send(Customer, "POST", "/customers", body_of(written, rules), headers=headers)
    yield Stepped(name="customer", ref=made.id)
    yield created(made.id)


def created(number: str) -> Done:
    """Say that a customer is there; the first administrator's password was never read."""
    return Done(ref=number, data={"scope": number})


async def find(
    account: PartnerCenterAccount, action: Action, steps: tuple[StepRecord, ...]
) -> Done | Absent | Unknown:
    """Look a customer up by its domain, whose creation nobody has an answer of."""
    sent = last(steps)
    if sent is None:
        return Absent(why="nothing was sent")
    if sent.ref is not None:
        return created(sent.ref)
    domain = str(action.detail["customer"]["domain"]).lower()
    found = await by_domain(account, domain)
    if found is not None:
        return created(found.id)
    if not await account.api.exists(f"/domains{path(domain)}"):
        return Absent(why=f"{domain} is still free, and can be taken only once")
    return await _not_listed(account, sent, domain)


async def _not_listed(account: PartnerCenterAccount, sent: StepRecord, domain: str) -> Unknown:
    why = f"{domain} is taken, and no customer of the partner has it"
    return Unknown(why=why, look_again_at=await look_again(account.api, sent.began_at))


async def _taken(account: PartnerCenterAccount, domain: str) -> Rejected:
    known = await by_domain(account, domain)
    if known is not None:
        return Rejected(
            f"{domain} is customer {known.id} of the partner already",
            hint=f"write `service: {known.id}` in the tenant, or plan again",
            code="exists",
        )
    return Rejected(
        f"{domain} is taken by somebody else",
        hint="write another `domain:` under `customer:`, or, if it is the customer's own directory, let its "
        "administrator accept the partner's invitation and write its id as `service:`",
        code="domain-taken",
    )


async def _country(api: Api, written: Mapping[str, Any]) -> Country:
    """Refuse what the country's own rules would refuse; the rules."""
    code = str(written["country"]).upper()
    try:
        rules = await api.get(Country, f"/countryvalidationrules{path(code)}")
    except Missing:
        raise Rejected(
            f"Microsoft sells nothing in {code}", hint="correct `country:` under `customer:`", code="country"
        ) from None
    address: Mapping[str, Any] = written["address"]
    for key, why in _wrong(rules, written, address):
        raise Rejected(
            f"{key} of customer {written['company']} {why} in {code}",
            hint=f"correct `{key}:` under `customer:`",
            code="country-rules",
        )
    return rules


def _wrong(rules: Country, written: Mapping[str, Any], address: Mapping[str, Any]) -> list[tuple[str, str]]:
    states = rules.states.value if rules.states else ()
    cultures = rules.supported_cultures.value if rules.supported_cultures else ()
    languages = rules.supported_languages.value if rules.supported_languages else ()
    state, postal, phone = (str(address.get(key) or "") for key in ("state", "postal_code", "phone"))
    found = [
        ("state", "is needed", rules.is_state_required and not state),
        ("state", "is none of its states", bool(state and states) and state.upper() not in states),
        ("postal_code", "is needed", rules.is_postal_code_required and not postal),
        (
            "postal_code",
            "is not as it is spelled",
            bool(postal) and not _fits(rules.postal_code_regex, postal),
        ),
        ("phone", "is not as it is spelled", bool(phone) and not _fits(rules.phone_number_regex, phone)),
        ("culture", "is not supported", _misses(cultures, written["culture"])),
        ("language", "is not supported", _misses(languages, written["language"])),
    ]
    return [(key, why) for key, why, so in found if so]


def _misses(known: tuple[str, ...], word: object) -> bool:
    return bool(known) and str(word).casefold() not in {one.casefold() for one in known}


def _fits(pattern: str, text: str) -> bool:
    try:
        return not pattern or re.search(pattern, text) is not None
    except re.error:
        return True  # a pattern that only Microsoft reads is left to Microsoft


async def _address(api: Api, written: Mapping[str, Any]) -> None:
    asked = {
        key: value
        for key, value in _address_of(written).items()
        if key in {"addressLine1", "addressLine2", "city", "state", "postalCode", "country"}
    }
    found = await api.ask(Address, "/validations/address", asked)
    if found.status.replace(" ", "").casefold() in UNCLEAR:
        why = found.validation_message or f"Microsoft calls it {found.status}"
        raise Rejected(
            f"the address of customer {written['company']} is not clear: {why}",
            hint="correct `address:` under `customer:`",
            code="address",
        )


def body_of(written: Mapping[str, Any], rules: Country) -> dict[str, Any]:
    """Write a customer as Partner Center wants it; DAP's successor is asked for by `delegated_administration`.

    A registration number goes only to a country whose rules take one: elsewhere it is refused (600002).
    """
    profile = {"domain": str(written["domain"]).lower()}
    if written.get("registration_number") and rules.is_registration_number_supported is not False:
        profile["organizationRegistrationNumber"] = str(written["registration_number"])
    return {
        "enableGDAPByDefault": False,
        "companyProfile": profile,
        "billingProfile": {
            "culture": written["culture"],
            "email": written["email"],
            "language": written["language"],
            "companyName": written["company"],
            "defaultAddress": _address_of(written),
        },
    }


def _address_of(written: Mapping[str, Any]) -> dict[str, str]:
    address: Mapping[str, Any] = written["address"]
    names = {
        "firstName": "first_name",
        "lastName": "last_name",
        "addressLine1": "line1",
        "addressLine2": "line2",
        "city": "city",
        "state": "state",
        "postalCode": "postal_code",
        "phoneNumber": "phone",
    }
    found = {key: str(address[name]) for key, name in names.items() if address.get(name)}
    return {**found, "country": str(written["country"]).upper()}
