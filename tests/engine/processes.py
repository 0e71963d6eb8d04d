"""Real processes of the tool: a new interpreter, or a fork of this one, which starts in a tenth of the time.

Both live and die as processes do. A fork can also be told to kill itself with SIGKILL right before or after
the n-th call of a function, which nobody could hit from outside.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import NoReturn, Protocol

from reconciler.cli.main import main

ORPHANED = 71
"""How a fork ends whose parent is gone."""


class Child(Protocol):
    """A process that was started; `Popen` is one."""

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; gives the exit code, negative for a signal."""
        ...

    def send_signal(self, sign: int, /) -> None:
        """Send a signal."""
        ...

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a process is started, and the files that take what it says."""

    cwd: Path
    env: Mapping[str, str]
    out: Path
    err: Path


def spawned(words: Sequence[str], place: Place) -> Child:
    """Start the tool in an interpreter of its own."""
    with place.out.open("wb") as out, place.err.open("wb") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", *words],
            cwd=place.cwd,
            env=place.env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """When a process kills itself: around the n-th call of one of some functions.

    counts: whether a call counts, seen from inside it.
    """

    codes: frozenset[CodeType]
    nth: int
    after: bool
    counts: Callable[[FrameType], bool] = lambda _frame: True


def forked(words: Sequence[str], place: Place, *, death: Death | None = None) -> Child:
    """Start the tool in a fork of this process, which must have no other thread."""
    for file in (place.out, place.err):
        file.touch(mode=0o600)  # it may be killed before it comes to that
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        threading.Thread(target=_end_with, args=[parent], daemon=True).start()
        _live(words, place, death)
    return _Forked(pid)


class _Forked:
    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        until = time.monotonic() + (timeout if timeout is not None else float("inf"))
        pause = 0.001
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            time.sleep(pause)
            pause = min(0.02, pause * 1.5)
        return code

    def send_signal(self, sign: int, /) -> None:
        if self.poll() is None:
            os.kill(self.pid, sign)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _live(words: Sequence[str], place: Place, death: Death | None) -> NoReturn:
    """What a fork does from its first moment to its last."""
    code = 70
    try:
        _settle_in(place)
        sys.argv = ["reconciler", *words]
        if death is not None:
            _doom(death)
        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 - a fork may never come back as its parent
        traceback.print_exc()
    finally:
        sys.setprofile(None)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_with(parent: int) -> None:
    """Outlive nobody: who is killed leaves no server behind."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(ORPHANED)


def _settle_in(place: Place) -> None:
    os.chdir(place.cwd)
    os.environ.clear()
    os.environ.update(place.env)
    for file, number in ((Path(os.devnull), 0), (place.out, 1), (place.err, 2)):
        opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the process' own, to its end
    sys.stdout = open(1, "w", closefd=False, buffering=1)  # noqa: SIM115 - same
    sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115 - same
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _doom(death: Death) -> None:
    seen = 0
    moment = "return" if death.after else "call"

    def watch(frame: FrameType, event: str, _value: object) -> None:
        nonlocal seen
        if event == moment and frame.f_code in death.codes and death.counts(frame):
            seen += 1
            if seen == death.nth:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
