"""Who gets in, with which rights, and how refusals look."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.sandbox.call import Reply, Request
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World
from tests.sandbox.makers import ACME, GROUP, HOST, Api, Clock

VECTOR = {
    "application_key": "TDPKJdwZwAQPwKX2",
    "application_secret": "9ufkBmLaTQ9nz5yMUlg79taH0GNnzDjk",
    "consumer_key": "5mBuy6SUQcRw2ZUxg0cG68BoDKpED4KY",
}


def bare(
    world: World, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> Reply:
    return world.handle(Request(method, HOST, path, "", headers or {}, body))


def token(world: World, secret: str = gate.CLIENT_SECRET, grant: str = "client_credentials") -> Reply:
    form = f"grant_type={grant}&scope=all&client_id={gate.CLIENT_ID}&client_secret={secret}"
    return bare(world, "POST", "/auth/oauth2/token", {}, form.encode())


def test_a_published_signature_is_accepted(world: World, clock: Clock) -> None:
    world.load({"credentials": [VECTOR]})
    clock.time = datetime.fromtimestamp(1457018875, UTC)
    headers = {
        "x-ovh-application": VECTOR["application_key"],
        "x-ovh-consumer": VECTOR["consumer_key"],
        "x-ovh-timestamp": "1457018875",
        "x-ovh-signature": "$1$7f2db49253edfc41891023fcd1a54cf61db05fbb",
    }

    answer = world.handle(Request("GET", "https://eu.api.ovh.com", "/1.0/call", "", headers))

    assert answer.status == 404


@pytest.mark.parametrize(
    ("keys", "ahead", "status", "code"),
    [
        ((gate.APPLICATION_KEY, "wrong", gate.CONSUMER_KEY), 0, 400, "INVALID_SIGNATURE"),
        ((gate.APPLICATION_KEY, gate.APPLICATION_SECRET, "wrong"), 0, 403, "INVALID_CREDENTIAL"),
        (("wrong", gate.APPLICATION_SECRET, gate.CONSUMER_KEY), 0, 403, "INVALID_KEY"),
        ((gate.APPLICATION_KEY, gate.APPLICATION_SECRET, gate.CONSUMER_KEY), 3600, 400, "QUERY_TIME_OUT"),
        ((gate.APPLICATION_KEY, gate.APPLICATION_SECRET, gate.CONSUMER_KEY), -3600, 400, "QUERY_TIME_OUT"),
    ],
)
def test_a_wrong_key_is_refused_by_the_gateway(
    api: Api, keys: tuple[str, str, str], ahead: int, status: int, code: str
) -> None:
    api.keys, api.ahead = keys, ahead

    answer = api.get("/me")

    assert (answer.status, answer.body["errorCode"]) == (status, code)
    assert answer.body["httpCode"].startswith(str(status))


def test_without_a_login_only_open_routes_answer(world: World) -> None:
    refused = bare(world, "GET", "/1.0/me")

    assert refused.status == 403
    assert refused.content == {
        "errorCode": "NOT_CREDENTIAL",
        "httpCode": "403 Forbidden",
        "message": "You must login first",
    }
    assert bare(world, "GET", "/1.0/auth/time").status == 200
    assert bare(world, "POST", "/1.0/order/cart", {}, b'{"ovhSubsidiary":"FR"}').status == 200


def test_the_time_is_the_worlds_and_may_be_skewed(api: Api, clock: Clock, world: World) -> None:
    world.set("skew", "3600")
    told = bare(world, "GET", "/1.0/auth/time").content
    refused = api.get("/me").status
    api.ahead = 3600

    assert told == int(clock().timestamp()) + 3600
    assert (refused, api.get("/me").status) == (400, 200)


def test_turning_the_clock_does_not_shut_out_who_asked_for_the_time_before(api: Api, world: World) -> None:
    world.advance(timedelta(days=30))

    assert api.get("/me").status == 200


def test_a_key_may_do_only_what_it_was_given(api: Api, world: World) -> None:
    rules = [{"method": "GET", "path": "/license/office/*"}, {"method": "GET", "path": "/me"}]
    keys = {"application_key": "app", "application_secret": "s", "consumer_key": "c", "rules": rules}
    world.load({"credentials": [keys]})
    api.keys = ("app", "s", "c")

    assert api.get(f"/license/office/{GROUP}").status == 200
    for path in ("/license/office", f"/license/officePrepaid/{ACME}-1001", "/me/order"):
        assert api.get(path).body["errorCode"] == "NOT_GRANTED_CALL"
    assert api.post("/order/cart", ovhSubsidiary="FR").status == 403
    assert api.get("/auth/currentCredential").status == 403


def test_a_new_consumer_key_works_once_it_was_validated(api: Api, world: World) -> None:
    asked = api.post("/auth/credential", accessRules=[{"method": "GET", "path": "/me"}]).body
    api.keys = (gate.APPLICATION_KEY, gate.APPLICATION_SECRET, asked["consumerKey"])
    before = api.get("/me").body["errorCode"]

    bare(world, "GET", asked["validationUrl"].removeprefix(HOST))

    assert (asked["state"], before) == ("pendingValidation", "INVALID_CREDENTIAL")
    assert api.get("/me").status == 200


def test_logging_out_ends_the_key(api: Api) -> None:
    api.post("/auth/logout")

    assert api.get("/me").body["errorCode"] == "INVALID_CREDENTIAL"


def test_a_service_account_gets_a_token_that_ends(world: World, clock: Clock) -> None:
    answer = token(world).content
    assert isinstance(answer, dict)
    headers = {"authorization": f"Bearer {answer['access_token']}"}

    before = bare(world, "GET", "/1.0/auth/details", headers)
    clock.sleep(answer["expires_in"] + 2)
    after = bare(world, "GET", "/1.0/auth/details", headers)

    assert isinstance(before.content, dict)
    assert before.content["method"] == "oauth2_client_credentials"
    assert after.status == 401


def test_a_service_account_without_the_right_is_refused_by_the_service_layer(world: World) -> None:
    rules = [{"method": "GET", "path": "/*"}]
    world.load({"credentials": [{"client_id": "robot", "client_secret": "r", "rules": rules}]})
    form = b"grant_type=client_credentials&scope=all&client_id=robot&client_secret=r"
    answer = bare(world, "POST", "/auth/oauth2/token", {}, form).content
    assert isinstance(answer, dict)
    headers = {"authorization": f"Bearer {answer['access_token']}"}

    refused = bare(world, "DELETE", "/1.0/order/cart/x", headers)

    assert bare(world, "GET", "/1.0/me", headers).status == 200
    assert refused.status == 403
    assert isinstance(refused.content, dict)
    assert refused.content["class"] == "Client::Forbidden"
    assert set(refused.content["details"]) == {
        "unauthorizedActionsByAuthentication",
        "unauthorizedActionsByIAM",
    }


def test_a_wrong_secret_gets_no_token(world: World) -> None:
    assert token(world, secret="guess").content == {
        "error": "invalid_client",
        "error_description": "Client authentication failed",
    }
    assert token(world, grant="password").status == 400


def test_every_answer_carries_its_own_query_id(api: Api) -> None:
    ids = {api.get("/me").headers["X-OVH-QUERYID"] for _ in range(3)}

    assert len(ids) == 3


def test_both_prefixes_lead_to_the_same(api: Api) -> None:
    api.prefix = "/v1"

    assert api.get("/me").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/license/nothing", 404), ("DELETE", "/me", 405), ("GET", f"/license/office/{ACME}", 404)],
)
def test_what_is_not_there_is_refused_by_the_service_layer(
    api: Api, method: str, path: str, status: int
) -> None:
    answer = api.call(method, path)

    assert answer.status == status
    assert set(answer.body) == {"class", "message"}


def test_a_body_that_is_no_json_is_refused(world: World, clock: Clock) -> None:
    api = Api(world, clock)
    request = Request("POST", HOST, "/1.0/order/cart", "", {}, b"{not json")
    signed = api.signature(Request("POST", HOST, "/1.0/order/cart", "", {}, b"{not json"))

    assert (
        world.handle(Request(request.method, HOST, request.raw_path, "", signed, request.body)).status == 400
    )


def test_too_many_requests_a_minute_are_throttled(api: Api, clock: Clock, world: World) -> None:
    world.set("rate", "3")
    statuses = [api.get("/me").status for _ in range(4)]
    refused = api.get("/me")
    clock.sleep(float(refused.headers["Retry-After"]))

    assert statuses == [200, 200, 200, 429]
    assert api.get("/me").status == 200


def test_the_request_log_holds_no_header_and_no_body(api: Api, world: World) -> None:
    api.post("/order/cart", ovhSubsidiary="FR", description="secret plan")

    assert world.requests() == [
        {"at": "2026-03-15T09:30:00+00:00", "method": "POST", "path": "/order/cart", "status": 200}
    ]
