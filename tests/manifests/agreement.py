"""Whether the two ways of reading YAML agree about a text, and the pieces that strange texts are made of."""

from __future__ import annotations

from reconciler.store import nodes
from reconciler.store.plain import read_plain

PIECES = [
    *("  ", " ", "- ", "-", ": ", ":", "#", " #", "\n", "'", '"', "[", "]", "{", "}", ",", "&a ", "*a"),
    *("!t ", "|", ">", "? ", "%", "@", "~", "null", "true", "0x1F", "0o7", "1e3", ".5", "1_000", "-1"),
    *("é", "\u0301", "\u00a0", "\u200b", "\ufeff", "\t", "\r", "...", "---", "a: b", "- c", "<<: ", "\\"),
    *("9" * 70, "[]", "[a, b]", "{a: 1}", "{a: 'x, y'}", "env://KEY", "2026-01-01", "key:", "\n\n"),
]


def agrees(text: str) -> bool:
    """Compare both readings; false when the text is not of the plain form."""
    plain = read_plain(text)
    if plain is None:
        return False
    made = nodes.built(nodes.root_of(text.encode()))
    assert not made.faults, text
    assert repr(plain.value) == repr(made.value), text  # `1`, `1.0` and `true` are equal, and not the same
    assert {name: made.items[name] for name in plain.items} == plain.items, text
    return True
