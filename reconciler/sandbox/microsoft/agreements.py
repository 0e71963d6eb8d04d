# ruff: noqa: D103 - the route above a handler says what it answers
"""The Microsoft Customer Agreement: its template, the partner's word that it was accepted, the customer's own."""

import json
from typing import Any

from reconciler.sandbox.call import Call, Reply
from reconciler.sandbox.clock import parse
from reconciler.sandbox.microsoft import customers
from reconciler.sandbox.microsoft.errors import classic, newer
from reconciler.sandbox.microsoft.routes import partner
from reconciler.sandbox.microsoft.wire import mapping, named, received
from reconciler.sandbox.store import Tx

KIND = "MicrosoftCustomerAgreement"
_OLD = "MicrosoftCloudAgreement"
_LINKS = {KIND: "https://aka.ms/customeragreement", _OLD: "https://aka.ms/cloudagreement"}


@partner("GET", "/agreements")
def templates(call: Call) -> dict[str, Any]:
    kind = call.query.get("agreementType", _OLD)
    shown = [_template(one) for one in _LINKS if kind in {one, "*"}]
    if not shown:
        raise classic(900126, kind)
    return {"totalCount": len(shown), "items": shown, "attributes": {"objectType": "Collection"}}


@partner("POST", customers.ONE + "/agreements", user=True)
def confirm(call: Call) -> Reply:
    row, body = customers.find(call), received(call.body)
    if row["agreement"]:
        raise newer(600061, "PartnerConfirmedAgreementAlreadyExists")
    agreement = _agreement(call, body)
    call.tx.run("UPDATE ms_customer SET agreement = ? WHERE id = ?", json.dumps(agreement), row["id"])
    call.tx.record("partner-agreement-confirmed", customer=row["id"])
    return Reply(201, agreement)


@partner("GET", customers.ONE + "/agreements")
def confirmed(call: Call) -> dict[str, Any]:
    row = customers.find(call)
    kind = call.query.get("agreementType", _OLD)
    found = [json.loads(row["agreement"])] if row["agreement"] and kind in {KIND, "*"} else []
    return {"totalCount": len(found), "items": found, "attributes": {"objectType": "Collection"}}


@partner("GET", customers.ONE + "/directSignedMicrosoftCustomerAgreementStatus")
def signed(call: Call) -> dict[str, Any]:
    return {"isSigned": bool(customers.find(call)["signed"])}


def accepted(row: Any) -> bool:
    """Say whether a customer may buy: the partner gave its word, or the customer signed."""
    return bool(row["agreement"] or row["signed"])


def attest(tx: Tx, number: str) -> None:
    """Let the agreement of a customer be on record."""
    contact = {"firstName": "Sandbox", "lastName": "Customer", "email": "owner@sandbox.example"}
    agreement = {
        "primaryContact": contact,
        "templateId": named("agreement", KIND),
        "dateAgreed": "2026-01-01T00:00:00Z",
        "type": KIND,
    }
    tx.run("UPDATE ms_customer SET agreement = ? WHERE id = ?", json.dumps(agreement), number)


def _template(kind: str) -> dict[str, Any]:
    return {
        "templateId": named("agreement", kind),
        "agreementType": kind,
        "agreementLink": _LINKS[kind],
        "versionRank": 0,
    }


def _agreement(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    contact = mapping(body.get("primarycontact"))
    names = ("firstName", "lastName", "email", "phoneNumber")
    shown = {name: contact[name.lower()] for name in names if contact.get(name.lower())}
    kind = str(body.get("type", ""))
    if kind.lower() != KIND.lower():
        raise classic(900126, kind)
    if body.get("templateid") != named("agreement", KIND):
        raise classic(3000, "templateId")
    if not {"firstName", "lastName", "email"} <= shown.keys():
        raise classic(3000, "primaryContact")
    try:
        parse(str(body.get("dateagreed", "")))
    except ValueError:
        raise classic(3000, "dateAgreed") from None
    who = named("person", call.caller["client"])
    rest = {"templateId": body["templateid"], "dateAgreed": body["dateagreed"], "type": KIND}
    return {"userId": who, "primaryContact": shown, **rest}
