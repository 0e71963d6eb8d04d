"""The journal's branch from a checkout as CI makes it: shallow, credentials in its settings, nothing of it touched."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from reconciler.core.errors import JournalError, WorkspaceError
from reconciler.store.branch.opening import FOLDER
from tests.store.makers import Opener, Repository, event
from tests.store.remotes import Remote

ADDRESS = "git+origin#journal"
TOKEN = "canary-9f31"


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    """A remote that already holds manifests, and accepts pushes over HTTP."""
    remote = Remote(tmp_path / "remote.git")
    remote.git("config", "http.receivepack", "true")
    local = Repository(tmp_path / "local")
    local.write("reconciler.yaml", "version: 1\n")
    local.commit()
    local.commit("Another")
    local.git("push", "--quiet", str(remote.folder), "main")
    return remote


@pytest.fixture
def checkout(remote: Remote, tmp_path: Path) -> Repository:
    """A shallow checkout, as CI makes it."""
    folder = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{remote.folder}", folder], check=True)
    return Repository(folder)


class Handler(BaseHTTPRequestHandler):
    """Git over HTTP, by git's own back end, for those who show the token, as a user or as a header."""

    protocol_version = "HTTP/1.0"
    root: Path
    asked: list[str]

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def serve(self) -> None:
        self.asked.append(self.headers.get("Authorization", ""))
        if self.headers.get_all("Authorization") != ["Basic Y2k6Y2FuYXJ5LTlmMzE="]:  # ci:canary-9f31
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "ci",
        }
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(root: Path) -> Iterator[type[Handler]]:
    class Here(Handler):
        asked: list[str] = []  # noqa: RUF012 - one a server

    Here.root = root
    with ThreadingHTTPServer(("127.0.0.1", 0), Here) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        Here.url = f"http://127.0.0.1:{server.server_port}/remote.git"  # type: ignore[attr-defined]
        try:
            yield Here
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def url(remote: Remote, checkout: Repository) -> Iterator[str]:
    """The remote over HTTP, which is what `origin` of the checkout is."""
    with served(remote.folder.parent) as server:
        found = str(vars(server)["url"])
        checkout.git("remote", "set-url", "origin", found)
        yield found


def state(repository: Repository) -> list[object]:
    """All that a journal must leave as it is."""
    folder = repository.folder
    return [
        repository.git("for-each-ref"),
        repository.git("status", "--porcelain", "--ignored", "--", ":!.reconciler"),
        repository.git("count-objects", "-v"),
        (folder / ".git" / "config").read_bytes(),
        (folder / ".git" / "index").read_bytes(),
        (folder / ".git" / "shallow").read_bytes(),
        sorted(path.name for path in (folder / ".git").iterdir()),
    ]


def test_a_shallow_checkout_is_used_and_left_as_it_was(
    opening: Opener, checkout: Repository, remote: Remote
) -> None:
    before, main = state(checkout), remote.git("rev-parse", "main")

    journal = opening(ADDRESS, root=checkout.folder)
    written = journal.append(event())

    assert journal.events() == written
    assert state(checkout) == before
    assert remote.git("rev-parse", "main") == main
    assert remote.git("merge-base", "--all", "--octopus", "journal") == remote.head
    assert checkout.git("status", "--porcelain", "--", str(FOLDER)) == ""


def test_the_workspace_may_be_a_folder_of_the_repository(
    opening: Opener, checkout: Repository, remote: Remote, tmp_path: Path
) -> None:
    checkout.git("remote", "set-url", "origin", "../remote.git")  # from the top, wherever we are
    folder = checkout.folder / "licences"
    folder.mkdir()

    opening(ADDRESS, root=folder).append(event())

    assert remote.commits == 2
    assert (folder / FOLDER).exists()
    assert tmp_path.exists()


