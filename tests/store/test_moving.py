"""A journal moved from one place to another: all of it arrives, and nobody goes on with the old one."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from reconciler.core.errors import JournalError, LeaseLostError
from reconciler.core.journal import Event, Journal, Kind
from reconciler.core.replay import replay_all
from reconciler.store.moving import Movable, Moved, move, reopen
from tests.measured import unmeasured
from tests.store.makers import NOW, Clock, Opener, bare, event
from tests.store.remotes import Remote

KINDS = ("sqlite", "postgresql", "git")
Place = Callable[..., Movable]


@pytest.fixture(params=KINDS)
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an empty journal of each kind, where the other is moved to."""
    match request.param:
        case "postgresql":
            return str(request.getfixturevalue("other_postgres_url"))
        case "git":
            return f"git+file://{bare(tmp_path_factory.mktemp('new') / 'journal.git')}#elsewhere"
    return "sqlite:///.reconciler/new.db"


@pytest.fixture
def old(opened: Opener, clock: Clock) -> Place:
    return cast("Place", partial(opened, now=clock))


@pytest.fixture
def new(new_url: str, opening: Opener, clock: Clock, tmp_path: Path) -> Place:
    """Opens the new journal, as another machine would."""
    root = tmp_path / "elsewhere"
    root.mkdir()
    return cast("Place", partial(opening, new_url, now=clock, root=root))


@pytest.fixture
def sink(opening: Opener, clock: Clock) -> Place:
    """A new journal where its kind does not matter."""
    return cast("Place", partial(opening, "sqlite:///.reconciler/sink.db", now=clock))


def filled(journal: Journal) -> tuple[Event, ...]:
    """Write what journals hold: years, accents, nested data, two tenants, a lease given back twice."""
    for number in (1, 2):
        lease = journal.acquire("acme", holder=f"run {number}")
        journal.append(event(number=number), lease=lease)
        journal.release(lease)
    journal.append(
        replace(
            event(), by="ada", address="group/office", data={"name": "Žukauskaitė", "deep": [{"a": None}]}
        ),
        replace(event(tenant="globex"), at=NOW - timedelta(days=400, microseconds=17), commit="c0ffee"),
        replace(event(Kind.CLOSED), data={"exit_code": 4, "sum": 1.5}),
    )
    return tuple(journal.events())


def moved(source: Movable, target: Movable) -> Moved:
    return move(source, target, at=NOW, by="ada")


def test_all_of_it_arrives_under_the_numbers_it_has(old: Place, new: Place) -> None:
    source, target = old(), new()
    before = filled(source)

    done = moved(source, target)

    assert (done.events, done.tenants, done.again) == (5, 2, False)
    assert tuple(new(create=False).events()) == before
    assert replay_all(target.events()) == replay_all(before)


def test_no_number_and_no_token_is_given_twice(old: Place, new: Place) -> None:
    source, target = old(), new()
    before = filled(source)
    last_token = source.acquire("globex", holder="x")
    source.release(last_token)
    moved(source, target)

    lease = target.acquire("acme", holder="run 3")
    (written,) = target.append(event(), lease=lease)

    assert lease.token == 3
    assert target.acquire("globex", holder="y").token == last_token.token + 1
    assert written.seq > max(one.seq for one in source.events()) > before[-1].seq


def test_nobody_begins_anything_with_the_old_one(old: Place, sink: Place) -> None:
    source, already_open = old(), old()
    filled(source)
    target = sink()
    moved(source, target)

    for journal in (source, already_open, old()):
        with pytest.raises(JournalError, match="this journal was moved to") as refused:
            journal.acquire("acme", holder="late")
        assert "journal copy" in refused.value.hint
        with pytest.raises(JournalError, match="this journal was moved to"):
            journal.append(event(Kind.OWED))
        with pytest.raises(JournalError, match="this journal was moved to"):
            journal.leave(event(Kind.MOVED))
    assert target.where in old(create=False).moved
    assert sink().moved == ""
    assert [one.kind for one in source.events()][-1] is Kind.MOVED


def test_a_run_that_was_paused_writes_nothing_more_into_the_old_one(
    old: Place, sink: Place, clock: Clock
) -> None:
    source = old()
    lease = source.acquire("acme", holder="paused")
    clock.turn(timedelta(minutes=5))
    moved(old(), sink())

    with pytest.raises(LeaseLostError):
        source.append(event(), lease=lease)
    with pytest.raises(LeaseLostError):
        source.renew(lease)


def test_it_is_not_moved_while_somebody_applies(old: Place, sink: Place) -> None:
    source = old()
    filled(source)
    lease = source.acquire("acme", holder="somebody")

    with pytest.raises(JournalError, match="acme by somebody"):
        moved(old(), sink())

    assert sink(create=False).events() == ()
    source.append(event(), lease=lease)


def test_a_target_in_which_something_stands_is_refused_and_the_journal_stays(sink: Place, new: Place) -> None:
    source, target = sink(), new()
    before = filled(source)
    target.append(event(tenant="other"))

    with pytest.raises(JournalError, match="not empty"):
        moved(source, target)

    assert tuple(source.events()) == before
    assert source.moved == ""
    source.append(event())
    with pytest.raises(JournalError, match="not empty"):
        target.receive(before, {}, last=9)


