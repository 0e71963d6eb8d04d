"""One story for each way in which a family changes something: the world before, the file, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.engine.harness import Bench

ACME = "acme.o365.ovh.com"
PEOPLE = {
    "ada": "{login: ada, first_name: Ada, last_name: Lovelace, country: gb",
    "bob": "{login: bob, first_name: Bob, last_name: Kahn, country: us",
    "eve": "{login: eve, first_name: Eve, last_name: Curie, country: fr",
}


def sitting(*names: str, indent: int = 10) -> str:
    """People of a world file."""
    return "\n".join(f"{' ' * indent}- {PEOPLE[name]}}}" for name in names)


def written(*names: str, group: str = "office") -> str:
    """People of a tenant's file."""
    return "\n".join(f"  - {PEOPLE[name]}, licenses: [{group}]}}" for name in names) or "  []"


class Provider(Protocol):
    """Whoever can look into the provider's own tables."""

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What the tables say."""
        ...


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is there, what is asked for, and what the provider must show once and only once.

    effects: how often each thing may take effect at most; exactly that often once everything went through.
    check: what the provider shows of it, which is `end` in the end.
    start: what somebody else does at the provider before it begins.
    helps: what somebody else does there when a person is asked; repeating it does no harm.
    """

    name: str
    provider: str
    world: str
    tenant: str
    effects: dict[str, int]
    before: str = ""
    check: Callable[[Provider], Any] = field(default=lambda _provider: None)
    end: Any = None
    start: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()


def tenant(provider: str, groups: str, users: str | None = None, **more: str) -> str:
    """A tenant's file."""
    lines = ["version: 1", "tenant: acme", f"provider: {provider}", "account: ovh-main"]
    lines += [f"{key}: {value}" for key, value in more.items()]
    lines += ["license_groups:", groups]
    if users is not None:
        lines += ["users:", users]
    return "\n".join(lines) + "\n"


def payg(*names: str, **more: str) -> str:
    """A pay-as-you-go tenant's file."""
    return tenant("ovh-payg", "  - {name: office, product: business}", written(*names), service=ACME, **more)


def prepaid(seats: int, *names: str, pin: bool = True, more: str = "") -> str:
    """A prepaid tenant's file."""
    pinned = f", service: {ACME}" if pin else ""
    group = f"  - {{name: office, product: business, seats: {seats}{pinned}{more}}}"
    return tenant("ovh-prepaid", group, written(*names))


def in_two_groups(office: tuple[str, ...], pro: tuple[str, ...]) -> str:
    """The file of a prepaid tenant with two seats of each product in one service."""
    groups = "\n".join(
        f"  - {{name: {name}, product: {product}, seats: 2, service: {ACME}}}"
        for name, product in (("office", "business"), ("pro", "pro-plus"))
    )
    return tenant("ovh-prepaid", groups, f"{written(*office)}\n{written(*pro, group='pro')}")


def csp2(groups: str) -> str:
    """A reseller tenant's file."""
    return tenant("ovh-csp2", groups, service="acme-csp")


def world_payg(*names: str) -> str:
    """A pay-as-you-go group with people."""
    users = "\n".join(f"      - {PEOPLE[name]}}}" for name in names)
    return f"payg:\n  - service: {ACME}\n    users:\n{users}\n" if names else f"payg:\n  - service: {ACME}\n"


def world_prepaid(empty: int, *names: str) -> str:
    """A prepaid group with people and empty seats."""
    people = f"        people:\n{sitting(*names)}\n" if names else ""
    return f"prepaid:\n  - service: {ACME}\n    seats:\n      - licence: business\n        empty: {empty}\n{people}"


TWO_GROUPS = f"""
prepaid:
  - service: {ACME}
    seats:
      - licence: business
        people:
{sitting("ada", "bob")}
      - licence: pro-plus
        empty: 1
        people:
{sitting("eve")}
"""

CSP2 = """
csp2:
  - service: acme-csp
    subscriptions:
      - {id: 501, licence: 11, quantity: 10}
"""


def pool(seen: Provider) -> tuple[int, list[str]]:
    """Seats of prepaid groups that go on, and who sits."""
    seats = seen.rows(
        "SELECT seat.email, seat.virtual FROM seat JOIN service ON service.name = seat.name WHERE NOT service.ending"
    )
    ending = seen.rows(
        "SELECT seat.email, seat.virtual FROM seat JOIN service ON service.name = seat.name WHERE service.ending"
    )
    people = sorted(one["email"].partition("@")[0] for one in [*seats, *ending] if not one["virtual"])
    return len(seats), people


def seated(seen: Provider) -> list[str]:
    """Who sits on a seat of which licence."""
    rows = seen.rows("SELECT email, licence FROM seat WHERE NOT virtual ORDER BY email")
    return [f"{one['email'].partition('@')[0]} {one['licence']}" for one in rows]


def members(seen: Provider) -> list[str]:
    """Who is in pay-as-you-go groups."""
    return sorted(
        f"{one['email'].partition('@')[0]} {one['last']}" for one in seen.rows("SELECT * FROM user")
    )


def names(seen: Provider) -> list[str]:
    """Under which display names tenants are shown."""
    return [one["display_name"] for one in seen.rows("SELECT display_name FROM tenant ORDER BY name")]


def renewing(seen: Provider) -> tuple[list[str], list[int]]:
    """The display names, and whether each service ends."""
    return names(seen), [one["ending"] for one in seen.rows("SELECT ending FROM service ORDER BY name")]


