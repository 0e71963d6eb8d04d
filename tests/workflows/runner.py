"""A GitHub runner in small: reads a workflow, checks out a commit for each job, executes every `run:` as it stands.

Only `uses:` is played here (a clone, a copy of files, our own composite action).
"""

from __future__ import annotations

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
INSTALLED: set[str] = set()
"""What pip was asked for and found: it takes seconds to find it again."""

STATES = ("always", "cancelled", "success", "failure")


@dataclass
class Result:
    """How the jobs of one run ended, what they showed, what they handed over."""

    results: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    environments: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    output: str = ""


@dataclass
class Runner:
    """origin: the repository. folder: where jobs work. sandbox: the provider's file, which outlives every runner.

    env: what the platform sets for every step, besides what a workflow says.
    """

    origin: Path
    folder: Path
    sandbox: Path
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    workspace: str = "."

    def run(
        self,
        file: Path,
        event: Mapping[str, Any],
        *,
        head: str = "main",
        before: Mapping[str, dict[str, str]] | None = None,
    ) -> Result:
        """before: jobs that went well in an earlier attempt, with their outputs; they are not run again."""
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        result = Result()
        for job, body in workflow["jobs"].items():
            if before and job in before:
                result.results[job], result.outputs[job] = "success", before[job]
                continue
            needs = [body["needs"]] if isinstance(body.get("needs"), str) else body.get("needs", [])
            context = self._context(event, result, needs, body, workflow)
            healthy = all(result.results[need] == "success" for need in needs)
            if not evaluate(body.get("if", "success()"), context, healthy=healthy):
                result.results[job] = "skipped"
                result.outputs[job] = {}
                continue
            result.environments[job] = substitute(str(body.get("environment", "")), context)
            good = self._job(job, body, context, head, result)
            result.results[job] = "success" if good else "failure"
        return result

    def _context(
        self,
        event: Mapping[str, Any],
        result: Result,
        needs: list[str],
        body: dict[str, Any],
        workflow: dict[str, Any],
    ) -> dict[str, str]:
        known = {
            "github.repository": "o/r",
            "github.server_url": "https://github.example",
            "github.token": self.env.get("GH_TOKEN", "none"),
            **{f"secrets.{name}": value for name, value in self.secrets.items()},
            **{f"vars.{name}": value for name, value in self.variables.items()},
            **{f"needs.{need}.result": result.results[need] for need in needs},
            **{
                f"needs.{need}.outputs.{name}": value
                for need in needs
                for name, value in result.outputs[need].items()
            },
            **{key: str(value) for key, value in event.items()},
        }
        for name, value in {**workflow.get("env", {}), **body.get("env", {})}.items():
            known[f"env.{name}"] = substitute(str(value), known)
        return known

    def _job(
        self, job: str, body: dict[str, Any], context: dict[str, str], head: str, result: Result
    ) -> bool:
        """Execute the steps of one job in a checkout of its own; true when all went well."""
        temp, checkout = self.folder / f"{job}-temp", self.folder / f"{job}-checkout"
        temp.mkdir()
        checkout.mkdir()
        context = {**context, "runner.temp": str(temp)}
        done = Steps(self, context, checkout, temp, head, result)
        good = done.all(body["steps"])
        result.outputs[job] = {
            name: substitute(str(value), done.context) for name, value in body.get("outputs", {}).items()
        }
        return good


