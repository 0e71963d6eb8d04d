"""The project's own shell: the lock file is whole, scripts parse, and nothing is skipped in CI unnoticed."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
RUN_LOCK = (ROOT / "requirements-run.lock").read_text(encoding="utf-8")
SHELL_SCRIPTS = [
    *(ROOT / ".ci").iterdir(),
    *(file for file in sorted((ROOT / "scripts").iterdir()) if file.is_file() and not file.suffix),
]


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for: the tool, its extras, the developers' group and the build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    lines = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(line for extra in extras.values() for line in extra),
        *project["dependency-groups"]["dev"],
    ]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_what_the_project_asks_for_is_locked(requirement: Requirement) -> None:
    pins = re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE)

    # Several where one version has no wheels for every Python.
    versions = [version for name, version in pins if name == canonicalize_name(requirement.name)]

    assert versions, f"{requirement} is not in requirements.lock: run scripts/lock"
    assert any(requirement.specifier.contains(one) for one in versions), f"{requirement}, locked {versions}"


@pytest.mark.parametrize("lock", [LOCK, RUN_LOCK], ids=["all", "run"])
def test_a_lock_file_has_hashes_and_names_no_index(lock: str) -> None:
    pins = re.findall(r"^[\w.-]+==.*(?:\n    --hash=sha256:[0-9a-f]{64}.*)+", lock, re.MULTILINE)

    assert len(pins) == len(re.findall(r"^[\w.-]+==", lock, re.MULTILINE)) > 30
    assert "://" not in lock
    assert not re.search(r"^\s*--(?!hash)", lock, re.MULTILINE)


def locked(lock: str) -> dict[str, set[str]]:
    """The hashes of each version that is locked."""
    found = re.findall(r"^([\w.-]+==\S+)(.*(?:\n    --hash=\S+.*)+)", lock, re.MULTILINE)
    return {pin: set(re.findall(r"sha256:\w+", hashes)) for pin, hashes in found}


def test_what_runs_with_credentials_is_what_was_tested_without_the_tests_tools() -> None:
    run, everything = locked(RUN_LOCK), locked(LOCK)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {pin.partition("==")[0] for pin in run}
    asked = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["postgres"]]

    assert run.items() <= everything.items()
    assert names >= {canonicalize_name(Requirement(line).name) for line in asked} | {"hatchling"}
    assert not names & {"pytest", "playwright", "mypy", "ovh", "requests", "zizmor"}


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda file: str(file.name))
def test_a_script_parses_stops_at_the_first_error_and_can_be_run(script: Path) -> None:
    text = script.read_text(encoding="utf-8")

    parsed = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)

    assert parsed.returncode == 0, parsed.stderr
    assert text.startswith("#!/usr/bin/env bash\n# ")
    assert "set -euo pipefail" in text
    assert os.access(script, os.X_OK)


def run_a_skipping_test(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "tests/conftest.py", folder)
    (folder / "test_it.py").write_text(
        "import pytest\n\ndef test_it(): pytest.skip('no such machine')\n\ndef test_other(): pass\n",
        encoding="utf-8",
    )
    kept = {key: value for key, value in os.environ.items() if key not in {"CI", "PYTEST_XDIST_WORKER"}}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_skipped_test_fails_the_run_in_ci(tmp_path: Path) -> None:
    result = run_a_skipping_test(tmp_path, CI="true")

    assert result.returncode == 1
    assert "test_it.py::test_it" in result.stdout
    assert "no such machine" in result.stdout


def test_a_skipped_test_is_no_failure_elsewhere(tmp_path: Path) -> None:
    assert run_a_skipping_test(tmp_path).returncode == 0


def test_project_linter_and_setup_agree_on_the_oldest_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["requires-python"] == ">=3.11"
    assert project["tool"]["ruff"]["target-version"] == "py311"
    assert "(3, 11)" in (ROOT / "scripts/setup").read_text(encoding="utf-8")
