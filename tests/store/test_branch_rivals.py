"""The journal on a git branch under competition: other writers, kills, lost replies, force-pushes."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from reconciler.core.errors import JournalError, LeaseHeldError, LeaseLostError
from reconciler.core.journal import Journal
from reconciler.store.branch.opening import FOLDER
from reconciler.store.holding import TERM
from tests.store.makers import Clock, Opener, event
from tests.store.remotes import Remote, wait_for

# Another process in another checkout: writes as many events as it is told to.
WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from reconciler.core.journal import Event, Kind
from reconciler.store.journal import open_journal

address, root, name, count = sys.argv[1:]
journal = open_journal(address, root=Path(root), create=True, env={})
lease = journal.acquire(name, holder=f"writer {name}")
print("ready", flush=True)
for number in range(1, int(count) + 1):
    journal.append(
        Event(kind=Kind.BEGUN, tenant=name, at=datetime.now(UTC), data={"number": number}), lease=lease
    )
    print(number, flush=True)
journal.release(lease)
journal.close()
"""


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote.git")


@pytest.fixture
def opened(opening: Opener, remote: Remote, tmp_path: Path) -> Opener:
    """Opens the journal in the clone of a name; each name is another checkout."""

    def opener(
        clone: str = "mine", *, now: Callable[[], datetime] | None = None, create: bool = True
    ) -> Journal:
        (tmp_path / clone).mkdir(exist_ok=True)
        return opening(remote.address, root=tmp_path / clone, now=now, create=create)

    return opener


