"""What the tests of the store share: journals of every kind, a clock to turn, a git repository."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from reconciler.core.journal import Journal
from reconciler.core.workspace import DEFAULT_JOURNAL
from reconciler.store.journal import open_journal
from tests import postgres
from tests.store.makers import Clock, Opener, Repository, bare


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql", "git"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a journal that does not exist yet, on each database and on a branch."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    if request.param == "git":
        return f"git+file://{bare(tmp_path_factory.mktemp('remote') / 'journal.git')}#journal"
    return "sqlite:///.reconciler/journal.db"


@pytest.fixture
def other_postgres_url(postgres_server: str) -> Iterator[str]:
    """A second empty database."""
    with postgres.database(postgres_server) as url:
        yield url


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[Opener]:
    """Opens journals by their address and closes them with the test; the workspace is `tmp_path`."""
    journals: list[Journal] = []

    def opener(
        url: str = DEFAULT_JOURNAL,
        *,
        now: Callable[[], datetime] | None = None,
        create: bool = True,
        env: Mapping[str, str] | None = None,
        root: Path = tmp_path,
    ) -> Journal:
        journals.append(open_journal(url, root=root, now=now, create=create, env=env or {}))
        return journals[-1]

    yield opener
    for journal in journals:
        journal.close()


@pytest.fixture
def opened(url: str, opening: Opener) -> Opener:
    """Opens the same journal as often as asked, as so many processes would."""
    return partial(opening, url)


@pytest.fixture
def journal(opened: Opener, clock: Clock) -> Journal:
    return opened(now=clock)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")
