"""No body and no question, however strange, makes the sandbox fall over: it is refused, or taken."""

from typing import Any

import pytest

from reconciler.sandbox.microsoft.routes import GRAPH, PARTNER
from reconciler.sandbox.router import Route
from reconciler.sandbox.world import World
from tests.sandbox.microsoft.makers import ACME, SUBSCRIPTION, Cloud

STRANGE: tuple[Any, ...] = (None, [], "text", 7, {}, {"id": None}, {"": {}})
FIELDS = (
    "companyProfile", "billingProfile", "relationshipToPartner", "lineItems", "quantity", "status", "attributes",
    "scheduledNextTermInstructions", "primaryContact", "templateId", "dateAgreed", "type", "licensesToAssign",
    "licensesToRemove", "addLicenses", "removeLicenses", "requests", "displayName", "duration", "accessDetails",
    "accessContainer", "action", "id", "isDefault", "userPrincipalName", "accountEnabled", "mailNickname",
    "passwordProfile", "usageLocation", "termDuration", "billingCycle", "autoRenewEnabled", "country", "culture",
    "email", "language", "companyName", "defaultAddress", "addressLine1", "friendlyName",
)  # fmt: skip
QUESTIONS = ("'", "[]", "-1", "x eq", "((", "a/any(b:c)", "0", "%", "{}", '{"Field":[]}')
ASKED = (
    "$filter",
    "$select",
    "$top",
    "$skiptoken",
    "$orderby",
    "size",
    "offset",
    "filter",
    "country",
    "mpnId",
)


def routes(method: str) -> list[tuple[str, Route]]:
    return [
        (name, one)
        for name, table in (("p", PARTNER), ("g", GRAPH))
        for one in table.routes
        if one.method in method
    ]


def named(route: Route, acme: str) -> str:
    known = {
        "customer": acme,
        "subscription": SUBSCRIPTION,
        "user": "ada@acme.example",
        "domain": "acme.example",
    }
    parts = (known.get(part[1:-1], "x") if part.startswith("{") else part for part in route.path.split("/"))
    return "/".join(parts)


def bodies() -> list[Any]:
    whole: list[Any] = [dict.fromkeys(FIELDS, value) for value in STRANGE]
    lists: list[Any] = [{name: [value] for name in FIELDS} for value in STRANGE]
    deep: list[Any] = [{name: dict.fromkeys(FIELDS, value) for name in FIELDS} for value in STRANGE]
    return [*STRANGE, *whole, *lists, *deep]


@pytest.mark.parametrize(
    ("surface", "route"), routes("POST PUT PATCH"), ids=lambda one: getattr(one, "path", one)
)
def test_no_body_is_too_strange(world: World, acme: str, surface: str, route: Route) -> None:
    cloud = Cloud(world, "/partner-center/v1" if surface == "p" else "/graph/v1.0", user=True)
    if surface == "g" and "delegated" not in route.path:
        cloud.tenant = ACME
    seen = [cloud.call(route.method, named(route, acme), body, {"If-Match": "*"}).status for body in bodies()]

    assert set(seen) <= {200, 201, 202, 204, 400, 403, 404, 405, 409, 412}
    assert world.state()["microsoft"]["counts"]["customer"] == 1


@pytest.mark.parametrize(("surface", "route"), routes("GET HEAD"), ids=lambda one: getattr(one, "path", one))
def test_no_question_is_too_strange(world: World, acme: str, surface: str, route: Route) -> None:
    cloud = Cloud(world, "/partner-center/v1" if surface == "p" else "/graph/v1.0")
    if surface == "g" and "delegated" not in route.path:
        cloud.tenant = ACME
    path = named(route, acme)
    seen = [cloud.call("GET", path, None, None, {name: text}).status for name in ASKED for text in QUESTIONS]

    assert set(seen) <= {200, 400, 403, 404, 405}
