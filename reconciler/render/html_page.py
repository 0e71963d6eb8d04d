"""What pages are made of, and the template they fill: no script, nothing fetched, one policy that allows one style."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from msgspec import Struct

from reconciler.core.plan import Status
from reconciler.render import words
from reconciler.render.escape import clean
from reconciler.render.words import Mark

MOST = 300
"""Rows of a table over all tenants; what comes after is counted."""

TONES = {
    words.ORDER: "good",
    words.DONE: "good",
    words.CHANGE: "info",
    words.TAKE: "bad",
    words.LATER: "info",
    words.BY_HAND: "warn",
    words.PENDING: "info",
    words.BLOCKED: "bad",
    words.IN_DOUBT: "bad",
    words.FAILED: "bad",
}


class Chip(Struct, frozen=True):
    """A word with its symbol; the tone is a colour, which says nothing that the word does not."""

    symbol: str
    word: str
    tone: str = "soft"


HOLD = Chip("‖", "on hold", "warn")
SANDBOX = Chip("i", words.SANDBOX, "info")
LIMIT = Chip("x", "over a limit", "bad")
OVERDUE = Chip("‼", "overdue", "warn")
STATUSES = {
    Status.ERROR: Chip("x", "error", "bad"),
    Status.IN_DOUBT: Chip("‼", "in doubt", "bad"),
    Status.BLOCKED: Chip("x", "blocked", "bad"),
    Status.PENDING: Chip("…", "pending", "info"),
    Status.CHANGES: Chip("~", "changes", "warn"),
    Status.IN_SYNC: Chip("=", "in sync", "good"),
}


class Part(Struct, frozen=True, kw_only=True):
    """A piece of a bar, in hundredths of it; `style` names its drawing."""

    style: str
    start: float
    width: float


class Cell(Struct, frozen=True, kw_only=True):
    """A place of a table: whatever of this it has, in this order.

    code: a name, as it is written; href: where in the page it leads. more: smaller lines below.
    links: contracts, name and address. steps: what a person does. bar: drawn beside its own words.
    number: it stands to the right. short: a word of ours or a moment, which is not broken.
    """

    chips: tuple[Chip, ...] = ()
    code: str = ""
    href: str = ""
    text: str = ""
    bar: tuple[Part, ...] = ()
    more: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    steps: str = ""
    number: bool = False
    short: bool = False


class Table(Struct, frozen=True, kw_only=True):
    """Rows under column heads; the first cell of a row names it. `after`: what of it is not shown."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    after: str = ""


class Command(Struct, frozen=True, kw_only=True):
    """Something to type, and when."""

    when: str
    code: str


class Card(Struct, frozen=True, kw_only=True):
    """One thing a person has to do or to know: where, why, how, and what to type."""

    chip: Chip
    tenant: str
    address: str
    why: str
    href: str = ""
    steps: str = ""
    more: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()


class Tile(Struct, frozen=True, kw_only=True):
    """A number at the top, and where the page tells more of it."""

    number: str
    chip: Chip
    href: str = ""


class Block(Struct, frozen=True, kw_only=True):
    """One tenant: its title, how it stands, what is said of it, its tables."""

    id: str
    title: str
    said: str
    chips: tuple[Chip, ...] = ()
    lines: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


class Moment(Struct, frozen=True, kw_only=True):
    """A point on the time line; `on` is a day, `left` how far it is."""

    on: str
    left: str
    chip: Chip
    what: str
    tenant: str
    address: str
    href: str = ""
    more: tuple[str, ...] = ()


class Section(Struct, frozen=True, kw_only=True):
    """A part of the page with a heading of its own; `names` is a list that opens when asked."""

    id: str
    title: str
    intro: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    cards: tuple[Card, ...] = ()
    moments: tuple[Moment, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    named: str = ""
    after: str = ""

    @property
    def filled(self) -> bool:
        """Whether there is anything in it."""
        return any((self.intro, self.tables, self.cards, self.moments, self.links, self.names))


class Ending(Struct, frozen=True, kw_only=True):
    """How to make the same page again, and how to go on."""

    commands: tuple[Command, ...]
    facts: tuple[tuple[str, str], ...]
    made: str


def some(names: Sequence[str]) -> str:
    """The first names of many, and how many more there are."""
    more = len(names) - NAMED
    return f"{', '.join(names[:NAMED])} and {more} more" if more > 0 else ", ".join(names)


NAMED = 20


def page(  # noqa: PLR0913 - a page has that many parts, each named at the call
    *,
    title: str,
    verdict: str,
    said: Sequence[str],
    sandboxes: Iterable[str],
    notes: Sequence[str],
    tiles: Iterable[Tile],
    first: Iterable[Section],
    blocks: Sequence[Block],
    last: Iterable[Section],
    ending: Ending,
) -> str:
    """Fill the template: the sections before the tenants and after them, those with something in them."""
    listed = sorted(set(sandboxes))
    text: str = _template().render(
        title=title,
        verdict=verdict,
        said=[line for line in said if line],
        sandbox=f"{words.SANDBOX}, a local provider in a real one's stead: {some(listed)}" if listed else "",
        notes=notes,
        tiles=list(tiles),
        first=[section for section in first if section.filled],
        blocks=blocks,
        last=[section for section in last if section.filled],
        ending=ending,
    )
    return text


def chip(mark: Mark, word: str = "") -> Chip:
    """A mark of the text renderer as a chip."""
    return Chip(mark.symbol, word or mark.legend, TONES.get(mark, "soft"))


class Anchors:
    """Where each tenant stands in the page; a name that fits no address gets a number."""

    def __init__(self, tenants: Iterable[str]) -> None:
        self._known = {
            name: f"tenant-{name}" if _PLAIN.fullmatch(name) else f"tenant-no.{number}"
            for number, name in enumerate(tenants, 1)
        }

    def id(self, tenant: str) -> str:
        """The tenant's name in the page."""
        return self._known[tenant]

    def href(self, tenant: str) -> str:
        """The address of a tenant's part; empty when it has none."""
        return f"#{self._known[tenant]}" if tenant in self._known else ""


_PLAIN = re.compile("[a-z0-9-]{1,64}")


def shown(rows: Sequence[tuple[Cell, ...]], thing: str) -> tuple[tuple[tuple[Cell, ...], ...], str]:
    """As many rows as a reader may want at once, and what is said of the others."""
    left = len(rows) - MOST
    return tuple(rows[:MOST]), f"{words.count(left, thing)} more." if left > 0 else ""


def legend(marks: Iterable[Mark]) -> str:
    """What the symbols mean, in one line."""
    return ", ".join(f"{mark.symbol} {mark.legend}" for mark in marks)


@cache
def _template() -> Any:
    """The template; what it shows is escaped for HTML and shows what cannot be seen, all of it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def seen(value: object) -> object:
        if isinstance(value, str) and not isinstance(value, Markup):
            return "\n".join(clean(line) for line in value.split("\n"))
        return value

    loader = PackageLoader("reconciler.render", "templates")
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=seen,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style, _, _ = loader.get_source(made, "page.css")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    made.globals |= {"style": Markup(style), "style_hash": Markup(f"'sha256-{digest}'")}  # noqa: S704 - both are ours
    return made.get_template("page.html")
