"""The package installs: what the wheel holds is enough to run the command."""

import ast
import importlib.metadata
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def test_the_command_runs_from_an_installed_wheel(tmp_path: Path) -> None:
    target = tmp_path / "site"
    environment = {**os.environ, "PYTHONPATH": str(target)}

    options = ["--no-deps", "--no-index", "--no-build-isolation", "--target", str(target)]
    install = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", *options, ROOT],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert install.returncode == 0, install.stderr
    for command in ("reconciler", "m365-reconciler"):
        done = subprocess.run(
            [target / "bin" / command, "schema", "tenant"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        assert '"license_groups"' in done.stdout
    inside = {str(file.relative_to(ROOT)) for file in (ROOT / "reconciler").rglob("*") if file.is_file()}
    lost = {name for name in inside if "__pycache__" not in name and not (target / name).is_file()}
    assert not lost
    [notices] = target.glob("*.dist-info/licenses")
    assert {file.name for file in notices.iterdir()} == {"LICENSE", "NOTICE"}


def imported() -> set[str]:
    """The libraries that the package's own files import, by the names they are installed under."""
    provides = importlib.metadata.packages_distributions()
    modules = {
        name.partition(".")[0]
        for file in (ROOT / "reconciler").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    foreign = modules - sys.stdlib_module_names - {"reconciler", ""}
    return {canonicalize_name(provides[module][0]) for module in foreign}


def test_what_the_tool_imports_is_declared_and_nothing_else_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]

    declared = {canonicalize_name(Requirement(line).name) for line in [*project["dependencies"], *extras]}

    # pydantic's core comes with pydantic, at the one version that fits it.
    assert imported() - {"pydantic-core"} == declared
