# ruff: noqa: D103 - the route above a handler says what it answers
"""Graph's view of what a directory holds: `/subscribedSkus` and `/directory/subscriptions`."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from reconciler.sandbox.call import Call
from reconciler.sandbox.clock import months_later
from reconciler.sandbox.events import event
from reconciler.sandbox.microsoft import products
from reconciler.sandbox.microsoft.errors import not_found
from reconciler.sandbox.microsoft.keys import partner
from reconciler.sandbox.microsoft.query import context
from reconciler.sandbox.microsoft.routes import graph
from reconciler.sandbox.microsoft.wire import instant, named
from reconciler.sandbox.store import Tx

# Inferred, no page tells it as a table: how Graph calls what Partner Center says of a subscription.
_UNITS = {
    "active": "enabled",
    "pending": "enabled",
    "expired": "warning",
    "suspended": "suspended",
    "disabled": "suspended",
    "deleted": "",
}
_STATUS = {"enabled": "Enabled", "warning": "Warning", "suspended": "Suspended", "": "Deleted"}


class Lot(Struct, frozen=True):
    """Units of a SKU from one seller."""

    id: str
    commerce: str
    sku: str
    units: int
    kind: str
    created: float
    next: float | None = None
    trial: bool = False
    ours: bool = True


class Held(Struct):
    """Everything of one SKU that a directory holds."""

    sku: str
    units: dict[str, int] = field(default_factory=lambda: {"enabled": 0, "warning": 0, "suspended": 0})
    lots: list[Lot] = field(default_factory=list)
    consumed: int = 0

    @property
    def free(self) -> int:
        """How many units are left to assign."""
        return self.units["enabled"] + self.units["warning"] - self.consumed

    @property
    def status(self) -> str:
        """What Graph calls the whole."""
        for kind in ("enabled", "warning", "suspended"):
            if self.units[kind]:
                return _STATUS[kind]
        return "Deleted"


@graph("GET", "/subscribedSkus")
def subscribed(call: Call) -> dict[str, Any]:
    tenant = call.caller["tenant"]
    return {
        "@odata.context": context(call, "subscribedSkus"),
        "value": [_sku(tenant, one) for one in held(call.tx, tenant).values()],
    }


@graph("GET", "/subscribedSkus/{id}")
def subscribed_one(call: Call) -> dict[str, Any]:
    tenant = call.caller["tenant"]
    found = held(call.tx, tenant).get(call.path["id"].rpartition("_")[2])
    if found is None or call.path["id"] != f"{tenant}_{found.sku}":
        raise not_found(call.path["id"])
    return {"@odata.context": context(call, "subscribedSkus/$entity"), **_sku(tenant, found)}


@graph("GET", "/directory/subscriptions")
def subscriptions(call: Call) -> dict[str, Any]:
    return {
        "@odata.context": context(call, "directory/subscriptions"),
        "value": [_lot(call, one) for one in lots(call.tx, call.caller["tenant"])],
    }


@graph("GET", "/directory/subscriptions/{id}")
def subscription(call: Call) -> dict[str, Any]:
    return _single(call, "id")


@graph("GET", "/directory/subscriptions()/{commerce}")
def subscription_by_commerce(call: Call) -> dict[str, Any]:
    return _single(call, "commerce")


def held(tx: Tx, tenant: str) -> dict[str, Held]:
    """Give what a directory holds, by SKU."""
    found: dict[str, Held] = {}
    for lot in lots(tx, tenant):
        one = found.setdefault(lot.sku, Held(lot.sku))
        one.lots.append(lot)
        if lot.kind:
            one.units[lot.kind] += lot.units
    for row in tx.all(
        "SELECT sku, count(DISTINCT ms_licence.user) AS used"
        " FROM ms_licence JOIN ms_user ON ms_user.id = ms_licence.user"
        " WHERE ms_licence.tenant = ? AND ms_user.deleted IS NULL GROUP BY sku",
        tenant,
    ):
        found.setdefault(row["sku"], Held(row["sku"])).consumed = row["used"]
    return found


def lots(tx: Tx, tenant: str) -> list[Lot]:
    """Give what was sold into a directory: by the partner, by OVHcloud's reseller face, and elsewhere."""
    return [*_partner(tx, tenant), *_reseller(tx, tenant), *_elsewhere(tx, tenant)]


