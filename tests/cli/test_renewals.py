"""`reconciler renewals`: what renews or ends when, as a person and a program read it."""

from tests.cli.place import WORLD, Place


def test_what_renews_is_listed_with_its_idle_seats_and_the_last_day_to_act(place: Place) -> None:
    place.world(WORLD)

    said = place.ok("renewals")

    assert "acme group/office" in said
    assert "renews: 2 seats of business, 1 idle" in said
    assert "act by" in said
    assert "1 idle seat would be paid again" in said


def test_a_program_reads_the_same(place: Place) -> None:
    place.world(WORLD)

    document = place.run("renewals --within 400d --format json").json

    assert document["kind"] == "renewals"
    assert document["within_days"] == 400
    (one,) = document["renewals"]
    assert (one["tenant"], one["address"], one["seats"], one["idle"]) == ("acme", "group/office", 2, 1)
    assert one["on"] > one["last_day_to_act"]
    assert one["days"] > 0
    assert document["errors"] == []
    assert "ovh-main is a sandbox" in document["notes"][0]


def test_a_page_of_it_draws_the_months(place: Place) -> None:
    place.world(WORLD)

    page = place.ok("renewals --within 400d --format html --tenant acme")

    assert page.startswith("<!doctype html>")
    assert "<h1>Licence renewals</h1>" in page
    assert "2 seats of business, 1 idle" in page
    assert '<svg class="bar"' in page
    assert "reconciler renewals --within 400d --tenant acme" in page


def test_what_is_far_away_is_not_told(place: Place) -> None:
    place.world(WORLD)

    assert place.ok("renewals --within 2d").endswith("\nNothing renews or ends within 2 days.\n")


def test_the_days_count_by_the_providers_clock(place: Place) -> None:
    place.world(WORLD)
    before = place.run("renewals --within 400d --format json").json["renewals"][0]["days"]
    place.ok("sandbox advance 10d")

    assert place.run("renewals --within 400d --format json").json["renewals"][0]["days"] == before - 10


def test_a_tenant_that_cannot_be_read_is_told_and_the_exit_code_says_so(place: Place) -> None:
    place.world(WORLD)
    place.ok("sandbox fault add fail-list --times 50")

    done = place.run("renewals --format json")

    assert done.code == 1
    assert [one["tenant"] for one in done.json["errors"]] == ["acme", "resell"]


def test_a_wrong_duration_is_wrong_usage(place: Place) -> None:
    done = place.run("renewals --within soon")

    assert done.code == 64
    assert "'soon' is not a duration" in done.err
