"""Leases: one holder at a time, across threads, processes and databases; a late one can do no harm."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.core.errors import LeaseHeldError, LeaseLostError
from reconciler.core.journal import Journal
from reconciler.store.alive import FOLDER, STALE_AFTER
from reconciler.store.lease import TERM
from tests.store.makers import NOW, Clock, Opener, event

SECOND = timedelta(seconds=1)

# Another process: takes a lease when told to, says how it went, then writes under it whenever told to.
PROCESS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from reconciler.core.errors import LeaseHeldError, LeaseLostError
from reconciler.core.journal import Event, Kind
from reconciler.store.journal import open_journal

journal = open_journal(sys.argv[1], root=Path(sys.argv[2]), create=True, env={})
print("ready", flush=True)
sys.stdin.readline()
try:
    lease = journal.acquire("acme", holder=f"child {sys.argv[3]}", about="apply")
except LeaseHeldError:
    print("refused", flush=True)
    sys.exit()
print("held", flush=True)
while command := sys.stdin.readline().strip():
    try:
        if command == "release":
            journal.release(lease)
        else:
            journal.append(Event(kind=Kind.BEGUN, tenant="acme", at=datetime.now(UTC)), lease=lease)
        print("done", flush=True)
    except LeaseLostError:
        print("lost", flush=True)
journal.close()
"""


class Process:
    """Another process that shares the journal."""

    def __init__(self, url: str, root: Path, name: str) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", PROCESS, url, str(root), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        assert self.popen.stdout
        return self.popen.stdout.readline().strip()

    def tell(self, command: str = "acquire") -> None:
        assert self.popen.stdin
        self.popen.stdin.write(f"{command}\n")
        self.popen.stdin.flush()

    def kill(self) -> None:
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def end(self) -> None:
        with suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.communicate()


@pytest.fixture
def process(url: str, tmp_path: Path) -> Iterator[Callable[[str], Process]]:
    """Starts other processes, and ends them with the test."""
    started: list[Process] = []

    def start(name: str) -> Process:
        started.append(Process(url, tmp_path, name))
        assert started[-1].says() == "ready"
        return started[-1]

    yield start
    for one in started:
        one.end()


def holding(process: Callable[[str], Process]) -> Process:
    child = process("1")
    child.tell()
    assert child.says() == "held"
    return child


def later() -> datetime:
    """The real time, after every lease that is held now has ended."""
    return datetime.now(UTC) + TERM + SECOND


def test_a_lease_says_who_since_and_until_when(journal: Journal) -> None:
    lease = journal.acquire("acme", holder="ada@ci 1", about="apply")

    assert (lease.name, lease.holder, lease.about) == ("acme", "ada@ci 1", "apply")
    assert (lease.since, lease.until) == (NOW, NOW + TERM)
    assert journal.leases() == (lease,)


def test_a_held_lease_is_refused_with_the_holder_the_times_and_the_way_out(
    opened: Opener, clock: Clock
) -> None:
    opened(now=clock).acquire("acme", holder="ada@ci 1 run 88", about="apply")

    with pytest.raises(LeaseHeldError) as refused:
        opened(now=clock).acquire("acme", holder="bob")

    assert "acme: ada@ci 1 run 88 (apply) holds the lease" in refused.value.message
    assert "since 2026-03-01 12:00:00 UTC, until 2026-03-01 12:02:00 UTC" in refused.value.message
    assert "`reconciler lease release acme`" in refused.value.hint


def test_the_holder_itself_does_not_get_it_twice(journal: Journal) -> None:
    journal.acquire("acme", holder="ada")

    with pytest.raises(LeaseHeldError):
        journal.acquire("acme", holder="ada")


def test_leases_of_other_names_are_free(journal: Journal) -> None:
    journal.acquire("globex", holder="ada")
    journal.acquire("acme", holder="bob")

    assert [lease.name for lease in journal.leases()] == ["acme", "globex"]


def test_a_lease_given_back_is_free_at_once_and_the_token_rises(journal: Journal) -> None:
    tokens = []
    for _ in range(3):
        lease = journal.acquire("acme", holder="ada")
        tokens.append(lease.token)
        journal.release(lease)

    assert tokens == sorted(set(tokens))
    assert journal.leases() == ()


