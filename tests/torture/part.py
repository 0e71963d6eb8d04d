"""What the long suite is made of: parts, whose cases are named by a line from which each can be had again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.engine.microsoft import MICROSOFT
from tests.engine.stories import STORIES, Story

Lots = random.Random
"""Chance by a seed: chaos, not secrecy."""
EVERY = (*STORIES, *MICROSOFT)
"""Every story of every family."""


class Part(Protocol):
    """One kind of trial.

    share: how much of the time it gets beside the others. slots: how many of its cases run at once at most.
    """

    name: str
    share: float
    slots: int

    def cases(self, lots: Lots, *, seconds: float) -> Iterator[str]:
        """Name the cases to try within some seconds, in a random order; a name says all that a case is."""
        ...

    def attempt(self, case: str, folder: Path) -> Counter[str]:
        """Try one case; gives what was tried and how often. Any exception is a violation."""
        ...


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a case: counts, how long it took, and what was wrong, if anything."""

    part: str
    case: str
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    wrong: str = ""


class Violation(AssertionError):  # noqa: N818 - what it is called in the promises
    """A promise was broken; the message says what happened to what."""


def story_of(name: str) -> Story:
    """A story by its name; ValueError when there is none."""
    found = next((story for story in EVERY if story.name == name), None)
    if found is None:
        raise ValueError(f"there is no story {name!r}; there are: {', '.join(one.name for one in EVERY)}")
    return found


def family_of(story: Story) -> str:
    """Who sells in a story, and whether a directory keeps its people."""
    return story.provider + ("+graph" if "\ndirectory:" in story.tenant else "")
