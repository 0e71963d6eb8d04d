"""What all tests share: in CI nothing may be skipped, what is measured, and a real PostgreSQL."""

import os
from collections.abc import Generator, Iterator
from contextlib import nullcontext

import hypothesis
import pytest

from tests import postgres
from tests.measured import unmeasured

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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test; one that is marked `unmeasured` at its own speed, with its fixtures."""
    with unmeasured() if item.get_closest_marker("unmeasured") else nullcontext():
        return (yield)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A throwaway PostgreSQL on loopback for this session; its URL without a database."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server binaries (Debian: apt-get install postgresql)")
    with postgres.serving(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, one a test."""
    with postgres.database(postgres_server) as url:
        yield url
