"""The world of the sandbox: its state, its clock, and what a test or a person may do to it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from reconciler.sandbox import faults, interference
from reconciler.sandbox.call import Reply, Request
from reconciler.sandbox.clock import moment
from reconciler.sandbox.events import settle
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.load import load
from reconciler.sandbox.microsoft import face as microsoft
from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.microsoft import orders as partner_orders
from reconciler.sandbox.ovh import auth, face, gate, me, orders
from reconciler.sandbox.ovh.account import account, store, stored
from reconciler.sandbox.schema import TABLES
from reconciler.sandbox.settings import Settings, changed
from reconciler.sandbox.store import Store, Tx

_COUNTED = ("tenant", "user", "seat", "subscription", "cart", "purchase", "ledger", "request")
_COUNTED_MICROSOFT = ("customer", "tenant", "user", "licence", "subscription", "order", "domain", "relation")


def real_clock() -> datetime:
    """Give the present time of this machine."""
    return datetime.now(UTC)


class World:
    """One account at the provider, kept in a file or in memory."""

    def __init__(self, store_: Store, now: Callable[[], datetime]) -> None:
        self._store = store_
        self._clock = now

    @classmethod
    def open(cls, path: Path | None, *, now: Callable[[], datetime] = real_clock) -> "World":
        """Open the world of a file, or a fresh one in memory; a new one is empty but for the account."""
        world = cls(Store(path), now)
        with world.transaction() as tx:
            if tx.one("SELECT 1 FROM credential") is None:
                _begin(tx)
        return world

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Hold the world for a moment, with everything done that was due."""
        with self._store.transaction() as db:
            plain = Tx(db, 0.0, Settings())
            settings = Settings(**stored(plain, "settings"))
            offset = float(stored(plain, "clock").get("offset", 0.0))
            tx = Tx(db, self._clock().timestamp() + offset, settings)
            settle(tx)
            yield tx

    @property
    def now(self) -> datetime:
        """The world's time: the clock it was given, and how far it was turned."""
        with self.transaction() as tx:
            return datetime.fromtimestamp(tx.now, UTC)

    def advance(self, by: timedelta) -> datetime:
        """Turn the clock; what becomes due happens at once."""
        with self._store.transaction() as db:
            tx = Tx(db, 0.0, Settings())
            turned = float(stored(tx, "clock").get("offset", 0.0)) + by.total_seconds()
            store(tx, "clock", {"offset": turned})
        return self.now

    def load(self, document: Mapping[str, Any]) -> None:
        """Add everything that a world document describes."""
        with self.transaction() as tx:
            load(tx, document)

    def reset(self, document: Mapping[str, Any] | None = None) -> None:
        """Begin anew, with an empty world or the one of a document."""
        with self._store.transaction() as db:
            for table in TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names of our own tables
            tx = Tx(db, self._clock().timestamp(), Settings())
            _begin(tx)
            load(tx, document or {})

    def set(self, key: str, value: str) -> None:
        """Change a setting, for example `delay`, `realistic`, `batch` or `busy`."""
        with self.transaction() as tx:
            store(tx, "settings", asdict(changed(tx.settings, key, value)))

    def settings(self) -> Settings:
        """Give the settings as they are."""
        with self.transaction() as tx:
            return tx.settings

    def fault(self, name: str, **options: Any) -> int:
        """Ask for a fault: method, path, times, skip, probability and seed; the rest are its own options."""
        own = {
            key: options.pop(key)
            for key in ("method", "path", "times", "skip", "probability", "seed")
            if key in options
        }
        if name == "interference":
            interference.check(str(options.get("change", "")))
        with self.transaction() as tx:
            return faults.add(tx, Fault(name, **own, options=options))

    def faults(self) -> list[dict[str, Any]]:
        """Give the faults that were asked for, spent ones too."""
        with self.transaction() as tx:
            return faults.listed(tx)

    def clear_faults(self) -> None:
        """Behave again."""
        with self.transaction() as tx:
            tx.run("DELETE FROM fault")

    def change(self, text: str) -> None:
        """Let somebody else change something, see `interference`."""
        with self.transaction() as tx:
            interference.change(tx, text)

    def pay(self, order: int | str) -> str:
        """Play the person who pays an order or hands in its documents; Partner Center's orders are no numbers."""
        with self.transaction() as tx:
            if tx.one("SELECT 1 FROM ms_order WHERE id = ?", str(order)) is not None:
                return partner_orders.person(tx, str(order))
            if not str(order).isdigit():
                raise ValueError(f"there is no order {order}")
            return orders.person(tx, int(order))

    def ledger(self) -> list[dict[str, Any]]:
        """Give everything that took effect, oldest first: `at`, `what` and what it was about."""
        with self.transaction() as tx:
            return tx.ledger()

    def requests(self) -> list[dict[str, Any]]:
        """Give every request: `at`, `method`, `path` and `status` (0 where no answer arrived)."""
        with self.transaction() as tx:
            return [
                {
                    "at": moment(row["at"]),
                    "method": row["method"],
                    "path": row["path"],
                    "status": row["status"],
                }
                for row in tx.all("SELECT * FROM request ORDER BY id")
            ]

    def state(self) -> dict[str, Any]:
        """Give a short account of what is there."""
        with self.transaction() as tx:
            sums = {
                table: tx.column(f"SELECT count(*) FROM {table}")[0]  # noqa: S608 - the names of our own tables
                for table in _COUNTED
            }
            waiting = tx.all("SELECT id, status FROM purchase WHERE status NOT IN ('delivered', 'cancelled')")
            return {
                "now": moment(tx.now),
                "account": account(tx),
                "settings": asdict(tx.settings),
                "counts": sums,
                "microsoft": {"partner": keys.partner(tx), "counts": _microsoft(tx)},
                "open_orders": [{"order": row["id"], "status": row["status"]} for row in waiting],
                "faults": faults.listed(tx),
            }

    def handle(self, request: Request) -> Reply:
        """Answer one request in one transaction, and log it."""
        with self.transaction() as tx:
            reply, path, caller = _answer(tx, request)
            status = 0 if reply.lost else reply.status
            number = tx.run(
                "INSERT INTO request (at, method, path, status, caller) VALUES (?, ?, ?, ?, ?)",
                *(tx.now, request.method, path, status, caller),
            )
            if path.split("/")[1] in microsoft.PREFIXES:
                return reply
            query = f"EU.sandbox-1.{number:08x}.{int(tx.now):x}"
            return replace(reply, headers={**reply.headers, "X-OVH-QUERYID": query})


