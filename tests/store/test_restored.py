"""A journal that was put back to an older state: what is known elsewhere stops an apply before anything is sent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from reconciler.core.errors import JournalError
from reconciler.core.journal import Journal, Kind
from reconciler.core.replay import replay
from reconciler.core.report import Report
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply, resume
from reconciler.store.journal import open_journal
from tests.engine.harness import Bench, begun
from tests.engine.stories import prepaid, world_prepaid
from tests.store.makers import event
from tests.store.remotes import BRANCH, Remote

HERE, NOW = Path(".reconciler"), timedelta(0)


class Kept:
    """A journal of one kind that can be kept, put back, and looked at from a machine that saw nothing of it."""

    def __init__(self, url: str, root: Path) -> None:
        self.url = url
        self.root = root

    def open(self) -> Journal:
        return open_journal(self.url, root=self.root, create=True, env={})

    def keep(self) -> None:
        raise NotImplementedError

    def put_back(self) -> None:
        raise NotImplementedError

    def forget(self) -> None:
        """Be another machine: nothing is remembered here."""
        shutil.rmtree(self.root / HERE, ignore_errors=True)


class File(Kept):
    """A file, copied."""

    def keep(self) -> None:
        shutil.copy(self.root / "state.db", self.root / "backup.db")

    def put_back(self) -> None:
        shutil.copy(self.root / "backup.db", self.root / "state.db")


class Database(Kept):
    """A database, copied inside the server as a dump would be."""

    def keep(self) -> None:
        self._do('CREATE DATABASE "{0}-backup" TEMPLATE "{0}"')

    def put_back(self) -> None:
        self._do('DROP DATABASE "{0}"', 'ALTER DATABASE "{0}-backup" RENAME TO "{0}"')

    def _do(self, *statements: str) -> None:
        server, _, name = self.url.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.format(name).encode())


class Branch(Kept):
    """A branch that somebody pushes back."""

    def __init__(self, remote: Remote, root: Path) -> None:
        super().__init__(remote.address, root)
        self.remote = remote
        self.head = ""

    def keep(self) -> None:
        self.head = self.remote.head

    def put_back(self) -> None:
        self.remote.git("update-ref", f"refs/heads/{BRANCH}", self.head)


@pytest.fixture(params=["file", "database", "branch"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    root = tmp_path / "machine"
    root.mkdir()
    if request.param == "database":
        return Database(request.getfixturevalue("postgres_url"), root)
    if request.param == "branch":
        return Branch(Remote(tmp_path / "remote.git"), root)
    return File("sqlite:///state.db", root)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Bench]:
    folder = tmp_path / "workspace"
    folder.mkdir()
    made = Bench.make(folder, world_prepaid(2, "ada"), acme=prepaid(3, "ada"))
    yield made
    made.world.close()


Run = Callable[..., Report]


@pytest.fixture
def run(one: Bench, kept: Kept) -> Run:
    """Applies, or resumes, with the journal that is kept."""

    def go(*, accepted: bool = False, resuming: bool = False, wait: timedelta = timedelta(hours=6)) -> Report:
        journal = kept.open()
        try:
            if accepted:
                journal.accept()
            process = one.process(journal=journal, accepted=accepted, wait=wait)
            return begun(process.run(lambda setup: resume(setup) if resuming else apply(setup, Consent())))
        finally:
            journal.close()

    return go


def bought(one: Bench, run: Run, kept: Kept, *, wait: timedelta) -> None:
    """Apply, keep the journal, buy four seats more, and put the journal back."""
    assert run().exit_code == 0
    kept.keep()
    one.write(acme=prepaid(7, "ada"))
    assert run(wait=wait).exit_code == (0 if wait else 4)
    kept.put_back()


@pytest.mark.parametrize(
    ("wait", "elsewhere"),
    [(NOW, False), (timedelta(hours=6), False), (timedelta(hours=6), True)],
    ids=["under way-here", "delivered-here", "delivered-elsewhere"],
)
def test_an_apply_stops_before_it_sends_anything(
    one: Bench,
    run: Run,
    kept: Kept,
    wait: timedelta,
    elsewhere: bool,  # noqa: FBT001 - a case
) -> None:
    bought(one, run, kept, wait=wait)
    if elsewhere:
        kept.forget()
    sent = len(one.calls(writing=True))
    one.write(acme=prepaid(9, "ada", "bob"))

    for resuming in (False, True) if not elsewhere else (False,):
        with pytest.raises(JournalError) as refused:
            run(resuming=resuming)

    writes = one.calls(writing=True)[sent:]
    assert {path.split("/")[1] for _, path in writes} <= {"order"}  # dry runs, as any plan may do
    assert not any("checkout" in path for _, path in writes)
    assert one.count("order-placed") == 1
    if elsewhere:
        assert refused.value.code == "journal-behind"
        assert "unknown to the journal: acme group/office (order 210000001)" in refused.value.message
        assert "put back the newest state" in refused.value.hint
        assert "--accept-journal" in refused.value.hint
        journal = kept.open()
        owed = replay(journal.events()).owed
        journal.close()
        assert "unknown to the journal" in owed  # so that the next apply looks at it again
    elif not isinstance(kept, Branch):
        assert "the journal is older than it was" in refused.value.message
    else:
        assert "its history was rewritten" in refused.value.message


def test_where_nothing_is_to_do_what_the_journal_does_not_know_is_a_note(
    one: Bench, run: Run, kept: Kept
) -> None:
    bought(one, run, kept, wait=NOW)
    kept.forget()
    sent = len(one.calls(writing=True))

    under_way = run(wait=NOW)
    one.world.advance(timedelta(hours=6))
    delivered = run(wait=NOW)

    assert (under_way.exit_code, delivered.exit_code) == (4, 0)
    for report in (under_way, delivered):
        assert "unknown to the journal: acme group/office (order 210000001)" in report.notes[-1]
    assert one.calls(writing=True)[sent:] == []
    assert one.count("order-placed") == 1


def test_who_looked_at_it_goes_on_once_and_for_all(one: Bench, run: Run, kept: Kept) -> None:
    bought(one, run, kept, wait=timedelta(hours=6))
    if isinstance(kept, Branch):
        kept.forget()  # what the documents tell to remove when it was meant

    report = run(accepted=True)

    assert report.exit_code == 0
    assert one.count("order-placed") == 1
    assert run().exit_code == 0
    one.write(acme=prepaid(8, "ada"))
    assert run().exit_code == 0
    assert one.count("order-placed") == 2
    journal = kept.open()
    accepted = [event for event in journal.events() if event.data.get("accepted")]
    journal.close()
    assert [(event.kind, event.address, event.data["order"]) for event in accepted] == [
        (Kind.ADOPTED, "group/office", "210000001")
    ]


def test_a_journal_that_is_put_forward_again_goes_on(one: Bench) -> None:
    assert one.apply().exit_code == 0
    backup = (one.root / "journal.db").read_bytes()
    one.write(acme=prepaid(7, "ada"))
    assert one.apply().exit_code == 0
    newest = (one.root / "journal.db").read_bytes()
    (one.root / "journal.db").write_bytes(backup)
    with pytest.raises(JournalError, match="is older than it was"):
        one.apply()

    (one.root / "journal.db").write_bytes(newest)

    assert one.apply().exit_code == 0
    assert one.count("order-placed") == 1


def test_a_backup_of_the_newest_state_is_as_good_as_the_journal(one: Bench) -> None:
    assert one.apply().exit_code == 0
    content = (one.root / "journal.db").read_bytes()
    (one.root / "journal.db").unlink()
    (one.root / "journal.db").write_bytes(content)
    one.write(acme=prepaid(7, "ada"))

    assert one.apply().exit_code == 0


def test_nothing_is_written_to_a_journal_that_is_behind(one: Bench) -> None:
    assert one.apply().exit_code == 0
    backup = (one.root / "journal.db").read_bytes()
    one.write(acme=prepaid(7, "ada"))
    assert one.apply().exit_code == 0
    (one.root / "journal.db").write_bytes(backup)
    process = one.process()

    with pytest.raises(JournalError, match="is older than it was") as refused:
        process.journal.append(event())

    process.journal.close()
    assert refused.value.code == "journal-behind"
    with pytest.raises(JournalError, match="is older than it was"):  # and it is not forgotten over that
        one.apply()


def test_a_new_journal_is_held_against_the_provider_too(one: Bench) -> None:
    one.write(acme=prepaid(7, "ada"))
    assert one.apply(wait=NOW).exit_code == 4
    (one.root / "journal.db").unlink()
    assert one.apply(wait=NOW).exit_code == 4
    one.world.advance(timedelta(hours=6))
    one.write(acme=prepaid(9, "ada"))

    with pytest.raises(JournalError, match=r"unknown to the journal: acme group/office \(order 210000001\)"):
        one.apply()

    assert one.count("order-placed") == 1


def test_the_purchases_of_another_workspace_at_the_same_account_are_its_own(one: Bench) -> None:
    with one.world.transaction() as tx:
        tx.run(
            "INSERT INTO cart (id, description, expire, subsidiary, owned) VALUES (?, ?, ?, ?, 1)",
            *("c1", "reconciler 0123456789abcdef theirs group/office", tx.now + 9000, "FR"),
        )
    one.write(acme=prepaid(7, "ada"))

    assert one.apply().exit_code == 0
    assert one.count("order-placed") == 1


def test_a_purchase_that_was_begun_and_not_ordered_is_told_as_such(one: Bench) -> None:
    with one.world.transaction() as tx:
        tx.run(
            "INSERT INTO cart (id, description, expire, subsidiary, owned) VALUES (?, ?, ?, ?, 1)",
            *("c1", "reconciler 0123456789abcdef acme group/office", tx.now + 9000, "FR"),
        )
    one.write(acme=prepaid(7, "ada"))

    with pytest.raises(JournalError, match=r"acme group/office \(cart c1, not ordered\)"):
        one.apply()

    assert one.count("order-placed") == 0


def test_what_another_run_begins_meanwhile_is_not_taken_for_lost(one: Bench) -> None:
    """It is written before it is sent: who sees the mark and does not know it reads the journal again."""
    one.write(acme=prepaid(7, "ada"))
    late = one.process(only=["acme"])
    before = late.wire.before
    bought: list[int] = []

    def overtaken(request: httpx.Request) -> None:
        before(request)
        if request.url.path.endswith("/order/cart") and request.method == "GET" and not bought:
            bought.append(1)
            bought.append(apart(lambda: one.apply(wait=NOW).exit_code))

    late.wire.before = overtaken
    report = late.run(lambda setup: apply(setup, Consent()))

    assert bought == [1, 4]
    assert report.exit_code in {6, 4}
    assert one.count("order-placed") == 1


def apart(work: Callable[[], int]) -> int:
    """Do something that runs a loop of its own, in a thread without one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()
