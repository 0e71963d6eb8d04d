"""Who of the partner may use delegated administration: planned after the customer's approval, and never taken away."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reconciler.core.journal import Kind
from reconciler.core.model import Organisation
from reconciler.core.provider import Support
from tests.core.company import SOLD, Company, sold
from tests.core.makers import event, intended
from tests.core.scene import Scene
from tests.core.test_directory import alfa, basic

API = Support(how="api")
HELPDESK, SALES = "869713c9-0b28-4d08-8949-ae07ae1bf528", "3a4c07b1-7d58-4d3e-9b0f-0d4f4f1b7c55"
ACCESS, DELEGATION = f"tenant/access/{HELPDESK}", "tenant/delegation"
ROLES = ("User Administrator", "License Administrator")
ACTIVE = {DELEGATION: {"name": "support", "status": "active"}}
TABLE = replace(
    SOLD,
    settings={
        **SOLD.settings,
        "delegated_administration": API,
        "delegated_administration.access": API,
    },
)


def held(*roles: str, status: str = "active", others: tuple[str, ...] = ()) -> dict[str, Any]:
    """A group's roles as a directory shows them."""
    return {"roles": list(roles), "status": status, "others": list(others), "ref": "a-1"}


def delegating(
    access: Any = ({"security_group": "869713C9-0B28-4D08-8949-AE07AE1BF528"},), **settings: Any
) -> Company:
    """A tenant with a directory that asks for delegated administration."""
    gdap: dict[str, Any] = {"name": "support", "duration": "P2Y", "roles": ROLES}
    if access is not None:
        gdap["access"] = access
    one = alfa(basic(), people=None, delegated_administration=gdap)
    here = Company(tenant=one, holdings=[sold(500, 3)], capabilities=TABLE)
    here.organisation = Organisation(entries=(), settings=settings)
    return here


def codes(scene: Scene) -> list[str]:
    """The findings about rights."""
    return [one.code for one in scene.plan().findings if one.code in {"RC4305", "RC4306"}]


def test_a_group_gets_its_roles_after_the_customer_approved() -> None:
    plan = delegating().plan()

    relationship, access = plan.actions
    assert (relationship.address, access.address) == (DELEGATION, ACCESS)
    assert access.needs == (relationship.id,)
    assert access.after == {"roles": sorted(ROLES), "status": "active"}
    assert access.before is None
    assert "License Administrator, User Administrator" in access.summary


def test_what_is_given_is_planned_no_more_and_a_role_more_is() -> None:
    there = delegating(**ACTIVE, **{ACCESS: held(*sorted(ROLES))})
    lacking = delegating(**ACTIVE, **{ACCESS: held("User Administrator")})

    assert not there.plan().actions
    (more,) = lacking.plan().actions
    assert more.before == {"roles": ["User Administrator"], "status": "active"}
    assert more.needs == ()


def test_only_the_roles_that_are_written_are_given() -> None:
    here = delegating(({"security_group": HELPDESK, "roles": ["User Administrator"]},), **ACTIVE)

    (one,) = here.plan().actions

    assert one.after == {"roles": ["User Administrator"], "status": "active"}


def test_it_waits_while_the_customer_has_not_approved() -> None:
    here = delegating()
    relationship, _ = here.plan().actions
    here.events += [
        intended(relationship),
        event(Kind.ACCEPTED, relationship, ticket="r", waiting_on="person"),
    ]

    plan = here.plan()

    assert not plan.actions
    assert [(one.address, one.reason) for one in plan.pending][1:] == [(ACCESS, f"waits for {DELEGATION}")]


def test_it_waits_with_the_relationship_for_a_new_customer() -> None:
    one = alfa(
        basic(),
        people=None,
        provider="partner-center",
        service=None,
        directory={"provider": "graph", "account": "partner"},
        delegated_administration={
            "name": "s",
            "duration": "P2Y",
            "roles": ["A"],
            "access": [{"security_group": HELPDESK}],
        },
    )
    here = Company(tenant=one, capabilities=replace(TABLE, provider="partner-center"))
    here.organisation = Organisation(closed="waits until the customer is created")

    reasons = {one.address: one.reason for one in here.plan().pending}

    assert reasons[DELEGATION] == "waits until the customer is created"
    assert reasons[ACCESS] == f"waits for {DELEGATION}"


def test_it_is_given_although_the_directory_is_still_closed() -> None:
    """Who enters the customer's directory by delegated administration may be a member of that very group."""
    here = delegating(**ACTIVE)
    here.organisation = replace(here.organisation or Organisation(), closed="not accepted", entries=None)

    assert [one.address for one in here.plan().actions] == [ACCESS]


def test_it_is_blocked_with_a_relationship_that_cannot_be() -> None:
    here = delegating()
    here.capabilities = replace(TABLE, settings={}, directory=False)

    reasons = {one.address: one.reason for one in here.plan().blocked}

    assert reasons.keys() >= {DELEGATION, ACCESS}
    assert all("delete `delegated_administration`" in one for one in reasons.values())


def test_what_somebody_took_away_is_given_again_whatever_the_journal_says() -> None:
    here = delegating(**ACTIVE)
    (one,) = here.plan().actions
    here.events += [intended(one), event(Kind.FINISHED, one)]

    assert [each.address for each in here.plan().actions] == [ACCESS]


def test_what_somebody_else_gave_is_shown_and_stays() -> None:
    there = {**ACTIVE, ACCESS: held(*sorted(ROLES), others=("Global Reader",))}
    here = delegating(**there, **{f"tenant/access/{SALES}": held(others=("Global Reader",))})

    plan = here.plan()

    assert not plan.actions
    assert [(one.address, one.ref) for one in plan.unmanaged] == [(f"tenant/access/{SALES}", "a-1")]
    (found,) = [one for one in plan.findings if one.code == "RC4305"]
    assert "Global Reader too, which no file writes" in found.message


def test_without_the_key_it_is_said_that_nobody_can_use_it_until_somebody_can() -> None:
    assert codes(delegating(None)) == ["RC4306"]
    assert codes(delegating(None, **ACTIVE)) == ["RC4306"]
    assert codes(delegating(None, **ACTIVE, **{f"tenant/access/{SALES}": held(others=("A",))})) == []
    assert (
        delegating(None, **ACTIVE, **{f"tenant/access/{SALES}": held(others=("A",))}).plan().unmanaged == ()
    )
    assert codes(delegating((), **ACTIVE)) == []
