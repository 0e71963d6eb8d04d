"""`python -m reconciler`, and what the installed commands call."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

from reconciler.cli.main import main


def run() -> NoReturn:
    """Run the command line and end the process.

    Python would first take apart every module and value, which takes as long as planning a tenant does. What has to
    be closed is closed by now, and what wants to be called at the end is called.
    """
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, int) and threading.active_count() == 1:
            with suppress(
                OSError, ValueError
            ):  # nobody reads our output any more: Python's own end is right then
                atexit._run_exitfuncs()  # noqa: SLF001 - there is no other name for it
                for out in (sys.stdout, sys.stderr):
                    if out is not None:  # as it is where the caller closed it
                        out.flush()
                os._exit(ended.code)
        raise


if __name__ == "__main__":
    run()
