"""What the tests of the store share: journals on both databases, a clock to turn, a git repository."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from reconciler.core.journal import Journal
from reconciler.store.journal import open_journal
from tests.store.makers import Clock, Opener, Repository


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of a journal that does not exist yet, on each database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return "sqlite:///.reconciler/journal.db"


@pytest.fixture
def opened(url: str, tmp_path: Path) -> Iterator[Opener]:
    """Opens the same journal as often as asked, as so many processes would."""
    journals: list[Journal] = []

    def opener(*, now: Callable[[], datetime] | None = None, create: bool = True) -> Journal:
        journals.append(open_journal(url, root=tmp_path, now=now, create=create, env={}))
        return journals[-1]

    yield opener
    for journal in journals:
        journal.close()


@pytest.fixture
def journal(opened: Opener, clock: Clock) -> Journal:
    return opened(now=clock)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")
