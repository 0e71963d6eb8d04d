"""What changes between two tries of one action, or between an action and its answer: never bought or taken twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from reconciler.core.journal import Kind
from reconciler.core.report import Report
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply, resume
from reconciler.sandbox import interference
from tests.engine.conftest import Make
from tests.engine.harness import Bench, Ends, planned, states, trouble
from tests.engine.stories import (
    ACME,
    CSP2,
    csp2,
    members,
    names,
    payg,
    pool,
    prepaid,
    subscriptions,
    world_payg,
    world_prepaid,
)

NOW = timedelta(0)
MORE_SUBSCRIBED = csp2("  - {name: basic, product: '11', seats: 14, subscription: 501}")


def meanwhile(one: Bench, change: str) -> None:
    """Somebody else does something at the provider."""
    with one.world.transaction() as tx:
        interference.change(tx, change)


def test_seats_that_somebody_changed_while_we_were_asked_to_wait_stay_as_they_are(bench: Make) -> None:
    one = bench(CSP2, acme=MORE_SUBSCRIBED)
    one.world.fault("throttle", method="POST", path="/saas/csp2/{}/subscription/{}/changeQuantity")
    process = one.process()

    def change(_request: httpx.Request) -> None:
        if any(path.endswith("/changeQuantity") for _, path in process.wire.sent):
            process.wire.before = lambda _request: None
            meanwhile(one, "quantity-changed 501 20")

    process.wire.before = change
    report = process.run(lambda setup: apply(setup, Consent()))

    assert trouble(report).code == "changed-meanwhile"
    assert subscriptions(one) == [(11, 20)]


@pytest.mark.parametrize("event", [3, 4])
def test_a_resume_does_not_overwrite_what_somebody_changed_since(bench: Make, event: int) -> None:
    one = bench(CSP2, acme=MORE_SUBSCRIBED)
    assert one.crash(Ends(event=event))
    meanwhile(one, "quantity-changed 501 20")

    report = one.resume()

    assert states(report) == {"group/basic": "not-started"}
    assert subscriptions(one) == [(11, 20)]


@pytest.mark.parametrize("event", range(3, 8))
def test_seats_that_somebody_added_since_the_crash_are_not_bought_as_well(bench: Make, event: int) -> None:
    one = bench(world_prepaid(0, "ada"), acme=prepaid(3, "ada"))
    assert one.crash(Ends(event=event))
    bought = one.count("order-placed")
    meanwhile(one, f"seats-added {ACME} business 2")

    one.resume()

    assert one.count("order-placed") == bought
    assert pool(one)[0] == 3 + 2 * bought


@pytest.mark.parametrize("order", ["open", "cancelled"])
def test_a_group_renamed_while_its_order_is_open_is_not_ordered_again(bench: Make, order: str) -> None:
    one = bench("{}", acme=prepaid(2, "ada", pin=False))
    if order == "cancelled":
        one.world.fault("order-cancelled")
    one.apply(wait=NOW)
    renamed = prepaid(2, "ada", pin=False).replace("name: office", "name: desk, previously: office")
    one.write(acme=renamed.replace("[office]", "[desk]"))

    for _ in range(3):
        report = one.apply()
        one.time.at += 3600

    assert one.count("order-placed") == 1
    assert report.exit_code == (0 if order == "open" else 3)


def test_the_open_order_of_a_group_nobody_writes_any_more_is_not_ordered_beside(bench: Make) -> None:
    one = bench("{}", acme=prepaid(2, "ada", pin=False))
    one.apply(wait=NOW)
    one.write(acme=prepaid(2, "ada", pin=False).replace("office", "desk"))

    assert [item.address for item in planned(one.plan()).blocked][:1] == ["group/desk"]
    for _ in range(3):
        report = one.apply()
        one.time.at += 3600

    assert one.count("order-placed") == 1
    assert report.exit_code == 3
    assert states(report) == {}


TWO = csp2(
    "  - {name: basic, product: '11', seats: 10, subscription: 501}\n  - {name: standard, product: '12', seats: 5}"
)


def somebody_subscribes(one: Bench, quantity: int) -> None:
    """Somebody else buys a subscription of the licence that we are buying."""
    row = one.rows("SELECT * FROM subscription WHERE id = 501")[0] | {
        "id": 777,
        "licence": 12,
        "quantity": quantity,
    }
    with one.world.transaction() as tx:
        tx.run(
            f"INSERT INTO subscription ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608 - the table's own columns
            *row.values(),
        )


def test_somebodys_subscription_of_other_seats_is_not_taken_for_ours(bench: Make) -> None:
    one = bench(CSP2, acme=TWO)
    assert one.crash(Ends(event=4))
    somebody_subscribes(one, 3)

    for _ in range(3):
        report = one.apply()
        one.time.at += 3600

    assert report.exit_code == 8
    assert "standard" not in one.progress().services
    assert (12, 3) in subscriptions(one)


def test_somebodys_subscription_is_not_ours_when_our_task_has_failed(bench: Make) -> None:
    one = bench(CSP2, acme=TWO)
    one.world.fault("task-error", method="POST", path="/saas/csp2/{}/subscription")
    one.apply(wait=NOW)
    one.time.at += 3600
    somebody_subscribes(one, 5)

    assert one.apply().exit_code == 3
    assert one.apply().exit_code == 3
    assert "standard" not in one.progress().services


def test_a_subscription_that_a_lost_journal_ordered_is_not_ordered_again(bench: Make) -> None:
    one = bench(CSP2, acme=TWO)
    one.apply(wait=NOW)
    for file in one.root.glob("journal.db*"):
        file.unlink()

    assert trouble(one.apply()).code == "task-open"
    one.time.at += 3600
    one.apply()

    assert one.count("subscription-created") == 1


def test_a_subscription_that_is_listed_before_it_is_ready_is_found_in_the_end(bench: Make) -> None:
    one = bench("settings: {delay_task: 3600}\n" + CSP2, acme=TWO)
    one.apply(wait=NOW)
    one.time.at += 2000
    assert one.apply(wait=NOW).exit_code == 4
    one.time.at += 2000

    report = one.apply()

    assert report.exit_code == 0, states(report)
    assert subscriptions(one) == [(11, 10), (12, 5)]


class Domains(httpx.AsyncBaseTransport):
    """A way to the provider on which the domains of a group are told otherwise."""

    def __init__(self, inner: httpx.AsyncBaseTransport, status: int, body: object) -> None:
        self.inner, self.status, self.body = inner, status, body

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/domain"):
            return httpx.Response(self.status, json=self.body)
        return await self.inner.handle_async_request(request)


@pytest.mark.parametrize(("status", "said"), [(404, "NotFound"), (403, "Forbidden"), (200, "")])
def test_nobody_loses_a_licence_because_the_domain_could_not_be_read(
    bench: Make, status: int, said: str
) -> None:
    one = bench(world_payg("ada", "bob"), acme=payg("ada", "bob"))
    with one.world.transaction() as tx:
        tx.run("UPDATE user SET email = replace(email, ?, 'acme.example')", ACME)

    def applied(status: int, body: object) -> Report:
        process = one.process()
        process.wire.inner = Domains(process.wire.inner, status, body)
        return process.run(lambda setup: apply(setup, Consent()))

    assert applied(200, ["acme.example"]).exit_code == 0
    body = {"class": f"Client::{said}", "message": "not now"} if said else []
    assert applied(status, body).exit_code == 3
    assert one.count("user-deleted") == one.count("user-created") == 0


def told_domains(one: Bench, names: list[str]) -> Report:
    """Apply while the group has these domains."""
    process = one.process()
    process.wire.inner = Domains(process.wire.inner, 200, names)
    return process.run(lambda setup: apply(setup, Consent()))


def moved_to(one: Bench, *domains: str) -> None:
    """People of the group have logins in these domains, one each."""
    with one.world.transaction() as tx:
        for row, domain in zip(tx.all("SELECT email FROM user ORDER BY email"), domains, strict=True):
            tx.run("UPDATE user SET email = replace(email, ?, ?) WHERE email = ?", ACME, domain, row["email"])


@pytest.mark.parametrize("names", [["a.example", "b.example"], ["b.example", "a.example"]])
def test_the_domain_of_everybody_is_the_one_whatever_the_order_of_the_list(
    bench: Make, names: list[str]
) -> None:
    one = bench(world_payg("ada", "bob"), acme=payg("ada", "bob"))
    moved_to(one, "b.example", "b.example")

    assert told_domains(one, names).exit_code == 0
    assert sorted(login for _, login in one.progress().owned) == ["ada@b.example", "bob@b.example"]
    assert one.count("user-deleted") == one.count("user-created") == one.count("user-updated") == 0


def test_people_who_could_be_in_several_domains_are_not_planned(bench: Make) -> None:
    one = bench(world_payg("ada", "bob"), acme=payg("ada", "eve"))
    moved_to(one, "a.example", "b.example")

    report = told_domains(one, ["a.example", "b.example"])
    error = report.tenants[0].error

    assert report.exit_code == 3
    assert error is not None
    assert "a.example, b.example, and ada, eve could be in any: write `domain:`" in error.message
    assert not one.calls(writing=True)


@pytest.mark.parametrize("how", ["domain", "in full"])
def test_who_is_written_in_full_or_with_a_domain_is_planned_whatever_domains_there_are(
    bench: Make, how: str
) -> None:
    one = bench(world_payg("ada", "bob"), acme=payg("ada"))
    moved_to(one, "a.example", "b.example")
    text = payg("ada", domain="a.example")
    one.write(acme=text if how == "domain" else payg("ada").replace("login: ada", "login: ada@a.example"))

    assert told_domains(one, ["a.example", "b.example"]).exit_code == 0
    assert ("office", "ada@a.example") in one.progress().owned


@pytest.mark.parametrize("event", [1, 2, 3, 4])
def test_a_resume_does_not_order_what_the_file_no_longer_asks_for(bench: Make, event: int) -> None:
    one = bench("{}", acme=prepaid(10, "ada", pin=False))
    assert one.crash(Ends(event=event))
    one.write(acme=prepaid(2, "ada", pin=False))

    one.resume()
    assert one.count("order-placed") == 0
    assert one.apply().exit_code == 0

    assert pool(one) == (2, ["ada"])


@pytest.mark.parametrize("event", [3, 4, 5])
def test_a_resume_does_not_pay_for_a_person_whom_the_file_no_longer_names(bench: Make, event: int) -> None:
    one = bench(world_payg("ada"), acme=payg("ada", "bob"))
    ends = Ends(event=event)
    assert one.crash(ends)
    assert any(written.kind is Kind.BEGUN for written in ends.written)
    one.write(acme=payg("ada"))

    one.resume()
    one.time.at += 3600
    one.resume()

    assert one.count("user-created") == 0
    assert one.apply().exit_code == 0
    assert members(one) == ["ada Lovelace"]


@pytest.mark.parametrize("event", [3, 4, 5])
def test_a_resume_seats_a_person_whom_the_file_still_names(bench: Make, event: int) -> None:
    one = bench(world_payg("ada"), acme=payg("ada", "bob"))
    assert one.crash(Ends(event=event))

    for _ in range(2):
        one.resume()
        one.time.at += 3600

    assert one.count("user-created") == 1
    assert members(one) == ["ada Lovelace", "bob Kahn"]


@pytest.mark.parametrize("event", [3, 4, 5])
def test_a_resume_does_not_write_a_name_that_the_file_no_longer_says(bench: Make, event: int) -> None:
    one = bench(world_payg("ada"), acme=payg("ada", name="Acme"))
    assert one.crash(Ends(event=event))
    one.write(acme=payg("ada", name="Acme UAB"))

    for _ in range(2):
        one.resume()
        one.time.at += 3600

    assert one.count("tenant-changed") == 0
    assert one.apply().exit_code == 0
    assert names(one) == ["Acme UAB"]


@pytest.mark.parametrize("event", [1, 2, 3, 4, 5])
def test_a_resume_does_not_order_what_somebody_has_bought_since(bench: Make, event: int) -> None:
    one = bench("{}", acme=prepaid(2, "ada", pin=False))
    assert one.crash(Ends(event=event))
    meanwhile(one, "order-placed new business 2")
    one.time.at += 86400

    one.resume()
    one.apply()

    assert not [entry for entry in one.world.ledger() if entry["what"] == "order-placed" and entry["cart"]]


def test_a_cart_that_is_gone_although_we_could_not_delete_it_proves_nothing(bench: Make) -> None:
    one = bench("{}", acme=prepaid(2, "ada", pin=False))
    ends = Ends(event=5)
    assert one.crash(ends)
    route = f"/order/cart/{next(event.data['ref'] for event in ends.written if event.kind is Kind.STEPPED)}"
    process, old = one.process(), one.process()

    class Slow(httpx.AsyncBaseTransport):
        """The old process's checkout takes effect right before the fence, and its cart goes away."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "DELETE" and request.url.path.endswith(route) and not old.wire.sent:
                account: Any = old.setup.accounts.open("ovh-main", "ovh-prepaid", "")
                await account.api.session.write("POST", f"{route}/checkout", {})
                await account.close()
                with one.world.transaction() as tx:
                    tx.run("DELETE FROM cart WHERE id = ?", route.rpartition("/")[2])
            return await inner.handle_async_request(request)

    inner, process.wire.inner = process.wire.inner, Slow()
    process.run(resume)
    old.journal.close()
    one.time.at += 86400
    one.resume()

    assert old.wire.sent
    assert one.count("order-placed") == 1


def test_a_person_renamed_while_on_the_way_is_not_created_twice(bench: Make) -> None:
    one = bench("settings: {delay_task: 3600}\n" + world_payg("ada"), acme=payg("ada", "bob"))
    one.apply(wait=NOW)
    one.write(acme=payg("ada", "bob").replace("login: bob,", "login: rob, previously: bob,"))

    for _ in range(4):
        report = one.apply(wait=NOW)
        one.time.at += 4000

    assert report.exit_code == 0
    assert one.count("user-created") == 1
    assert not one.count("user-deleted")
