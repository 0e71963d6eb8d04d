"""Each fault does what it says, to the calls it was asked for, as often as it was asked."""

import pytest

from reconciler.sandbox.world import World
from tests.sandbox.makers import ACME, GROUP, RESELLER, Api, Clock

SEAT = f"/license/officePrepaid/{ACME}-1002"
USERS = f"/license/office/{GROUP}/user"
PERSON = {"activationEmail": f"john@{ACME}", "firstName": "John", "lastName": "Roe"}


def orders(world: World) -> int:
    return sum(entry["what"] == "order-placed" for entry in world.ledger())


@pytest.mark.parametrize(
    ("fault", "lost", "placed"),
    [("refuse", "refused", 0), ("lose-reply-before", "before", 0), ("lose-reply-after", "after", 1)],
)
def test_a_lost_checkout_took_effect_or_not(
    api: Api, world: World, fault: str, lost: str, placed: int
) -> None:
    cart = api.cart()
    world.fault(fault, path="/order/cart/{}/checkout", method="POST")

    answer = api.post(f"/order/cart/{cart}/checkout")

    assert answer.reply.lost == lost
    assert orders(world) == placed
    assert api.get(f"/order/cart/{cart}").body["readOnly"] is bool(placed)
    assert world.requests()[-2]["status"] == 0


@pytest.mark.parametrize(("fault", "placed"), [("error-before", 0), ("error-after", 1)])
def test_an_error_came_before_or_after_the_effect(api: Api, world: World, fault: str, placed: int) -> None:
    cart = api.cart()
    world.fault(fault, path="/order/cart/{cartId}/checkout")

    answer = api.post(f"/order/cart/{cart}/checkout")

    assert (answer.status, answer.body["class"]) == (500, "Server::InternalServerError")
    assert orders(world) == placed


def test_throttling_says_when_to_come_again(api: Api, world: World) -> None:
    world.fault("throttle", times=2, seconds=7)

    answers = [api.get("/me") for _ in range(3)]

    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"


def test_the_load_balancer_answers_html(api: Api, world: World) -> None:
    world.fault("html")

    answer = api.get("/me")

    assert (answer.status, answer.reply.media_type) == (408, "text/html")
    assert answer.reply.raw is not None
    assert answer.reply.raw.startswith(b"<html>")


def test_a_malformed_answer_took_effect(api: Api, clock: Clock, world: World) -> None:
    world.fault("malformed", method="PUT")
    answer = api.put(SEAT, **PERSON)
    clock.sleep(1)

    assert answer.status == 200
    assert answer.reply.raw == b'{"serviceName": "cut o'
    assert api.get(SEAT).body["firstName"] == "John"


def test_values_of_other_types_come_in_the_same_fields(api: Api, world: World) -> None:
    world.fault("wrong-types", path="/license/officePrepaid/{}")

    body = api.get(SEAT).body

    assert body["isVirtual"] == {"unexpected": True}
    assert body["firstName"] == len("configureme")
    assert set(body) == set(api.get(SEAT).body)


def test_a_slow_answer_took_effect(api: Api, clock: Clock, world: World) -> None:
    world.fault("slow", method="PUT", seconds=90)
    answer = api.put(SEAT, **PERSON)
    clock.sleep(1)

    assert answer.reply.wait == 90
    assert not api.get(SEAT).body["isVirtual"]


def test_only_lists_fail(api: Api, world: World) -> None:
    world.fault("fail-list", path="/license/office/{}/user*", times=9)

    assert api.get(USERS).status == 500
    assert api.get(f"{USERS}/jane.doe@{GROUP}").status == 200
    assert api.get("/license/office").status == 200


def test_some_of_a_batch_fail(api: Api, world: World) -> None:
    world.fault("partial-batch")

    answer = api.get(f"/license/officePrepaid/{ACME}-1001,{ACME}-1002,{ACME}-1003", {"X-Ovh-Batch": ","})

    assert answer.status == 200
    assert [one["error"] is None for one in answer.body] == [True, False, True]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", SEAT, PERSON),
        ("POST", f"/license/officePrepaid/{ACME}-1001/unconfigure", {}),
        ("POST", USERS, {"domain": GROUP, "login": "new"}),
        ("PUT", f"{USERS}/jane.doe@{GROUP}", {"firstName": "Janet"}),
        ("DELETE", f"{USERS}/jane.doe@{GROUP}", None),
        ("POST", f"/saas/csp2/{RESELLER}/subscription", {"licenseId": 16, "quantity": 3}),
        ("POST", f"/saas/csp2/{RESELLER}/subscription/501/changeQuantity", {"quantity": 15}),
        ("DELETE", f"/saas/csp2/{RESELLER}/subscription/501", None),
    ],
)
def test_a_task_that_ends_in_error_leaves_things_as_they_were(
    api: Api, clock: Clock, world: World, method: str, path: str, body: object
) -> None:
    roots = (SEAT, f"/license/officePrepaid/{ACME}-1001", f"{USERS}/jane.doe@{GROUP}", USERS)
    reads = (*roots, f"/saas/csp2/{RESELLER}/subscription", f"/saas/csp2/{RESELLER}/subscription/501")
    before = [api.get(read).body for read in reads]
    world.fault("task-error")

    assert api.call(method, path, body).status == 200
    clock.sleep(1)

    after = [api.get(read).body for read in reads]
    assert after == before
    assert [entry["what"] for entry in world.ledger()].count("task-failed") == 1


