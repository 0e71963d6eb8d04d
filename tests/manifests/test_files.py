"""Which files a run reads, and how it names them."""

import os
import tempfile
from pathlib import Path

import pytest

from reconciler.core.errors import WorkspaceError
from reconciler.store.edit import format_all
from reconciler.store.files import read_bytes
from reconciler.store.manifests import load
from reconciler.store.yaml import MAX_BYTES
from tests.manifests.place import WORKSPACE, Place
from tests.store.makers import unprivileged

TENANT = "version: 1\ntenant: {}\nprovider: home-pl\naccount: home\n"


def _names(place: Place, *paths: str) -> list[str]:
    return [each.tenant.tenant for each in place.load(*paths).manifests]


def test_folders_are_searched_and_hidden_ones_are_not(place: Place) -> None:
    for name in (
        "tenants/a.yaml",
        "tenants/b/c.yml",
        "tenants/.git/d.yaml",
        "tenants/.e.yaml",
        "tenants/f.json",
    ):
        place.write(name, TENANT.format(Path(name).stem.strip(".")))

    assert _names(place) == ["a", "c"]


def test_a_file_that_is_named_twice_is_read_once(place: Place) -> None:
    place.write("tenants/a.yaml", TENANT.format("a"))
    (place.root / "link.yaml").symlink_to(place.root / "tenants/a.yaml")

    loaded = place.load("tenants", "tenants/a.yaml", "link.yaml", ".")

    assert loaded.diagnostics == ()
    assert [each.file for each in loaded.manifests] == ["tenants/a.yaml"]


def test_links_in_a_circle_end(place: Place) -> None:
    place.write("tenants/a.yaml", TENANT.format("a"))
    (place.root / "tenants/again").symlink_to(place.root / "tenants")
    (place.root / "tenants/broken.yaml").symlink_to(place.root / "nowhere")

    assert _names(place) == ["a"]


def test_the_workspace_is_no_tenant(place: Place) -> None:
    place.write("tenants/a.yaml", TENANT.format("a"))

    assert _names(place, ".") == ["a"]


def test_a_workspaces_folder_stands_for_its_tenants(place: Place) -> None:
    place.write("tenants/a.yaml", TENANT.format("a"))
    place.write("mkdocs.yml", "site_name: x\n")

    assert _names(place, ".") == ["a"]
    assert place.load(".").diagnostics == ()


def test_a_workspace_without_that_folder_is_searched_itself(place: Place) -> None:
    place.write("customers/a.yaml", TENANT.format("a"))

    assert _names(place, ".") == ["a"]


def test_the_workspace_of_the_current_folder_wins_over_those_above_the_paths(place: Place) -> None:
    place.write("other/tenants/a.yaml", TENANT.format("a"))
    place.write("other/reconciler.yaml", "version: 1\naccounts: {}\n")

    assert place.load("other/tenants").workspace_path == place.root / "reconciler.yaml"


def test_the_workspace_is_found_above_the_paths(place: Place) -> None:
    path = place.write("other/deep/tenants/a.yaml", TENANT.format("a"))
    place.write("other/reconciler.yaml", WORKSPACE)
    empty = place.root / "empty"
    empty.mkdir()

    loaded = load([path], cwd=empty, version="0.1.0")

    assert loaded.workspace_path == place.root / "other/reconciler.yaml"
    assert loaded.root == place.root / "other"
    assert loaded.manifests[0].file == str(path)
    assert loaded.diagnostics == ()


def test_with_no_path_the_tenants_beside_the_workspace_are_read(place: Place) -> None:
    place.write("tenants/a.yaml", TENANT.format("a"))
    empty = place.root / "empty"
    empty.mkdir()

    loaded = load(cwd=empty, workspace_file=Path("../reconciler.yaml"), version="0.1.0")

    assert [each.tenant.tenant for each in loaded.manifests] == ["a"]


def test_no_workspace_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (fault,) = load(cwd=tmp_path, version="0.1.0").diagnostics

    assert str(fault) == (
        "reconciler.yaml:1:1: error[RC3001]: no workspace file here or above the paths given: "
        "run `reconciler init`, or name one with --workspace FILE"
    )


def test_paths_of_several_workspaces_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        place = Place(tmp_path / name)
        place.write("tenants/a.yaml", TENANT.format(name))
    (tmp_path / "again").symlink_to("one")

    for paths in (
        ["one", "two"],
        ["one/tenants/a.yaml", "two/tenants"],
        ["two/reconciler.yaml", "again/tenants"],
    ):
        with pytest.raises(WorkspaceError, match=r"belong to .*/?reconciler.yaml and to .*/reconciler.yaml"):
            load([Path(path) for path in paths], cwd=tmp_path, version="0.1.0")
    for paths in (["one", "one/tenants/a.yaml"], ["again", "one"], ["one", "."]):
        loaded = load([Path(path) for path in paths], cwd=tmp_path, version="0.1.0")
        assert loaded.workspace is not None
    named = load(
        [Path("one"), Path("two")], cwd=tmp_path, workspace_file=Path("one/reconciler.yaml"), version="0.1.0"
    )
    assert [one.name for one in named.manifests] == ["one", "two"]


