"""What waits for a person: unpaid orders, papers, cancelled orders, steps by hand, and what is in doubt."""

from __future__ import annotations

from datetime import timedelta

import httpx

from reconciler.cli.hand import _resolution
from reconciler.core.journal import Kind
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply
from reconciler.engine.scribe import Scribe
from reconciler.engine.setup import load
from tests.engine.conftest import Make
from tests.engine.harness import Bench, actions, planned, results, states, trouble
from tests.engine.stories import CSP2, csp2, payg, prepaid, tenant, world_prepaid, written

NOW = timedelta(0)
TWO_SUBSCRIPTIONS = csp2(
    "  - {name: basic, product: '11', seats: 10, subscription: 501}\n"
    "  - {name: standard, product: '12', seats: 5}"
)


def says(one: Bench, address: str, happened: str | None, *, confirm: bool = False) -> None:
    """Let a person resolve or confirm what is open at an address."""
    process = one.process()
    try:
        progress = load(process.setup)["acme"]
        scribe = Scribe(
            journal=process.journal,
            tenant="acme",
            progress=progress,
            who=process.setup.who,
            now=one.time.now,
            tell=lambda _event: None,
        )
        if confirm:
            (known,) = progress.at(address)
            scribe.write(Kind.FINISHED, known.action, ref=happened, confirmed_by="ada")
        else:
            _resolution(scribe, progress, "acme", address, happened)()
    finally:
        process.journal.close()


def test_an_order_nobody_pays_by_itself_is_placed_once_and_waits(bench: Make) -> None:
    one = bench("account: {default_payment: false}", acme=prepaid(2, "ada", pin=False))

    report = one.apply()

    assert report.exit_code == 4
    assert states(report) == {"group/office": "by-hand", "seat/office/ada": "not-started"}
    assert results(report)[0].ref == "210000001"
    assert "pay order 210000001" in results(report)[0].instructions
    assert "orderPassword" not in repr(report) + repr(one.events())
    assert results(report)[0].due_by is None
    assert one.apply().exit_code == 4
    assert one.resume().exit_code == 4
    one.world.pay(210000001)
    assert one.resume().exit_code == 0
    assert one.count("order-placed") == 1
    assert one.apply().exit_code == 0


def test_an_order_that_wants_papers_goes_on_when_they_are_there(bench: Make) -> None:
    one = bench(world_prepaid(0, "ada"), acme=prepaid(2, "ada"))
    one.world.fault("order-documents")

    report = one.apply()

    assert report.exit_code == 4
    assert states(report) == {"group/office": "by-hand"}
    one.world.pay(210000001)
    assert one.resume().exit_code == 0
    assert one.count("order-placed") == 1


def test_a_cancelled_order_blocks_its_group_until_a_person_resolves_it(bench: Make) -> None:
    one = bench(world_prepaid(0, "ada"), acme=prepaid(2, "ada"))
    one.world.fault("order-cancelled")

    report = one.apply()

    assert report.exit_code == 3
    assert trouble(report).code == "order-cancelled"
    assert one.apply().exit_code == 3
    assert planned(one.plan()).blocked
    assert one.count("order-placed") == 1
    says(one, "group/office", None)
    assert one.apply().exit_code == 0
    assert one.count("order-placed") == 2


def test_what_cannot_be_known_is_in_doubt_and_the_rest_goes_on(bench: Make) -> None:
    one = bench(
        CSP2,
        acme=csp2(
            "  - {name: basic, product: '11', seats: 14, subscription: 501}\n"
            "  - {name: standard, product: '12', seats: 5}"
        ),
    )
    one.world.fault("lose-reply-before", method="POST", path="/saas/csp2/{}/subscription")

    soon = one.apply(wait=NOW)
    assert soon.exit_code == 4
    assert states(soon)["group/standard"] == "pending"
    report = one.apply(wait=timedelta(minutes=20))

    assert report.exit_code == 8
    assert states(report)["group/standard"] == "in-doubt"
    assert one.rows("SELECT quantity FROM subscription") == [{"quantity": 14}]
    assert planned(one.plan()).in_doubt
    assert one.apply().exit_code == 8
    says(one, "group/standard", None)
    assert one.apply().exit_code == 0
    assert one.count("subscription-created") == 1


