"""Where a journal's branch is: `git+origin#reconciler-journal`, or a whole address in place of `origin`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from reconciler.core.errors import WorkspaceError

FORM = "write git+REMOTE#BRANCH, as in git+origin#reconciler-journal; REMOTE is a remote of the manifests'"
FORM += " repository, or an address: file:///, https:// or ssh://"


class Address(Struct, frozen=True, kw_only=True):
    """A branch at a remote; `remote` is a name that the work tree's repository knows, or an address."""

    remote: str
    branch: str

    @property
    def shown(self) -> str:
        """The address as people may see it."""
        return f"git+{without_user(self.remote)}#{self.branch}"


def parse(text: str) -> Address:
    """Read what follows `git+`."""
    remote, _, branch = text.partition("#")
    if not remote or not branch:
        raise WorkspaceError("the journal's git address names no remote or no branch", hint=FORM)
    if not _BRANCH.fullmatch(branch) or any(part in branch for part in ("..", "//", "@{", "/.", ".lock")):
        raise WorkspaceError(f"{branch!r} cannot be the name of a git branch", hint=FORM)
    if not (_NAME.fullmatch(remote) or _SCP.fullmatch(remote) or _is_safe(remote)):
        raise WorkspaceError("the journal's git address is none that may be used", hint=FORM)
    return Address(remote=remote, branch=branch)


def urls(address: Address, settings: Mapping[str, Sequence[str]], top: Path) -> dict[str, str]:
    """The remote's settings `url` and, where there is one, `pushurl`; none when no such remote is known.

    `settings` are those of the work tree's repository, and `top` is where its relative paths begin.
    """
    if not _NAME.fullmatch(address.remote):
        return {"url": address.remote}
    found = {word: settings.get(f"remote.{address.remote}.{word}", ()) for word in ("url", "pushurl")}
    return {word: _absolute(values[0], top) for word, values in found.items() if values}


def without_user(text: str) -> str:
    """A text with no user, password or token in any address that it holds."""
    return _USER.sub(r"\1", text)


_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_SCP = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:(?!:)[^\s]+")  # git@github.com:owner/repository
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*[A-Za-z0-9_-]|[A-Za-z0-9_]")
_USER = re.compile(r"\b([a-z][a-z0-9+]*://)[^/\s@]*@", re.IGNORECASE)


def _is_safe(remote: str) -> bool:
    """Whether an address is of a kind that is private and cannot run a program."""
    try:
        parts = urlsplit(remote)
        host, _ = parts.hostname, parts.port  # a password that is not escaped may look like a port
    except ValueError:
        return False
    if "@" in parts.path:  # or like a folder, with the host behind it
        return False
    match parts.scheme:
        case "file":
            return not parts.netloc and parts.path.startswith("/")
        case "https" | "ssh":
            return bool(host) and not str(host).startswith("-")
        case "http":
            return _is_loopback(host or "")
    return False


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _absolute(url: str, top: Path) -> str:
    """A remote's address; a relative path is read from the work tree, as git does."""
    if "://" in url or re.match(r"[^/]*:", url):
        return url
    return str((top / url).resolve())
