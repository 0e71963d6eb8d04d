"""The workspace of tests/cli, for the commands that the hooks run."""

from pathlib import Path

import pytest

from tests.cli.place import ACME, RESELLER, WORKSPACE, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.write("reconciler.yaml", WORKSPACE)
    made.write("tenants/acme.yaml", ACME)
    made.write("tenants/resell.yaml", RESELLER)
    return made
