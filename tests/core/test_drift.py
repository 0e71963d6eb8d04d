"""Who changed what differs: git, or somebody at the provider, by what the journal saw last."""

from typing import Any

from reconciler.core.drift import with_drift
from reconciler.core.journal import Kind
from reconciler.core.manifest import fingerprint
from reconciler.core.plan import Drift, Run
from reconciler.core.serial import run_to_dict
from tests.core.makers import NOW, event, group, ours, person, service, tenant
from tests.core.scene import Scene


def applied(scene: Scene) -> Scene:
    """The scene after an apply that ended well."""
    plan = scene.plan()
    scene.do(plan)
    seen = sorted(one.address for one in plan.unmanaged)
    scene.events.append(event(Kind.SEEN, manifest=fingerprint(scene.tenant), unmanaged=seen))
    return scene


def drift(scene: Scene) -> list[Drift]:
    return list(with_drift(scene.plan(), scene.tenant, scene.progress).drift)


def told(scene: Scene) -> list[tuple[str, str]]:
    return [(one.address, one.cause) for one in drift(scene)]


def three_seats(**more: Any) -> Scene:
    here = Scene(tenant=tenant(group(seats=3), people=[person("ada")]), holdings=[service("ada", None)])
    for key, value in more.items():
        setattr(here, key, value)
    return applied(here)


def test_an_edited_manifest_is_gits() -> None:
    here = three_seats()
    here.tenant = tenant(group(seats=5), people=[person("ada")])

    (one,) = drift(here)

    assert (one.address, one.cause, one.last, one.since) == ("group/office", "git", {"seats": 3}, NOW)


def test_what_changed_under_an_unchanged_manifest_was_somebody_at_the_provider() -> None:
    here = three_seats()
    here.holdings = [service(None, None, None)]

    plan = with_drift(here.plan(), here.tenant, here.progress)

    assert told(here) == [("seat/office/ada", "provider")]
    assert plan.actions[0].reason.endswith("; somebody changed it at the provider since the last apply")


def test_both_may_have_changed_the_same_thing() -> None:
    here = three_seats()
    here.tenant = tenant(group(seats=5), people=[person("ada")])
    here.holdings = [service("ada", None)]

    assert told(here) == [("group/office", "both")]


def test_a_change_at_the_provider_is_told_from_one_in_git() -> None:
    here = three_seats()
    here.tenant = tenant(group(seats=3), people=[person("ada"), person("bob")])
    here.holdings = [service("ada", None)]

    assert dict(told(here)) == {"group/office": "provider", "seat/office/bob": "git"}


def test_who_sits_there_since_is_told_although_nothing_is_done_about_them() -> None:
    here = three_seats()
    here.holdings = [service("ada", "eve", None)]

    (one,) = drift(here)

    assert (one.address, one.verb, one.cause) == ("seat/office/eve@acme.o365.ovh.com", None, "provider")


def test_who_sat_there_before_is_no_news() -> None:
    here = applied(
        Scene(tenant=tenant(group(seats=2), people=[]), holdings=[service("eve", None)], events=ours())
    )

    assert not drift(here)


def test_without_a_journal_nobody_can_tell() -> None:
    here = Scene(tenant=tenant(group(seats=3), people=[person("ada")]), holdings=[service(None, None)])

    assert dict(told(here)) == {"group/office": "unknown", "seat/office/ada": "git"}


def test_a_plan_that_was_not_asked_for_it_says_nothing_of_it() -> None:

    here = three_seats()
    here.tenant = tenant(group(seats=5), people=[person("ada")])
    plan = here.plan()
    plain = run_to_dict(Run(plans=(plan,), created_at=NOW, tool_version="1"))
    asked = run_to_dict(
        Run(plans=(with_drift(plan, here.tenant, here.progress),), created_at=NOW, tool_version="1")
    )

    assert "drift" not in plain["tenants"][0]
    assert asked["tenants"][0]["drift"][0]["cause"] == "git"
    assert plain["digest"] == asked["digest"]
