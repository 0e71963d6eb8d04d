"""`python -m reconciler`, and what the installed commands call."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn

from reconciler.cli.main import main
from reconciler.cli.outlet import lasting, settled


def run() -> NoReturn:
    """Run the command line and end the process.

    Python would first take apart every module and value, which takes as long as planning a tenant does. What has to
    be closed is closed by now, and what wants to be called at the end is called.
    """
    lasting()
    try:
        main()
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        code = settled(ended.code)
        if threading.active_count() == 1:
            atexit._run_exitfuncs()  # noqa: SLF001 - there is no other name for it
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        sys.exit(code)


if __name__ == "__main__":
    run()
