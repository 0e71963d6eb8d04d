"""What a tenant has besides groups and people: planned where an API does it, by hand where none does."""

from typing import Any

from msgspec.structs import replace

from reconciler.core.action import Verb
from reconciler.core.journal import Kind
from reconciler.core.model import Organisation
from reconciler.core.plan import Plan
from reconciler.providers.ovh.capabilities import PREPAID
from tests.core.company import API, SOLD, Company, sold
from tests.core.makers import bare, event, group, intended, service, tenant
from tests.core.scene import Scene
from tests.core.test_directory import alfa, basic, company, who

CUSTOMER = {
    "domain": "Alfa.onmicrosoft.com",
    "company": "Alfa UAB",
    "country": "lt",
    "language": "lt",
    "culture": "lt-LT",
    "email": "billing@alfa.example",
    "address": {"first_name": "Ada", "last_name": "Doe", "line1": "Gedimino 1", "city": "Vilnius"},
}


def planned(**more: Any) -> Plan:
    """The plan of a prepaid tenant with these further keys."""
    return Scene(tenant=tenant(group(seats=1), **more), holdings=[service(None)]).plan()


def test_a_partner_of_record_is_a_step_by_hand_that_says_what_to_do() -> None:
    (one,) = planned(partner_of_record="1234567").actions

    assert (one.verb, one.address, one.how) == (Verb.UPDATE, "tenant/partner-of-record", "by-hand")
    assert "enters 1234567" in str(one.instructions)
    assert "https://admin.microsoft.com/" in str(one.instructions)


def test_what_was_confirmed_is_not_asked_for_again() -> None:
    scene = Scene(tenant=tenant(group(seats=1), partner_of_record="1234567"), holdings=[service(None)])
    (one,) = scene.plan().actions
    scene.events += [intended(one), event(Kind.FINISHED, one, confirmed_by="Ann")]

    assert not scene.plan().actions
    scene.tenant = tenant(group(seats=1), partner_of_record="7654321")
    assert [each.after for each in scene.plan().actions] == [{"partner": "7654321"}]


def test_what_waits_for_a_person_is_planned_once() -> None:
    scene = Scene(tenant=tenant(group(seats=1), partner_of_record="1234567"), holdings=[service(None)])
    (one,) = scene.plan().actions
    scene.events += [intended(one), event(Kind.ACCEPTED, one, ticket="", waiting_on="person")]

    plan = scene.plan()

    assert not plan.actions
    assert [(each.address, each.state) for each in plan.pending] == [("tenant/partner-of-record", "by-hand")]


def test_every_product_key_is_a_step_of_its_own_and_no_key_is_shown() -> None:
    keys = ({"group": "office", "key": "env://ACME_KEY_1"}, {"group": "office", "key": "file:///run/keys/2"})
    plan = planned(product_keys=keys)

    assert [one.address for one in plan.actions] == [
        "tenant/key/office/ACME_KEY_1",
        "tenant/key/office/run.keys.2",
    ]
    assert all(one.how == "by-hand" for one in plan.actions)


def test_no_two_references_are_one_key() -> None:
    """Else one confirmation after the other is forgotten, and both keys are asked for without an end."""
    references = ("env://K_1", "file:///K_1", "file:///run/k/a", "file:///run/k.a", "file:///run.k.a")
    plan = planned(product_keys=[{"group": "office", "key": one} for one in references])

    assert len({one.address for one in plan.actions}) == len(references)


def test_office_attach_names_the_accounts() -> None:
    (one,) = planned(
        office_attach={"exchange": "hosted-ab-1", "accounts": ["Bob@a.example", "ada@a.example"]}
    ).actions

    assert one.address == "tenant/office-attach/hosted-ab-1"
    assert one.after == {"accounts": ["ada@a.example", "bob@a.example"]}
    assert "ada@a.example, bob@a.example" in str(one.instructions)


def test_domains_need_a_directory() -> None:
    blocked = planned(domains=("acme.example",))
    there = company(alfa(basic(), people=None, domains=("Acme.example",)), sold(500, 3)).plan()

    assert not blocked.actions
    assert ["keeps no directory" in one.reason for one in blocked.blocked] == [True]
    assert [(one.address, one.after) for one in there.actions] == [
        ("tenant/domain/acme.example", {"verified": True})
    ]


