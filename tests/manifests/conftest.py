"""What the tests of manifests share: a workspace on disk."""

from pathlib import Path

import pytest

from tests.manifests.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
