"""What a run says on standard error while it goes on: a live line on a terminal, a heartbeat elsewhere, or JSON."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from reconciler.core.journal import Event
from reconciler.core.serial_report import event_to_dict


@contextmanager
def telling(*, quiet: bool, log_json: bool, verbose: bool) -> Iterator[Callable[[Event], None]]:
    """A listener for the events of one run."""
    del verbose
    if log_json:
        yield lambda event: click.echo(json.dumps(event_to_dict(event)), err=True)
        return
    if quiet:
        yield lambda _event: None
        return
    from reconciler.render.options import options_for
    from reconciler.render.progress import Watcher

    live = sys.stderr.isatty()
    options = options_for(os.environ, encoding=sys.stderr.encoding, terminal=live, width=None)
    with Watcher(out=sys.stderr, live=live, clock=time.monotonic, options=options) as shown:
        stop = threading.Event()
        beating = threading.Thread(target=_beat, args=(shown.beat, stop), daemon=True)
        beating.start()
        try:
            yield shown.tell
        finally:
            stop.set()
            beating.join()


def _beat(beat: Callable[[], None], stop: threading.Event) -> None:
    """Let it speak up now and then, whatever the engine waits for."""
    while not stop.wait(0.5):
        beat()
