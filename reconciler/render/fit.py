"""Making a page fit where only so many characters are taken: the middle is cut, first and last never."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

CUT = 80  # room kept for saying in one section what was cut


class Section(Struct, frozen=True, kw_only=True):
    """A part of the middle: what it opens with, its items, what they are called, how dear they are.

    weight: the heaviest section is filled first.
    """

    start: str
    items: Sequence[str]
    called: str
    weight: int


def fit(first: str, middle: Sequence[Section], last: str, *, limit: int) -> str:
    """Put a page together from as many whole items of the middle as its size allows."""
    filled = [section for section in middle if section.items]
    left = limit - len(first) - len(last) - sum(len(section.start) + CUT for section in filled)
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
