"""Tokens: by the older and the newer endpoint, alone and for a person, and how long they last."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import msal  # type: ignore[import-untyped] # it has no types
import pytest

from reconciler.sandbox import server
from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.world import World
from tests.sandbox.makers import Clock
from tests.sandbox.microsoft.makers import ACME, CUSTOMER, SMALL, Cloud, ask_token

PARTNER_CENTER = "https://api.partnercenter.microsoft.com"
GRAPH = "https://graph.microsoft.com/.default"
CLASSIC = f"{keys.PARTNER_TENANT}/oauth2/token"
MODERN = f"{keys.PARTNER_TENANT}/oauth2/v2.0/token"


def token(world: World, path: str, *, user: bool = False, **form: str) -> tuple[int, dict[str, Any]]:
    reply = ask_token(world, path, user=user, **form)
    return reply.status, json.loads(json.dumps(reply.content))


def test_the_older_endpoint_writes_numbers_as_text(world: World) -> None:
    status, body = token(world, CLASSIC, resource=PARTNER_CENTER)

    assert status == 200
    assert (body["expires_in"], body["ext_expires_in"], body["token_type"]) == ("3600", "3600", "Bearer")
    assert int(body["expires_on"]) - int(body["not_before"]) == 3900
    assert "refresh_token" not in body


def test_the_newer_endpoint_writes_numbers_and_hands_the_refresh_token_on(world: World) -> None:
    _, body = token(world, MODERN, user=True, scope=GRAPH)

    assert body["expires_in"] == 3599
    assert body["refresh_token"] == keys.REFRESH_TOKEN


def test_a_token_ends_by_the_worlds_clock(world: World, partner: Cloud, clock: Clock) -> None:
    partner.token = partner.sign_in()
    assert partner.get("/customers").status == 200

    clock.sleep(3601)

    assert partner.get("/customers").status == 401
    assert Cloud(world, partner.prefix).get("/customers").status == 200


@pytest.mark.parametrize(
    ("path", "form", "status", "code"),
    [
        (CLASSIC, {"client_secret": "wrong"}, 401, "AADSTS7000215"),
        (CLASSIC, {"client_id": "nobody"}, 400, "AADSTS700016"),
        ("nowhere.example/oauth2/token", {}, 400, "AADSTS90002"),
        (CLASSIC, {"grant_type": "password"}, 400, "AADSTS70003"),
        (CLASSIC, {"grant_type": "refresh_token", "refresh_token": "x"}, 400, "AADSTS9002313"),
        (CLASSIC, {"resource": "https://example.com"}, 400, "AADSTS500011"),
    ],
)
def test_a_refusal_says_why_with_its_number(
    world: World, path: str, form: dict[str, str], status: int, code: str
) -> None:
    reply = ask_token(world, path, user=False, **{"resource": PARTNER_CENTER, **form})
    found, body = reply.status, json.loads(json.dumps(reply.content))

    assert found == status
    assert body["error_description"].startswith(f"{code}: ")
    assert f"AADSTS{body['error_codes'][0]}" == code
    assert "wrong" not in body["error_description"]


def test_a_refresh_token_that_nobody_uses_ends_after_a_while(world: World, clock: Clock) -> None:
    clock.sleep(1000 * 86400)
    assert token(world, CLASSIC, user=True, resource=PARTNER_CENTER)[0] == 200
    world.set("refresh_days", "90")
    clock.sleep(89 * 86400)
    assert token(world, CLASSIC, user=True, resource=PARTNER_CENTER)[0] == 200
    clock.sleep(89 * 86400)
    assert token(world, CLASSIC, user=True, resource=PARTNER_CENTER)[0] == 200

    clock.sleep(91 * 86400)

    status, body = token(world, CLASSIC, user=True, resource=PARTNER_CENTER)
    assert (status, body["error"], body["error_codes"]) == (400, "invalid_grant", [700082])


def test_a_directory_without_consent_lets_nobody_in_until_it_is_given(
    world: World, partner: Cloud, acme: str
) -> None:
    world.change(f"application-consented {ACME} off")
    assert token(world, f"{acme}/oauth2/v2.0/token", scope=GRAPH)[1]["error_codes"] == [700016]

    assert partner.post(f"/customers/{acme}/applicationconsents", {"applicationId": "x"}).status == 201

    assert token(world, f"{acme}/oauth2/v2.0/token", scope=GRAPH)[0] == 200


def test_a_new_directory_may_want_consent_first(world: World, partner: Cloud) -> None:
    world.set("consent", "required")
    number = partner.post("/customers", CUSTOMER).body["id"]
    path = f"{number}/oauth2/token"
    assert token(world, path, resource="https://graph.microsoft.com")[0] == 400

    partner.post(f"/customers/{number}/applicationconsents", {"applicationId": "x"})

    assert token(world, path, resource="https://graph.microsoft.com")[0] == 200


def test_a_token_for_one_surface_opens_no_other(world: World) -> None:
    wrong = ask_token(world, CLASSIC, user=True, resource="https://graph.microsoft.com").content
    retired = ask_token(world, CLASSIC, user=True, resource="https://graph.windows.net").content
    assert isinstance(wrong, dict)
    assert isinstance(retired, dict)

    at_partner = Cloud(world, "/partner-center/v1", token=wrong["access_token"])
    old = Cloud(world, "/partner-center/v1", token=retired["access_token"])
    at_graph = Cloud(world, "/graph/v1.0", token=Cloud(world, "/partner-center/v1").sign_in())

    assert at_partner.get("/customers").status == 401
    assert (old.get("/customers").status, old.get("/customers").body["code"]) == (401, 900420)
    assert at_graph.get("/users").body["error"]["code"] == "InvalidAuthenticationToken"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/users", 403, 900329),
        ("GET", "/subscribedskus", 400, 900316),
        ("GET", "/validationStatus", 403, 900329),
        ("POST", "/agreements", 403, 900329),
    ],
)
def test_an_application_alone_may_order_but_not_look_at_people(
    world: World, acme: str, method: str, path: str, status: int, code: int
) -> None:
    alone = Cloud(world, "/partner-center/v1", user=False)

    assert alone.get(f"/customers/{acme}/subscriptions").status == 200
    answer = alone.call(method, f"/customers/{acme}{path}")

    assert (answer.status, answer.body["code"]) == (status, code)


def test_an_application_alone_may_be_kept_out_of_a_directory(world: World) -> None:
    alone = Cloud(world, "/graph/v1.0", tenant=ACME, user=False)
    assert alone.get("/users").status == 200

    world.set("graph_app_only", "off")

    assert alone.get("/users").body["error"]["code"] == "Authorization_RequestDenied"


class Plain:
    """What Microsoft's library asks of an HTTP client; it insists on https, which this machine does not have."""

    def __init__(self) -> None:
        self._http = httpx.Client(headers={"X-Forwarded-Proto": "https"}, trust_env=False)

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self._http.get(url.replace("https://", "http://"), **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self._http.post(url.replace("https://", "http://"), **options)

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def served() -> Iterator[tuple[World, str]]:
    world = World.open(None)
    world.load(SMALL)
    told = threading.Event()
    running = server.server(world, 0)
    running.tell = lambda _: told.set()
    thread = threading.Thread(target=running.run)
    thread.start()
    assert told.wait(10)
    yield world, server.address(running).removesuffix("/1.0").removeprefix("http://")
    running.should_exit = True
    thread.join(10)
    world.close()


def application(authority: str, http: Any, secret: str = keys.CLIENT_SECRET) -> Any:
    return msal.ConfidentialClientApplication(
        keys.CLIENT_ID,
        client_credential=secret,
        authority=authority,
        instance_discovery=False,
        http_client=http,
    )


def test_microsofts_library_signs_in_over_real_http(served: tuple[World, str]) -> None:
    http = Plain()
    app = application(f"https://{served[1]}/login/{ACME}", http)

    alone = app.acquire_token_for_client(scopes=[GRAPH])
    person = app.acquire_token_by_refresh_token(keys.REFRESH_TOKEN, scopes=[GRAPH])

    for found in (alone, person):
        sent = {"Authorization": f"Bearer {found['access_token']}"}
        answer = http.get(f"https://{served[1]}/graph/v1.0/organization", headers=sent)
        assert answer.json()["value"][0]["displayName"] == "Acme UAB"
    assert person["refresh_token"] == keys.REFRESH_TOKEN
    http.close()


def test_microsofts_library_reads_a_refusal_as_its_own(served: tuple[World, str]) -> None:
    http = Plain()
    app = application(f"https://{served[1]}/login/{ACME}", http, secret="wrong")

    found = app.acquire_token_for_client(scopes=[GRAPH])

    assert (found["error"], found["error_codes"]) == ("invalid_client", [7000215])
    http.close()


def test_the_discovery_of_instances_knows_this_one(served: tuple[World, str]) -> None:
    base = f"http://{served[1]}"
    asked = {"authorization_endpoint": f"{base}/login/{ACME}/oauth2/v2.0/authorize"}

    found = httpx.get(f"{base}/login/common/discovery/instance", params=asked, trust_env=False).json()

    assert found["metadata"][0]["aliases"] == [served[1]]
    assert httpx.get(found["tenant_discovery_endpoint"], trust_env=False).json()["issuer"].endswith("/v2.0")
    missing = f"{base}/login/nobody.example/v2.0/.well-known/openid-configuration"
    assert httpx.get(missing, trust_env=False).status_code == 400


def test_tokens_are_spared_by_faults_that_do_not_name_them(world: World) -> None:
    world.fault("lose-reply-after", method="POST", times=2)
    assert ask_token(world, CLASSIC, user=False, resource=PARTNER_CENTER).status == 200

    world.fault("throttle", path="/login/*")

    assert ask_token(world, CLASSIC, user=False, resource=PARTNER_CENTER).status == 429
