# ruff: noqa: D103 - the route above a handler says what it answers
"""`/me`: the account, its payment methods and its contracts."""

from typing import Any

from reconciler.sandbox.call import Call, missing
from reconciler.sandbox.clock import moment
from reconciler.sandbox.ovh.account import account
from reconciler.sandbox.ovh.routes import get
from reconciler.sandbox.store import Tx

METHOD = "/me/payment/method"
_SYMBOLS = {"EUR": "€", "GBP": "£", "PLN": "zł", "CZK": "Kč", "USD": "$"}
_EMPTY = [
    "area",
    "birthCity",
    "birthDay",
    "companyNationalIdentificationNumber",
    "complementaryAddress",
    "corporationType",
    "customerCode",
    "fax",
    "italianSDI",
    "kycValidated",
    "nationalIdentificationNumber",
    "purposeOfPurchase",
    "sex",
    "spareEmail",
    "vat",
]


@get("/me")
def me(call: Call) -> dict[str, Any]:
    who = account(call.tx)
    subsidiary = who["subsidiary"]
    country = "FR" if subsidiary == "EU" else subsidiary
    return {
        **dict.fromkeys(_EMPTY),
        "address": "1 rue du Bac a Sable",
        "city": "Lille",
        "country": country,
        "currency": {"code": who["currency"], "symbol": _SYMBOLS.get(who["currency"], who["currency"])},
        "email": who["email"],
        "firstname": "Sandbox",
        "language": "en_GB",
        "legalform": "corporation",
        "name": "Owner",
        "nichandle": who["nichandle"],
        "organisation": "Sandbox",
        "ovhCompany": "ovh",
        "ovhSubsidiary": subsidiary,
        "phone": "+33.123456789",
        "phoneCountry": country,
        "phoneType": "landline",
        "state": "complete",
        "zip": "59000",
    }


@get(METHOD)
def methods(call: Call) -> list[int]:
    sql = "SELECT id FROM payment_method WHERE 1"
    values: list[object] = []
    if "default" in call.query:
        sql, values = f"{sql} AND is_default = ?", [int(call.query["default"] == "true")]
    if "paymentType" in call.query:
        sql, values = f"{sql} AND type = ?", [*values, call.query["paymentType"]]
    if call.query.get("status", "VALID") != "VALID":
        return []
    return call.tx.column(f"{sql} ORDER BY id", *values)


@get(METHOD + "/{paymentMethodId}")
def method(call: Call) -> dict[str, Any]:
    row = call.tx.one("SELECT * FROM payment_method WHERE id = ?", call.number("paymentMethodId"))
    if row is None:
        raise missing("This payment method does not exist")
    return {
        "billingContactId": None,
        "creationDate": moment(row["created"]),
        "default": bool(row["is_default"]),
        "description": None,
        "expirationDate": None,
        "formSessionId": None,
        "icon": {"data": None, "name": "credit-card", "url": None},
        "integration": None,
        "label": "sandbox card",
        "lastUpdate": moment(row["created"]),
        "merchantId": None,
        "oneclick": True,
        "paymentMeanId": row["id"],
        "paymentMethodId": row["id"],
        "paymentSubType": None,
        "paymentType": row["type"],
        "status": "VALID",
    }


@get("/me/agreements")
def agreements(call: Call) -> list[int]:
    return [1] if call.query.get("agreed", "ok") == "ok" else []


@get("/me/agreements/{id}")
def agreement(call: Call) -> dict[str, Any]:
    _known(call)
    return {"agreed": "ok", "contractId": 1, "date": moment(0), "id": 1}


@get("/me/agreements/{id}/contract")
def contract(call: Call) -> dict[str, Any]:
    _known(call)
    text = "The sandbox's own text"
    return {
        "active": True,
        "date": "1970-01-01",
        "name": "general",
        "pdf": "https://contract.sandbox.example",
        "text": text,
    }


@get("/msServices/{serviceName}")
def directory(call: Call) -> dict[str, Any]:
    row = call.tx.one("SELECT * FROM directory WHERE name = ?", call.path["serviceName"])
    if row is None:
        raise missing()
    return {
        "complexityEnabled": True,
        "iam": None,
        "lockoutDuration": 30,
        "lockoutObservationWindow": 30,
        "lockoutThreshold": None,
        "maxPasswordAge": None,
        "minPasswordAge": None,
        "minPasswordLength": 8,
        "name": row["name"],
        "officeTenantServiceName": row["office_tenant"],
        "state": row["state"],
        "taskPendingId": 0,
    }


def pay_by_default(tx: Tx, *, wanted: bool) -> None:
    """Give the account a default payment method, or take it away."""
    tx.run("DELETE FROM payment_method")
    if wanted:
        tx.run("INSERT INTO payment_method VALUES (?, 'CREDIT_CARD', 1, ?)", tx.serial("method", 801), tx.now)


def _known(call: Call) -> None:
    if call.number("id") != 1:
        raise missing("This agreement does not exist")
