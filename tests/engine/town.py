"""A workspace that real processes work in: started, killed, gone on with, and judged by the provider's ledger."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from reconciler.core.progress import Progress
from reconciler.core.replay import replay
from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World
from reconciler.store.journal import open_journal
from tests.engine.processes import Child, Place, spawned
from tests.engine.stories import Story

PATIENCE = 60.0
"""Seconds after which a process that does not end has failed."""
ROUNDS = 4
KEYS = {
    "TOWN_APPLICATION_KEY": gate.APPLICATION_KEY,
    "TOWN_APPLICATION_SECRET": gate.APPLICATION_SECRET,
    "TOWN_CONSUMER_KEY": gate.CONSUMER_KEY,
    "TOWN_CLIENT_SECRET": keys.CLIENT_SECRET,
    "TOWN_REFRESH_TOKEN": keys.REFRESH_TOKEN,
}
SIGNED = """
    credentials:
      application_key: env://TOWN_APPLICATION_KEY
      application_secret: env://TOWN_APPLICATION_SECRET
      consumer_key: env://TOWN_CONSUMER_KEY"""
PERSON = f"""
    credentials:
      tenant_id: {keys.PARTNER_TENANT}
      client_id: {keys.CLIENT_ID}
      client_secret: env://TOWN_CLIENT_SECRET
      refresh_token: env://TOWN_REFRESH_TOKEN"""
SURFACES = "{{login: {url}/login, partner_center: {url}/partner-center, graph: {url}/graph}}"
WORKSPACE = """
version: 1
accounts:
  ovh-main:
    api: ovh
    settle: {settle}
    poll: 200ms
    endpoint: {ovh}
  partner:
    api: microsoft
    settle: {settle}
    poll: 200ms
    endpoint: {microsoft}
  home:
    api: manual
journal: {journal}
"""


def environment() -> dict[str, str]:
    """What a process is told: nothing of CI, where a journal that is a new file may not buy."""
    return {key: value for key, value in os.environ.items() if key != "CI"} | {"NO_COLOR": "1"} | KEYS


def workspace(url: str, *, settle: str, journal: str) -> str:
    """A workspace file; its accounts are at a sandbox that is served at `url`, or embedded when that is empty."""
    ovh, microsoft = "sandbox", "sandbox"
    if url:
        ovh = f"{url}/1.0{SIGNED}"
        microsoft = SURFACES.format(url=url) + PERSON
    return WORKSPACE.format(settle=settle, journal=journal, ovh=ovh, microsoft=microsoft)