def test_git_hooks_set_variables_that_do_not_lead_astray(
    opening: Opener, checkout: Repository, remote: Remote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = Repository(tmp_path / "other")
    for name, value in (
        ("GIT_DIR", other.folder / ".git"),
        ("GIT_OBJECT_DIRECTORY", other.folder / ".git/objects"),
        ("GIT_INDEX_FILE", other.folder / "x"),
        ("GIT_TRACE", "1"),
        ("GIT_COMMITTER_DATE", "nonsense"),
    ):
        monkeypatch.setenv(name, str(value))

    opening(ADDRESS, root=checkout.folder).append(event())

    monkeypatch.undo()
    assert remote.commits == 2
    assert other.git("count-objects") == "0 objects, 0 kilobytes"


def test_the_users_hooks_and_signatures_play_no_part(
    opening: Opener, checkout: Repository, remote: Remote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hooks").mkdir()
    hook = tmp_path / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f"[core]\nhooksPath = {tmp_path / 'hooks'}\n[push]\ngpgSign = true\nfollowTags = true\n"
        "[commit]\ngpgSign = true\n[fetch]\nprune = true\npruneTags = true\n[init]\ntemplateDir = /nowhere\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))

    journal = opening(ADDRESS, root=checkout.folder)

    assert journal.append(event()) == journal.events()
    assert remote.commits == 2


def test_a_header_in_the_checkouts_settings_is_shown_once(
    opening: Opener, checkout: Repository, remote: Remote, url: str
) -> None:
    """As actions/checkout leaves its token."""
    checkout.git("config", f"http.{url}.extraheader", "AUTHORIZATION: basic Y2k6Y2FuYXJ5LTlmMzE=")
    checkout.git("config", f"http.{url}.extraheader", "Authorization: Basic Y2k6Y2FuYXJ5LTlmMzE=")

    journal = opening(ADDRESS, root=checkout.folder)

    assert journal.append(event()) == journal.events()
    assert remote.commits == 2


def test_settings_included_for_the_checkout_alone_count(
    opening: Opener, checkout: Repository, remote: Remote, url: str, tmp_path: Path
) -> None:
    """As newer versions of actions/checkout leave it: in a file that only this repository includes."""
    included = tmp_path / "credentials"
    included.write_text(f'[http "{url}"]\nextraheader = Authorization: Basic Y2k6Y2FuYXJ5LTlmMzE=\n')
    checkout.git("config", f"includeIf.gitdir:{checkout.folder}/.git.path", str(included))

    opening(ADDRESS, root=checkout.folder).append(event())

    assert remote.commits == 2


def test_a_credential_helper_of_the_checkout_is_asked(
    opening: Opener, checkout: Repository, remote: Remote, url: str
) -> None:
    checkout.git("config", "credential.helper", f"!f() {{ echo username=ci; echo password={TOKEN}; }}; f")

    opening(ADDRESS, root=checkout.folder).append(event())

    assert url
    assert remote.commits == 2


def test_git_askpass_is_asked(
    opening: Opener,
    checkout: Repository,
    remote: Remote,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    program = tmp_path / "askpass"
    program.write_text(f'#!/bin/sh\ncase "$1" in User*) echo ci;; *) echo {TOKEN};; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("GIT_ASKPASS", str(program))

    opening(ADDRESS, root=checkout.folder).append(event())

    assert url
    assert remote.commits == 2


def test_credentials_for_one_step_may_come_from_its_environment(
    opening: Opener, checkout: Repository, remote: Remote, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/journal.md shows it, with settings in the environment that we add to."""
    host = url.rpartition("/")[0]
    helper = '!f() { test "$1" = get && echo "password=$JOURNAL_TOKEN"; }; f'
    given = {"KEY_0": f"credential.{host}.username", "VALUE_0": "ci", "KEY_1": f"credential.{host}.helper"}
    for name, value in (given | {"VALUE_1": helper, "COUNT": "2"}).items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    monkeypatch.setenv("JOURNAL_TOKEN", TOKEN)

    opening(ADDRESS, root=checkout.folder).append(event())

    assert remote.commits == 2


def test_without_credentials_nothing_is_asked_on_the_terminal(
    opening: Opener, checkout: Repository, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_ASKPASS", "SSH_ASKPASS"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(
        JournalError, match=r"git\+origin#journal: cannot read the journal's branch"
    ) as refused:
        opening(ADDRESS, root=checkout.folder)

    assert "without asking" in refused.value.hint
    assert url


def test_a_token_in_the_variables_address_is_in_no_message_and_no_file(
    opening: Opener, checkout: Repository, remote: Remote, url: str
) -> None:
    good = url.replace("//", f"//ci:{TOKEN}@")
    env = {
        "RECONCILER_JOURNAL": f"git+{good}#journal",
        "WRONG": f"git+{good.replace('9f31', '0000')}#journal",
    }

    opening("env://RECONCILER_JOURNAL", root=checkout.folder, env=env).append(event())
    with pytest.raises(JournalError) as refused:
        opening("env://WRONG", root=checkout.folder, env=env)

    assert remote.commits == 2
    assert "canary" not in refused.value.message + refused.value.hint
    for path in (checkout.folder / ".reconciler").rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes()
    assert TOKEN not in remote.git("log", "-p", "journal")


def test_a_remote_that_is_not_there_is_named(opening: Opener, checkout: Repository, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="has no remote 'upstream'"):
        opening("git+upstream#journal", root=checkout.folder)
    (tmp_path / "nowhere").mkdir()
    with pytest.raises(WorkspaceError, match=r"has no remote 'origin': not a git repository"):
        opening(ADDRESS, root=tmp_path / "nowhere")


def test_without_git_it_is_said(
    opening: Opener, checkout: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(JournalError, match="git, which keeps the journal, is not installed") as refused:
        opening(ADDRESS, root=checkout.folder)

    assert "install git" in refused.value.hint
