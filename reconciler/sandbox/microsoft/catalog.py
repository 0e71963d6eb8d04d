# ruff: noqa: D103 - the route above a handler says what it answers
"""Partner Center's catalogue: products, their SKUs, and what of them can be bought at the moment."""

from typing import Any

from reconciler.sandbox.call import Call
from reconciler.sandbox.microsoft import customers, products
from reconciler.sandbox.microsoft.errors import classic
from reconciler.sandbox.microsoft.keys import partner as own
from reconciler.sandbox.microsoft.products import PRODUCTS, Product
from reconciler.sandbox.microsoft.routes import partner
from reconciler.sandbox.microsoft.rules import served
from reconciler.sandbox.microsoft.wire import collection, link, named

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "PLN": "zł"}
_VIEWS = {"onlineservices", ""}


@partner("GET", "/products")
def listed(call: Call) -> dict[str, Any]:
    return _products(call, _country(call))


@partner("GET", customers.ONE + "/products")
def listed_for(call: Call) -> dict[str, Any]:
    return _products(call, _country_of(call))


@partner("GET", "/products/{product}")
def read(call: Call) -> dict[str, Any]:
    return _product(_found(call)[0], _country(call))


@partner("GET", "/products/{product}/skus")
def skus(call: Call) -> dict[str, Any]:
    return _skus(call, _country(call))


@partner("GET", customers.ONE + "/products/{product}/skus")
def skus_for(call: Call) -> dict[str, Any]:
    return _skus(call, _country_of(call))


@partner("GET", "/products/{product}/skus/{sku}")
def sku(call: Call) -> dict[str, Any]:
    return _sku(_one(call), _country(call))


@partner("GET", "/products/{product}/skus/{sku}/availabilities")
def availabilities(call: Call) -> dict[str, Any]:
    return _availabilities(call, _country(call))


@partner("GET", customers.ONE + "/products/{product}/skus/{sku}/availabilities")
def availabilities_for(call: Call) -> dict[str, Any]:
    return _availabilities(call, _country_of(call))


@partner("GET", "/products/{product}/skus/{sku}/availabilities/{availability}")
def availability(call: Call) -> dict[str, Any]:
    one = _one(call)
    if call.path["availability"] != products.availability(call.tx, one):
        raise classic(400019, call.path["availability"])
    return _availability(call, one, _country(call))


def _products(call: Call, country: str) -> dict[str, Any]:
    if call.query.get("targetView", "").lower() not in _VIEWS:
        return collection([], f"/products?country={country}")
    first = {one.product: one for one in reversed(PRODUCTS)}
    found = [first[key] for key in dict.fromkeys(one.product for one in PRODUCTS)]
    segment = call.query.get("targetSegment", "commercial").lower()
    shown = [_product(one, country) for one in found if segment == "commercial"]
    return collection(shown, f"/products?country={country}&targetView=OnlineServices")


def _skus(call: Call, country: str) -> dict[str, Any]:
    found = _found(call)
    return collection(
        [_sku(one, country) for one in found], f"/products/{found[0].product}/skus?country={country}"
    )


def _availabilities(call: Call, country: str) -> dict[str, Any]:
    one = _one(call)
    uri = f"/products/{one.product}/skus/{one.variant}/availabilities?country={country}"
    return collection([_availability(call, one, country)], uri)


def _found(call: Call) -> list[Product]:
    found = [one for one in PRODUCTS if one.product == call.path["product"].upper()]
    if not found:
        raise classic(400013, call.path["product"])
    return found


def _one(call: Call) -> Product:
    _found(call)
    one = products.find(f"{call.path['product'].upper()}:{call.path['sku'].upper()}")
    if one is None:
        raise classic(400018, call.path["sku"])
    return one


def _country(call: Call) -> str:
    country = call.query.get("country", "").upper()
    if not served(country):
        raise classic(3000, "country", text="The country is missing or not supported")
    return country


def _country_of(call: Call) -> str:
    row = customers.find(call)
    return str(call.tx.column("SELECT country FROM ms_tenant WHERE id = ?", row["id"])[0])


def _product(one: Product, country: str) -> dict[str, Any]:
    root = f"/products/{one.product}"
    return {
        "id": one.product,
        "title": one.title,
        "description": f"{one.title}, as the sandbox sells it.",
        "productType": {"id": "OnlineServicesNCE", "displayName": "OnlineServicesNCE"},
        "isMicrosoftProduct": True,
        "publisherName": "Microsoft Corporation",
        "links": {"skus": link(f"{root}/skus?country={country}"), "self": link(f"{root}?country={country}")},
    }


def _sku(one: Product, country: str) -> dict[str, Any]:
    root = f"/products/{one.product}/skus/{one.variant}"
    return {
        "id": one.variant,
        "productId": one.product,
        "title": one.title,
        "description": f"{one.title}, as the sandbox sells it.",
        "minimumQuantity": 1,
        "maximumQuantity": one.most,
        "isTrial": one.trial,
        "supportedBillingCycles": sorted({billing for _, billing in products.terms(one)}),
        "purchasePrerequisites": ["MicrosoftCustomerAgreement"],
        "inventoryVariables": [],
        "provisioningVariables": [],
        "actions": ["Refund"],
        "dynamicAttributes": {
            "isMicrosoftProduct": True,
            "hasConstraints": one.most < 10000,
            "isAddon": bool(one.needs),
            "prerequisiteSkus": list(one.needs),
            "isSoftwareAssuranceApplicable": False,
            "upgradeTargetOffers": [],
            "provisioningId": one.sku,
            "internal": False,
        },
        "links": {
            "availabilities": link(f"{root}/availabilities?country={country}"),
            "self": link(f"{root}?country={country}"),
        },
    }


def _availability(call: Call, one: Product, country: str) -> dict[str, Any]:
    number = products.availability(call.tx, one)
    root = f"/products/{one.product}/skus/{one.variant}"
    terms = [_term(one, duration, billing) for duration, billing in products.terms(one)]
    currency = own(call.tx)["currency"]
    options = [{"renewToId": one.id, "isAutoRenewable": True}]
    return {
        "id": number,
        "productId": one.product,
        "skuId": one.variant,
        "catalogItemId": f"{one.id}:{number}",
        "defaultCurrency": {"code": currency, "symbol": _SYMBOLS.get(currency, currency)},
        "segment": "commercial",
        "country": country,
        "isPurchasable": True,
        "isRenewable": True,
        "renewalInstructions": [
            {"applicableTermIds": [term["id"] for term in terms], "renewalOptions": options}
        ],
        "terms": terms,
        "links": {
            "availabilities": link(f"{root}/availabilities?country={country}"),
            "self": link(f"{root}/availabilities/{number}?country={country}"),
        },
    }


def _term(one: Product, duration: str, billing: str) -> dict[str, Any]:
    refund = {"sequenceId": 0, "type": "Full", "expiresAfter": "P7D"}
    return {
        "id": named("term", one.id, duration, billing).replace("-", "")[:12],
        "duration": duration,
        "description": f"{duration} commitment, billed {billing}",
        "billingCycle": billing.capitalize(),
        "cancellationPolicies": [{"refundOptions": [refund]}],
    }
