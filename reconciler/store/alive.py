"""A lock file that shows this process lives: the kernel lets go of it however the process ends."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import threading
import time
import uuid
from pathlib import Path

FOLDER = Path(".reconciler/locks")
STALE_AFTER = 600  # seconds; a living holder touches its file whenever it renews, every two minutes or sooner


class Alive:
    """Our own sign of life, made when it is first asked for; `path` is empty where no lock can be had."""

    def __init__(self, root: Path) -> None:
        self._folder = root.absolute() / FOLDER
        self._file: int | None = None
        self._path = ""
        self._making = threading.Lock()
        self.machine = machine()

    @property
    def path(self) -> str:
        """The lock file, held from now until `close`; empty where no lock can be had."""
        with self._making:
            if self._file is None:
                with contextlib.suppress(OSError):
                    self._open()
            return self._path

    def touch(self) -> None:
        """Keep the file from being cleared away as stale."""
        if self._path:
            with contextlib.suppress(OSError):
                os.utime(self._path)

    def close(self, *, keep: bool) -> None:
        """Let go; with `keep` the file stays and shows that its holder is gone."""
        if self._file is None:
            return
        if not keep:
            Path(self._path).unlink(missing_ok=True)
        os.close(self._file)
        self._file, self._path = None, ""

    def _open(self) -> None:
        self._folder.parent.mkdir(mode=0o700, exist_ok=True)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        sweep(self._folder)
        path = self._folder / f"{uuid.uuid4().hex}.lock"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # a file system without locks: expiry alone must do
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        self._file, self._path = file, str(path)


def is_dead(path: str) -> bool:
    """Whether the holder behind a lock file of this machine is surely gone.

    A file that is missing or that we may not read proves nothing. The lock tried is a shared one, so that
    two who look at the same time do not take each other for the holder.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def sweep(folder: Path) -> None:
    """Remove lock files whose holders have been gone for so long that their leases ended by themselves."""
    for path in folder.glob("*.lock"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE_AFTER and is_dead(str(path)):
                path.unlink()


def machine() -> str:
    """Name this machine since it was started, so that a lock file is only judged where it can be."""
    parts = [platform.node(), *(_line(Path(path)) for path in _IDENTITIES)]
    if not any(parts[1:]):
        parts.append(f"{uuid.getnode():x}")
    return f"{platform.node()} {hashlib.sha256(' '.join(parts).encode()).hexdigest()[:16]}"


_IDENTITIES = ("/etc/machine-id", "/proc/sys/kernel/random/boot_id")


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
