"""Whoever waits is told: at once what ended, after a second how far it is, every minute that it lives."""

from io import StringIO

from reconciler.core.journal import Event, Kind
from reconciler.render.options import Options
from reconciler.render.progress import Watcher
from tests.render import makers


class Clock:
    """Time that is turned by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def event(kind: Kind, action: str = "1", address: str = "group/office", **data: object) -> Event:
    return Event(kind=kind, tenant="acme", at=makers.AT, action=action, address=address, data=data)


def test_where_nobody_watches_endings_have_a_line_and_every_minute_a_heartbeat() -> None:
    out, clock = StringIO(), Clock()
    with Watcher(out=out, live=False, clock=clock) as watcher:
        watcher.phase("applying")
        watcher.tell(event(Kind.INTENDED))
        for _ in range(59):
            clock.now += 1
            watcher.beat()
        before = out.getvalue()
        clock.now += 1
        watcher.beat()
        watcher.beat()
        watcher.tell(event(Kind.FINISHED, ref="4711"))

    assert before == ""
    assert (
        out.getvalue() == "1:00 applying (1 running): acme group/office\n= done acme group/office: ref 4711\n"
    )


def test_what_is_pending_is_told_once() -> None:
    out = StringIO()
    with Watcher(out=out, live=False, clock=Clock()) as watcher:
        watcher.tell(event(Kind.ACCEPTED, ticket="4711", waiting_on="provider"))
        watcher.tell(event(Kind.ACCEPTED, ticket="4711", waiting_on="provider"))
        watcher.tell(event(Kind.FAILED, final=True, message="the order was cancelled"))

    assert out.getvalue().splitlines() == [
        "… pending acme group/office: ticket 4711",
        "x failed acme group/office: the order was cancelled",
    ]


def test_a_terminal_shows_nothing_in_the_first_second_and_then_a_live_line() -> None:
    out, clock = StringIO(), Clock()
    with Watcher(out=out, live=True, clock=clock, options=Options(width=80)) as watcher:
        watcher.phase("reading 40 tenants")
        clock.now += 0.9
        watcher.beat()
        quiet = out.getvalue()
        clock.now += 0.2
        watcher.beat()
        shown = out.getvalue()
        watcher.tell(event(Kind.FINISHED, ref="4711"))

    assert quiet == ""
    assert "0:01 reading 40 tenants" in shown
    assert "= done acme group/office: ref 4711\n" in out.getvalue()
    assert out.getvalue().endswith(("\x1b[?25h", "\x1b[2K"))  # the cursor is shown again, the line is gone


def test_events_cannot_steer_the_terminal() -> None:
    out = StringIO()
    with Watcher(out=out, live=False, clock=Clock(), options=Options(ascii=True)) as watcher:
        watcher.tell(event(Kind.FAILED, address="user/\x1b[2J", message="\u202eno\x07"))

    assert out.getvalue().isascii()
    assert "\x1b" not in out.getvalue()
