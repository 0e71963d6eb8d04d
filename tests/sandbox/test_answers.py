"""Every route answers with exactly the fields, types and values that the published specs allow."""

import json
from collections.abc import Iterator

import pytest

from reconciler.sandbox.ovh.routes import ROUTES
from tests.sandbox import specs
from tests.sandbox.makers import ACME, BUSINESS, GROUP, RESELLER, Answer, Api, Clock

COMPLETE = ("/license/office", "/license/officePrepaid", "/saas/csp2")
USER = {
    "domain": GROUP,
    "firstName": "New",
    "lastName": "One",
    "licence": "officeBusiness",
    "login": "new.one",
}
TERMS = {"duration": "P1M", "pricingMode": "default", "quantity": 1}


class Checked:
    """Calls routes by template and notes which were answered, each answer checked."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.seen: set[tuple[str, str]] = set()
        self.wrong: list[str] = []

    def __call__(
        self, method: str, path: str, body: object = None, *, query: str = "", **names: object
    ) -> Answer:
        question = dict(pair.split("=", 1) for pair in query.split("&") if pair)
        answer = self.api.call(method, path.format(**names), body, None, question)
        assert answer.status == 200, (method, path, answer.body)
        self.seen.add((method, path))
        self.wrong.extend(specs.problems(method, path, json.loads(json.dumps(answer.body))))
        return answer


@pytest.fixture
def call(api: Api) -> Iterator[Checked]:
    specs.needed()
    checked = Checked(api)
    yield checked
    assert checked.wrong == []


def test_every_route_is_published_with_its_method() -> None:
    specs.needed()

    unknown = [route[:2] for route in ROUTES.routes if route[:2] not in specs.operations()]

    assert unknown == []


def test_the_three_licence_families_are_complete() -> None:
    specs.needed()
    played = {route[:2] for route in ROUTES.routes}

    missing = [one for one in specs.operations() if one[1].startswith(COMPLETE) and one not in played]

    assert missing == []


def test_open_routes_are_those_the_spec_marks() -> None:
    specs.needed()

    wrong = [
        route[:2]
        for route in ROUTES.routes
        if route.open != bool(specs.operations()[route.method, route.path][1]["noAuthentication"])
    ]

    assert wrong == []


def test_bodies_take_the_fields_of_the_spec_and_no_others() -> None:
    specs.needed()
    different = {}
    for route in ROUTES.routes:
        if route.shape is None:
            continue
        published = specs.body_fields(route.method, route.path)
        taken = {name: field.required for name, field in route.shape.fields.items()}
        if taken != published:
            different[route[:2]] = (taken, published)

    assert different == {}


def test_pay_as_you_go_answers_as_published(call: Checked, clock: Clock) -> None:
    root, tenant = "/license/office", "/license/office/{serviceName}"
    user = tenant + "/user/{activationEmail}"
    s = {"serviceName": GROUP}
    jane = {**s, "activationEmail": f"jane.doe@{GROUP}"}

    call("GET", root)
    shown = call("GET", tenant, **s).body
    call(
        "PUT",
        tenant,
        {key: value for key, value in shown.items() if key != "iam"} | {"displayName": "Seven"},
        **s,
    )
    call("GET", tenant + "/domain", **s)
    call("GET", tenant + "/domain/{domainName}", **s, domainName="group7.example")
    call("PUT", tenant + "/serviceInfos", call("GET", tenant + "/serviceInfos", **s).body, **s)
    call("GET", tenant + "/usageStatistics", **s)
    call("GET", tenant + "/user", **s)
    call("GET", user, **jane)
    task = call("POST", tenant + "/user", USER, **s).body["id"]
    call("GET", user, **s, activationEmail=f"new.one@{GROUP}")
    assert call("GET", tenant + "/pendingTask", **s).body == [task]
    call("GET", tenant + "/pendingTask/{id}", **s, id=task)
    clock.sleep(1)
    call("GET", tenant + "/pendingTask/{id}", **s, id=task)
    call("PUT", user, {"firstName": "Janet"}, **jane)
    clock.sleep(1)
    call("POST", user + "/changePassword", {"shouldSendMail": True}, **jane)
    call("DELETE", user, **jane)

    _all_seen(call, root)


def test_prepaid_answers_as_published(call: Checked, clock: Clock) -> None:
    root, seat = "/license/officePrepaid", "/license/officePrepaid/{serviceName}"
    full, empty = {"serviceName": f"{ACME}-1001"}, {"serviceName": f"{ACME}-1002"}
    person = {
        "activationEmail": f"john.roe@{ACME}",
        "firstName": "John",
        "lastName": "Roe",
        "usageLocation": "fr",
    }

    call("GET", root)
    call("GET", seat, **full)
    call("GET", seat, **empty)
    call("PUT", seat, person, **empty)
    pending = call("GET", seat + "/tenantPendingTask", **empty).body
    call("GET", seat + "/tenantPendingTask/{id}", **empty, id=pending[0])
    clock.sleep(1)
    call("GET", seat, **empty)
    call("POST", seat + "/changePassword", {"shouldSendMail": False, "password": "Abcdef12"}, **empty)
    call("POST", seat + "/unconfigure", **full)
    call("GET", seat + "/parentTenant", **full)
    call("PUT", seat + "/parentTenant", {"displayName": "Acme"}, **full)
    call("POST", seat + "/parentTenant/acceptAgreement", **full)
    call("POST", seat + "/parentTenant/createAttestation", {"country": "FR", "companyName": "Acme"}, **full)
    call("PUT", seat + "/serviceInfos", call("GET", seat + "/serviceInfos", **full).body, **full)
    call("GET", seat + "/tenantUsageStatistics", **full)
    call("POST", seat + "/terminate", **full)
    clock.sleep(5)
    mails = call("GET", "/me/notification/email/history").body
    texts = [call("GET", "/me/notification/email/history/{id}", id=number).body["body"] for number in mails]
    token = next(text.split("token=")[1] for text in texts if "token=" in text)
    call("POST", seat + "/confirmTermination", {"token": token, "reason": "OTHER"}, **full)

    _all_seen(call, root)


def test_csp2_answers_as_published(call: Checked, clock: Clock) -> None:
    root, tenant = "/saas/csp2", "/saas/csp2/{serviceName}"
    one = tenant + "/subscription/{id}"
    s = {"serviceName": RESELLER}

    call("GET", root)
    shown = call("GET", tenant, **s).body
    call("PUT", tenant, {key: value for key, value in shown.items() if key != "iam"}, **s)
    number = {**s, "id": call("GET", tenant + "/subscription", **s).body[0]}
    for licence in call("GET", tenant + "/orderableLicenses", **s).body:
        call("GET", tenant + "/orderableLicenses/{id}", **s, id=licence)
    call("GET", one, **number)
    call("GET", one + "/addonsSubscriptionIds", **number)
    call("GET", one + "/availableAddonLicenses", **number)
    call("POST", one + "/changeQuantity", {"quantity": 15}, **number)
    call("POST", one + "/orderAddon", {"licenseId": 19, "quantity": 2}, **number)
    task = call("POST", tenant + "/subscription", {"licenseId": 16, "quantity": 3}, **s).body["id"]
    call("GET", tenant + "/task", **s)
    call("GET", tenant + "/task/{id}", **s, id=task)
    clock.sleep(1)
    call("GET", one, **number)
    call("GET", tenant + "/billingPeriodPeaks", **s)
    call("GET", tenant + "/usageStatistics", query="timePeriod=lastWeek", **s)
    call("PUT", tenant + "/serviceInfos", call("GET", tenant + "/serviceInfos", **s).body, **s)
    call("DELETE", one, **number)

    _all_seen(call, root)


def test_carts_and_orders_answer_as_published(call: Checked, clock: Clock) -> None:
    cart, item = "/order/cart/{cartId}", "/order/cart/{cartId}/item/{itemId}"
    number = {
        "cartId": call("POST", "/order/cart", {"ovhSubsidiary": "FR", "description": "one"}).body["cartId"]
    }
    call("GET", "/order/cart", query="description=one")
    call("GET", cart, **number)
    call("PUT", cart, {"description": "two"}, **number)
    call("POST", cart + "/assign", **number)
    call("GET", cart + "/coupon", **number)
    for product in ("officePrepaid", "office365Prepaid", "office365", "csp2", "microsoft", "exchange"):
        call("GET", cart + f"/{product}", **number)
    call("GET", cart + "/office365Prepaid/options", query="planCode=office-tenant", **number)
    line = {
        **number,
        "itemId": call("POST", cart + "/officePrepaid", {**TERMS, "planCode": BUSINESS}, **number).body[
            "itemId"
        ],
    }
    tenant = call("POST", cart + "/office365Prepaid", {**TERMS, "planCode": "office-tenant"}, **number).body
    option = {**TERMS, "planCode": "office-proplus-pp", "itemId": tenant["itemId"]}
    call("POST", cart + "/office365Prepaid/options", option, **number)
    call("PUT", item, {"quantity": 2}, **line)
    call("GET", item, **line)
    call("GET", cart + "/item", **number)
    call("GET", item + "/requiredConfiguration", **line)
    pair = {"label": "existing_tenant_service_name", "value": ACME}
    made = call("POST", item + "/configuration", pair, **line).body["id"]
    call("GET", item + "/configuration", **line)
    call("GET", item + "/configuration/{configurationId}", **line, configurationId=made)
    call("GET", cart + "/summary", **number)
    assert call("GET", cart + "/checkout", **number).body["orderId"] is None
    call("GET", "/order/cartServiceOption/officePrepaid")
    call("GET", "/order/cartServiceOption/officePrepaid/{serviceName}", serviceName=ACME)
    order = {"orderId": call("POST", cart + "/checkout", {}, **number).body["orderId"]}
    one = "/me/order/{orderId}"
    for part in ("", "/status", "/details", "/followUp", "/associatedObject", "/paymentMethods"):
        call("GET", one + part, **order)
    call("GET", one + "/availableRegisteredPaymentMean", **order)
    method = call("GET", "/me/payment/method", query="default=true").body[0]
    call("GET", "/me/payment/method/{paymentMethodId}", paymentMethodId=method)
    call("POST", one + "/pay", {"paymentMethod": {"id": method}}, **order)
    clock.sleep(3)
    call("GET", one + "/payment", **order)
    call("GET", one + "/followUp", **order)
    for detail in call("GET", one + "/details", **order).body:
        call("GET", one + "/details/{orderDetailId}", **order, orderDetailId=detail)
        call("GET", one + "/details/{orderDetailId}/extension", **order, orderDetailId=detail)
    call("GET", "/me/order", query="date.from=2026-03-01T00:00:00+00:00")
    call("GET", one + "/associatedObject", **order)
    call("POST", one + "/waiveRetraction", **order)


def test_the_rest_answers_as_published(call: Checked) -> None:
    call("GET", "/me")
    call("GET", "/me/agreements")
    call("GET", "/me/agreements/{id}", id=1)
    call("GET", "/me/agreements/{id}/contract", id=1)
    call("GET", "/auth/time")
    call("GET", "/auth/details")
    call("GET", "/auth/currentCredential")
    call("POST", "/auth/credential", {"accessRules": [{"method": "GET", "path": "/me"}]})
    call("GET", "/msServices/{serviceName}", serviceName="hosted-ab123-ovh-1")
    call("GET", "/price/license/office/{officeName}", officeName="officeBusiness")
    call("GET", "/price/saas/csp2/license/{licenseName}", licenseName="BusinessPremium")
    for product in ("officePrepaid", "office365Prepaid"):
        call("GET", f"/order/catalog/public/{product}", query="ovhSubsidiary=FR")
    for number in call("GET", "/services").body:
        call("GET", "/services/{serviceId}", serviceId=number)
    call("PUT", "/services/{serviceId}", {"terminationPolicy": "terminateAtExpirationDate"}, serviceId=number)
    call("GET", "/services/{serviceId}", serviceId=number)
    call("GET", "/services/{serviceId}/options", serviceId=number)
    call("GET", "/services/{serviceId}/renewPeriodCapacities", serviceId=number)
    call("POST", "/services/{serviceId}/terminate", serviceId=number)
    call("POST", "/auth/logout")


def _all_seen(call: Checked, root: str) -> None:
    family = {one for one in specs.operations() if one[1] == root or one[1].startswith(root + "/")}
    assert family - call.seen == set()
