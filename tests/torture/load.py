"""Load: thousands of tenants in one apply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.torture.part import Lots


class Load:
    """Thousands of tenants in one apply."""

    name = "load"
    share = 1.0
    slots = 1

    def cases(self, lots: Lots, *, seconds: float) -> Iterator[str]:  # noqa: ARG002 - none yet
        """None yet."""
        return iter(())

    def attempt(self, case: str, folder: Path) -> Counter[str]:  # noqa: ARG002 - none yet
        """Try nothing."""
        return Counter()
