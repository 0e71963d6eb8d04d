"""References to credentials and to the journal, and what is said when they lead nowhere."""

from pathlib import Path

import pytest

from reconciler.core.errors import WorkspaceError
from reconciler.store.secrets import resolve
from tests.store.makers import Opener

CANARY = "c4n4ry-s3cret"


def test_a_reference_to_the_environment_gives_its_value() -> None:
    assert resolve("env://KEY", {"KEY": CANARY}) == CANARY


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_reference_to_a_file_gives_its_text_without_the_last_newline(tmp_path: Path, end: str) -> None:
    (tmp_path / "key file").write_text(f" {CANARY}{end}")

    assert resolve(f"file://{tmp_path}/key file", {}) == f" {CANARY}"
    assert resolve(f"file://{tmp_path}/key%20file", {}) == f" {CANARY}"


@pytest.mark.parametrize("env", [{}, {"KEY": ""}, {"KEY": " \n"}])
def test_an_absent_or_empty_variable_is_named(env: dict[str, str]) -> None:
    with pytest.raises(WorkspaceError, match="env://KEY: the environment variable KEY is not set, or empty"):
        resolve("env://KEY", env)


def test_an_absent_or_empty_or_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe" + CANARY.encode())

    for name, why in (("empty", "empty"), ("absent", "No such file"), ("", "directory"), ("binary", "UTF-8")):
        with pytest.raises(WorkspaceError, match=why) as refused:
            resolve(f"file://{tmp_path}/{name}", {})
        assert refused.value.message.startswith(f"file://{tmp_path}/{name}")
        assert CANARY not in f"{refused.value.message}{refused.value.hint}{refused.value.__cause__!r}"


@pytest.mark.parametrize("reference", ["env://", "file://", "file://relative/path"])
def test_an_incomplete_reference_is_refused(reference: str) -> None:
    with pytest.raises(WorkspaceError, match="not a complete reference"):
        resolve(reference, {})


def test_a_literal_credential_is_refused_and_not_repeated() -> None:
    with pytest.raises(WorkspaceError) as refused:
        resolve(CANARY, {})

    assert CANARY not in f"{refused.value.message}{refused.value.hint}"


def test_the_journal_may_be_named_by_the_environment(tmp_path: Path, opening: Opener) -> None:
    env = {"JOURNAL": "sqlite:///here.db\n"}

    opening("env://JOURNAL", env=env)

    assert (tmp_path / "here.db").exists()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("env://ABSENT", "env://ABSENT"),
        ("env://LOOP", "may not lead to another"),
        ("git+origin#reconciler-journal", "has no remote 'origin': not a git repository"),
        ("mysql://host/db", "no kind of journal"),
        ("journal.db", "no kind of journal"),
        ("", "no kind of journal"),
    ],
)
def test_what_names_no_journal_is_refused(tmp_path: Path, opening: Opener, url: str, why: str) -> None:
    with pytest.raises(WorkspaceError, match=why) as refused:
        opening(url, env={"LOOP": "env://LOOP"})

    assert refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_variable_that_is_no_text_is_refused_and_not_repeated() -> None:
    with pytest.raises(WorkspaceError, match="env://KEY: the variable is not UTF-8 text") as refused:
        resolve("env://KEY", {"KEY": b"\xff\xfesecret".decode("utf-8", "surrogateescape")})

    assert "secret" not in refused.value.message
