"""What changed since a revision, asked of a real git."""

import subprocess
from pathlib import Path

import pytest

from reconciler.core.errors import WorkspaceError
from reconciler.store.revisions import changed_paths, file_at
from tests.store.makers import Repository

BODY = "version: 1\ntenant: acme\n" * 20


@pytest.fixture
def base(repository: Repository) -> str:
    """A first commit with five tenants; its id."""
    repository.write(".gitignore", ".reconciler/\nignored.yaml\n*.log\n")
    for name in ("same", "edited", "staged", "gone", "old name ž"):
        repository.write(f"tenants/{name}.yaml", f"{BODY}# {name}\n")
    return repository.commit()


def names(repository: Repository, ref: str) -> set[str]:
    return {str(path.relative_to(repository.folder)) for path in changed_paths(repository.folder, ref)}


@pytest.mark.usefixtures("base")
def test_a_clean_checkout_differs_in_nothing(repository: Repository) -> None:
    assert names(repository, "HEAD") == set()
    assert names(repository, "main") == set()


def test_every_kind_of_change_is_seen(repository: Repository, base: str) -> None:
    repository.git("mv", "tenants/old name ž.yaml", "tenants/new\tname.yaml")
    repository.git("rm", "--quiet", "tenants/gone.yaml")
    repository.write("tenants/committed.yaml", BODY)
    repository.commit()
    repository.write("tenants/staged.yaml", "staged")
    repository.git("add", "tenants/staged.yaml")
    repository.write("tenants/edited.yaml", "edited")
    repository.write("tenants/untracked.yaml", "untracked")
    repository.write("tenants/ignored.yaml", "ignored")
    repository.write("noise.log", "ignored")

    assert names(repository, base) == {
        "tenants/old name ž.yaml",
        "tenants/new\tname.yaml",
        "tenants/gone.yaml",
        "tenants/committed.yaml",
        "tenants/staged.yaml",
        "tenants/edited.yaml",
        "tenants/untracked.yaml",
        "tenants/ignored.yaml",
    }


def test_a_deleted_file_that_was_not_committed_is_seen(repository: Repository, base: str) -> None:
    (repository.folder / "tenants/gone.yaml").unlink()

    assert names(repository, base) == {"tenants/gone.yaml"}


def test_a_change_that_was_undone_is_none(repository: Repository, base: str) -> None:
    repository.write("tenants/edited.yaml", "edited")
    repository.commit()
    repository.git("checkout", base, "--", "tenants/edited.yaml")
    repository.commit()

    assert names(repository, base) == set()


def test_paths_are_the_real_ones_whichever_link_leads_there(
    repository: Repository, base: str, tmp_path: Path
) -> None:
    repository.write("tenants/edited.yaml", "edited")
    repository.write("README", "outside of the folder")
    (tmp_path / "link").symlink_to(repository.folder)
    (repository.folder / "short").symlink_to("tenants")

    for root in (tmp_path / "link", tmp_path / "link" / "tenants", repository.folder / "short"):
        assert changed_paths(root, base) == {
            repository.folder / "tenants" / "edited.yaml",
            repository.folder / "README",
            repository.folder / "short",
        }
        assert file_at(root, base, root / "edited.yaml") == (
            None if root.name == "link" else f"{BODY}# edited\n".encode()
        )


@pytest.mark.parametrize(
    ("target", "held"),
    [
        ("tenants/same.yaml", b"# same"),
        ("./tenants/../tenants/same.yaml", b"# same"),
        ("two", b"# same"),
        ("round", None),
        ("../away", None),
        ("/etc/hostname", None),
        ("nowhere", None),
        ("tenants", None),
    ],
)
def test_a_link_is_followed_as_it_was(
    repository: Repository, base: str, target: str, held: bytes | None
) -> None:
    assert base
    (repository.folder / "two").symlink_to("tenants/same.yaml")
    (repository.folder / "round").symlink_to("round")
    link = repository.folder / "link.yaml"
    link.symlink_to(target)
    before = repository.commit()
    link.unlink()
    link.symlink_to("tenants/edited.yaml")
    repository.write("tenants/same.yaml", "# another")
    repository.commit()

    found = file_at(repository.folder, before, link)

    assert (found and found.splitlines()[-1]) == held


def test_a_relative_root_works(repository: Repository, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = repository.write("tenants/edited.yaml", "edited")
    monkeypatch.chdir(repository.folder / "tenants")

    assert changed_paths(Path(), base) == {changed}
    assert file_at(Path(), base, Path("edited.yaml")) == f"{BODY}# edited\n".encode()


def test_a_file_is_read_as_it_was(repository: Repository, base: str) -> None:
    repository.write("tenants/edited.yaml", "edited")
    repository.git("rm", "--quiet", "tenants/gone.yaml")
    repository.commit()
    tenants = repository.folder / "tenants"

    assert file_at(repository.folder, base, tenants / "edited.yaml") == f"{BODY}# edited\n".encode()
    assert file_at(tenants, base, tenants / "gone.yaml") == f"{BODY}# gone\n".encode()
    assert file_at(repository.folder, "HEAD", tenants / "edited.yaml") == b"edited"
    assert file_at(repository.folder, base, Path("tenants/old name ž.yaml")) is not None


def test_a_file_that_was_not_there_is_none(repository: Repository, base: str) -> None:
    new = repository.write("tenants/new.yaml", "new")

    assert file_at(repository.folder, base, new) is None
    assert file_at(repository.folder, base, repository.folder / "tenants") is None
    assert file_at(repository.folder, base, repository.folder / "tenants/*.yaml") is None


def test_a_file_outside_of_the_repository_is_refused(
    repository: Repository, base: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkspaceError, match="not in the git repository"):
        file_at(repository.folder, base, tmp_path / "elsewhere.yaml")


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize("ref", ["nowhere", "", "--output=stolen", "HEAD~9", "HEAD:tenants/same.yaml"])
def test_an_unknown_revision_is_named(repository: Repository, ref: str) -> None:
    with pytest.raises(WorkspaceError, match="no revision of this git repository") as refused:
        changed_paths(repository.folder, ref)

    assert "git fetch" in refused.value.hint
    assert not (repository.folder / "stolen").exists()


def test_a_shallow_clone_says_what_to_fetch(repository: Repository, base: str, tmp_path: Path) -> None:
    repository.write("tenants/edited.yaml", "edited")
    repository.commit()
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{repository.folder}", clone], check=True)

    with pytest.raises(WorkspaceError, match=base) as refused:
        changed_paths(clone, base)

    assert "fetch-depth: 0" in refused.value.hint


def test_outside_of_a_repository_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="not a git repository"):
        changed_paths(tmp_path, "HEAD")


@pytest.mark.usefixtures("base")
def test_without_git_it_is_said(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(WorkspaceError, match="git is not installed"):
        changed_paths(repository.folder, "HEAD")


def test_the_variables_of_a_hook_do_not_lead_elsewhere(
    repository: Repository, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository(tmp_path / "other")
    repository.write("tenants/edited.yaml", "edited")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.folder / ".git/index"))

    seen = changed_paths(repository.folder, base)

    assert seen == {repository.folder / "tenants/edited.yaml"}
