"""What is to be written next: the files of the branch as they are, and what some requests make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.store.branch import files
from reconciler.store.holding import Holding


@dataclass(slots=True, kw_only=True)
class Draft:
    """The files that requests asked for, as they are on the branch, and as they are to be."""

    where: str
    now: datetime
    found: dict[str, bytes]
    changed: dict[str, bytes] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    author: str = ""

    def read(self, path: str) -> bytes | None:
        """A file as it is to be so far; None when there is none."""
        return self.changed.get(path, self.found.get(path))

    def lease(self, name: str) -> Holding:
        """What is to be written of a lease so far."""
        path = files.lease_file(name)
        return files.read_lease(self.read(path), name=name, now=self.now, where=self.where)

    def keep(self, holding: Holding, told: str) -> None:
        """Write a lease."""
        self.changed[files.lease_file(holding.name)] = files.lease_bytes(holding)
        self.told.append(f"lease {holding.name}: {told}")

    def add(self, path: str, lines: bytes) -> None:
        """Append lines to a file, which has to end with a whole one."""
        before = self.read(path) or b""
        if before and not before.endswith(b"\n"):
            raise files.damaged(self.where, f"{path}: the last line is not complete")
        self.changed[path] = before + lines

    def message(self, mark: str) -> str:
        """What the log says: one subject, then each thing; `mark` makes this commit unlike any other."""
        told = ["".join(sign if sign.isprintable() else " " for sign in one) for one in self.told[:100]]
        subject = told[0] if len(self.told) == 1 else f"{told[0]}, and {len(self.told) - 1} more"
        more = [f"- {one}" for one in told] if len(told) > 1 else []
        return "\n\n".join(part for part in (subject, "\n".join(more), f"Write: {mark}\n") if part)


@dataclass(slots=True, kw_only=True)
class Request:
    """One change that somebody waits for; `make` looks at the draft and either changes it or raises.

    It may be made several times, each time on what the branch holds then.
    """

    paths: tuple[str, ...]
    make: Callable[[Draft], Any]
    done: bool = False
    result: Any = None
    error: BaseException | None = None

    def attempt(self, draft: Draft) -> None:
        """Make the change; an error is kept for who waits."""
        self.result, self.error = None, None
        try:
            self.result = self.make(draft)
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            self.error = error

    def outcome(self) -> Any:
        """What came of it."""
        if self.error is not None:
            raise self.error
        return self.result
