"""The Microsoft side of a world: its file, its faults, its commands, and the units that OVHcloud sells into it."""

import asyncio
import json
import threading
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import fields
from ruamel.yaml import YAML

from reconciler.cli.sandbox import sandbox
from reconciler.sandbox import client, server
from reconciler.sandbox.call import Request
from reconciler.sandbox.faults import KINDS
from reconciler.sandbox.interference import CHANGES
from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.settings import Settings
from reconciler.sandbox.world import World
from tests.sandbox.makers import Api, Clock
from tests.sandbox.microsoft.makers import ACME, E3, NEWCO, PREMIUM, SUBSCRIPTION, Cloud

GUIDE = Path(__file__).parents[3] / "docs" / "sandbox.md"

BRIDGED: dict[str, Any] = {
    "microsoft": {
        "tenants": [{"domain": NEWCO, "name": "Newco", "users": [{"login": "ada", "country": "lt"}]}]
    },
    "csp2": [
        {
            "service": "newco-csp",
            "directory": NEWCO,
            "subscriptions": [{"id": 501, "licence": "Office 365 E3", "quantity": 4}],
        }
    ],
}


def whats(world: World) -> list[str]:
    return [entry["what"] for entry in world.ledger()]


def units(graph: Cloud) -> dict[str, int]:
    rows = graph.get("/subscribedSkus").body["value"]
    return {row["skuPartNumber"]: row["prepaidUnits"]["enabled"] for row in rows}


def test_loading_a_world_buys_nothing(world: World) -> None:
    assert world.ledger() == []
    counts = world.state()["microsoft"]["counts"]
    assert (counts["customer"], counts["tenant"], counts["user"], counts["subscription"]) == (1, 2, 3, 1)


def test_what_ovhcloud_sells_is_seen_in_the_linked_directory(world: World, clock: Clock) -> None:
    world.load(BRIDGED)
    world.set("delay_provisioning", "900")
    ovh, graph = Api(world, clock), Cloud(world, "/graph/v1.0", tenant=NEWCO)
    assert units(graph) == {"ENTERPRISEPACK": 4}
    path = "/saas/csp2/newco-csp/subscription"

    ovh.post(f"{path}/501/changeQuantity", quantity=6)
    ovh.post(path, licenseId=18, quantity=2)
    clock.sleep(5)
    assert units(graph) == {"ENTERPRISEPACK": 4}
    clock.sleep(900)

    assert units(graph) == {"ENTERPRISEPACK": 6, "EXCHANGESTANDARD": 2}
    lots = graph.get("/directory/subscriptions").body["value"]
    assert [(lot["totalLicenses"], lot["ownerTenantId"]) for lot in lots] == [(6, None), (2, None)]
    body = {"addLicenses": [{"skuId": E3.sku}], "removeLicenses": []}
    assert graph.post(f"/users/ada@{NEWCO}/assignLicense", body).status == 200
    ovh.delete(f"{path}/501")
    clock.sleep(5)
    rows = {row["skuPartNumber"]: row for row in graph.get("/subscribedSkus").body["value"]}
    assert (rows["ENTERPRISEPACK"]["capabilityStatus"], rows["ENTERPRISEPACK"]["consumedUnits"]) == (
        "Deleted",
        1,
    )
    world.change("quantity-changed 502 9")
    assert units(graph)["EXCHANGESTANDARD"] == 9


