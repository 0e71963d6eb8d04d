"""What the README shows is what the demo does, and the two commands it opens with are there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unmeasured

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_shows_what_the_demo_really_prints() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/readme.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_opens_with_what_it_does_and_two_commands() -> None:
    opening = README.partition("<!-- demo:begin -->")[0]

    for script in ("scripts/demo", "scripts/test"):
        assert script in opening
        assert os.access(ROOT / script, os.X_OK)
