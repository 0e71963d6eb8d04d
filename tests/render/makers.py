"""Plans, reports and standings with every kind of thing in them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from reconciler.core.action import Action, Verb
from reconciler.core.journal import Event, Kind
from reconciler.core.model import Contract, Money, Price, Source
from reconciler.core.overview import OpenAction, Overview, TenantOverview
from reconciler.core.plan import (
    Drift,
    Due,
    Exceeded,
    Finding,
    Leaving,
    Plan,
    Run,
    Status,
    Unmanaged,
    Usage,
    Waiting,
)
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


def due(on: date, what: str = "renews", **others: object) -> Due:
    values = {
        "tenant": "acme",
        "address": "group/office",
        "ref": "acme.o365.ovh.com",
        "product": "business",
        "what": what,
        "on": on,
        "days": (on - AT.date()).days,
        "seats": 10,
        "idle": 3,
    }
    return Due(**{**values, **others})  # type: ignore[arg-type] # a maker


def dues() -> tuple[Due, ...]:
    """Over, this week, this month, with another number after it, next year."""
    after = {"grace_until": date(2026, 12, 17), "kept_until": date(2027, 3, 17)}
    return (
        due(date(2026, 11, 17), "ended", address="group/old", seats=1, idle=0, **after),
        due(date(2026, 11, 25)),
        due(date(2026, 12, 12), "ends", address="group/web", seats=4, idle=None),
        due(date(2026, 12, 31), address="group/lab", seats=25, idle=0, scheduled=20),
        due(date(2027, 6, 30), tenant="t00", address="group/all", seats=None, idle=None),
    )


def drift() -> tuple[Drift, ...]:
    """Changed in git, at the provider, and by nobody knows whom."""
    return (
        Drift(address="group/office", verb=Verb.RESIZE, cause="git", last={"seats": 10}, since=AT),
        Drift(address="group/legacy", verb=None, cause="provider", after={"ref": "legacy.o365.ovh.com"}),
        Drift(address="seat/office/ada@acme.example", verb=Verb.ACTIVATE, cause="unknown"),
    )


def with_calendar(plan: Plan) -> Plan:
    """The plan as `--format html` makes it."""
    mine = tuple(one for one in dues() if one.tenant == plan.tenant)
    used = tuple(
        Usage(address=f"group/{name}", product="business", seats=seats, used=people, idle=idle)
        for name, seats, people, idle in (
            ("office", 10, 7, 3), ("lab", 25, 25, 0), ("payg", None, 12, None),
            ("resold", 5, None, None), ("over", 2, 3, 0), ("empty", 0, 0, 0),
        )
    )  # fmt: skip
    return replace(plan, dues=mine, usage=used if plan.tenant == "acme" else ())


def calendar() -> Run:
    """Everything, with seats and dates."""
    whole = everything()
    return replace(whole, plans=tuple(map(with_calendar, whole.plans)))


def drifted() -> Run:
    """A plan as `drift` makes it."""
    return run(replace(with_calendar(acme()), drift=drift()), in_sync("calm"))


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


def journalled() -> Overview:
    """The overview as `--format html` makes it, with the latest of the journal."""
    plain = overview()
    acme, *others = plain.tenants
    return replace(plain, tenants=(replace(acme, events=events()[::-1]), *others))


def events() -> tuple[Event, ...]:
    digest = "sha256:" + "1" * 64
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
        Event(kind=Kind.BEGUN, data={"actions": ["order-mail", "x"], "number": 0}, **by),  # type: ignore[arg-type]
        Event(kind=Kind.INTENDED, data={"action": {"verb": "order", "summary": "0 -> 25"}}, **about),  # type: ignore[arg-type]
        Event(kind=Kind.STEPPED, data={"step": "checkout", "ref": "4711"}, **about),  # type: ignore[arg-type]
        Event(kind=Kind.ACCEPTED, data={"ticket": "4711", "waiting_on": "provider"}, **about),  # type: ignore[arg-type]
        Event(kind=Kind.FAILED, data={"final": True, "message": "the order was cancelled"}, **about),  # type: ignore[arg-type]
        Event(kind=Kind.CLOSED, data={"exit_code": 3}, **by),  # type: ignore[arg-type]
    )
    return tuple(replace(event, seq=number) for number, event in enumerate(listed, 1))


HOSTILE = (
    "</td></table><script>window.ran = 1</script>",
    '"\'><img src=x onerror="window.ran = 1">',
    "</style></title><iframe srcdoc='<script>parent.ran=1</script>'>",
    "\u202egnp.exe\u2066\x1b[2J\u200b",
    "{{ 7 * 7 }}{% raw %}",
    "w" * 10_000,
    "\U0001f9d1\u200d\U0001f4bb\U0001f1f1\U0001f1f9 " * 40,
    "javascript:window.ran=1",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 `\"'&lt;",
)


def hostile(text: str) -> Plan:
    """A plan in which somebody else wrote everything that can be written."""
    plan = with_calendar(acme())
    source = Source(file=text, line=1, column=1)
    return replace(
        plan,
        tenant=text,
        name=text,
        hold=text,
        account=text,
        actions=tuple(
            replace(
                one, address=text, summary=text, reason=text, instructions=text, source=source,
                contracts=(Contract(name=text, url=text), Contract(name=text, url=f"https://x.example/{text}")),
            )
            for one in plan.actions
        ),
        pending=tuple(replace(one, address=text, reason=text, ref=text, state=state)
                      for one in plan.pending for state in ("pending", "by-hand", "in-doubt")),
        blocked=tuple(replace(one, address=text, reason=text, source=source) for one in plan.blocked),
        unmanaged=tuple(replace(one, address=text, ref=text) for one in plan.unmanaged),
        leaving=tuple(replace(one, address=text, ref=text) for one in plan.leaving),
        findings=tuple(replace(one, address=text, message=text, source=source) for one in plan.findings),
        usage=tuple(replace(one, address=text, product=text) for one in plan.usage),
        drift=tuple(replace(one, address=text, last={text: text}) for one in drift()),
        dues=tuple(replace(one, tenant=text, address=text, product=text) for one in plan.dues),
    )  # fmt: skip


def hostile_run() -> Run:
    return run(
        *map(hostile, HOSTILE), replace(in_sync(HOSTILE[0]), error=HOSTILE[0]), notes=HOSTILE, skipped=1
    )


def hostile_report() -> Report:
    plain = report()
    tenants = tuple(
        replace(
            one, tenant=text, hold=text, error=Trouble(code=text, message=text),
            actions=tuple(
                replace(each, address=text, summary=text, ref=each.ref and text, note=text, instructions=text)
                for each in one.actions
            ),
        )
        for text in HOSTILE
        for one in plain.tenants[:2]
    )  # fmt: skip
    return replace(plain, digest=HOSTILE[0], tenants=tenants, notes=HOSTILE)


def hostile_overview() -> Overview:
    plain = journalled()
    tenants = tuple(
        replace(
            one, tenant=text, name=text, provider=text, account=text, hold=text, owed=text, error=text,
            actions=tuple(
                replace(each, address=text, reason=text, instructions=text, ref=each.ref and text)
                for each in one.actions
            ),
            events=tuple(replace(each, address=text, by=text, run=text, data={"message": text}) for each in one.events),
        )
        for text in HOSTILE
        for one in plain.tenants[:2]
    )  # fmt: skip
    return replace(plain, tenants=tenants, notes=HOSTILE)


def thousand() -> Run:
    """A thousand tenants, each with two actions, something pending, seats and dates."""
    whole = with_calendar(acme())
    first = replace(whole, actions=whole.actions[:2], blocked=(), unmanaged=(), leaving=(), findings=())
    return run(
        *(
            replace(
                first,
                tenant=f"tenant-{number:04}",
                name=f"Customer number {number}",
                dues=tuple(replace(one, tenant=f"tenant-{number:04}") for one in first.dues),
            )
            for number in range(1000)
        )
    )
