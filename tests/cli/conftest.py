"""A workspace for each test: one tenant as written, one reseller's tenant as written, and the world of both."""

from pathlib import Path

import pytest

from tests.cli.place import ACME, RESELLER, WORKSPACE, WORLD, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.write("reconciler.yaml", WORKSPACE)
    made.write("tenants/acme.yaml", ACME)
    made.write("tenants/resell.yaml", RESELLER)
    made.world(WORLD)
    return made


@pytest.fixture
def acme(place: Place) -> Place:
    """The workspace with the one tenant alone."""
    (place.root / "tenants" / "resell.yaml").unlink()
    return place
