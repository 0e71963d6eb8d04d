"""The journal on a branch: each write is a commit that is on the remote when the call returns."""

from __future__ import annotations

import contextlib
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.errors import JournalError, LeaseLostError
from reconciler.core.journal import Event, Lease
from reconciler.store import holding, moving
from reconciler.store.alive import Alive
from reconciler.store.branch import files
from reconciler.store.branch.clone import Clone, Pushed
from reconciler.store.branch.draft import Draft, Request
from reconciler.store.holding import TERM, Holding
from reconciler.store.uncollected import uncollected

Now = Callable[[], datetime]
PUSHES = 40  # tries against others who push as well; at most a second apart
BLIND = 3  # tries without an answer


class BranchJournal:
    """A journal on a branch of a git remote; `now` None means this machine's clock.

    Who writes while another thread pushes waits, and goes together with all others who wait into the next push.
    Any push prolongs those of our leases that are past the half of their time.
    """

    distant = True
    behind = ""  # a branch that was put back is refused by the clone, which knows its history

    def __init__(self, clone: Clone, *, write: bool, now: Now | None, root: Path) -> None:
        self._clone = clone
        self.where = self._where = clone.where
        self.moved = ""
        self._write = write
        self._now = now
        self._alive = Alive(root)
        self._left = False  # whether a lease was not given back
        self._held: dict[str, Lease] = {}
        self._turn = threading.Lock()  # one at a time looks at the remote or pushes
        self._door = threading.Lock()  # of the queue of those who wait for that
        self._queue: list[Request] = []
        self._pushed = False
        self._begun = self._looked = 0  # how many looks at the remote were begun, and the last that ended
        self._head = ""
        self.fresh = self._open()

    def events(self, tenants: Iterable[str] | None = None) -> Sequence[Event]:
        """Every event, or those of some tenants, in order, as they are on the remote now."""
        wanted = None if tenants is None else sorted(set(tenants))
        if wanted == []:
            return ()
        head = self._fetched()
        few = wanted is not None and len(wanted) <= _FEW
        folders = [files.events_folder(name) for name in wanted or ()] if few else [files.EVENTS]
        names = self._clone.names(head, *folders)
        if wanted is not None and not few:
            kept = frozenset(map(files.events_folder, wanted))
            names = {path: name for path, name in names.items() if f"{path.rpartition('/')[0]}/" in kept}
        with uncollected():
            return files.read_events(self._clone.read(names), self._where)

    def stream(self, tenants: Iterable[str] | None = None) -> Iterator[Event]:
        """The same one after another; the files of the branch are in memory meanwhile."""
        return iter(self.events(tenants))

    def append(self, *events: Event, lease: Lease | None = None) -> tuple[Event, ...]:
        """Write events in one commit and push it; with `lease`, only while it is still ours (LeaseLostError)."""
        if not events and lease is None:
            return ()
        kept = [replace(event, data=files.plain(event.data)) for event in events]
        paths = {files.events_file(event) for event in kept}
        if lease is not None:
            paths.add(files.lease_file(lease.name))

        def make(draft: Draft) -> tuple[range, datetime | None]:
            until = None
            if lease is not None:
                until = holding.check(draft.lease(lease.name), lease, now=draft.now).until
            else:
                draft.stay()
            return draft.append(kept), until

        request = Request(paths=tuple(paths), make=make)
        numbers, until = self._wait(request, "write to the journal", lease)
        if lease is not None:
            self._in_time(lease, until)
        return tuple(replace(event, seq=seq) for event, seq in zip(events, numbers, strict=True))

    def acquire(self, name: str, *, holder: str, about: str = "") -> Lease:
        """Take a lease, or raise LeaseHeldError that names the holder and until when."""
        holder = holder or "unknown"
        sign = (self._alive.machine, self._alive.path if self._write else "")

        def make(draft: Draft) -> Lease:
            draft.stay()
            taken = draft.lease(name).taken(holder=holder, about=about, now=draft.now, sign=sign)
            draft.keep(taken, f"taken by {holder}{f' ({about})' if about else ''}")
            draft.author = draft.author or holder
            return taken.lease()

        lease: Lease = self._wait(Request(paths=(files.lease_file(name),), make=make), "take a lease")
        self._held[name] = lease
        self._alive.touch()
        return lease

    def renew(self, lease: Lease) -> Lease:
        """Prolong a lease; nothing is pushed before half of its time is over.

        LeaseLostError when it ran out, or when it is found not to be ours any more.
        """
        known = self._held.get(lease.name)
        if known is not None and known.token == lease.token and known.until - self._moment() > TERM / 2:
            self._alive.touch()
            return known

        def make(draft: Draft) -> Lease:
            renewed = holding.check(draft.lease(lease.name), lease, now=draft.now).renewed(now=draft.now)
            draft.keep(renewed, f"prolonged by {renewed.holder}")
            return renewed.lease()

        request = Request(paths=(files.lease_file(lease.name),), make=make)
        renewed: Lease = self._wait(request, "renew a lease", lease)
        if lease.name in self._held:  # else it was given back meanwhile
            self._held[lease.name] = renewed
        self._alive.touch()
        return renewed

    def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is no longer ours."""
        self._forget(lease)
        self._left = True  # until we know better

        def make(draft: Draft) -> None:
            found = draft.lease(lease.name)
            if found.is_of(lease):
                draft.keep(found.freed(now=draft.now), f"given back by {lease.holder}")

        self._wait(Request(paths=(files.lease_file(lease.name),), make=make), "give back a lease")
        self._left = False

    def leases(self) -> Sequence[Lease]:
        """The leases that are held now, by name."""
        return self._living(self._fetched())

    def _living(self, head: str) -> tuple[Lease, ...]:
        return holding.living(self._kept(head), now=self._moment(), machine=self._alive.machine)

    def _kept(self, head: str) -> list[Holding]:
        found = self._clone.read(self._clone.names(head, files.LEASES))
        return [
            files.read_lease(content, name=files.lease_name(path), now=self._moment(), where=self._where)
            for path, content in found.items()
        ]

    def break_lease(self, name: str) -> bool:
        """Take a lease away from its holder by hand; false when nobody held it."""

        def make(draft: Draft) -> bool:
            found = draft.lease(name)
            if not found.holder or found.until <= draft.now:
                return False
            draft.keep(found.freed(now=draft.now), f"taken away from {found.holder} by hand")
            return True

        request = Request(paths=(files.lease_file(name),), make=make)
        return bool(self._wait(request, "take a lease away"))

    def leave(self, mark: Event) -> None:
        """Write that the journal is kept elsewhere; JournalError while a lease is held, or when it was left."""

        def make(draft: Draft) -> None:
            draft.stay()
            moving.refuse_held(self.where, self._living(self._head))
            draft.leave(mark)

        self._wait(Request(paths=(files.events_file(mark),), make=make), "leave the journal")

    def come_back(self, mark: Event) -> None:
        """Write that a journal that was left is kept here again."""
        request = Request(paths=(files.events_file(mark),), make=lambda draft: draft.append([mark]))
        self._wait(request, "take the journal again")

    def tokens(self) -> Mapping[str, int]:
        """The last token of each lease, by name."""
        return {one.name: one.token for one in self._kept(self._fetched())}

    def receive(self, events: Sequence[Event], tokens: Mapping[str, int], *, last: int) -> None:
        """Take in another journal's events as they are numbered, all or none; JournalError unless empty."""

        def make(draft: Draft) -> None:
            moving.refuse_written(self.where, files.read_header(draft.read(files.HEADER), self._where))
            moving.refuse_held(self.where, self._living(self._head))
            here = {one.name: one.token for one in self._kept(self._head)}
            draft.receive(events, {**here, **tokens}, last=last)

        self._wait(Request(paths=(), make=make), "copy into the journal")

    def accept(self) -> None:
        """Nothing to do: the memory of a branch that was put back is removed with its copy."""

    def close(self) -> None:
        """Let go of the lock; leases not given back are seen as a dead holder's."""
        if self._pushed:
            self._pushed = False
            with contextlib.suppress(JournalError):  # all that matters was pushed
                self._clone.tidy()
        self._alive.close(keep=bool(self._held) or self._left)

    def _open(self) -> bool:
        """Look at the remote; make the branch when writing; true when there was none."""
        if self._fetched():
            return False
        if not self._write:
            return True

        def make(draft: Draft) -> bool:
            if draft.read(files.HEADER) is not None:
                return False
            draft.changed |= {files.HEADER: files.header(0), files.README: files.ABOUT}
            draft.told.append("Begin the journal")
            return True

        return bool(self._wait(Request(paths=(), make=make), "make the journal"))

    def _fetched(self) -> str:
        """The branch's last commit, of a journal that we can read, and not from before this was asked.

        Who waits while others look does not look again, if they began after he had asked.
        """
        asked = self._begun
        with self._turn:
            if self._looked > asked:
                return self._head
            with self._clone.alone():
                return self._look()

    def _look(self) -> str:
        self._begun += 1
        number = self._begun
        self._go_on_from(self._clone.fetch())
        self._looked = number
        return self._head

    def _go_on_from(self, head: str) -> None:
        """Work on a later state of the branch, if it is a journal of a format that we know."""
        if head == self._head:
            return
        found = self._clone.read({files.HEADER: f"{head}:{files.HEADER}"})
        files.read_header(found.get(files.HEADER), self._where)
        self.moved = files.read_moved(found.get(files.HEADER))
        self._head = head

    def _wait(self, request: Request, doing: str, lease: Lease | None = None) -> Any:
        """Have a request done, by us or by whoever pushes next."""
        if not self._write:
            raise JournalError(f"{self._where}: cannot {doing}: it was opened for reading only")
        with self._door:
            self._queue.append(request)
        with self._turn:
            if not request.done:
                with self._door:
                    requests, self._queue = self._queue, []
                self._serve(requests)
        try:
            return request.outcome()
        except LeaseLostError:
            if lease is not None:
                self._forget(lease)
            raise

    def _serve(self, requests: Sequence[Request]) -> None:
        """Do all that is asked for in one push; whatever happens, everybody who waits is told."""
        try:
            with self._clone.alone():
                self._push_all(requests)
        except BaseException as error:
            told = error if isinstance(error, JournalError) else JournalError(f"{self._where}: interrupted")
            for request in requests:
                request.error = told
            if not isinstance(error, JournalError):
                raise
        finally:
            for request in requests:
                request.done = True

    def _push_all(self, requests: Sequence[Request]) -> None:
        """Make the requests' commit on the last known state and push it; when others were faster, on theirs."""
        looked, blind = False, 0
        self._go_on_from(self._clone.known())  # another process here may have pushed since
        tried: _Tried | None = None
        for number in range(PUSHES):
            if tried is None or tried.head != self._head:
                tried = self._tried(requests, looked=looked)
            if tried is None:
                return
            pushed, error = self._clone.push(tried.commit, tried.head)
            if pushed is Pushed.DONE:
                self._clone.saw(tried.commit)
                self._head = tried.commit
            # A reply may be lost after the effect: what counts is what the remote holds.
            if pushed is Pushed.DONE or self._clone.holds(self._look(), tried.commit):
                self._pushed = True
                self._held |= {name: lease for name, lease in tried.renewed.items() if name in self._held}
                return
            looked = True
            blind += self._head == tried.head
            if error and self._head == tried.head and (pushed is Pushed.REFUSED or blind >= BLIND):
                raise error
            time.sleep(random.uniform(0, min(1.0, 0.05 * 2**number)))  # noqa: S311 - parts the writers
        raise JournalError(
            f"{self._where}: others were faster {PUSHES} times", hint="run the command again: it goes on"
        )

    def _tried(self, requests: Sequence[Request], *, looked: bool) -> _Tried | None:
        """A commit to push; None when nothing is to change.

        A refusal counts only when it was found on a state that was just fetched.
        """
        draft = self._drafted(requests)
        if not looked and (not draft.changed or any(request.error for request in requests)):
            self._look()
            draft = self._drafted(requests)
        if not draft.changed:
            return None
        renewed = self._prolonged(draft)
        commit = self._clone.commit(
            self._head,
            draft.changed,
            message=draft.message(uuid.uuid4().hex),
            author=_author(draft.author),
            at=max(0, int(draft.now.timestamp())),
        )
        return _Tried(commit=commit, head=self._head, renewed=renewed)

    def _drafted(self, requests: Sequence[Request]) -> Draft:
        """What the requests make of the last known state."""
        paths = {files.HEADER, *map(files.lease_file, list(self._held))}
        paths |= {path for request in requests for path in request.paths}
        names = {path: f"{self._head}:{path}" for path in paths} if self._head else {}
        draft = Draft(where=self._where, now=self._moment(), found=self._clone.read(names))
        for request in requests:
            request.attempt(draft)
        return draft

    def _prolonged(self, draft: Draft) -> dict[str, Lease]:
        """Prolong, since something is pushed anyway, those of our leases of which half is over."""
        renewed = {}
        for name, lease in list(self._held.items()):
            found = draft.lease(name)
            half = found.until - draft.now <= TERM / 2
            if half and found.is_of(lease) and found.until > draft.now:
                draft.keep(found.renewed(now=draft.now), f"prolonged by {found.holder}")
                renewed[name] = draft.lease(name).lease()
        return renewed

    def _in_time(self, lease: Lease, until: datetime) -> None:
        """Refuse what a slow push has brought through after its lease had ended: nothing may be sent on it."""
        held = self._held.get(lease.name)
        if held is not None and held.token == lease.token:
            until = max(until, held.until)
        holding.in_time(lease, until, now=self._moment())

    def _forget(self, lease: Lease) -> None:
        held = self._held.get(lease.name)
        if held is not None and held.token == lease.token:
            del self._held[lease.name]

    def _moment(self) -> datetime:
        return (self._now() if self._now else datetime.now(UTC)).astimezone(UTC)


_FEW = 500  # tenants; for more, everything is listed and sifted here (a command line is bounded)


class _Tried(Struct, frozen=True, kw_only=True):
    """A commit, what it stands on, and the leases that it prolongs."""

    commit: str
    head: str
    renewed: Mapping[str, Lease]


def _author(name: str) -> str:
    """A committer as git takes it."""
    plain = "".join(letter for letter in name if letter.isprintable() and letter not in "<>").strip()
    return f"{plain or 'reconciler'} <reconciler@localhost>"
