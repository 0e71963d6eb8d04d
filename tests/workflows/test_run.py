"""Every `run:` step of the shipped workflows is executed, on a real git repository, against the sandbox."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PLACES = (
    "reconciler",
    "scripts",
    "examples",
    ".github",
    "pyproject.toml",
    "requirements.lock",
    "README.md",
    "LICENSE",
)
WORKSPACE = "examples/reconciler.yaml"


@dataclass
class Result:
    """How the jobs of one run ended, what they showed, what they handed over."""

    results: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    output: str = ""


@dataclass
class Runner:
    """A GitHub runner in small: reads a workflow, checks out a commit for each job, runs its commands.

    Only `uses:` is played here (a clone, a copy of files); every `run:` is executed as it stands.
    """

    repository: Path
    folder: Path
    provider: Path  # the sandbox's state, which outlives the runner as a real provider would
    journal: str = ""
    install: bool = False  # whether pip looks through its two steps, which takes seconds each time

    def run(
        self, name: str, event: Mapping[str, Any], *, head: str = "main", workspace: str = WORKSPACE
    ) -> Result:
        workflow = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text(encoding="utf-8"))
        result = Result()
        for job, body in workflow["jobs"].items():
            needs = [body["needs"]] if isinstance(body.get("needs"), str) else body.get("needs", [])
            context = self._context(event, result, workspace, needs)
            healthy = all(result.results[need] == "success" for need in needs)
            condition = body.get("if", "success()")
            if not evaluate(condition, context, healthy=healthy) or not (healthy or _looks_itself(condition)):
                result.results[job] = "skipped"
                continue
            result.results[job] = "success" if self._job(job, body, context, head, result) else "failure"
        return result

    def _context(
        self, event: Mapping[str, Any], result: Result, workspace: str, needs: list[str]
    ) -> dict[str, str]:
        return {
            "github.repository": "o/r",
            "github.token": "",  # no token: commenting is tried, warned about and is no failure
            "secrets.RECONCILER_JOURNAL": self.journal,
            "vars.RECONCILER_WORKSPACE": workspace,
            "runner.temp": "",
            **{f"needs.{need}.result": result.results[need] for need in needs},
            **{key: str(value) for key, value in event.items()},
        }

    def _job(
        self, job: str, body: dict[str, Any], context: dict[str, str], head: str, result: Result
    ) -> bool:
        """Run the steps of one job in a checkout of its own; true when all went well."""
        temp = self.folder / f"{job}-temp"
        checkout = self.folder / f"{job}-checkout"
        for folder in (temp, checkout):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        files = {name: temp / name.lower() for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_ENV")}
        for file in files.values():
            file.touch()
        context = {**context, "runner.temp": str(temp)}
        healthy = True
        for step in body["steps"]:
            present = {"hashFiles": lambda name, here=checkout: "a" if (here / name).exists() else ""}
            if not evaluate(step.get("if", "success()"), context, healthy=healthy, **present):
                continue
            if "uses" in step:
                self._use(step, context, checkout, head)
                continue
            if not self.install and step["run"].startswith("python -m pip "):
                continue
            environment = {
                **_clean_environment(),
                **{name: str(file) for name, file in files.items()},
                "RUNNER_TEMP": str(temp),
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_API_URL": "http://127.0.0.1:1",
                **{key: substitute(str(value), context) for key, value in step.get("env", {}).items()},
            }
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=checkout,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            result.output += f"$ {step['run']}\n{done.stdout}{done.stderr}[{done.returncode}]\n"
            healthy = healthy and done.returncode == 0
        result.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        return healthy

    def _use(self, step: dict[str, Any], context: dict[str, str], checkout: Path, head: str) -> None:
        options = {key: substitute(str(value), context) for key, value in step.get("with", {}).items()}
        match step["uses"].split("@")[0]:
            case "actions/checkout":
                git(self.repository, "clone", "-q", str(self.repository), str(checkout))
                git(checkout, "checkout", "-q", "--detach", options.get("ref", f"origin/{head}"))
                (checkout / "examples/.reconciler").symlink_to(self.provider)
            case "actions/upload-artifact":
                stored = self.folder / f"artifact-{options['name']}"
                stored.mkdir(exist_ok=True)
                for name in options["path"].split():
                    if (checkout / name).exists():  # what is not there is a warning on GitHub
                        shutil.copy(checkout / name, stored)
            case "actions/download-artifact":
                stored = self.folder / f"artifact-{options['name']}"
                if stored.exists() or not step.get("continue-on-error"):
                    shutil.copytree(stored, options["path"], dirs_exist_ok=True)
            case "actions/setup-python":
                pass  # the tests' own Python is on PATH
            case other:
                pytest.fail(f"{other} is not played here")


def substitute(text: str, context: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: str(_value(match[1], context)), text)


def evaluate(condition: str, context: Mapping[str, str], *, healthy: bool, **functions: Any) -> bool:
    """Judge an `if:` as GitHub does, for the few forms that our workflows use."""
    inner = re.fullmatch(r"\$\{\{(.*)\}\}", condition.strip(), re.DOTALL)
    state = {"success": lambda: healthy, "always": lambda: True, "cancelled": lambda: False}
    verdict = _value(inner[1] if inner else condition, context, **state, **functions)
    # A condition that does not ask for the state of the run implies success().
    return bool(verdict) and (healthy or _looks_itself(condition))


def _looks_itself(condition: str) -> bool:
    return any(f"{word}()" in condition for word in ("always", "cancelled", "success", "failure"))


def _value(expression: str, context: Mapping[str, str], **functions: Any) -> Any:
    """An expression of a workflow, read as the Python that it nearly is; only a secret may be unknown."""

    def name(match: re.Match[str]) -> str:
        word = match[0]
        return repr("" if word.startswith("secrets.") and word not in context else context[word])

    parts = re.split(r"('[^']*')", expression.strip())
    python = "".join(
        part
        if part.startswith("'")
        else re.sub(r"\b[a-z]\w*(?:\.\w+)+", name, part).replace("&&", " and ").replace("||", " or ")
        for part in parts
    )
    python = re.sub(r"!(?!=)", " not ", python).replace("\n", " ")
    return eval(python, {"__builtins__": {}}, functions)  # noqa: S307 - our own workflow files


def _clean_environment() -> dict[str, str]:
    """What a runner sets, and nothing that the person who runs the tests has set for this tool."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("RECONCILER_", "GITHUB_", "OVH_"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    # pip may look at everything and install nothing: the tests' environment has it all already.
    return {**kept, "PATH": path, "CI": "true", "PIP_DRY_RUN": "1", "PIP_NO_INPUT": "1"}


