"""The files on the journal's branch: events as lines of JSON, a file a tenant and year; a file a lease."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from msgspec.structs import asdict

from reconciler.core.errors import JournalError
from reconciler.core.journal import Event, Kind
from reconciler.store.holding import Holding

FORMAT = 1  # what this version writes; a number above LEFT is refused
LEFT = 2  # of a journal that was moved elsewhere, so that versions that do not know of it refuse it
HEADER = "journal.json"  # the format, and the number of the last event
README = "README.md"
EVENTS = "events/"
LEASES = "leases/"

ABOUT = b"""# The journal of reconciler

Every commit here is something that happened, or is about to: `git log -p` tells the story.
Do not edit, merge, rebase or force-push this branch, and let no rule require reviews for it.
The tool notices a rewritten branch and stops: what was ordered, and who may apply, is known only here.
"""


def events_file(event: Event) -> str:
    """Where an event is kept: a folder a tenant, a file a year."""
    return f"{events_folder(event.tenant)}{event.at.astimezone(UTC).year:04}.jsonl"


def events_folder(tenant: str) -> str:
    """Where a tenant's events are kept."""
    return f"{EVENTS}{_safe(tenant)}/"


def lease_file(name: str) -> str:
    """Where a lease is kept, for ever: a lease given back keeps its token."""
    return f"{LEASES}{_safe(name)}.json"


def lease_name(path: str) -> str:
    """Whose a lease's file is."""
    return unquote(path.removeprefix(LEASES).removesuffix(".json"))


def header(seq: int, *, moved: str = "") -> bytes:
    """The header when the last event has number `seq`; `moved`: what is said of a journal that was left."""
    return _pretty({"format": LEFT, "seq": seq, "moved": moved} if moved else {"format": FORMAT, "seq": seq})


def read_moved(content: bytes | None) -> str:
    """What is said of a journal that was moved elsewhere; empty for any other."""
    match _parsed(content or b""):
        case {"format": 2, "moved": str(said)}:
            return said
    return ""


def read_header(content: bytes | None, where: str) -> int:
    """The number of the last event; a branch that is no journal, or a newer one, is refused."""
    if content is None:
        raise JournalError(
            f"{where}: this branch is not a journal of reconciler: it has no {HEADER}",
            hint="name a branch of its own in `journal:`; it is made when it does not exist",
        )
    match _parsed(content):
        case {"format": int(number)} if number > LEFT:
            raise JournalError(
                f"{where}: the journal was written by a newer version of reconciler"
                f" (format {number}; this one knows up to {LEFT})",
                hint="install that version; nothing was read or changed",
            )
        case {"format": 1 | 2, "seq": int(seq)}:
            return seq
    raise damaged(where, HEADER)


def lease_bytes(holding: Holding) -> bytes:
    """A lease as it is kept."""
    values = asdict(holding)
    return _pretty(values | {word: values[word].astimezone(UTC).isoformat() for word in ("since", "until")})


def read_lease(content: bytes | None, *, name: str, now: datetime, where: str) -> Holding:
    """A lease as it is known; one that was never taken is free."""
    if content is None:
        return Holding(name=name, token=0, since=now, until=now)
    try:
        values = json.loads(content)
        values |= {word: datetime.fromisoformat(values[word]) for word in ("since", "until")}
        return Holding(**values)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise damaged(where, lease_file(name)) from error


def line(event: Event, seq: int) -> bytes:
    """An event as one line; what is empty is left out."""
    values: dict[str, Any] = {"seq": seq, "at": event.at.astimezone(UTC).isoformat(timespec="microseconds")}
    values |= {"kind": event.kind.value, "tenant": event.tenant}
    rest = {word: getattr(event, word) for word in ("action", "address", "plan", "by", "run", "commit")}
    values |= {word: value for word, value in rest.items() if value} | {"data": plain(event.data)}
    try:
        return f"{json.dumps(values, ensure_ascii=False, separators=_TIGHT)}\n".encode()
    except UnicodeEncodeError:  # half a character: only JSON's own notation can keep it
        return f"{json.dumps(values, separators=_TIGHT)}\n".encode()


def plain(data: Mapping[str, Any]) -> Any:
    """Data as JSON keeps it; TypeError for what is none."""
    return json.loads(json.dumps(data, default=_as_dict))


def read_events(contents: Mapping[str, bytes], where: str) -> tuple[Event, ...]:
    """The events of some files, in the order in which they were written."""
    found = [event for path, content in contents.items() for event in _read_file(path, content, where)]
    found.sort(key=lambda event: event.seq)
    for one, other in itertools.pairwise(found):
        if one.seq == other.seq:
            raise damaged(where, f"number {one.seq} was given twice, in {events_file(one)}")
    return tuple(found)


def damaged(where: str, what: str) -> JournalError:
    """A file that was not left as this tool wrote it."""
    return JournalError(
        f"{where}: the journal is damaged: {what}",
        hint="`git log -p` of the branch shows who changed it; put back the last good commit."
        " Nothing was sent",
    )


_TIGHT = (",", ":")
_KINDS = {kind.value: kind for kind in Kind}


def _safe(name: str) -> str:
    """A name as one part of a path, whatever is in it; `%` for none."""
    quoted = quote(name, safe="@+", errors="surrogatepass") or "%"
    return quoted.replace(".", "%2E", 1) if quoted.startswith(".") else quoted


def _pretty(values: object) -> bytes:
    return f"{json.dumps(values, indent=2)}\n".encode()


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _as_dict(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _read_file(path: str, content: bytes, where: str) -> Iterator[Event]:
    """The events of one file; all lines are read as one list, which is twice as fast as one by one."""
    lines = content.split(b"\n")
    if lines.pop():
        raise damaged(where, f"{path}:{len(lines) + 1}: the line is not complete")
    try:
        values = json.loads(b"[%s]" % b",".join(lines))
    except (ValueError, RecursionError):
        values = ()
    if len(values) != len(lines):
        values = _one_by_one(path, lines, where)
    for number, value in enumerate(values, 1):
        try:
            yield _event(value)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(where, f"{path}:{number}: not an event") from error
        except _UnknownKindError as error:
            raise JournalError(
                f"{where}: {path}:{number}: the event is of a kind that this version does not know: {error}",
                hint="install the version of reconciler that wrote it",
            ) from error


def _one_by_one(path: str, lines: Iterable[bytes], where: str) -> list[Any]:
    """Find the line that is wrong."""
    values = []
    for number, text in enumerate(lines, 1):
        try:
            values.append(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise damaged(where, f"{path}:{number}: not JSON") from error
    return values


class _UnknownKindError(Exception):
    """An event of a newer version."""


def _event(value: dict[str, Any]) -> Event:
    get = value.get
    kind = _KINDS.get(value["kind"])
    if kind is None:
        raise _UnknownKindError(value["kind"])
    event = Event(
        seq=value["seq"],
        at=datetime.fromisoformat(value["at"]),
        kind=kind,
        tenant=value["tenant"],
        action=get("action", ""),
        address=get("address", ""),
        plan=get("plan", ""),
        by=get("by", ""),
        run=get("run", ""),
        commit=get("commit", ""),
        data=get("data", {}),
    )
    texts = (event.tenant, event.action, event.address, event.plan, event.by, event.run, event.commit)
    if type(event.seq) is not int or event.at.tzinfo is None or not isinstance(event.data, dict):
        raise TypeError("an event has a number, a time with its zone, and data")
    if any(type(text) is not str for text in texts):
        raise TypeError("an event's words are text")
    return event
