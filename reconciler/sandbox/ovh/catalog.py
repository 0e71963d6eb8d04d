# ruff: noqa: D103 - the route above a handler says what it answers
"""What can be ordered and what it costs: plans, cart products, the public catalogue, the price routes."""

from typing import Any

from msgspec import Struct

from reconciler.sandbox.call import Call, bad, missing
from reconciler.sandbox.ovh.account import account, money, price
from reconciler.sandbox.ovh.routes import get
from reconciler.sandbox.store import Tx

LABELS = ("zip_code", "country", "vat_number", "existing_tenant_service_name")
TENANT_LABELS = ("zip_code", "display_name", "exchange_service_name", "country")
PERSON_LABELS = ("lastName", "firstName", "login")
SUBSIDIARIES = [
    "CZ",
    "DE",
    "ES",
    "EU",
    "FI",
    "FR",
    "GB",
    "IE",
    "IT",
    "LT",
    "MA",
    "NL",
    "PL",
    "PT",
    "SN",
    "TN",
]
CSP2_NAMES = [
    "AzureActiveDirectoryBasic",
    "AzureActiveDirectoryPremiumP1",
    "Business",
    "BusinessEssentials",
    "BusinessPremium",
    "EnterpriseE1",
    "EnterpriseE3",
    "EnterpriseK1",
    "ExchangeOnlinePlan1",
    "ProPlus",
    "ProjectOnline",
    "ProjectOnlineProfessional",
    "VisioPro",
]


class Plan(Struct, frozen=True):
    """One thing that can be put into a cart; a plan without a licence is the bare tenant."""

    code: str
    product: str
    name: str
    licence: str = ""
    option: bool = False
    labels: tuple[str, ...] = ()


PLANS = {
    plan.code: plan
    for plan in (
        Plan(
            "microsoft-365-apps-for-business-pp-nce",
            "officePrepaid",
            "Microsoft 365 Apps for Business",
            "officeBusiness",
            labels=LABELS,
        ),
        Plan(
            "microsoft-365-apps-for-enterprise-pp-nce",
            "officePrepaid",
            "Microsoft 365 Apps for Enterprise",
            "officeProPlus",
            labels=LABELS,
        ),
        Plan("office-tenant", "office365Prepaid", "Office 365 tenant", labels=TENANT_LABELS),
        Plan(
            "office-business-pp",
            "office365Prepaid",
            "Office 365 Business",
            "officeBusiness",
            True,
            PERSON_LABELS,
        ),
        Plan(
            "office-proplus-pp",
            "office365Prepaid",
            "Office 365 ProPlus",
            "officeProPlus",
            True,
            PERSON_LABELS,
        ),
    )
}

# The plan codes of the other cart products are not known, so nothing is sold there.
PRODUCTS = (
    "officePrepaid",
    "office365Prepaid",
    "office365",
    "csp2",
    "microsoft",
    "exchange",
    "exchangeEnterprise",
)


def plan_of(licence: str) -> str:
    """Give the current plan code of a licence kind."""
    return next(plan.code for plan in PLANS.values() if plan.licence == licence)


def unit(tx: Tx, plan: Plan) -> int:
    """Give the monthly price of one, in hundred-millionths."""
    return price(tx, "prepaid", plan.licence) if plan.licence else 0


def sold(product: str, *, options: bool) -> list[Plan]:
    """Give the plans of a cart product."""
    return [plan for plan in PLANS.values() if plan.product == product and plan.option == options]


def definition(tx: Tx, plan: Plan) -> dict[str, Any]:
    """Show a plan the way the cart lists products."""
    each = unit(tx, plan)
    return {
        "planCode": plan.code,
        "productName": plan.name,
        "productType": "saas_license",
        "prices": [
            {
                "capacities": ["installation", "renew"],
                "description": plan.name,
                "duration": "P1M",
                "interval": 1,
                "maximumQuantity": None,
                "maximumRepeat": None,
                "minimumQuantity": 1,
                "minimumRepeat": 1,
                "price": money(tx, each),
                "priceInUcents": each,
                "pricingMode": "default",
                "pricingType": "rental",
            }
        ],
    }


def option(tx: Tx, plan: Plan) -> dict[str, Any]:
    """Show a plan the way the cart lists options."""
    return {**definition(tx, plan), "exclusive": False, "family": "licence", "mandatory": False}


def _public(product: str) -> None:
    @get(f"/order/catalog/public/{product}", anonymous=True)
    def catalog(call: Call) -> dict[str, Any]:
        subsidiary = call.query.get("ovhSubsidiary", "")
        if subsidiary not in SUBSIDIARIES:
            raise bad("The input provided isn't valid: 'ovhSubsidiary' is a required property")
        plans = [_plan(call.tx, plan) for plan in sold(product, options=False)]
        addons = [_plan(call.tx, plan) for plan in sold(product, options=True)]
        products = [
            {
                "name": plan.code,
                "description": plan.name,
                "blobs": None,
                "configurations": [
                    {"name": label, "isCustom": True, "isMandatory": False, "values": None}
                    for label in plan.labels
                ],
            }
            for plan in PLANS.values()
            if plan.product == product
        ]
        return {
            "catalogId": 1,
            "locale": {
                "currencyCode": account(call.tx)["currency"],
                "subsidiary": subsidiary,
                "taxRate": call.tx.settings.tax,
            },
            "planFamilies": [],
            "plans": plans,
            "addons": addons,
            "products": products,
        }


for _product in ("officePrepaid", "office365Prepaid"):
    _public(_product)


@get("/price/license/office/{officeName}")
def office_price(call: Call) -> dict[str, Any]:
    name = call.path["officeName"]
    if name not in {"officeBusiness", "officeProPlus"}:
        raise missing("This price does not exist")
    return _short(call.tx, price(call.tx, "payg", name))


@get("/price/saas/csp2/license/{licenseName}")
def csp2_price(call: Call) -> dict[str, Any]:
    if call.path["licenseName"] not in CSP2_NAMES:
        raise missing("This price does not exist")
    return _short(call.tx, price(call.tx, "csp2", call.path["licenseName"]))


def _short(tx: Tx, ucents: int) -> dict[str, Any]:
    # The price routes are older than the field in which other routes repeat the price as a whole number.
    return {key: value for key, value in money(tx, ucents).items() if key != "priceInUcents"}


def _plan(tx: Tx, plan: Plan) -> dict[str, Any]:
    each = unit(tx, plan)
    options = [] if plan.option else sold(plan.product, options=True)
    family = {"name": "licence", "addons": [one.code for one in options]}
    return {
        "planCode": plan.code,
        "invoiceName": plan.name,
        "addonFamilies": [{**family, "default": None, "exclusive": False, "mandatory": False}]
        if options
        else [],
        "product": plan.product,
        "pricingType": "rental",
        "consumptionConfiguration": None,
        "family": None,
        "blobs": None,
        "configurations": [],
        "pricings": [
            {
                "phase": 0,
                "capacities": ["installation", "renew"],
                "commitment": 0,
                "description": plan.name,
                "interval": 1,
                "intervalUnit": "month",
                "quantity": {"min": 1, "max": None},
                "repeat": {"min": 1, "max": None},
                "price": each,
                "tax": int(each * tx.settings.tax / 100),
                "mode": "default",
                "strategy": "tiered",
                "mustBeCompleted": False,
                "type": "rental",
                "promotions": [],
                "engagementConfiguration": None,
            }
        ],
    }
