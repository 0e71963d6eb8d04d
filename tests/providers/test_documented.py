"""The pages about providers say what the tables in the code say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/providers"


def test_the_tables_are_the_ones_in_the_code() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/providers.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_every_provider_has_a_page_with_its_table() -> None:
    for name in ("ovh-payg", "ovh-prepaid", "ovh-csp2", "partner-center", "graph", "home-pl"):
        page = (FOLDER / f"{name}.md").read_text(encoding="utf-8")

        assert f"<!-- {name}:begin -->\n| " in page
        assert "## Known traps" in page
        assert "must be allowed" in page or "rights" in page