def test_what_was_delivered_stays_unreadable(api: Api, clock: Clock, world: World) -> None:
    world.fault("delivered-then-404", seconds=600)
    number = api.order()
    clock.sleep(60)
    seat = api.get("/license/officePrepaid").body[-1]

    early = api.get(f"/license/officePrepaid/{seat}").status
    clock.sleep(600)

    assert api.get(f"/me/order/{number}/status").body == "delivered"
    assert (early, api.get(f"/license/officePrepaid/{seat}").status) == (404, 200)


def test_an_order_comes_late(api: Api, clock: Clock, world: World) -> None:
    world.fault("late-delivery", seconds=3600)
    number = api.order()
    clock.sleep(3600)
    before = api.get(f"/me/order/{number}/status").body
    clock.sleep(3)

    assert (before, api.get(f"/me/order/{number}/status").body) == ("delivering", "delivered")


def test_an_order_is_cancelled(api: Api, clock: Clock, world: World) -> None:
    world.fault("order-cancelled")
    number = api.order()
    clock.sleep(10)

    assert api.get(f"/me/order/{number}/status").body == "cancelled"
    assert len(api.get("/license/officePrepaid").body) == 3


def test_an_order_waits_for_documents_until_a_person_brings_them(
    api: Api, clock: Clock, world: World
) -> None:
    world.fault("order-documents")
    number = api.order()
    clock.sleep(24 * 3600)
    before = api.get(f"/me/order/{number}/status").body

    world.pay(number)
    clock.sleep(3)

    assert (before, api.get(f"/me/order/{number}/status").body) == ("documentsRequested", "delivered")


def test_a_payment_is_refused(api: Api, world: World) -> None:
    number = api.post(f"/order/cart/{api.cart()}/checkout").body["orderId"]
    world.fault("payment-refused")

    refused = api.post(f"/me/order/{number}/payWithRegisteredPaymentMean", paymentMean="creditCard")

    assert (refused.status, set(refused.body)) == (403, {"message"})
    assert api.get(f"/me/order/{number}/status").body == "notPaid"


def test_a_busy_object_takes_no_writes_but_can_be_read(api: Api, world: World) -> None:
    world.fault("busy")

    assert api.get(SEAT).status == 200
    assert api.put(SEAT, **PERSON).body["class"] == "Client::Forbidden::Busy"
    assert api.put(SEAT, **PERSON).status == 200


def test_an_expired_service_has_its_own_code(api: Api, world: World) -> None:
    world.fault("expired", path="/license/officePrepaid/{}")

    assert api.get(SEAT).status == 460


def test_somebody_else_is_faster(api: Api, world: World) -> None:
    world.fault("interference", method="PUT", change=f"seat-taken {ACME}-1002 eve@{ACME} Eve Else")
    api.put(SEAT, **PERSON)

    during = api.get(SEAT).body["firstName"]

    assert during == "Eve"
    assert world.ledger()[0]["what"] == "interference"


def test_somebody_else_comes_right_after(api: Api, clock: Clock, world: World) -> None:
    change = f"user-renamed {GROUP} new@{GROUP} other@{GROUP}"
    world.fault("interference", method="POST", when="after", change=change)
    api.post(USERS, domain=GROUP, login="new")
    clock.sleep(1)

    assert f"other@{GROUP}" in api.get(USERS).body
    assert f"new@{GROUP}" not in api.get(USERS).body


def test_somebody_else_s_login_without_a_domain_belongs_to_the_group_s_own(api: Api, world: World) -> None:
    world.change(f"user-added {GROUP} eve")
    world.change(f"user-renamed {GROUP} jane.doe new")
    world.change(f"seat-taken {ACME}-1003 eve")

    assert {f"eve@{GROUP}", f"new@{GROUP}"} <= {*api.get(USERS).body}
    assert api.get(f"/license/officePrepaid/{ACME}-1003").body["activationEmail"] == f"eve@{ACME}"

    world.change(f"user-removed {GROUP} eve")

    assert f"eve@{GROUP}" not in api.get(USERS).body


@pytest.mark.parametrize(
    "change",
    [
        f"seats-added {ACME} business 2",
        f"seat-removed {ACME}-1003",
        f"seat-taken {ACME}-1003 eve@{ACME}",
        f"seat-freed {ACME}-1001",
        f"user-added {GROUP} eve@{GROUP}",
        f"user-removed {GROUP} jane.doe@{GROUP}",
        "quantity-changed 501 20",
        "subscription-removed 501",
        f"order-placed {ACME} business 2",
        f"ending {ACME}-1003 on",
    ],
)
def test_every_change_of_somebody_else_changes_what_is_read(api: Api, world: World, change: str) -> None:
    def everything() -> list[object]:
        fresh = {"X-Pagination-Mode": "CachedObjectList-Pages", "Pragma": "no-cache"}
        lists = (
            "/license/officePrepaid",
            USERS,
            f"/saas/csp2/{RESELLER}/subscription",
            "/me/order",
            "/services",
        )
        return [api.get(path, fresh).body for path in lists]

    before = everything()
    world.change(change)

    assert everything() != before


def test_a_fault_can_wait_and_hit_by_chance_again(api: Api, world: World) -> None:
    world.fault("error-before", skip=2)
    waited = [api.get("/me").status for _ in range(4)]
    world.clear_faults()

    runs = []
    for _ in range(2):
        world.fault("error-before", times=100, probability=0.5, seed=7)
        runs.append([api.get("/me").status for _ in range(20)])
        world.clear_faults()

    assert waited == [200, 200, 500, 200]
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


@pytest.mark.parametrize("name", ["bogus", "Throttle"])
def test_a_fault_that_does_not_exist_is_refused(world: World, name: str) -> None:
    with pytest.raises(ValueError, match="is no fault"):
        world.fault(name)


def test_a_change_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="is no change"):
        world.change("bogus")
    with pytest.raises(ValueError, match="wrong number"):
        world.change("seat-removed")
