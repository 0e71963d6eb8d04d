"""What is to be written next: the files of the branch as they are, and what some requests make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from reconciler.core.journal import Event
from reconciler.store import moving
from reconciler.store.branch import files
from reconciler.store.holding import Holding


class Draft(Struct, kw_only=True):
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

    def append(self, events: Sequence[Event]) -> range:
        """Write events; returns their numbers."""
        if not events:
            return range(0)
        last = files.read_header(self.read(files.HEADER), self.where)
        numbers = range(last + 1, last + 1 + len(events))
        self.write(events, numbers)
        for event in events:
            what = " ".join(part for part in (event.kind.value, event.address) if part)
            self.told.append(f"{event.tenant or 'journal'}: {what}")
            self.author = self.author or event.by
        self.changed[files.HEADER] = files.header(numbers[-1])
        return numbers

    def write(self, events: Sequence[Event], numbers: Iterable[int]) -> None:
        """Write events under these numbers, and nothing else."""
        lines: dict[str, list[bytes]] = {}
        for event, seq in zip(events, numbers, strict=True):
            lines.setdefault(files.events_file(event), []).append(files.line(event, seq))
        for path, added in lines.items():
            self.add(path, b"".join(added))

    def leave(self, mark: Event) -> None:
        """Write that the journal is kept elsewhere."""
        (number,) = self.append([mark])
        self.changed[files.HEADER] = files.header(number, moved=moving.told(self.where, mark))

    def receive(self, events: Sequence[Event], tokens: Mapping[str, int], *, last: int) -> None:
        """Write another journal's events, tokens and last number."""
        self.write(events, [event.seq for event in events])
        for name, token in tokens.items():
            free = Holding(name=name, token=token, since=self.now, until=self.now)
            self.changed[files.lease_file(name)] = files.lease_bytes(free)
        self.changed[files.HEADER] = files.header(last)
        self.told.append(f"{len(events)} events copied from another journal")

    def stay(self) -> None:
        """Refuse to begin anything with a journal that was moved."""
        moving.refuse(files.read_moved(self.read(files.HEADER)))

    def message(self, mark: str) -> str:
        """What the log says: one subject, then each thing; `mark` makes this commit unlike any other."""
        told = ["".join(sign if sign.isprintable() else " " for sign in one) for one in self.told[:100]]
        subject = told[0] if len(self.told) == 1 else f"{told[0]}, and {len(self.told) - 1} more"
        more = [f"- {one}" for one in told] if len(told) > 1 else []
        return "\n\n".join(part for part in (subject, "\n".join(more), f"Write: {mark}\n") if part)


class Request(Struct, kw_only=True):
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
