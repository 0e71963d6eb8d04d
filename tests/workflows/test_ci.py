"""What `init --ci` writes: every file once, filled with what the workspace names, and nothing that was there."""

from pathlib import Path

import pytest
import yaml

from reconciler.cli.ci import BRANCH, Kind, write_ci
from reconciler.core.errors import WorkspaceError

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
