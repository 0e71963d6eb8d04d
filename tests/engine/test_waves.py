"""A journal on a git branch while much happens at once: few pushes, and still nothing is sent before it is pushed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from reconciler.core.journal import Journal
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply
from reconciler.store.journal import open_journal
from tests.engine.conftest import Make
from tests.engine.harness import Bench
from tests.engine.stories import payg, world_payg
from tests.store.remotes import BRANCH, Remote

PEOPLE = 12
TENANTS = ("acme", "beta", "gamma")


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote.git")


@pytest.fixture
def journal(remote: Remote, tmp_path: Path) -> Iterator[Journal]:
    found = open_journal(remote.address, root=tmp_path, create=True, env={})
    yield found
    found.close()


def joining(tenant: str) -> str:
    """A tenant's file in which many people join at once."""
    people = "".join(
        f"  - {{login: p{number}, first_name: P, last_name: N{number}, country: fr, licenses: [office]}}\n"
        for number in range(PEOPLE)
    )
    return payg("ada").replace("acme", tenant) + f"\n{people}"


@pytest.fixture
def crowd(bench: Make) -> Bench:
    one, *others = (world_payg("ada").replace("acme", name) for name in TENANTS)
    world = one + "".join(other.removeprefix("payg:\n") for other in others)
    return bench(world, **{name: joining(name) for name in TENANTS})


def test_what_happens_side_by_side_shares_its_pushes(crowd: Bench, remote: Remote, journal: Journal) -> None:
    before = remote.commits
    process = crowd.process(journal=journal)

    report = process.run(lambda setup: apply(setup, Consent()))

    assert report.exit_code == 0
    assert crowd.count("user-created") == PEOPLE * len(TENANTS)
    events = journal.events()
    assert len(events) > 4 * PEOPLE * len(TENANTS)
    assert remote.commits - before < len(events) / 5, (remote.commits - before, len(events))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert journal.leases() == ()


def test_no_write_is_sent_before_its_step_is_pushed(crowd: Bench, remote: Remote, journal: Journal) -> None:
    """Looked at from outside, at the remote, in the moment in which each request leaves."""
    process = crowd.process(journal=journal)
    looked: list[str] = []
    early: list[str] = []

    def look(request: httpx.Request) -> None:
        if request.method != "POST" or not request.url.path.endswith("/user"):
            return
        login = json.loads(request.content)["login"]
        tenant = request.url.path.split("/")[4].partition(".")[0]
        lines = remote.git("show", f"{BRANCH}:events/{tenant}/2027.jsonl").splitlines()
        looked.append(login)
        steps = [one for one in map(json.loads, lines) if one["kind"] == "stepping"]
        if not any(one["address"].endswith(f"/{login}") for one in steps):
            early.append(f"{tenant} {login}")

    process.wire.before = look
    report = process.run(lambda setup: apply(setup, Consent()))

    assert report.exit_code == 0
    assert len(looked) == crowd.count("user-created") == PEOPLE * len(TENANTS)
    assert early == []
