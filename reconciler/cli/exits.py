"""What exit code an error has."""

from __future__ import annotations

from reconciler.core.errors import GuardError, LeaseHeldError, ReconcilerError, StalePlanError, UsageError

EXITS: tuple[tuple[type[ReconcilerError], int], ...] = (
    (UsageError, 64),
    (GuardError, 5),
    (StalePlanError, 6),
    (LeaseHeldError, 7),
    (ReconcilerError, 1),
)


def exit_of(error: ReconcilerError) -> int:
    """The exit code of a command that an error ended."""
    return next(number for kind, number in EXITS if isinstance(error, kind))
