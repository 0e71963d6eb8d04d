"""Plans, reports and standings with every kind of thing in them."""

from datetime import UTC, date, datetime
from decimal import Decimal

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.journal import Event, Kind
from reconciler.core.model import Contract, Money, Price, Source
from reconciler.core.overview import History, OpenAction, Overview, TenantOverview
from reconciler.core.plan import Exceeded, Finding, Leaving, Plan, Run, Status, Unmanaged, Waiting
from reconciler.core.report import Report, Result, State, TenantReport, Trouble

AT = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)
DUE = datetime(2026, 11, 21, 13, 12, tzinfo=UTC)


def euro(monthly: str, one_off: str = "0") -> Price:
    return Price(monthly=Decimal(monthly), one_off=Decimal(one_off), currency="EUR", source="catalog")


def resize(seats: int = 12, **others: object) -> Action:
    values = {
        "id": "resize-office",
        "verb": Verb.RESIZE,
        "address": "group/office",
        "summary": f"10 -> {seats} seats",
        "before": {"seats": 10},
        "after": {"seats": seats},
        "reason": f"manifest asks for {seats} seats",
        "source": Source(file="tenants/acme.yaml", line=14, column=12),
        "price": euro("21.00"),
    }
    return Action(**{**values, **others})  # type: ignore[arg-type] # a maker


def acme() -> Plan:
    order = Action(
        id="order-mail",
        verb=Verb.ORDER,
        address="group/mail",
        summary="0 -> 25 seats of Microsoft 365 Apps for business",
        after={"seats": 25},
        reason="no service of this group yet",
        price=euro("292.50", "0.01"),
        contracts=(
            Contract(name="Terms of service", url="https://www.ovh.com/contracts/terms.pdf"),
            Contract(name="Microsoft agreement", url="https://www.ovh.com/contracts/microsoft.pdf"),
        ),
    )
    activate = Action(
        id="activate-ada",
        verb=Verb.ACTIVATE,
        address="seat/office/ada@acme.example",
        summary="Ada Lovelace gets a seat",
        after={"first_name": "Ada"},
        needs=("resize-office",),
        reason="written under users",
    )
    deactivate = Action(
        id="deactivate-bob",
        verb=Verb.DEACTIVATE,
        address="seat/office/bob@acme.example",
        summary="Žydrūnas Žemaitis loses the seat",
        before={"first_name": "Žydrūnas"},
        reason="no longer written",
    )
    cancel = Action(
        id="cancel-old",
        verb=Verb.CANCEL,
        address="group/old",
        summary="ends at the expiration",
        before={"seats": 3},
        reason="customer left, ticket 4411",
        price=euro("-31.50"),
        scheduled_for=date(2027, 1, 31),
        reversible_until=date(2027, 1, 30),
    )
    by_hand = Action(
        id="domain",
        verb=Verb.UPDATE,
        address="group/office",
        summary="verify the domain acme.example",
        how="by-hand",
        reason="the provider has no call for it",
        instructions="1. Open the DNS zone of acme.example.\n2. Add the TXT record MS=ms123.",
    )
    return Plan(
        tenant="acme",
        name="Acme UAB",
        provider="ovh-prepaid",
        account="ovh-main",
        actions=(order, resize(), activate, deactivate, by_hand, cancel),
        pending=(
            Waiting(
                address="group/web",
                verb=Verb.ORDER,
                reason="5 seats ordered, the provider checks the order",
                ref="4711",
                since=AT,
                due_by=DUE,
                state="pending",
            ),
        ),
        blocked=(
            Waiting(
                address="group/lab",
                verb=Verb.ORDER,
                reason="the account holds an unclaimed service of this product: lab.o365.ovh.com",
                source=Source(file="tenants/acme.yaml", line=30, column=5),
            ),
        ),
        unmanaged=(
            Unmanaged(
                address="group/legacy", ref="legacy.o365.ovh.com", monthly=Money(Decimal("10.5"), "EUR")
            ),
            Unmanaged(address="user/zoe@acme.example", ref="8812"),
        ),
        leaving=(Leaving(address="seat/old/eve@acme.example", ref="77", on=date(2027, 1, 31)),),
        findings=(
            Finding(
                code="RC2104",
                severity="warning",
                address="group/office",
                message="the delivered service is acme.o365.ovh.com: write `service: acme.o365.ovh.com`",
                source=Source(file="tenants/acme.yaml", line=12, column=5),
            ),
        ),
    )