def _partner(tx: Tx, tenant: str) -> Iterator[Lot]:
    sql = "SELECT * FROM ms_subscription WHERE customer = ? AND status != 'deleted' AND granted > 0 ORDER BY seq"
    for row in tx.all(sql, tenant):
        ends = {"expired": row["closes"], "disabled": row["closes"]}.get(row["status"], row["ends"])
        kind = _UNITS[row["status"]]
        number = named("company-subscription", row["id"])
        yield Lot(
            number, row["id"], row["sku"], row["granted"], kind, row["created"], ends, bool(row["trial"])
        )


def _reseller(tx: Tx, tenant: str) -> Iterator[Lot]:
    for row in tx.all(
        "SELECT subscription.id, subscription.granted, subscription.created, licence.name, tenant.name AS service"
        " FROM subscription JOIN tenant ON tenant.name = subscription.tenant"
        " JOIN licence ON licence.tenant = tenant.name AND licence.id = subscription.licence"
        " WHERE tenant.directory = ? AND subscription.granted > 0 ORDER BY subscription.id",
        tenant,
    ):
        known = products.titled(row["name"])
        sku = known.sku if known is not None else named("sku", row["name"])
        number, commerce = (
            named("csp2", row["service"], row["id"]),
            named("commerce", row["service"], row["id"]),
        )
        ends = months_later(row["created"], 12)
        yield Lot(number, commerce, sku, row["granted"], "enabled", row["created"], ends, ours=False)


def _elsewhere(tx: Tx, tenant: str) -> Iterator[Lot]:
    for row in tx.all("SELECT * FROM ms_grant WHERE tenant = ? ORDER BY id", tenant):
        kind = _UNITS[row["status"]]
        yield Lot(
            row["id"],
            named("commerce", row["id"]),
            row["sku"],
            row["units"],
            kind,
            row["created"],
            ours=False,
        )


@event("reseller-granted")
def _granted(tx: Tx, data: Mapping[str, Any]) -> None:
    tx.run("UPDATE subscription SET granted = quantity WHERE id = ?", data["id"])


def _single(call: Call, name: str) -> dict[str, Any]:
    wanted = call.path[name]
    for lot in lots(call.tx, call.caller["tenant"]):
        if getattr(lot, name) == wanted:
            return {"@odata.context": context(call, "directory/subscriptions/$entity"), **_lot(call, lot)}
    raise not_found(wanted)


def _sku(tenant: str, one: Held) -> dict[str, Any]:
    return {
        "accountId": tenant,
        "accountName": "Sandbox",
        "appliesTo": "User",
        "capabilityStatus": one.status,
        "consumedUnits": one.consumed,
        "id": f"{tenant}_{one.sku}",
        "prepaidUnits": {**one.units, "lockedOut": 0},
        "servicePlans": products.plans(one.sku),
        "skuId": one.sku,
        "skuPartNumber": products.part(one.sku),
        "subscriptionIds": [lot.id for lot in one.lots],
    }


def _lot(call: Call, lot: Lot) -> dict[str, Any]:
    owner = _owner(call, lot)
    return {
        "id": lot.id,
        "commerceSubscriptionId": lot.commerce,
        "createdDateTime": instant(lot.created),
        "isTrial": lot.trial,
        "nextLifecycleDateTime": None if lot.next is None else instant(lot.next),
        "ownerId": owner,
        "ownerTenantId": owner,
        "ownerType": "User" if lot.ours else None,
        "serviceStatus": products.plans(lot.sku),
        "skuId": lot.sku,
        "skuPartNumber": products.part(lot.sku),
        "status": _STATUS[lot.kind],
        "totalLicenses": lot.units,
    }


def _owner(call: Call, lot: Lot) -> str | None:
    return partner(call.tx)["tenant_id"] if lot.ours else None
