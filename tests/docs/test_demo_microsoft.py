"""The demo of Microsoft's APIs goes from nothing to no changes, with what people do in between."""

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unmeasured

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "scripts/demo-microsoft"


def test_the_tenants_at_microsoft_and_by_hand_end_with_nothing_left_to_do() -> None:
    done = subprocess.run(
        [DEMO], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=300
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("No changes. Everything is as the manifests say.")
    assert "customer of tenant/customer is created: the directory comes with it" in done.stdout
    assert "once done:  reconciler confirm rila-books tenant/key/office/RILA_BOOKS_KEY" in done.stdout


def test_it_can_be_started() -> None:
    assert os.access(DEMO, os.X_OK)
