"""What `init --ci` writes: every file once, filled with what the workspace names, and nothing that was there."""

import base64
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from reconciler.cli.ci import BRANCH, Kind, write_ci
from reconciler.core.errors import WorkspaceError
from tests.workflows.runner import clean_environment, substitute

WORKFLOWS = {f"licences-{name}.yml" for name in ("pull-request", "apply", "resume", "drift")}


def written(root: Path, kind: Kind = "github") -> str:
    return "".join(file.read_text(encoding="utf-8") for file in write_ci(kind, root))


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_everything_is_written_and_can_be_read(tmp_path: Path, kind: Kind) -> None:
    files = write_ci(kind, tmp_path)

    assert {file.name for file in files} == (WORKFLOWS if kind == "github" else {".gitlab-ci.yml"})
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert file.is_relative_to(tmp_path)
        assert yaml.safe_load(text)
        assert not [
            mark for mark in ("@VERSION@", "@JOURNAL@", "@SECRETS@", "@NAMES@", "@IMAGE@") if mark in text
        ]


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_what_is_there_is_never_overwritten_and_nothing_else_is_written(tmp_path: Path, kind: Kind) -> None:
    first = write_ci(kind, tmp_path)[-1]
    for file in tmp_path.rglob("*.yml"):
        if file != first:
            file.unlink()
    first.write_text("mine", encoding="utf-8")

    with pytest.raises(WorkspaceError, match=str(first.relative_to(tmp_path))):
        write_ci(kind, tmp_path)

    assert first.read_text(encoding="utf-8") == "mine"
    assert list(tmp_path.rglob("*.yml")) == [first]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("a file", encoding="utf-8")

    with pytest.raises(WorkspaceError, match="cannot be written"):
        write_ci("github", tmp_path)


def test_the_credentials_are_those_that_the_workspace_and_its_manifests_refer_to(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants/acme.yaml").write_text("key: env://ACME_KEY_1\n", encoding="utf-8")
    (tmp_path / "reconciler.yaml").write_text(
        "accounts: {a: {credentials: {client_secret: env://MS_SECRET}}}\njournal: env://RECONCILER_JOURNAL\n",
        encoding="utf-8",
    )

    text = written(tmp_path)

    assert text.count("MS_SECRET: ${{ secrets.MS_SECRET }}") == 5  # each step that reaches a provider
    assert "ACME_KEY_1: ${{ secrets.ACME_KEY_1 }}" in text
    assert "OVH_" not in text
    assert "MS_SECRET" in written(tmp_path, "gitlab")


def test_without_a_workspace_the_usual_credentials_are_named(tmp_path: Path) -> None:
    assert "OVH_CONSUMER_KEY: ${{ secrets.OVH_CONSUMER_KEY }}" in written(tmp_path)


@pytest.mark.parametrize(
    ("journal", "set_here", "token"),
    [
        ("", True, True),
        ("sqlite:///.reconciler/journal.db", True, True),
        ("env://RECONCILER_JOURNAL", True, True),
        ("env://DATABASE", False, True),
        ("git+origin#elsewhere", False, True),
        ("postgresql://db.example/licences", False, False),
    ],
)
def test_a_journal_that_the_workspace_names_is_left_to_it(
    tmp_path: Path, journal: str, *, set_here: bool, token: bool
) -> None:
    (tmp_path / "reconciler.yaml").write_text(f"version: 1\njournal: {journal}\n", encoding="utf-8")

    text = written(tmp_path)

    assert (f"secrets.RECONCILER_JOURNAL || '{BRANCH}'" in text) == set_here
    assert ("JOURNAL_TOKEN" in text) == token


def test_a_workspace_that_cannot_be_read_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("version: [\n", encoding="utf-8")

    assert BRANCH in written(tmp_path)


def test_git_shows_the_job_s_token_to_the_server_of_the_repository_and_to_no_other(tmp_path: Path) -> None:
    write_ci("github", tmp_path)
    job = yaml.safe_load((tmp_path / ".github/workflows/licences-resume.yml").read_text(encoding="utf-8"))
    [env] = [step["env"] for step in job["jobs"]["resume"]["steps"] if "JOURNAL_TOKEN" in step.get("env", {})]
    shown: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers["Authorization"])
            self.send_response(403 if shown[-1] else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        port = server.server_port
        context = {"github.server_url": f"http://127.0.0.1:{port}", "github.token": "canary-9f31"}
        given = {name: substitute(str(value), context) for name, value in env.items()}
        for host in ("127.0.0.1", "localhost"):
            subprocess.run(
                ["git", "ls-remote", f"http://{host}:{port}/o/r.git"],
                cwd=tmp_path,
                env={**clean_environment(), **given, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true"},
                capture_output=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        server.shutdown()

    token = base64.b64encode(b"x-access-token:canary-9f31").decode()
    assert shown[:2] == [None, f"Basic {token}"]
    assert len(shown) > 2  # the other name of the host was asked
    assert f"Basic {token}" not in shown[2:]
