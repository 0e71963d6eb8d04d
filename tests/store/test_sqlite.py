"""The journal as a file: who may read it, and what is said when it cannot be used."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.core.errors import JournalError, LeaseHeldError, WorkspaceError
from reconciler.store.tables import HEAD, REVISIONS, VERSION_TABLE
from tests.store.makers import Opener, event, unprivileged


def file_of(root: Path) -> Path:
    return root / ".reconciler" / "journal.db"


Filled = Callable[..., Path]


@pytest.fixture
def filled(tmp_path: Path, opening: Opener) -> Filled:
    """Makes a journal with events in it, closed."""

    def fill(number: int = 1) -> Path:
        journal = opening()
        journal.append(*(event(number=each) for each in range(1, number + 1)))
        journal.close()
        return file_of(tmp_path)

    return fill


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_reading_a_journal_that_does_not_exist_makes_nothing(tmp_path: Path, opening: Opener) -> None:
    journal = opening(create=False)

    assert journal.fresh
    assert journal.events() == ()
    assert journal.events(["acme"]) == ()
    assert journal.leases() == ()
    assert not journal.break_lease("acme")
    with pytest.raises(JournalError, match="there is no journal"):
        journal.append(event())
    assert list(tmp_path.iterdir()) == []


def test_a_journal_is_its_owners_alone(tmp_path: Path, opening: Opener) -> None:
    old = os.umask(0)
    try:
        journal = opening("sqlite:///state/deep/journal.db")
        journal.append(event())
    finally:
        os.umask(old)

    folder = tmp_path / "state" / "deep"
    assert {mode(tmp_path / "state"), mode(folder)} == {0o700}
    assert {path.name: mode(path) for path in folder.iterdir()} == {
        "journal.db": 0o600,
        "journal.db-wal": 0o600,
        "journal.db-shm": 0o600,
    }
    journal.close()


def test_a_journal_that_others_could_read_is_closed_to_them(opening: Opener, filled: Filled) -> None:
    path = filled()
    path.chmod(0o644)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).touch(0o666)
        path.with_name(path.name + end).chmod(0o666)

    journal = opening()
    journal.append(event())

    assert {mode(each) for each in path.parent.glob("journal.db*")} == {0o600}
    journal.close()


def test_what_is_no_journal_keeps_its_mode(tmp_path: Path, opening: Opener) -> None:
    folder = tmp_path / "tenants"
    folder.mkdir()
    manifest = tmp_path / "acme.yaml"
    manifest.write_text("version: 1\n")
    folder.chmod(0o755)
    manifest.chmod(0o644)

    for named in (folder, manifest):
        with pytest.raises(JournalError, match="cannot open the journal"):
            opening(f"sqlite:///{named.name}")

    assert (mode(folder), mode(manifest)) == (0o755, 0o644)
    assert manifest.read_text() == "version: 1\n"


def test_folders_that_were_there_keep_their_mode(tmp_path: Path, opening: Opener) -> None:
    tmp_path.chmod(0o755)

    opening("sqlite:///journal.db").close()

    assert mode(tmp_path) == 0o755


def test_a_path_is_relative_to_the_workspace_or_absolute(tmp_path: Path, opening: Opener) -> None:
    root = tmp_path / "root"
    root.mkdir()

    opening("sqlite:///a b/ž#%.db", root=root)
    opening(f"sqlite:///{tmp_path}/elsewhere.db", root=root)

    assert (root / "a b" / "ž#%.db").is_file()
    assert (tmp_path / "elsewhere.db").is_file()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite://x.db", "sqlite:///:memory:", "sqlite:///a?b"]
)
def test_what_is_no_path_is_refused(url: str, opening: Opener) -> None:
    with pytest.raises(WorkspaceError, match="not the path of a journal"):
        opening(url)


def test_every_commit_is_forced_to_disk(opening: Opener) -> None:
    journal = opening()

    with journal._writing("look") as connection:  # type: ignore[attr-defined]  # no other way to see it
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    journal.close()


def test_what_was_appended_outlives_a_kill(tmp_path: Path, opening: Opener) -> None:
    program = (
        "import os, sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from reconciler.core.journal import Event, Kind\n"
        "from reconciler.core.workspace import DEFAULT_JOURNAL\n"
        "from reconciler.store.journal import open_journal\n"
        "journal = open_journal(DEFAULT_JOURNAL, root=Path(sys.argv[1]), create=True, env={})\n"
        "journal.append(Event(kind=Kind.INTENDED, tenant='acme', at=datetime.now(UTC)))\n"
        "os.kill(os.getpid(), 9)"
    )

    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)

    assert [one.tenant for one in opening(create=False).events()] == ["acme"]


@pytest.fixture
def theirs(filled: Filled, opening: Opener) -> Iterator[Path]:
    """A folder with a journal in use, of a user whom file permissions bind and who runs the test from here."""
    filled()  # every library is loaded while root may still read them
    with tempfile.TemporaryDirectory() as name:
        opening(root=Path(name)).append(event())
        with unprivileged(Path(name)):
            yield Path(name)


def protect(root: Path) -> None:
    """Make a journal's files and their folder read-only."""
    for path in file_of(root).parent.glob("journal.db*"):
        path.chmod(0o400)
    file_of(root).parent.chmod(0o500)


