"""How many licences were in use on each day: the peak and the end of the day."""

from datetime import date, timedelta
from typing import Any

from reconciler.sandbox.call import Call, bad
from reconciler.sandbox.clock import day
from reconciler.sandbox.store import Tx

_LONGEST = timedelta(days=3 * 366)

_COUNTS = {
    "payg": "SELECT licence, count(*) FROM user WHERE tenant = ? GROUP BY licence",
    "prepaid": "SELECT licence, count(*) FROM seat WHERE tenant = ? AND virtual = 0 GROUP BY licence",
    "csp2": "SELECT licence, sum(quantity) FROM subscription WHERE tenant = ? GROUP BY licence",
}


def touch(tx: Tx, kind: str, tenant: str) -> None:
    """Note the present counts of a tenant after something about it changed."""
    today = day(tx.now)
    counts = {str(row[0]): int(row[1]) for row in tx.all(_COUNTS[kind], tenant)}
    before = _last(tx, tenant, today)
    known = set(tx.column("SELECT DISTINCT licence FROM usage WHERE tenant = ?", tenant))
    for licence in counts.keys() | known:
        count = counts.get(licence, 0)
        tx.run(
            "INSERT INTO usage VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, day, licence)"
            " DO UPDATE SET peak = max(peak, excluded.last), last = excluded.last",
            *(tenant, today, licence, max(count, before.get(licence, 0)), count),
        )


def days(tx: Tx, tenant: str, first: date, last: date) -> list[tuple[str, dict[str, tuple[int, int]]]]:
    """Give each day with peak and end of day by licence, oldest first; a quiet day repeats the one before."""
    noted: dict[str, dict[str, tuple[int, int]]] = {}
    for row in tx.all("SELECT * FROM usage WHERE tenant = ? AND day <= ?", tenant, last.isoformat()):
        noted.setdefault(row["day"], {})[row["licence"]] = (row["peak"], row["last"])
    standing = _last(tx, tenant, first.isoformat())
    result = []
    for offset in range((last - first).days + 1):
        name = (first + timedelta(days=offset)).isoformat()
        lines = {licence: (count, count) for licence, count in standing.items()} | noted.get(name, {})
        standing = {licence: count for licence, (_, count) in lines.items()}
        result.append((name, lines))
    return result


def window(call: Call, *, back: int = 30) -> tuple[date, date]:
    """Read `from` and `to` of a request; without them the last days."""
    until, since = call.time("to"), call.time("from")
    last = date.fromisoformat(day(call.tx.now if until is None else until))
    first = last - timedelta(days=back) if since is None else date.fromisoformat(day(since))
    if last - first > _LONGEST:
        raise bad("The input provided isn't valid: the time between 'from' and 'to' is too long")
    return first, last


def office(call: Call, tenant: str) -> list[dict[str, Any]]:
    """Answer the usage routes of the two office families."""
    return [
        {
            "date": name,
            "lines": [
                {"licenceType": licence, "peakCount": peak, "endOfDayCount": last}
                for licence, (peak, last) in sorted(lines.items())
            ],
        }
        for name, lines in days(call.tx, tenant, *window(call))
    ]


def _last(tx: Tx, tenant: str, before: str) -> dict[str, int]:
    rows = tx.all(
        "SELECT licence, last, max(day) FROM usage WHERE tenant = ? AND day < ? GROUP BY licence",
        tenant,
        before,
    )
    return {row[0]: row[1] for row in rows}