def beta() -> Plan:
    return Plan(
        tenant="beta",
        provider="ovh-csp2",
        account="demo",
        sandbox=True,
        hold="incident 812",
        in_doubt=True,
        actions=(resize(30, id="r2", price=None),),
        pending=(
            Waiting(
                address="group/office",
                verb=Verb.ORDER,
                reason="the reply to the order was lost",
                since=AT,
                state="in-doubt",
            ),
        ),
    )


def broken() -> Plan:
    return Plan(
        tenant="broken",
        provider="ovh-payg",
        account="ovh-main",
        error="GET /license/office/broken.o365.ovh.com/user: 500: the list came back partial\nquery id EU-77",
    )


def in_sync(name: str) -> Plan:
    return Plan(tenant=name, provider="ovh-prepaid", account="ovh-main")


def run(*plans: Plan, **others: object) -> Run:
    values = {"plans": plans, "created_at": AT, "tool_version": "0.1.0"}
    return Run(**{**values, **others})  # type: ignore[arg-type] # a maker


def everything() -> Run:
    return run(
        acme(),
        beta(),
        broken(),
        *(in_sync(f"t{number:02}") for number in range(36)),
        exceeded=(
            Exceeded(
                rule="max_monthly_increase",
                number="303.00",
                limit="200.00",
                message="the monthly bill rises by 303.00 EUR in this run",
                hint="review the plan; to allow it once: --allow max_monthly_increase=303.00",
            ),
        ),
        skipped=4,
        notes=("there is no journal yet", "the account demo is a sandbox"),
    )


def result(state: State, address: str = "group/office", **others: object) -> Result:
    values = {"id": f"{state}-{address}", "verb": Verb.RESIZE, "address": address, "state": state}
    return Result(**{**values, **others})  # type: ignore[arg-type] # a maker


def report() -> Report:
    acme = TenantReport(
        tenant="acme",
        status=Status.PENDING,
        exit_code=4,
        actions=(
            result(State.DONE, summary="10 -> 12 seats", ref="office.o365.ovh.com", finished_at=DUE),
            result(
                State.PENDING,
                "group/mail",
                verb=Verb.ORDER,
                summary="0 -> 25 seats of Microsoft 365 Apps for business",
                ref="4711",
                since=AT,
                due_by=DUE,
            ),
            result(
                State.BY_HAND,
                "group/web",
                verb=Verb.UPDATE,
                summary="verify the domain acme.example",
                since=AT,
                instructions="1. Open the DNS zone of acme.example.\n2. Add the TXT record MS=ms123.",
            ),
            result(State.BY_HAND, "group/lab", verb=Verb.ORDER, ref="4712", note="pay order 4712", since=AT),
            result(
                State.NOT_STARTED, "seat/mail/ada@acme.example", verb=Verb.ACTIVATE, note="needs group/mail"
            ),
        ),
    )
    beta = TenantReport(
        tenant="beta",
        status=Status.IN_DOUBT,
        exit_code=8,
        sandbox=True,
        actions=(
            result(
                State.IN_DOUBT,
                verb=Verb.ORDER,
                error=Trouble(code="uncertain", message="the reply to the order was lost"),
                since=AT,
            ),
            result(
                State.FAILED,
                "user/bob",
                verb=Verb.UPDATE,
                error=Trouble(code="", message="the provider said no"),
            ),
        ),
    )
    gone = TenantReport(
        tenant="gone",
        status=Status.ERROR,
        exit_code=7,
        error=Trouble(code="lease", message="ci-7 applies this tenant until 09:14"),
    )
    held = TenantReport(tenant="held", status=Status.CHANGES, hold="incident 812")
    return Report(
        digest="sha256:" + "0" * 64,
        started_at=AT,
        finished_at=DUE,
        exit_code=8,
        tenants=(acme, beta, gone, held),
        notes=("an order is cheaper than planned: 20.00 EUR/month",),
    )


