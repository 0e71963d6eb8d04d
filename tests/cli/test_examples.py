"""The examples are right: offline, in form, and under the published schemas."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.place import Place

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture
def examples(tmp_path: Path) -> Place:
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns(".reconciler"))
    return Place(tmp_path / "examples")


def test_they_are_valid(examples: Place) -> None:
    done = examples.run("validate")

    assert (done.code, done.out) == (
        0,
        f"{len(list(EXAMPLES.glob('tenants/**/*.yaml')))} tenants, no errors\n",
    )


def test_they_are_in_canonical_form(examples: Place) -> None:
    assert examples.run("fmt --check").code == 0


@pytest.mark.parametrize(
    ("schema", "files"),
    [("tenant", sorted(EXAMPLES.glob("tenants/**/*.yaml"))), ("workspace", [EXAMPLES / "reconciler.yaml"])],
)
def test_another_checker_accepts_them_under_the_published_schemas(schema: str, files: list[Path]) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--no-cache",
            "--schemafile",
            ROOT / f"schemas/{schema}.schema.json",
            *files,
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_editor_finds_their_schemas(examples: Place) -> None:
    for file in [*EXAMPLES.glob("tenants/**/*.yaml"), EXAMPLES / "reconciler.yaml"]:
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert (file.parent / first.partition("$schema=")[2]).is_file(), file
    assert examples.root.name == "examples"
