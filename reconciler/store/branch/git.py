"""Runs the real git in a repository of our own, with the credentials that git has in the work tree."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from reconciler.core.errors import JournalError
from reconciler.store.branch.address import without_user
from reconciler.store.revisions import clean

QUICK = 60.0  # seconds for what stays on this machine
PATIENT = 120.0  # seconds for what comes over the network
PUSH = 60.0  # seconds for one push; half of a lease

Setting = tuple[str, str]


class Answer(Struct, frozen=True):
    """What git said; `code` is None when it did not end in time."""

    code: int | None
    out: bytes
    words: str


class Git:
    """One bare repository, and the settings that every git in it is given besides the machine's."""

    def __init__(self, folder: Path, *, where: str) -> None:
        self.folder = folder
        self._where = where
        self._settings: tuple[Setting, ...] = _OWN

    def borrow(self, lent: Sequence[Setting], own: Sequence[Setting]) -> None:
        """Use the settings `lent`, as far as git does not see them here already, and `own`."""
        here = set(read_settings(self.ask("config", "--list", "-z").out))
        missing = [one for one in lent if one not in here]
        asks_nobody = () if _has_ssh(lent) else (_SSH,)
        self._settings = (*_OWN, *asks_nobody, *missing, *own)

    def ask(self, *arguments: str, given: bytes = b"", within: float = QUICK) -> Answer:
        """Run git, whatever it says."""
        return run(
            ["--git-dir", str(self.folder), *arguments],
            folder=self.folder,
            settings=self._settings,
            given=given,
            within=within,
        )

    def do(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run git; JournalError unless it went well."""
        answer = self.ask(*arguments, given=given)
        if answer.code != 0:
            raise JournalError(
                f"{self._where}: git {arguments[0]} in {self.folder}: {answer.words}",
                hint="this folder is only a copy of the journal's branch: if it is damaged, remove it",
            )
        return answer.out


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    settings: Sequence[Setting] = (),
    given: bytes = b"",
    within: float = QUICK,
) -> Answer:
    """Run git in `folder` in a session of its own: a Ctrl-C meant for us must not cut a push in two."""
    try:
        process = subprocess.Popen(
            ["git", *arguments],
            cwd=folder,
            env=_environment(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise JournalError(
            f"git, which keeps the journal, is not installed or cannot be run in {folder}: {error.strerror}",
            hint="install git 2.30 or later",
        ) from error
    with process:
        try:
            out, err = process.communicate(given, within)
        except subprocess.TimeoutExpired:
            _end(process)
            return Answer(None, b"", f"no answer within {within:.0f} seconds")
        except BaseException:
            _end(process)
            raise
    return Answer(process.returncode, out, _words(err) or f"ended with {process.returncode}")


def settings_of(folder: Path) -> tuple[Setting, ...]:
    """Every setting that git sees in a folder, in order: the machine's, the user's, the repository's."""
    return tuple(read_settings(run(["config", "--list", "-z"], folder=folder).out))


def for_transport(settings: Sequence[Setting]) -> tuple[Setting, ...]:
    """Those that say how a remote is reached and who we are to it."""
    return tuple((key, value) for key, value in settings if _TRANSPORT.match(key))


def read_settings(listing: bytes) -> Iterator[Setting]:
    """Read `git config --list -z`; a setting without a value is true."""
    for entry in listing.decode("utf-8", "surrogateescape").split("\0"):
        key, mark, value = entry.partition("\n")
        if key:
            yield key, value if mark else "true"


_TRANSPORT = re.compile(r"(http|credential|url|protocol|ssh)\.|core\.(sshcommand|askpass|gitproxy)$")

# Nobody's hooks and signatures; a remote that stopped answering is given up.
_OWN: tuple[Setting, ...] = (
    ("core.hooksPath", os.devnull),
    ("push.gpgSign", "false"),
    ("gc.autoDetach", "false"),
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "30"),
)
_SSH: Setting = ("core.sshCommand", "ssh -o BatchMode=yes -o ConnectTimeout=20")

# Beyond what `clean` drops: a hook's objects, and traces, which would carry credentials into our messages.
_ASTRAY: tuple[str, ...] = (
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT",
    "GIT_QUARANTINE",
    "GIT_SHALLOW_FILE",
)
_ASTRAY += ("GIT_TRACE", "GIT_CURL_VERBOSE", "GIT_REFLOG", "GIT_AUTHOR", "GIT_COMMITTER", "GIT_DEFAULT_HASH")


def _has_ssh(settings: Sequence[Setting]) -> bool:
    """Whether somebody has said which ssh to use."""
    return "GIT_SSH" in os.environ or any(key == "core.sshcommand" for key, _ in settings)


def _environment(settings: Sequence[Setting]) -> dict[str, str]:
    """The environment for git; settings go in here, where no other user can see a token in them."""
    env = {name: value for name, value in clean(os.environ).items() if not name.startswith(_ASTRAY)}
    env["GIT_TERMINAL_PROMPT"] = "0"
    return env | _numbered(settings, env.get("GIT_CONFIG_COUNT", "0"))


def _numbered(settings: Sequence[Setting], given: str) -> dict[str, str]:
    """Settings as git reads them from the environment, behind those that are there already."""
    first = int(given) if given.isdecimal() else 0
    found = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, first):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _words(err: bytes) -> str:
    """What git complained of, on one line, without addresses' users and tokens."""
    lines = (line.strip() for line in err.decode(errors="replace").replace("\r", "\n").splitlines())
    told = [re.sub(r"^(fatal|error|remote): ", "", line) for line in lines if not line.startswith("hint:")]
    return without_user("; ".join(line for line in told if line))[:500]
