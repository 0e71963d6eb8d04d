"""What this project offers or runs itself: the action, the hooks, the release; their commands executed."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.place import Place
from tests.workflows.hosts import Host, serving
from tests.workflows.runner import Runner, clean_environment
from tests.workflows.town import BRANCH, town

pytestmark = pytest.mark.unmeasured

ROOT = Path(__file__).parents[2]
WORKFLOW = """\
name: mine
on: push
jobs:
  plan:
    outputs:
      approved: ${{ steps.plan.outputs.approved }}
      change: ${{ steps.plan.outputs.monthly_change }}
    steps:
      - uses: actions/checkout@v5
        with: {persist-credentials: false}
      - uses: ./
        with: {command: validate}
      - uses: ./
        id: plan
        with: {command: plan, journal: JOURNAL}
  apply:
    needs: plan
    outputs:
      status: ${{ steps.apply.outputs.status }}
    steps:
      - uses: actions/checkout@v5
        with: {persist-credentials: false}
      - uses: ./
        id: apply
        with: {command: apply, journal: JOURNAL, approved: "${{ needs.plan.outputs.approved }}", token: canary}
      - uses: ./
        with: {command: resume, journal: JOURNAL}
      - uses: ./
        with: {command: drift, journal: JOURNAL}
  wrong:
    steps:
      - uses: ./
        with: {command: buy everything}
""".replace("JOURNAL", f'"{BRANCH}"')


def test_the_action_validates_plans_applies_resumes_and_watches(tmp_path: Path) -> None:
    here = town(tmp_path, "github")
    here.change("seats: 2", "seats: 3")
    here.merge()
    file = tmp_path / "mine.yml"
    file.write_text(WORKFLOW, encoding="utf-8")

    with serving(Host(kind="github")) as host:
        runner = Runner(origin=here.origin, folder=tmp_path / "jobs", sandbox=here.sandbox, env=host.pushed)
        result = runner.run(file, {"github.event_name": "push"})

    assert result.results == {"plan": "success", "apply": "success", "wrong": "failure"}, result.output
    assert re.fullmatch(r"\d+\.\d\d EUR", result.outputs["plan"]["change"])
    assert result.outputs["apply"]["status"] in {"pending", "done"}
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    assert [step["run"] for step in steps if "run" in step and step["run"] not in result.output] == []
    assert "canary" not in result.output
    assert "order" in here.reconciler("sandbox", "ledger")


def test_every_output_of_the_action_is_one_that_the_tool_gives() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    source = (ROOT / "reconciler/cli/outputs.py").read_text(encoding="utf-8")

    for one in action["outputs"].values():
        name = one["value"].removesuffix(" }}").rpartition(".")[2]
        assert name == "file" or f'"{name}":' in source


RELEASE = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]


def lay_out(folder: Path) -> None:
    """What the build looks at, in a folder of its own."""
    for name in ("reconciler", "README.md", "LICENSE", "NOTICE", "pyproject.toml", "requirements-run.lock"):
        (folder / name).symlink_to(ROOT / name)


def test_the_release_builds_what_it_says_and_refuses_another_tag(tmp_path: Path) -> None:
    version = re.search(
        r'"(.+)"', (ROOT / "reconciler/__init__.py").read_text(encoding="utf-8").splitlines()[2]
    )
    assert version
    lay_out(tmp_path)
    lines = [step["run"] for step in RELEASE["build"]["steps"] if "run" in step]

    def do(line: str, tag: str) -> int:
        env = {**clean_environment(), "GITHUB_REF_NAME": tag}
        done = subprocess.run(
            ["bash", "-e", "-c", line],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode

    assert [do(line, f"v{version[1]}") for line in lines] == [0, 0, 0]
    assert do(lines[-1], "v9.9.9") == 1
    assert len(list((tmp_path / "dist").iterdir())) == 2


def test_whoever_builds_a_release_gets_the_same_bytes(tmp_path: Path) -> None:
    [build] = [step["run"] for step in RELEASE["build"]["steps"] if "hatchling" in step.get("run", "")]
    made = []

    for name, mask in (("one", 0o022), ("another place", 0o077)):
        (tmp_path / name).mkdir()
        lay_out(tmp_path / name)
        subprocess.run(
            ["bash", "-e", "-c", build],
            cwd=tmp_path / name,
            env=clean_environment(),
            umask=mask,
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        made.append({file.name: file.read_bytes() for file in (tmp_path / name / "dist").iterdir()})

    assert len(made[0]) == 2
    assert made[0] == made[1]


def test_what_cannot_be_executed_here_is_well_formed_shell() -> None:
    lines = [step["run"] for step in RELEASE["image"]["steps"] if "run" in step]

    assert lines
    for line in lines:
        assert "docker" in line
        done = subprocess.run(["bash", "-n", "-c", line], check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0


def test_only_the_release_has_commands_that_are_not_executed() -> None:
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]

    commands = [step["run"] for job in ci.values() for step in job["steps"] if "run" in step]
    assert commands == ["bash .ci/run"]  # which is what runs this test
    assert os.access(ROOT / ".ci/run", os.R_OK)


@pytest.fixture
def hooks() -> dict[str, str]:
    loaded = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return {hook["id"]: hook["entry"] for hook in loaded}


def test_the_hooks_find_what_is_wrong_and_format_what_is_given(place: Place, hooks: dict[str, str]) -> None:
    validate, fmt = (
        hooks[name].removeprefix("reconciler ") for name in ("reconciler-validate", "reconciler-fmt")
    )

    assert place.run(validate).code == 0
    place.edit("tenants/acme.yaml", "version: 1\n", "version:    1\n")
    assert place.run(f"{fmt} tenants/acme.yaml").code == 0
    assert (place.root / "tenants/acme.yaml").read_text(encoding="utf-8").startswith("version: 1\n")
    place.edit("tenants/acme.yaml", "seats: 2", "seats: none")
    assert place.run(validate).code == 1


def test_the_image_runs_as_nobody_on_a_pinned_base_and_copies_what_is_there() -> None:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")

    froms = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(froms) == 2
    assert all(re.fullmatch(r"python:3\.\d+-slim@sha256:[0-9a-f]{64}", one) for one in froms)
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["10001"]
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in sources.split())