def test_a_lease_ends_two_minutes_after_it_was_renewed(opened: Opener, clock: Clock) -> None:
    holder, other = opened(now=clock), opened(now=clock)
    lease = holder.acquire("acme", holder="ada")
    clock.turn(timedelta(minutes=1))
    renewed = holder.renew(lease)
    clock.turn(timedelta(minutes=2) - SECOND)

    with pytest.raises(LeaseHeldError):
        other.acquire("acme", holder="bob")
    clock.turn(SECOND)
    taken = other.acquire("acme", holder="bob")

    assert renewed.until == NOW + timedelta(minutes=3)
    assert taken.token > lease.token
    assert other.leases() == (taken,)


def test_a_lease_that_ran_out_can_neither_be_renewed_nor_written_under(
    journal: Journal, clock: Clock
) -> None:
    lease = journal.acquire("acme", holder="ada")
    clock.turn(TERM)

    with pytest.raises(LeaseLostError, match="ran out at 2026-03-01 12:02:00 UTC"):
        journal.renew(lease)
    with pytest.raises(LeaseLostError, match="ran out"):
        journal.append(event(), lease=lease)
    assert journal.events() == ()
    assert journal.leases() == ()


def test_a_lease_that_was_taken_over_can_no_longer_be_used(opened: Opener, clock: Clock) -> None:
    late, other = opened(now=clock), opened(now=clock)
    lost = late.acquire("acme", holder="ada")
    clock.turn(TERM)
    taken = other.acquire("acme", holder="bob")

    with pytest.raises(LeaseLostError, match="now held by bob"):
        late.append(event(), lease=lost)
    with pytest.raises(LeaseLostError):
        late.renew(lost)
    late.release(lost)

    assert other.leases() == (taken,)
    assert other.append(event(), lease=taken) == other.events()


def test_a_lease_taken_again_by_the_same_name_is_another_lease(journal: Journal, clock: Clock) -> None:
    lost = journal.acquire("acme", holder="ada")
    clock.turn(TERM)
    journal.acquire("acme", holder="ada")

    with pytest.raises(LeaseLostError):
        journal.append(event(), lease=lost)


def test_a_lease_taken_away_by_hand_is_lost_to_its_holder(opened: Opener) -> None:
    holder, person = opened(), opened()
    lease = holder.acquire("acme", holder="ada")

    assert person.break_lease("acme")
    assert not person.break_lease("acme")
    assert not person.break_lease("nobody")

    with pytest.raises(LeaseLostError, match="now free"):
        holder.append(event(), lease=lease)
    assert person.acquire("acme", holder="bob").token > lease.token


def test_a_lease_that_ran_out_is_held_by_nobody(journal: Journal, clock: Clock) -> None:
    journal.acquire("acme", holder="ada")
    clock.turn(TERM)

    assert not journal.break_lease("acme")


def test_a_lease_that_was_never_taken_is_no_licence_to_write(journal: Journal) -> None:
    lease = journal.acquire("acme", holder="ada")
    journal.release(lease)

    with pytest.raises(LeaseLostError):
        journal.append(event(tenant="acme"), lease=lease)


def test_of_many_processes_one_gets_the_lease(process: Callable[[str], Process]) -> None:
    children = [process(str(number)) for number in range(5)]

    for child in children:
        child.tell()

    assert sorted(child.says() for child in children) == ["held", *["refused"] * 4]


def test_a_living_process_keeps_its_lease(process: Callable[[str], Process], opened: Opener) -> None:
    child = holding(process)
    journal = opened()

    with pytest.raises(LeaseHeldError, match="child 1"):
        journal.acquire("acme", holder="ada")
    child.tell("write")
    assert child.says() == "done"
    child.tell("release")
    assert child.says() == "done"

    assert journal.acquire("acme", holder="ada").token == 2
    child.tell("write")
    assert child.says() == "lost"


def test_a_process_that_was_killed_is_noticed_at_once(
    process: Callable[[str], Process], opened: Opener
) -> None:
    child = holding(process)
    journal = opened()
    assert [lease.holder for lease in journal.leases()] == ["child 1"]

    child.kill()

    assert journal.leases() == ()
    lease = journal.acquire("acme", holder="ada")
    assert journal.append(event(), lease=lease) == journal.events()


