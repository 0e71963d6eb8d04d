"""Faults on demand: what the sandbox was told to do wrong, and whether a request is hit by it."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from reconciler.sandbox.store import Tx

WRITES = "POST|PUT|PATCH|DELETE"
CHECKOUT = "/order/cart/{}/checkout|/partner-center/v1/customers/{}/carts/{}/checkout"


class Kind(Struct, frozen=True):
    """A fault by name: what it does and what it hits unless told."""

    does: str
    method: str = "*"
    path: str = "*"


KINDS = {
    "lose-reply-before": Kind("the connection dies before anything happened", WRITES),
    "lose-reply-after": Kind("it happened, and the connection dies", WRITES),
    "refuse": Kind("the connection is refused", WRITES),
    "error-before": Kind("500 before anything happened"),
    "error-after": Kind("it happened, and the answer is 500", WRITES),
    "throttle": Kind("429 with Retry-After (--seconds, 2)"),
    "html": Kind("408 and the load balancer's HTML page"),
    "malformed": Kind("it happened; 200 with a body that is no JSON"),
    "wrong-types": Kind("it happened; the answer's values have other types"),
    "slow": Kind("it happened; the answer comes --seconds later (60)"),
    "fail-list": Kind("500 on a list", "GET"),
    "partial-batch": Kind("some of a batch end in an error", "GET"),
    "busy": Kind("403 Client::Forbidden::Busy; Microsoft: 409 or 423", WRITES),
    "expired": Kind("460 This Service is expired"),
    "task-error": Kind("the task that this starts ends in error", WRITES),
    "delivered-then-404": Kind("what is delivered stays unreadable for --seconds (1200)", "POST", CHECKOUT),
    "late-delivery": Kind("the order takes --seconds longer (4 h)", "POST", CHECKOUT),
    "order-cancelled": Kind("the order is cancelled instead of delivered", "POST", CHECKOUT),
    "order-documents": Kind("the order wants documents from a person", "POST", CHECKOUT),
    "payment-refused": Kind("403 on paying an order", "POST", "/me/order/{}/pay*"),
    "order-error": Kind("a checkout that ends well places no order and says why", "POST", CHECKOUT),
    "interference": Kind("somebody else makes --change right --when (before) the call", WRITES),
}


class Fault(Struct, frozen=True):
    """One fault as it was asked for; `skip` matching calls go well, then `times` are hit."""

    name: str
    method: str = "*"
    path: str = "*"
    times: int = 1
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)


class Faults(Struct, frozen=True):
    """The faults that could hit one request."""

    tx: Tx
    method: str
    path: str
    rows: tuple[Any, ...] = ()

    def take(self, name: str) -> dict[str, Any] | None:
        """Give a fault's options when this request is hit by it, and count that."""
        for row in self.rows:
            if row["name"] == name and _matches(row, self.method, self.path):
                options = self._fire(row)
                if options is not None:
                    return options
        return None

    def _fire(self, row: Any) -> dict[str, Any] | None:
        # One request may ask for a fault several times, as for each order of a checkout.
        if self.tx.column("SELECT fired < times FROM fault WHERE id = ?", row["id"]) != [1]:
            return None
        seen = int(row["seen"]) + 1
        # Seeded by fault and by how often it was looked at, so a run can be had again.
        lucky = random.Random(f"{row['seed']}:{row['id']}:{seen}").random()  # noqa: S311 - chaos, not secrecy
        hit = seen > row["skip"] and lucky < row["probability"]
        self.tx.run("UPDATE fault SET seen = seen + 1, fired = fired + ? WHERE id = ?", int(hit), row["id"])
        return dict(json.loads(row["options"])) if hit else None


def add(tx: Tx, fault: Fault) -> int:
    """Ask for a fault; gives its number."""
    kind = KINDS.get(fault.name)
    if kind is None:
        raise ValueError(f"{fault.name!r} is no fault; there are: {', '.join(KINDS)}")
    return tx.run(
        "INSERT INTO fault (name, method, path, times, skip, probability, seed, options)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        fault.name,
        kind.method if fault.method == "*" else fault.method.upper(),
        kind.path if fault.path == "*" else fault.path,
        fault.times,
        fault.skip,
        fault.probability,
        fault.seed,
        json.dumps(fault.options),
    )


def listed(tx: Tx) -> list[dict[str, Any]]:
    """Give every fault, spent ones too."""
    return [
        dict(row) | {"options": json.loads(row["options"])}
        for row in tx.all("SELECT * FROM fault ORDER BY id")
    ]


def waiting(tx: Tx, method: str, path: str) -> Faults:
    """Give the unspent faults, for one request."""
    return Faults(tx, method, path, tuple(tx.all("SELECT * FROM fault WHERE fired < times ORDER BY id")))


def twisted(content: object) -> object:
    """Give the same with other types."""
    match content:
        case dict():
            return {key: twisted(value) for key, value in content.items()}
        case list():
            return [twisted(value) for value in content]
        case bool() | None:
            return {"unexpected": content}
        case str():
            return len(content)
    return str(content)


def _matches(row: Any, method: str, path: str) -> bool:
    if row["method"] != "*" and method not in row["method"].split("|"):
        return False
    return row["path"] == "*" or _pattern(row["path"]).fullmatch(path) is not None


def _pattern(glob: str) -> re.Pattern[str]:
    # Several paths may be named, with | between them.
    return re.compile("|".join("".join(_pieces(one)) for one in glob.split("|")), re.IGNORECASE)


def _pieces(glob: str) -> Iterator[str]:
    for piece in re.split(r"(\{[^}]*\}|\*+)", glob):
        if piece.startswith("{"):
            yield "[^/]+"
        elif piece.startswith("*"):
            yield ".*"
        else:
            yield re.escape(piece)
