"""A journal of years: read one event after another, in flat memory, and told whole."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.core.journal import Event, Journal, Kind
from reconciler.core.overview import History
from reconciler.render.as_json import history
from reconciler.render.options import Options
from tests.store.makers import NOW, Opener, event

MANY = 200_000


def many(number: int) -> list[Event]:
    said = {"step": "user", "data": {"sent_at": NOW.isoformat()}}
    one = Event(
        kind=Kind.STEPPING, tenant="acme", at=NOW, action="a" * 32, address="seat/office/ada", data=said,
        by="ada", run="https://ci.example/run/4711", commit="c" * 40,
    )  # fmt: skip
    return [one] * number


# Another process: what reading all adds to the most memory that it ever had while it read a hundredth.
READER = """
import resource, sys
from itertools import islice
from pathlib import Path
from datetime import UTC, datetime
from reconciler.core.overview import History
from reconciler.render.as_json import history_parts
from reconciler.core.workspace import DEFAULT_JOURNAL
from reconciler.store.journal import open_journal

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

journal = open_journal(DEFAULT_JOURNAL, root=Path(sys.argv[1]), create=False, env={})
def history():
    return History(events=journal.stream(), created_at=datetime.now(UTC), tool_version="0.1.0")

few = sum(1 for _ in islice(history_parts(history()), 2000))
before = most()
print(few, sum(1 for _ in history_parts(history())), most() - before)
"""


@pytest.mark.unmeasured
def test_two_hundred_thousand_events_are_read_in_flat_memory(tmp_path: Path, opening: Opener) -> None:
    journal = opening()
    journal.append(*many(1))
    journal.close()
    columns = 'tenant, kind, action, address, plan, at, "by", run, "commit", data'
    with closing(sqlite3.connect(tmp_path / ".reconciler/journal.db")) as file, file:
        file.execute(
            f"INSERT INTO events ({columns}) WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n"  # noqa: S608 - constants
            f" WHERE i < {MANY}) SELECT {columns} FROM events, n"
        )

    done = subprocess.run(
        [sys.executable, "-c", READER, str(tmp_path)], capture_output=True, text=True, check=True
    )

    few, all_of_them, kibibytes = map(int, done.stdout.split())
    assert (few, all_of_them) == (2_000, MANY + 2)
    assert kibibytes < 16 * 1024


def test_a_stream_is_what_is_read_at_once(journal: Journal) -> None:
    journal.append(
        *(event(tenant=name, number=number) for number in range(1, 1100) for name in ("acme", "beta"))
    )

    assert tuple(journal.stream()) == journal.events()
    assert tuple(journal.stream(["beta"])) == journal.events(["beta"])
    assert tuple(journal.stream([])) == ()
    names = [f"t{number}" for number in range(600)]
    assert tuple(journal.stream([*names, "acme"])) == journal.events(["acme"])


def test_what_is_written_while_it_is_read_does_no_harm(journal: Journal) -> None:
    journal.append(*many(1_000))
    reading = journal.stream()
    first = next(reading)

    journal.append(event(tenant="late"))

    assert [first.seq, *(one.seq for one in reading)][:1000] == list(range(1, 1001))


def of(events: Sequence[Event]) -> History:
    return History(events=events, created_at=NOW, tool_version="0.1.0")


def test_a_history_in_parts_is_the_same_bytes_and_says_who(tmp_path: Path, opening: Opener) -> None:
    journal = opening(root=tmp_path)
    (tell,) = many(1)
    journal.append(tell, replace(tell, by="bob\n\u202e", address="group/office", plan="sha256:1"))
    options = Options()

    told = history(of(journal.events()), options)

    assert told == json.dumps(json.loads(told), indent=2) + "\n"
    events = json.loads(told)["events"]
    assert [one["by"] for one in events] == ["ada", "bob\n\u202e"]
    assert {one["commit"] for one in events} == {"c" * 40}
    assert {one["run"] for one in events} == {"https://ci.example/run/4711"}
    assert events[1]["plan"] == "sha256:1"
    assert json.loads(history(of(()), options))["events"] == []
    assert history(of(()), options).endswith('"events": []\n}\n')