def test_a_journal_that_may_not_be_seen_is_never_taken_for_none(theirs: Path, opening: Opener) -> None:
    file_of(theirs).parent.chmod(0o600)
    try:
        with pytest.raises(JournalError, match="cannot open the journal: Permission denied"):
            opening(root=theirs, create=False)
    finally:
        file_of(theirs).parent.chmod(0o700)


def test_a_read_only_file_in_a_read_only_folder_can_be_read(theirs: Path, opening: Opener) -> None:
    (theirs / "closed").mkdir()
    writing = opening(root=theirs / "closed")
    writing.append(event())
    writing.close()
    protect(theirs / "closed")

    journal = opening(root=theirs / "closed", create=False)

    assert len(journal.events()) == 1
    assert journal.leases() == ()
    journal.close()
    assert [each.name for each in file_of(theirs / "closed").parent.glob("*.*")] == ["journal.db"]


def test_a_read_only_journal_is_read_while_another_writes(theirs: Path, opening: Opener) -> None:
    protect(theirs)

    journal = opening(root=theirs, create=False)

    assert len(journal.events()) == 1


def test_a_read_only_file_cannot_be_written(theirs: Path, opening: Opener) -> None:
    protect(theirs)

    with pytest.raises(JournalError, match="cannot open the journal for writing") as refused:
        opening(root=theirs)

    assert "owns the journal" in refused.value.hint


def test_a_folder_that_cannot_be_made_is_said(theirs: Path, opening: Opener) -> None:
    (theirs / "closed").mkdir(mode=0o500)

    with pytest.raises(JournalError, match="for writing: Permission denied") as refused:
        opening(root=theirs / "closed")

    assert refused.value.hint


def test_without_a_lock_of_their_own_others_still_wait(theirs: Path, opening: Opener) -> None:
    """A lock file of another user proves nothing about its holder."""
    opening(root=theirs).acquire("acme", holder="ada")
    for lock in (theirs / ".reconciler/locks").iterdir():
        lock.chmod(0)

    with pytest.raises(LeaseHeldError):
        opening(root=theirs).acquire("acme", holder="bob")


def test_reading_leaves_nothing_behind(opening: Opener, filled: Filled) -> None:
    path = filled()
    before = {each: each.read_bytes() for each in path.parent.rglob("*") if each.is_file()}

    journal = opening(create=False)
    journal.events()
    journal.close()

    assert {each: each.read_bytes() for each in path.parent.rglob("*") if each.is_file()} == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["journal.db", "seen"]


@pytest.mark.parametrize("create", [False, True])
def test_a_file_that_is_no_database_is_said_to_be_none(create: bool, opening: Opener, filled: Filled) -> None:  # noqa: FBT001 - a case
    path = filled()
    path.write_bytes(b"journal: lost\n" * 100)

    with pytest.raises(JournalError, match="not a database") as refused:
        opening(create=create)

    assert "backup" in refused.value.hint
    assert path.read_bytes().startswith(b"journal: lost")


def test_damage_inside_the_file_is_noticed(opening: Opener, filled: Filled) -> None:
    path = filled(2000)
    content = bytearray(path.read_bytes())
    content[20_000:-4096] = b"\xa5" * (len(content) - 24_096)
    path.write_bytes(content)

    with pytest.raises(JournalError) as refused:
        opening(create=False).events()

    assert "backup" in refused.value.hint


def test_a_cut_off_file_is_noticed(opening: Opener, filled: Filled) -> None:
    path = filled(2000)
    os.truncate(path, 30_000)

    with pytest.raises(JournalError):
        opening(create=False).events()


def test_an_empty_file_becomes_a_journal(tmp_path: Path, opening: Opener) -> None:
    file_of(tmp_path).parent.mkdir()
    file_of(tmp_path).touch()

    reading = opening(create=False)
    writing = opening()

    assert reading.fresh
    assert writing.fresh
    assert len(writing.append(event())) == 1
    reading.close()
    writing.close()


@pytest.mark.parametrize("create", [False, True])
def test_the_database_of_another_program_is_left_alone(tmp_path: Path, create: bool, opening: Opener) -> None:  # noqa: FBT001 - a case
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()

    with pytest.raises(JournalError, match="not a journal of reconciler"):
        opening("sqlite:///other.db", create=create)


def test_a_folder_is_no_journal(tmp_path: Path, opening: Opener) -> None:
    file_of(tmp_path).mkdir(parents=True)

    with pytest.raises(JournalError, match="cannot"):
        opening()


@pytest.fixture
def disk_of() -> Callable[[int], object]:
    """Limits the size of files this process may write: what a full disk does."""

    def limit(size: int) -> object:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        return size

    return limit


def test_a_full_disk_is_an_error_and_nothing_is_half_written(
    disk_of: Callable[[int], object], opening: Opener
) -> None:
    journal = opening()
    journal.append(event(number=1))
    big = [event(tenant="x" * 1000, number=number) for number in range(1, 500)]

    disk_of(100_000)
    try:
        with pytest.raises(JournalError, match="cannot write to the journal") as refused:
            journal.append(*big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    assert refused.value.hint
    assert len(journal.events()) == 1
    assert len(journal.append(event())) == 1
    journal.close()


def test_the_newest_revision_is_the_one_that_is_written() -> None:
    from alembic.script import ScriptDirectory

    from reconciler.store import migrations

    script = ScriptDirectory(str(Path(migrations.__file__).parent))

    assert script.get_heads() == [HEAD]
    assert [each.revision for each in script.walk_revisions()] == list(reversed(REVISIONS))
    assert VERSION_TABLE == "journal_version"
