# ruff: noqa: D103 - the route above a handler says what it answers
"""`/auth`: the server's time, credentials, and tokens for service accounts."""

import json
import secrets
from typing import Any

from reconciler.sandbox.call import Call, Reply, Request, bad, gateway, service
from reconciler.sandbox.clock import moment
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.ovh.account import account
from reconciler.sandbox.ovh.routes import get, post
from reconciler.sandbox.presented import basic, form_of
from reconciler.sandbox.shape import Shape
from reconciler.sandbox.store import Tx

TOKEN_LIFE = 3600
_RULE = Shape.of("method!:DELETE|GET|PATCH|POST|PUT path!")


@get("/auth/time", anonymous=True)
def time(call: Call) -> int:
    return gate.server_time(call.tx)


@get("/auth/currentCredential")
def current(call: Call) -> dict[str, Any]:
    row = call.tx.one("SELECT * FROM credential WHERE id = ?", call.caller["id"])
    if row is None:
        raise service(403, "Client::Forbidden", "There is no credential behind this token")
    return {
        "allowedIPs": None,
        "applicationId": row["id"],
        "creation": moment(row["created"]),
        "credentialId": row["id"],
        "expiration": None if row["expiration"] is None else moment(row["expiration"]),
        "lastUse": moment(call.tx.now),
        "ovhSupport": False,
        "rules": json.loads(row["rules"]),
        "status": row["status"],
    }


@get("/auth/details")
def details(call: Call) -> dict[str, Any]:
    nichandle, rules = account(call.tx)["nichandle"], json.loads(call.caller["rules"])
    return {
        "account": nichandle,
        "allowedRoutes": None if rules == gate.ALL else rules,
        "description": None,
        "identities": [f"urn:v1:eu:identity:account:{nichandle}"],
        "method": call.caller["method"],
        "roles": None,
        "user": None,
    }


@post("/auth/credential", "accessRules!:array allowedIPs?:array redirection?", anonymous=True)
def ask(call: Call) -> dict[str, str]:
    key = call.request.headers.get("x-ovh-application") if call.request is not None else None
    row = call.tx.one("SELECT * FROM credential WHERE application_key = ?", key)
    if row is None:
        raise gateway(403, "INVALID_KEY", "This application key is invalid")
    if not call.body["accessRules"]:
        raise bad("The input provided isn't valid: 'accessRules' is empty")
    rules = [_RULE.check(rule) for rule in call.body["accessRules"]]
    consumer = secrets.token_hex(16)
    keys = {"application_key": key, "application_secret": row["application_secret"], "consumer_key": consumer}
    number = gate.add_credential(call.tx, {**keys, "rules": rules}, status="pendingValidation")
    return {
        "consumerKey": consumer,
        "state": "pendingValidation",
        "validationUrl": f"{call.base}/sandbox/validate/{number}",
    }


@post("/auth/logout")
def logout(call: Call) -> None:
    call.tx.run("UPDATE credential SET status = 'expired' WHERE id = ?", call.caller["id"])


def validate(tx: Tx, number: int) -> None:
    """Do what a person does at the validation address."""
    tx.run("UPDATE credential SET status = 'validated' WHERE id = ? AND status = 'pendingValidation'", number)


def token(tx: Tx, request: Request) -> Reply:
    """Answer the token URL of OAuth2 client credentials."""
    form = form_of(request)
    name, secret = basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
    row = tx.one("SELECT * FROM client WHERE id = ?", name)
    if row is None or not secrets.compare_digest(row["secret"].encode(), secret.encode()):
        return Reply(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
    if form.get("grant_type") != "client_credentials":
        return Reply(400, {"error": "unsupported_grant_type", "error_description": "Only client_credentials"})
    value = secrets.token_urlsafe(32)
    tx.run("INSERT INTO token VALUES (?, ?, ?)", value, name, tx.now + TOKEN_LIFE)
    return Reply(
        content={"access_token": value, "token_type": "Bearer", "expires_in": TOKEN_LIFE - 1, "scope": "all"},
        headers={"Cache-Control": "no-store"},
    )
