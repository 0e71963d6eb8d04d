"""What happens while it happens: a live line on a terminal, a heartbeat elsewhere, a line for each ending."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TextIO

from msgspec import Struct, field

from reconciler.core.journal import Event, Kind
from reconciler.render.endings import event_parts
from reconciler.render.options import Options
from reconciler.render.page import Page, Piece
from reconciler.render.words import BY_HAND, DONE, FAILED, IN_DOUBT, PENDING, Mark, count

SOON = 1.0  # seconds before a terminal shows that something takes time
HEARTBEAT = 60.0  # seconds between two lines where nobody watches, as in CI

# What is worth a line of its own, as it happens.
_ENDINGS = {Kind.FINISHED: DONE, Kind.FAILED: FAILED, Kind.IN_DOUBT: IN_DOUBT}
_SETTLED = frozenset({Kind.FINISHED, Kind.FAILED, Kind.IN_DOUBT})


class Watcher(Struct, kw_only=True):
    """Hears events and shows how far it is. Use it in a `with`, and call `beat` now and then.

    out: standard error. live: whether it is a terminal a person watches. clock: seconds that only rise.
    verbose: every event has a line, not only endings.
    """

    out: TextIO
    live: bool
    clock: Callable[[], float]
    options: Options = field(default_factory=Options)
    verbose: bool = False
    _hushed: bool = False
    _doing: str = "working"
    _running: dict[str, str] = field(default_factory=dict)
    _waiting: set[str] = field(default_factory=set)
    _ended: int = 0
    _began: float = 0.0
    _spoke: float = 0.0
    _line: Any = None

    def __enter__(self) -> Self:
        self._began = self._spoke = self.clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hush()

    def hush(self) -> None:
        """Say nothing more until the next phase."""
        self._hushed = True
        if self._line is not None:
            self._line.stop()
            self._line = None

    def phase(self, doing: str) -> None:
        """Say what goes on now, as in "reading 40 tenants"."""
        self._doing = doing
        self._hushed = False
        if self.verbose:
            self._say(doing)
        self.beat()

    def tell(self, event: Event) -> None:
        """Hear one event; the engine gets this function and nothing else."""
        key = f"{event.tenant} {event.address}".strip()
        if event.kind is Kind.INTENDED:
            self._running[event.action] = key
        if event.kind in _SETTLED:
            self._running.pop(event.action, None)
            self._waiting.discard(event.action)
            self._ended += 1
        mark = _ENDINGS.get(event.kind)
        if event.kind is Kind.ACCEPTED and event.action not in self._waiting:
            self._running.pop(event.action, None)
            self._waiting.add(event.action)
            mark = BY_HAND if event.data.get("waiting_on") == "person" else PENDING
        if mark is not None:
            self._say(self._spell(mark, key, _told(event)))
        elif self.verbose:
            self._say(": ".join(part for part in (f"  {event.kind.value} {key}", _told(event)) if part))
        self.beat()

    def beat(self) -> None:
        """Let time pass: redraw the live line, or print a heartbeat when the last word was long ago."""
        if self._hushed:
            return
        now = self.clock()
        if self.live:
            if self._line is None and now - self._began >= SOON:
                self._line = self._start()
            if self._line is not None:
                self._line.update(self._rich(self._state()), refresh=True)
        elif now - self._spoke >= HEARTBEAT:
            self._say(self._state())

    def _state(self) -> str:
        minutes, seconds = divmod(int(self.clock() - self._began), 60)
        parts = [f"{self._ended} ended"] if self._ended else []
        parts += [f"{len(self._running)} running"] if self._running else []
        parts += [f"{count(len(self._waiting), 'action')} pending"] if self._waiting else []
        latest = next(reversed(self._running.values()), "")
        where = f": {latest}" if latest else ""
        said = f" ({', '.join(parts)})" if parts else ""
        return f"{minutes}:{seconds:02} {self._doing}{said}{where}"

    def _spell(self, mark: Mark, key: str, told: str) -> str:
        return f"{mark.symbol} {mark.legend} {key}{f': {told}' if told else ''}"

    def _say(self, text: str) -> None:
        """A line that stays; above the live one, when there is one."""
        self._spoke = self.clock()
        page = Page(self.options)
        page.line(Piece(text))
        if self._line is not None:
            self._line.console.print(page.text(), end="", markup=False, highlight=False, soft_wrap=True)
            return
        self.out.write(page.text())
        self.out.flush()

    def _rich(self, text: str) -> Any:
        from rich.text import Text

        page = Page(self.options)
        page.line(Piece(text))
        return Text(page.text().rstrip("\n"), no_wrap=True, overflow="ellipsis")

    def _start(self) -> Any:
        """The live line; drawn only when told, so that no thread runs."""
        from rich.console import Console
        from rich.live import Live

        console = Console(
            file=self.out, force_terminal=True, width=self.options.width, no_color=not self.options.color
        )
        line = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        line.start()
        return line


def _told(event: Event) -> str:
    return "; ".join(part for part in event_parts(event) if part)
