"""Plans, guards, consent: nothing is sent that was not agreed to, and readers send nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from reconciler.core.errors import GuardError, StalePlanError
from reconciler.core.journal import Event, Kind
from reconciler.core.plan import Run
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply
from reconciler.store.journal import open_journal
from tests.engine.conftest import Make
from tests.engine.harness import Bench, Ends, allowed, planned, policy, results, states, trouble
from tests.engine.stories import ACME, STORIES, Story, begin, payg, prepaid, world_payg, world_prepaid

NOW = timedelta(0)
OWN_CARTS = ("/order/cart", "/assign", "/officePrepaid", "/configuration")


def effects(one: Bench) -> list[str]:
    """What took effect at the provider, but for carts."""
    return [entry["what"] for entry in one.world.ledger() if not entry["what"].startswith("cart-")]


@pytest.mark.parametrize("story", STORIES, ids=lambda one: one.name)
def test_a_plan_changes_nothing_at_the_provider(bench: Make, story: Story) -> None:
    one = begin(bench, story)
    before = effects(one), len(one.calls(writing=True))

    one.plan()

    assert effects(one) == before[0]
    assert all(
        path.startswith("/order/cart") and not path.endswith("/checkout")
        for _, path in one.calls(writing=True)[before[1] :]
    )
    assert not one.rows("SELECT * FROM cart WHERE NOT read_only")


def test_a_plan_is_spent_by_applying_it(bench: Make) -> None:
    one = bench(world_payg("ada"), acme=payg("ada", "bob"))
    saved = one.plan()
    assert one.apply(Consent(saved=saved)).exit_code == 0
    one.world.change(f"user-removed {ACME} bob@{ACME}")

    with pytest.raises(StalePlanError, match="applied already"):
        one.apply(Consent(saved=saved))

    assert one.count("user-created") == 1


def test_a_plan_that_the_provider_has_overtaken_is_refused(bench: Make) -> None:
    one = bench(world_payg("ada"), acme=payg("ada", "bob"))
    saved = one.plan()
    one.world.change(f"user-added {ACME} bob@{ACME}")
    sent = len(one.calls(writing=True))

    with pytest.raises(StalePlanError, match="it differs for acme"):
        one.apply(Consent(saved=saved))

    assert len(one.calls(writing=True)) == sent
    assert "was approved" in one.progress().owed


def test_a_plan_of_another_manifest_is_refused(bench: Make) -> None:
    one = bench(world_payg("ada"), acme=payg("ada", "bob"))
    digest = one.plan().digest
    one.write(acme=payg("ada", "bob", "eve"))

    with pytest.raises(StalePlanError):
        one.apply(Consent(digest=digest))

    assert one.count("user-created") == 0


@pytest.mark.parametrize(("kind", "code"), [(Kind.OWED, 0), (Kind.CLOSED, 6)])
def test_only_what_another_run_has_done_makes_a_plan_stale(bench: Make, kind: Kind, code: int) -> None:
    """One that was refused meanwhile changed nothing; else several at once refuse each other."""
    one = bench(world_prepaid(1, "ada"), acme=prepaid(3, "ada"))
    other = Event(kind=kind, tenant="acme", at=datetime.now(UTC), data={"why": "held", "exit_code": 0})

    def meanwhile(_run: Run) -> bool:
        journal = open_journal("sqlite:///journal.db", root=one.root, create=True, env={})
        journal.append(other)
        journal.close()
        return True

    assert one.apply(Consent(ask=meanwhile)).exit_code == code
    assert one.count("order-placed") == (code == 0)


def test_of_approved_tenants_a_stale_one_is_refused_alone(bench: Make) -> None:
    other = payg("ada", "bob").replace("acme", "beta")
    world = world_payg("ada") + world_payg("ada").replace("acme", "beta").removeprefix("payg:\n")
    one = bench(world, acme=payg("ada", "bob"), beta=other)
    run = one.plan()
    digests = {plan.tenant: plan.digest for plan in run.plans}
    one.world.change(f"user-added {ACME} bob@{ACME}")

    report = one.apply(Consent(tenants=digests))

    assert report.exit_code == 6
    assert one.count("user-created", tenant="beta.o365.ovh.com") == 1
    assert one.count("user-created", tenant=ACME) == 0


def test_what_somebody_changed_right_before_the_write_is_not_overwritten(bench: Make) -> None:
    one = bench(world_prepaid(1, "ada", "bob"), acme=prepaid(3, "ada", "bob"))
    assert one.apply().exit_code == 0
    one.write(acme=prepaid(5, "ada", "bob"))
    process = one.process()
    seen: list[str] = []

    def meddle(request: httpx.Request) -> None:
        # After planning, in the reading of the seats right before the write.
        if process.setup.acting and not seen and request.method == "GET":
            seen.append(request.url.path)
            one.world.change(f"seats-added {ACME} business 2")

    process.wire.before = meddle
    report = process.run(lambda setup: apply(setup, Consent()))

    assert report.exit_code == 3
    assert trouble(report).code == "changed-meanwhile"
    assert one.count("order-placed") == 0


def test_a_guard_stops_the_whole_run_before_the_first_call(bench: Make) -> None:
    one = bench(world_prepaid(0, "ada"), acme=prepaid(30, "ada"))

    with pytest.raises(GuardError, match="max_seats_per_action"):
        one.apply(policies=(policy(max_seats_per_action=10),))

    assert not effects(one)
    assert one.progress().begun == 0
    assert "max_seats_per_action" in one.progress().owed


def test_a_lifted_guard_is_written_down(bench: Make) -> None:
    one = bench(world_prepaid(0, "ada"), acme=prepaid(30, "ada"))

    report = one.apply(
        policies=(policy(max_seats_per_action=10),), allowed=allowed(max_seats_per_action=Decimal(29))
    )

    assert report.exit_code == 0
    assert [event.data["rule"] for event in one.events() if event.kind is Kind.LIFTED] == [
        "max_seats_per_action"
    ]


def test_a_guard_holds_for_a_resume_too(bench: Make) -> None:
    one = bench(world_prepaid(0, "ada"), acme=prepaid(30, "ada"))
    one.world.fault("refuse", method="POST", path="/order/cart", times=100)
    one.apply(wait=NOW)
    one.world.clear_faults()
    assert one.progress().todo

    with pytest.raises(GuardError):
        one.resume(policies=(policy(max_seats_per_action=10),))

    assert one.count("order-placed") == 0


def test_an_apply_does_not_do_what_an_earlier_one_left_and_nobody_wants_any_more(bench: Make) -> None:
    one = bench(world_prepaid(0, "ada"), acme=prepaid(3, "ada"))
    one.world.fault("refuse", method="POST", path="/order/cart", times=100)
    assert one.apply().exit_code == 3
    one.world.clear_faults()
    one.write(acme=prepaid(1, "ada"))

    assert one.apply().exit_code == 0

    assert one.count("order-placed") == 0
    assert not one.progress().todo
    assert one.resume().tenants == ()


def test_a_failed_tenant_does_not_stop_the_others(bench: Make) -> None:
    world = world_payg("ada") + world_payg("ada").replace("acme", "beta").removeprefix("payg:\n")
    one = bench(world, acme=payg("ada", "bob"), beta=payg("ada", "bob").replace("acme", "beta"))
    one.world.fault("error-before", method="GET", path=f"/license/office/{ACME}/user*", times=1000)

    report = one.apply()

    assert report.exit_code == 3
    assert [tenant.exit_code for tenant in report.tenants] == [3, 0]
    assert states(report, "beta") == {"seat/office/bob": "done"}
    assert report.tenants[0].error is not None
    assert one.progress().owed


@pytest.mark.parametrize("resuming", [False, True], ids=["apply", "resume"])
def test_where_the_journal_cannot_be_proved_whole_the_others_go_on(bench: Make, *, resuming: bool) -> None:
    world = world_prepaid(0, "ada") + world_payg("ada").replace("acme", "beta")
    one = bench(world, acme=prepaid(2, "ada"), beta=payg("ada", "bob").replace("acme", "beta"))
    if resuming:
        assert one.crash(Ends(event=8))
    one.world.fault("error-before", method="GET", path="/order/cart", times=4)

    report = one.resume() if resuming else one.apply()

    ends = {
        tenant.tenant: (tenant.exit_code, tenant.error and tenant.error.message) for tenant in report.tenants
    }
    assert report.exit_code == 3
    assert ends["acme"][0] == 3
    assert "it cannot be seen whether the journal is complete" in str(ends["acme"][1])
    assert ends["beta"] in {(0, None), (4, None)}
    one.time.at += 3600
    assert one.apply().exit_code == 0
    assert (one.count("order-placed"), one.count("user-created")) == (1, 1)


def test_a_held_tenant_is_planned_and_not_applied(bench: Make) -> None:
    one = bench(world_payg("ada"), acme=payg("ada", "bob", hold='"incident 812"'))

    assert planned(one.plan()).actions
    assert one.apply().exit_code == 0

    assert one.count("user-created") == 0


def test_without_waiting_an_order_is_pending_and_its_people_are_not_begun(bench: Make) -> None:
    one = bench("{}", acme=prepaid(2, "ada", pin=False))

    report = one.apply(wait=NOW)

    assert report.exit_code == 4
    assert states(report) == {"group/office": "pending", "seat/office/ada": "not-started"}
    assert results(report)[0].ref == "210000001"
    assert results(report)[0].due_by is not None
    one.time.at += 3600
    again = one.resume(wait=timedelta(minutes=1))
    assert again.exit_code == 0
    assert states(again) == {"group/office": "done", "seat/office/ada": "done"}


def test_what_is_overdue_is_said_and_not_ordered_again(bench: Make) -> None:
    one = bench("{}", acme=prepaid(2, "ada", pin=False))
    one.world.fault("late-delivery", seconds=100 * 3600)
    assert one.apply(wait=NOW).exit_code == 4
    one.time.at += 5 * 3600

    report = one.resume(wait=NOW)

    assert report.exit_code == 4
    assert next(one for one in results(report) if one.verb == "order").note.startswith("overdue")
    assert "overdue" in planned(one.plan()).pending[0].reason
    assert one.apply(wait=NOW).exit_code == 4
    assert one.count("order-placed") == 1


def test_a_price_above_the_plan_stops_the_tenant(bench: Make) -> None:
    one = bench(world_prepaid(1, "ada"), acme=prepaid(4, "ada", "bob"))
    process = one.process()

    def dearer(request: httpx.Request) -> None:
        if process.setup.acting and request.method == "POST" and request.url.path.endswith("/cart"):
            one.world.load({"prices": {"prepaid": {"officeBusiness": "99.00"}}})

    process.wire.before = dearer
    report = process.run(lambda setup: apply(setup, Consent()))

    assert report.exit_code == 6
    assert one.count("order-placed") == 0
    assert not one.rows("SELECT * FROM cart")
    assert "198.00 EUR" in trouble(report).message


def test_a_price_below_the_plan_is_taken(bench: Make) -> None:
    one = bench(world_prepaid(1, "ada"), acme=prepaid(4, "ada"))
    process = one.process()

    def cheaper(request: httpx.Request) -> None:
        if process.setup.acting and request.method == "POST" and request.url.path.endswith("/cart"):
            one.world.load({"prices": {"prepaid": {"officeBusiness": "1.00"}}})

    process.wire.before = cheaper
    assert process.run(lambda setup: apply(setup, Consent())).exit_code == 0
    assert one.count("order-placed") == 1
