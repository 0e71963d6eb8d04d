"""The file of a world: kept, private, and shared by several processes."""

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.sandbox.clock import span
from reconciler.sandbox.world import World
from tests.sandbox.makers import ACME, SMALL, Api, Clock

CARTS = """
import sys, time
from pathlib import Path
from reconciler.sandbox.call import Request
from reconciler.sandbox.world import World
world = World.open(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    world.handle(Request("POST", "http://x", "/1.0/order/cart", "", {}, b'{"ovhSubsidiary":"FR"}'))
"""


def test_a_world_is_the_same_when_opened_again(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "deep" / "sandbox.db"
    first = World.open(path, now=clock)
    first.load(SMALL)
    order = Api(first, clock).order()
    first.set("batch", "off")
    first.advance(timedelta(seconds=5))
    first.close()

    again = World.open(path, now=clock)

    assert again.now == clock() + timedelta(seconds=5)
    assert not again.settings().batch
    assert Api(again, clock).get(f"/me/order/{order}/status").body == "delivered"
    assert [entry["what"] for entry in again.ledger()][-1] == "order-delivered"
    again.close()


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / ".reconciler" / "sandbox.db"
    world = World.open(path)
    world.advance(timedelta(hours=1))

    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    world.close()


def test_what_one_process_does_another_sees(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "sandbox.db"
    one, other = World.open(path, now=clock), World.open(path, now=clock)
    one.load(SMALL)
    order = Api(one, clock).order()

    other.advance(timedelta(hours=4))

    assert Api(one, clock).get(f"/me/order/{order}/status").body == "delivered"
    one.close()
    other.close()


def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    path, count = tmp_path / "sandbox.db", 100

    running = [
        subprocess.Popen([sys.executable, "-c", CARTS, str(path), str(count)], cwd=Path(__file__).parents[2])
        for _ in range(2)
    ]
    codes = [process.wait(60) for process in running]

    world = World.open(path)
    carts = [entry["cart"] for entry in world.ledger()]
    world.close()
    assert codes == [0, 0]
    assert len(set(carts)) == 2 * count


def test_many_processes_may_open_a_new_world_at_once(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"

    running = [
        subprocess.Popen([sys.executable, "-c", CARTS, str(path), "1"], cwd=Path(__file__).parents[2])
        for _ in range(6)
    ]
    codes = [process.wait(60) for process in running]

    world = World.open(path)
    assert codes == [0] * 6
    assert len(world.ledger()) == 6
    world.close()


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")

    with pytest.raises(ValueError, match="another version"):
        World.open(path)


def test_one_checkout_of_many_wins(tmp_path: Path, clock: Clock) -> None:
    worlds = [World.open(tmp_path / "sandbox.db", now=clock) for _ in range(2)]
    worlds[0].load(SMALL)
    cart = Api(worlds[0], clock).cart()

    statuses = [Api(world, clock).post(f"/order/cart/{cart}/checkout").status for world in worlds]

    assert sorted(statuses) == [200, 400]
    for world in worlds:
        world.close()


def test_what_is_due_happens_in_the_order_of_its_time(clock: Clock) -> None:
    world = World.open(None, now=clock)
    world.load(SMALL)
    Api(world, clock).order()
    Api(world, clock).put(
        f"/license/officePrepaid/{ACME}-1002", firstName="John", activationEmail=f"john@{ACME}"
    )

    world.advance(timedelta(days=40))

    entries = [(entry["at"], entry["what"]) for entry in world.ledger()]
    assert entries == sorted(entries, key=lambda entry: entry[0])
    assert [what for _, what in entries][3:5] == ["seat-configured", "order-delivered"]
    assert "renewed" in {what for _, what in entries}
    world.close()


def test_a_new_world_has_an_account_and_nothing_else(clock: Clock) -> None:
    world = World.open(None, now=clock)
    api = Api(world, clock)

    me = api.get("/me").body
    assert (me["ovhSubsidiary"], me["currency"]["code"]) == ("FR", "EUR")
    assert len(api.get("/me/payment/method", default="true").body) == 1
    assert [api.get(path).body for path in ("/license/office", "/license/officePrepaid", "/saas/csp2")] == [
        [],
        [],
        [],
    ]
    world.close()


def test_a_reset_forgets_everything_and_turns_the_clock_back(clock: Clock) -> None:
    world = World.open(None, now=clock)
    world.load(SMALL)
    Api(world, clock).order()
    world.advance(timedelta(days=1))

    world.reset({"account": {"subsidiary": "PL", "currency": "PLN"}})

    assert world.now == clock()
    assert (world.ledger(), world.requests(), world.faults()) == ([], [], [])
    assert Api(world, clock).get("/me").body["currency"]["code"] == "PLN"
    world.close()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("30m", 1800), ("4h", 14400), ("2d", 172800), ("1d12h", 129600), ("90", 90)],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "4 fortnights", "h4", "4hh", "-4h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        span(text)


@pytest.mark.parametrize(
    "setting", [("bogus", "1"), ("batch", "maybe"), ("delay", "soon"), ("busy", "often")]
)
def test_a_setting_that_makes_no_sense_is_refused(clock: Clock, setting: tuple[str, str]) -> None:
    world = World.open(None, now=clock)

    with pytest.raises(ValueError, match=setting[0]):
        world.set(*setting)
    world.close()


def test_the_real_clock_is_the_default() -> None:
    world = World.open(None)

    assert abs(world.now - datetime.now(UTC)) < timedelta(minutes=1)
    world.close()


def test_thousands_of_seats_are_listed_at_once(clock: Clock) -> None:
    world = World.open(None, now=clock)
    world.load(
        {"prepaid": [{"service": "big.o365.ovh.com", "seats": [{"licence": "pro-plus", "empty": 5000}]}]}
    )

    answer = Api(world, clock).get(
        "/license/officePrepaid",
        {"X-Pagination-Mode": "CachedObjectList-Pages", "X-Pagination-Size": "5000", "Pragma": "no-cache"},
    )

    assert len(answer.body) == 5000
    world.close()
