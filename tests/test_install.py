"""The package installs: what the wheel holds is enough to run the command."""

import os
import subprocess
import sys
from pathlib import Path

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
