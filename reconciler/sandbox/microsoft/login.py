"""`/login`: tokens for an application, alone or with a person behind it, and how a client finds its way."""

import secrets
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from reconciler.sandbox.call import Reply, Request
from reconciler.sandbox.clock import moment
from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.presented import basic, form_of
from reconciler.sandbox.store import Tx

LIFE = 3600
"""Seconds an access token lasts."""
DAY = 86400

_COMMON = {"common", "organizations"}


class _RefusedError(Exception):
    """No token, and why."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(text)
        self.status, self.error, self.number, self.text = status, error, number, text


def answer(tx: Tx, request: Request, parts: tuple[str, ...]) -> Reply:
    """Answer what is asked under `/login`; `parts` is the path below it."""
    match request.method, parts:
        case "POST", [tenant, "oauth2", "token"]:
            return _token(tx, request, tenant, modern=False)
        case "POST", [tenant, "oauth2", "v2.0", "token"]:
            return _token(tx, request, tenant, modern=True)
        case "GET", [tenant, "v2.0", ".well-known", "openid-configuration"]:
            return _configuration(tx, request, tenant, version="v2.0/")
        case "GET", [tenant, ".well-known", "openid-configuration"]:
            return _configuration(tx, request, tenant, version="")
        case "GET", ["common", "discovery", "instance"]:
            return _instances(request)
    return Reply(404, {"error": "not_found", "error_description": "There is nothing here"})


def tenant_of(tx: Tx, name: str) -> str | None:
    """Give the id of a directory by id or domain; the partner's own for `common`."""
    own = keys.partner(tx)
    # The id that every world knows means its partner, whatever a world file calls it.
    if name.lower() in _COMMON | {own["tenant_id"].lower(), own["domain"].lower(), keys.PARTNER_TENANT}:
        return own["tenant_id"]
    row = tx.one("SELECT id FROM ms_tenant WHERE id = ? OR domain = ?", name.lower(), name)
    if row is None:
        row = tx.one("SELECT tenant AS id FROM ms_domain WHERE name = ? AND verified", name)
    return None if row is None else str(row["id"])


def _token(tx: Tx, request: Request, tenant: str, *, modern: bool) -> Reply:
    form = form_of(request)
    try:
        where = _directory(tx, tenant)
        row = _application(tx, *_presented(request, form), where)
        kind = _kind(tx, row, form)
        audience = _audience(form.get("scope" if modern else "resource", ""))
    except _RefusedError as refused:
        return _refusal(tx, refused)
    value = "eyJ0eXAi." + secrets.token_urlsafe(32)
    tx.run(
        "INSERT INTO ms_token VALUES (?, ?, ?, ?, ?, ?)",
        *(value, row["client"], where, kind, audience, tx.now + LIFE),
    )
    content = _modern(form, value) if modern else _classic(tx, form, value)
    if kind == "user":
        content["refresh_token"] = row["refresh"]
    return Reply(content=content, headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})


def _directory(tx: Tx, name: str) -> str:
    found = tenant_of(tx, name)
    if found is None:
        raise _RefusedError(400, "invalid_request", 90002, f"Tenant '{name}' not found.")
    return found


