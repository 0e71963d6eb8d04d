"""Which licences users hold, and how each came to them."""

import json
from typing import Any

from reconciler.sandbox.microsoft.wire import instant
from reconciler.sandbox.store import Tx


def shown(tx: Tx, user: str) -> dict[str, Any]:
    """Show the licences of a user, and how each came: by hand, or by a group."""
    rows = tx.all("SELECT * FROM ms_licence WHERE user = ? ORDER BY at, sku, via", user)
    disabled: dict[str, list[str]] = {}
    for row in rows:
        disabled.setdefault(row["sku"], json.loads(row["disabled"]))
    return {
        "assignedLicenses": [{"disabledPlans": plans, "skuId": sku} for sku, plans in disabled.items()],
        "licenseAssignmentStates": [
            {
                "skuId": row["sku"],
                "disabledPlans": json.loads(row["disabled"]),
                "assignedByGroup": row["via"] or None,
                "state": "Active",
                "error": "None",
                "lastUpdatedDateTime": instant(row["at"]),
            }
            for row in rows
        ],
    }


def give(tx: Tx, user: Any, sku: str, *, via: str = "", disabled: list[str] | None = None) -> None:
    """Note a licence of a user; who asks has looked whether there is one left."""
    tx.run(
        "INSERT OR REPLACE INTO ms_licence VALUES (?, ?, ?, ?, ?, ?)",
        *(user["id"], sku, via, user["tenant"], json.dumps(disabled or []), tx.now),
    )
