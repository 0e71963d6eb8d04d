"""Who is calling: signed keys, bearer tokens, and what each may do."""

import hashlib
import hmac
import json
import re
from functools import lru_cache
from typing import Any

from reconciler.sandbox.call import ApiError, Request, gateway, service
from reconciler.sandbox.ovh.account import stored
from reconciler.sandbox.router import Route
from reconciler.sandbox.store import Tx

# Every world knows these; they open nothing but a sandbox.
APPLICATION_KEY = "sandbox-application"
APPLICATION_SECRET = "sandbox-application-secret"  # noqa: S105 - public, see above
CONSUMER_KEY = "sandbox-consumer"
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - public, see above

ALL = [{"method": method, "path": "/*"} for method in ("GET", "POST", "PUT", "DELETE")]

ANONYMOUS: dict[str, Any] = {"name": "", "method": "", "rules": None}
OWNER: dict[str, Any] = {"name": "owner", "method": "account", "rules": json.dumps(ALL), "id": None}
"""Whoever calls without a login where none is asked for."""

LOGINS = ("x-ovh-application", "authorization")


def admit(tx: Tx, request: Request, route: Route | None, path: str) -> dict[str, Any]:
    """Give the caller of a request, or refuse it."""
    caller = _caller(tx, request)
    if caller is None:
        if route is not None and route.open:
            return ANONYMOUS
        if request.trusted and not any(name in request.headers for name in LOGINS):
            return OWNER
        raise gateway(403, "NOT_CREDENTIAL", "You must login first")
    if not _granted(caller["rules"], request.method, path):
        raise _ungranted(caller, request.method, path)
    return caller


def server_time(tx: Tx) -> int:
    """Give the time that the API tells, and against which it judges timestamps."""
    return int(tx.now + tx.settings.skew)


def add_credential(tx: Tx, given: dict[str, Any], *, status: str = "validated") -> int:
    """Register a key with the calls it may make."""
    return tx.run(
        "INSERT INTO credential (application_key, application_secret, consumer_key, rules, status, created)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *(given["application_key"], given["application_secret"], given["consumer_key"]),
        *(json.dumps(given.get("rules", ALL)), status, tx.now),
    )


def add_client(tx: Tx, given: dict[str, Any]) -> None:
    """Register a service account with the calls it may make."""
    granted = given.get("rules", ALL)
    tx.run(
        "INSERT INTO client VALUES (?, ?, ?)", given["client_id"], given["client_secret"], json.dumps(granted)
    )


def _caller(tx: Tx, request: Request) -> dict[str, Any] | None:
    bearer = request.headers.get("authorization", "")
    if bearer.startswith("Bearer "):
        return _bearer(tx, bearer.removeprefix("Bearer "))
    key = request.headers.get("x-ovh-application")
    if key is None:
        return None
    application = tx.one("SELECT * FROM credential WHERE application_key = ?", key)
    if application is None:
        raise gateway(403, "INVALID_KEY", "This application key is invalid")
    consumer = request.headers.get("x-ovh-consumer")
    if consumer is None:
        return None
    row = tx.one("SELECT * FROM credential WHERE consumer_key = ? AND application_key = ?", consumer, key)
    if row is None or row["status"] != "validated":
        raise gateway(403, "INVALID_CREDENTIAL", "This credential is not valid")
    _verify(tx, request, row)
    return {"name": f"key-{row['id']}", "method": "account", "rules": row["rules"], "id": row["id"]}


def _ungranted(caller: dict[str, Any], method: str, path: str) -> ApiError:
    if caller["method"] == "account":
        return gateway(403, "NOT_GRANTED_CALL", "This call has not been granted")
    # The name of the action is the sandbox's own; the real ones are one an operation.
    action = f"{path.strip('/').partition('/')[0]}:apiovh:{method.lower()}"
    details = {"unauthorizedActionsByAuthentication": "", "unauthorizedActionsByIAM": action}
    return service(403, "Client::Forbidden", "User not granted for this request", **details)


def _bearer(tx: Tx, token: str) -> dict[str, Any]:
    row = tx.one(
        "SELECT client.* FROM token JOIN client ON client.id = token.client WHERE token = ? AND expires > ?",
        *(token, tx.now),
    )
    if row is None:
        raise service(401, "Client::Unauthorized", "The token is not valid or has expired")
    return {"name": row["id"], "method": "oauth2_client_credentials", "rules": row["rules"], "id": None}


def _verify(tx: Tx, request: Request, row: Any) -> None:
    stamp = request.headers.get("x-ovh-timestamp", "")
    signature = request.headers.get("x-ovh-signature", "")
    if not stamp.isdigit() or not _timely(tx, int(stamp)):
        raise gateway(400, "QUERY_TIME_OUT", "Query out of time")
    body = request.body.decode(errors="replace")
    text = "+".join(
        (row["application_secret"], row["consumer_key"], request.method, request.url, body, stamp)
    )
    expected = "$1$" + hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - OVHcloud's own rule
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise gateway(400, "INVALID_SIGNATURE", "Invalid signature")


def _timely(tx: Tx, stamp: int) -> bool:
    # Turning the world's clock must not shut out a client that asked for the time before,
    # so any time between the untouched clock and the turned one is accepted.
    now, turned = server_time(tx), float(stored(tx, "clock").get("offset", 0.0))
    low, high = min(now, now - turned), max(now, now - turned)
    return low - tx.settings.tolerance <= stamp <= high + tx.settings.tolerance


def _granted(rules: str | None, method: str, path: str) -> bool:
    if rules is None:
        return True
    return any(rule[0] == method and rule[1].fullmatch(path) is not None for rule in _compiled(rules))


@lru_cache(maxsize=64)
def _compiled(rules: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (rule["method"], re.compile(".*".join(map(re.escape, rule["path"].split("*")))))
        for rule in json.loads(rules)
    )
