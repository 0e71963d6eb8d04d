"""What all tests share: in CI nothing may be skipped, and a real PostgreSQL for those who ask for it."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import hypothesis
import psycopg
import pytest

SPECS_ABSENT = os.environ.get("RECONCILER_SPECS") == "absent"
"""Said where the providers' specs cannot be had: they may not be published with the project."""

IN_CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}


class NothingSkipped:
    """Fails the session when a test was skipped, and names each."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if SPECS_ABSENT and "not beside the project" in _why(report):
            return
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(f"{report.nodeid}: {_why(report)}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped.append(f"{report.nodeid}: {_why(report)}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.skipped:
            terminalreporter.write_line(f"SKIPPED IN CI, which is a failure: {line}", red=True)


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    match report.longrepr:
        case (_, _, reason):
            return str(reason)
    return str(report.longrepr)


# A shared machine may be slow for a moment; how long an example takes is nobody's business here.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    if IN_CI and not hasattr(config, "workerinput"):  # with xdist only the controller judges
        config.pluginmanager.register(NothingSkipped(), "nothing-skipped")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A throwaway PostgreSQL on loopback for this session; its URL without a database."""
    binaries = _postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server binaries (Debian: apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        owner = _server_user(folder)
        data, port = folder / "data", _free_port()
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        control: list[Path | str] = [binaries / "pg_ctl", "--pgdata", data, "--silent"]
        _run(
            [
                binaries / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ],
            owner,
        )
        _run([*control, "--wait", "--log", folder / "log", "--options", options, "start"], owner)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}"
        finally:
            _run([*control, "--wait", "--mode", "immediate", "stop"], owner)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, one a test."""
    name = f"test_{uuid4().hex}"
    with contextlib.closing(psycopg.connect(f"{postgres_server}/postgres", autocommit=True)) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield f"{postgres_server}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _postgres_binaries() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return debian[-1].parent if debian else None


def _server_user(folder: Path) -> str | None:
    """Who runs the server: PostgreSQL refuses root, so root hands the folder to another user."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    shutil.chown(folder, user)
    return user


def _run(command: Sequence[Path | str], user: str | None) -> None:
    """Run a command of the server as its user; its own words when it fails."""
    result = subprocess.run(  # noqa: PLW1510 - judged below, with its output
        command,
        user=user,
        cwd="/",
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )
    assert result.returncode == 0, f"{command[0]}: {result.stdout}{result.stderr}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
