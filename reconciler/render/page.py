"""A page of text: lines of coloured pieces, tables that fit the width, and one door for all text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from msgspec import Struct, field

from reconciler.render.escape import ascii_only, clean
from reconciler.render.options import NARROW, Options

BELOW = 4  # what belongs to a row stands below it, this much further in
WHAT = 3  # the column that wraps
LEAST = 24  # the least room in which a column may wrap
ROOMY = 30  # what it wants before others make way
_NOT_ONE = re.compile("[^\x00-\u02ff]")  # the first character that may take no cell, or two


class Piece(Struct, frozen=True):
    """Some text in one colour."""

    text: str
    style: str = ""


Row = Sequence[Piece]
Line = TypeVar("Line", str, list[Piece])
Columns = Sequence[tuple[int, int]]
"""Number and width of each column that is not empty."""


class Grid(Struct, frozen=True):
    """The columns of a table: those up to `what` and its width, those behind it, and the room left for `why`."""

    front: Columns
    back: Columns
    what: int
    room: int

    def fitted(self, row: Row, size: int) -> tuple[Columns, bool]:
        """The columns of a row and whether its `why` of this size stands beside them, or below.

        It may take the room of the columns behind `what` where they are empty in its row.
        """
        room = self.room
        for at, width in self.back:
            if row[at].text:
                return (*self.front, *self.back), size <= self.room
            room += width + _gap(at)
        return self.front, size <= room


class Page(Struct):
    """Collects lines. Every piece is made harmless and spelled for the terminal as it comes in."""

    options: Options
    lines: list[list[Piece]] = field(default_factory=list)

    def line(self, *pieces: Piece | str, indent: int = 0) -> None:
        """A line that is not wrapped: short, or something to copy."""
        self.lines.append([Piece(" " * indent), *map(self._harmless, pieces)])

    def blank(self) -> None:
        """An empty line, never two, never the first."""
        if self.lines and self.lines[-1]:
            self.lines.append([])

    def prose(self, text: str, *, style: str = "", indent: int = 0, hang: int = 0) -> None:
        """Text of a person, wrapped; its own line ends are kept, and all further lines are indented by `hang`."""
        for number, part in enumerate(text.splitlines() or [""]):
            start = indent + (hang if number else 0)
            rest = indent + hang
            lines = wrap(self._spell(part), self.options.width - start, hang=rest - start)
            for at, line in enumerate(lines):
                self.lines.append([Piece(" " * (rest if at else start)), Piece(line, style)])

    def parts(self, start: str, parts: Iterable[str], *, style: str = "") -> None:
        """Short parts after a word, none of them torn apart."""
        lines = fill(map(self._spell, parts), self.options.width - len(start), glue="  ")
        for at, line in enumerate(lines):
            self.lines.append([Piece(start if not at else " " * len(start), style), Piece(line, style)])

    def table(
        self, rows: Iterable[Row], *, indent: int = 2, after: Callable[[int], None] = lambda _: None
    ) -> None:
        """Rows of mark, word, name, what, ... and why, with aligned columns.

        A row's `why` stands beside the rest where it fits, else below. Where the columns do not fit, those after
        `what` go below too; on a narrow page each row becomes a block. `after` is called with the number of
        each row once it stands.
        """
        given = list(rows)
        said = "".join([piece.text for row in given for piece in row])
        spelled = self._spelled(given, said)
        measure = len if said.isascii() or _NOT_ONE.search(said) is None else cells
        for shape in (_same, _folded):
            shaped = [shape(row) for row in spelled]
            sizes = [[measure(piece.text) for piece in row] for row in shaped]
            grid = self._grid(sizes, indent)
            if grid is not None:
                break
        for number, row in enumerate(spelled):
            if grid is None:
                self._stack(row, indent)
            elif not self.options.color and _fits(shaped[number], sizes[number][WHAT], grid):
                self._straight(shaped[number], sizes[number], grid, indent)
            else:
                self._align(shaped[number], grid, indent)
            after(number)

    def text(self) -> str:
        """The whole page, with colour codes where colour is wanted."""
        if self.options.color:
            return _coloured(_ended([_trimmed(line) for line in self.lines]))
        lines = ["".join([piece.text for piece in line]).rstrip(" ") for line in self.lines]
        return "".join([f"{line}\n" for line in _ended(lines)])

    def _grid(self, sizes: Sequence[Sequence[int]], indent: int) -> Grid | None:
        """The columns, `what` as wide as there is room; None when they do not fit."""
        if self.options.width < NARROW or not sizes:
            return None
        widths = [max(column) for column in zip(*sizes, strict=True)][:-1]
        room = self.options.width - indent - sum(_gap(at) + width for at, width in enumerate(widths) if width)
        room += widths[WHAT]
        longest = widths[WHAT]
        if room < min(longest, ROOMY):
            return None
        widths[WHAT] = min(longest, room)
        columns = [(at, width) for at, width in enumerate(widths) if width]
        front = [column for column in columns if column[0] <= WHAT]
        return Grid(front, columns[len(front) :], widths[WHAT], max(0, room - widths[WHAT]))

    def _straight(self, row: Row, sizes: Sequence[int], grid: Grid, indent: int) -> None:
        """A row of which nothing wraps, on a page without colours: what `_align` makes of it, as one piece."""
        why = row[-1].text
        columns, beside = grid.fitted(row, sizes[-1])
        line = " " * indent
        for at, width in columns:
            line += row[at].text + " " * (width + _gap(at) - sizes[at])
        self.lines.append([Piece(line + why if beside else line)])
        if why and not beside:
            room = self.options.width - indent - BELOW
            start = " " * (indent + BELOW)
            self.lines += [
                [Piece(start + more)] for more in ([why] if sizes[-1] <= room else wrap(why, room))
            ]

    def _align(self, row: Row, grid: Grid, indent: int) -> None:
        why = row[-1]
        wide, beside = grid.fitted(row, cells(why.text))
        columns = [(wrap(row[at].text, width), width + _gap(at), row[at].style) for at, width in wide]
        for at in range(max(len(lines) for lines, _, _ in columns)):
            pieces = [Piece(" " * indent)]
            for lines, width, style in columns:
                text = lines[at] if at < len(lines) else ""
                pieces += [Piece(text, style), Piece(" " * (width - cells(text)))]
            self.lines.append([*pieces, why] if beside and not at else pieces)
        if why.text and not beside:
            self._below(why, indent + BELOW)

    def _below(self, piece: Piece, indent: int) -> None:
        for line in wrap(piece.text, self.options.width - indent):
            self.lines.append([Piece(" " * indent), Piece(line, piece.style)])

    def _stack(self, row: Row, indent: int) -> None:
        """The first pieces side by side, each other one on lines of its own below."""
        mark, word, name, *rest = row
        head = f"{mark.text} {word.text}"
        hang = indent + BELOW
        lines = wrap(name.text, max(LEAST, self.options.width - indent - cells(head) - 1))
        self.lines.append([Piece(" " * indent), Piece(head, mark.style), Piece(f" {lines[0]}", name.style)])
        self.lines.extend([Piece(" " * hang), Piece(more, name.style)] for more in lines[1:])
        *others, why = rest
        for line in _joined([piece.text for piece in others if piece.text], self.options.width - hang):
            self._below(Piece(line), hang)
        if why.text:
            self._below(why, hang)

    def _spelled(self, rows: list[Row], said: str) -> list[Row]:
        """Rows that say all this made harmless; no character becomes wider by it."""
        if said.isprintable() and (said.isascii() or not self.options.ascii):  # nearly all are
            return rows
        return [[self._harmless(piece) for piece in row] for row in rows]

    def _harmless(self, piece: Piece | str) -> Piece:
        if isinstance(piece, str):
            return Piece(self._spell(piece))
        shown = self._spell(piece.text)
        return piece if shown is piece.text else Piece(shown, piece.style)

    def _spell(self, text: str) -> str:
        shown = clean(text)
        return ascii_only(shown) if self.options.ascii else shown


def _fits(row: Row, size: int, grid: Grid) -> bool:
    """Whether no cell of a row wraps, of which `what` has this size."""
    return size <= grid.what and " " not in [piece.text[:1] for piece in row]


def _joined(texts: Iterable[str], room: int) -> list[str]:
    """Short texts side by side where they fit; a longer one stays whole, to be broken at its spaces."""
    lines: list[str] = []
    for text in texts:
        if lines and cells(lines[-1]) + 2 + cells(text) <= room:
            lines[-1] += f"  {text}"
        else:
            lines.append(text)
    return lines


def _same(row: Row) -> Row:
    return row


def _folded(row: Row) -> Row:
    """What stands between `what` and `why` said with `why`."""
    *between, why = row[WHAT + 1 :]
    told = "; ".join(piece.text for piece in (*between, why) if piece.text)
    return [*row[: WHAT + 1], Piece(told, why.style)]


def _ended(lines: list[Line]) -> list[Line]:
    """Without empty lines at the end."""
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _trimmed(line: Sequence[Piece]) -> list[Piece]:
    """Without spaces at its end."""
    kept = list(line)
    while kept:
        last = kept.pop()
        text = last.text.rstrip(" ")
        if text:
            return [*kept, Piece(text, last.style)]
    return []


def _gap(at: int) -> int:
    return 2 if at else 1  # the mark stands close to its word


def cells(text: str) -> int:
    """How wide a text is on a terminal."""
    if text.isascii() or _NOT_ONE.search(text) is None:
        return len(text)
    return sum(_width(character) for character in text)


def wrap(text: str, room: int, *, hang: int = 0) -> list[str]:
    """Break at spaces into lines of at most `room` cells; a word that is longer is broken where it must be.

    Lines after the first have `hang` cells less.
    """
    if not text.startswith(" ") and cells(text) <= max(8, room):
        return [text]
    return list(fill(text.split(" "), room, hang=hang))


def fill(words: Iterable[str], room: int, *, hang: int = 0, glue: str = " ") -> Iterator[str]:
    """Put words into lines of at most `room` cells, with `glue` between them."""
    line, left = "", max(8, room)
    for word in words:
        rest = word
        if line and cells(line) + len(glue) + cells(rest) <= left:
            line = f"{line}{glue}{rest}"
            continue
        if line:
            yield line
            left = max(8, room - hang)
        if cells(rest) > left:
            *heads, rest = _broken(rest, left, max(8, room - hang))
            yield from heads
            left = max(8, room - hang) if heads else left
        line = rest
    yield line


def _broken(word: str, first: int, later: int) -> Iterator[str]:
    """A word in pieces, the first of at most `first` cells; in one walk, however long it is."""
    start, used, room = 0, 0, first
    for at, character in enumerate(word):
        width = _width(character)
        if used + width > room and at > start:
            yield word[start:at]
            start, used, room = at, 0, later
        used += width
    yield word[start:]


@lru_cache(maxsize=4096)
def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _coloured(lines: Sequence[Sequence[Piece]]) -> str:
    """The one place that colours: rich, told everything, so that it guesses nothing."""
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    out = StringIO()
    console = Console(
        file=out, force_terminal=True, color_system="standard", no_color=False, width=10_000, highlight=False,
        markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    for line in lines:
        console.print(Text.assemble(*((piece.text, piece.style) for piece in line)), soft_wrap=True)
    return out.getvalue()