def _presented(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    """The application and its secret; in a header they are quoted once more."""
    sent = basic(request)
    if sent is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    return unquote(sent[0]), unquote(sent[1])


def _application(tx: Tx, client: str, secret: str, tenant: str) -> Any:
    row = tx.one("SELECT * FROM ms_key WHERE client = ?", client)
    if row is None:
        text = f"Application with identifier '{client}' was not found in the directory '{tenant}'."
        raise _RefusedError(400, "unauthorized_client", 700016, text)
    if not secrets.compare_digest(row["secret"].encode(), secret.encode()):
        text = f"Invalid client secret provided for app '{client}'."
        raise _RefusedError(401, "invalid_client", 7000215, text)
    if not _consented(tx, row, tenant):
        text = f"Application with identifier '{client}' was not found in the directory '{tenant}'."
        raise _RefusedError(400, "unauthorized_client", 700016, text)
    return row


def _consented(tx: Tx, row: Any, tenant: str) -> bool:
    if tenant == row["tenant"]:
        return True
    if tx.column("SELECT consent FROM ms_tenant WHERE id = ?", tenant) == [1]:
        return True
    relations = tx.column(
        "SELECT 1 FROM ms_relation WHERE status = 'active' AND json_extract(data, '$.customer.tenantId') = ?",
        tenant,
    )
    return bool(relations)


def _kind(tx: Tx, row: Any, form: Mapping[str, str]) -> str:
    match form.get("grant_type"):
        case "client_credentials":
            return "app"
        case "refresh_token":
            return _person(tx, row, form.get("refresh_token", ""))
    raise _RefusedError(400, "unsupported_grant_type", 70003, "The grant type is not supported.")


def _person(tx: Tx, row: Any, given: str) -> str:
    if not row["refresh"] or not secrets.compare_digest(row["refresh"].encode(), given.encode()):
        raise _RefusedError(400, "invalid_grant", 9002313, "Invalid request. The refresh token is malformed.")
    idle = tx.settings.refresh_days * DAY
    if idle and tx.now - row["used"] > idle:
        text = "The refresh token has expired due to inactivity."
        raise _RefusedError(400, "invalid_grant", 700082, text)
    tx.run("UPDATE ms_key SET used = ? WHERE client = ?", tx.now, row["client"])
    return "user"


def _audience(text: str) -> str:
    wanted = unquote(text).lower()
    if "graph.windows.net" in wanted:
        return "retired"
    if "partnercenter" in wanted or "partner-center" in wanted:
        return "partner-center"
    if "graph" in wanted:
        return "graph"
    raise _RefusedError(
        400, "invalid_resource", 500011, f"The resource principal named {text} was not found."
    )


def _classic(tx: Tx, form: Mapping[str, str], value: str) -> dict[str, Any]:
    # The older endpoint writes its numbers as text.
    person = {"scope": "user_impersonation"} if form.get("grant_type") == "refresh_token" else {}
    return {
        **person,
        "token_type": "Bearer",
        "expires_in": str(LIFE),
        "ext_expires_in": str(LIFE),
        "expires_on": str(int(tx.now) + LIFE),
        "not_before": str(int(tx.now) - 300),
        "resource": form.get("resource", ""),
        "access_token": value,
    }


def _modern(form: Mapping[str, str], value: str) -> dict[str, Any]:
    found: dict[str, Any] = {"token_type": "Bearer", "expires_in": LIFE - 1, "ext_expires_in": LIFE - 1}
    if form.get("grant_type") == "refresh_token":
        found["scope"] = form.get("scope", "")
    return {**found, "access_token": value}


def _refusal(tx: Tx, refused: _RefusedError) -> Reply:
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    when = moment(tx.now).replace("T", " ").replace("+00:00", "Z")
    text = f"AADSTS{refused.number}: {refused.text} Trace ID: {trace} Correlation ID: {correlation}"
    body = {
        "error": refused.error,
        "error_description": f"{text} Timestamp: {when}",
        "error_codes": [refused.number],
        "timestamp": when,
        "trace_id": trace,
        "correlation_id": correlation,
    }
    return Reply(refused.status, body)


def _configuration(tx: Tx, request: Request, tenant: str, *, version: str) -> Reply:
    where = tenant_of(tx, tenant)
    if where is None:
        return _refusal(tx, _RefusedError(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found."))
    root = f"{_base(request)}/login/{where}"
    return Reply(
        content={
            "token_endpoint": f"{root}/oauth2/{version}token",
            "authorization_endpoint": f"{root}/oauth2/{version}authorize",
            "device_authorization_endpoint": f"{root}/oauth2/{version}devicecode",
            "issuer": f"{root}/v2.0" if version else f"{root}/",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "tenant_region_scope": "EU",
        }
    )


def _instances(request: Request) -> Reply:
    base = _base(request)
    host = base.partition("://")[2]
    query = parse_qs(request.raw_query)
    asked = query.get("authorization_endpoint", [""])[0]
    tenant = asked.rstrip("/").removesuffix("/oauth2/v2.0/authorize").rsplit("/", 1)[-1] or "common"
    return Reply(
        content={
            "tenant_discovery_endpoint": f"{base}/login/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
    )


def _base(request: Request) -> str:
    # Microsoft's own library insists on https: a client behind a proxy says how it was reached.
    forwarded = request.headers.get("x-forwarded-proto")
    return request.base if forwarded is None else f"{forwarded}://{request.base.partition('://')[2]}"
