"""Which symbolic links are followed: a pull request may bring one that leads to somebody else's file."""

from pathlib import Path

import pytest

from reconciler.store.edit import format_all
from tests.manifests.place import WORKSPACE, Place

TENANT = "version: 1\ntenant: {}\nprovider: home-pl\naccount: home\n"
SECRET = "token: s3cret-of-the-runner\n"
REFUSED = (
    "{}:1:1: error[RC1016]: is a symbolic link that leads out of the repository, and is not followed: "
    "put the file itself here, or name the place it leads to on the command line"
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "repository/licences")
    (tmp_path / "repository/.git").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.yaml").write_text(SECRET)
    (tmp_path / "repository-of-another.yaml").write_text(SECRET)
    made.write("tenants/a.yaml", TENANT.format("a"))
    return made


def outside(place: Place) -> Path:
    return place.root.parent.parent / "outside"


@pytest.mark.parametrize(
    "target", ["outside/secret.yaml", "outside/nobody-knows", "repository-of-another.yaml", "outside"]
)
@pytest.mark.parametrize("named", ["tenants", "tenants/b.yaml"])
def test_a_link_out_of_the_repository_is_refused_and_nothing_of_it_is_told(
    place: Place, target: str, named: str
) -> None:
    (place.root / "tenants/b.yaml").symlink_to(Path("../../..") / target)

    loaded = place.load(named)

    assert [str(each) for each in loaded.diagnostics] == [REFUSED.format("tenants/b.yaml")]
    assert "s3cret" not in repr(loaded)


def test_a_linked_folder_outside_is_refused_and_not_searched(place: Place) -> None:
    (place.root / "tenants/more").symlink_to(outside(place))
    (place.root / "tenants/readme.md").symlink_to(outside(place) / "secret.yaml")

    assert place.faults() == [REFUSED.format("tenants/more")]
    assert [str(each) for each in place.load("tenants/more/secret.yaml").diagnostics] == [
        REFUSED.format("tenants/more/secret.yaml")
    ]


def test_a_tenants_folder_that_is_a_link_out_is_refused(place: Place) -> None:
    (place.root / "tenants").rename(place.root / "before")
    (place.root / "tenants").symlink_to(outside(place))

    assert place.faults() == [REFUSED.format("tenants")]
    assert [str(each) for each in place.load("tenants").diagnostics] == [REFUSED.format("tenants")]


def test_the_way_to_the_repository_may_be_a_link_and_excuses_none_in_it(place: Place) -> None:
    (place.root / "tenants/b.yaml").symlink_to(outside(place) / "secret.yaml")
    way = outside(place) / "way"
    way.symlink_to(place.root.parent)

    loaded = place.load(f"{way}/licences/tenants/a.yaml", f"{way}/licences/tenants/b.yaml")

    assert [each.tenant.tenant for each in loaded.manifests] == ["a"]
    assert [each.code for each in loaded.diagnostics] == ["RC1016"]


def test_links_within_the_repository_are_followed(place: Place) -> None:
    shared = place.root.parent / "shared"
    shared.mkdir()
    (shared / "b.yaml").write_text(TENANT.format("b"))
    (shared / "c.yaml").write_text(TENANT.format("c"))
    (place.root / "tenants/b.yaml").symlink_to("../../shared/b.yaml")
    (place.root / "tenants/more").symlink_to(shared)

    loaded = place.load()

    assert loaded.diagnostics == ()
    assert [each.tenant.tenant for each in loaded.manifests] == ["a", "b", "c"]


def test_without_a_repository_a_link_stays_in_the_workspace(place: Place) -> None:
    (place.root.parent / ".git").rmdir()
    (place.root.parent / "b.yaml").write_text(TENANT.format("b"))
    (place.root / "tenants/b.yaml").symlink_to("../../b.yaml")

    assert place.faults() == [REFUSED.format("tenants/b.yaml")]


def test_what_the_command_line_names_out_there_is_read_with_the_links_below_it(place: Place) -> None:
    elsewhere = place.root.parent.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.yaml").write_text(TENANT.format("b"))
    (elsewhere / "c.yaml").symlink_to("b.yaml")
    (elsewhere / "d.yaml").symlink_to(outside(place) / "secret.yaml")
    (outside(place) / "to-c.yaml").symlink_to(elsewhere / "c.yaml")

    by_folder, by_link = place.load(str(elsewhere)), place.load(str(outside(place) / "to-c.yaml"))

    assert [each.tenant.tenant for each in by_folder.manifests] == ["b"]
    assert [each.code for each in by_folder.diagnostics] == ["RC1016"]
    assert [each.tenant.tenant for each in by_link.manifests] == ["b"]


def test_a_workspace_file_that_is_a_link_out_is_refused(place: Place) -> None:
    (outside(place) / "secret.yaml").write_text(WORKSPACE + SECRET)
    (place.root / "reconciler.yaml").unlink()
    (place.root / "reconciler.yaml").symlink_to(outside(place) / "secret.yaml")

    loaded = place.load()

    assert [str(each) for each in loaded.diagnostics if each.file == "reconciler.yaml"] == [
        REFUSED.format("reconciler.yaml")
    ]
    assert loaded.workspace is None
    assert "s3cret" not in repr(loaded)


def test_a_workspace_file_that_is_a_link_within_is_followed(place: Place) -> None:
    (place.root / "reconciler.yaml").rename(place.root.parent / "other.yaml")
    (place.root / "reconciler.yaml").symlink_to("../other.yaml")

    assert place.faults() == []


def test_what_a_link_leads_to_is_not_brought_into_form_out_there(place: Place) -> None:
    messy = "tenant:   b\nversion: 1\n"
    (outside(place) / "secret.yaml").write_text(messy)
    (place.root / "tenants/b.yaml").symlink_to(outside(place) / "secret.yaml")
    (place.root / "reconciler.yaml").unlink()
    (place.root / "reconciler.yaml").symlink_to(outside(place) / "secret.yaml")

    _, faults = format_all([], workspace_file=None, cwd=place.root, write=True)

    assert sorted(str(each) for each in faults) == [
        REFUSED.format("reconciler.yaml"),
        REFUSED.format("tenants/b.yaml"),
    ]
    assert (outside(place) / "secret.yaml").read_text() == messy