def test_the_same_again_finds_it_done_and_another_place_is_refused(
    old: Place, sink: Place, opening: Opener
) -> None:
    source, target = old(), sink()
    filled(source)
    moved(source, target)
    target.append(event(number=7))

    again = moved(old(), sink())

    assert (again.events, again.again) == (5, True)
    with pytest.raises(JournalError, match=r"was moved to .*, not to"):
        moved(old(), cast("Movable", opening("sqlite:///.reconciler/third.db")))


def test_a_journal_is_not_moved_onto_itself(old: Place) -> None:
    source = old()
    filled(source)

    with pytest.raises(JournalError, match="cannot be moved to where it is"):
        moved(source, old())

    assert old().moved == ""


def test_one_that_was_left_in_vain_is_taken_again_and_can_be_moved_later(
    old: Place, sink: Place, opening: Opener
) -> None:
    source = old()
    filled(source)
    third = cast("Movable", opening("sqlite:///.reconciler/third.db"))
    moved(source, third)

    reopen(old(), at=NOW, by="ada")
    back = old()
    back.append(event(number=8))
    done = moved(back, sink())

    assert done.events == 8  # with those that say that it was left and taken again
    assert sink().moved == ""
    sink().append(event())


def test_one_that_was_not_moved_needs_no_reopening(old: Place) -> None:
    with pytest.raises(JournalError, match="was not moved anywhere"):
        reopen(old(), at=NOW, by="ada")


def test_an_empty_journal_can_be_moved(sink: Place, new: Place) -> None:
    assert moved(sink(), new()).events == 0
    assert new().append(event())[0].seq == 2


def test_a_damaged_journal_is_not_moved(old: Place, sink: Place) -> None:
    source = old()
    source.append(replace(event(Kind.STEPPING), action="a1", data={"nothing": 1}))
    source.append(
        replace(event(Kind.ACCEPTED), data={}), replace(event(Kind.CLOSED), data={"exit_code": "x"})
    )

    with pytest.raises(JournalError, match="is damaged"):
        moved(source, sink())

    assert old().moved == ""


MOVER = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from sqlalchemy import Engine, event
from reconciler.store.journal import open_journal
from reconciler.store.moving import move

source, target, when, root, new_root = sys.argv[1:]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

Path(new_root, "pid").write_text(str(os.getpid()))
seen = []
if when == "within":
    @event.listens_for(Engine, "after_cursor_execute")
    def count(connection, cursor, statement, *_):
        if statement.startswith("INSERT INTO events") and "VALUES" in statement:
            if "receiving" in seen:
                die()

class Dying:
    def __init__(self, inner):
        self.inner = inner
    def __getattr__(self, name):
        return getattr(self.inner, name)
    def leave(self, mark):
        if when == "before":
            die()
        self.inner.leave(mark)
        if when == "marked":
            die()
    def receive(self, events, tokens, *, last):
        seen.append("receiving")
        self.inner.receive(events, tokens, last=last)
        if when == "received":
            die()

old = open_journal(source, root=Path(root), create=True, env={})
new = open_journal(target, root=Path(new_root), create=True, env={})
move(Dying(old), Dying(new), at=datetime.now(UTC), by="ada")
"""


def killed(url: str, new_url: str, when: str, root: Path) -> None:
    """Copy in a process that is killed at that moment."""
    arguments = [url, new_url, when, str(root), str(root / "elsewhere")]
    with unmeasured():  # who is killed tells nobody what it ran
        done = subprocess.run([sys.executable, "-c", MOVER, *arguments], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("new_url", KINDS[1:], indirect=True)
@pytest.mark.parametrize("when", ["before", "marked", "received"])
def test_killed_between_two_steps_the_same_again_goes_on(
    url: str, new_url: str, old: Place, new: Place, when: str, tmp_path: Path
) -> None:
    before = filled(old())

    killed(url, new_url, when, tmp_path)

    assert len(new().events()) == (5 if when == "received" else 0)
    if when == "before":
        old().append(event())
        before = tuple(old().events())
    else:
        with pytest.raises(JournalError, match="was moved to"):
            old().acquire("acme", holder="late")
    again = moved(old(), new())
    assert again.again is (when == "received")
    assert tuple(new().events()) == before
    assert new().append(event())[0].seq > len(before)


@pytest.mark.parametrize("new_url", KINDS[:2], indirect=True)
def test_killed_within_the_transaction_nothing_has_arrived(
    url: str, new_url: str, old: Place, new: Place, tmp_path: Path
) -> None:
    before = filled(old())

    killed(url, new_url, "within", tmp_path)

    assert new().events() == ()
    assert moved(old(), new()).again is False
    assert tuple(new().events()) == before


def test_killed_while_the_copy_is_pushed_it_is_there(
    old: Place, url: str, opening: Opener, tmp_path: Path
) -> None:
    remote = Remote(tmp_path / "there.git")
    root = tmp_path / "elsewhere"
    root.mkdir()
    opening(remote.address, root=root).close()
    before = filled(old())
    remote.hook("post-receive", f'kill -9 $(cat "{root}/pid")')

    killed(url, remote.address, "pid", tmp_path)

    target = cast("Movable", opening(remote.address, root=root))
    assert tuple(target.events()) == before
    assert moved(old(), target).again is True
