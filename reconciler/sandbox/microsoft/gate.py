"""Who may call Partner Center and Graph: the token, its audience, whose directory it is, and who stands behind it."""

from typing import Any

from reconciler.sandbox.call import Request
from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.microsoft.errors import classic, denied, odd, unauthorized
from reconciler.sandbox.microsoft.routes import NEEDS_USER
from reconciler.sandbox.router import Route
from reconciler.sandbox.store import Tx

_LICENCES = ("/licenses", "/licenseupdates", "/subscribedskus")


def partner(tx: Tx, request: Request, route: Route | None) -> dict[str, Any]:
    """Let somebody in at Partner Center, or refuse."""
    token = keys.bearer(tx, request.headers.get("authorization", ""))
    if token is None:
        raise unauthorized("The bearer token is missing, unknown or has expired")
    if token["audience"] == "retired":
        raise classic(900420)
    if token["audience"] != "partner-center" or token["tenant"] != keys.partner(tx)["tenant_id"]:
        raise unauthorized("The token is for another audience or directory")
    if route is not None and token["kind"] == "app" and (route.method, route.path) in NEEDS_USER:
        raise classic(900316 if route.path.endswith(_LICENCES) else 900329)
    return _caller(token)


def graph(tx: Tx, request: Request) -> dict[str, Any]:
    """Let somebody in at Graph, or refuse."""
    token = keys.bearer(tx, request.headers.get("authorization", ""))
    if token is None:
        raise odd("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.", 401)
    if token["audience"] != "graph":
        raise odd("InvalidAuthenticationToken", "Access token validation failure. Invalid audience.", 401)
    if token["kind"] == "app" and not tx.settings.graph_app_only:
        raise denied()
    return _caller(token)


def _caller(token: dict[str, Any]) -> dict[str, Any]:
    name = f"{token['client']}:{token['tenant']}:{token['kind']}"
    return {"name": name, "kind": token["kind"], "tenant": token["tenant"], "client": token["client"]}
