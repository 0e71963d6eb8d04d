"""Our own bare clone of the journal's branch: brought up to date, written to, and pushed from, without a work tree."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path

from reconciler.core.errors import JournalError, WorkspaceError
from reconciler.store.branch.address import FORM, Address, urls, without_user
from reconciler.store.branch.git import PATIENT, PUSH, Answer, Git, for_transport, run, settings_of

WAIT = 180.0  # seconds for another process of this machine that is pushing
STALE = 2.0  # seconds after which a lock file of git is that of a git that was killed: we alone may run one


class Pushed(Enum):
    """How a push went."""

    DONE = "done"
    STALE = "stale"  # somebody else pushed before us; nothing of ours is there
    UNKNOWN = "unknown"  # no answer, or a refusal that may pass: look, then try again
    REFUSED = "refused"  # the remote does not let us


class Clone:
    """A branch of a remote, as it was when it was last looked at; every change of it is a push.

    seen: a ref that remembers the last commit known to be on the branch, so that a rewritten one is noticed.
    """

    def __init__(self, folder: Path, address: Address, *, root: Path) -> None:
        self.where = address.shown
        self._ref = f"refs/heads/{address.branch}"
        settings = settings_of(root)
        found = urls(address, _grouped(settings), _top(root))
        if "url" not in found:
            raise WorkspaceError(_unknown(address, root), hint=FORM)
        self._door, self._lock = _prepare(folder, self.where)
        self._git = Git(folder, where=self.where)
        with self.alone():
            self._make(root)
        # Given by the environment, not as arguments: other users see those, and there may be a token.
        own = [(f"remote.journal.{word}", value) for word, value in found.items()]
        self._git.borrow(for_transport(settings), own)
        # Without the user: GitLab's address holds another token in every job.
        name = hashlib.sha256(f"{without_user(found['url'])}#{address.branch}".encode()).hexdigest()[:16]
        self._seen, self._fetched = f"refs/journals/{name}/seen", f"refs/journals/{name}/fetched"
        self._known = False  # whether anything was ever seen

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the other processes that share this clone waiting; the kernel lets go of it when we die.

        Who waits for the lock stands in the door meanwhile, so that nobody who writes a lot comes back before him.
        """
        with self._door.open("rb") as door, self._lock.open("rb") as lock:
            until = time.monotonic() + WAIT
            self._taken(door.fileno(), until)
            self._taken(lock.fileno(), until)
            fcntl.flock(door.fileno(), fcntl.LOCK_UN)
            while self._left_behind():
                time.sleep(0.05)
            yield

    def _left_behind(self) -> bool:
        """Clear away the locks that killed gits left; whether there is one that may still be somebody's."""
        young = False
        for lock in [*self._git.folder.glob("*.lock"), *self._git.folder.glob("refs/**/*.lock")]:
            with contextlib.suppress(OSError):
                if lock != self._lock and time.time() - lock.stat().st_mtime > STALE:
                    lock.unlink()
                elif lock != self._lock:
                    young = True
        return young

    def _taken(self, file: int, until: float) -> None:
        while not _locked(file):
            if time.monotonic() > until:
                raise JournalError(
                    f"{self.where}: another process has been writing for {WAIT:.0f} seconds",
                    hint="try again when it is done",
                )
            time.sleep(0.005)

    def fetch(self) -> str:
        """Look at the remote: the branch's last commit, empty where there is no branch.

        The first time only the present state is fetched, not its history. JournalError when the remote cannot
        be reached, or when what was seen before is no longer part of the branch.
        """
        self._known = self._known or self._seen in self._refs()
        depth = () if self._known else ("--depth=1",)
        answer = self._git.ask(*_FETCH, *depth, "journal", f"+{self._ref}:{self._fetched}", within=PATIENT)
        if answer.code != 0:
            if "couldn't find remote ref" not in answer.words:
                raise self._unreachable("read", answer)
            if self._known:
                raise self._rewritten("the branch is gone", self._refs()[self._seen])
            return ""
        refs = self._refs()
        head, seen = refs[self._fetched], refs.get(self._seen, "")
        if seen and not self.holds(head, seen):
            raise self._rewritten("its history was rewritten", seen)
        if head != seen:
            self.saw(head)
        return head

    def known(self) -> str:
        """The last commit that any process with this clone has seen on the branch."""
        return self._refs().get(self._seen, "")

    def saw(self, head: str) -> None:
        """Remember the commit that is known to be on the branch."""
        self._git.do("update-ref", self._seen, head)
        self._known = True

    def holds(self, head: str, commit: str) -> bool:
        """Whether `commit` is part of the history of `head`."""
        return head == commit or self._git.ask("merge-base", "--is-ancestor", commit, head).code == 0

    def names(self, head: str, *folders: str) -> dict[str, str]:
        """The files of some folders, and the object that each is; of all folders when none is named."""
        if not head:
            return {}
        listing = self._git.do("ls-tree", "-r", "-z", "--full-tree", head, "--", *folders)
        entries = (entry.partition("\t") for entry in listing.decode().split("\0") if entry)
        return {path: about.split()[2] for about, _, path in entries}

    def read(self, names: Mapping[str, str]) -> dict[str, bytes]:
        """What is in objects, by the name of each; one that is not there is left out."""
        if not names:
            return {}
        given = "".join(f"{name}\n" for name in names.values()).encode()
        return dict(_objects(names, self._git.do("cat-file", "--batch", given=given)))

    def commit(self, head: str, files: Mapping[str, bytes], *, message: str, author: str, at: int) -> str:
        """Make a commit on top of `head` in which some files are other; nothing points to it yet."""
        text = message.encode(errors="replace")
        parts = [b"feature done\ncommit refs/draft\nmark :1\ncommitter %s %d +0000\n" % (author.encode(), at)]
        parts += [b"data %d\n%s\n" % (len(text), text)]
        parts += [b"from %s\n" % head.encode()] if head else []
        for path, content in files.items():
            parts += [b'M 100644 inline "%s"\ndata %d\n' % (path.encode(), len(content)), content, b"\n"]
        nothing = b"0" * (len(head) or 40)
        parts += [b"\nget-mark :1\nreset refs/draft\nfrom %s\n\ndone\n" % nothing]
        return self._git.do("fast-import", "--quiet", given=b"".join(parts)).decode().strip()

    def push(self, commit: str, head: str) -> tuple[Pushed, JournalError | None]:
        """Put the branch from `head` to `commit`, if it is at `head` still; and what to say if it cannot be."""
        expected = f"--force-with-lease={self._ref}:{head}"
        answer = self._git.ask(*_PUSH, expected, "journal", f"{commit}:{self._ref}", within=PUSH)
        told = answer.out.decode(errors="replace")
        match answer.code:
            case 0:
                return Pushed.DONE, None
            case 1 if "[rejected]" in told:
                return Pushed.STALE, None
        refused = [line.split("\t")[-1] for line in told.splitlines() if line.startswith("!")]
        words = "; ".join([*refused, answer.words])
        final = any(word in words.casefold() for word in _FINAL)
        error = self._unreachable("write", Answer(answer.code, b"", words))
        return (Pushed.REFUSED if final else Pushed.UNKNOWN), error

    def tidy(self) -> None:
        """Let git pack what has piled up, when it finds that worth while."""
        with self.alone():
            self._git.ask("gc", "--auto", "--quiet")

    def _make(self, root: Path) -> None:
        """Make the repository, unless it is there."""
        if (self._git.folder / "HEAD").exists():
            return
        answer = run(["rev-parse", "--show-object-format"], folder=root)
        kind = "sha256" if answer.out.strip() == b"sha256" else "sha1"
        self._git.do("init", "--quiet", "--bare", "--template=", f"--object-format={kind}")
        (self._git.folder / ".gitignore").write_text("*\n")  # if somebody does not ignore `.reconciler`

    def _refs(self) -> dict[str, str]:
        listing = self._git.do("for-each-ref", "--format=%(refname) %(objectname)", "refs/journals/")
        return dict(line.split(" ") for line in listing.decode().splitlines())

    def _unreachable(self, doing: str, answer: Answer) -> JournalError:
        return JournalError(
            f"{self.where}: cannot {doing} the journal's branch: {answer.words}",
            hint="git must be able to fetch and push this branch without asking (a credential helper, a token, an"
            " ssh key; in CI the right to write contents); then run the command again: it goes on",
        )

    def _rewritten(self, what: str, seen: str) -> JournalError:
        return JournalError(
            f"{self.where}: {what}: commit {seen[:12]}, seen before, is no longer part of it",
            hint="somebody pushed over the journal; put that commit back"
            f" (`git --git-dir {self._git.folder} push URL {seen[:12]}:{self._ref} --force`)."
            " If it was meant, remove that folder. Nothing was sent",
        )


