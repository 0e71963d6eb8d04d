"""Making a page fit where only so many characters are taken: what is cut is the middle, of a page as of a text."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

CUT = 80  # room kept for saying in one section what was cut
REST = "\n\n_The rest of this did not fit here._\n\n"
MOST = 300  # characters of somebody's text
WORD = 80  # characters of a word in a text that is too long: both ends of a path


class Section(Struct, frozen=True, kw_only=True):
    """A part of the middle: what it opens with, its items, what they are called, how dear they are.

    weight: the heaviest section is filled first.
    """

    start: str
    items: Sequence[str]
    called: str
    weight: int


def fit(first: str, middle: Sequence[Section], last: str, *, limit: int) -> str:
    """Put a page together from as many whole items of the middle as its size allows.

    Where not even the first part fits, made of names that are long on purpose, whole lines of its end are left out:
    the last part says what to do next.
    """
    filled = [section for section in middle if section.items]
    room = limit - len(last) - sum(len(section.start) + CUT for section in filled)
    if len(first) > room:
        first = first[: max(0, room - len(REST))].rpartition("\n")[0] + REST
    left = room - len(first)
    shown: dict[int, str] = {}
    for at in sorted(range(len(filled)), key=lambda at: -filled[at].weight):
        shown[at], left = _fill(filled[at], left)
    return "".join([first, *(shown[at] for at in range(len(filled))), last])


def _fill(section: Section, left: int) -> tuple[str, int]:
    kept: list[str] = []
    for item in section.items:
        if len(item) <= left:
            kept.append(item)
            left -= len(item)
    missing = len(section.items) - len(kept)
    said = f"\n_{missing} more {section.called} did not fit here._\n\n" if missing else ""
    return f"{section.start}{''.join(kept)}{said}", left


def brief(text: str, most: int = MOST) -> str:
    """A text that does not fill a page; what it ends with, as what to do, stays.

    Its long words lose their middle first, as a path does; where that is not enough, the text does.
    """
    if len(text) <= most:
        return text
    told = " ".join(_ends(word, WORD) for word in text.split(" "))
    return _ends(told, most)


def _ends(text: str, most: int) -> str:
    """A text without its middle, marked where that was."""
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[-tail:]}"
