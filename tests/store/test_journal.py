"""The contract of the journal, the same on SQLite, PostgreSQL and a git branch."""

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from reconciler.core.errors import JournalError
from reconciler.core.journal import Event, Journal, Kind
from reconciler.store.sql import MANY
from tests.store.makers import NOW, Opener, event

FULL = Event(
    kind=Kind.ACCEPTED,
    tenant="acme",
    at=datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    action="a1",
    address="seat/office/ada@acme.example",
    plan="sha256:0",
    data={"ticket": "4711", "parts": [1, 2.5, None, True, {"name": "Zoë Žukauskaitė"}]},
    by="ada",
    run="88",
    commit="c0ffee",
)


def test_what_was_written_is_read_back_whole(journal: Journal) -> None:
    (written,) = journal.append(FULL)

    assert written == replace(FULL, seq=written.seq)
    assert journal.events() == (written,)
    assert journal.events()[0].at.tzinfo is UTC


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_event_is_kept(journal: Journal, kind: Kind) -> None:
    written = journal.append(event(kind))

    assert journal.events() == written


def test_numbers_rise_in_the_order_of_writing(journal: Journal) -> None:
    first = journal.append(*(event(number=number) for number in range(1, 3000)))
    second = journal.append(event())

    numbers = [one.seq for one in (*first, *second)]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 0
    assert journal.events() == (*first, *second)


def test_another_process_sees_what_was_written(opened: Opener) -> None:
    written = opened().append(event(), event(tenant="globex"))

    assert opened().events() == written
    assert opened(create=False).events() == written


def test_events_of_some_tenants_are_in_order_too(journal: Journal) -> None:
    names = ["a", "b", "c", "a", "b", "c"]
    written = journal.append(*(event(tenant=name) for name in names))

    assert journal.events(["c", "a"]) == tuple(one for one in written if one.tenant != "b")
    assert journal.events(["nobody"]) == ()
    assert journal.events([]) == ()


def test_events_of_very_many_tenants_can_be_asked_for(journal: Journal) -> None:
    written = journal.append(*(event(tenant=f"t{number}") for number in range(MANY + 2)))

    assert journal.events(f"t{number}" for number in range(MANY + 1)) == written[:-1]
    assert journal.events(f"t{number}" for number in range(100_000)) == written


def test_moments_are_kept_in_utc(journal: Journal) -> None:
    vilnius = timezone(timedelta(hours=2))

    journal.append(replace(event(), at=datetime(2026, 3, 1, 14, 0, tzinfo=vilnius)))

    assert journal.events()[0].at == NOW
    assert journal.events()[0].at.utcoffset() == timedelta(0)


def test_any_mapping_and_any_text_can_be_data(journal: Journal) -> None:
    odd = {
        "frozen": MappingProxyType({"deep": MappingProxyType({"pair": (1, 2)})}),
        "text": "\0 \ud800 \U0001f600",
    }

    written = journal.append(replace(event(), data=MappingProxyType(odd)))

    assert journal.events()[0].data == {
        "frozen": {"deep": {"pair": [1, 2]}},
        "text": "\0 \ud800 \U0001f600",
    }
    assert written[0].seq == journal.events()[0].seq


def test_what_is_no_json_is_refused_before_anything_is_written(journal: Journal) -> None:
    with pytest.raises(TypeError, match="object is not JSON"):
        journal.append(event(), replace(event(), data={"it": object()}))

    assert journal.events() == ()


def test_the_events_of_one_call_are_written_together_or_not_at_all(journal: Journal) -> None:
    lease = journal.acquire("acme", holder="ada")
    journal.release(lease)

    with pytest.raises(Exception, match="taken away"):
        journal.append(event(), event(), lease=lease)

    assert journal.events() == ()


def test_many_writers_lose_nothing(opened: Opener) -> None:
    def write(writer: int) -> None:
        journal = opened()
        for number in range(1, 11):
            journal.append(event(tenant=f"t{writer}", number=number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    events = opened().events()
    assert Counter(one.tenant for one in events) == {f"t{writer}": 10 for writer in range(8)}
    for writer in range(8):
        own = [one.data["number"] for one in events if one.tenant == f"t{writer}"]
        assert own == list(range(1, 11))


def test_one_journal_serves_many_threads(journal: Journal) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: journal.append(event(number=number)), range(1, 101)))

    assert sorted(one.data["number"] for one in journal.events()) == list(range(1, 101))


def test_a_journal_is_fresh_only_for_the_one_who_made_it(opened: Opener) -> None:
    assert opened(create=False).fresh
    assert opened().fresh
    assert not opened().fresh
    assert not opened(create=False).fresh


def test_many_may_make_the_same_journal_at_once(opened: Opener) -> None:
    with ThreadPoolExecutor(6) as pool:
        journals = list(pool.map(lambda _: opened(), range(6)))

    for journal in journals:
        journal.append(event())
    assert sum(journal.fresh for journal in journals) == 1
    assert len(journals[0].events()) == 6


@pytest.mark.parametrize("exists", [False, True])
def test_a_journal_opened_for_reading_writes_nothing(opened: Opener, exists: bool) -> None:  # noqa: FBT001 - a case
    if exists:
        opened().append(event())
    journal = opened(create=False)

    with pytest.raises(JournalError, match="reading only"):
        journal.append(event())
    with pytest.raises(JournalError, match="reading only"):
        journal.acquire("acme", holder="ada")
    assert len(journal.events()) == exists
    assert journal.leases() == ()


def test_an_up_to_date_journal_is_opened_without_alembic(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened()
    for name in [name for name in sys.modules if name.split(".")[0] == "alembic"]:
        monkeypatch.setitem(sys.modules, name, None)  # importing it now would fail

    assert not opened().fresh


def test_a_closed_journal_can_be_closed_again(journal: Journal) -> None:
    journal.close()
    journal.close()
