"""A workspace with the sandbox as its provider, and commands typed in it, within this process."""

import contextlib
import io
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.cli.main import main

WORKSPACE = """\
version: 1
accounts:
  ovh-main: {api: ovh, endpoint: sandbox}
"""

ACME = """\
version: 1
tenant: acme
provider: ovh-prepaid
account: ovh-main
license_groups:
  - {name: office, product: business, seats: 2, service: acme.o365.ovh.com}
users:
  - {login: ada, first_name: Ada, last_name: Lovelace, country: lt, licenses: [office]}
"""

RESELLER = """\
version: 1
tenant: resell
provider: ovh-csp2
account: ovh-main
service: contoso
license_groups:
  - {name: basic, product: Microsoft 365 Business Basic, seats: 10, subscription: 501}
"""

WORLD = """\
account: {nichandle: xx0000-ovh, subsidiary: FR, currency: EUR, default_payment: true}
prepaid:
  - service: acme.o365.ovh.com
    seats:
      - licence: business
        people: [{login: ada, first_name: Ada, last_name: Lovelace, country: lt}]
        empty: 1
csp2:
  - service: contoso
    subscriptions: [{id: 501, licence: 11, quantity: 10}]
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Place:
    """A folder with a workspace in it; commands are typed there."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def run(self, line: str, env: Mapping[str, str] | None = None) -> Ran:
        return run(self.root, line, env)

    def at_terminal(self, line: str, answer: bytes) -> tuple[int, str]:
        """Type a command at a terminal, in a process of its own, and answer its question."""
        ours, theirs = pty.openpty()
        foreign = re.compile("RECONCILER_|CI$|GITHUB_")
        environment = {key: value for key, value in os.environ.items() if not foreign.match(key)}
        done = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *shlex.split(line)],
            cwd=self.root,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment | {"PYTHONPATH": ":".join(sys.path)},
        )
        os.close(theirs)
        os.write(ours, answer)
        out, _ = done.communicate(timeout=60)
        os.close(ours)
        return done.returncode, out

    def ok(self, line: str) -> str:
        done = self.run(line)
        assert done.code == 0, f"{line}\n{done.out}{done.err}"
        return done.out

    def plan(self, line: str = "") -> Any:
        return self.run(f"plan --format json {line}").json

    def tenant(self, name: str = "acme", line: str = "") -> Any:
        return next(one for one in self.plan(line)["tenants"] if one["tenant"] == name)

    def ledger(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.ok("sandbox ledger --format json"))
        return found

    def effects(self) -> list[dict[str, Any]]:
        """What took effect at the provider, without carts that were only asked for a price."""
        return [row for row in self.ledger() if not row["what"].startswith("cart-")]

    def world(self, text: str) -> None:
        self.write("world.yaml", text)
        self.ok("sandbox reset --world world.yaml")


def run(folder: Path, line: str, env: Mapping[str, str] | None = None) -> Ran:
    """Type a command in a folder, with nothing of the caller's settings."""
    with (
        _standing_in(folder),
        _environment({"COLUMNS": "100", **(env or {})}),
        _typed(shlex.split(line)) as said,
    ):
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        texts = []
        for stream in said:
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined] # it is a BytesIO
    return Ran(code, *texts)


@contextlib.contextmanager
def _standing_in(folder: Path) -> Iterator[None]:
    with contextlib.chdir(folder):
        yield


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    kept = dict(os.environ)
    foreign = re.compile("RECONCILER_|CI$|CI_|GITHUB_|GH_TOKEN$|GITLAB_|NO_COLOR$|FORCE_COLOR$|COLUMNS$|GIT_")
    for name in kept:
        if foreign.match(name):
            del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


@contextlib.contextmanager
def _typed(words: list[str]) -> Iterator[tuple[io.TextIOWrapper, io.TextIOWrapper]]:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    argv, stdin = sys.argv, sys.stdin
    sys.argv, sys.stdin = ["reconciler", *words], io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield out, err
    finally:
        sys.argv, sys.stdin = argv, stdin
