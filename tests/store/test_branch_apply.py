"""The whole way with the journal on a branch: plan, apply and resume with the real command, from two checkouts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.store.makers import Repository
from tests.store.remotes import Remote

BRANCH = "reconciler-journal"
FILES = {
    "reconciler.yaml": f"""\
version: 1
accounts:
  ovh-main: {{api: ovh, endpoint: sandbox}}
journal: git+origin#{BRANCH}
""",
    "tenants/acme.yaml": """\
version: 1
tenant: acme
provider: ovh-prepaid
account: ovh-main
domain: acme.example
license_groups:
  - name: office
    product: business
    seats: 2
    service: new
users:
  - login: ada
    first_name: Ada
    last_name: Lovelace
    country: gb
    licenses: [office]
""",
}


class Checkout(Repository):
    """A clone of the manifests' repository, in which the command is run."""

    def run(self, *words: str, code: int) -> str:
        env = {key: value for key, value in os.environ.items() if not key.startswith("RECONCILER_")}
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *words],
            cwd=self.folder,
            env={**env, "CI": "true", "GITHUB_ACTOR": "octo-ada", "GITHUB_RUN_ID": "88"},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def read(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.run(*words, code=code))


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote.git")


def clone(remote: Remote, folder: Path) -> Checkout:
    subprocess.run(["git", "clone", "--quiet", f"file://{remote.folder}", folder], check=True)
    return Checkout(folder)


@pytest.fixture
def first(remote: Remote, tmp_path: Path) -> Checkout:
    local = Repository(tmp_path / "local")
    for name, text in FILES.items():
        local.write(name, text)
    local.commit()
    local.git("push", "--quiet", str(remote.folder), "main")
    return clone(remote, tmp_path / "first")


def test_what_one_checkout_ordered_another_goes_on_with(
    remote: Remote, first: Checkout, tmp_path: Path
) -> None:
    first.run("plan", "--detailed-exitcode", code=2)
    assert remote.git("branch", "--list", BRANCH) == ""  # planning writes nothing

    first.run("apply", "--yes", "--wait", "0", code=4)
    first.run("sandbox", "advance", "4h", code=0)
    second = clone(remote, tmp_path / "second")
    (second.folder / ".reconciler").mkdir()  # another machine, the same provider
    shutil.copy(first.folder / ".reconciler" / "sandbox.db", second.folder / ".reconciler")
    second.run("resume", code=0)

    second.run("plan", "--detailed-exitcode", code=0)
    ledger = second.run("sandbox", "ledger", code=0)
    assert ledger.count("  order-placed  ") == 1
    history = second.read("history", "acme", "--format", "json")["events"]
    kinds = [one["kind"] for one in history if one["address"] == "group/office"]
    assert kinds.count("intended") == 1
    assert kinds[-1] == "finished"
    assert {one["by"] for one in history} == {"octo-ada"}
    assert {one["run"] for one in history} == {"88"}
    assert second.run("lease", "list", code=0) == "nobody holds a lease\n"
    assert first.read("history", "--format", "json")["events"] == history


def test_a_journal_that_was_pushed_over_stops_an_apply_before_any_call(
    remote: Remote, first: Checkout
) -> None:
    first.run("apply", "--yes", "--wait", "0", code=4)
    requests = first.run("sandbox", "requests", code=0)
    remote.git("update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~3")

    for words in (["apply", "--yes"], ["plan"]):
        first.run(*words, code=1)

    assert first.run("sandbox", "requests", code=0) == requests


def test_a_remote_that_is_away_stops_an_apply_before_any_call(remote: Remote, first: Checkout) -> None:
    first.run("plan", code=0)
    requests = first.run("sandbox", "requests", code=0)
    remote.folder.rename(remote.folder.with_name("away"))

    for words in (["apply", "--yes"], ["plan"]):
        first.run(*words, code=1)

    assert first.run("sandbox", "requests", code=0) == requests
