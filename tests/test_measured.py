"""What is marked `unmeasured` is not traced, nor are its processes; what comes after it is."""

import subprocess
import sys
from pathlib import Path

from coverage import CoverageData

ROOT = Path(__file__).parents[1]

TOOL = """\
def first():
    return 1

def second():
    return 2

def third():
    return 3
"""
TESTS = """\
import subprocess, sys
import pytest
import tool

def process(name):
    subprocess.run([sys.executable, "-c", f"import tool; tool.{name}()"], check=True)

def test_before():
    tool.first()

@pytest.mark.unmeasured
def test_marked():
    tool.second()
    process("second")

def test_after():
    process("third")
"""
SETTINGS = """\
[run]
source = .
omit = test_*
parallel = true
patch = subprocess
"""


def test_only_what_is_marked_is_left_out(tmp_path: Path) -> None:
    for name, text in (("tool.py", TOOL), ("test_tool.py", TESTS), (".coveragerc", SETTINGS)):
        (tmp_path / name).write_text(text)
    plain = ["-p", "no:cacheprovider", "-p", "tests.conftest", "-p", "no:hypothesispytest"]
    clean = [
        "env",
        "-u",
        "COVERAGE_PROCESS_CONFIG",
        "-u",
        "COVERAGE_FILE",
        "-u",
        "PYTEST_ADDOPTS",
        "-u",
        "CI",
        f"PYTHONPATH={ROOT}:.",
    ]

    done = subprocess.run(
        [*clean, sys.executable, "-m", "coverage", "run", "-m", "pytest", *plain, "test_tool.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    lines = set[int]()
    for file in tmp_path.glob(".coverage.*"):
        data = CoverageData(str(file))
        data.read()
        lines |= set(data.lines(str(tmp_path / "tool.py")) or ())
    assert {2, 8} <= lines
    assert 5 not in lines
