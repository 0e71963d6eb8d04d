"""--changed-since REF with a real git repository: which tenants are looked at, and what else it lets through."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.place import Place

WORKSPACE = """\
version: 1
accounts:
  ovh-main: {{api: ovh, endpoint: sandbox}}
policy:
  max_monthly_increase: {{amount: "{}", currency: EUR}}
"""


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *words],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return done.stdout.strip()


@pytest.fixture
def repository(place: Place) -> Place:
    place.write(".gitignore", ".reconciler/\n")
    place.write("reconciler.yaml", WORKSPACE.format("10.00"))
    git(place.root, "init", "--quiet", "--initial-branch", "main")
    git(place.root, "add", ".")
    git(place.root, "commit", "--quiet", "-m", "as it is")
    return place


def looked_at(place: Place, ref: str = "main") -> list[str]:
    return [one["tenant"] for one in place.plan(f"--changed-since {ref}")["tenants"]]


def test_only_tenants_whose_files_differ_are_looked_at(repository: Place) -> None:
    assert looked_at(repository) == []

    repository.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    assert looked_at(repository) == ["acme"]
    git(repository.root, "commit", "--quiet", "-a", "-m", "one more")
    assert looked_at(repository) == []
    assert looked_at(repository, "HEAD~1") == ["acme"]


def test_a_new_file_counts_before_it_is_committed(repository: Place) -> None:
    repository.write(
        "tenants/new.yaml",
        "version: 1\ntenant: new\nprovider: ovh-payg\naccount: ovh-main\nservice: p.o365.ovh.com\n",
    )

    assert looked_at(repository) == ["new"]


def test_a_file_that_moved_counts_and_one_that_is_gone_is_nothing_to_look_at(repository: Place) -> None:
    git(repository.root, "mv", "tenants/acme.yaml", "tenants/moved.yaml")
    git(repository.root, "rm", "--quiet", "tenants/resell.yaml")

    plan = repository.plan("--changed-since main")

    assert [one["tenant"] for one in plan["tenants"]] == ["acme"]
    assert plan["tenants"][0]["actions"] == []


def test_a_changed_workspace_file_means_every_tenant(repository: Place) -> None:
    repository.write("reconciler.yaml", WORKSPACE.format("20.00"))

    assert looked_at(repository) == ["acme", "resell"]


def test_a_change_of_accounts_journal_or_policy_is_shown_first(repository: Place) -> None:
    repository.write(
        "reconciler.yaml", WORKSPACE.format("900.00") + "journal: sqlite:///.reconciler/other.db\n"
    )

    text = repository.run("plan --changed-since main").out
    page = repository.run("plan --changed-since main --format markdown").out

    assert "CHANGED since main in reconciler.yaml: journal, policy" in text
    assert text.index("CHANGED since main") < text.index("No changes")
    assert "CHANGED since main" in page
    assert repository.plan("--changed-since main")["notes"]


def test_a_pull_request_cannot_lift_its_own_guard(repository: Place) -> None:
    repository.write("reconciler.yaml", WORKSPACE.format("900.00"))
    repository.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    assert repository.run("plan").code == 0
    assert repository.run("plan --changed-since main").code == 5
    assert repository.run("apply --yes --wait 0 --changed-since main").code == 5


def test_prices_that_a_pull_request_writes_are_shown_first(repository: Place) -> None:
    """They weigh in max_monthly_increase."""
    price = "prices: [{product: business, amount: '0.01', currency: EUR, per: month}]\n"
    repository.write("reconciler.yaml", WORKSPACE.format("10.00") + price)

    assert "CHANGED since main in reconciler.yaml: prices" in repository.ok("plan --changed-since main")


def test_a_workspace_file_that_was_not_there_is_shown_first(repository: Place) -> None:
    """A nearer one, with a policy of its own, takes the place of the one that was reviewed."""
    repository.write("nearer/reconciler.yaml", WORKSPACE.format("9999.00"))
    (repository.root / "tenants").rename(repository.root / "nearer" / "tenants")

    text = repository.run("plan --changed-since main --workspace nearer/reconciler.yaml").out

    assert "CHANGED since main: it has no reconciler.yaml here" in text
    assert "policy" in text.partition("CHANGED")[2].partition("\n\n")[0]


def test_a_tenant_whose_apply_was_refused_is_looked_at_until_one_ends_well(repository: Place) -> None:
    repository.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    git(repository.root, "commit", "--quiet", "-a", "-m", "one more")

    assert repository.run("apply --yes --wait 0 --changed-since HEAD~1").code == 5
    git(repository.root, "commit", "--quiet", "--allow-empty", "-m", "something else")

    assert looked_at(repository, "HEAD~1") == ["acme"]
    assert "owed: " in repository.run("status").out
    done = repository.run("apply --yes --wait 0 --changed-since HEAD~1 --allow max_monthly_increase=10.50")
    assert done.code == 4
    assert looked_at(repository, "HEAD~1") == []


def test_a_mistake_elsewhere_stops_it_all_the_same(repository: Place) -> None:
    repository.edit("tenants/resell.yaml", "seats: 10", "seats: ten")
    git(repository.root, "commit", "--quiet", "-a", "-m", "broken")
    repository.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    assert repository.run("plan --changed-since main").code == 1


@pytest.mark.parametrize("ref", ["nowhere", "--help", "-x"])
def test_what_is_no_revision_is_an_error(repository: Place, ref: str) -> None:
    done = repository.run(f"plan --changed-since={ref}")

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: ")


def test_without_a_repository_it_is_an_error(place: Place) -> None:
    assert place.run("plan --changed-since main").code == 1


def notes(place: Place, ref: str = "main") -> list[str]:
    return [one for one in place.plan(f"--changed-since {ref}")["notes"] if "DELETED" in one]


def test_a_tenant_whose_file_was_taken_away_is_named_because_nothing_is_cancelled(repository: Place) -> None:
    repository.edit("tenants/acme.yaml", "tenant: acme", "tenant: acme-renamed\npreviously: acme")
    git(repository.root, "mv", "tenants/resell.yaml", "tenants/reseller.yaml")
    assert notes(repository) == []  # another name and another file take nothing away

    (repository.root / "tenants/reseller.yaml").unlink()
    repository.write("tenants/old.yaml", "nonsense: [")
    git(repository.root, "add", "tenants/old.yaml")
    git(repository.root, "commit", "--quiet", "-m", "nonsense")
    (repository.root / "tenants/old.yaml").unlink()

    [said] = notes(repository, "HEAD~1")
    assert said.startswith("DELETED since HEAD~1: resell. That cancels nothing")
    assert notes(repository, "HEAD")[0].startswith("DELETED since HEAD: resell.")
    assert "DELETED since main" in repository.run("plan --changed-since main --format markdown").out


def test_a_repository_may_be_reached_through_a_link(repository: Place) -> None:
    repository.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    link = repository.root.parent / "link"
    link.symlink_to(repository.root)

    seen = repository.plan(f"--changed-since main --workspace {link}/reconciler.yaml")

    assert [one["tenant"] for one in seen["tenants"]] == ["acme"]


def test_a_link_that_leads_elsewhere_counts_and_so_does_what_it_leads_to(repository: Place) -> None:
    text = (repository.root / "tenants/acme.yaml").read_text()
    repository.write("kept/acme.yaml", text)
    repository.write("other/acme.yaml", text.replace("seats: 2", "seats: 3"))
    (repository.root / "tenants/acme.yaml").unlink()
    (repository.root / "tenants/acme.yaml").symlink_to("../kept/acme.yaml")
    git(repository.root, "add", ".")
    git(repository.root, "commit", "--quiet", "-m", "a link")
    assert looked_at(repository) == []

    (repository.root / "tenants/acme.yaml").unlink()
    (repository.root / "tenants/acme.yaml").symlink_to("../other/acme.yaml")
    assert looked_at(repository) == ["acme"]
    git(repository.root, "checkout", "--quiet", ".")

    repository.edit("kept/acme.yaml", "seats: 2", "seats: 3")
    assert looked_at(repository) == ["acme"]
    git(repository.root, "checkout", "--quiet", ".")

    (repository.root / "tenants").rename(repository.root / "all")
    (repository.root / "tenants").symlink_to("all")
    assert looked_at(repository) == ["acme", "resell"]


def test_a_name_of_odd_letters_is_looked_at_when_its_file_differs(repository: Place) -> None:
    text = (repository.root / "tenants/acme.yaml").read_text()
    (repository.root / "tenants/acme.yaml").unlink()
    odd = repository.write("tenants/ac\tme\n.yaml", text)
    git(repository.root, "add", ".")
    git(repository.root, "commit", "--quiet", "-m", "odd")
    assert looked_at(repository) == []

    odd.write_text(text.replace("seats: 2", "seats: 3"))

    assert looked_at(repository) == ["acme"]


def test_a_pull_request_cannot_lift_its_own_guard_where_the_workspace_file_is_a_link(
    repository: Place,
) -> None:
    (repository.root / "reconciler.yaml").rename(repository.root / "shared.yaml")
    (repository.root / "reconciler.yaml").symlink_to("shared.yaml")
    git(repository.root, "add", ".")
    git(repository.root, "commit", "--quiet", "-m", "a link")
    repository.write("shared.yaml", WORKSPACE.format("5000.00"))
    repository.edit("tenants/acme.yaml", "seats: 2", "seats: 20")

    refused = repository.run("plan --changed-since main")

    assert refused.code == 5
    assert "CHANGED since main in reconciler.yaml: policy" in refused.out
