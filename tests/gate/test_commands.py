"""Whole commands at a real server: a command that reads sends nothing that changes anything (contract, promise 1)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reconciler.sandbox.world import World
from tests.cli.place import Place, Ran
from tests.cli.test_door import ours
from tests.gate.served import Seen, Served, served

READS: Mapping[str, tuple[str, ...]] = {
    "plan": (
        "plan --out plan.json --json-into copy.json",
        "plan --format markdown --changed-since HEAD",
        "plan --format html --detailed-exitcode --verbose",
        "plan --format json --tenant acme --at 2027-01-01 --allow max_cancellations=9",
        "plan tenants/acme.yaml --log-json --concurrency 1",
    ),
    "drift": ("drift --format json", "drift --detailed-exitcode"),
    "validate": ("validate", "validate --verbose"),
    "show": ("show plan.json", "show plan.json --format html"),
    "status": ("status", "status acme --format json --detailed-exitcode"),
    "history": ("history", "history acme --format json"),
    "renewals": ("renewals", "renewals --within 60d --format json"),
    "doctor": ("doctor",),
    "import": ("import --account ovh-main --out imported",),
    "lease list": ("lease list",),
}
"""What only reads, and how it is typed here; `renewals`, `doctor` and `import` are asked as soon as they are there."""

OF_THE_JOURNAL: Mapping[str, tuple[str, ...]] = {
    "adopt": ("adopt acme",),
    "release": ("release acme",),
    "confirm": ("confirm acme group/office --by ada",),
    "resolve": ("resolve acme group/office --did-not-happen",),
    "lease release": ("lease release acme",),
    "journal copy": ("journal copy --to sqlite:///copied.db",),
    "journal reopen": ("journal reopen --yes",),
}
"""What a person tells the journal: nothing changes at a provider either."""

OFFLINE: Mapping[str, tuple[str, ...]] = {
    "fmt": ("fmt --check",),
    "schema": ("schema",),
    "explain": ("explain", "explain RC2301 --format json"),
    "completion": ("completion bash",),
    "init": ("init",),
    "comment": ("comment --plan plan.json --dry-run", "comment --plan plan.json"),
    "issues": ("issues --plan plan.json",),
    "outputs": ("outputs --plan plan.json --widget widget.json --approved-into approved.txt",),
}
"""What asks no provider at all; so do validate, show, status, history and lease list."""

ASKS_NOBODY = {"validate", "show", "status", "history", "lease list", *OFFLINE}
WRITES = {"apply", "resume"}
KEPT = ("tenant", "user", "seat", "subscription", "purchase", "cart")
QUIET = {**READS, **OF_THE_JOURNAL, **OFFLINE}

PREPAID = """\
version: 1
tenant: acme
provider: ovh-prepaid
account: ovh-main
license_groups:
  - {name: office, product: business, seats: 5, service: acme.o365.ovh.com}
  - {name: new, product: pro-plus, seats: 2, service: new, beside: []}
users:
  - {login: ada, first_name: Ada, last_name: Byron, country: gb, licenses: [office]}
  - {login: bob, first_name: Bob, last_name: Builder, country: fr, licenses: [office]}
"""
SHRINKING = """\
version: 1
tenant: smaller
provider: ovh-prepaid
account: ovh-main
license_groups:
  - {name: office, product: business, seats: 1, service: smaller.o365.ovh.com}
users: []
"""
PAYG = """\
version: 1
tenant: pays
provider: ovh-payg
account: ovh-main
license_groups: [{name: all, product: business, service: pays.o365.ovh.com}]
users:
  - {login: ada, first_name: Ada, last_name: King, country: lt, licenses: [all]}
  - {login: bob, first_name: Bob, last_name: Builder, country: fr, licenses: [all]}
"""
RESELLER = """\
version: 1
tenant: resell
provider: ovh-csp2
account: ovh-main
service: contoso
license_groups:
  - {name: basic, product: Microsoft 365 Business Basic, seats: 12, subscription: 501}
  - {name: mail, product: Exchange Online (Plan 1), seats: 3}
  - {name: gone, product: Office 365 E3, seats: 3, subscription: 502, state: cancelled, reason: left, cancel: now}
