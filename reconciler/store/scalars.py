"""What a plain word of YAML 1.2 means, how much of a file is read, and what is said of one that cannot be."""

from __future__ import annotations

import re
from sys import intern
from typing import Any

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 50
MAX_ALIASED = 10_000
MAX_DIGITS = 64
OFTEN = 16
"""Texts of at most this length (names, countries, groups) stand in memory once, however many people share them."""

_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NUMBER_START = frozenset("0123456789+-.")
_CONSTANTS: dict[str, Any] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf"))
    | dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf"))
    | dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
)


class Unreadable(Exception):  # noqa: N818 - it says what the file is
    """A file that cannot be taken for YAML at all, from the place where that became clear."""

    def __init__(self, code: str, message: str, *, hint: str = "", line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column


def meant(text: str) -> Any:
    """Give what a plain word stands for; raises OverflowError for a number of more than `MAX_DIGITS` digits."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in _NUMBER_START:
        if _INT.match(text):
            return _whole(text)
        if _FLOAT.match(text):
            return float(text)
    return intern(text) if len(text) <= OFTEN else text


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise OverflowError("a number of this length is refused")
    return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