def test_a_world_file_says_everything(world: World, partner: Cloud) -> None:
    world.reset(
        {
            "settings": {"refresh_days": 90},
            "microsoft": {
                "partner": {
                    "tenant_id": "11111111-2222-4333-8444-555555555555",
                    "currency": "PLN",
                    "country": "PL",
                },
                "keys": [{"client_id": "other", "client_secret": "s", "refresh_token": "r"}],
                "customers": [
                    {
                        "id": "99999999-2222-4333-8444-555555555555",
                        "domain": NEWCO,
                        "country": "PL",
                        "agreement": "none",
                        "registration_number": "5260001246",
                        "subscriptions": [
                            {"product": E3.id, "quantity": 2, "status": "suspended"},
                            {"product": PREMIUM.sku, "term": "P1M", "bought": "2026-03-01", "renew": False},
                        ],
                        "users": [
                            {
                                "login": "eve",
                                "enabled": False,
                                "group_licences": {"sales": ["SPB"]},
                                "country": "pl",
                            }
                        ],
                        "skus": [{"sku": "POWER_BI_PRO", "units": 3, "status": "expired"}],
                        "admin": True,
                        "consent": False,
                    }
                ],
            },
        }
    )
    partner.tenant = "11111111-2222-4333-8444-555555555555"
    number = partner.get("/customers").body["items"][0]["id"]
    assert number == "99999999-2222-4333-8444-555555555555"
    found = partner.get(f"/customers/{number}/subscriptions").body["items"]
    assert [(one["quantity"], one["status"], one["autoRenewEnabled"]) for one in found] == [
        (2, "suspended", False),
        (1, "active", False),
    ]
    assert found[1]["effectiveStartDate"] == "2026-03-01T00:00:00Z"
    profile = partner.get(f"/customers/{number}/profiles/company").body
    assert profile["organizationRegistrationNumber"] == "5260001246"
    assert partner.fill(number, 1).body["lineItems"][0]["currencyCode"] == "PLN"
    world.change(f"application-consented {number}")
    inside = Cloud(world, "/graph/v1.0", tenant=number)
    rows = {row["skuPartNumber"]: row for row in inside.get("/subscribedSkus").body["value"]}
    assert rows["POWER_BI_PRO"]["prepaidUnits"]["warning"] == 3
    assert rows["ENTERPRISEPACK"]["prepaidUnits"]["suspended"] == 2
    assert rows["SPB"]["consumedUnits"] == 1
    people = inside.get("/users", select="accountEnabled,userPrincipalName").body["value"]
    assert {one["userPrincipalName"]: one["accountEnabled"] for one in people} == {
        f"admin@{NEWCO}": True,
        f"eve@{NEWCO}": False,
    }


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"shoes": 1}, "microsoft has no shoes"),
        ({"customers": [{"domain": NEWCO, "shoes": 1}]}, "a customer has no shoes"),
        ({"customers": [{"domain": NEWCO, "id": "x"}]}, "no GUID"),
        ({"customers": [{"domain": NEWCO, "agreement": "maybe"}]}, "attested, signed or none"),
        ({"customers": [{"domain": NEWCO, "validation": "maybe"}]}, "is none of"),
        ({"customers": [{"domain": NEWCO, "subscriptions": [{"product": "Shoe"}]}]}, "is no product"),
        (
            {"customers": [{"domain": NEWCO, "subscriptions": [{"product": "SPB", "term": "P9Y"}]}]},
            "not sold for",
        ),
        (
            {"customers": [{"domain": NEWCO, "subscriptions": [{"product": "SPB", "status": "old"}]}]},
            "active or suspended",
        ),
        (
            {"tenants": [{"domain": NEWCO, "skus": [{"sku": "SPB", "units": 1, "status": "x"}]}]},
            "a SKU of a directory",
        ),
        ({"tenants": [{"domain": NEWCO, "subscriptions": []}]}, "a tenant has no subscriptions"),
    ],
)
def test_a_world_file_that_makes_no_sense_is_refused(
    world: World, part: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        world.load({"microsoft": part})

    assert world.state()["microsoft"]["counts"]["tenant"] == 2


def test_a_reseller_tenant_needs_a_directory_that_is_there(world: World) -> None:
    with pytest.raises(ValueError, match="there is no directory"):
        world.load({"csp2": [{"service": "x", "directory": "nobody.example"}]})


@pytest.mark.parametrize(
    "text",
    [
        "directory-user-removed nobody.example x",
        f"directory-user-removed {ACME} nobody",
        f"licence-given {ACME} bob@acme.example Shoe",
        "subscription-resized nothing 1",
        f"subscription-status {SUBSCRIPTION} sleeping",
        "domain-published nobody.example",
        "relationship-approved",
    ],
)
def test_a_change_that_cannot_be_is_refused(world: World, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        world.change(text)


def test_somebody_else_changes_a_directory(world: World, graph: Cloud) -> None:
    world.change(f"directory-user-removed {ACME} cy@acme.example")
    world.change(f"licence-given {ACME} bob@acme.example SPB")
    world.change(f"licence-taken {ACME} ada@acme.example SPB")
    world.change(f"agreement-attested {ACME}")

    found = graph.get("/users", select="userPrincipalName,assignedLicenses").body["value"]
    assert [(one["userPrincipalName"], len(one["assignedLicenses"])) for one in found] == [
        ("ada@acme.example", 0),
        ("bob@acme.example", 1),
    ]


BEFORE = ("lose-reply-before", "error-before", "html", "throttle", "refuse", "busy")
AFTER = ("lose-reply-after", "error-after", "malformed", "wrong-types", "slow")


@pytest.mark.parametrize("fault", BEFORE + AFTER)
def test_a_fault_strikes_both_surfaces(
    world: World, partner: Cloud, graph: Cloud, acme: str, fault: str
) -> None:
    document = partner.get(f"/customers/{acme}/subscriptions/{SUBSCRIPTION}").body
    world.fault(fault, method="PATCH", times=2)

    first = partner.patch(f"/customers/{acme}/subscriptions/{SUBSCRIPTION}", {**document, "quantity": 4})
    second = graph.patch("/users/bob@acme.example", {"surname": "Bee"})

    assert whats(world) == (["partner-quantity-changed", "graph-user-changed"] if fault in AFTER else [])
    lost = {"lose-reply-before": "before", "lose-reply-after": "after", "refuse": "refused"}.get(fault, "")
    statuses = {"throttle": (429, 429), "html": (503, 503), "busy": (409, 423), "error-before": (500, 500)}
    statuses["error-after"] = (500, 500)
    assert {first.reply.lost, second.reply.lost} == {lost}
    if fault in statuses:
        assert (first.status, second.status) == statuses[fault]


def test_a_list_may_fail_where_a_single_thing_does_not(
    world: World, partner: Cloud, graph: Cloud, acme: str
) -> None:
    world.fault("fail-list", times=2)

    assert partner.get(f"/customers/{acme}").status == 200
    assert graph.get("/users/ada@acme.example").status == 200
    assert partner.get(f"/customers/{acme}/subscriptions").status == 500
    assert graph.get("/users").status == 500
    assert graph.get("/users").status == 200


def test_somebody_interferes_right_before_or_after_a_call(
    world: World, partner: Cloud, graph: Cloud, acme: str
) -> None:
    document = partner.get(f"/customers/{acme}/subscriptions/{SUBSCRIPTION}").body
    world.fault("interference", method="PATCH", change=f"subscription-resized {SUBSCRIPTION} 8")
    refused = partner.patch(f"/customers/{acme}/subscriptions/{SUBSCRIPTION}", {**document, "quantity": 4})
    assert refused.body["code"] == 2055

    change = f"directory-user-removed {ACME} bob@acme.example"
    world.fault("interference", method="PATCH", change=change, when="after")
    assert graph.patch("/users/bob@acme.example", {"surname": "Bee"}).status == 204

    assert graph.get("/users/bob@acme.example").status == 404


def test_a_body_that_is_no_json_is_refused(partner: Cloud, graph: Cloud, acme: str) -> None:
    for cloud, path in ((partner, f"/customers/{acme}/carts"), (graph, "/users")):
        answer = cloud.send(Request("POST", "https://sandbox.localhost", cloud.prefix + path, "", {}, b"{"))
        assert answer.status == 400


def test_realistic_delays_are_minutes_and_hours(world: World) -> None:
    world.set("realistic", "on")

    settings = world.settings()
    assert (settings.delay_order_list, settings.delay_provisioning, settings.delay_renewal) == (
        900,
        900,
        6 * 3600,
    )
    world.set("delay", "0")
    assert {world.settings().delay_gdap, world.settings().delay_usage_location} == {0.0}


def test_without_delays_everything_is_there_at_once(
    world: World, partner: Cloud, graph: Cloud, acme: str
) -> None:
    world.set("delay", "0")

    order = partner.checkout(acme, partner.cart(acme, 2)).body["orders"][0]

    assert (order["status"], bool(order["lineItems"][0]["subscriptionId"])) == ("completed", True)
    assert units(graph)["ENTERPRISEPACK"] == 2


def test_the_ledger_and_the_log_know_the_surfaces(world: World, partner: Cloud) -> None:
    partner.get("/customers")

    log = [(one["method"], one["path"], one["status"]) for one in world.requests()]

    assert log[-1] == ("GET", "/partner-center/v1/customers", 200)
    assert log[-2][1].startswith("/login/")
    assert all("Bearer" not in str(one) and keys.CLIENT_SECRET not in str(one) for one in world.requests())


def run(*words: str) -> Result:
    return CliRunner().invoke(sandbox, words)


def test_the_commands_work_on_the_microsoft_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (
        "microsoft:\n  customers:\n    - {domain: acme.onmicrosoft.com, users: [{login: ada, country: no}]}\n"
    )
    (tmp_path / "world.yaml").write_text(text, encoding="utf-8")

    assert run("reset", "--world", "world.yaml").exit_code == 0
    assert run("change", "directory-user-added", ACME, "bob@acme.onmicrosoft.com", "lt").exit_code == 0
    assert run("set", "delay_order_list=60", "gdap_app_only=on", "consent=required").exit_code == 0
    assert run("set", "consent=maybe").exit_code == 64
    assert run("fault", "order-error").output == "fault 1: order-error\n"
    assert run("advance", "30d").exit_code == 0
    assert run("pay", "0123456789ab").exit_code == 1
    state = json.loads(run("state").output)

    assert state["microsoft"]["counts"]["user"] == 2
    assert state["settings"]["consent"] == "required"


def test_it_is_reached_inside_this_process() -> None:
    world = World.open(None)
    world.load({"microsoft": {"customers": [{"domain": ACME}]}})

    async def ask() -> Any:
        async with httpx.AsyncClient(transport=client.transport(world)) as http:
            form = {key: value for key, value in keys.CREDENTIALS.items() if key.startswith("client")}
            form |= {
                "grant_type": "client_credentials",
                "resource": "https://api.partnercenter.microsoft.com",
            }
            url = f"{client.MICROSOFT_URLS['login']}/{keys.CREDENTIALS['tenant_id']}/oauth2/token"
            token = (await http.post(url, data=form)).json()["access_token"]
            sent = {"Authorization": f"Bearer {token}", "MS-RequestId": "one"}
            return await http.get(f"{client.MICROSOFT_URLS['partner_center']}/v1/customers", headers=sent)

    answer = asyncio.run(ask())
    world.close()

    assert answer.json()["items"][0]["companyProfile"]["domain"] == ACME
    assert answer.headers["ms-requestid"] == "one"
    assert "x-ovh-queryid" not in answer.headers


def test_empty_answers_are_empty_over_http() -> None:
    world = World.open(None)
    world.load({"microsoft": {"customers": [{"domain": ACME, "users": [{"login": "ada"}]}]}})
    told = threading.Event()
    running = server.server(world, 0)
    running.tell = lambda _: told.set()
    thread = threading.Thread(target=running.run)
    thread.start()
    assert told.wait(10)
    port = int(server.address(running).rsplit(":", 1)[1].split("/")[0])
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    partner, graph = (
        Cloud(world, "/partner-center/v1").sign_in(),
        Cloud(world, "/graph/v1.0", tenant=ACME).sign_in(),
    )

    found = []
    for method, path, token in (
        ("HEAD", f"/partner-center/v1/domains/{ACME}", partner),
        ("HEAD", "/partner-center/v1/domains/free.example", partner),
        ("DELETE", f"/graph/v1.0/users/ada@{ACME}", graph),
    ):
        connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        found.append((answer.status, answer.read()))
    connection.close()
    running.should_exit = True
    thread.join(10)
    world.close()

    assert found == [(200, b""), (404, b""), (204, b"")]


def test_the_clock_of_a_year_goes_by_in_one_step(world: World, partner: Cloud, acme: str) -> None:
    partner.buy(acme, 2)

    world.advance(timedelta(days=400))

    renewed = [entry for entry in world.ledger() if entry["what"] == "partner-subscription-renewed"]
    assert [entry["id"] == SUBSCRIPTION for entry in renewed] == [True, False]


def test_the_world_file_of_the_guide_has_its_directories(clock: Clock) -> None:
    text = GUIDE.read_text(encoding="utf-8").split("## A world file")[1].split("```yaml")[1].split("```")[0]
    world = World.open(None, now=clock)

    world.load(YAML(typ="safe", pure=True).load(text))

    contoso = Cloud(world, "/graph/v1.0", tenant="contoso.onmicrosoft.com")
    fabrikam = Cloud(world, "/graph/v1.0", tenant="fabrikam.example")
    assert units(contoso) == {"O365_BUSINESS": 12, "POWER_BI_PRO": 5}
    assert units(fabrikam) == {"SPB": 10}
    world.close()


def test_every_change_and_setting_is_in_the_guide() -> None:
    text = GUIDE.read_text(encoding="utf-8")

    assert [name for name in CHANGES if f"`{name}" not in text] == []
    assert [field.name for field in fields(Settings) if f"`{field.name}`" not in text] == []
    assert [name for name in KINDS if f"`{name}`" not in text] == []