@pytest.fixture
def writer(remote: Remote, tmp_path: Path) -> Iterator[Callable[[str, str, int], subprocess.Popen[str]]]:
    """Starts a process that writes events in a checkout, and ends it with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(clone: str, name: str, count: int) -> subprocess.Popen[str]:
        (tmp_path / clone).mkdir(exist_ok=True)
        words = [remote.address, str(tmp_path / clone), name, str(count)]
        started.append(
            subprocess.Popen([sys.executable, "-c", WRITER, *words], stdout=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()
        if one.stdout and not one.stdout.closed:
            one.stdout.close()


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_what_others_pushed_meanwhile_is_built_upon(opened: Opener, remote: Remote) -> None:
    mine, theirs = opened("mine"), opened("theirs")
    lease = mine.acquire("acme", holder="ada")
    first = theirs.append(event(tenant="globex"), event(tenant="globex"))

    second = mine.append(event(), lease=lease)
    third = theirs.append(event(tenant="globex"))

    assert mine.events() == theirs.events() == (*first, *second, *third)
    assert remote.json("journal.json")["seq"] == 4


def test_writers_in_many_checkouts_lose_nothing(
    writer: Callable[[str, str, int], subprocess.Popen[str]], opened: Opener
) -> None:
    names = ["t1", "t2", "t3", "t4"]
    writers = [writer(name, name, 5) for name in names]
    for one in writers:
        one.communicate()

    journal = opened()
    events = journal.events()
    assert [one.returncode for one in writers] == [0, 0, 0, 0]
    assert Counter(one.tenant for one in events) == dict.fromkeys(names, 5)
    assert [one.seq for one in events] == list(range(1, 21))
    for name in names:
        assert [one.data["number"] for one in journal.events([name])] == list(range(1, 6))
    assert journal.leases() == ()


def test_of_two_checkouts_one_gets_the_lease(opened: Opener) -> None:
    mine, theirs = opened("mine"), opened("theirs")
    lease = theirs.acquire("acme", holder="bob", about="apply")

    with pytest.raises(LeaseHeldError, match=r"acme: bob \(apply\) holds the lease"):
        mine.acquire("acme", holder="ada")
    theirs.release(lease)

    assert mine.acquire("acme", holder="ada").token == lease.token + 1


def test_the_same_commit_is_never_pushed_by_two(opened: Opener, clock: Clock, tmp_path: Path) -> None:
    """Same state, same second, same holder, no lock file: only one of them may have the lease."""
    for clone in ("mine", "theirs"):
        (tmp_path / clone / ".reconciler").mkdir(parents=True)
        (tmp_path / clone / ".reconciler" / "locks").write_text("in the way")
    mine, theirs = opened("mine", now=clock), opened("theirs", now=clock)

    mine.acquire("acme", holder="ada")

    with pytest.raises(LeaseHeldError):
        theirs.acquire("acme", holder="ada")


def test_a_lease_taken_over_in_another_checkout_is_lost_at_the_push(opened: Opener, clock: Clock) -> None:
    late, other = opened("late", now=clock), opened("other", now=clock)
    late._alive.machine = "elsewhere 1"  # type: ignore[attr-defined]  # no second machine in a test
    lost = late.acquire("acme", holder="ada")
    with pytest.raises(LeaseHeldError):
        other.acquire("acme", holder="bob")
    slow = clock.now  # a clock that stands still while the other's goes on, as that of a paused process
    clock.turn(TERM)
    taken = other.acquire("acme", holder="bob")
    clock.now = slow

    with pytest.raises(LeaseLostError, match="now held by bob"):
        late.append(event(), lease=lost)

    assert taken.token == lost.token + 1
    assert other.events() == ()


def test_a_lease_taken_away_in_another_checkout_is_lost_at_the_push(opened: Opener) -> None:
    holder, person = opened("holder"), opened("person")
    lease = holder.acquire("acme", holder="ada")
    assert person.break_lease("acme")

    with pytest.raises(LeaseLostError, match="now free"):
        holder.append(event(), lease=lease)
    with pytest.raises(LeaseLostError, match="now free"):
        holder.renew(lease)


@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
def test_a_push_whose_reply_is_lost_is_one_event(opened: Opener, remote: Remote, hook: str) -> None:
    journal = opened()
    remote.hook(hook, "kill -9 0")  # before the effect, or after: all of git on both sides dies

    (written,) = journal.append(event())

    assert (remote.folder / f"was-{hook}").exists()
    assert journal.events() == (written,)
    assert journal.append(event())[0].seq == written.seq + 1


def test_a_lost_reply_is_understood_when_somebody_pushed_on_top(
    opened: Opener, remote: Remote, tmp_path: Path
) -> None:
    mine, theirs = opened("mine"), opened("theirs")
    (tmp_path / "theirs.py").write_text(
        "import sys; from pathlib import Path; from tests.store.makers import event\n"
        "from reconciler.store.journal import open_journal\n"
        "open_journal(sys.argv[1], root=Path(sys.argv[2]), create=True, env={}).append(event(tenant='globex'))"
    )
    there = f'"{remote.address}" "{tmp_path / "theirs"}"'
    command = f'PYTHONPATH="{Path(__file__).parents[2]}" {sys.executable} "{tmp_path / "theirs.py"}" {there}'
    remote.hook("post-receive", f"env -u GIT_DIR {command}", "kill -9 0")

    mine.append(event())

    assert [one.tenant for one in theirs.events()] == ["acme", "globex"]


def test_a_refused_push_is_an_error_that_says_why(opened: Opener, remote: Remote) -> None:
    journal = opened()
    remote.hook("pre-receive", "echo 'this branch is protected' >&2", "exit 1")

    with pytest.raises(JournalError, match="this branch is protected") as refused:
        journal.append(event())

    assert "cannot write the journal's branch" in refused.value.message
    assert "in CI the right to write contents" in refused.value.hint
    assert journal.events() == ()
    assert journal.append(event()) == journal.events()


def test_a_push_so_slow_that_the_lease_ran_out_is_no_licence_to_go_on(
    opened: Opener, remote: Remote, clock: Clock, tmp_path: Path
) -> None:
    journal = opened(now=clock)
    lease = journal.acquire("acme", holder="ada")
    go = tmp_path / "go"
    remote.hook("pre-receive", wait_for(go))

    with ThreadPoolExecutor(1) as pool:
        appended = pool.submit(journal.append, event(), lease=lease)
        while not (remote.folder / "was-pre-receive").exists():
            wait([appended], timeout=0.02)
        clock.turn(TERM)
        go.touch()
        with pytest.raises(LeaseLostError, match="ran out at"):
            appended.result()

    assert len(journal.events()) == 1  # an intention that nothing followed: the next run looks for it


@pytest.mark.parametrize("lands", [True, False])
def test_a_process_killed_in_the_middle_of_a_push_leaves_all_or_nothing(
    writer: Callable[[str, str, int], subprocess.Popen[str]],
    opened: Opener,
    remote: Remote,
    tmp_path: Path,
    lands: bool,  # noqa: FBT001 - a case
) -> None:
    child = writer("mine", "acme", 1000)
    assert says(child) == "ready"
    assert says(child) == "1"
    go = tmp_path / "go"
    here = opened("mine")
    remote.hook("pre-receive", wait_for(go), f"exit {0 if lands else 1}")
    while not (remote.folder / "was-pre-receive").exists():
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.02)

    child.kill()
    child.wait()
    go.touch()  # the push that it had begun goes on without it
    lease = here.acquire("acme", holder="ada")
    written = here.append(event(), lease=lease)

    events = here.events()
    assert events[-1] == written[0]
    assert [one.seq for one in events] == list(range(1, len(events) + 1))
    assert here.events() == opened("elsewhere").events()


@pytest.mark.parametrize("delay", range(3))
@pytest.mark.parametrize("git_too", [False, True])
def test_a_process_killed_at_any_time_leaves_a_journal_that_goes_on(
    writer: Callable[[str, str, int], subprocess.Popen[str]],
    opened: Opener,
    delay: int,
    git_too: bool,  # noqa: FBT001 - a case
) -> None:
    child = writer("mine", "acme", 1000)
    told = [says(child) for _ in range(2 + delay)]

    gits = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split() if git_too else []
    child.kill()
    for git in gits:
        with suppress(ProcessLookupError):
            os.killpg(int(git), signal.SIGKILL)
    rest, _ = child.communicate()
    said = [int(word) for word in (*told[1:], *rest.split())]
    journal = opened("mine")
    lease = journal.acquire("acme", holder="ada")
    journal.append(event(number=9999), lease=lease)

    numbers = [one.data["number"] for one in journal.events()]
    assert numbers[: len(said)] == said  # what was acknowledged is there
    assert numbers[len(said) : -1] in ([], [len(said) + 1])  # and at most what was on its way
    assert lease.token == 2


def test_locks_that_a_killed_git_left_are_cleared_away(opened: Opener, tmp_path: Path) -> None:
    journal = opened()
    journal.append(event())
    folder = tmp_path / "mine" / FOLDER
    (refs,) = (folder / "refs" / "journals").iterdir()
    left = [folder / "shallow.lock", folder / "packed-refs.lock", refs / "seen.lock", refs / "fetched.lock"]
    for look in (lambda: journal.append(event()), opened):
        for lock in (*left, folder / "reconciler.lock"):
            lock.touch()
            subprocess.run(["touch", "-d", "5 seconds ago", lock], check=True)

        look()

        assert not any(lock.exists() for lock in left)
        assert (folder / "reconciler.lock").exists()
    assert len(journal.events()) == 2


@pytest.mark.parametrize("create", [True, False])
def test_a_rewritten_branch_is_noticed_by_the_next_process(
    opened: Opener, remote: Remote, tmp_path: Path, *, create: bool
) -> None:
    journal = opened()
    journal.append(event())
    journal.append(event())
    lost = remote.head
    remote.back(1)

    with pytest.raises(JournalError, match="its history was rewritten") as refused:
        opened(create=create)

    assert lost[:12] in refused.value.message
    assert str(tmp_path / "mine" / FOLDER) in refused.value.hint


def test_a_rewritten_branch_is_noticed_by_who_writes(opened: Opener, remote: Remote) -> None:
    journal = opened()
    lease = journal.acquire("acme", holder="ada")
    journal.append(event(), lease=lease)
    good = remote.head
    remote.back(1)
    rewritten = remote.head

    with pytest.raises(JournalError, match="its history was rewritten"):
        journal.append(event(), lease=lease)
    with pytest.raises(JournalError, match="its history was rewritten"):
        journal.events()
    assert remote.head == rewritten

    remote.git("update-ref", "refs/heads/journal", good)
    assert len(journal.append(event(), lease=lease)) == 1


def test_a_branch_put_back_to_an_older_commit_is_noticed(opened: Opener, remote: Remote) -> None:
    journal = opened()
    journal.append(event())
    remote.git("update-ref", "refs/heads/journal", "journal~1")

    with pytest.raises(JournalError, match="its history was rewritten"):
        journal.append(event())
    with pytest.raises(JournalError, match="its history was rewritten"):
        opened()


def test_a_branch_that_was_deleted_is_not_made_again(opened: Opener, remote: Remote) -> None:
    journal = opened()
    journal.append(event())
    remote.git("update-ref", "-d", "refs/heads/journal")

    for look in (lambda: journal.append(event()), journal.events, opened, lambda: opened(create=False)):
        with pytest.raises(JournalError, match="the branch is gone"):
            look()
    assert remote.head == ""


def test_a_remote_that_is_away_is_an_error_before_anything_is_sent(opened: Opener, remote: Remote) -> None:
    journal = opened()
    lease = journal.acquire("acme", holder="ada")
    away = remote.folder.rename(remote.folder.with_name("away"))

    for look in (
        lambda: journal.append(event(), lease=lease),
        journal.events,
        journal.leases,
        opened,
        lambda: opened(create=False),
    ):
        with pytest.raises(JournalError, match=r"cannot (read|write) the journal's branch") as refused:
            look()
        assert "run the command again: it goes on" in refused.value.hint

    away.rename(remote.folder)
    assert journal.append(event(), lease=lease) == journal.events()


def test_a_refusal_to_one_is_none_to_the_others_of_the_same_push(opened: Opener, clock: Clock) -> None:
    journal = opened(now=clock)
    lost = journal.acquire("acme", holder="ada")
    clock.turn(TERM)
    with pytest.raises(LeaseLostError):
        journal.append(event(), lease=lost)

    assert journal.append(event(tenant="globex")) == journal.events()
