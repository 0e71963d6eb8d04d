"""Office Attach: whether an Exchange service can still get Office for its accounts, and what that costs.

There is no call that orders it: the control panel's wizard opens a web order (customer guide, seed 001), so only what
the wizard looks at first is read here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from reconciler.core.manifest import OfficeAttach
from reconciler.core.model import Organisation, Quote
from reconciler.providers.http import path
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.capabilities import BUSINESS
from reconciler.providers.ovh.wire import ExchangeDirectory

MOST = 25
"""Accounts that one order takes (ovh/manager, modules/exchange, 2026-08)."""

Quoting = Callable[[], Awaitable[Quote]]


async def read(api: Api, attach: OfficeAttach | None, *, quote: Quoting) -> Organisation | None:
    """Tell of the Exchange service that a manifest writes; nothing is asked when it writes none.

    quote: gives the price of one Business licence for a month. Raises what reading raises: a service that cannot
    be read is no service without Office.
    """
    if attach is None:
        return None
    name = attach.exchange
    found = await api.maybe(ExchangeDirectory, f"/msServices{path(name)}")
    if found is None:
        return _told(f"{name} is no Exchange service of this account: office_attach cannot be ordered for it")
    if found.office_tenant_service_name:
        return _told(
            f"{name} has Office already, in {found.office_tenant_service_name}: the offer is taken, and further "
            f"seats are a group with `service: {found.office_tenant_service_name}`"
        )
    price = (await quote()).price
    later = (
        f"{price.monthly} {price.currency} a month for each" if price else "the list price, which is not told"
    )
    return _told(
        f"{name} has no Office yet: {len(attach.accounts)} of at most {MOST} accounts, the first month is free, "
        f"then {later}" + ("" if found.state == "ok" else f"; the service is {found.state or 'not ok'}")
    )


def _told(notice: str) -> Organisation:
    return Organisation(notices=(notice,))


def business(quote: Callable[..., Awaitable[Quote]]) -> Quoting:
    """Ask an account for the price of one Business licence."""
    return lambda: quote(BUSINESS, 1, scope=None)
