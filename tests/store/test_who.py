"""Who runs this: CI's variables, else the system and git."""

import os
import pwd
import re
from pathlib import Path

import pytest

from reconciler.store.who import Who, holder, identity
from tests.store.makers import Repository

GITHUB = {
    "GITHUB_ACTOR": "ada",
    "GITHUB_RUN_ID": "88",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/licences",
    "GITHUB_SHA": "c0ffee",
}


def test_on_github_the_actor_the_run_and_the_commit_are_its_own(tmp_path: Path) -> None:
    assert identity(GITHUB, tmp_path) == Who(
        "ada", "https://github.com/acme/licences/actions/runs/88", "c0ffee"
    )
    assert identity({"GITHUB_ACTOR": "ada", "GITHUB_RUN_ID": "88"}, tmp_path) == Who("ada", "88", "")


@pytest.mark.parametrize(
    ("env", "run"),
    [
        ({"CI_PIPELINE_ID": "7", "CI_PIPELINE_URL": "https://gitlab.example/7"}, "https://gitlab.example/7"),
        ({"CI_PIPELINE_ID": "7"}, "7"),
        ({}, ""),
    ],
)
def test_on_gitlab_too(tmp_path: Path, env: dict[str, str], run: str) -> None:
    env = {"GITLAB_USER_LOGIN": "ada", "CI_COMMIT_SHA": "c0ffee", **env}

    assert identity(env, tmp_path) == Who("ada", run, "c0ffee")


def test_at_a_desk_it_is_the_systems_user_and_the_checked_out_commit(repository: Repository) -> None:
    repository.write("tenants/acme.yaml", "version: 1\n")
    commit = repository.commit()

    who = identity({"USER": "somebody-else"}, repository.folder / "tenants")

    assert who == Who(pwd.getpwuid(os.geteuid()).pw_name, "", commit)


def test_a_git_hook_does_not_lead_to_another_repository(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repository.commit()
    other = Repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))

    assert identity({}, repository.folder).commit == commit
    assert identity({}, repository.folder, remembers=False).commit == ""


def test_without_git_or_without_a_commit_there_is_none(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").mkdir()

    assert identity({}, repository.folder).commit == ""
    assert identity({}, tmp_path / "plain").commit == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert identity({}, repository.folder).commit == ""


def test_a_holder_is_named_by_user_machine_process_and_run() -> None:
    assert re.fullmatch(rf"ada@\S+ {os.getpid()} run/88", holder(Who("ada", "run/88")))
    assert re.fullmatch(rf"ada@\S+ {os.getpid()}", holder(Who("ada")))