@dataclass
class Steps:
    """The steps of one job, or of one composite action within it."""

    runner: Runner
    context: dict[str, str]
    checkout: Path
    temp: Path
    head: str
    result: Result

    def all(self, steps: list[dict[str, Any]]) -> bool:
        healthy = True
        for step in steps:
            if not evaluate(step.get("if", "success()"), self.context, healthy=healthy):
                continue
            good = self._use(step) if "uses" in step else self._execute(step)
            healthy = healthy and (good or bool(step.get("continue-on-error")))
        return healthy

    def _execute(self, step: dict[str, Any]) -> bool:
        if step["run"] in INSTALLED:
            self.result.output += f"$ {step['run']}\n[executed before]\n"
            return True
        files = {name: self.temp / name.lower() for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        shared = {
            name.removeprefix("env."): value
            for name, value in self.context.items()
            if name.startswith("env.")
        }
        own = {name: substitute(str(value), self.context) for name, value in step.get("env", {}).items()}
        environment = {
            **clean_environment(),
            **{name: value for name, value in self.runner.env.items() if name != "GH_TOKEN"},
            **{name: str(file) for name, file in files.items()},
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ACTION_PATH": self.context.get("github.action_path", ""),
            **shared,
            **own,
        }
        folder = self.checkout / self.runner.workspace
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=folder if folder.exists() else self.checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        self.result.output += f"$ {step['run']}\n{done.stdout}{done.stderr}[{done.returncode}]\n"
        self.result.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        for line in files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            self.context[f"steps.{step.get('id', 'nameless')}.outputs.{name}"] = value
        if done.returncode == 0 and step["run"].startswith("python -m pip "):
            INSTALLED.add(step["run"])
        return done.returncode == 0

    def _use(self, step: dict[str, Any]) -> bool:
        options = {key: substitute(str(value), self.context) for key, value in step.get("with", {}).items()}
        match step["uses"].split("@")[0]:
            case "actions/checkout":
                assert options["persist-credentials"] == "False"
                check_out(self.runner.origin, self.checkout, options.get("ref", f"origin/{self.head}"))
                lend(self.runner.sandbox, self.checkout / self.runner.workspace)
            case "actions/upload-artifact":
                stored = self.runner.folder / f"artifact-{options['name']}"
                stored.mkdir(exist_ok=True)
                for name in options["path"].split():
                    if (self.checkout / name).exists():  # what is not there is a warning on GitHub
                        shutil.copy(self.checkout / name, stored)
            case "actions/download-artifact":
                stored = self.runner.folder / f"artifact-{options['name']}"
                if not stored.exists() or not any(stored.iterdir()):
                    return False
                shutil.copytree(stored, options["path"], dirs_exist_ok=True)
            case "actions/setup-python":
                pass  # the tests' own Python is on PATH
            case "./":
                return self._composite(ROOT / "action.yml", step.get("id", "nameless"), options)
            case other:
                pytest.fail(f"{other} is not played here")
        return True

    def _composite(self, file: Path, name: str, options: dict[str, str]) -> bool:
        action = yaml.safe_load(file.read_text(encoding="utf-8"))
        inputs = {key: str(one.get("default", "")) for key, one in action["inputs"].items()}
        known = {
            **{
                key: value
                for key, value in self.context.items()
                if not key.startswith(("steps.", "secrets."))
            },
            **{f"inputs.{key}": value for key, value in {**inputs, **options}.items()},
            "github.action_path": str(ROOT),
        }
        inner = Steps(self.runner, known, self.checkout, self.temp, self.head, self.result)
        good = inner.all(action["runs"]["steps"])
        for key, one in action["outputs"].items():
            self.context[f"steps.{name}.outputs.{key}"] = substitute(one["value"], inner.context)
        return good


def substitute(text: str, context: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: str(value_of(match[1], context)), text)


def evaluate(condition: object, context: Mapping[str, str], *, healthy: bool) -> bool:
    """Judge an `if:` as GitHub does, for the few forms that our workflows use."""
    text = str(condition)
    inner = re.fullmatch(r"\$\{\{(.*)\}\}", text.strip(), re.DOTALL)
    state = {
        "success": lambda: healthy,
        "failure": lambda: not healthy,
        "always": lambda: True,
        "cancelled": lambda: False,
    }
    verdict = value_of(inner[1] if inner else text, context, **state)
    # A condition that does not ask for the state of the run implies success().
    return bool(verdict) and (healthy or any(f"{word}()" in text for word in STATES))


UNKNOWN = ("secrets.", "vars.", "github.event.", "needs.", "steps.", "inputs.")
"""What is empty when it is not there, as on GitHub; everything else that is not known is a mistake of ours."""


def value_of(expression: str, context: Mapping[str, str], **functions: Any) -> Any:
    """An expression of a workflow, read as the Python that it nearly is."""

    def name(match: re.Match[str]) -> str:
        word = match[0]
        return repr(context[word] if word in context or not word.startswith(UNKNOWN) else "")

    parts = re.split(r"('[^']*')", expression.strip())
    python = "".join(
        part
        if part.startswith("'")
        else re.sub(r"\b[a-z]\w*(?:\.[\w-]+)+", name, part).replace("&&", " and ").replace("||", " or ")
        for part in parts
    )
    python = re.sub(r"!(?!=)", " not ", python).replace("\n", " ")
    return eval(python, {"__builtins__": {}}, functions)  # noqa: S307 - our own workflow files


def clean_environment() -> dict[str, str]:
    """What a runner sets, and nothing that the person who runs the tests has set for this tool."""
    foreign = ("RECONCILER_", "GITHUB_", "GITLAB_", "GH_", "CI_", "OVH_", "LICENCES")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    # pip may look at everything and fetch nothing: the tests' environment has it all already.
    quiet = {
        "PIP_DRY_RUN": "1",
        "PIP_NO_INPUT": "1",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    return {**kept, "PATH": path, "CI": "true", **quiet}


def check_out(origin: Path, folder: Path, ref: str) -> None:
    git(origin, "clone", "-q", str(origin), str(folder))
    git(folder, "checkout", "-q", "--detach", ref)


def lend(sandbox: Path, folder: Path) -> None:
    """Reach the provider from a checkout: nothing but its own file is shared between jobs."""
    (folder / ".reconciler").mkdir(exist_ok=True)
    (folder / ".reconciler/sandbox.db").symlink_to(sandbox)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    done = subprocess.run(
        ["git", *identity, "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