def overview() -> Overview:
    acme = TenantOverview(
        tenant="acme",
        name="Acme UAB",
        provider="ovh-prepaid",
        account="ovh-main",
        status=Status.PENDING,
        applied_at=AT,
        actions=(
            OpenAction(
                address="group/mail",
                verb=Verb.ORDER,
                state=State.PENDING,
                since=AT,
                due_by=DUE,
                ref="4711",
                reason="the provider checks the order",
            ),
            OpenAction(
                address="group/web",
                verb=Verb.UPDATE,
                state=State.BY_HAND,
                since=AT,
                instructions="Add the TXT record MS=ms123.",
            ),
        ),
    )
    beta = TenantOverview(
        tenant="beta",
        provider="ovh-csp2",
        account="demo",
        status=Status.IN_DOUBT,
        sandbox=True,
        actions=(
            OpenAction(
                address="group/office",
                verb=Verb.ORDER,
                state=State.IN_DOUBT,
                since=AT,
                reason="the reply was lost",
            ),
            OpenAction(
                address="user/bob", verb=Verb.UPDATE, state=State.FAILED, since=AT, reason="no such user"
            ),
        ),
    )
    return Overview(
        tenants=(
            acme,
            beta,
            TenantOverview(tenant="calm", provider="ovh-payg", account="ovh-main", status=Status.IN_SYNC),
            TenantOverview(
                tenant="delta",
                provider="ovh-payg",
                account="ovh-main",
                status=Status.CHANGES,
                changes=2,
                owed="a guard stopped the apply",
                hold="incident 812",
            ),
            TenantOverview(
                tenant="eps",
                provider="ovh-payg",
                account="ovh-main",
                status=Status.ERROR,
                error="503 from the provider",
            ),
        ),
        created_at=AT,
        tool_version="0.1.0",
        notes=("the account demo is a sandbox",),
    )


def history(listed: tuple[Event, ...] | None = None) -> History:
    return History(events=events() if listed is None else listed, created_at=AT, tool_version="0.1.0")


def events() -> tuple[Event, ...]:
    digest, run = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    by = {
        "tenant": "acme",
        "at": AT,
        "by": "ada",
        "run": "ci-7",
        "commit": "0123456789abcdef",
        "plan": digest,
    }
    about = {**by, "address": "group/mail", "action": "order-mail"}
    listed = (
        Event(kind=Kind.BEGUN, data={"actions": ["order-mail", "x"], "number": 0, "run_digest": run}, **by),  # type: ignore[arg-type]
        Event(kind=Kind.INTENDED, data={"action": {"verb": "order", "summary": "0 -> 25"}}, **about),  # type: ignore[arg-type]
        Event(kind=Kind.STEPPED, data={"step": "checkout", "ref": "4711"}, **about),  # type: ignore[arg-type]
        Event(kind=Kind.ACCEPTED, data={"ticket": "4711", "waiting_on": "provider"}, **about),  # type: ignore[arg-type]
        Event(kind=Kind.FAILED, data={"final": True, "message": "the order was cancelled"}, **about),  # type: ignore[arg-type]
        Event(kind=Kind.CLOSED, data={"exit_code": 3}, **by),  # type: ignore[arg-type]
    )
    return tuple(replace(event, seq=number) for number, event in enumerate(listed, 1))
