"""The mark of the newest event that was seen: private, small, and never in the way."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.core.errors import JournalError
from reconciler.core.journal import Kind
from reconciler.store.seen import FOLDER, SIZE, Seen, sign
from tests.store.makers import Opener, event


def mark_of(root: Path) -> Path:
    (found,) = (root / FOLDER).iterdir()
    return found


def test_the_mark_is_its_owners_alone_and_stays_small(tmp_path: Path, opening: Opener) -> None:
    journal = opening()
    for number in range(1, 50):
        journal.append(replace(event(number=number), by="ž" * 500))
    journal.close()

    mark = mark_of(tmp_path)
    assert stat.S_IMODE(mark.stat().st_mode) == 0o600
    assert stat.S_IMODE(mark.parent.stat().st_mode) == 0o700
    assert mark.stat().st_size == SIZE
    assert json.loads(mark.read_bytes())["seq"] == 49


def test_each_journal_has_its_own(tmp_path: Path, opening: Opener) -> None:
    opening("sqlite:///a.db").append(event(), event())
    opening("sqlite:///b.db").append(event())

    assert len(list((tmp_path / FOLDER).iterdir())) == 2
    assert not opening("sqlite:///b.db").behind


def test_what_others_wrote_is_seen_by_who_reads_to_act(tmp_path: Path, opening: Opener) -> None:
    opening(root=tmp_path).close()
    url = f"sqlite:///{tmp_path}/.reconciler/journal.db"
    other = opening(url, root=tmp_path / "elsewhere")
    other.append(event(), event())

    opening(root=tmp_path).events()

    assert json.loads(mark_of(tmp_path).read_bytes())["seq"] == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"seq": "x"}', b"\0" * SIZE])
def test_a_mark_that_cannot_be_read_says_nothing(tmp_path: Path, opening: Opener, content: bytes) -> None:
    opening().append(event())
    mark_of(tmp_path).write_bytes(content)

    journal = opening()

    assert not journal.behind
    assert len(journal.append(event())) == 1


def test_without_a_place_for_the_mark_the_journal_works(tmp_path: Path, opening: Opener) -> None:
    (tmp_path / ".reconciler").mkdir()
    (tmp_path / FOLDER).write_text("in the way")

    journal = opening()

    assert len(journal.append(event())) == 1
    assert not opening().behind


def test_another_event_of_the_same_number_is_not_the_one_that_was_seen(
    tmp_path: Path, opening: Opener
) -> None:
    opening().append(event(), event())
    path = tmp_path / ".reconciler/journal.db"
    for file in path.parent.glob("journal.db*"):
        file.unlink()
    elsewhere = opening(f"sqlite:///{path}", root=tmp_path / "elsewhere")
    elsewhere.append(event(), event(Kind.CLOSED))

    journal = opening()

    assert "event 2 (begun acme, 2026-03-01 12:00:00 UTC) is not in it any more" in journal.behind
    with pytest.raises(JournalError, match="is older than it was"):
        journal.append(event())
    journal.accept()
    assert journal.append(event())[0].seq == 3
    assert not opening().behind


def test_a_sign_depends_on_what_happened_when_and_by_whom() -> None:
    one = event()
    others = (
        replace(one, tenant="beta"),
        replace(one, kind=Kind.CLOSED),
        replace(one, action="a"),
        replace(one, by="bob"),
        replace(one, run="1"),
        replace(one, at=datetime.now(UTC)),
    )

    assert len({sign(one), *map(sign, others)}) == 1 + len(others)
    assert sign(one) == sign(replace(one, seq=7))


def test_nothing_is_remembered_before_something_was_seen(tmp_path: Path) -> None:
    assert Seen(tmp_path, "sqlite").last() is None
    assert list(tmp_path.iterdir()) == []
