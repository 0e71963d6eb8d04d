"""Standard output and standard error that stop no work: what cannot be written there is told at the end."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import Any, TextIO

from reconciler.core.errors import ReconcilerError


class Outlet(io.FileIO):
    """A stream of the process that takes all it is given; `lost` says why some of it went nowhere."""

    lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write as much as can be: a full disk must not end an apply between two steps.

        Who shares the stream may have said that nobody is to wait for its reader; we wait all the same.
        """
        try:
            while (written := self._taken(data)) is None:
                select.select((), (self,), ())
        except OSError as error:
            self.lost = self.lost or error
            return memoryview(data).nbytes
        return written

    def _taken(self, data: Any) -> int | None:
        return super().write(data)


def lasting() -> None:
    """Let nothing that is printed from here on raise.

    A stream that the caller closed leads nowhere: no file that is opened later, the journal least of all, may take
    its number and be printed into.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout, sys.stderr = _outlet(1, sys.stdout), _outlet(2, sys.stderr)


def _outlet(number: int, usual: TextIO | None) -> TextIO:
    raw = io.BufferedWriter(Outlet(number, "w", closefd=False))
    if not isinstance(usual, io.TextIOWrapper):
        return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace")
    return io.TextIOWrapper(
        raw,
        encoding=usual.encoding,
        errors=usual.errors,
        line_buffering=usual.line_buffering or usual.write_through,  # else the buffer below would keep it
        write_through=usual.write_through,
    )


def lost() -> OSError | None:
    """Why something on standard output went nowhere; None where nothing did."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.lost if isinstance(raw, Outlet) else None


def settled(code: int) -> int:
    """The exit code of a command, after its output: 1 where that was lost, unless the command's own is worse.

    A reader who has gone, as `head` does, wants no more: then the command's own stands.
    """
    sys.stdout.flush()
    error = lost()
    if error is None or isinstance(error, BrokenPipeError):
        return code
    from reconciler.cli.options import wants_json
    from reconciler.cli.output import complain
    from reconciler.core.report import WORST_FIRST, worst

    complain(_unwritten(error), as_json=wants_json(None))
    return worst({code, 1}) if code in WORST_FIRST else code


def _unwritten(error: OSError) -> ReconcilerError:
    return ReconcilerError(
        f"the output could not be written: {error.strerror}",
        hint="make room or print elsewhere, and ask again; what was done stands, and `reconciler status` tells it",
        code="unwritten",
    )
