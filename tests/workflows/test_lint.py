"""The workflows are well-formed, ours and those that `init` writes, and no known way to attack one is open in them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.ci import USUAL, render

ROOT = Path(__file__).parents[2]
OURS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TEMPLATES = sorted((ROOT / "reconciler/cli/templates/github").glob("*.yml"))
EVERY = [*OURS, *TEMPLATES]
BIN = Path(sys.executable).parent


def text_of(file: Path) -> str:
    """A workflow as it is on GitHub: a template is filled first."""
    text = file.read_text(encoding="utf-8")
    return render(text, "github", names=USUAL, journal="") if file in TEMPLATES else text


def workflow(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text_of(file))
    return loaded


def named(name: str) -> dict[str, Any]:
    return workflow(ROOT / f"reconciler/cli/templates/github/licences-{name}.yml")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every workflow as a file on disk."""
    folder = tmp_path_factory.mktemp("written") / ".github/workflows"
    folder.mkdir(parents=True)
    for file in EVERY:
        (folder / file.name).write_text(text_of(file), encoding="utf-8")
    return sorted(folder.iterdir())


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def test_they_are_all_there() -> None:
    assert {file.stem for file in OURS} >= {"ci", "release", "reusable-apply", "reusable-pull-request"}
    assert len(TEMPLATES) == 4


def test_zizmor_finds_nothing(written: list[Path]) -> None:
    options = ("--offline", "--no-progress", "--persona", "pedantic")

    result = run(BIN / "zizmor", *options, *written, ROOT / "action.yml")

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", None),
        ("custom.github-workflows-require-timeout", None),
        ("vendor.github-actions", [ROOT / "action.yml"]),
        ("vendor.dependabot", [ROOT / ".github/dependabot.yml"]),
    ],
)
def test_they_fit_their_schema(schema: str, files: list[Path] | None, written: list[Path]) -> None:
    result = run(BIN / "check-jsonschema", "--builtin-schema", schema, *(files or written))

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("file", [*EVERY, ROOT / "action.yml"], ids=lambda file: str(file.stem))
def test_every_action_is_pinned_by_commit_with_its_version_beside_it(file: Path) -> None:
    uses = [line.strip() for line in text_of(file).splitlines() if "uses:" in line]

    assert uses
    assert all(re.fullmatch(r"- uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in uses), uses


@pytest.mark.parametrize("file", EVERY, ids=lambda file: str(file.stem))
def test_no_expression_stands_in_a_command(file: Path) -> None:
    commands = [
        step["run"] for job in workflow(file)["jobs"].values() for step in job["steps"] if "run" in step
    ]

    assert commands
    assert not [command for command in commands if "${{" in command]


@pytest.mark.parametrize("file", EVERY, ids=lambda file: str(file.stem))
def test_permissions_are_none_unless_a_job_asks_and_says_why(file: Path) -> None:
    loaded = workflow(file)
    asked = re.findall(r"^ +[\w-]+: (?:read|write)\b(.*)$", text_of(file), re.MULTILINE)

    assert loaded["permissions"] == {}
    assert all("permissions" in job for job in loaded["jobs"].values())
    assert asked
    assert all(reason.startswith(" # ") for reason in asked)


@pytest.mark.parametrize("file", EVERY, ids=lambda file: str(file.stem))
def test_no_checkout_leaves_a_token_behind(file: Path) -> None:
    steps = [step for job in workflow(file)["jobs"].values() for step in job["steps"]]

    for step in steps:
        if str(step.get("uses")).startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False


def test_who_can_write_to_github_has_no_credentials_and_no_code_of_the_pull_request() -> None:
    for name in ("pull-request", "apply", "drift"):
        for job in named(name)["jobs"].values():
            wide = {"pull-requests", "issues"} & job["permissions"].keys()
            if wide:
                assert "secrets." not in str(job)
                assert "environment" not in job
                assert "actions/checkout" not in str(job)


def test_only_the_planning_job_of_a_pull_request_sees_credentials() -> None:
    jobs = named("pull-request")["jobs"]

    assert [name for name, job in jobs.items() if "secrets." in str(job)] == ["plan"]
    assert "head.repo.full_name == github.repository" in jobs["plan"]["if"]


def test_only_who_applies_may_push_and_only_git_s_own_settings_hold_the_token() -> None:
    pushing = {
        (name, job)
        for name in ("pull-request", "apply", "resume", "drift")
        for job, body in named(name)["jobs"].items()
        if body["permissions"].get("contents") == "write"
    }

    assert pushing == {("apply", "apply"), ("resume", "resume")}
    for name, job in pushing:
        steps = [step for step in named(name)["jobs"][job]["steps"] if "JOURNAL_TOKEN" in str(step)]
        assert len(steps) == 1
        assert steps[0]["env"]["GIT_CONFIG_COUNT"] == "2"
