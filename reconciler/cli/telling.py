"""What a run says on standard error while it goes on: a live line on a terminal, a heartbeat elsewhere, or JSON."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from msgspec import Struct

from reconciler.core.journal import Event
from reconciler.core.serial import instant
from reconciler.core.serial_report import event_to_dict

BEAT = 0.5  # seconds between two looks at whether it is time to say something


class Listener(Struct, frozen=True, kw_only=True):
    """Who hears what a run does.

    tell: one event. phase: what goes on now, as in "reading 40 tenants". hush: nothing more until the next
    phase, because a person is asked.
    """

    tell: Callable[[Event], None]
    phase: Callable[[str], None]
    hush: Callable[[], None]


@contextmanager
def telling(*, quiet: bool, log_json: bool, verbose: bool) -> Iterator[Listener]:
    """A listener for one run."""
    if log_json:
        yield Listener(tell=_event_line, phase=_phase_line, hush=lambda: None)
    elif quiet:
        yield Listener(tell=lambda _: None, phase=lambda _: None, hush=lambda: None)
    else:
        yield from _watching(verbose=verbose)


def _event_line(event: Event) -> None:
    click.echo(json.dumps(event_to_dict(event)), err=True)


def _phase_line(doing: str) -> None:
    click.echo(json.dumps({"at": instant(datetime.now(UTC)), "kind": "phase", "message": doing}), err=True)


def _watching(*, verbose: bool) -> Iterator[Listener]:
    from reconciler.render.options import options_for
    from reconciler.render.progress import Watcher

    live = sys.stderr.isatty()
    options = options_for(os.environ, encoding=sys.stderr.encoding, terminal=live, width=None)
    watcher = Watcher(out=sys.stderr, live=live, clock=time.monotonic, options=options, verbose=verbose)
    with watcher as shown:
        lock, stop = threading.Lock(), threading.Event()
        beating = threading.Thread(target=_beat, args=(shown.beat, lock, stop), daemon=True)
        beating.start()
        try:
            yield Listener(
                tell=_one_at_a_time(lock, shown.tell),
                phase=_one_at_a_time(lock, shown.phase),
                hush=_one_at_a_time(lock, shown.hush),
            )
        finally:
            stop.set()
            beating.join()


def _one_at_a_time(lock: threading.Lock, function: Callable[..., None]) -> Callable[..., None]:
    def locked(*arguments: object) -> None:
        with lock:
            function(*arguments)

    return locked


def _beat(beat: Callable[[], None], lock: threading.Lock, stop: threading.Event) -> None:
    """Let it speak up now and then, whatever the engine waits for."""
    while not stop.wait(BEAT):
        with lock:
            beat()
