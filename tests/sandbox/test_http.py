"""Over real HTTP, driven by the provider's own SDK and by plain sockets."""

import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import ovh
import pytest

from reconciler.sandbox import server
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World
from tests.sandbox.makers import ACME, BUSINESS, SMALL


@dataclass(frozen=True)
class Served:
    world: World
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1].split("/")[0])


@pytest.fixture(params=[False])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    world = World.open(None)
    world.load(SMALL)
    told = threading.Event()
    running = server.server(world, 0, trusting=request.param)
    running.tell = lambda _: told.set()
    thread = threading.Thread(target=running.run)
    thread.start()
    assert told.wait(10)
    yield Served(world, server.address(running))
    running.should_exit = True
    thread.join(10)
    world.close()


@pytest.fixture
def sdk(served: Served, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(ovh.client.ENDPOINTS, "sandbox", served.url)
    return ovh.Client(
        endpoint="sandbox",
        application_key=gate.APPLICATION_KEY,
        application_secret=gate.APPLICATION_SECRET,
        consumer_key=gate.CONSUMER_KEY,
    )


def test_the_sdk_buys_a_seat_and_puts_a_person_on_it(served: Served, sdk: Any) -> None:
    cart = sdk.post("/order/cart", ovhSubsidiary=sdk.get("/me")["ovhSubsidiary"])["cartId"]
    sdk.post(f"/order/cart/{cart}/assign")
    item = sdk.post(
        f"/order/cart/{cart}/officePrepaid",
        planCode=BUSINESS,
        duration="P1M",
        pricingMode="default",
        quantity=1,
    )["itemId"]
    labels = [one["label"] for one in sdk.get(f"/order/cart/{cart}/item/{item}/requiredConfiguration")]
    assert "existing_tenant_service_name" in labels
    sdk.post(
        f"/order/cart/{cart}/item/{item}/configuration", label="existing_tenant_service_name", value=ACME
    )
    assert sdk.get(f"/order/cart/{cart}/checkout")["orderId"] is None
    order = sdk.post(f"/order/cart/{cart}/checkout", autoPayWithPreferredPaymentMethod=True)["orderId"]
    served.world.advance(timedelta(seconds=5))
    assert sdk.get(f"/me/order/{order}/status") == "delivered"
    detail = sdk.get(f"/me/order/{order}/details")[0]
    seat = sdk.get(f"/me/order/{order}/details/{detail}")["domain"]
    sdk.put(
        f"/license/officePrepaid/{seat}",
        activationEmail=f"john.roe@{ACME}",
        firstName="John",
        lastName="Roe",
        usageLocation="lt",
    )
    served.world.advance(timedelta(seconds=2))

    found = sdk.get(f"/license/officePrepaid/{seat}")

    assert (found["firstName"], found["isVirtual"], found["taskPendingId"]) == ("John", False, 0)
    whats = [entry["what"] for entry in served.world.ledger()]
    assert whats == ["cart-created", "order-placed", "order-paid", "order-delivered", "seat-configured"]


def test_the_sdk_reads_errors_as_its_own(served: Served, sdk: Any) -> None:
    with pytest.raises(ovh.ResourceNotFoundError, match="does not exist"):
        sdk.get("/license/officePrepaid/nobody-1")
    with pytest.raises(ovh.BadParametersError, match="unexpected"):
        sdk.put(f"/license/officePrepaid/{ACME}-1001", nonsense=1)
    served.world.set("skew", "7200")
    with pytest.raises(ovh.BadParametersError, match="Query out of time"):
        sdk.get("/me")


def test_the_sdk_signs_in_as_a_service_account(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setitem(ovh.client.ENDPOINTS, "sandbox", served.url)
    url = served.url.removesuffix("/1.0") + "/auth/oauth2/token"
    monkeypatch.setitem(ovh.client.OAUTH2_TOKEN_URLS, "sandbox", url)
    client = ovh.Client(endpoint="sandbox", client_id=gate.CLIENT_ID, client_secret=gate.CLIENT_SECRET)

    assert client.get("/auth/details")["method"] == "oauth2_client_credentials"
    assert client.get("/license/officePrepaid")[0] == f"{ACME}-1001"


@pytest.mark.parametrize(("fault", "carts"), [("lose-reply-before", 0), ("lose-reply-after", 1)])
def test_a_lost_reply_is_a_connection_that_closes_without_a_word(
    served: Served, fault: str, carts: int
) -> None:
    served.world.fault(fault)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)

    connection.request(
        "POST", "/1.0/order/cart", b'{"ovhSubsidiary":"FR"}', {"Content-Type": "application/json"}
    )
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        connection.getresponse()
    connection.close()

    assert len(served.world.ledger()) == carts


def test_a_late_reply_arrives(served: Served) -> None:
    served.world.fault("slow", method="GET", seconds=0.05)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)

    connection.request("GET", "/1.0/auth/time")

    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.read().isdigit()
    connection.close()


def test_the_ledger_and_the_requests_are_told_over_http(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    bodies = {}
    for path in ("/1.0/auth/time", "/sandbox/requests", "/sandbox/ledger", "/sandbox/state", "/elsewhere"):
        connection.request("GET", path)
        bodies[path] = connection.getresponse().read()
    connection.close()

    assert b'"path":"/auth/time"' in bodies["/sandbox/requests"]
    assert bodies["/sandbox/ledger"] == b"[]"
    assert b'"counts"' in bodies["/sandbox/state"]
    assert b"/1.0" in bodies["/elsewhere"]


@pytest.mark.parametrize("served", [True], indirect=True)
def test_whoever_shows_no_login_may_be_let_in_as_the_owner(served: Served) -> None:
    with httpx.Client(base_url=served.url) as client:
        cart = client.post("/order/cart", json={"ovhSubsidiary": "FR"}).json()["cartId"]
        assigned = client.post(f"/order/cart/{cart}/assign")
        carts = client.get("/order/cart").json()
        details = client.get("/auth/details").json()
        wrong = client.get("/me", headers={"X-Ovh-Application": "wrong"})
        half = client.get("/me", headers={"X-Ovh-Application": gate.APPLICATION_KEY})

    assert assigned.status_code == 200
    assert carts == [cart]
    assert details["method"] == "account"
    assert (wrong.status_code, wrong.json()["errorCode"]) == (403, "INVALID_KEY")
    assert (half.status_code, half.json()["errorCode"]) == (403, "NOT_CREDENTIAL")


def test_whoever_shows_no_login_is_refused_where_one_is_asked_for(served: Served) -> None:
    assert httpx.get(f"{served.url}/me").status_code == 403