def test_what_the_provider_shows_decides() -> None:
    here = company(alfa(basic(), people=None, mpn_id="1"), sold(500, 3))
    here.organisation = Organisation(entries=(), settings={"tenant/mpn-id": {"mpn_id": "2"}})

    (one,) = here.plan().actions
    assert (one.before, one.after) == ({"mpn_id": "2"}, {"mpn_id": "1"})
    here.do(here.plan())
    assert not here.plan().actions


def test_a_key_that_the_provider_does_not_have_is_blocked_with_what_to_do() -> None:
    plan = planned(mpn_id="1")

    assert [(one.address, one.reason) for one in plan.blocked] == [
        ("tenant/mpn-id", f"{PREPAID.provider} has no `mpn_id`: delete it")
    ]


def bought(**more: Any) -> Company:
    """A new customer's first group, at a seller who needs the customer first."""
    one = alfa(
        bare("basic", seats=3), people=None, customer=CUSTOMER, service=None, provider="partner-center"
    )
    capabilities = replace(SOLD, provider="partner-center")
    here = Company(tenant=one, capabilities=capabilities, organisation=Organisation(entries=()))
    for key, value in more.items():
        setattr(here, key, value)
    return here


def test_a_customer_is_created_before_anything_is_bought_for_them() -> None:
    plan = bought().plan()

    assert [(one.verb.value, one.address) for one in plan.actions] == [
        ("update", "tenant/customer"),
        ("order", "group/basic"),
    ]
    customer, order = plan.actions
    assert customer.after == {"domain": "alfa.onmicrosoft.com"}
    assert order.needs == (customer.id,)


def test_nothing_is_bought_while_the_seller_is_not_ready() -> None:
    one = alfa(basic(), people=None, service="alfa", provider="ovh-csp2")
    here = Company(
        tenant=one.model_copy(update={"license_groups": (bare("basic", product="Business Basic", seats=3),)})
    )
    here.organisation = Organisation(
        entries=(), unready="the customer agreement is not accepted: have it signed"
    )

    plan = here.plan()

    assert not plan.actions
    assert [one.reason for one in plan.blocked] == ["the customer agreement is not accepted: have it signed"]


def test_an_agreement_comes_after_the_customer_and_before_the_purchase() -> None:
    asks = replace(SOLD, provider="partner-center", settings={**SOLD.settings, "agreement": API})
    here = bought(capabilities=asks)

    made = {one.address: one for one in here.plan().actions}
    customer, agreement, order = (made[one] for one in ("tenant/customer", "tenant/agreement", "group/basic"))

    assert agreement.needs == (customer.id,)
    assert set(order.needs) == {customer.id, agreement.id}


def test_what_passes_by_itself_is_waited_for_and_not_refused() -> None:
    asks = replace(SOLD, provider="partner-center", settings={**SOLD.settings, "agreement": API})
    here = bought(capabilities=asks)
    here.tenant = here.tenant.model_copy(update={"service": "alfa", "customer": None})
    signed = Organisation(entries=(), settings={"tenant/agreement": {"accepted": True}})
    here.organisation = replace(signed, awaits="waits until it is reviewed")

    waits = here.plan()
    here.organisation = signed

    assert [(one.address, one.reason) for one in waits.pending] == [
        ("group/basic", "waits until it is reviewed")
    ]
    assert not waits.actions
    assert not waits.blocked
    assert [one.address for one in here.plan().actions] == ["group/basic"]


def test_what_is_under_way_holds_a_purchase_back() -> None:
    asks = replace(SOLD, provider="partner-center", settings={**SOLD.settings, "agreement": API})
    here = bought(capabilities=asks)
    agreement = next(one for one in here.plan().actions if one.address == "tenant/agreement")
    here.tenant = here.tenant.model_copy(update={"service": "alfa", "users": (who("ada"),)})
    here.events = [intended(agreement), event(Kind.ACCEPTED, agreement, ticket="a", waiting_on="person")]

    plan = here.plan()

    assert [one.address for one in plan.actions] == ["user/ada"]
    assert {
        ("group/basic", "waits for tenant/agreement"),
        ("seat/basic/ada", "waits for the seats of group/basic"),
    } <= {(one.address, one.reason) for one in plan.pending}
    assert not plan.blocked
