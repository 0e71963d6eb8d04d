"""What a run says on standard error while it goes on: a live line on a terminal, a heartbeat elsewhere, or JSON."""

from __future__ import annotations

import json
import sys
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
    from reconciler.render.progress import Progress

    with Progress(stream=sys.stderr) as shown:
        yield shown.tell