def git(folder: Path, *arguments: str) -> str:
    identity = [
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@example.invalid",
        "-c",
        "init.defaultBranch=main",
    ]
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def reconciler(folder: Path, *arguments: str, journal: str = "") -> str:
    done = subprocess.run(
        ["reconciler", *arguments],
        cwd=folder,
        env={**_clean_environment(), "RECONCILER_JOURNAL": journal},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def runner(tmp_path: Path, postgres_url: str) -> Runner:
    """The repository on `main`, the world that its tenants start from, a journal outside every job."""
    repository, jobs, provider = tmp_path / "repository", tmp_path / "jobs", tmp_path / "provider"
    for folder in (repository, jobs, provider):
        folder.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", ".reconciler")
    for place in PLACES:
        source, target = ROOT / place, repository / place
        if source.is_dir():
            shutil.copytree(source, target, ignore=unwanted)
        else:
            shutil.copy(source, target)
    shutil.rmtree(repository / "examples/tenants/microsoft")  # steps by hand
    (repository / ".gitignore").write_text(".reconciler\n__pycache__/\n", encoding="utf-8")
    git(repository, "init", "-q")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Start")
    examples = repository / "examples"
    (examples / ".reconciler").symlink_to(provider)
    reconciler(examples, "sandbox", "reset", "--world", "world.yaml")
    return Runner(repository=repository, folder=jobs, provider=provider, journal=postgres_url)


def change_a_tenant(repository: Path, *, more: int = 1) -> str:
    """Commit some seats more in the first tenant that has seats; its name."""
    for file in sorted((repository / "examples/tenants").glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        if seats := re.search(r"seats: (\d+)", text):
            file.write_text(text.replace(seats[0], f"seats: {int(seats[1]) + more}", 1), encoding="utf-8")
            git(repository, "commit", "-q", "-a", "-m", "More seats")
            return str(yaml.safe_load(text)["tenant"])
    raise AssertionError("no example tenant has seats")


def pull_request(runner: Runner, *, source: str = "o/r", author: str = "ada") -> dict[str, Any]:
    return {
        "github.event_name": "pull_request",
        "github.event.pull_request.number": 7,
        "github.event.pull_request.base.sha": git(runner.repository, "rev-parse", "main"),
        "github.event.pull_request.head.sha": git(runner.repository, "rev-parse", "change"),
        "github.event.pull_request.head.repo.full_name": source,
        "github.event.pull_request.user.login": author,
    }


def test_a_pull_request_is_validated_and_planned_and_commented(runner: Runner) -> None:
    git(runner.repository, "checkout", "-q", "-b", "change")
    tenant = change_a_tenant(runner.repository)
    runner.install = True

    result = runner.run("plan", pull_request(runner), head="change")

    expected = dict.fromkeys(("validate", "plan", "comment", "licences"), "success")
    assert result.results == expected, result.output
    assert tenant in result.summary
    assert (runner.folder / "artifact-plan/plan.json").is_file()
    assert "::warning title=No comment::" in result.output  # there is no GitHub here, and that is no failure


def test_a_fork_is_validated_and_not_planned_and_the_required_check_is_red(runner: Runner) -> None:
    git(runner.repository, "checkout", "-q", "-b", "change")
    change_a_tenant(runner.repository)

    for event in (pull_request(runner, source="stranger/r"), pull_request(runner, author="dependabot[bot]")):
        result = runner.run("plan", event, head="change")

        assert result.results == {
            "validate": "success",
            "plan": "skipped",
            "comment": "skipped",
            "licences": "failure",
        }


def test_a_plan_that_a_guard_stops_is_shown_and_the_required_check_is_red(runner: Runner) -> None:
    git(runner.repository, "checkout", "-q", "-b", "change")
    tenant = change_a_tenant(runner.repository, more=250)

    result = runner.run("plan", pull_request(runner), head="change")

    expected = {"validate": "success", "plan": "failure", "comment": "success", "licences": "failure"}
    assert result.results == expected, result.output
    assert tenant in result.summary
    assert "max_seats_per_action" in result.summary.replace("\\", "")  # Markdown escapes the underscores
    assert (runner.folder / "artifact-plan/plan.md").read_text(encoding="utf-8") in result.summary


def test_a_broken_manifest_stops_before_any_credential(runner: Runner) -> None:
    git(runner.repository, "checkout", "-q", "-b", "change")
    (runner.repository / "examples/tenants/broken.yaml").write_text(
        "version: 1\nseats: [\n", encoding="utf-8"
    )
    git(runner.repository, "add", "-A")
    git(runner.repository, "commit", "-q", "-m", "Break it")

    result = runner.run("plan", pull_request(runner), head="change")

    assert result.results == {
        "validate": "failure",
        "plan": "skipped",
        "comment": "skipped",
        "licences": "failure",
    }
    assert "broken.yaml:" in result.output


def test_main_is_applied_and_the_schedule_goes_on_until_nothing_is_left(runner: Runner) -> None:
    for tenant in ("old-mill", "print-house"):  # whose people were there before
        reconciler(runner.repository / "examples", "adopt", tenant, journal=runner.journal)
    runner.install = True

    applied = runner.run("apply", {"github.event_name": "push"})

    assert applied.results == {"apply": "success", "resume": "skipped"}, applied.output
    assert (runner.folder / "artifact-report/report.json").is_file()
    assert applied.summary

    for _ in ("the orders are delivered", "the people on the new seats are activated"):
        reconciler(runner.repository / "examples", "sandbox", "advance", "4h")
        resumed = runner.run("apply", {"github.event_name": "schedule"})
        assert resumed.results == {"apply": "skipped", "resume": "success"}, resumed.output

    again = runner.run("apply", {"github.event_name": "workflow_dispatch"})
    assert again.results == {"apply": "success", "resume": "skipped"}, again.output
    assert "Exit code 0" in again.output


def test_an_apply_without_a_journal_outside_the_runner_is_refused(runner: Runner) -> None:
    runner.journal = ""

    for event in ("push", "schedule"):
        result = runner.run("apply", {"github.event_name": event})

        assert "failure" in result.results.values()
        assert "$ reconciler" not in result.output


def test_nothing_is_applied_where_no_workspace_is_named(runner: Runner) -> None:
    for event in ("push", "schedule", "workflow_dispatch"):
        result = runner.run("apply", {"github.event_name": event}, workspace="")

        assert set(result.results.values()) == {"skipped"}