def test_what_a_person_saw_happen_is_the_group_from_then_on(bench: Make) -> None:
    one = bench(CSP2, acme=TWO_SUBSCRIPTIONS)
    one.world.fault("lose-reply-before", method="POST", path="/saas/csp2/{}/subscription")
    assert one.apply(wait=timedelta(minutes=20)).exit_code == 8
    with one.world.transaction() as tx:
        tx.run(
            "INSERT INTO subscription (id, tenant, licence, quantity, created, status)"
            " VALUES (777, 'acme-csp', 12, 5, ?, 'ok')",
            tx.now,
        )

    says(one, "group/standard", "777")

    assert one.apply().exit_code == 0
    assert one.progress().services["standard"][0] == "777"
    assert one.count("subscription-created") == 0


def test_two_orders_of_one_licence_are_two_subscriptions(bench: Make) -> None:
    one = bench(
        CSP2,
        acme=csp2("  - {name: one, product: '12', seats: 5}\n  - {name: two, product: '12', seats: 5}"),
    )

    codes = [one.apply().exit_code for _ in range(3)]

    assert codes[-1] == 0, planned(one.plan())
    known = one.progress().services
    assert known["one"][0] != known["two"][0]
    assert one.count("subscription-created") == 2


def test_a_pay_as_you_go_group_is_ordered_by_a_person_and_finished_when_it_is_pinned(bench: Make) -> None:
    new = tenant("ovh-payg", "  - {name: office, product: business}", written("ada"))
    one = bench("{}", acme=new)

    report = one.apply()

    assert report.exit_code == 4
    assert states(report)["group/office"] == "by-hand"
    assert one.apply().exit_code == 4
    one.world.load({"payg": [{"service": "acme.o365.ovh.com"}]})
    one.write(acme=payg("ada"))
    report = one.apply()
    assert report.exit_code == 0, report
    assert one.count("user-created") == 1
    assert not one.progress().open


def test_a_confirmed_step_is_done(bench: Make) -> None:
    new = tenant("ovh-payg", "  - {name: office, product: business}", written("ada"))
    one = bench("{}", acme=new)
    assert one.apply().exit_code == 4

    says(one, "group/office", "ticket 12", confirm=True)

    assert not one.progress().open
    report = one.resume()
    assert report.exit_code in {0, 3}
    assert one.count("user-created") == 0


def test_only_one_purchase_of_an_account_is_unconfirmed_at_a_time(bench: Make) -> None:
    second = prepaid(4, "eve", pin=False).replace("tenant: acme", "tenant: beta")
    one = bench("{}", acme=prepaid(2, "ada", pin=False), beta=second)
    process = one.process(wait=NOW, only=["acme"])

    def lost(request: httpx.Request) -> None:
        if request.method == "POST" and request.url.path.endswith("/checkout"):
            cart = request.url.path.removeprefix("/1.0").removesuffix("/checkout")
            one.world.fault("error-before", method="GET", path=cart, times=100)
            raise httpx.ReadError("the connection died")

    process.wire.before = lost
    assert process.run(lambda setup: apply(setup, Consent())).exit_code == 4
    blocked = one.apply(wait=NOW, only=["beta"])

    assert blocked.exit_code == 3
    assert states(blocked, "beta") == {"group/office": "not-started", "seat/office/eve": "not-started"}
    assert "acme group/office is not confirmed" in results(blocked, "beta")[0].note
    assert one.count("order-placed") == 0
    one.world.clear_faults()
    codes = [one.apply().exit_code for _ in range(2)]
    assert codes[-1] == 0
    assert one.count("order-placed") == 2


def test_the_people_of_a_group_that_was_ordered_are_seated_by_a_later_process(bench: Make) -> None:
    one = bench("{}", acme=prepaid(2, "ada", "bob", pin=False))
    assert one.apply(wait=NOW).exit_code == 4
    one.time.at += 3600

    one.world.fault("lose-reply-after", method="PUT", path="/license/officePrepaid/{}", times=2)
    assert one.resume().exit_code == 0

    assert one.count("seat-configured") == 2
    assert not actions(one.plan())
    assert one.apply().exit_code == 0


def test_a_provider_whose_clock_is_ahead_is_given_its_time_all_the_same(bench: Make) -> None:
    one = bench(CSP2, acme=TWO_SUBSCRIPTIONS)
    one.world.advance(timedelta(days=2))
    one.world.fault("lose-reply-before", method="POST", path="/saas/csp2/{}/subscription")

    assert one.apply(wait=NOW).exit_code == 4
    assert one.resume(wait=NOW).exit_code == 4

    one.world.advance(timedelta(minutes=30))
    assert one.resume(wait=NOW).exit_code == 8
