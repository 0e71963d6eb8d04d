"""The workflows are well-formed, and no known way to attack a workflow is open in them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
BIN = Path(sys.executable).parent


def workflow(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def test_the_three_workflows_are_there() -> None:
    assert {file.stem for file in WORKFLOWS} >= {"apply", "ci", "plan"}


def test_zizmor_finds_nothing() -> None:
    result = run(BIN / "zizmor", "--offline", "--no-progress", "--persona", "pedantic", *WORKFLOWS)

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_workflows_fit_their_schema() -> None:
    result = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: str(file.stem))
def test_every_action_is_pinned_by_commit_with_its_version_beside_it(file: Path) -> None:
    uses = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if "uses:" in line]

    assert uses
    assert all(re.fullmatch(r"- uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in uses), uses


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: str(file.stem))
def test_no_expression_stands_in_a_command(file: Path) -> None:
    commands = [
        step["run"] for job in workflow(file)["jobs"].values() for step in job["steps"] if "run" in step
    ]

    assert commands
    assert not [command for command in commands if "${{" in command]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: str(file.stem))
def test_permissions_are_none_unless_a_job_asks(file: Path) -> None:
    loaded = workflow(file)

    assert loaded["permissions"] == {}
    assert all("permissions" in job for job in loaded["jobs"].values())


def test_who_can_write_to_github_has_no_credentials_and_no_code_of_the_pull_request() -> None:
    jobs = workflow(ROOT / ".github/workflows/plan.yml")["jobs"]

    writers = {name for name, job in jobs.items() if "write" in job["permissions"].values()}

    assert writers == {"comment"}
    assert "secrets." not in str(jobs["comment"])
    assert "environment" not in jobs["comment"]
    checkout = jobs["comment"]["steps"][0]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"


def test_only_the_planning_job_of_a_pull_request_sees_credentials() -> None:
    jobs = workflow(ROOT / ".github/workflows/plan.yml")["jobs"]

    assert [name for name, job in jobs.items() if "secrets." in str(job)] == ["plan"]
    assert "head.repo.full_name == github.repository" in jobs["plan"]["if"]
