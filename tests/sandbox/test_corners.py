"""The refusals and by-ways that the real thing has as well."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from reconciler.sandbox.world import World
from tests.sandbox.makers import ACME, BUSINESS, GROUP, RESELLER, Api, Clock

GUIDE = Path(__file__).parents[2] / "docs" / "sandbox.md"
MONTH = 31 * 24 * 3600.0
TERMS = {"duration": "P1M", "pricingMode": "default", "quantity": 1}
JANE = f"/license/office/{GROUP}/user/jane.doe@{GROUP}"
FULL = f"/license/officePrepaid/{ACME}-1001"
EMPTY = f"/license/officePrepaid/{ACME}-1002"
TENANT = f"/saas/csp2/{RESELLER}"

REFUSALS: dict[str, tuple[int, Callable[[Api, str, int], Any]]] = {
    "a number that is none": (400, lambda api, _c, _i: api.get("/me/order/abc")),
    "a time that is none": (
        400,
        lambda api, _c, _i: api.get("/me/order", None, **{"date.from": "yesterday"}),
    ),
    "a window of centuries": (
        400,
        lambda api, _c, _i: api.get(
            f"/license/office/{GROUP}/usageStatistics", None, **{"from": "1900-01-01"}
        ),
    ),
    "a strange subsidiary": (400, lambda api, _c, _i: api.post("/order/cart", ovhSubsidiary="PL")),
    "no rules": (400, lambda api, _c, _i: api.post("/auth/credential", accessRules=[])),
    "an unknown item": (404, lambda api, cart, _i: api.get(f"/order/cart/{cart}/item/5")),
    "an unknown configuration": (
        404,
        lambda api, cart, item: api.get(f"/order/cart/{cart}/item/{item}/configuration/5"),
    ),
    "an unknown label": (
        400,
        lambda api, cart, item: api.post(
            f"/order/cart/{cart}/item/{item}/configuration", label="x", value="y"
        ),
    ),
    "an option of nothing": (
        404,
        lambda api, cart, _i: api.post(
            f"/order/cart/{cart}/office365Prepaid/options", **TERMS, planCode="office-business-pp", itemId=5
        ),
    ),
    "an unknown plan for a service": (
        400,
        lambda api, cart, _i: api.post(
            f"/order/cartServiceOption/officePrepaid/{ACME}", **TERMS, planCode="x", cartId=cart
        ),
    ),
    "seats for an unknown service": (
        404,
        lambda api, _c, _i: api.get("/order/cartServiceOption/officePrepaid/x"),
    ),
    "a catalogue for nobody": (400, lambda api, _c, _i: api.get("/order/catalog/public/officePrepaid")),
    "an unknown price": (404, lambda api, _c, _i: api.get("/price/license/office/officeHome")),
    "an unknown reseller price": (404, lambda api, _c, _i: api.get("/price/saas/csp2/license/Home")),
    "an unknown domain": (404, lambda api, _c, _i: api.get(f"/license/office/{GROUP}/domain/x.example")),
    "a login with a space": (
        400,
        lambda api, _c, _i: api.post(f"/license/office/{GROUP}/user", domain=GROUP, login="a b"),
    ),
    "an email without a domain": (400, lambda api, _c, _i: api.put(JANE, activationEmail="jane")),
    "a seat's email without a domain": (400, lambda api, _c, _i: api.put(EMPTY, activationEmail="john")),
    "a password for nobody": (
        400,
        lambda api, _c, _i: api.post(EMPTY + "/changePassword", shouldSendMail=True),
    ),
    "a period that is not sold": (
        400,
        lambda api, _c, _i: api.put(FULL + "/serviceInfos", renew={"period": 12}),
    ),
    "an engagement there is none of": (
        400,
        lambda api, _c, _i: api.put("/services/12001", terminationPolicy="terminateAtEngagementDate"),
    ),
    "an unknown service id": (404, lambda api, _c, _i: api.get("/services/5")),
    "an unknown licence": (404, lambda api, _c, _i: api.get(TENANT + "/orderableLicenses/99")),
    "an unknown subscription": (404, lambda api, _c, _i: api.get(TENANT + "/subscription/5")),
    "a window without a name": (400, lambda api, _c, _i: api.get(TENANT + "/usageStatistics")),
    "an unknown order": (404, lambda api, _c, _i: api.get("/me/order/5")),
    "an unknown mail": (404, lambda api, _c, _i: api.get("/me/notification/email/history/5")),
    "an unknown payment method": (404, lambda api, _c, _i: api.get("/me/payment/method/5")),
    "an unknown agreement": (404, lambda api, _c, _i: api.get("/me/agreements/5")),
    "an unknown directory": (404, lambda api, _c, _i: api.get("/msServices/x")),
    "a body that is a list": (400, lambda api, _c, _i: api.call("PUT", EMPTY, [])),
    "a body without what is required": (
        400,
        lambda api, _c, _i: api.post(TENANT + "/subscription", licenseId=14),
    ),
    "a filter that is none": (
        400,
        lambda api, _c, _i: api.get(
            "/license/office",
            {"X-Pagination-Mode": "CachedObjectList-Pages", "X-Pagination-Filter": "x", "Pragma": "no-cache"},
        ),
    ),
    "a filter by magic": (
        400,
        lambda api, _c, _i: api.get(
            "/license/office",
            {
                "X-Pagination-Mode": "CachedObjectList-Pages",
                "X-Pagination-Filter": "status:near=ok",
                "Pragma": "no-cache",
            },
        ),
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_it_refuses(api: Api, what: str) -> None:
    cart = api.cart()
    item = api.get(f"/order/cart/{cart}/item").body[0]
    status, ask = REFUSALS[what]

    assert ask(api, cart, item).status == status


def test_the_world_file_of_the_guide_can_be_loaded(clock: Clock) -> None:
    text = GUIDE.read_text(encoding="utf-8").split("## A world file")[1].split("```yaml")[1].split("```")[0]
    world = World.open(None, now=clock)

    world.load(YAML(typ="safe", pure=True).load(text))

    api = Api(world, clock, keys=("reader", "reader-secret", "reader-consumer"))
    seats = api.get("/license/officePrepaid").body
    infos = api.get(f"/license/officePrepaid/{seats[0]}/serviceInfos").body
    assert len(seats) == 3
    assert (infos["expiration"], infos["renew"]["deleteAtExpiration"]) == ("2027-01-31", True)
    assert api.get("/me/order").status == 403
    assert world.state()["open_orders"][0]["status"] == "delivering"
    world.close()


@pytest.mark.parametrize(
    "document",
    [
        {"prepaid": [{"service": "x", "seats": [{"licence": "home"}]}]},
        {"csp2": [{"service": "x", "subscriptions": [{"licence": "home", "quantity": 1}]}]},
        {"orders": [{"status": "delivered"}]},
        {"settings": {"batch": "maybe"}},
        {"payg": [{"service": "x", "people": []}]},
    ],
)
def test_a_world_that_makes_no_sense_is_refused_and_leaves_nothing(
    world: World, document: dict[str, Any]
) -> None:
    before = world.state()

    with pytest.raises(ValueError, match=r"no |is |has "):
        world.load(document)

    assert world.state() == before


def test_settings_come_with_a_world(world: World) -> None:
    world.load({"settings": {"delay": 0, "batch": False, "busy": "conflict"}})

    settings = world.settings()
    assert (settings.delay_task, settings.batch, settings.busy) == (0.0, False, "conflict")


def test_without_delays_everything_is_there_at_once(api: Api, world: World) -> None:
    world.set("delay", "0")
    order = api.order(quantity=2)
    api.post(TENANT + "/subscription", licenseId=16, quantity=3)
    seat = api.get("/license/officePrepaid").body[-1]

    assert api.get(f"/me/order/{order}/status").body == "delivered"
    assert api.get(f"/license/officePrepaid/{seat}").status == 200
    assert (
        api.get(f"{TENANT}/subscription/{api.get(TENANT + '/subscription').body[-1]}").body["status"] == "ok"
    )


@pytest.mark.parametrize("root", [f"/license/office/{GROUP}", TENANT])
def test_a_group_that_ends_takes_everything_with_it(api: Api, clock: Clock, world: World, root: str) -> None:
    infos = api.get(root + "/serviceInfos").body
    infos["renew"]["deleteAtExpiration"] = True
    api.put(root + "/serviceInfos", **infos)

    clock.sleep(MONTH)

    assert api.get(root).status == 404
    assert "tenant-ended" in {entry["what"] for entry in world.ledger()}


def test_a_user_who_is_told_to_end_goes_at_the_renewal(api: Api, clock: Clock) -> None:
    api.put(JANE, deleteAtExpiration=True)
    clock.sleep(MONTH)

    assert api.get(JANE).status == 404
    assert api.get(f"/license/office/{GROUP}/user").body == [f"o'hara@{GROUP}"]


def test_service_infos_without_renew_change_nothing(api: Api, world: World) -> None:
    assert api.put(FULL + "/serviceInfos", contactTech="xx1-ovh").status == 200

    assert world.ledger() == []


def test_what_already_ends_is_not_asked_about_again(api: Api) -> None:
    api.put("/services/12003", terminationPolicy="terminateAtExpirationDate", displayName="a name")
    api.put("/services/12003", renew={"mode": "manual", "period": "P1M"})

    shown = api.get("/services/12003").body
    assert api.post("/services/12003/terminate").body == {"message": ""}
    assert shown["resource"]["displayName"] == "a name"
    assert shown["billing"]["renew"]["current"]["mode"] == "manual"
    assert shown["billing"]["lifecycle"]["current"]["pendingActions"] == ["terminateAtExpirationDate"]
    assert api.get("/services", routes="/saas/csp2/{serviceName}").body == [12005]


def test_a_services_token_ends_it_too(api: Api, clock: Clock) -> None:
    api.post("/services/12003/terminate")
    clock.sleep(5)
    mail = api.get(f"/me/notification/email/history/{api.get('/me/notification/email/history').body[0]}").body

    assert api.post("/services/12003/terminate/confirm", token=mail["body"].split("token=")[1]).status == 200
    assert api.get("/services/12003").body["billing"]["nextBillingDate"] is None


def test_a_cart_is_taken_apart_again(api: Api) -> None:
    cart = api.cart(description="one")
    item = f"/order/cart/{cart}/item/{api.get(f'/order/cart/{cart}/item').body[0]}"
    label = "existing_tenant_service_name"
    found = api.get(item + "/configuration", None, label=label).body
    api.delete(f"{item}/configuration/{found[0]}")
    left = api.get(item + "/configuration").body
    api.delete(item)

    assert (len(found), left) == (1, [])
    assert api.get(f"/order/cart/{cart}/item").body == []
    assert api.get(f"/order/cart/{cart}/checkout").status == 400
    assert api.delete(f"/order/cart/{cart}").body is None
    assert api.get(f"/order/cart/{cart}").status == 404


def test_a_cart_with_its_own_expiry_ends_then(api: Api, clock: Clock) -> None:
    cart = api.post("/order/cart", ovhSubsidiary="FR", expire="2026-03-15T10:00:00+00:00").body["cartId"]
    api.put(f"/order/cart/{cart}", expire="2026-03-15T11:00:00+00:00")
    clock.sleep(3600)
    before = api.get(f"/order/cart/{cart}").status
    clock.sleep(3600)

    assert (before, api.get(f"/order/cart/{cart}").status) == (200, 404)


def test_a_paid_order_is_not_paid_again(api: Api) -> None:
    number = api.order()

    assert (
        api.post(f"/me/order/{number}/payWithRegisteredPaymentMean", paymentMean="creditCard").status == 400
    )


def test_an_unpaid_order_has_no_bill_yet(api: Api) -> None:
    number = api.post(f"/order/cart/{api.cart()}/checkout").body["orderId"]

    assert api.get(f"/me/order/{number}/associatedObject").body == {"id": None, "type": None}
    assert api.get(f"/me/order/{number}/payment").status == 404


def test_a_cancelled_order_says_where_it_ended(api: Api, clock: Clock, world: World) -> None:
    world.fault("order-cancelled")
    number = api.order()
    clock.sleep(3)

    steps = {step["step"]: step["status"] for step in api.get(f"/me/order/{number}/followUp").body}
    assert steps["VALIDATED"] == "ERROR"


def test_an_order_withdrawn_on_its_way_is_never_delivered(api: Api, clock: Clock) -> None:
    number = api.order()
    api.post(f"/me/order/{number}/retraction", reason="other")
    clock.sleep(3600)

    assert api.get(f"/me/order/{number}/status").body == "cancelled"
    assert len(api.get("/license/officePrepaid").body) == 3


def test_without_a_partner_id_nothing_new_is_sold_where_one_is_required(api: Api, world: World) -> None:
    world.set("mpn_required", "on")
    api.put(TENANT, mpnId=None)

    assert api.post(TENANT + "/subscription", licenseId=16, quantity=1).status == 400


def test_new_seats_may_be_closed_for_a_licence(api: Api, world: World) -> None:
    old = {"id": 30, "name": "Old", "new_seats": False, "new_subscriptions": False}
    subscriptions = [{"licence": "Old", "quantity": 5}]
    world.load({"csp2": [{"service": "old", "licences": [old], "subscriptions": subscriptions}]})
    number = api.get("/saas/csp2/old/subscription").body[0]

    assert api.post(f"/saas/csp2/old/subscription/{number}/changeQuantity", quantity=6).status == 400
    assert api.post(f"/saas/csp2/old/subscription/{number}/changeQuantity", quantity=4).status == 200


def test_payment_methods_are_filtered(api: Api) -> None:
    methods = "/me/payment/method"

    assert len(api.get(methods, None, paymentType="CREDIT_CARD").body) == 1
    assert api.get(methods, None, paymentType="SEPA_DIRECT_DEBIT").body == []
    assert api.get(methods, None, status="EXPIRED").body == []
    assert api.get(methods, None, default="false").body == []


def test_a_numeric_filter_compares_numbers(api: Api) -> None:
    api.put(EMPTY, activationEmail=f"john@{ACME}", firstName="John")
    headers = {"X-Pagination-Mode": "CachedObjectList-Pages", "Pragma": "no-cache"}

    busy = api.get("/license/officePrepaid", {**headers, "X-Pagination-Filter": "taskPendingId:gt=0"}).body
    some = api.get("/license/officePrepaid", {**headers, "X-Pagination-Filter": "firstName:in=Ada,Eve"}).body

    assert [one["serviceName"] for one in busy] == [f"{ACME}-1002"]
    assert [one["firstName"] for one in some] == ["Ada"]


def test_a_new_password_is_mailed_when_it_was_generated(api: Api, clock: Clock, world: World) -> None:
    api.post(FULL + "/changePassword", shouldSendMail=False, password="Abcdef12")
    clock.sleep(1)
    quiet = api.get("/me/notification/email/history").body
    api.post(FULL + "/changePassword", shouldSendMail=True)
    world.fault("task-error")
    api.post(JANE + "/changePassword", shouldSendMail=True)
    clock.sleep(1)

    assert quiet == []
    assert len(api.get("/me/notification/email/history").body) == 1
    assert "Abcdef12" not in str(world.ledger())


def test_somebody_else_cannot_change_what_is_not_there(world: World) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        world.change("ending nobody on")
    with pytest.raises(ValueError, match="no change"):
        world.fault("interference", change="bogus")


def test_prices_come_from_the_world(api: Api, world: World) -> None:
    world.load({"prices": {"prepaid": {"officeBusiness": "9.99"}, "csp2": {"BusinessPremium": "19.90"}}})

    definition = api.get(f"/order/cart/{api.cart()}/officePrepaid").body[0]
    assert (definition["planCode"], definition["prices"][0]["priceInUcents"]) == (BUSINESS, 999000000)
    assert api.get("/price/saas/csp2/license/BusinessPremium").body["value"] == 19.9
    assert api.get("/price/saas/csp2/license/ProPlus").body["value"] == 9.9
