"""How a bug is shown: with its trace, and without the credentials that its words may repeat."""

from __future__ import annotations

import logging
import traceback

from reconciler.store.secrets import hidden


class _Hiding(logging.Formatter):
    """A log line in which no credential stands."""

    def format(self, record: logging.LogRecord) -> str:
        return hidden(super().format(record))


def listen() -> None:
    """Let what the engine logs of a fault go to standard error as usual, credentials hidden."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Hiding())


def trace() -> str:
    """The trace of the error that is being handled."""
    return hidden(traceback.format_exc())
