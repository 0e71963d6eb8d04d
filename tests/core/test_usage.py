"""How many seats are used and idle, as the pages draw it."""

from reconciler.core.plan import Usage
from tests.core.company import sold
from tests.core.makers import ENDS, bare, group, office, seat, tenant
from tests.core.makers import holding as held
from tests.core.scene import Scene
from tests.core.test_directory import alfa, basic, company


def usage(here: Scene) -> tuple[Usage, ...]:
    """What a scene's plan says of its seats."""
    here.calendar = True
    return here.plan().usage


def test_a_subscription_has_as_many_idle_seats_as_nobody_holds() -> None:
    (one,) = usage(company(alfa(basic(5)), sold(500, 5, "ada", "bob")))

    assert (one.seats, one.used, one.idle) == (5, 2, 3)


def test_seats_bought_one_by_one_count_while_they_last() -> None:
    places = (seat(1, "ada"), seat(2), seat(3, ends_on=ENDS, renews_on=None))

    (one,) = usage(Scene(tenant=tenant(group(seats=3)), holdings=[held(*places)]))

    assert (one.address, one.seats, one.used, one.idle) == ("group/office", 3, 1, 2)


def test_nobody_knows_who_sits_where_people_are_not_kept() -> None:
    (one,) = usage(Scene(tenant=alfa(basic(5), people=None), holdings=[sold(500, 5)]))

    assert (one.seats, one.used, one.idle) == (5, None, None)


def test_pay_as_you_go_has_people_and_no_seats() -> None:
    here = Scene(
        tenant=tenant(bare(service="acme.o365.ovh.com"), provider="ovh-payg"), holdings=[office("ada")]
    )

    (one,) = usage(here)

    assert (one.seats, one.used, one.idle) == (None, 1, None)


def test_it_is_counted_only_where_it_is_asked_for_and_no_digest_knows_it() -> None:
    here = company(alfa(basic(5)), sold(500, 5, "ada", "bob"))
    plain = here.plan()
    here.calendar = True

    assert plain.usage == ()
    assert here.plan().digest == plain.digest
