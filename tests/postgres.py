"""A throwaway PostgreSQL server on loopback, and empty databases in it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import psycopg


def binaries() -> Path | None:
    """Where a PostgreSQL server's programs are; None when there are none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return debian[-1].parent if debian else None


@contextlib.contextmanager
def serving(programs: Path) -> Iterator[str]:
    """Run a server with an empty data folder; gives its URL without a database."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        owner = _server_user(folder)
        data, port = folder / "data", _free_port()
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        control: list[Path | str] = [programs / "pg_ctl", "--pgdata", data, "--silent"]
        as_it_is = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        _run([programs / "initdb", "-D", data, *as_it_is], owner)
        _run([*control, "--wait", "--log", folder / "log", "--options", options, "start"], owner)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}"
        finally:
            _run([*control, "--wait", "--mode", "immediate", "stop"], owner)


@contextlib.contextmanager
def database(server: str) -> Iterator[str]:
    """The URL of an empty database, which is gone afterwards."""
    name = f"test_{uuid4().hex}"
    with contextlib.closing(psycopg.connect(f"{server}/postgres", autocommit=True)) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{server}/{name}"
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _server_user(folder: Path) -> str | None:
    """Who runs the server: PostgreSQL refuses root, so root hands the folder to another user."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    shutil.chown(folder, user)
    return user


def _run(command: Sequence[Path | str], user: str | None) -> None:
    """Run a command of the server as its user; its own words when it fails."""
    result = subprocess.run(  # noqa: PLW1510 - judged below, with its output
        command,
        user=user,
        cwd="/",
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )
    assert result.returncode == 0, f"{command[0]}: {result.stdout}{result.stderr}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
