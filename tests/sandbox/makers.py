"""A clock that is turned by hand, a signing client without a network, and a small world."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from reconciler.sandbox.call import Reply, Request
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World

HOST = "http://sandbox.localhost"
BUSINESS = "microsoft-365-apps-for-business-pp-nce"
ENTERPRISE = "microsoft-365-apps-for-enterprise-pp-nce"
ACME = "acme.o365.ovh.com"
GROUP = "group7.o365.ovh.com"
RESELLER = "contoso-csp"

SMALL: dict[str, Any] = {
    "payg": [
        {
            "service": GROUP,
            "domains": ["group7.example"],
            "users": [
                {"login": "jane.doe", "first_name": "Jane", "last_name": "Doe", "country": "fr"},
                {"login": "o'hara", "first_name": "Scarlett", "last_name": "O'Hara", "licence": "pro-plus"},
            ],
        }
    ],
    "prepaid": [
        {
            "service": ACME,
            "seats": [
                {
                    "licence": "business",
                    "empty": 2,
                    "people": [{"login": "ada", "first_name": "Ada", "last_name": "L"}],
                }
            ],
        }
    ],
    "csp2": [{"service": RESELLER, "subscriptions": [{"licence": 14, "quantity": 12}]}],
    "directories": [{"name": "hosted-ab123-ovh-1"}],
}


class Clock:
    """A time that passes only when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 15, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Answer:
    """What came back, read like a client reads it."""

    status: int
    body: Any
    headers: Mapping[str, str]
    reply: Reply


@dataclass
class Api:
    """A client that signs what it sends, straight to the world."""

    world: World
    clock: Clock
    keys: tuple[str, str, str] = (gate.APPLICATION_KEY, gate.APPLICATION_SECRET, gate.CONSUMER_KEY)
    prefix: str = "/1.0"
    ahead: int = 0
    extra: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: str) -> Answer:
        return self.call("GET", path, None, headers, query)

    def post(self, path: str, **body: Any) -> Answer:
        return self.call("POST", path, body)

    def put(self, path: str, **body: Any) -> Answer:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        raw = self.prefix + quote(path, safe="/,")
        sent = b"" if body is None else json.dumps(body).encode()
        question = urlencode(query or {})
        request = Request(method, HOST, raw, question, {}, sent)
        signed = (
            self.signature(request)
            | self.extra
            | {key.lower(): value for key, value in (headers or {}).items()}
        )
        reply = self.world.handle(Request(method, HOST, raw, question, signed, sent))
        return Answer(reply.status, reply.content, reply.headers, reply)

    def signature(self, request: Request) -> dict[str, str]:
        stamp = str(int(self.clock().timestamp()) + self.ahead)
        text = "+".join(
            (self.keys[1], self.keys[2], request.method, request.url, request.body.decode(), stamp)
        )
        return {
            "x-ovh-application": self.keys[0],
            "x-ovh-consumer": self.keys[2],
            "x-ovh-timestamp": stamp,
            "x-ovh-signature": "$1$" + hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
        }

    def cart(
        self, *, quantity: int = 1, plan: str = BUSINESS, tenant: str | None = ACME, description: str = ""
    ) -> str:
        """Fill a cart of one's own."""
        number = str(self.post("/order/cart", ovhSubsidiary="FR", description=description).body["cartId"])
        self.post(f"/order/cart/{number}/assign")
        terms = {"duration": "P1M", "pricingMode": "default", "planCode": plan, "quantity": quantity}
        item = self.post(f"/order/cart/{number}/officePrepaid", **terms).body["itemId"]
        if tenant is not None:
            self.post(
                f"/order/cart/{number}/item/{item}/configuration",
                label="existing_tenant_service_name",
                value=tenant,
            )
        return number

    def order(self, **cart: Any) -> int:
        """Order and pay at once."""
        number = self.cart(**cart)
        answer = self.post(f"/order/cart/{number}/checkout", autoPayWithPreferredPaymentMethod=True)
        return int(answer.body["orderId"])