def subscriptions(seen: Provider) -> list[tuple[int, int]]:
    """The licences and quantities of the reseller's subscriptions."""
    return [(one["licence"], one["quantity"]) for one in seen.rows("SELECT * FROM subscription ORDER BY id")]


ORDERED = {"order-placed": 1, "order-delivered": 1}

STORIES = (
    Story(
        name="payg-join",
        provider="ovh-payg",
        world=world_payg("ada"),
        tenant=payg("ada", "bob"),
        effects={"user-created": 1},
        check=members,
        end=["ada Lovelace", "bob Kahn"],
    ),
    Story(
        name="payg-leave",
        provider="ovh-payg",
        world=world_payg("ada", "bob"),
        before=payg("ada", "bob"),
        tenant=payg("ada"),
        effects={"user-deleted": 1},
        check=members,
        end=["ada Lovelace"],
    ),
    Story(
        name="payg-update",
        provider="ovh-payg",
        world=world_payg("ada"),
        tenant=payg("ada").replace("Lovelace", "King"),
        effects={},
        check=members,
        end=["ada King"],
    ),
    Story(
        name="payg-name",
        provider="ovh-payg",
        world=world_payg("ada"),
        tenant=payg("ada", name="Acme UAB"),
        effects={},
        check=names,
        end=["Acme UAB"],
    ),
    Story(
        name="payg-name-and-renewal",
        provider="ovh-payg",
        world=world_payg("ada"),
        tenant=payg("ada", name="Acme UAB").replace("business}", "business, renewal: off}"),
        effects={},
        check=renewing,
        end=(["Acme UAB"], [1]),
    ),
    Story(
        name="prepaid-new",
        provider="ovh-prepaid",
        world="{}",
        tenant=prepaid(2, "ada", "bob", pin=False),
        effects={**ORDERED, "seat-configured": 2},
        check=pool,
        end=(2, ["ada", "bob"]),
    ),
    Story(
        name="prepaid-more",
        provider="ovh-prepaid",
        world=world_prepaid(0, "ada"),
        tenant=prepaid(3, "ada", "bob"),
        effects={**ORDERED, "seat-configured": 1},
        check=pool,
        end=(3, ["ada", "bob"]),
    ),
    Story(
        name="prepaid-activate",
        provider="ovh-prepaid",
        world=world_prepaid(1, "ada"),
        tenant=prepaid(2, "ada", "bob"),
        effects={"order-placed": 0, "seat-configured": 1},
        check=pool,
        end=(2, ["ada", "bob"]),
    ),
    Story(
        name="prepaid-swap",
        provider="ovh-prepaid",
        world=world_prepaid(0, "ada", "bob"),
        before=prepaid(2, "ada", "bob"),
        tenant=prepaid(2, "ada", "eve"),
        effects={"order-placed": 0, "seat-configured": 1, "seat-unconfigured": 1},
        check=pool,
        end=(2, ["ada", "eve"]),
    ),
    Story(
        name="prepaid-move",
        provider="ovh-prepaid",
        world=TWO_GROUPS,
        before=in_two_groups(("ada", "bob"), ("eve",)),
        tenant=in_two_groups(("bob",), ("ada", "eve")),
        effects={"order-placed": 0, "seat-configured": 1, "seat-unconfigured": 1},
        check=seated,
        end=["ada officeProPlus", "bob officeBusiness", "eve officeProPlus"],
    ),
    Story(
        name="prepaid-fewer",
        provider="ovh-prepaid",
        world=world_prepaid(1, "ada", "bob"),
        before=prepaid(3, "ada", "bob"),
        tenant=prepaid(1, "ada"),
        effects={"order-placed": 0, "seat-unconfigured": 1},
        check=pool,
        end=(1, ["ada"]),
    ),
    Story(
        name="prepaid-cancel",
        provider="ovh-prepaid",
        world=world_prepaid(1),
        tenant=prepaid(2, more=", state: cancelled, reason: left"),
        effects={"order-placed": 0},
        check=pool,
        end=(0, []),
    ),
    Story(
        name="prepaid-renewal-off",
        provider="ovh-prepaid",
        world=world_prepaid(1, "ada"),
        tenant=prepaid(2, "ada", more=", renewal: off"),
        effects={"order-placed": 0},
        check=pool,
        end=(0, ["ada"]),
    ),
    Story(
        name="csp2-order",
        provider="ovh-csp2",
        world=CSP2,
        tenant=csp2(
            "  - {name: basic, product: '11', seats: 10, subscription: 501}\n"
            "  - {name: standard, product: '12', seats: 5}"
        ),
        effects={"subscription-created": 1},
        check=subscriptions,
        end=[(11, 10), (12, 5)],
    ),
    Story(
        name="csp2-resize",
        provider="ovh-csp2",
        world=CSP2,
        tenant=csp2("  - {name: basic, product: '11', seats: 14, subscription: 501}"),
        effects={"subscription-changed": 1},
        check=subscriptions,
        end=[(11, 14)],
    ),
    Story(
        name="csp2-cancel",
        provider="ovh-csp2",
        world=CSP2,
        tenant=csp2(
            "  - {name: basic, product: '11', seats: 10, subscription: 501, state: cancelled,"
            " reason: left, cancel: now}"
        ),
        effects={"subscription-deleted": 1},
        check=subscriptions,
        end=[],
    ),
)


def begin(make: Callable[..., Bench], story: Story) -> Bench:
    """A bench in which the story is about to be applied."""
    bench = make(story.world, acme=story.before or story.tenant)
    if story.before:
        assert bench.apply().exit_code == 0
        bench.write(acme=story.tenant)
    for change in story.start:
        bench.world.change(change)
    return bench
