"""What is looked at before a confirmation is believed."""

import pytest

from tests.cli.place import Place

KEY = "ABCDE-12345-FGHIJ-67890-KLMNO"

MANUAL = """\
version: 1
accounts:
  home: {api: manual}
  partner: {api: microsoft, endpoint: sandbox}
"""


def tenant(name: str, reference: str) -> str:
    return f"""\
version: 1
tenant: {name}
provider: home-pl
account: home
license_groups:
  - {{name: office, product: business, seats: 5}}
product_keys:
  - {{group: office, key: "env://{reference}"}}
"""


@pytest.fixture
def here(place: Place) -> Place:
    for path in (place.root / "tenants").glob("*.yaml"):
        path.unlink()
    place.write("reconciler.yaml", MANUAL)
    place.write("tenants/alfa.yaml", tenant("alfa", "KEY_1"))
    assert place.run("apply --yes").code == 4
    return place


def confirm(place: Place, name: str, reference: str, key: str | None) -> tuple[int, str]:
    done = place.run(
        f"confirm {name} tenant/key/office/{reference} --by Jan", {reference: key} if key else None
    )
    return done.code, done.out + done.err


def test_a_product_key_is_confirmed_once_in_its_form_and_never_written_down(here: Place) -> None:
    code, said = confirm(here, "alfa", "KEY_1", "nope")
    assert (code, "is no product key" in said) == (1, True)

    assert confirm(here, "alfa", "KEY_1", KEY)[0] == 0

    assert KEY.encode() not in (here.root / ".reconciler/journal.db").read_bytes()
    assert KEY not in here.ok("history --format json")


def test_a_key_that_a_person_types_is_not_written_down_either(here: Place) -> None:
    said = here.run(f"confirm alfa tenant/key/office/KEY_1 --by Jan --evidence 'it was {KEY}'")

    assert (said.code, KEY in said.err) == (1, False)
    assert KEY.encode() not in (here.root / ".reconciler/journal.db").read_bytes()
    here.ok("confirm alfa tenant/key/office/KEY_1 --by Jan --evidence https://tickets.example/ABCDE-12345")


def test_a_key_that_was_redeemed_before_is_refused_however_it_is_spelled(here: Place) -> None:
    here.write("tenants/beta.yaml", tenant("beta", "KEY_2"))
    assert here.run("apply --yes").code == 4
    assert confirm(here, "alfa", "KEY_1", KEY)[0] == 0

    code, said = confirm(here, "beta", "KEY_2", KEY.replace("-", "").lower())

    assert code == 1
    assert "was redeemed before, at alfa tenant/key/office/KEY_1" in said


def test_a_key_that_cannot_be_read_here_is_confirmed_with_a_note(here: Place) -> None:
    code, said = confirm(here, "alfa", "KEY_1", None)

    assert code == 0
    assert "the key was not looked at" in said


def test_what_was_ordered_by_hand_is_there_once_it_was_confirmed(here: Place) -> None:
    assert confirm(here, "alfa", "KEY_1", KEY)[0] == 0
    assert here.run("confirm alfa group/office --by Jan --evidence F/12").code == 0
    assert here.tenant("alfa")["status"] == "in_sync"

    here.edit("tenants/alfa.yaml", "seats: 5", "seats: 7")

    (one,) = here.tenant("alfa")["actions"]
    assert (one["verb"], one["how"], one["before"], one["after"]) == (
        "resize",
        "by-hand",
        {"seats": 5},
        {"seats": 7},
    )