"""
ADA = {"login": "ada", "first_name": "Ada", "last_name": "Lovelace", "country": "lt"}
WORLD = {
    "account": {"nichandle": "xx0000-ovh", "subsidiary": "FR", "currency": "EUR", "default_payment": True},
    "settings": {"rate": "0", "delay": "0"},
    "prepaid": [
        {"service": "acme.o365.ovh.com", "seats": [{"licence": "business", "people": [ADA], "empty": 1}]},
        {"service": "smaller.o365.ovh.com", "seats": [{"licence": "business", "people": [], "empty": 4}]},
    ],
    "payg": [{"service": "pays.o365.ovh.com", "users": [ADA]}],
    "csp2": [
        {
            "service": "contoso",
            "subscriptions": [
                {"id": 501, "licence": 11, "quantity": 10},
                {"id": 502, "licence": 17, "quantity": 3},
            ],
        }
    ],
}
SIGNED = "    credentials: {application_key: env://KEY, application_secret: env://SECRET, consumer_key: env://CONSUMER}"
TOKEN = "    token_url: ROOT/auth/oauth2/token\n    credentials: {client_id: env://ID, client_secret: env://CLIENT}"
ENV = {
    "KEY": "sandbox-application",
    "SECRET": "sandbox-application-secret",
    "CONSUMER": "sandbox-consumer",
    "ID": "sandbox-client",
    "CLIENT": "sandbox-client-secret",
}


@dataclass(frozen=True)
class Shop:
    """A workspace in which every tenant has changes, and the server that it asks."""

    place: Place
    served: Served
    env: Mapping[str, str] = field(default_factory=lambda: ENV)

    def run(self, line: str) -> Ran:
        return self.place.run(line, self.env)

    def sent(self, line: str) -> list[Seen]:
        """What a command sends."""
        before = len(self.served.tap.seen)
        self.run(line)
        return self.served.tap.seen[before:]


def workspace(at: Served, credentials: str) -> str:
    return (
        f"version: 1\naccounts:\n  ovh-main:\n    api: ovh\n    endpoint: {at.url}\n    poll: 1s\n"
        + credentials.replace("ROOT", at.root)
        + "\n"
    )


@pytest.fixture(params=[SIGNED, TOKEN], ids=["signed", "token"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    world = World.open(None)
    world.load(WORLD)
    place = Place(tmp_path)
    with served(world) as at:
        place.write("reconciler.yaml", workspace(at, request.param))
        for name, text in (("acme", PREPAID), ("smaller", SHRINKING), ("pays", PAYG), ("resell", RESELLER)):
            place.write(f"tenants/{name}.yaml", text)
        yield Shop(place, at)
    world.close()


def changing(sent: list[Seen]) -> list[Seen]:
    """What is neither reading, nor a token's fetch, nor a cart that only asks for a price.

    Said once more in the test's own words: the cart's description is read here, not the gate's opinion of it.
    """
    carts = dry = 0
    found = []
    for one in sent:
        match one.method, one.path.strip("/").split("/")[1:]:
            case (("GET" | "HEAD"), _):
                continue
            case "POST", ["oauth2", "token"]:
                continue
            case "POST", ["order", "cart"] if json.loads(one.body)["description"] == "reconciler-dry-run":
                carts += 1
            case "POST", ["order", "cart", _, ("assign" | "officePrepaid")] if carts:
                continue
            case "POST", ["order", "cart", _, "item", _, "configuration"] if carts:
                continue
            case "DELETE", ["order", "cart", _] if carts:
                dry += 1
            case _:
                found.append(one)
    assert carts == dry, "a cart that asked for a price was left behind"
    return found


def test_every_command_is_known_to_read_or_to_write() -> None:
    named = {name for name, _ in ours() if not name.startswith("sandbox ")}

    unknown = named - QUIET.keys() - WRITES
    assert not unknown, (
        f"say in READS, OF_THE_JOURNAL, OFFLINE or WRITES of this file what these do: {unknown}"
    )


def test_nothing_that_reads_sends_anything_that_changes(shop: Shop) -> None:
    there = {name for name, _ in ours()}
    before = shop.served.world.state()["counts"]
    asked: dict[str, int] = {}

    for name, lines in QUIET.items():
        for line in lines if name in there else ():
            sent = shop.sent(line)
            asked[name] = asked.get(name, 0) + len(sent)
            assert changing(sent) == [], line

    assert {name for name, count in asked.items() if not count} >= ASKS_NOBODY & there
    assert asked["plan"] > 50
    assert asked["drift"] > 20
    after = shop.served.world.state()["counts"]
    assert {kept: after[kept] for kept in KEPT} == {kept: before[kept] for kept in KEPT}
    assert {row["what"] for row in shop.served.world.ledger()} <= {"cart-created", "cart-deleted"}


def test_the_plan_that_sent_nothing_would_have_changed_much(shop: Shop) -> None:
    plan = shop.run("plan --format json").json
    verbs = {action["verb"] for tenant in plan["tenants"] for action in tenant["actions"]}

    assert verbs >= {"order", "resize", "activate", "update", "cancel"}
    assert any(one.path == "/1.0/order/cart" for one in shop.served.tap.changing)


def test_what_is_counted_here_is_seen_when_it_is_sent(shop: Shop) -> None:
    with pytest.raises(AssertionError, match="left behind"):
        changing([replace(_CART, method="POST")])

    sent = shop.sent("apply --yes --wait 30s")

    paths = [one.path for one in sent if one.method != "GET"]
    assert any(path.endswith("/checkout") for path in paths)
    assert any(path.endswith("/changeQuantity") for path in paths)
    assert shop.served.world.ledger()


_CART = Seen("POST", "/1.0/order/cart", {}, b'{"description": "reconciler-dry-run"}')


@pytest.mark.parametrize("fault", ["html", "malformed", "wrong-types", "error-before", "throttle", "busy"])
def test_a_plan_in_trouble_sends_nothing_that_changes_either(tmp_path: Path, fault: str) -> None:
    world = World.open(None)
    world.load(WORLD)
    place = Place(tmp_path)
    with served(world) as at:
        place.write("reconciler.yaml", workspace(at, SIGNED))
        place.write("tenants/acme.yaml", PREPAID)
        world.fault(fault, method="POST|PUT|DELETE", path="/order/cart*", times=1000, seconds=0.01)
        place.run("plan", ENV)
        effects = {row["what"] for row in world.ledger()}
        sent = [one for one in at.tap.changing if not one.path.startswith("/1.0/order/cart")]
        checkouts = [one for one in at.tap.changing if one.path.endswith("/checkout")]
    world.close()

    assert at.tap.seen
    assert (sent, checkouts) == ([], [])
    assert effects <= {"cart-created", "cart-deleted"}