def test_every_lease_of_a_killed_process_is_free(opened: Opener, url: str, tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from reconciler.store.journal import open_journal\n"
        "journal = open_journal(sys.argv[1], root=Path(sys.argv[2]), create=True, env={})\n"
        "for name in ('a', 'b', 'account/main/checkout'): journal.acquire(name, holder='x')\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, url, str(tmp_path)], check=False)
    journal = opened()

    for name in ("a", "b", "account/main/checkout"):
        journal.acquire(name, holder="ada")

    assert len(journal.leases()) == 3


def test_a_paused_holder_that_wakes_up_writes_nothing(
    process: Callable[[str], Process], opened: Opener
) -> None:
    child = holding(process)
    child.popen.send_signal(signal.SIGSTOP)
    with pytest.raises(LeaseHeldError):  # paused is not dead
        opened().acquire("acme", holder="ada")
    journal = opened(now=later)
    lease = journal.acquire("acme", holder="ada")

    child.popen.send_signal(signal.SIGCONT)
    child.tell("write")

    assert child.says() == "lost"
    assert journal.events() == ()
    assert journal.leases()[0].token == lease.token


def test_a_holder_on_another_machine_is_waited_for(opened: Opener, clock: Clock) -> None:
    far, near = opened(now=clock), opened(now=clock)
    far._alive.machine = "elsewhere 1"  # type: ignore[attr-defined]  # no second machine in a test
    far.acquire("acme", holder="ada")
    far.close()

    with pytest.raises(LeaseHeldError):
        near.acquire("acme", holder="bob")
    clock.turn(TERM)

    near.acquire("acme", holder="bob")


def test_a_lock_file_that_vanished_proves_nothing(opened: Opener, tmp_path: Path) -> None:
    opened().acquire("acme", holder="ada")
    for lock in (tmp_path / FOLDER).iterdir():
        lock.unlink()

    with pytest.raises(LeaseHeldError):
        opened().acquire("acme", holder="bob")


def test_a_lease_left_behind_at_close_is_free(opened: Opener) -> None:
    left = opened()
    left.acquire("acme", holder="ada")

    left.close()

    assert opened().acquire("acme", holder="bob").token == 2


def test_lock_files_are_private_and_go_with_their_process(opened: Opener, tmp_path: Path) -> None:
    journal = opened()
    lease = journal.acquire("acme", holder="ada")
    (lock,) = (tmp_path / FOLDER).iterdir()

    assert lock.stat().st_mode & 0o777 == 0o600
    assert lock.parent.stat().st_mode & 0o777 == 0o700
    journal.release(lease)
    journal.close()
    assert not lock.exists()


def test_lock_files_of_the_long_dead_are_cleared_away(opened: Opener, tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    dead, living = opened(), opened()
    dead.acquire("acme", holder="ada")
    dead.close()
    (old,) = folder.iterdir()
    living.acquire("globex", holder="bob")
    (alive,) = set(folder.iterdir()) - {old}
    past = datetime.now(UTC).timestamp() - STALE_AFTER - 1
    os.utime(old, (past, past))
    os.utime(alive, (past, past))

    opened().acquire("initech", holder="eve")

    assert not old.exists()
    assert alive.exists()


def test_without_a_place_for_lock_files_leases_end_by_time(
    opened: Opener, clock: Clock, tmp_path: Path
) -> None:
    opened(now=clock)
    (tmp_path / FOLDER).parent.mkdir(exist_ok=True)
    (tmp_path / FOLDER).write_text("in the way")
    opened(now=clock).acquire("acme", holder="ada")

    with pytest.raises(LeaseHeldError):
        opened(now=clock).acquire("acme", holder="bob")
    clock.turn(TERM)

    assert opened(now=clock).acquire("acme", holder="bob").token == 2


def test_the_real_clock_is_used_when_none_is_given(opened: Opener) -> None:
    before = datetime.now(UTC) - timedelta(seconds=30)

    lease = opened().acquire("acme", holder="ada")

    assert before < lease.since < before + timedelta(minutes=5)
    assert lease.until - lease.since == TERM
