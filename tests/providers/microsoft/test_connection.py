"""Tokens, refusals and lists of Microsoft's surfaces, as they are documented and as they may come."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from reconciler.core.errors import Missing, Rejected, Unavailable, Uncertain, WorkspaceError
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.connection import Connection, open_partner
from reconciler.providers.microsoft.wire import Text, Wire
from reconciler.providers.settings import Settings
from reconciler.providers.transport import DRY_RUN, ReadOnlyError
from tests.providers.rig import Time

pytestmark = pytest.mark.anyio

ROOTS = {"login": "https://login.test", "partner_center": "https://pc.test", "graph": "https://graph.test"}
OWN, CUSTOMER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
KEYS = {"tenant_id": OWN, "client_id": "app", "client_secret": "hush"}
ON_PAPER = Settings(base_url="", poll=30.0)


class Thing(Wire):
    """Something with a name."""

    id: Text = ""
    friendly_name: Text = ""


@dataclass
class Server:
    """Gives tokens that count up, and answers the rest as it is told; keeps what it was asked."""

    answers: list[httpx.Response] = field(default_factory=list)
    login: Callable[[dict[str, str]], httpx.Response] | None = None
    forms: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    time: Time = field(default_factory=Time)
    ahead: float = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.test":
            form = {key: values[0] for key, values in parse_qs(request.content.decode()).items()}
            self.forms.append((request.url.path, form))
            return self.login(form) if self.login else self.token()
        self.asked.append(request)
        return self.answers.pop(0) if self.answers else httpx.Response(200, json={"id": "x"})

    def token(self) -> httpx.Response:
        # Numbers as text, as the documentation shows them.
        body = {
            "token_type": "Bearer",
            "expires_in": "3600",
            "expires_on": str(int(self.time.now + self.ahead) + 3600),
            "access_token": f"token-{len(self.forms)}",
        }
        return httpx.Response(200, json=body)

    def connect(self, *, writes: bool = True, **keys: str) -> Connection:
        transport = httpx.MockTransport(self)
        return open_partner(
            ON_PAPER, ROOTS, KEYS | keys, writes=writes, transport=transport, clock=self.time.clock
        )

    def api(self, *, writes: bool = True) -> Api:
        return self.connect(writes=writes).partner_center()


def fault(code: int | str, words: str = "no") -> dict[str, Any]:
    return {"code": code, "description": words, "data": [], "source": "PartnerFD"}


async def test_a_token_is_fetched_once_and_sent_with_an_id_of_each_call() -> None:
    server = Server()
    api = server.api()

    await api.get(Thing, "/one")
    await api.get(Thing, "/two")

    assert [form["grant_type"] for _, form in server.forms] == ["client_credentials"]
    assert server.forms[0][0] == f"/{OWN}/oauth2/token"
    assert server.forms[0][1]["resource"] == "https://api.partnercenter.microsoft.com"
    assert [str(one.url) for one in server.asked] == ["https://pc.test/v1/one", "https://pc.test/v1/two"]
    assert {one.headers["Authorization"] for one in server.asked} == {"Bearer token-1"}
    assert len({one.headers["MS-CorrelationId"] for one in server.asked}) == 2


async def test_a_token_is_fetched_anew_before_it_ends() -> None:
    server = Server()
    api = server.api()

    await api.get(Thing, "/one")
    server.time.now += 3600 - 60
    await api.get(Thing, "/two")

    assert [one.headers["Authorization"] for one in server.asked] == ["Bearer token-1", "Bearer token-2"]


async def test_a_token_that_is_not_taken_is_fetched_once_more_and_no_oftener() -> None:
    server = Server(answers=[httpx.Response(401, json=fault(400, "expired")) for _ in range(2)])

    with pytest.raises(Rejected, match="expired"):
        await server.api().do("PATCH", "/one", {})

    assert len(server.forms) == 2
    assert len(server.asked) == 2


async def test_graph_is_asked_in_the_customers_directory_with_the_person() -> None:
    server = Server()
    connection = server.connect(refresh_token="fresh")

    await connection.graph(CUSTOMER).get(Thing, "/organization")
    await connection.partner_center().get(Thing, "/customers")
    await connection.partner_center(person=True).get(Thing, "/customers")

    grants = [
        (path.split("/")[1], form["grant_type"], form.get("refresh_token")) for path, form in server.forms
    ]
    assert grants == [
        (CUSTOMER, "refresh_token", "fresh"),
        (OWN, "client_credentials", None),
        (OWN, "refresh_token", "fresh"),
    ]
    assert server.forms[0][1]["resource"] == "https://graph.microsoft.com"
    assert "client-request-id" in server.asked[0].headers


@pytest.mark.parametrize("tenant", [OWN, CUSTOMER])
async def test_a_login_that_refuses_names_what_to_do_and_no_secret(tenant: str) -> None:
    text = "AADSTS7000215: Invalid client secret provided for app 'app'. Trace ID: 1 Correlation ID: 2"
    body = {"error": "invalid_client", "error_description": text, "error_codes": [7000215]}
    server = Server(login=lambda _form: httpx.Response(401, json=body))
    kind = WorkspaceError if tenant == OWN else Rejected

    with pytest.raises(kind, match="Invalid client secret") as caught:
        await server.connect().graph(tenant).get(Thing, "/users")

    assert caught.value.hint
    assert caught.value.code == "AADSTS7000215"
    assert "hush" not in f"{caught.value.message} {caught.value.hint}"
    assert "Trace ID" not in caught.value.message


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_login_that_does_not_answer_is_only_not_now(status: int) -> None:
    server = Server(login=lambda _form: httpx.Response(status, text="<html>"))

    with pytest.raises(Unavailable):
        await server.api().do("POST", "/customers", {})

    assert not server.asked


def test_what_is_shown_of_credentials_is_no_secret() -> None:
    connection = Server().connect(refresh_token="fresh")

    assert "hush" not in repr(connection)
    assert "fresh" not in repr(connection)
    assert "hush" not in repr(connection.partner_center().session.dialect)


def test_credentials_that_are_not_whole_are_told() -> None:
    with pytest.raises(WorkspaceError, match="tenant_id"):
        open_partner(ON_PAPER, ROOTS, {"tenant_id": OWN}, writes=False)


async def test_the_clock_is_the_logins() -> None:
    server = Server(ahead=7200.0)

    now = await server.api().now()

    assert abs(now.timestamp() - server.time.now - 7200) < 2


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (400, fault(800090), Rejected, "800090"),
        (400, fault("400030"), Rejected, "400030"),
        (404, fault("400018"), Missing, "400018"),
        (403, {"code": 13605, "message": "no", "errorName": "x", "isRetryable": False}, Rejected, "13605"),
        (400, {"code": 900000, "message": "no", "isRetryable": True}, Unavailable, "900000"),
        (409, fault(900278), Unavailable, "900278"),
        (429, {"statusCode": 429, "message": "Rate limit is exceeded."}, Unavailable, "429"),
        (405, {"message": "Not allowed"}, Rejected, "405"),
        (400, {"error": {"code": "Request_BadRequest", "message": "no"}}, Rejected, "Request_BadRequest"),
        (423, {"error": {"code": "Locked", "message": "no"}}, Unavailable, "Locked"),
        (400, "<html>", Uncertain, "400"),
        (408, fault(1), Uncertain, "1"),
        (500, fault(900000), Uncertain, "900000"),
        (200, "<html>", Uncertain, "unreadable"),
    ],
)
async def test_each_answer_to_a_write_is_told_as_what_it_means(
    status: int, body: Any, error: type[Exception], code: str
) -> None:
    content = {"text": body} if isinstance(body, str) else {"json": body}
    server = Server(answers=[httpx.Response(status, **content)])

    with pytest.raises(error) as caught:
        await server.api().do("PATCH", "/one", {"quantity": 1})

    assert type(caught.value) is error
    assert getattr(caught.value, "code", None) == code
    assert len(server.asked) == 1


async def test_what_has_a_change_under_way_is_left_alone_for_two_minutes() -> None:
    server = Server(answers=[httpx.Response(409, json=fault(900278))])

    with pytest.raises(Unavailable) as caught:
        await server.api().do("PATCH", "/one", {})

    assert caught.value.retry_after == 120.0


async def test_quiet_is_kept_as_long_as_it_is_asked_for() -> None:
    body = {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}
    server = Server(answers=[httpx.Response(429, json=body, headers={"Retry-After": "57"})])
    began = server.time.now

    await server.api().get(Thing, "/one")

    assert server.time.now - began >= 57


async def test_a_refusal_that_is_known_says_what_to_do() -> None:
    server = Server(answers=[httpx.Response(403, json=fault(13605))])

    with pytest.raises(Rejected) as caught:
        await server.api().do("POST", "/carts", {})

    assert "Customer Agreement" in caught.value.hint


@pytest.mark.parametrize("uri", ["/things?size=2&seekOperation=Next", "/v1/things?size=2&seekOperation=Next"])
async def test_a_list_is_followed_to_its_end_with_the_token_it_gives(uri: str) -> None:
    headers = [{"key": "MS-ContinuationToken", "value": "abc"}]
    first = {"totalCount": 1, "items": [{"id": "1"}], "links": {"next": {"uri": uri, "headers": headers}}}
    last = {"totalCount": 1, "Items": [{"Id": "2", "FRIENDLYNAME": "two"}], "links": {}}
    server = Server(answers=[httpx.Response(200, json=first), httpx.Response(200, json=last)])

    found = await server.api().items(Thing, "/things", {"size": "2"})

    assert [(one.id, one.friendly_name) for one in found] == [("1", ""), ("2", "two")]
    assert str(server.asked[1].url) == "https://pc.test/v1/things?size=2&seekOperation=Next"
    assert server.asked[1].headers["MS-ContinuationToken"] == "abc"


@pytest.mark.parametrize(
    "body",
    [
        {"totalCount": 3, "items": [{"id": "1"}]},
        {"totalCount": 1},
        {"items": [{"id": {}}]},
        {"items": [], "links": {"next": {"uri": "https://elsewhere.test/v1/things"}}},
        [],
    ],
    ids=["cut short", "no items", "another shape", "goes on elsewhere", "no object"],
)
async def test_a_list_that_is_not_whole_is_no_list(body: Any) -> None:
    server = Server(answers=[httpx.Response(200, json=body)])

    with pytest.raises(Unavailable):
        await server.api().items(Thing, "/things")


async def test_a_list_of_graph_is_followed_as_its_link_says() -> None:
    link = "https://graph.test/v1.0/users?$skiptoken=a%2Fb"
    answers = [
        httpx.Response(200, json={"value": [{"id": "1"}], "@odata.nextLink": link}),
        httpx.Response(200, json={"value": [{"id": "2"}]}),
    ]
    server = Server(answers=answers)

    found = await server.connect().graph(CUSTOMER).values(Thing, "/users")

    assert [one.id for one in found] == ["1", "2"]
    assert str(server.asked[1].url) == link


async def test_a_list_of_graph_that_goes_on_elsewhere_is_not_followed() -> None:
    link = "https://elsewhere.test/v1.0/users"
    server = Server(answers=[httpx.Response(200, json={"value": [], "@odata.nextLink": link})])

    with pytest.raises(Unavailable, match="another place"):
        await server.connect().graph(CUSTOMER).values(Thing, "/users")

    assert len(server.asked) == 1


async def test_what_is_asked_by_a_post_is_repeated_like_a_reading() -> None:
    server = Server(answers=[httpx.Response(500, json=fault(1)), httpx.Response(200, json={"id": "1"})])

    found = await server.api().ask(Thing, "/validations/address", {})

    assert found.id == "1"


async def test_a_head_that_is_not_found_is_an_answer() -> None:
    server = Server(answers=[httpx.Response(200), httpx.Response(404), httpx.Response(503)])
    api = server.api()

    assert await api.exists("/domains/a") is True
    assert await api.exists("/domains/b") is False
    with pytest.raises(Unavailable):
        await api.exists("/domains/c")


PRICED = {"lineItems": [{"friendlyName": DRY_RUN, "quantity": 1}]}
BATCH = {"requests": [{"id": "1", "method": "GET", "url": "/users"}]}


@pytest.mark.parametrize(
    ("method", "route", "body", "passes"),
    [
        ("POST", "/validations/address", {}, True),
        ("POST", "/customers/c/carts", PRICED, True),
        ("POST", "/$batch", BATCH, True),
        ("POST", "/customers/c/carts", {"lineItems": [{"quantity": 1}]}, False),
        ("POST", "/customers/c/carts", {"lineItems": [*PRICED["lineItems"], {"quantity": 1}]}, False),
        ("POST", "/customers/c/carts", {"lineItems": []}, False),
        ("POST", "/customers/c/carts", None, False),
        ("POST", "/customers/c/carts/1/checkout", None, False),
        ("PUT", "/customers/c/carts/1", PRICED, False),
        ("POST", "/$batch", {"requests": [*BATCH["requests"], {"method": "POST"}]}, False),
        ("POST", "/$batch", {"requests": []}, False),
        ("POST", "/customers", {}, False),
        ("PATCH", "/customers/c/subscriptions/1", {}, False),
    ],
)
async def test_a_reader_sends_only_what_changes_nothing(
    method: str, route: str, body: Any, *, passes: bool
) -> None:
    server = Server()
    api = server.api(writes=False)

    if passes:
        await api.do(method, route, body)
    else:
        with pytest.raises(ReadOnlyError):
            await api.do(method, route, body)

    assert bool(server.asked) is passes


async def test_a_body_goes_out_as_it_is() -> None:
    server = Server()

    await server.api().do("PATCH", "/one", {"a": [1, None], "b": "ż"}, headers={"MS-RequestId": "r"})

    assert json.loads(server.asked[0].content) == {"a": [1, None], "b": "ż"}
    assert server.asked[0].headers["MS-RequestId"] == "r"


@pytest.mark.parametrize("root", ["https://pc.test", "https://pc.test/", "https://pc.test/v1"])
async def test_a_root_may_say_its_version(root: str) -> None:
    server = Server()
    transport = httpx.MockTransport(server)
    opened = open_partner(
        ON_PAPER,
        ROOTS | {"partner_center": root},
        KEYS,
        writes=False,
        transport=transport,
        clock=server.time.clock,
    )

    await opened.partner_center().get(Thing, "/one")

    assert str(server.asked[0].url) == "https://pc.test/v1/one"


async def test_a_secret_that_an_answer_repeats_is_not_told() -> None:
    server = Server(answers=[httpx.Response(400, json=fault(3000, "hush-hush-hush is wrong"))])

    with pytest.raises(Rejected) as caught:
        await server.connect(client_secret="hush-hush-hush").partner_center().do("POST", "/one", {})

    assert "hush" not in caught.value.message


async def test_a_login_that_stumbles_is_asked_for_the_time_again() -> None:
    stumbles = iter([httpx.Response(503), httpx.Response(200, text="<html>")])
    server = Server(login=lambda _form: next(stumbles, None) or server.token())

    assert (await server.api().now()).timestamp() == pytest.approx(server.time.now)
    assert len(server.forms) == 3
