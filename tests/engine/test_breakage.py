"""What breaks on our side: a journal that cannot be written, a lease that is lost, a fault of the tool itself."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from reconciler.core.errors import JournalError, LeaseHeldError
from reconciler.core.journal import Event, Kind, Lease
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply
from reconciler.engine.setup import Setup
from tests.engine.conftest import Make
from tests.engine.harness import Bench, Ends, Process, results, states, trouble
from tests.engine.stories import STORIES, Story, begin, payg, prepaid, world_payg, world_prepaid

EVERY = bool(os.environ.get("RECONCILER_TORTURE"))
"""Whether the disk is full from each event on; else from every second."""
NOW = timedelta(0)


def full_from(process: Process, event: int) -> None:
    """From the n-th event on the disk is full."""
    inner = process.journal.inner.append
    count = 0

    def append(*events: Event, lease: Lease | None = None) -> tuple[Event, ...]:
        nonlocal count
        count += len(events)
        if count >= event:
            raise JournalError("journal.db: no space left on device", hint="make room", code="")
        return inner(*events, lease=lease)

    process.journal.append = append  # type: ignore[method-assign]


@pytest.mark.unmeasured
@pytest.mark.parametrize("story", STORIES, ids=lambda one: one.name)
def test_a_full_disk_stops_the_tenant_and_loses_no_purchase(
    tmp_path_factory: pytest.TempPathFactory, story: Story
) -> None:
    for event in range(1, 40, 1 if EVERY else 2):
        one = begin(_make(tmp_path_factory), story)
        process = one.process()
        full_from(process, event)

        report = process.run(lambda setup: apply(setup, Consent()))

        codes = [report.exit_code, one.apply().exit_code]
        for what, most in story.effects.items():
            assert one.count(what) <= most
        if codes[-1] == 8:
            assert story.name == "csp2-order"
        else:
            assert codes[-1] == 0, (event, codes)
            assert story.check(one) == story.end
        one.world.close()
        if codes[0] == 0:
            return
    pytest.fail("the disk was always full")


def _make(factory: pytest.TempPathFactory) -> Callable[..., Bench]:
    return lambda world, **files: Bench.make(factory.mktemp("full"), world, **files)


def test_an_order_that_could_not_be_written_down_is_named(bench: Make) -> None:
    one = bench("{}", acme=prepaid(2, pin=False))
    process = one.process()
    kinds = [Kind.BEGUN, Kind.INTENDED, Kind.STEPPING, Kind.STEPPED, Kind.STEPPING]
    full_from(process, len(kinds) + 1)

    report = process.run(lambda setup: apply(setup, Consent()))

    assert one.count("order-placed") == 1
    assert report.exit_code == 3
    assert "no space left" in trouble(report).message
    assert "210000001" in trouble(report).message
    assert one.resume().exit_code == 0
    assert one.count("order-placed") == 1


def test_a_fault_of_the_tool_in_one_tenant_is_told_and_the_others_go_on(
    bench: Make, caplog: pytest.LogCaptureFixture
) -> None:
    world = world_payg("ada") + world_payg("ada").replace("acme", "beta").removeprefix("payg:\n")
    one = bench(world, acme=payg("ada", "bob"), beta=payg("ada", "bob").replace("acme", "beta"))
    process = one.process()

    def bug(request: httpx.Request) -> None:
        if request.method == "POST" and "acme" in request.url.path:
            raise KeyError("seats")

    process.wire.before = bug
    with caplog.at_level(logging.ERROR):
        report = process.run(lambda setup: apply(setup, Consent()))

    assert report.exit_code == 3
    assert states(report) == {"seat/office/bob": "failed"}
    assert trouble(report).code == "bug"
    assert states(report, "beta") == {"seat/office/bob": "done"}
    assert "KeyError" in caplog.text
    assert one.apply(wait=timedelta(hours=1)).exit_code == 0
    assert one.count("user-created") == 2


def test_a_fault_of_the_tool_while_planning_leaves_the_others_planned(bench: Make) -> None:
    world = world_payg("ada") + world_payg("ada").replace("acme", "beta").removeprefix("payg:\n")
    one = bench(world, acme=payg("ada", "bob"), beta=payg("ada", "bob").replace("acme", "beta"))
    process = one.process()

    def bug(request: httpx.Request) -> None:
        if request.url.path.endswith("acme.o365.ovh.com/user"):
            raise KeyError("seats")

    process.wire.before = bug
    report = process.run(lambda setup: apply(setup, Consent()))

    assert report.exit_code == 3
    assert [tenant.exit_code for tenant in report.tenants] == [3, 0]


def test_a_tenant_somebody_else_applies_is_left_to_them(bench: Make) -> None:
    world = world_payg("ada") + world_payg("ada").replace("acme", "beta").removeprefix("payg:\n")
    one = bench(world, acme=payg("ada", "bob"), beta=payg("ada", "bob").replace("acme", "beta"))
    other = one.process()
    other.journal.acquire("acme", holder="somebody else")

    report = one.apply()

    assert report.exit_code == 7
    assert report.tenants[0].error is not None
    assert "somebody else" in report.tenants[0].error.message
    assert states(report, "beta") == {"seat/office/bob": "done"}
    assert one.count("user-created") == 1
    assert one.progress().owed
    other.journal.close()
    assert one.apply().exit_code == 0
    assert not one.progress().owed


def test_a_dead_holders_tenant_is_taken_over_at_once(bench: Make) -> None:
    one = bench(world_payg("ada"), acme=payg("ada", "bob"))
    other = one.process()
    other.journal.acquire("acme", holder="a process that dies")
    other.ends.gone = True
    other.journal.close()

    assert one.apply().exit_code == 0


def test_who_lost_the_lease_does_nothing_more(bench: Make) -> None:
    one = bench("{}", acme=prepaid(2, "ada", pin=False))
    process = one.process()

    def taken(request: httpx.Request) -> None:
        if request.method == "GET" and request.url.path == "/1.0/me/payment/method":
            assert process.journal.break_lease("acme")

    process.wire.before = taken
    report = process.run(lambda setup: apply(setup, Consent()))

    assert report.exit_code == 7
    assert one.count("order-placed") == 0
    assert one.apply().exit_code == 0
    assert one.count("order-placed") == 1


def test_two_runs_at_once_buy_once(bench: Make) -> None:
    one = bench("{}", acme=prepaid(2, "ada", pin=False), beta=prepaid(3, pin=False).replace("acme", "beta"))
    first, second = one.process(holder="first"), one.process(holder="second")

    async def both() -> list[object]:
        async def run(setup: Setup) -> object:
            try:
                return await apply(setup, Consent())
            except LeaseHeldError as error:
                return error
            finally:
                await setup.accounts.close()

        return list(await asyncio.gather(run(first.setup), run(second.setup)))

    try:
        reports = asyncio.run(both())
    finally:
        first.journal.close()
        second.journal.close()

    codes = sorted(report.exit_code for report in reports)  # type: ignore[attr-defined]
    assert codes[-1] in {6, 7}
    assert one.apply().exit_code == 0
    assert one.count("order-placed") == 2
    assert one.count("seat-configured") == 1


def test_a_run_that_is_asked_to_stop_says_what_is_open(bench: Make) -> None:
    one = bench("{}", acme=prepaid(2, "ada", pin=False))
    process = one.process()

    def stop(request: httpx.Request) -> None:
        if request.url.path.endswith("/status"):
            one.time.stopping = True

    process.wire.before = stop
    report = process.run(lambda setup: apply(setup, Consent()))
    one.time.stopping = False

    assert report.exit_code == 4
    assert states(report) == {"group/office": "pending", "seat/office/ada": "not-started"}
    assert results(report)[0].ref == "210000001"
    assert one.resume().exit_code == 0
    assert one.count("order-placed") == 1


def test_what_never_happened_is_not_sent_once_nobody_wants_it(bench: Make) -> None:
    one = bench(world_prepaid(0, "ada"), acme=prepaid(3, "ada"))
    assert one.crash(Ends(event=4))
    assert one.progress().open
    one.write(acme=prepaid(1, "ada"))

    assert one.apply().exit_code == 0

    assert one.count("order-placed") == 0
    assert not one.progress().open


def test_a_renamed_tenant_keeps_its_open_order(bench: Make) -> None:
    one = bench("{}", acme=prepaid(2, "ada", pin=False))
    assert one.apply(wait=NOW).exit_code == 4
    (one.root / "tenants" / "acme.yaml").unlink()
    renamed = prepaid(2, "ada", pin=False).replace("tenant: acme", "tenant: apex\npreviously: acme")
    one.write(apex=renamed)

    assert one.resume(wait=NOW).exit_code == 4
    one.time.at += 3600
    assert one.resume().exit_code == 0
    assert one.apply().exit_code == 0

    assert one.count("order-placed") == 1
    assert one.count("seat-configured") == 1


def test_an_open_order_whose_file_is_gone_is_not_forgotten(bench: Make) -> None:
    one = bench(world_payg("ada"), acme=prepaid(2, pin=False), beta=payg("ada").replace("acme", "beta"))
    assert one.apply(wait=NOW, only=["acme"]).exit_code == 4
    (one.root / "tenants" / "acme.yaml").unlink()

    resumed = one.resume()

    assert resumed.exit_code == 4
    assert any(note.startswith("acme has no file any more, and is not done") for note in resumed.notes)
