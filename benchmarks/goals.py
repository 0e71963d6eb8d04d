"""The goals, one function each: what is run side by side, and which ratio is held against which limit."""

from __future__ import annotations

import importlib.util
import math
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import corpus
from measure import Case, Figures, Row, once, python, ratios, rounds, serving
from zones import one_zone_and_many

RECONCILER = (sys.executable, "-m", "reconciler")
LIBRARIES = (
    "import sys; sys.modules['httpx._main'] = None; "
    "import asyncio, click, pydantic.type_adapter, httpx, aiohttp"
)
"""What every plan imports, without a line of ours; and httpx without its command line, as we import it."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: few numbers for a smoke test, the goals' own when asked for."""

    rounds: int = 5
    loaded: int = 1000
    planned: int = 1000
    rivals: int = 400
    growth: tuple[int, int] = (200, 2000)
    memory: int = 400
    requests: int = 2000
    compared: int = 2000
    users: int = 50


SMOKE = Sizes(
    rounds=1, loaded=8, planned=4, rivals=2, growth=(2, 6), memory=4, requests=40, compared=4, users=5
)
FULL = Sizes(planned=10_000, growth=(1000, 10_000))


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a run keeps its files, how much it measures, and whom it may compare with."""

    root: Path
    sizes: Sizes
    say: Say
    octodns: Path | None = None

    def folder(self, name: str, *, tenants: int, users: int, broken: bool = False, step: int = 1) -> Path:
        """A workspace of so many tenants, written once."""
        made = self.root / f"{name}-{tenants}x{users}"
        if not made.exists():
            corpus.write(made, tenants=range(0, tenants * step, step), users=users, broken=broken)
        return made


def loading(bench: Bench) -> list[Row]:
    """P1 and P13: reading and checking files."""
    sizes = bench.sizes
    good = bench.folder("good", tenants=sizes.loaded, users=sizes.users)
    bad = bench.folder("bad", tenants=sizes.loaded, users=sizes.users, broken=True)
    part = min(sizes.loaded, 50)
    found = rounds(
        {
            "ours": Case(python("cases.py", "load-ours", good)),
            "csafe": Case(python("cases.py", "load-csafe", good)),
            "ruamel": Case(python("cases.py", "load-ruamel", good, part), times=sizes.loaded / part),
            "json": Case(python("cases.py", "load-json", good)),
            "bad": Case(python("cases.py", "load-ours", bad)),
        },
        sizes.rounds,
    )
    _sure(found[0]["ours"], tenants=sizes.loaded, errors=0)
    _sure(found[0]["bad"], tenants=sizes.loaded - 1, errors=1)
    told = f"ruamel on {part} of {sizes.loaded} files, scaled" if part < sizes.loaded else ""
    each = f"load and check {sizes.loaded} tenants of {sizes.users}"
    return [
        Row(
            "P1", f"{each}: CSafeLoader and the same models / ours", _inner(found, "csafe", "ours"), 1.5, True
        ),
        Row("P1", f"{each}: ruamel round-trip / ours", _inner(found, "ruamel", "ours"), 25, True, told),
        Row("P1", f"{each}: ours / {_json()} on the same data", _inner(found, "ours", "json"), math.inf),
        Row("P13", f"one bad file of {sizes.loaded} / none", _inner(found, "bad", "ours"), 1.15),
    ]


def floor(bench: Bench) -> list[Row]:
    """P3: a whole plan without changes against the same bytes and nothing else."""
    sizes = bench.sizes
    root = bench.folder("good", tenants=sizes.planned, users=sizes.users)
    with serving("--tenants", sizes.planned, "--users", sizes.users) as url:
        corpus.workspace(root, endpoint=url)
        found = rounds(
            {
                "plan": Case((*RECONCILER, "plan", "--detailed-exitcode"), root),
                "floor": Case(python("cases.py", "floor", root, url)),
            },
            sizes.rounds,
        )
    what = f"plan of {sizes.planned} x {sizes.users} without changes / {_json()} and bare sockets"
    return [Row("P3", what, ratios(found, "plan", "floor"), 12)]


def rivals(bench: Bench) -> list[Row]:
    """P4 and P11: the same plans by octoDNS, YAML on both sides."""
    if bench.octodns is None:
        bench.say("P4, P11: skipped, no octodns-sync (see README.md)")
        return []
    sizes = bench.sizes
    rows: list[Row] = []
    for shape, limit in (("same", 8), ("onepct", 8), ("empty", 4)):
        step = 2 if shape == "empty" else 1  # somebody has to own a prepaid seat; pay-as-you-go needs none
        root = bench.folder(shape, tenants=sizes.rivals, users=sizes.users, step=step)
        with one_zone_and_many(
            bench.root / f"octo-{shape}", bench.octodns, sizes.rivals, sizes.users, shape
        ) as octo:
            found = _plans(bench, root, sizes.rivals, shape, step, octo)
        people = sizes.rivals * sizes.users
        rows.append(
            Row(
                "P4",
                f"{people} objects, {shape}: octoDNS / ours",
                ratios(found, "octodns", "ours"),
                limit,
                True,
            )
        )
    root = bench.folder("one", tenants=1, users=sizes.users)
    with one_zone_and_many(bench.root / "octo-one", bench.octodns, 1, sizes.users, "same") as octo:
        libraries = Case((sys.executable, "-c", LIBRARIES))
        found = _plans(bench, root, 1, "same", 1, octo, libraries=libraries)
    return [
        *rows,
        Row("P11", "one tenant: ours / octoDNS on one zone", ratios(found, "ours", "octodns"), 2),
        Row(
            "P11",
            "only importing click, pydantic, httpx and aiohttp / octoDNS on one zone",
            ratios(found, "libraries", "octodns"),
            math.inf,
        ),
    ]


def _plans(
    bench: Bench, root: Path, tenants: int, shape: str, step: int, octo: Case, **others: Case
) -> list[dict[str, Figures]]:
    users = bench.sizes.users
    with serving("--tenants", tenants, "--users", users, "--shape", shape, "--step", step) as url:
        corpus.workspace(root, endpoint=url)
        plan = Case((*RECONCILER, "plan", "--detailed-exitcode"), root, codes=(0 if shape == "same" else 2,))
        return rounds({"ours": plan, "octodns": octo, **others}, bench.sizes.rounds)


def growth(bench: Bench) -> list[Row]:
    """P6: ten times the people, at most ten times the work; and the memory."""
    sizes = bench.sizes
    cases: dict[str, Case] = {}
    with _served(bench, {"small": sizes.growth[0], "large": sizes.growth[1], "base": sizes.memory}) as roots:
        for name, root in roots.items():
            cases[name] = Case((*RECONCILER, "plan", "--detailed-exitcode"), root)
        found = rounds(cases, sizes.rounds)
    few, many = (number * sizes.users for number in sizes.growth)
    rise = math.log(many / few)
    return [
        Row(
            "P6",
            f"CPU from {few} to {many} people: exponent",
            tuple(math.log(one) / rise for one in ratios(found, "large", "small")),
            1.05,
        ),
        Row(
            "P6",
            f"peak memory at {many} / at {sizes.memory * sizes.users} people",
            ratios(found, "large", "base", of="peak"),
            1.6,
            note=f"{statistics.median(one['large']['peak'] for one in found):.0f} MB",
        ),
    ]


@contextmanager
def _served(bench: Bench, tenants: dict[str, int]) -> Iterator[dict[str, Path]]:
    roots = {
        name: bench.folder(name, tenants=number, users=bench.sizes.users) for name, number in tenants.items()
    }
    if not tenants:
        yield {}
        return
    name, *rest = tenants
    with serving("--tenants", tenants[name], "--users", bench.sizes.users) as url:
        corpus.workspace(roots[name], endpoint=url)
        with _served(bench, {each: tenants[each] for each in rest}) as others:
            yield {name: roots[name], **others}


def client(bench: Bench) -> list[Row]:
    """P7: what one request costs, beside httpx as it comes."""
    rows = []
    number = bench.sizes.requests
    with serving("--tenants", 4, "--users", 50) as url:
        for in_flight, limit in ((16, 0.25), (64, 0.1)):
            found = rounds(
                {
                    "ours": Case(python("cases.py", "client-ours", url, number, in_flight)),
                    "httpx": Case(python("cases.py", "client-httpx", url, number, in_flight)),
                },
                bench.sizes.rounds,
            )
            what = f"CPU a request, {in_flight} in flight: ours / httpx"
            rows.append(Row("P7", what, _inner(found, "ours", "httpx"), limit))
            tails = tuple(one["ours"]["tail"] for one in found)
            rows.append(Row("P7", f"p99 / p50, {in_flight} in flight", tails, 2))
    return rows


def startup(bench: Bench) -> list[Row]:
    """P10: asking for help."""
    found = rounds(
        {
            "help": Case((*RECONCILER, "--help"), bench.root),
            "bare": Case((sys.executable, "-c", "pass"), bench.root),
        },
        bench.sizes.rounds * 4,
    )
    return [Row("P10", "--help / python -c pass", ratios(found, "help", "bare"), 4.5)]


def comparing(bench: Bench) -> list[Row]:
    """P12: what differs, with explanations, for people in memory."""
    tenants, users = bench.sizes.compared, bench.sizes.users
    part = max(1, tenants // 10)
    found = rounds(
        {
            "ours": Case(python("cases.py", "diff-ours", tenants, users)),
            "plans": Case(python("cases.py", "diff-plans", tenants, users)),
            "deepdiff": Case(python("cases.py", "diff-deepdiff", part, users), times=tenants / part),
        },
        bench.sizes.rounds,
    )
    _sure(found[0]["ours"], changed=found[0]["plans"]["changed"])
    what = f"{tenants * users} people, 1 % changed: deepdiff on all / ours"
    note = f"deepdiff on {part * users} of them, scaled" if part < tenants else ""
    return [
        Row("P12", f"{what}, compared and explained", _inner(found, "deepdiff", "ours"), 40, True, note),
        Row("P12", f"{what}, whole plans", _inner(found, "deepdiff", "plans"), math.inf, True, note),
    ]


def counted(bench: Bench) -> list[Row]:
    """P8: requests of a plan, counted by the server; the formulas stand in tests/providers/test_requests.py."""
    sizes = bench.sizes
    root = bench.folder("counted", tenants=sizes.rivals, users=sizes.users)
    with serving("--tenants", sizes.rivals, "--users", sizes.users) as url:
        corpus.workspace(root, endpoint=url)
        once(Case((*RECONCILER, "plan", "--detailed-exitcode"), root))
        told = once(Case(python("cases.py", "asked", url)))
    payg, prepaid = (sizes.rivals + 1) // 2, sizes.rivals // 2
    least = _least(payg, prepaid, sizes.users)
    what = f"requests of a plan of {sizes.rivals} tenants x {sizes.users}: counted / the formula"
    return [Row("P8", what, (told["asked"] / least,), 1, note=f"{told['asked']:.0f}")]


def _least(payg: int, prepaid: int, users: int) -> int:
    clock, names, orders = 1, 2, 1
    people = payg + 5 * math.ceil(payg / 50)
    seats = math.ceil(prepaid * users / 5000) + math.ceil(prepaid * users / 50) + 2 * math.ceil(prepaid / 50)
    return clock + names + orders + people + seats


def _inner(found: list[dict[str, Figures]], one: str, other: str) -> tuple[float, ...]:
    return ratios(found, one, other, of="inner")


def _json() -> str:
    return "orjson" if importlib.util.find_spec("orjson") else "json"


def _sure(found: Figures, **wanted: float) -> None:
    told = {name: found.get(name) for name in wanted}
    if told != wanted:
        raise SystemExit(f"this measured something else: {told} instead of {wanted}")


GOALS: dict[str, Callable[[Bench], list[Row]]] = {
    "loading": loading,
    "floor": floor,
    "rivals": rivals,
    "growth": growth,
    "client": client,
    "requests": counted,
    "startup": startup,
    "comparing": comparing,
}
