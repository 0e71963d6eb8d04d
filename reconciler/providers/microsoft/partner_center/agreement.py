"""The Microsoft Customer Agreement: a person accepts it, and it is only asked whether that has happened.

Partner Center would take a partner's word for it by a POST; no program may give that word.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from reconciler.core.action import Action
from reconciler.core.model import setting_address
from reconciler.core.provider import Accepted, Done, Told
from reconciler.providers.microsoft.capabilities import AGREEMENT_LINK, AGREEMENT_NOTE
from reconciler.providers.microsoft.partner_center import customers
from reconciler.providers.microsoft.partner_center.account import PartnerCenterAccount

AGREEMENT = setting_address("agreement")
TICKET = "agreement"


async def ask(account: PartnerCenterAccount, scope: str, action: Action) -> AsyncGenerator[Told, None]:
    """Hand it to a person; nothing is sent."""
    yield await poll(account, scope, action)


async def poll(account: PartnerCenterAccount, scope: str, action: Action) -> Done | Accepted:
    """Ask whether the customer accepted it, or the partner said so."""
    if await customers.accepted(account, scope):
        return Done(ref=scope, data={"scope": scope})
    return Accepted(
        ticket=TICKET,
        ask_again_after=account.api.settings.poll,
        waiting_on="person",
        status="not accepted",
        instructions=action.instructions or f"{AGREEMENT_NOTE} {AGREEMENT_LINK}",
    )
