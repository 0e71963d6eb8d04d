"""Everything that may wait packed does so, however little it is: limits of a test, at nought."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.engine import read
from reconciler.providers.ovh import expected
from reconciler.providers.ovh.prepaid import seats
from reconciler.store.manifests import load


@contextmanager
def all_packed() -> Iterator[None]:
    """Let nothing stay at hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "__kwdefaults__", {**(load.__kwdefaults__ or {}), "at_hand": 0})
        patch.setattr(seats, "AT_HAND", 0)
        patch.setattr(seats, "WORKED_ON", 0)
        patch.setattr(expected, "AT_HAND", 0)
        patch.setattr(read, "AT_HAND", -1)
        patch.setattr(read, "PORTION", 1)
        yield
