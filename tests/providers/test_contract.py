"""What every family must do, each of its verbs against the local provider; judged by what took effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected, Unavailable, Uncertain
from reconciler.core.provider import Absent, Accepted, Attempt, Done, Step, Stepped, Unknown
from reconciler.providers import OPEN
from reconciler.providers.microsoft.capabilities import PARTNER_CENTER
from reconciler.providers.ovh.capabilities import FAMILIES
from reconciler.providers.transport import ReadOnlyError
from tests.providers.microsoft import sold
from tests.providers.microsoft.town import (
    ACME,
    ADA_ID,
    BOB_ID,
    BOTH,
    BY_HAND,
    DOMAIN,
    HELPDESK,
    RESOLD,
    SOLD,
    approved,
)
from tests.providers.rig import CUSTOMER, GROUP, PAYG, RESELLER, Journal, Open, Rig, act

pytestmark = pytest.mark.anyio

ADA = {"login": "ada", "first_name": "Ada", "last_name": "Lovelace", "country": "lt"}
BOB = {"first_name": "Bob", "last_name": "Builder", "country": "fr"}
PREPAID_WORLD = {"prepaid": [{"service": GROUP, "seats": [{"people": [ADA], "empty": 2}]}]}
PAYG_WORLD = {"payg": [{"service": PAYG, "users": [ADA]}]}
CSP2_WORLD = {"csp2": [{"service": RESELLER, "subscriptions": [{"licence": 11, "quantity": 5}]}]}
OFFICE = {"product": "business", "service": GROUP, "scope": GROUP}
PAY = {"product": "business", "service": PAYG, "scope": PAYG}
TABLES = {**FAMILIES, "partner-center": PARTNER_CENTER}
FIRST = f"{GROUP}-1001"
EMPTY = [f"{GROUP}-1002", f"{GROUP}-1003"]


@dataclass(frozen=True)
class Case:
    """One verb of one family: the action, the call that matters, and what the ledger then says how often."""

    kind: str
    scope: str
    world: dict[str, Any]
    action: Action
    call: str
    effect: str
    times: int = 1
    task: bool = True
    lost: str = "found"
    meanwhile: str = ""


EVE = f"eve@{DOMAIN}"
BOB_THERE = {"login": f"bob@{DOMAIN}", "first_name": "Bob", "last_name": "Builder", "country": "fr"}
PERSON = {"first_name": "Eve", "last_name": "Newcomer", "country": "lt"}
USER = "/graph/v1.0/users/{}"
RELATIONS = "/graph/v1.0/tenantRelationships/delegatedAdminRelationships"


def people(seller: str, scope: str, world: dict[str, Any]) -> dict[str, Case]:
    """What a directory does is the same with whoever sells."""

    def case(action: Action, call: str, effect: str, meanwhile: str = "") -> Case:
        return Case(f"{seller}+graph", scope, world, action, call, effect, task=False, meanwhile=meanwhile)

    login = {"login": BOB_THERE["login"]}
    given = f"tenant/access/{HELPDESK}"
    cases = {
        "create": case(
            act(Verb.CREATE_USER, "user/eve", after={"login": EVE, **PERSON}, login=EVE, **PERSON),
            call="/graph/v1.0/users",
            effect="graph-user-created",
        ),
        "restore": case(
            act(Verb.CREATE_USER, "user/bob", after=BOB_THERE, restore=BOB_ID, **BOB_THERE),
            call="/graph/v1.0/directory/deletedItems/{}/restore",
            effect="graph-user-restored",
            meanwhile=f"directory-user-removed {ACME} {BOB_THERE['login']}",
        ),
        "update": case(
            act(
                Verb.UPDATE,
                "user/robert",
                before={**login, "last_name": "Builder"},
                after={"login": f"robert@{DOMAIN}", "last_name": "Bricks"},
                **BOB_THERE | {"login": f"robert@{DOMAIN}", "last_name": "Bricks"},
                previously=BOB_THERE["login"],
                user=BOB_ID,
            ),
            call=USER,
            effect="graph-user-changed",
        ),
        "delete": case(
            act(Verb.DELETE_USER, "user/bob", before=login, user=BOB_ID, **login),
            call=USER,
            effect="graph-user-deleted",
        ),
        "activate": case(
            act(Verb.ACTIVATE, "seat/basic/bob", after=BOB_THERE, **BOB_THERE),
            call=f"{USER}/assignLicense",
            effect="graph-licences-changed",
        ),
        "deactivate": case(
            act(
                Verb.DEACTIVATE,
                "seat/basic/ada",
                before={"login": f"ada@{DOMAIN}"},
                login=f"ada@{DOMAIN}",
                targets=[ADA_ID],
            ),
            call=f"{USER}/assignLicense",
            effect="graph-licences-changed",
        ),
    }
    roles = {
        "access": Case(
            f"{seller}+graph",
            scope,
            approved(world),
            act(Verb.UPDATE, given, after={"roles": BOTH, "status": "active"}),
            call=f"{RELATIONS}/{{}}/accessAssignments",
            effect="graph-access-assigned",
        ),
        "more roles": Case(
            f"{seller}+graph",
            scope,
            approved(world, BOTH[0]),
            act(
                Verb.UPDATE,
                given,
                before={"roles": BOTH[:1], "status": "active"},
                after={"roles": BOTH, "status": "active"},
            ),
            call=f"{RELATIONS}/{{}}/accessAssignments/{{}}",
            effect="graph-access-changed",
        ),
    }
    return {f"{seller} with a directory: {name}": one for name, one in {**cases, **roles}.items()}


CASES: dict[str, Case] = {
    "prepaid order": Case(
        "ovh-prepaid",
        GROUP,
        PREPAID_WORLD,
        act(Verb.ORDER, "group/new", product="pro-plus", quantity=2, expect=2),
        call="/order/cart/{}/checkout",
        effect="order-placed",
        task=False,
    ),
    "prepaid more seats": Case(
        "ovh-prepaid",
        GROUP,
        PREPAID_WORLD,
        act(
            Verb.RESIZE,
            "group/office",
            before={"seats": 3},
            after={"seats": 5},
            quantity=2,
            expect=5,
            **OFFICE,
        ),
        call="/order/cart/{}/checkout",
        effect="order-placed",
        task=False,
    ),
    "prepaid fewer seats": Case(
        "ovh-prepaid",
        GROUP,
        PREPAID_WORLD,
        act(
            Verb.RESIZE,
            "group/office",
            before={"seats": 3},
            after={"seats": 1},
            quantity=-2,
            targets=EMPTY,
            **OFFICE,
        ),
        call="/license/officePrepaid/{}/serviceInfos",
        effect="renewal-changed",
        times=2,
        task=False,
    ),
    "prepaid renewal off": Case(
        "ovh-prepaid",
        GROUP,
        PREPAID_WORLD,
        act(
            Verb.UPDATE,
            "group/office",
            before={"renewal": "auto"},
            after={"renewal": "off"},
            renewal="off",
            targets=[FIRST, *EMPTY],
            **OFFICE,
        ),
        call="/license/officePrepaid/{}/serviceInfos",
        effect="renewal-changed",
        times=3,
        task=False,
    ),
    "prepaid cancel": Case(
        "ovh-prepaid",
        GROUP,
        PREPAID_WORLD,
        act(Verb.CANCEL, "group/office", before={"seats": 3}, **OFFICE),
        call="/license/officePrepaid/{}/serviceInfos",
        effect="renewal-changed",
        times=3,
        task=False,
    ),
    "prepaid activate": Case(
        "ovh-prepaid",
        GROUP,
        PREPAID_WORLD,
        act(Verb.ACTIVATE, "seat/office/bob", after={}, login=f"bob@{GROUP}", **BOB, **OFFICE),
        call="/license/officePrepaid/{}",
        effect="seat-configured",
    ),
    "prepaid update": Case(
        "ovh-prepaid",
        GROUP,
        PREPAID_WORLD,
        act(
            Verb.UPDATE,
            "user/ada",
            before={"login": f"ada@{GROUP}", "last_name": "Lovelace", "country": "lt"},
            after={"login": f"ada.k@{GROUP}", "last_name": "King", "country": "gb"},
            login=f"ada.k@{GROUP}",
            previously=f"ada@{GROUP}",
            first_name="Ada",
            last_name="King",
            country="gb",
            targets=[FIRST],
            **OFFICE,
        ),
        call="/license/officePrepaid/{}",
        effect="seat-updated",
    ),
    "prepaid deactivate": Case(
        "ovh-prepaid",
        GROUP,
        PREPAID_WORLD,
        act(
            Verb.DEACTIVATE,
            "seat/office/ada",
            before={"login": f"ada@{GROUP}"},
            login=f"ada@{GROUP}",
            targets=[FIRST],
            **OFFICE,
        ),
        call="/license/officePrepaid/{}/unconfigure",
        effect="seat-unconfigured",
    ),
    "payg activate": Case(
        "ovh-payg",
        PAYG,
        PAYG_WORLD,
        act(Verb.ACTIVATE, "seat/all/bob", after={}, login=f"bob@{PAYG}", **BOB, **PAY),
        call="/license/office/{}/user",
        effect="user-created",
    ),
    "payg rename": Case(
        "ovh-payg",
        PAYG,
        PAYG_WORLD,
        act(
            Verb.UPDATE,
            "user/ada",
            before={"login": f"ada@{PAYG}", "last_name": "Lovelace"},
            after={"login": f"ada.k@{PAYG}", "last_name": "King"},
            login=f"ada.k@{PAYG}",
            previously=f"ada@{PAYG}",
            first_name="Ada",
            last_name="King",
            country="lt",
            **PAY,
        ),
        call="/license/office/{}/user/{}",
        effect="user-updated",
    ),
    "payg deactivate": Case(
        "ovh-payg",
        PAYG,
        PAYG_WORLD,
        act(Verb.DEACTIVATE, "seat/all/ada", before={"login": f"ada@{PAYG}"}, login=f"ada@{PAYG}", **PAY),
        call="/license/office/{}/user/{}",
        effect="user-deleted",
    ),
    "payg cancel": Case(
        "ovh-payg",
        PAYG,
        {"payg": [{"service": PAYG}]},
        act(Verb.CANCEL, "group/all", before={"service": PAYG}, **PAY),
        call="/license/office/{}/serviceInfos",
        effect="renewal-changed",
        task=False,
    ),
    "payg name": Case(
        "ovh-payg",
        PAYG,
        PAYG_WORLD,
        act(
            Verb.UPDATE,
            "group/all",
            before={"name": PAYG},
            after={"name": "Acme UAB"},
            name="Acme UAB",
            **PAY,
        ),
        call="/license/office/{}",
        effect="tenant-changed",
        task=False,
    ),
    "csp2 order": Case(
        "ovh-csp2",
        RESELLER,
        CSP2_WORLD,
        act(Verb.ORDER, "group/premium", product="13", quantity=4, expect=4, scope=RESELLER),
        call="/saas/csp2/{}/subscription",
        effect="subscription-created",
        lost="in doubt",
    ),
    "csp2 resize": Case(
        "ovh-csp2",
        RESELLER,
        CSP2_WORLD,
        act(
            Verb.RESIZE,
            "group/basic",
            before={"seats": 5},
            after={"seats": 9},
            product="11",
            service="501",
            scope=RESELLER,
            quantity=4,
            expect=9,
        ),
        call="/saas/csp2/{}/subscription/{}/changeQuantity",
        effect="subscription-changed",
    ),
    "csp2 cancel": Case(
        "ovh-csp2",
        RESELLER,
        CSP2_WORLD,
        act(Verb.CANCEL, "group/basic", before={"seats": 5}, product="11", service="501", scope=RESELLER),
        call="/saas/csp2/{}/subscription/{}",
        effect="subscription-deleted",
    ),
    "csp2 partner id": Case(
        "ovh-csp2",
        RESELLER,
        CSP2_WORLD,
        act(
            Verb.UPDATE,
            "tenant/mpn-id",
            before={"mpn_id": "1234567"},
            after={"mpn_id": "7654321"},
            scope=RESELLER,
        ),
        call="/saas/csp2/{}",
        effect="tenant-changed",
        task=False,
    ),
    **people("ovh-csp2", RESELLER, RESOLD),
    **people("home-pl", "acme", BY_HAND),
    **people("partner-center", ACME, SOLD),
    **{name: Case(**given) for name, given in sold.CASES.items()},
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


async def begun(open_rig: Open, case: Case, *, writes: bool = True) -> Rig:
    rig = await open_rig(case.kind, case.scope, case.world, writes=writes)
    if case.meanwhile:
        rig.world.change(case.meanwhile)
    await rig.account.snapshot(frozenset({case.scope}))
    return rig


def sent(rig: Rig) -> int:
    """How many requests could have changed something; for a token, or about an address, none can."""
    asked = [one for one in rig.world.requests() if one["method"] not in {"GET", "HEAD"}]
    return sum(not one["path"].startswith(("/login/", "/partner-center/v1/validations/")) for one in asked)


async def resume(rig: Rig, action: Action, journal: Journal) -> Done | Unknown:
    """Do what the engine does after an answer that nobody has."""
    for attempt in range(2, 12):
        found = await rig.find(action, journal)
        match found:
            case Done():
                return found
            case Accepted():
                return await rig.follow(action, found, journal)
            case Absent():
                outcome = await rig.carry_out(action, journal, number=attempt)
                return await rig.follow(action, outcome, journal)
            case Unknown(look_again_at=None):
                return found
            case Unknown(look_again_at=later) if later is not None:
                rig.world.advance(later - rig.world.now + timedelta(seconds=1))
    raise AssertionError("looking does not end")


async def test_it_is_done_once_and_read_back(open_rig: Open, case: Case) -> None:
    rig = await begun(open_rig, case)
    assert await rig.provider.reread(case.action) == case.action.before

    done = await rig.finish(case.action)

    assert done.ref
    assert rig.did(case.effect) == case.times
    if case.action.before is not None and case.action.verb is not Verb.CANCEL:
        assert await rig.provider.reread(case.action) != case.action.before


async def test_each_effective_write_is_told_before_it_is_sent(open_rig: Open, case: Case) -> None:
    rig = await begun(open_rig, case)
    sent_before = sent(rig)
    told_at: list[int] = []

    async for told in rig.provider.execute(case.action, Attempt(number=1)):
        if isinstance(told, Step):
            assert len(told_at) >= rig.did(case.effect)
            told_at.append(rig.did(case.effect))
            if len(told_at) == 1:
                assert sent(rig) == sent_before

    assert len(told_at) >= case.times


@pytest.mark.parametrize(
    "fault",
    [
        "lose-reply-after",
        "error-after",
        "malformed",
        "wrong-types",
        "lose-reply-before",
        "error-before",
        "html",
    ],
)
@pytest.mark.parametrize("later", [timedelta(), timedelta(hours=1)], ids=["at once", "later"])
async def test_an_answer_that_is_lost_leads_to_one_effect(
    open_rig: Open, case: Case, fault: str, later: timedelta
) -> None:
    rig = await begun(open_rig, case)
    rig.world.fault(fault, path=case.call, method="POST|PUT|PATCH|DELETE")
    journal = Journal(rig.world)

    try:
        outcome = await rig.carry_out(case.action, journal)
    except Uncertain:
        rig.world.advance(later)
        ended = await resume(rig, case.action, journal)
    else:  # a void answer may be of any shape
        ended = await rig.follow(case.action, outcome, journal)

    if isinstance(ended, Unknown):
        assert case.lost == "in doubt"
        assert rig.did(case.effect) == 0
    else:
        assert rig.did(case.effect) == case.times


async def test_a_crash_right_after_a_step_was_written_leads_to_one_effect(open_rig: Open, case: Case) -> None:
    rig = await begun(open_rig, case)
    journal = Journal(rig.world)
    execution = rig.provider.execute(case.action, Attempt(number=1))
    async for told in execution:
        assert isinstance(told, Step | Stepped)
        journal.keep(told)
        if isinstance(told, Step):
            break  # the process dies here; the adapter learns nothing of it

    ended = await resume(await open_rig(case.kind, case.scope), case.action, journal)
    await execution.aclose()

    if isinstance(ended, Unknown):
        assert case.lost == "in doubt"
        assert rig.did(case.effect) == 0
    else:
        assert rig.did(case.effect) == case.times


@pytest.mark.parametrize("fault", ["busy", "throttle", "refuse"])
async def test_what_was_not_accepted_may_be_tried_again(open_rig: Open, case: Case, fault: str) -> None:
    rig = await begun(open_rig, case)
    rig.world.fault(fault, path=case.call, method="POST|PUT|PATCH|DELETE")
    journal = Journal(rig.world)

    with pytest.raises(Unavailable):
        await rig.carry_out(case.action, journal)
    refused = rig.did(case.effect)
    outcome = await rig.carry_out(case.action, journal, number=2)
    await rig.follow(case.action, outcome, journal)

    assert refused == 0
    assert rig.did(case.effect) == case.times


async def test_a_task_that_ends_in_error_is_a_failure(open_rig: Open, case: Case) -> None:
    if not case.task:
        return
    rig = await begun(open_rig, case)
    rig.world.fault("task-error", path=case.call, method="POST|PUT|PATCH|DELETE")

    with pytest.raises(
        Rejected, match=r"ended as error|has not changed|nothing has changed|Microsoft could not"
    ):
        await rig.finish(case.action)


async def test_a_reader_sends_nothing_that_changes_anything(open_rig: Open, case: Case) -> None:
    rig = await begun(open_rig, case, writes=False)

    with pytest.raises(ReadOnlyError):
        await rig.carry_out(case.action)

    assert rig.did(case.effect) == 0
    assert sent(rig) == 0


@pytest.mark.parametrize("kind", OPEN)
async def test_reading_and_pricing_change_nothing(open_rig: Open, kind: str) -> None:
    world = PREPAID_WORLD | PAYG_WORLD | CSP2_WORLD | sold.WORLD
    scopes = {"ovh-prepaid": GROUP, "ovh-payg": PAYG, "ovh-csp2": RESELLER, "partner-center": CUSTOMER}
    scope = scopes[kind]
    rig = await open_rig(kind, scope, world, writes=False)
    before = rig.world.state()["counts"]

    snapshot = await rig.account.snapshot(frozenset({scope}))
    await rig.provider.read(frozenset(one.ref for one in snapshot.holdings))
    await rig.account.quote(snapshot.holdings[0].product, 3, scope=scope)

    after = rig.world.state()["counts"]
    for kept in ("tenant", "user", "seat", "subscription", "purchase", "cart"):
        assert after[kept] == before[kept], kept


@pytest.mark.parametrize("kind", OPEN)
async def test_an_account_is_what_its_table_says(open_rig: Open, kind: str) -> None:
    rig = await open_rig(kind, None)

    assert rig.account.capabilities is TABLES[kind]
    assert rig.account.capabilities.provider == kind
    assert set(rig.account.capabilities.verbs) == set(Verb)
    assert all(one.note for one in TABLES[kind].verbs.values() if one.how != "api")
    assert rig.account.sandbox
    assert rig.account.name == "ovh-main"


@pytest.mark.parametrize(
    ("kind", "verb"),
    [(kind, verb) for kind in OPEN for verb in Verb if TABLES[kind].verbs[verb].how == "not-at-all"],
)
async def test_a_verb_that_is_not_in_the_table_is_refused_unsent(
    open_rig: Open, kind: str, verb: Verb
) -> None:
    rig = await open_rig(kind, GROUP)

    with pytest.raises(Rejected, match="cannot"):
        await rig.carry_out(act(verb, "group/office", product="business"))

    assert not rig.world.requests()


@pytest.mark.parametrize("kind", OPEN)
async def test_the_clock_is_the_providers(open_rig: Open, kind: str) -> None:
    rig = await open_rig(kind, GROUP)
    rig.world.advance(timedelta(hours=5))

    assert abs(await rig.account.now() - rig.world.now) < timedelta(seconds=2)