def _answer(tx: Tx, request: Request) -> tuple[Reply, str, str]:
    parts = request.raw_path.strip("/").split("/")
    if parts[0] in face.PREFIXES:
        return face.answer(tx, request)
    if parts[0] in microsoft.PREFIXES:
        return microsoft.answer(tx, request)
    path = request.raw_path
    match request.method, parts:
        case "POST", ["auth", "oauth2", "token"]:
            return auth.token(tx, request), path, ""
        case "GET", ["sandbox", "validate", number] if number.isdigit():
            auth.validate(tx, int(number))
            return Reply(content="validated"), path, ""
    return (
        Reply(
            404,
            {
                "message": "There is nothing here; the APIs are under /1.0, /partner-center/v1, /graph/v1.0 and /login"
            },
        ),
        path,
        "",
    )


def _microsoft(tx: Tx) -> dict[str, int]:
    return {
        name: tx.column(f"SELECT count(*) FROM ms_{name}")[0]  # noqa: S608 - the names of our own tables
        for name in _COUNTED_MICROSOFT
    }


def _begin(tx: Tx) -> None:
    keys.begin(tx)
    me.pay_by_default(tx, wanted=True)
    signed = {
        "application_key": gate.APPLICATION_KEY,
        "application_secret": gate.APPLICATION_SECRET,
        "consumer_key": gate.CONSUMER_KEY,
    }
    gate.add_credential(tx, signed)
    gate.add_client(tx, {"client_id": gate.CLIENT_ID, "client_secret": gate.CLIENT_SECRET})
