"""Other people's text made harmless: nothing in it may steer a terminal or a page."""

from __future__ import annotations

import html
import re
import unicodedata

# Control characters, format characters (bidi overrides, zero width), surrogates, private use, unassigned,
# line and paragraph separators: what a reader cannot see and a terminal or browser may obey.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# What has no accent to drop and is common in names and in our own words.
_ASCII = str.maketrans(
    dict(
        zip(
            "\u2026\u2192\u2013\u2014\u00d7\u2019\u203c\u0142\u0141\u00f8\u00d8\u00df\u0111\u0110\u00e6\u00c6\u20ac",
            ("...", "->", "-", "-", "x", "'", "!!", "l", "L", "o", "O", "ss", "d", "D", "ae", "AE", "EUR"),
            strict=True,
        )
    )
)

ZERO_WIDTH_SPACE = "\u200b"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&$])")
_CALLS = re.compile(r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")


def clean(text: str) -> str:
    """One line that can be printed: what cannot be seen is spelled out, an escape as backslash, x, 1b."""
    if text.isprintable():  # which nothing of UNSEEN is
        return text
    return "".join(_visible(character) for character in text)


def ascii_only(text: str) -> str:
    """The same in ASCII: accents dropped, typography by its like, everything else spelled out."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text.translate(_ASCII))
    bare = "".join(character for character in apart if not unicodedata.combining(character))
    return bare.encode("ascii", "backslashreplace").decode("ascii")


def markdown(text: str) -> str:
    """Prose inside a Markdown page: no markup of its own, no mention, no reference, one line."""
    escaped = _MARKDOWN.sub(r"\\\1", clean(text)).replace("\\<", "&lt;").replace("\\>", "&gt;")
    return _CALLS.sub(ZERO_WIDTH_SPACE, escaped)


def code(text: str, *, cell: bool = False) -> str:
    """A name inside a Markdown page, as code; `cell` when it stands in a table, where a pipe would end it."""
    shown = clean(text)
    if not shown.strip():
        return "` `"
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(shown)), default=0))
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    spelled = f"{fence}{space}{shown}{space}{fence}"
    return spelled.replace("|", "\\|") if cell else spelled


def markup(text: str) -> str:
    """A name inside the HTML that a Markdown page may hold."""
    return f"<code>{html.escape(clean(text))}</code>"


def fence(lines: list[str]) -> str:
    """A fence that nothing in these lines can close."""
    longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
    return "`" * max(3, longest + 1)


def _visible(character: str) -> str:
    if unicodedata.category(character) in UNSEEN:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
