"""Partner Center through the engine: what somebody else changed, what a price did meanwhile, what guards say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from reconciler.core.errors import GuardError, StalePlanError
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply
from reconciler.providers.transport import DRY_RUN
from tests.engine.conftest import Make
from tests.engine.harness import Bench, actions, planned, results, states, trouble
from tests.engine.microsoft import (
    CANCEL,
    CUSTOMER,
    DOMAIN,
    NEW_CUSTOMER,
    PREMIUM,
    SUBSCRIPTION,
    both,
    customer,
    licensed,
    partner,
    sold,
)
from tests.engine.microsoft import planned as next_term

ONE = "/partner-center/v1/customers/{}/subscriptions/{}"
EMPTY = f"microsoft: {{customers: [{{id: {CUSTOMER}, domain: {DOMAIN}, name: Acme, country: LT}}]}}"
"""A customer who has bought nothing."""


def five(bench: Make, wanted: str, bought: str = "30d") -> Bench:
    """A customer with five seats, and what the file says of them."""
    return bench(customer(5, bought=bought), acme=partner(wanted))


def dearer(one: Bench, price: str) -> Callable[[httpx.Request], None]:
    """From the first cart that is to be bought on, a seat costs this much a month."""

    def changed(request: httpx.Request) -> None:
        if request.url.path.endswith("/carts") and DRY_RUN.encode() not in request.content:
            one.world.load({"prices": {"microsoft": {"SPB": price}}})

    return changed


def consent(one: Bench) -> Consent:
    """To what a plan shows now."""
    return Consent(digest=one.plan().digest)


@pytest.mark.parametrize(
    ("wanted", "bought", "change"),
    [
        (PREMIUM.format(8), "30d", f"subscription-resized {SUBSCRIPTION} 6"),
        (PREMIUM.format(3), "1d", f"subscription-resized {SUBSCRIPTION} 6"),
        (PREMIUM.format(3), "30d", f"subscription-resized {SUBSCRIPTION} 6"),
        (PREMIUM.format(5) + ", renewal: off", "30d", f"subscription-renewal {SUBSCRIPTION} off"),
        (CANCEL + ", cancel: now", "1d", f"subscription-resized {SUBSCRIPTION} 6"),
    ],
    ids=["more", "fewer", "fewer later", "renewal", "cancel"],
)
def test_a_plan_of_a_subscription_that_somebody_changed_is_stale(
    bench: Make, wanted: str, bought: str, change: str
) -> None:
    one = five(bench, wanted, bought)
    agreed = consent(one)
    one.world.change(change)
    before = both(one)

    with pytest.raises(StalePlanError, match="was approved, but the plan is now"):
        one.apply(agreed)

    assert both(one) == before


@pytest.mark.parametrize(
    ("wanted", "bought", "change"),
    [
        (PREMIUM.format(8), "30d", f"subscription-resized {SUBSCRIPTION} 6"),
        (PREMIUM.format(3), "1d", f"subscription-resized {SUBSCRIPTION} 4"),
        (PREMIUM.format(3), "30d", f"subscription-resized {SUBSCRIPTION} 6"),
        (CANCEL + ", cancel: now", "1d", f"subscription-resized {SUBSCRIPTION} 6"),
        (PREMIUM.format(5) + ", renewal: off", "30d", f"subscription-renewal {SUBSCRIPTION} off"),
        (PREMIUM.format(8), "30d", f"subscription-status {SUBSCRIPTION} deleted"),
    ],
    ids=["more", "fewer", "fewer later", "cancel", "renewal", "gone"],
)
def test_what_is_changed_between_plan_and_write_is_not_written_over(
    bench: Make, wanted: str, bought: str, change: str
) -> None:
    one = five(bench, wanted, bought)
    process = one.process()
    reads: list[str] = []

    def meanwhile(request: httpx.Request) -> None:
        # The list is what is planned from; the object by itself is read right before it is written.
        if request.method == "GET" and request.url.path.endswith(SUBSCRIPTION) and not reads:
            reads.append(change)
            one.world.change(change)

    process.wire.before = meanwhile
    report = process.run(lambda setup: apply(setup, Consent()))

    assert reads
    assert report.exit_code == 3
    assert trouble(report).code == "changed-meanwhile"
    assert "changed meanwhile" in trouble(report).message
    assert one.count("partner-quantity-changed") == one.count("partner-subscription-deleted") == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_seats_that_somebody_else_changes_at_the_moment_of_the_write_are_not_undone(
    bench: Make, when: str
) -> None:
    one = five(bench, PREMIUM.format(8))
    one.world.fault(
        "interference", method="PATCH", path=ONE, change=f"subscription-resized {SUBSCRIPTION} 6", when=when
    )

    first = one.apply()

    # The document that is sent back carries its version: who is slower is refused.
    assert one.count("partner-quantity-changed") == (when == "after")
    if when == "before":
        assert trouble(first).code == "changed-meanwhile"
    codes: list[int] = []
    while len(codes) < 4 and 0 not in codes:
        one.time.at += 1800
        codes.append(one.apply().exit_code)
    assert codes[-1] == 0, codes
    assert sold(one) == [(8, "active", 1)]


def test_a_price_above_the_plans_buys_nothing(bench: Make) -> None:
    one = bench(EMPTY, acme=partner(PREMIUM.format(3)))
    process = one.process()
    process.wire.before = dearer(one, "20.61")

    report = process.run(lambda setup: apply(setup, Consent()))

    assert report.exit_code == 6
    assert trouble(report).code == "price"
    assert "61.83 EUR a month, the plan said 61.80 EUR" in trouble(report).message
    assert one.count("partner-order-placed") == 0
    (again,) = actions(one.plan())
    assert again.price is not None
    assert str(again.price.monthly) == "61.83"
    assert one.apply().exit_code == 0
    assert one.count("partner-order-placed") == 1


def test_a_price_below_the_plans_is_no_obstacle(bench: Make) -> None:
    one = bench(EMPTY, acme=partner(PREMIUM.format(3)))
    process = one.process()
    process.wire.before = dearer(one, "20.59")

    report = process.run(lambda setup: apply(setup, Consent()))

    assert report.exit_code == 0
    assert one.count("partner-order-placed") == 1


def test_a_purchase_that_waited_for_an_agreement_waits_for_a_review_too(bench: Make) -> None:
    one = bench("{}", acme=partner(PREMIUM.format(3), more=NEW_CUSTOMER))
    one.world.set("delay_validation", str(5 * 3600))
    first = one.apply()
    one.world.change(f"agreement-signed {DOMAIN}")

    second, plan = one.resume(), planned(one.plan())
    one.time.at += 6 * 3600
    third = one.resume()

    assert (first.exit_code, second.exit_code, third.exit_code) == (4, 4, 0)
    assert states(second) == {"tenant/agreement": "done", "group/office": "pending"}
    assert "has reviewed the customer" in results(second)[-1].note
    assert not plan.blocked
    assert sold(one) == [(3, "active", 1)]


def test_guards_count_what_partner_center_asks_for(bench: Make) -> None:
    one = bench(customer(5), acme=partner(PREMIUM.format(8)))
    one.workspace(
        "policy: {max_monthly_increase: {amount: '61.79', currency: EUR}, max_seats_per_action: 2}\n"
    )

    with pytest.raises(GuardError) as caught:
        one.apply()

    assert "rises by 61.80 EUR" in caught.value.message
    assert "adds seats at once (3 is over 2)" in caught.value.message
    assert one.count("partner-quantity-changed") == 0
    one.workspace(
        "policy: {max_monthly_increase: {amount: '61.80', currency: EUR}, max_seats_per_action: 3}\n"
    )
    assert one.apply().exit_code == 0


def test_a_new_customers_purchase_has_no_price_and_so_is_above_every_limit(bench: Make) -> None:
    one = bench("{}", acme=partner(PREMIUM.format(3), more=NEW_CUSTOMER))
    one.workspace("policy: {max_monthly_increase: {amount: '500.00', currency: EUR}}\n")

    with pytest.raises(GuardError, match="no known price") as caught:
        one.apply()

    assert "{product: SPB, amount: " in caught.value.hint
    assert "--allow max_monthly_increase=500.00" in caught.value.hint
    assert one.count("partner-customer-created") == 0
    one.workspace(
        "prices: [{product: SPB, amount: '20.60', currency: EUR, per: month}]\n"
        "policy: {max_monthly_increase: {amount: '500.00', currency: EUR}}\n"
    )
    assert one.apply().exit_code == 4


def test_a_resume_of_it_is_stopped_as_well_until_the_workspace_tells_the_price(bench: Make) -> None:
    one = bench("{}", acme=partner(PREMIUM.format(3), more=NEW_CUSTOMER))
    assert one.apply().exit_code == 4
    one.world.change(f"agreement-signed {DOMAIN}")
    limited = "policy: {max_monthly_increase: {amount: '500.00', currency: EUR}}\n"
    one.workspace(limited)

    with pytest.raises(GuardError, match="1 purchase has no known price") as caught:
        one.resume()
    bought = sold(one)
    one.workspace(f"prices: [{{product: SPB, amount: '20.60', currency: EUR, per: month}}]\n{limited}")
    ended = one.resume()

    assert "{product: SPB, amount: " in caught.value.hint
    assert bought == []
    assert ended.exit_code in {0, 4}
    assert sold(one) == [(3, "active", 1)]


def test_what_a_resume_bought_by_the_workspaces_price_counts_as_spent_this_month(bench: Make) -> None:
    one = bench("{}", acme=partner(PREMIUM.format(3), more=NEW_CUSTOMER))
    assert one.apply().exit_code == 4
    one.world.change(f"agreement-signed {DOMAIN}")
    one.workspace(
        "prices: [{product: SPB, amount: '20.60', currency: EUR, per: month}]\n"
        "policy: {max_monthly_increase: {amount: '100.00', currency: EUR}}\n"
    )
    assert one.resume().exit_code in {0, 4}
    assert sold(one) == [(3, "active", 1)]
    one.write(acme=partner(PREMIUM.format(5), more=NEW_CUSTOMER))

    with pytest.raises(GuardError, match=r"61\.80") as caught:
        one.apply()

    assert "103.00" in caught.value.message
    assert sold(one) == [(3, "active", 1)]


@pytest.mark.parametrize(
    ("wanted", "bought"),
    [
        (PREMIUM.format(3), "1d"),
        (PREMIUM.format(3), "30d"),
        (PREMIUM.format(5) + ", renewal: off", "30d"),
        (CANCEL, "30d"),
        (CANCEL + ", cancel: now", "1d"),
    ],
    ids=["fewer", "fewer later", "renewal", "cancel", "cancel now"],
)
def test_nothing_is_taken_from_a_protected_customer(bench: Make, wanted: str, bought: str) -> None:
    one = five(bench, wanted, bought)
    one.workspace("policy: {protected: [acme]}\n")
    before = sold(one), next_term(one)

    with pytest.raises(GuardError, match="takes something away from acme"):
        one.apply()

    assert (sold(one), next_term(one)) == before


def test_seats_that_the_directory_does_not_show_yet_make_a_joiner_wait(bench: Make) -> None:
    one = bench(customer(1, "ada"), acme=partner(PREMIUM.format(2), "ada", "bob"))
    one.world.set("delay_provisioning", str(3 * 3600))

    first = one.apply()
    second = one.apply()

    assert first.exit_code == second.exit_code == 4
    assert states(first) == {"group/office": "done", "user/bob": "done", "seat/office/bob": "pending"}
    told = next(action for action in results(first) if action.address == "seat/office/bob")
    assert told.error is None
    assert told.note == f"the directory shows no free seat for bob@{DOMAIN} yet"
    one.time.at += 4 * 3600
    assert one.apply().exit_code == 0
    assert licensed(one) == ["ada", "bob"]
    assert one.count("partner-quantity-changed") == one.count("graph-user-created") == 1


def test_a_product_that_the_directory_does_not_show_yet_makes_a_joiner_wait(bench: Make) -> None:
    one = bench(EMPTY, acme=partner(PREMIUM.format(2), "ada"))
    one.world.set("delay_provisioning", str(3 * 3600))

    first = one.apply()

    assert first.exit_code == 4
    assert states(first)["seat/office/ada"] == "pending"
    told = next(action for action in results(first) if action.address == "seat/office/ada")
    assert told.note == f"what was bought for ada@{DOMAIN} does not show in the directory yet"
    assert not planned(one.plan()).blocked
    one.time.at += 4 * 3600
    assert one.apply().exit_code == 0
    assert licensed(one) == ["ada"]
    assert one.count("partner-order-placed") == 1


TRIAL = "CFQ7TTC0LH18:0002"


def on_trial(bench: Make, wanted: str) -> Bench:
    """A customer who tries five seats, since two days."""
    tried = f"{{id: {SUBSCRIPTION}, product: '{TRIAL}', quantity: 5, term: P1M, billing: none, bought: 2d}}"
    world = EMPTY.replace("country: LT", f"country: LT, subscriptions: [{tried}]")
    group = f"product: '{TRIAL}', subscription: {SUBSCRIPTION}, {wanted}"
    return bench(world, acme=partner(group))


def test_the_seats_of_a_trial_are_as_they_are(bench: Make) -> None:
    plan = planned(on_trial(bench, "seats: 6").plan())

    assert plan.actions == ()
    (item,) = plan.blocked
    assert item.reason.startswith("it is a trial until 2027-02-13, whose seats cannot be changed")


def test_a_trial_is_left_to_its_end_whatever_is_asked_for(bench: Make) -> None:
    one = on_trial(bench, "seats: 5, state: cancelled, reason: tried, cancel: now")

    (action,) = actions(one.plan())
    assert (str(action.scheduled_for), action.summary) == (
        "2027-02-13",
        "ends on 2027-02-13: partner-center cannot end it sooner",
    )
    assert one.apply().exit_code == 0
    assert one.count("partner-subscription-deleted") == 0


@pytest.mark.parametrize("product", ["SPB", "CFQ7TTC0LCHC:0002"])
def test_what_is_on_its_way_is_not_bought_again_however_it_is_written(bench: Make, product: str) -> None:
    """Somebody else's order, or ours of a journal that is lost: it tells product and SKU, never the part number."""
    one = bench(EMPTY, acme=partner(f"product: '{product}', seats: 5"))
    one.world.fault("late-delivery")
    assert one.apply(wait=timedelta(0)).exit_code == 4
    (one.root / "journal.db").unlink()
    one.time.at += 30 * 60

    plan = planned(one.plan())

    assert plan.actions == ()
    (item,) = plan.blocked
    assert "is on its way and nobody claims it" in item.reason
