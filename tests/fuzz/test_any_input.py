"""Whatever comes in, only words come out: a few hundred strange inputs for every reader of the tool.

`python -m tests.fuzz.run` does the same for as long as it is told to, steered by what the code does with them.
"""

from __future__ import annotations

import resource
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.run import NAMES
from tests.fuzz.targets import TARGETS, violates

SLOW = {
    "adapters": 25,
    "microsoft-adapters": 25,
    "plans": 150,
    "journal": 150,
    "manifests": 150,
    "workspace": 150,
}
MEGABYTES = 400
"""By how much the process may grow while it reads."""


def test_the_long_run_knows_every_target() -> None:
    assert tuple(TARGETS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_strange_input_is_taken_or_refused_in_words(name: str) -> None:
    @settings(max_examples=SLOW.get(name, 400), suppress_health_check=list(HealthCheck))
    @given(data=st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode(errors="replace")))
    def fed(data: bytes) -> None:
        error = violates(name, data)
        if error is not None:
            raise AssertionError(f"{name} of {data.hex()}") from error

    violates(name, b"")
    before = _peak()

    fed()

    assert _peak() - before < MEGABYTES


def _peak() -> int:
    """The most memory that this process ever had, in megabytes; macOS counts bytes, Linux kilobytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)