class Start(Protocol):
    """How a process is started."""

    def __call__(self, words: Sequence[str], place: Place, /) -> Child:
        """Start it."""
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended and what it said."""

    code: int
    out: str
    err: str


@dataclass
class Town:
    """A workspace in a folder of its own, with a sandbox embedded in each process or served beside them.

    delay: how late the provider delivers, in real seconds. settle: after how long absence is a proof.
    """

    root: Path
    story: Story
    journal: str = "sqlite:///journal.db"
    delay: float = 0.3
    settle: str = "2s"
    start_with: Start = spawned
    started: int = 0
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.root / "tenants").mkdir(parents=True)
        (self.root / ".reconciler").mkdir(mode=0o700)
        self.write(self.story.tenant)
        self.workspace("")
        with closing(self.world()) as world:
            world.load(yaml.safe_load(self.story.world) or {})
            world.set("delay", str(self.delay))

    def write(self, tenant: str) -> None:
        """Write the tenant's file."""
        (self.root / "tenants" / "acme.yaml").write_text(tenant)

    def workspace(self, url: str) -> None:
        """Write the workspace's file; without a URL every process has the sandbox in itself."""
        text = workspace(url, settle=self.settle, journal=self.journal)
        (self.root / "reconciler.yaml").write_text(text)

    def begin(self) -> None:
        """Let happen what the story says was before."""
        if self.story.before:
            self.write(self.story.before)
            assert self.run("apply", "--yes", "--wait", "30s", "--quiet").code == 0
            self.write(self.story.tenant)
        with closing(self.world()) as world:
            for change in self.story.start:
                world.change(change)

    @contextmanager
    def served(self) -> Iterator[None]:
        """Let every process reach the sandbox over HTTP; it lives on when they are killed."""
        place = self._place()
        server = self.start_with(("sandbox", "serve", "--port", "0"), place)
        try:
            self.workspace(address(place.out, server))
            yield
        finally:
            server.kill()
            server.wait(PATIENCE)

    def world(self) -> World:
        """The provider, seen from its own side."""
        return World.open(self.root / ".reconciler" / "sandbox.db")

    def start(self, *words: str, how: Start | None = None) -> tuple[Child, Place]:
        """Start a process."""
        place = self._place()
        return (how or self.start_with)(words, place), place

    def run(self, *words: str) -> Ended:
        """Run a process to its end, which is never a trace."""
        return self.end(*self.start(*words))

    def end(self, process: Child, place: Place) -> Ended:
        """Wait for a process' end, which is never a trace."""
        code = process.wait(PATIENCE)
        ended = Ended(code, place.out.read_text(), place.err.read_text())
        assert "Traceback" not in ended.err, ended.err
        self.log.append(f"ended {code}")
        return ended

    def ledger(self, what: str) -> int:
        """How often something took effect at the provider."""
        with closing(self.world()) as world:
            return sum(entry["what"] == what for entry in world.ledger())

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Look into the provider's own tables."""
        with closing(self.world()) as world, world.transaction() as tx:
            return [dict(row) for row in tx.all(query, *values)]

    def wait_for(self, seen: Callable[[World], Any], process: Child) -> None:
        """Wait until the provider shows something, or the process has ended."""
        with closing(self.world()) as world:
            until = time.monotonic() + PATIENCE
            while not seen(world) and process.poll() is None and time.monotonic() < until:
                time.sleep(0.005)

    def killed_while_held(self, method: str, path: str) -> int:
        """Kill an apply while a server holds the answer to one of its writes; how the process ended."""
        with closing(self.world()) as world:
            world.fault("slow", method=method, path=path, seconds=60)
        process, _ = self.start("apply", "--yes", "--quiet")
        self.wait_for(lambda world: world.faults()[0]["fired"], process)
        process.kill()
        return process.wait()

    def goes_on(self) -> None:
        """Other processes go on until all is done; a person looks where nobody can know."""
        codes: list[int] = []
        for _ in range(ROUNDS):
            resumed = self.run("resume", "--wait", "30s", "--quiet")
            codes.append(resumed.code)
            if resumed.code == 8:
                assert self.story.name == "csp2-order", resumed.out
                self._look()
            codes.append(self.run("apply", "--yes", "--wait", "30s", "--quiet").code)
            if codes[-1] == 0:
                break
            self._help()
        assert codes[-1] == 0, codes
        self.came_true()

    def came_true(self) -> None:
        """The story came true exactly once, and nothing is left open in a journal that can be read."""
        happened = {what: self.ledger(what) for what in self.story.effects}
        assert happened == self.story.effects, happened
        assert self.story.check(self) == self.story.end, self.story.check(self)
        progress = self._progress()
        assert not progress.open, progress.open
        assert not progress.todo, progress.todo

    def _progress(self) -> Progress:
        with closing(open_journal(self.journal, root=self.root, create=False, env={})) as journal:
            assert not journal.leases(), journal.leases()
            return replay(journal.events(["acme"]))

    def _help(self) -> None:
        """Do what a person is asked for: at the provider, and where nobody else can know."""
        with closing(self.world()) as world:
            for change in self.story.helps:
                with suppress(ValueError):  # nobody can sign or publish what was not asked for yet
                    world.change(change)
        for known in self._progress().open.values():
            if known.stage == "accepted" and known.waiting_on == "person" and not known.ticket:
                assert self.run("confirm", "acme", known.action.address, "--by", "ada").code == 0

    def _look(self) -> None:
        new = self.rows("SELECT id FROM subscription WHERE licence = 12")
        said = ["--happened", str(new[0]["id"])] if new else ["--did-not-happen"]
        assert self.run("resolve", "acme", "group/standard", *said).code == 0

    def _place(self) -> Place:
        self.started += 1
        name = self.root / ".reconciler" / str(self.started)
        return Place(
            cwd=self.root, env=environment(), out=name.with_suffix(".out"), err=name.with_suffix(".err")
        )


def address(out: Path, process: Child) -> str:
    """Where a `sandbox serve` stands, once it says so."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if out.exists() and (found := re.search(r"(http://\S+)/1\.0\n", out.read_text())):
            return found[1]
        time.sleep(0.005)
    raise subprocess.TimeoutExpired("sandbox serve", PATIENCE)
