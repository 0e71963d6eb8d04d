"""What pages draw besides a plan's own values: dates, seats, causes, the journal; a thousand tenants; hostile hands."""

from datetime import date

from msgspec.structs import replace

from reconciler.core.action import Verb
from reconciler.core.model import Contract, Source
from reconciler.core.overview import Overview
from reconciler.core.plan import Drift, Due, Plan, Run, Usage
from reconciler.core.report import Report, Trouble
from tests.render import makers


def due(on: date, what: str = "renews", **others: object) -> Due:
    values = {
        "tenant": "acme",
        "address": "group/office",
        "ref": "acme.o365.ovh.com",
        "product": "business",
        "what": what,
        "on": on,
        "days": (on - makers.AT.date()).days,
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
        Drift(address="group/office", verb=Verb.RESIZE, cause="git", last={"seats": 10}, since=makers.AT),
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
    whole = makers.everything()
    return replace(whole, plans=tuple(map(with_calendar, whole.plans)))


def drifted() -> Run:
    """A plan as `drift` makes it."""
    return makers.run(replace(with_calendar(makers.acme()), drift=drift()), makers.in_sync("calm"))


def journalled() -> Overview:
    """The overview as `--format html` makes it, with the latest of the journal."""
    plain = makers.overview()
    acme, *others = plain.tenants
    return replace(plain, tenants=(replace(acme, events=makers.events()[::-1]), *others))


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
    plan = with_calendar(makers.acme())
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
    return makers.run(
        *map(hostile, HOSTILE),
        replace(makers.in_sync(HOSTILE[0]), error=HOSTILE[0]),
        notes=HOSTILE,
        skipped=1,
    )


def hostile_report() -> Report:
    plain = makers.report()
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
    whole = with_calendar(makers.acme())
    first = replace(whole, actions=whole.actions[:2], blocked=(), unmanaged=(), leaving=(), findings=())
    return makers.run(
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
