"""The table of codes and the code that uses them say the same; every example is refused and put right as it says."""

import re
from pathlib import Path

import pytest

from reconciler.core.codes import CODES
from reconciler.core.examples import EXAMPLES
from tests.manifests.place import WORKSPACE, Place

PACKAGE = Path(__file__).parents[2] / "reconciler"
CODE = re.compile(r"RC\d{4}")
TENANT = "version: 1\ntenant: acme\nprovider: ovh-prepaid\naccount: ovh-main\n"


def test_every_code_is_explained_and_every_explanation_is_used() -> None:
    used = {
        code
        for file in PACKAGE.rglob("*.py")
        if file.name not in {"codes.py", "examples.py"} and file.parts[-2:] != ("cli", "explain.py")
        for code in CODE.findall(file.read_text(encoding="utf-8"))
    }

    assert used == CODES.keys()


def test_every_code_says_why_and_what_to_do() -> None:
    assert all(all(code) for code in CODES.values())


def _file(base: str, lines: str) -> str:
    """A file whose top keys are those of an example, and the others as usual."""
    mine = set(re.findall(r"^(\w+):", lines, re.MULTILINE))
    kept = re.findall(r"^(\w+):(.*\n(?:[ -].*\n)*)", base, re.MULTILINE)
    return "".join(f"{key}:{rest}" for key, rest in kept if key not in mine) + lines


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_is_refused_with_its_code_and_right_as_it_says(code: str, place: Place) -> None:
    example = EXAMPLES[code]
    assert code in CODES
    name, base = ("tenants/acme.yaml", TENANT) if example.file == "tenant" else ("reconciler.yaml", WORKSPACE)

    place.write(name, _file(base, example.wrong))
    wrong = [found.code for found in place.load().diagnostics]
    place.write(name, _file(base, example.right))
    right = [found.code for found in place.load().diagnostics]

    assert code in wrong
    assert right == []
