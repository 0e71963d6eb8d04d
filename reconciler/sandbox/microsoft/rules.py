# ruff: noqa: D103 - the route above a handler says what it answers
"""What Partner Center knows of countries: required fields, patterns, registration numbers, and addresses."""

import re
from typing import Any

from reconciler.sandbox.call import Call
from reconciler.sandbox.countries import COUNTRIES
from reconciler.sandbox.microsoft.errors import classic, newer
from reconciler.sandbox.microsoft.routes import partner
from reconciler.sandbox.microsoft.wire import received


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Where a registration number and a phone number must be given (the table of error codes, 2023-10;
# the page about creating a customer names twelve more, which here may give one).
REGISTERED = _codes("AM AZ BY HU IN KZ KG MD RU TJ UZ UA")
REGISTRABLE = REGISTERED | _codes("BR ZA PL AE SA TR TH VN MM IQ SS VE CN US")
# Countries in which Microsoft sells nothing to a company; a few, as an example.
CLOSED = _codes("CU IR KP SY AC FX TF")

_STATES = {
    "US": _codes(
        "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY "
        "OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY"
    ),
    "CA": _codes("AB BC MB NB NL NS NT NU ON PE QC SK YT"),
}
_POSTAL = {
    "US": r"^\d{5}(-\d{4})?$",
    "CA": r"^[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d$",
    "PL": r"^\d{2}-\d{3}$",
    "LT": r"^(LT-)?\d{5}$",
    "FR": r"^\d{5}$",
    "DE": r"^\d{5}$",
}
_LANGUAGES = {
    "US": ["en", "es"], "CA": ["en", "fr"], "FR": ["fr"], "DE": ["de"], "PL": ["pl"], "LT": ["lt"],
    "PT": ["pt"], "ES": ["es"], "IT": ["it"],
}  # fmt: skip
_PHONE = r"^[+\d][\d\s().-]{3,24}$"


@partner("GET", "/countryvalidationrules/{country}")
def country_rules(call: Call) -> dict[str, Any]:
    code = call.path["country"].upper()
    if not served(code):
        raise classic(1000, code)
    languages = _LANGUAGES.get(code, ["en"])
    return {
        "iso2Code": code,
        "defaultCulture": f"{languages[0]}-{code}",
        "isStateRequired": code in _STATES,
        "states": {"value": sorted(_STATES.get(code, ()))},
        "supportedLanguages": {"value": languages},
        "supportedCultures": {"value": [f"{one}-{code}" for one in languages]},
        "isPostalCodeRequired": code in _POSTAL,
        "postalCodeRegex": _POSTAL.get(code, ""),
        "isCityRequired": True,
        "isVatIdSupported": False,
        "phoneNumberRegex": _PHONE,
        "isRegistrationNumberSupported": code in REGISTRABLE,
        "isTaxIdSupported": True,
        "attributes": {"objectType": "CountryInformation"},
    }


@partner("POST", "/validations/address")
def address(call: Call) -> dict[str, Any]:
    body = received(call.body)
    names = {"country": "country", "city": "city", "state": "state", "addressline1": "addressLine1",
             "addressline2": "addressLine2", "postalcode": "postalCode"}  # fmt: skip
    original = {shown: body[name] for name, shown in names.items() if body.get(name)}
    if not served(str(original.get("country", "")).upper()):
        raise classic(3000, "country", text="The country is not supported")
    status, message = _verdict(original)
    found: dict[str, Any] = {"originalAddress": original, "suggestedAddresses": [], "status": status}
    if status == "VerifiedShippable":
        found["suggestedAddresses"] = [original]
    return {**found, "validationMessage": message} if message else found


def served(code: str) -> bool:
    """Say whether Microsoft sells in a country."""
    return code.lower() in COUNTRIES and code not in CLOSED


def check_address(given: dict[str, Any]) -> None:
    """Refuse the address of a customer that lacks something."""
    for name in ("firstName", "lastName", "addressLine1", "city", "country"):
        if not given.get(name):
            raise classic(3000, name, text=f"The property billingProfile.defaultAddress.{name} is required")
    code = str(given["country"]).upper()
    if not served(code):
        raise classic(3000, "country", text=f"The country {code} is not supported")
    wrong = _wrong(given, code)
    if wrong:
        raise classic(3000, wrong, text=f"The property billingProfile.defaultAddress.{wrong} is invalid")


def check_customer(billing: dict[str, Any], registration: str | None) -> None:
    """Refuse a customer whose registration number or phone does not fit the country."""
    place = billing["defaultAddress"]
    code = place["country"]
    if registration and code not in REGISTRABLE:
        raise newer(600002, "OrganizationRegistrationNumberNotSupported")
    if code in REGISTERED and not registration:
        raise newer(600049, "OrganizationRegistrationNumberMissing")
    if registration and re.fullmatch(r"[\w-]{4,20}", registration) is None:
        raise newer(600050, "OrganizationRegistrationNumberInvalid")
    if code in REGISTERED and not place.get("phoneNumber"):
        raise newer(600051, "PhoneNumberMissing")


def _verdict(given: dict[str, Any]) -> tuple[str, str]:
    code = str(given["country"]).upper()
    if not given.get("addressLine1"):
        return "None", "The address could not be found."
    wrong = _wrong(given, code)
    if wrong:
        return "InteractionRequired", f"The value of {wrong} does not fit the country."
    numbered = any(sign.isdigit() for sign in str(given["addressLine1"]))
    return (
        ("VerifiedShippable", "") if numbered else ("PremisesPartial", "The number of the house is missing.")
    )


def _wrong(given: dict[str, Any], code: str) -> str:
    if code in _STATES and given.get("state") not in _STATES[code]:
        return "state"
    if code in _POSTAL and re.fullmatch(_POSTAL[code], str(given.get("postalCode", ""))) is None:
        return "postalCode"
    phone = given.get("phoneNumber")
    return "phoneNumber" if phone and re.fullmatch(_PHONE, str(phone)) is None else ""
