"""What is applied without a second look: nothing that a guard would call taking away or a purchase."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from reconciler.cli.danger import dangers
from reconciler.core.action import Action, Verb
from tests.render import makers

QUIET = replace(makers.resize(), verb=Verb.UPDATE, before=None, after=None, price=None)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (replace(QUIET, detail={"renewal": "off"}), "switches a renewal off"),
        (replace(QUIET, detail={"renewal": "auto"}), ""),
        (replace(QUIET, verb=Verb.ACTIVATE, detail={"provider": "ovh-payg"}), "costs nobody knows what"),
        (replace(QUIET, verb=Verb.ACTIVATE, detail={"provider": "ovh-prepaid"}), ""),
        (replace(QUIET, address="tenant/access/869713c9"), "gives rights in a customer's directory"),
        (replace(QUIET, address="tenant/delegation"), ""),
    ],
)
def test_what_ends_and_what_is_bought_with_a_person_is_looked_at(action: Action, why: str) -> None:
    plan = replace(makers.in_sync("acme"), actions=(action,))

    assert dangers(makers.run(plan), free_rise=Decimal(20)) == ((why,) if why else ())
