"""Customers of Partner Center: found, created once, and whether they may buy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected, Uncertain
from reconciler.core.manifest import TENANT
from reconciler.core.provider import Absent, Accepted, Attempt, Done
from reconciler.providers.microsoft.partner_center.account import PartnerCenterAccount
from reconciler.providers.microsoft.partner_center.tenant import PartnerCenterTenant
from tests.providers.microsoft.partner import act, customer, opened, order, told
from tests.providers.rig import CUSTOMER, MICROSOFT, Journal, Open, Rig

pytestmark = pytest.mark.anyio

WRITTEN: dict[str, Any] = {
    "domain": "Fresh.onmicrosoft.com",
    "company": "Fresh UAB",
    "country": "lt",
    "language": "lt",
    "culture": "lt-LT",
    "email": "billing@fresh.example",
    "registration_number": None,
    "address": {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "line1": "Gedimino 1",
        "line2": None,
        "city": "Vilnius",
        "state": None,
        "postal_code": "01103",
        "phone": "+37060000000",
    },
}
CREATE = "/partner-center/v1/customers"


def create(**changed: Any) -> Action:
    place = {**WRITTEN["address"], **changed.pop("address", {})}
    written = {**WRITTEN, **changed, "address": place}
    after = {"domain": written["domain"].lower()}
    return act(Verb.UPDATE, "tenant/customer", after=after, customer=written)


def newcomer(rig: Rig, **written: Any) -> PartnerCenterTenant:
    account = rig.account
    assert isinstance(account, PartnerCenterAccount)
    tenant = {"version": 1, "tenant": "fresh", "provider": "partner-center", "account": "ovh-main"}
    given = {key: value for key, value in {**WRITTEN, **written}.items() if value is not None}
    given["address"] = {key: value for key, value in given["address"].items() if value is not None}
    return PartnerCenterTenant(account, TENANT.validate_python({**tenant, "customer": given}))


async def test_a_customer_is_created_once_and_then_known_by_its_domain(open_rig: Open) -> None:
    rig = await open_rig("partner-center", None)
    assert await rig.provider.reread(create()) is None

    done = await rig.finish(create())

    assert done.data == {"scope": done.ref}
    assert rig.did("partner-customer-created") == 1
    assert await rig.provider.reread(create()) == {"domain": "fresh.onmicrosoft.com"}
    shown = await newcomer(rig).organisation()
    assert shown is not None
    assert shown.ref == done.ref
    assert shown.settings == {
        "tenant/customer": {"domain": "fresh.onmicrosoft.com"},
        "tenant/agreement": {"accepted": False},
    }
    with pytest.raises(Rejected) as caught:
        await rig.carry_out(create())
    assert done.ref in caught.value.hint
    assert rig.did("partner-customer-created") == 1


async def test_the_first_administrators_password_is_kept_nowhere(open_rig: Open) -> None:
    rig = await open_rig("partner-center", None)

    said = repr(await told(rig.provider.execute(create(), Attempt(number=1))))

    assert "assword" not in said
    assert "admin" not in said


async def test_a_domain_that_somebody_else_has_is_refused(open_rig: Open) -> None:
    other = {"microsoft": {"tenants": [{"domain": "fresh.onmicrosoft.com", "country": "FR"}]}}
    rig = await open_rig("partner-center", None, other)

    with pytest.raises(Rejected, match="taken by somebody else") as caught:
        await rig.carry_out(create())

    assert "service:" in caught.value.hint
    assert rig.did("partner-customer-created") == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"country": "cu"}, "sells nothing in CU"),
        ({"address": {"postal_code": None}}, "postal_code .* is needed"),
        ({"address": {"postal_code": "1"}}, "postal_code .* spelled"),
        ({"address": {"phone": "call me"}}, "phone .* spelled"),
        ({"country": "us", "culture": "en-US", "language": "en"}, "state .* is needed"),
        ({"culture": "fr-FR"}, "culture .* not supported"),
        ({"language": "fr"}, "language .* not supported"),
    ],
)
async def test_what_a_country_would_refuse_is_refused_before_anything_is_sent(
    open_rig: Open, changed: dict[str, Any], words: str
) -> None:
    rig = await open_rig("partner-center", None)

    with pytest.raises(Rejected, match=words):
        await rig.carry_out(create(**changed))

    assert ("POST", CREATE) not in [(one["method"], one["path"]) for one in rig.world.requests()]


@pytest.mark.parametrize("country", ["am", "in"])
async def test_a_registration_number_that_is_missing_is_named(open_rig: Open, country: str) -> None:
    rig = await open_rig("partner-center", None)
    action = create(country=country, language="en", culture=f"en-{country.upper()}")

    with pytest.raises(Rejected) as caught:
        await rig.carry_out(action)

    assert caught.value.code == "600049"
    assert "registration_number" in caught.value.hint


@pytest.mark.parametrize("fault", ["lose-reply-after", "error-after", "malformed", "lose-reply-before"])
async def test_a_lost_answer_leads_to_one_customer(open_rig: Open, fault: str) -> None:
    rig = await open_rig("partner-center", None)
    rig.world.fault(fault, path=CREATE, method="POST")
    journal = Journal(rig.world)

    with pytest.raises(Uncertain):
        await rig.carry_out(create(), journal)
    found = await rig.find(create(), journal)
    if isinstance(found, Absent):
        found = await rig.finish(create(), journal)

    assert isinstance(found, Done)
    assert rig.did("partner-customer-created") == 1


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"validation": "NotAllowed"}, "did not approve"),
        ({"validation": "Unknown"}, "Unknown"),
        ({"validation": ""}, ""),
        ({}, ""),
    ],
)
async def test_a_customer_that_may_not_buy_yet_says_why(
    open_rig: Open, more: dict[str, Any], word: str
) -> None:
    rig = await opened(open_rig, **more)

    found = await rig.provider.organisation()

    assert found is not None
    assert word in found.unready
    assert bool(found.unready) is bool(word)


@pytest.mark.parametrize(("how", "accepted"), [("none", False), ("attested", True), ("signed", True)])
async def test_the_agreement_is_shown_as_it_stands(open_rig: Open, how: str, *, accepted: bool) -> None:
    rig = await opened(open_rig, agreement=how)

    found = await rig.provider.organisation()

    assert found is not None
    assert found.settings["tenant/agreement"] == {"accepted": accepted}
    assert found.unready == ""


@pytest.mark.parametrize("change", ["agreement-signed", "agreement-attested"])
async def test_an_agreement_waits_for_a_person_and_nothing_is_sent(open_rig: Open, change: str) -> None:
    rig = await opened(open_rig, agreement="none")
    wanted = act(Verb.UPDATE, "tenant/agreement", after={"accepted": True}, scope=CUSTOMER)
    assert await rig.provider.reread(wanted) is None

    waits = await told(rig.provider.execute(wanted, Attempt(number=1)))
    again = await rig.provider.find(wanted, (), datetime.fromtimestamp(rig.time.now, UTC))
    rig.world.change(f"{change} {CUSTOMER}")
    done = await rig.provider.poll(wanted, "agreement", ())

    (first,) = waits
    assert isinstance(first, Accepted)
    assert (first.ticket, first.waiting_on) == ("agreement", "person")
    assert "sign" in first.instructions
    assert again == first
    assert done == Done(ref=CUSTOMER, data={"scope": CUSTOMER})
    assert not [one for one in rig.world.requests() if one["method"] == "POST" and "login" not in one["path"]]


async def test_a_review_that_runs_is_waited_for(open_rig: Open) -> None:
    rig = await opened(open_rig, validation="UnderReview")

    found = await rig.provider.organisation()

    assert found is not None
    assert "has reviewed the customer" in found.awaits
    assert found.unready == ""


async def test_without_a_person_only_what_an_application_may_read_is_asked(open_rig: Open) -> None:
    alone = {key: value for key, value in MICROSOFT.items() if key != "refresh_token"}
    rig = await open_rig("partner-center", CUSTOMER, customer(validation="NotAllowed"), credentials=alone)

    found = await rig.provider.organisation()

    assert found is not None
    assert found.unready == ""
    with pytest.raises(Rejected) as caught:
        await rig.carry_out(order())
    assert caught.value.code == "800075"


async def test_a_tenant_without_a_customer_has_nothing_yet(open_rig: Open) -> None:
    rig = await open_rig("partner-center", None)

    found = await newcomer(rig).organisation()

    assert found is not None
    assert (found.ref, found.settings, found.unready) == (None, {}, "")
    with pytest.raises(Rejected, match="no customer"):
        await rig.carry_out(order(scope=""))
    assert not [one for one in rig.world.requests() if one["method"] == "POST" and "/carts" in one["path"]]
