"""A database that goes away in the middle of a run, and processes whose clocks disagree about it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from reconciler.core.errors import JournalError
from reconciler.core.report import Report
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply, resume
from reconciler.store.journal import open_journal
from tests import postgres
from tests.engine.harness import Bench, trouble
from tests.engine.stories import prepaid, world_prepaid
from tests.store.test_lease import PROCESS


class Server:
    """A PostgreSQL of our own, to crash and to start again."""

    def __init__(self, programs: Path, url: str) -> None:
        self.url = f"{url}/postgres"
        with psycopg.connect(self.url) as connection:
            (self.data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        self.options = (Path(self.data) / "postmaster.opts").read_text().split(" ", 1)[1].replace('"', "")
        self.control = programs / "pg_ctl"
        self.lives = True

    def crash(self) -> None:
        self._do("--mode", "immediate", "stop")
        self.lives = False

    def start(self) -> None:
        self._do("--log", f"{self.data}/log", "--options", self.options, "start")
        self.lives = True

    def _do(self, *words: str) -> None:
        owner = Path(self.data).owner()
        subprocess.run(
            [self.control, "--pgdata", self.data, "--silent", "--wait", *words],
            user=None if owner == Path(sys.executable).owner() else owner,
            cwd="/",
            check=True,
        )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server binaries (Debian: apt-get install postgresql)")
    with postgres.serving(programs) as url:
        made = Server(programs, url)
        yield made
        if not made.lives:
            made.start()


@pytest.fixture
def one(tmp_path: Path, server: Server) -> Iterator[Bench]:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS events, leases, journal_version")
    made = Bench.make(tmp_path, world_prepaid(2, "ada"), acme=prepaid(7, "ada"))
    yield made
    made.world.close()


def run(
    one: Bench, server: Server, work: Callable[..., object], before: Callable[[httpx.Request], None]
) -> Report:
    journal = open_journal(server.url, root=one.root, create=True, env={})
    try:
        process = one.process(journal=journal, wait=timedelta(hours=6))
        process.wire.before = before
        return process.run(lambda setup: resume(setup) if work is resume else apply(setup, Consent()))
    finally:
        journal.close()


def nothing(_request: httpx.Request) -> None:
    """Let every request pass."""


def test_a_database_that_dies_while_an_order_is_sent_loses_no_order(one: Bench, server: Server) -> None:
    def die(request: httpx.Request) -> None:
        if request.method == "POST" and request.url.path.endswith("/checkout"):
            server.crash()

    report = run(one, server, apply, die)

    assert report.exit_code == 3
    assert "210000001" in trouble(report).message  # it happened, and only this report says so
    assert one.count("order-placed") == 1
    server.start()
    assert run(one, server, resume, nothing).exit_code == 0
    assert run(one, server, apply, nothing).exit_code == 0
    assert one.count("order-placed") == 1


def test_a_database_that_dies_before_the_first_write_stops_before_it(one: Bench, server: Server) -> None:
    sent: list[str] = []

    def die(request: httpx.Request) -> None:
        if request.url.path.endswith("/order/cart") and request.method == "GET" and server.lives:
            server.crash()
        sent.append(f"{request.method} {request.url.path}")

    report = run(one, server, apply, die)

    assert report.exit_code == 3
    assert not server.lives
    assert not any("checkout" in call for call in sent if call.startswith("POST"))
    assert one.count("order-placed") == 0
    with pytest.raises(JournalError, match="cannot open the journal") as refused:
        run(one, server, apply, nothing)
    assert "it goes on where this stopped" in refused.value.hint
    server.start()
    assert run(one, server, apply, nothing).exit_code == 0
    assert one.count("order-placed") == 1


SKEWED = """
import sys
from datetime import datetime, timedelta
from reconciler.store import sql

class Skewed(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(hours=float(sys.argv[4]))

sql.datetime = Skewed
"""


class Skew:
    """A process whose own clock is wrong."""

    def __init__(self, url: str, root: Path, name: str, hours: float) -> None:
        words = [sys.executable, "-c", SKEWED + PROCESS, url, str(root), name, str(hours)]
        self.popen = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.says() == "ready"

    def says(self) -> str:
        assert self.popen.stdout
        return self.popen.stdout.readline().strip()

    def asked(self, command: str = "acquire") -> str:
        assert self.popen.stdin
        self.popen.stdin.write(f"{command}\n")
        self.popen.stdin.flush()
        return self.says()


def test_of_two_processes_whose_clocks_disagree_one_holds_the_lease(
    postgres_url: str, tmp_path: Path
) -> None:
    slow, fast = (Skew(postgres_url, tmp_path / name, name, hours) for name, hours in (("a", -24), ("b", 24)))
    try:
        assert slow.asked() == "held"
        assert fast.asked() == "refused"  # by its own clock that lease ended a day ago
        assert slow.asked("write") == "done"  # and by this one's it has not begun
    finally:
        for one in (slow, fast):
            one.popen.kill()
            one.popen.communicate()


def test_a_lease_taken_over_by_a_process_with_a_slow_clock_is_lost(postgres_url: str, tmp_path: Path) -> None:
    first, late = (
        Skew(postgres_url, tmp_path / name, name, hours) for name, hours in (("a", 24), ("b", -24))
    )
    try:
        assert first.asked() == "held"
        with psycopg.connect(postgres_url) as connection:
            connection.execute("UPDATE leases SET until = now()")
        assert late.asked() == "held"
        assert first.asked("write") == "lost"
        assert late.asked("write") == "done"
    finally:
        for one in (first, late):
            one.popen.kill()
            one.popen.communicate()