_FETCH = ("fetch", "--quiet", "--no-tags", "--no-prune", "--no-recurse-submodules", "--no-auto-gc")
_PUSH = ("push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")

# Words of a refusal that trying again does not change; everything else is looked into.
_FINAL: tuple[str, ...] = (
    "denied",
    "403",
    "401",
    "authentication",
    "could not read username",
    "hook declined",
    "protected",
)
_FINAL += (
    "not found",
    "does not appear to be",
    "prohibited",
    "gh006",
    "gh013",
    "deny",
    "quarantine",
    "no space",
)


def _prepare(folder: Path, where: str) -> tuple[Path, Path]:
    """Make the folder, for its owner alone, and the files that processes lock."""
    door, lock = folder / "reconciler.door", folder / "reconciler.lock"
    try:
        for missing in reversed([one for one in folder.parents if not one.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        for file in (door, lock):
            os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise JournalError(
            f"{where}: cannot keep a copy of the journal in {folder}: {error.strerror}",
            hint="make the folder writable for this user",
        ) from error
    return door, lock


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _grouped(settings: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in settings:
        found.setdefault(key, []).append(value)
    return found


def _top(root: Path) -> Path:
    """The top of the work tree, where its remotes' relative paths begin."""
    answer = run(["rev-parse", "--show-toplevel"], folder=root)
    return Path(os.fsdecode(answer.out.rstrip(b"\n"))) if answer.code == 0 else root


def _unknown(address: Address, root: Path) -> str:
    """Why a remote's name leads nowhere."""
    answer = run(["rev-parse", "--git-dir"], folder=root)
    why = f": {answer.words}" if answer.code else ""
    return f"{address.shown}: the repository of {root} has no remote {address.remote!r}{why}"


def _objects(names: Iterable[str], answer: bytes) -> Iterator[tuple[str, bytes]]:
    """Take `cat-file --batch`'s answer apart: a line about each object, then its bytes."""
    at = 0
    for name in names:
        end = answer.index(b"\n", at)
        about = answer[at:end]
        at = end + 1
        if about.endswith(b" missing"):
            continue
        size = int(about.rsplit(b" ", 1)[1])
        yield name, answer[at : at + size]
        at += size + 1
