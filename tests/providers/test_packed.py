"""What an account keeps packed: seats and ids, against the plainest way to keep them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.providers.ovh import expected
from reconciler.providers.ovh.expected import Expected
from reconciler.providers.ovh.prepaid import holdings
from reconciler.providers.ovh.prepaid import seats as module
from reconciler.providers.ovh.prepaid.account import PrepaidAccount
from reconciler.providers.ovh.prepaid.holdings import Outline
from reconciler.providers.ovh.prepaid.seats import Seats, product_of, service_of, unpacked
from reconciler.providers.ovh.wire import Seat
from tests.packing import all_packed
from tests.providers.rig import Open

pytestmark = pytest.mark.anyio

SERVICES = ("a.example", "b.example", "c")
NAMES = [f"{service}-{number}" for service in SERVICES for number in (1, 2, 3)]
SEATS = st.builds(
    Seat,
    service_name=st.sampled_from(NAMES),
    tenant_service_name=st.sampled_from((*SERVICES, "")),
    activation_email=st.sampled_from(("ada@a.example", "")),
    first_name=st.text(max_size=3),
    is_virtual=st.sampled_from((True, False, None)),
    licences=st.sampled_from((("officeBusiness",), ("officeProPlus", "x"), ())),
    task_pending_id=st.integers(0, 3),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("set", "set", "set", "del", "pop", "ask", "pack")), st.sampled_from(NAMES), SEATS
    ),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.sampled_from((0, 2, 5, 100)))
def test_seats_are_what_was_put_there_however_few_stay_at_hand(steps: list[Any], at_hand: int) -> None:
    seats, plain = Seats(at_hand=at_hand), dict[str, Seat]()
    for what, name, seat in steps:
        match what:
            case "set":
                seats[name] = plain[name] = seat
            case "del" if name in plain:
                del seats[name], plain[name]
            case "pop":
                assert seats.pop(name, None) == plain.pop(name, None)
            case "ask":
                assert seats.get(name) == plain.get(name)
            case "pack":
                service = name.rpartition("-")[0]
                packed = seats.packed(service)
                assert not packed or unpacked(packed) == seats.group(service)
        same(seats, plain)


@given(st.dictionaries(st.sampled_from(NAMES), SEATS), st.sets(st.sampled_from(NAMES)))
def test_seats_are_counted_as_their_places_are(listed: dict[str, Seat], unread: set[str]) -> None:
    seats = Seats()
    for name, seat in listed.items():
        seats.add(name, seat)
    missing = dict.fromkeys((unread - listed.keys()) | (unread & seats.untold), "business")

    told = sum((Counter(seats.numbers(service)) for service in seats.services()), Counter[str]())

    shown = holdings.places(listed, missing, {})
    assert holdings.numbers(told, missing, seats.untold) == {one: len(some) for one, some in shown.items()}


def same(seats: Seats, plain: dict[str, Seat]) -> None:
    services = {name: service_of(name, seat) for name, seat in plain.items()}
    assert dict(seats) == plain
    assert len(seats) == len(plain)
    assert seats.services() == set(services.values())
    for service in seats.services():
        products = Counter(product_of(seat) for name, seat in plain.items() if services[name] == service)
        assert seats.numbers(service) == products
    assert seats.untold == {name for name, seat in plain.items() if not product_of(seat)}
    assert seats.strange == {one for name, one in services.items() if one != name.rpartition("-")[0]}
    for service in SERVICES:
        assert seats.of(service) == sorted(name for name, one in services.items() if one == service)
    for name in (*NAMES, *SERVICES):
        assert seats.shows(name) == (name in plain or name in services.values())


@given(st.permutations(NAMES), st.sampled_from((0, 2, 100)))
def test_seats_that_come_in_any_order_are_all_there(names: list[str], at_hand: int) -> None:
    plain = {name: Seat(service_name=name, licences=("officeBusiness",)) for name in names}
    seats = Seats(at_hand=at_hand)
    seats.expect(len(names))
    for name in names:
        seats.add(name, plain[name])

    same(seats, plain)
    seats.clear()
    same(seats, {})


IDS = st.lists(
    st.sampled_from(("A-1", "a-1", "A-2", "b-1", "B-10", "plain", "Plain", "x-y-1", "-", "é-1")), max_size=8
)


@given(IDS, IDS, st.sampled_from((0, 100)))
def test_ids_are_met_once_each_in_whatever_case(names: list[str], keys: list[str], at_hand: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expected, "AT_HAND", at_hand)
        ids = Expected(names)
    lower = [name.lower() for name in names]
    left = dict(zip(lower, names, strict=True))

    assert (len(ids), list(ids.names()), ids.clear) == (len(names), names, len(set(lower)) == len(lower))
    assert [ids.meet(key) for key in keys] == [left.pop(key.lower(), None) for key in keys]
    assert ids.met == (not left)
    assert list(ids.names()) == names


WORLD = {
    "prepaid": [
        {
            "service": f"t{number}.o365.ovh.com",
            "seats": [
                {
                    "licence": "business",
                    "people": [{"login": "ada", "first_name": "Ada", "last_name": "Doe"}],
                },
                {"empty": 2},
                {
                    "licence": "pro-plus",
                    "people": [{"login": "bob", "first_name": "Bob", "last_name": "Doe"}],
                },
            ],
        }
        for number in range(3)
    ]
}


async def test_a_packed_account_shows_what_another_shows(open_rig: Open) -> None:
    group = "t1.o365.ovh.com"
    rig = await open_rig("ovh-prepaid", group, WORLD)
    plain = await rig.account.snapshot(frozenset())

    with all_packed():
        packed = await rig.account.snapshot(frozenset())
        read = await rig.provider.read(frozenset({group}))

    assert any(isinstance(one.places, Outline) for one in packed.holdings)
    assert len(packed.holdings) == len(plain.holdings) == 6
    for one, other in zip(packed.holdings, plain.holdings, strict=True):
        assert tuple(one.places) == other.places
        assert (len(one.places), one.places[0], one.ref, one.seats) == (
            len(other.places), other.places[0], other.ref, other.seats,
        )  # fmt: skip
    assert [(one.ref, one.product, len(one.places)) for one in read] == [
        (one.ref, one.product, len(one.places)) for one in plain.holdings if one.ref == group
    ]


async def test_a_service_is_read_again_without_unpacking_another(
    open_rig: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = "t1.o365.ovh.com"
    rig = await open_rig("ovh-prepaid", group, WORLD)
    opened: list[str] = []

    def watched(packed: Iterable[bytes]) -> dict[str, Seat]:
        seats = unpacked(packed)
        opened.extend(service_of(name, seat) for name, seat in seats.items())
        return seats

    with all_packed():
        account = rig.account
        assert isinstance(account, PrepaidAccount)
        await account.snapshot(frozenset())
        monkeypatch.setattr(module, "unpacked", watched)
        await account.refresh(group)

    assert set(opened) == {group}
    assert len(account.seats.of(group)) == 4


def test_an_account_of_few_seats_packs_nothing() -> None:
    seats = Seats()
    for name in NAMES:
        seats.add(name, Seat(service_name=name))

    assert len(seats) < module.AT_HAND
    assert [seats.packed(service) for service in SERVICES] == [()] * 3
