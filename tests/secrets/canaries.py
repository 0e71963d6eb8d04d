"""Recognisable secrets, and the search for them in every form in which something may have kept them."""

from __future__ import annotations

import base64
import gzip
import subprocess
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

ODD = """/+="&<%>'"""
"""What stands inside each: percent-encoded, escaped or quoted, at least one of its halves stays as it is."""


def canary(name: str) -> str:
    """A secret that occurs nowhere else: two halves, each long enough to be known alone."""
    return f"Kq7{name}Zv{ODD}Xw9{name[::-1]}Jp"


def halves(secret: str) -> list[str]:
    """What to look for of a secret: either half, or all of it where it is none of ours."""
    return secret.split(ODD) if ODD in secret else [secret]


def forms(word: str) -> Iterator[bytes]:
    """A word as text, in UTF-16, as base64 wherever it begins, and as hexadecimal digits."""
    plain = word.encode()
    yield from (plain, word.encode("utf-16-le"), plain.hex().encode(), plain.hex().upper().encode())
    for shift in range(3):
        # Which base64 letters a word becomes depends on where it begins; its ends mix with its neighbours.
        coded = base64.b64encode(b"\0" * shift + plain)
        kept = coded[(0, 2, 3)[shift] : len(coded.rstrip(b"=")) - 1]
        yield kept
        yield kept.translate(bytes.maketrans(b"+/", b"-_"))


def found(secrets: Mapping[str, str], places: Mapping[str, bytes]) -> list[str]:
    """Where which secret is, in words that do not repeat it."""
    sought = {
        (name, form) for name, secret in secrets.items() for half in halves(secret) for form in forms(half)
    }
    return sorted(
        {
            f"{name} is in {place}"
            for place, content in places.items()
            for name, form in sought
            if form in content
        }
    )


def files(root: Path, *, put: frozenset[str] = frozenset()) -> dict[str, bytes]:
    """Every file below a folder but those where the user put a secret; git's objects and archives unpacked."""
    contents: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if not path.is_file() or name in put:
            continue
        contents[name] = content = path.read_bytes()
        with suppress(zlib.error, OSError, EOFError):
            contents[f"{name} (unpacked)"] = (
                gzip.decompress(content) if content[:2] == b"\x1f\x8b" else zlib.decompress(content)
            )
    for head in sorted(root.rglob("HEAD")):
        if (head.parent / "objects").is_dir():
            contents[f"{head.parent.relative_to(root)} (objects)"] = _objects(head.parent)
    return contents


def _objects(repository: Path) -> bytes:
    """Every object of a repository, packed or not."""
    command = ["git", "--git-dir", str(repository), "cat-file", "--batch", "--batch-all-objects"]
    return subprocess.run(command, check=True, capture_output=True).stdout
