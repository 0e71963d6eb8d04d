"""PostgreSQL for the kills: one server a run, whose address every worker finds in a variable."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests import postgres

VARIABLE = "TORTURE_POSTGRES"


def there() -> bool:
    """Whether journals can be on PostgreSQL."""
    return VARIABLE in os.environ


@contextmanager
def serving() -> Iterator[None]:
    """Run a server meanwhile, where one is installed."""
    programs = postgres.binaries()
    if programs is None:
        yield
        return
    with postgres.serving(programs) as url:
        os.environ[VARIABLE] = url
        try:
            yield
        finally:
            del os.environ[VARIABLE]


@contextmanager
def database() -> Iterator[str]:
    """The URL of an empty database; RuntimeError where there is no server."""
    if not there():
        raise RuntimeError("there is no PostgreSQL server (Debian: apt-get install postgresql)")
    with postgres.database(os.environ[VARIABLE]) as url:
        yield url
