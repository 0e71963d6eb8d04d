"""A small world with customers, and a client that talks to its Microsoft surfaces without a network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from msgspec.structs import replace

from reconciler.sandbox.call import Reply, Request
from reconciler.sandbox.microsoft import keys, products
from reconciler.sandbox.world import World
from tests.sandbox.makers import Answer

HOST = "https://sandbox.localhost"
ACME = "acme.onmicrosoft.com"
NEWCO = "newco.onmicrosoft.com"
BASIC = products.chosen("O365_BUSINESS_ESSENTIALS")
PREMIUM = products.chosen("SPB")
E3 = products.chosen("ENTERPRISEPACK")
SUBSCRIPTION = "0c353b8e-da9d-4007-90d4-bca8bd5b5ce1"

SMALL: dict[str, Any] = {
    "microsoft": {
        "customers": [
            {
                "domain": ACME,
                "name": "Acme UAB",
                "country": "LT",
                "domains": ["acme.example"],
                "subscriptions": [
                    {"id": SUBSCRIPTION, "product": "SPB", "quantity": 3, "bought": "30d"},
                ],
                "users": [
                    {
                        "login": "ada@acme.example",
                        "first_name": "Ada",
                        "last_name": "L",
                        "country": "lt",
                        "licences": ["SPB"],
                    },
                    {"login": "bob@acme.example", "first_name": "Bob", "last_name": "B", "country": "lt"},
                    {"login": "cy@acme.example", "first_name": "Cy", "last_name": "C"},
                ],
            }
        ],
        "tenants": [
            {"domain": "elsewhere.onmicrosoft.com", "name": "Elsewhere", "skus": [{"sku": "SPB", "units": 5}]}
        ],
    },
}

CUSTOMER: dict[str, Any] = {
    "companyProfile": {"domain": NEWCO},
    "billingProfile": {
        "email": "billing@newco.example",
        "culture": "lt-LT",
        "language": "lt",
        "companyName": "Newco UAB",
        "defaultAddress": {
            "firstName": "Ada",
            "lastName": "L",
            "addressLine1": "Gedimino 1",
            "city": "Vilnius",
            "postalCode": "01103",
            "country": "LT",
        },
    },
}


@dataclass
class Cloud:
    """A client of one surface, with a token of its own."""

    world: World
    prefix: str
    tenant: str = keys.PARTNER_TENANT
    user: bool = True
    extra: dict[str, str] = field(default_factory=dict)
    token: str = ""
    kept: str = ""

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: str) -> Answer:
        return self.call(
            "GET", path, None, headers, {f"${key}" if self.odata else key: one for key, one in query.items()}
        )

    def post(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.call("POST", path, body, headers)

    def patch(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        return self.call("PATCH", path, body, headers)

    def delete(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.call("DELETE", path, None, headers)

    @property
    def odata(self) -> bool:
        return self.prefix.startswith("/graph")

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        raw = self.prefix + quote(path, safe="/,()='$")
        sent = b"" if body is None else json.dumps(body).encode()
        given = {key.lower(): value for key, value in (headers or {}).items()}
        request = Request(method, HOST, raw, urlencode(query or {}), self.extra | given, sent)
        return self.send(request)

    def send(self, request: Request) -> Answer:
        """Send with a token; one that ended is fetched anew, unless it was given."""
        fixed, token = bool(self.token), self.token or self.kept or self.sign_in()
        headers = {**request.headers, "authorization": f"Bearer {token}"}
        reply = self.world.handle(replace(request, headers=headers))
        if reply.status == 401 and not fixed and token == self.kept:
            headers["authorization"] = f"Bearer {self.sign_in()}"
            reply = self.world.handle(replace(request, headers=headers))
        return Answer(reply.status, reply.content, reply.headers, reply)

    def follow(self, uri: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Go where a link points, which is a whole address or a path with its question."""
        path, _, query = uri.removeprefix(HOST).partition("?")
        given = {key.lower(): value for key, value in (headers or {}).items()}
        raw = path if path.startswith(self.prefix) else self.prefix + path
        return self.send(Request("GET", HOST, raw, query, given))

    def sign_in(self) -> str:
        audience = (
            "https://graph.microsoft.com/.default"
            if self.odata
            else "https://api.partnercenter.microsoft.com"
        )
        form = {"scope": audience} if self.odata else {"resource": audience}
        way = "/oauth2/v2.0/token" if self.odata else "/oauth2/token"
        answer = ask_token(self.world, self.tenant + way, user=self.user, **form)
        self.kept = answer.content["access_token"]  # type: ignore[index] # a token's answer is an object
        return self.kept

    def buy(self, customer: str, quantity: int = 1, product: products.Product = E3, **line: Any) -> str:
        """Fill a cart of one line and check it out; gives the order's id."""
        return str(
            self.checkout(customer, self.cart(customer, quantity, product, **line)).body["orders"][0]["id"]
        )

    def cart(self, customer: str, quantity: int = 1, product: products.Product = E3, **line: Any) -> str:
        return str(self.fill(customer, quantity, product, **line).body["id"])

    def fill(self, customer: str, quantity: int = 1, product: products.Product = E3, **line: Any) -> Answer:
        known = {
            "catalogItemId": self.item(product),
            "quantity": quantity,
            "termDuration": "P1Y",
            "billingCycle": "monthly",
        }
        return self.post(f"/customers/{customer}/carts", {"lineItems": [{**known, **line}]})

    def checkout(self, customer: str, cart: str, **headers: str) -> Answer:
        return self.post(f"/customers/{customer}/carts/{cart}/checkout", None, headers)

    def item(self, product: products.Product) -> str:
        path = f"/products/{product.product}/skus/{product.variant}/availabilities"
        return str(self.get(path, country="LT").body["items"][0]["catalogItemId"])


def ask_token(world: World, path: str, *, user: bool, **form: str) -> Reply:
    """Ask for a token with the keys that every world knows, unless told others."""
    grant = (
        {"grant_type": "refresh_token", "refresh_token": keys.REFRESH_TOKEN}
        if user
        else {"grant_type": "client_credentials"}
    )
    known = {"client_id": keys.CLIENT_ID, "client_secret": keys.CLIENT_SECRET, **grant, **form}
    return world.handle(Request("POST", HOST, f"/login/{path}", "", {}, urlencode(known).encode()))
