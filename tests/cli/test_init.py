"""A workspace from nothing: by options, at a terminal, with credentials that are tried at once."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.init import PROVIDERS
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World
from tests.cli.place import Place
from tests.gate.served import served


@pytest.fixture
def empty(tmp_path: Path) -> Place:
    return Place(tmp_path)


def files(place: Place) -> list[str]:
    return sorted(
        str(one.relative_to(place.root))
        for one in place.root.rglob("*")
        if one.is_file() and ".reconciler" not in one.parts and ".git" not in one.parts
    )


WRITTEN = [
    ".gitignore",
    "reconciler.yaml",
    "schemas/tenant.schema.json",
    "schemas/workspace.schema.json",
    "tenants/example.yaml",
]


def test_without_a_word_it_is_a_sandbox_and_everything_works_at_once(empty: Place) -> None:
    said = empty.ok("init")

    assert files(empty) == WRITTEN
    assert "is a sandbox" in said
    assert "1 tenant, no errors" in empty.ok("validate")
    empty.ok("fmt --check")
    assert empty.plan()["summary"]["order"] == 1
    assert ".reconciler/\n" in (empty.root / ".gitignore").read_text()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_begins_with_a_plan_that_works(empty: Place, provider: str) -> None:
    empty.ok(f"init --sandbox --provider {provider} --tenant acme --account mine")

    assert "1 tenant, no errors" in empty.ok("validate")
    empty.ok("fmt --check")
    done = empty.run("plan --format json")
    tenant = done.json["tenants"][0]
    assert done.code == 0, done.out
    assert (tenant["tenant"], tenant["status"], tenant["provider"]) == ("acme", "changes", provider)
    assert "account: mine" in (empty.root / "tenants/acme.yaml").read_text()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_at_a_real_provider_the_example_is_held(empty: Place, provider: str) -> None:
    endpoint = {"partner-center": "--endpoint public", "home-pl": ""}.get(provider, "--endpoint ovh-eu")

    said = empty.ok(f"init --provider {provider} {endpoint}")

    assert "1 tenant, no errors" in empty.ok("validate")
    empty.ok("fmt --check")
    assert "hold:" in (empty.root / "tenants/example.yaml").read_text()
    assert not (empty.root / ".reconciler").exists()
    if provider.startswith("ovh"):
        assert "https://eu.api.ovh.com/createToken/?GET=" in said
        assert "Not there yet: OVH_APPLICATION_KEY, OVH_APPLICATION_SECRET, OVH_CONSUMER_KEY" in said
        assert "reconciler import --account ovh-main" in said
    if provider == "partner-center":
        assert "User.ReadWrite.All" in said
        assert "MICROSOFT_REFRESH_TOKEN" in said


def test_schemas_are_beside_the_files_that_name_them(empty: Place) -> None:
    empty.ok("init")

    for name, kind in (("reconciler.yaml", "workspace"), ("tenants/example.yaml", "tenant")):
        file = empty.root / name
        way = file.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        assert json.loads((file.parent / way).read_text()) == json.loads(empty.ok(f"schema {kind}"))


def test_what_is_imported_later_names_the_schemas_too(empty: Place) -> None:
    empty.ok("init")
    empty.world(json.dumps({"payg": [{"service": "pays.o365.ovh.com"}]}))

    empty.ok("import --account ovh-main")

    first = (empty.root / "tenants/pays.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schemas/tenant.schema.json"


def test_where_everything_is_there_already_it_begins_without_a_tenant(empty: Place) -> None:
    said = empty.ok("init --no-tenant")

    assert "tenants/example.yaml" not in files(empty)
    assert said.endswith("Next: reconciler import --account ovh-main\n")
    assert "0 tenants, no errors" in empty.ok("validate")


@pytest.mark.parametrize("name", ["reconciler.yaml", "tenants/example.yaml", "schemas/tenant.schema.json"])
def test_no_file_is_overwritten(empty: Place, name: str) -> None:
    mine = empty.write(name, "mine\n")

    done = empty.run("init")

    assert (done.code, done.out) == (1, "")
    assert f"{name}: exists" in done.err
    assert "reconciler init DIR" in done.err
    assert files(empty) == [name]
    assert mine.read_text() == "mine\n"


def test_a_gitignore_that_is_there_gets_one_line_once(empty: Place) -> None:
    path = empty.write(".gitignore", "*.log")

    empty.ok("init")

    assert path.read_text().startswith("*.log\n#")
    assert path.read_text().splitlines().count(".reconciler/") == 1
    empty.ok("init elsewhere")
    empty.write("again/.gitignore", ".reconciler\n")
    assert ".gitignore" not in empty.ok("init again")


def test_another_folder_is_made(empty: Place) -> None:
    said = empty.ok("init customers/licences")

    assert (empty.root / "customers/licences/tenants/example.yaml").exists()
    assert "Next: cd customers/licences; reconciler validate" in said


def test_workflows_are_added_with_it_and_to_what_is_there(empty: Place) -> None:
    assert ".github/workflows/" in empty.ok("init --ci github")
    assert ".gitlab-ci.yml: written" in empty.ok("init --ci gitlab")

    again = empty.run("init --ci github")

    assert again.code == 1
    assert "exists, and nothing is ever overwritten" in again.err
    assert {".gitlab-ci.yml", *WRITTEN} <= set(files(empty))


def test_people_and_ci_share_the_journal_on_a_branch(empty: Place) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=empty.root, check=True, capture_output=True)

    git("init", "-q", "--bare", "origin.git")
    git("init", "-q")
    git("remote", "add", "origin", str(empty.root / "origin.git"))

    empty.ok("init --ci github")

    assert "journal: git+origin#reconciler-journal" in (empty.root / "reconciler.yaml").read_text()
    assert empty.run("plan").code == 0


def test_without_a_repository_the_branch_is_left_for_later(empty: Place) -> None:
    done = empty.run("init --ci gitlab")

    assert (done.code, "write `journal: git+origin#reconciler-journal`" in done.err) == (0, True)
    assert "journal: sqlite" in (empty.root / "reconciler.yaml").read_text()


@pytest.mark.parametrize(
    ("kind", "platform", "only_there"),
    [("github", "GitHub", "the check `licences`"), ("gitlab", "GitLab", "LICENCES=resume")],
)
def test_what_is_left_to_do_by_hand_is_told_with_the_workflows(
    empty: Place, kind: str, platform: str, only_there: str
) -> None:
    empty.ok("init --endpoint ovh-eu --credential client_id=env://ID --credential client_secret=env://PASS")

    said = empty.ok(f"init --ci {kind}")  # which adds workflows and nothing else

    assert f"\nNext, on {platform} (docs/ci.md says how):\n  1. " in said
    assert "licences-plan: keys that only read (ID, PASS)" in said
    assert only_there in said
    assert said.rstrip().endswith("commit, push, and open a pull request")


def test_what_a_sandbox_cannot_show_in_ci_is_told(empty: Place) -> None:
    done = empty.run("init --ci github")

    assert "note: account ovh-main is a sandbox, whose file ends with each job" in done.err
    empty.edit("reconciler.yaml", "endpoint: sandbox", "endpoint: http://127.0.0.1:9/1.0")
    assert "is a sandbox" not in empty.run("init --ci gitlab").err


def test_nothing_is_written_where_workflows_are_in_the_way(empty: Place) -> None:
    empty.write(".gitlab-ci.yml", "mine")

    assert empty.run("init --ci gitlab").code == 1

    assert files(empty) == [".gitlab-ci.yml"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("init --sandbox --endpoint ovh-eu", "two places"),
        ("init --provider partner-center --endpoint ovh-eu", "sandbox or public"),
        ("init --tenant 'No Name'", "'No Name': not a name"),
        ("init --endpoint ovh-eu --credential password=x", "KEY one of application_key"),
        ("init --endpoint https://ovh.example/1.0", "RECONCILER_ENDPOINTS"),
        ("init --endpoint ovh-eu --credential client_id=env://ID", "client_secret"),
        ("init --account 'No Name'", "`No Name` must be a name"),
        ("init --provider nobody", "Invalid value for '--provider'"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_written(empty: Place, line: str, said: str) -> None:
    done = empty.run(line)

    assert done.code == 64
    assert said in done.err
    assert files(empty) == []


def test_a_secret_in_place_of_a_reference_is_refused_and_not_repeated(empty: Place) -> None:
    done = empty.run("init --endpoint ovh-eu --credential consumer_key=Kq7SecretKeyZv")

    assert done.code == 64
    assert "Kq7SecretKeyZv" not in done.out + done.err
    assert files(empty) == []


def test_credentials_that_are_there_are_tried_at_once(empty: Place) -> None:
    world = World.open(None)
    with served(world) as at:
        references = " ".join(
            f"--credential {key}=env://{key.upper()}"
            for key in ("application_key", "application_secret", "consumer_key")
        )
        env = {
            "APPLICATION_KEY": gate.APPLICATION_KEY,
            "APPLICATION_SECRET": gate.APPLICATION_SECRET,
            "CONSUMER_KEY": gate.CONSUMER_KEY,
        }
        well = empty.run(f"init well --endpoint {at.url} {references}", env)
        ill = empty.run(f"init ill --endpoint {at.url} {references}", env | {"CONSUMER_KEY": "another-key"})
        changing = at.tap.changing
    world.close()

    assert (well.code, ill.code) == (0, 0)
    assert "ok    account ovh-main: credentials are accepted (FR)" in well.out
    assert "fail  account ovh-main: credentials are refused" in ill.out
    assert changing == []
    assert gate.APPLICATION_SECRET not in well.out + well.err + ill.out


def test_at_a_terminal_it_asks_for_what_no_option_says(empty: Place) -> None:
    """A real terminal: each answer is typed when its question is there."""
    parent, child = pty.openpty()
    env = {key: value for key, value in os.environ.items() if key not in {"CI", "GITHUB_ACTIONS"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "init", "--tenant", "acme"],
        cwd=empty.root,
        env={**env, "COLUMNS": "100"},
        stdin=child,
        stdout=child,
        stderr=child,
        close_fds=True,
    )
    os.close(child)
    shown = b""
    answers = [
        (b"Provider", b"ovh-payg\n"),
        (b"Endpoint", b"ovh-ca\n"),
        (b"Name of the account", b"montreal\n"),
        (b"OAuth2", b"y\n"),
        (b"Variable with client_id", b"MY_ID\n"),
        (b"Variable with client_secret", b"\n"),
    ]
    for question, answer in answers:
        while question not in shown.rpartition(b"\n")[2]:
            shown += os.read(parent, 4096)
        os.write(parent, answer)
    while True:
        try:
            part = os.read(parent, 4096)
        except OSError:  # how Linux says that a terminal's other end is closed
            break
        if not part:
            break
        shown += part
    os.close(parent)

    assert process.wait() == 0, shown.decode()
    workspace = (empty.root / "reconciler.yaml").read_text()
    assert "montreal:" in workspace
    assert "client_id: env://MY_ID" in workspace
    assert "client_secret: env://OVH_CLIENT_SECRET" in workspace
    assert "https://ca.api.ovh.com/createToken/" in shown.decode()
    assert "Name of the first tenant" not in shown.decode()
    assert "1 tenant, no errors" in empty.ok("validate")