def test_files_of_several_workspaces_are_written_in_one_form(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Place(tmp_path / name).write("tenants/a.yaml", TENANT.format(name) + "users: [ ]\n")
    files = [Path("one/tenants/a.yaml"), Path("two/tenants/a.yaml")]

    done, faults = format_all(files, workspace_file=None, cwd=tmp_path, write=False)

    assert faults == ()
    assert [(one.file, one.changed) for one in done] == [(str(file), True) for file in files]


def test_a_path_that_no_system_bears_is_an_error(place: Place) -> None:
    (fault,) = place.load("x" * 300).diagnostics

    assert fault.code == "RC1001"


def test_a_path_that_no_system_bears_is_an_error_without_a_workspace_too(tmp_path: Path) -> None:
    found = load([Path("x" * 300, "tenants")], cwd=tmp_path, version="0.1.0").diagnostics

    assert {one.code for one in found} == {"RC1001", "RC3001"}


def test_tenants_that_are_a_link_to_nowhere_are_no_empty_folder(place: Place) -> None:
    (place.root / "tenants").symlink_to("nowhere")

    (fault,) = place.load().diagnostics

    assert str(fault) == (
        "tenants:1:1: error[RC1001]: cannot be read: no such file or directory: check the path and its rights"
    )


def test_what_nobody_may_look_at_is_told_and_not_crashed_on() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        load(cwd=root, version="0.1.0")  # every library is loaded while root may still read them
        with unprivileged(root):
            place = Place(root / "place")
            place.write("tenants/a.yaml", TENANT.format("a"))
            (place.root / "tenants").chmod(0o600)
            try:
                by_file = load([Path("place/tenants/a.yaml")], cwd=root, version="0.1.0")
                by_folder = load(cwd=place.root, version="0.1.0")
                named = Path("place/tenants/other.yaml")
                by_name = load(cwd=root, workspace_file=named, version="0.1.0")
            finally:
                (place.root / "tenants").chmod(0o700)

    told = [one.message for one in (*by_file.errors, *by_folder.errors, *by_name.errors)]
    assert told == ["cannot be read: permission denied"] * 3


def test_a_path_that_does_not_exist_is_an_error(place: Place) -> None:
    (fault,) = place.load("tenant").diagnostics

    assert str(fault) == (
        "tenant:1:1: error[RC1001]: cannot be read: no such file or directory: check the path and its rights"
    )


@pytest.mark.skipif(os.name != "posix", reason="named pipes are of Unix")
def test_a_file_that_is_longer_than_it_tells_is_read_to_its_end() -> None:
    told = Path("/proc/self/environ")  # of no bytes, says the kernel: as of a file that grows meanwhile

    assert told.stat().st_size == 0
    assert read_bytes(told) == told.read_bytes() != b""


@pytest.mark.parametrize("beyond", [-1, 0, 1, 2])
def test_of_a_file_that_is_too_large_one_byte_more_is_read(tmp_path: Path, beyond: int) -> None:
    file = tmp_path / "large.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(MAX_BYTES + beyond)

    assert len(read_bytes(file)) == min(MAX_BYTES + beyond, MAX_BYTES + 1)


def test_a_pipe_is_refused_and_not_waited_for(place: Place) -> None:
    os.mkfifo(place.root / "pipe.yaml")

    (fault,) = place.load("pipe.yaml").diagnostics

    assert str(fault) == "pipe.yaml:1:1: error[RC1001]: not a file: name a YAML file or a folder"


def test_a_broken_file_does_not_keep_the_others_from_being_read(place: Place) -> None:
    place.write("tenants/a.yaml", TENANT.format("a"))
    place.write("tenants/b.yaml", b"\xff")
    place.write("tenants/c.yaml", "")

    loaded = place.load()

    assert [each.tenant.tenant for each in loaded.manifests] == ["a"]
    assert [(each.file, each.code) for each in loaded.errors] == [
        ("tenants/b.yaml", "RC1003"),
        ("tenants/c.yaml", "RC1006"),
    ]


def test_a_loop_of_links_is_told(place: Place) -> None:
    (place.root / "a.yaml").symlink_to(place.root / "b.yaml")
    (place.root / "b.yaml").symlink_to(place.root / "a.yaml")

    (fault,) = place.load("a.yaml").diagnostics

    assert fault.code == "RC1001"


def test_a_workspace_that_is_not_there_is_told(place: Place) -> None:
    (fault,) = load(cwd=place.root, workspace_file=Path("nowhere.yaml"), version="0.1.0").diagnostics

    assert str(fault) == (
        "nowhere.yaml:1:1: error[RC1001]: cannot be read: no such file or directory: check the path and its rights"
    )


def test_a_link_that_leads_nowhere_is_a_file_that_cannot_be_read(place: Place) -> None:
    place.write("tenants/a.yaml", TENANT.format("a"))
    (place.root / "tenants/b.yaml").symlink_to(place.root / "gone.yaml")

    assert place.faults() == [
        "tenants/b.yaml:1:1: error[RC1001]: cannot be read: no such file or directory: check the path and its rights"
    ]


def test_an_error_of_the_workspace_hides_none_of_a_tenants_account(place: Place) -> None:
    place.write("reconciler.yaml", WORKSPACE + "  odd: {api: azure}\ncolour: red\n")
    place.write("tenants/a.yaml", TENANT.format("a").replace("account: home", "account: nope"))
    place.write("tenants/b.yaml", TENANT.format("b").replace("account: home", "account: partner"))
    place.write("tenants/c.yaml", TENANT.format("c").replace("account: home", "account: odd"))

    codes = [(each.code, each.file) for each in place.load().diagnostics]

    assert ("RC2101", "tenants/a.yaml") in codes
    assert ("RC2102", "tenants/b.yaml") in codes
    assert not [file for _, file in codes if file == "tenants/c.yaml"]
