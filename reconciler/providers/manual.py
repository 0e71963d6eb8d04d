"""No API: a reseller whose panel only a person can use. What people confirmed is all that is known."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from reconciler.core.action import Action, Verb
from reconciler.core.manifest import Tenant as Manifest
from reconciler.core.model import Holding, Json, Organisation, Quote, Snapshot
from reconciler.core.provider import (
    Absent,
    Accepted,
    Attempt,
    Capabilities,
    Done,
    Outcome,
    Provider,
    StepRecord,
    Support,
    Told,
    Unknown,
)
from reconciler.providers.pace import Clock

PANEL = "https://cp.home.pl"
_NO_PEOPLE = "home.pl's panel has no API: write `directory:`, so that Microsoft Graph keeps the people"

# What the panel does, and when Microsoft's portal opens, is home.pl's help page "Gdzie mogę zarządzać swoją
# usługą Office 365?", read 2026-08.
HOME_PL = Capabilities(
    provider="home-pl",
    verbs={
        Verb.ORDER: Support(
            how="by-hand",
            note="sign in to the billing panel and order the licences; Microsoft's portal opens, and its first "
            "login comes by mail, only once the order is paid",
            link=PANEL,
        ),
        Verb.RESIZE: Support(
            how="by-hand",
            note="sign in to the billing panel and order the further licences, or renew for fewer",
            link=PANEL,
        ),
        Verb.CANCEL: Support(
            how="by-hand", note="sign in to the billing panel and do not renew the subscription", link=PANEL
        ),
        Verb.UPDATE: Support(
            how="by-hand", note="sign in to the billing panel and change the subscription", link=PANEL
        ),
        Verb.ACTIVATE: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.DEACTIVATE: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.CREATE_USER: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.DELETE_USER: Support(how="not-at-all", note=_NO_PEOPLE),
        Verb.SCHEDULE: Support(how="not-at-all", note="a person renews for as many seats as are wanted"),
    },
    pool=True,
    people=False,
    slots=False,
    by_word=True,
    renewal=False,
    shrink="at-expiration",
    cancel="at-expiration",
)


class ManualAccount:
    """An account at a reseller without an API: it is asked nothing and told nothing."""

    def __init__(self, name: str, *, clock: Clock | None = None) -> None:
        self.name = name
        self.capabilities = HOME_PL
        self.sandbox = False
        self.told: tuple[Holding, ...] = ()
        self._clock = clock or Clock()

    async def snapshot(
        self,
        scopes: frozenset[str],  # noqa: ARG002 - nothing can be read
        *,
        settled: frozenset[str] = frozenset(),  # noqa: ARG002 - see above
        told: tuple[Holding, ...] = (),
    ) -> Snapshot:
        """Take what people confirmed for what there is."""
        self.told = told
        return Snapshot(holdings=told)

    async def quote(
        self,
        product: str,  # noqa: ARG002 - no price is told
        quantity: int,  # noqa: ARG002 - likewise
        *,
        scope: str | None,  # noqa: ARG002 - likewise
        term: str = "",  # noqa: ARG002 - likewise
        billing: str = "",  # noqa: ARG002 - likewise
    ) -> Quote:
        """Nothing tells a price but the workspace's own list."""
        return Quote()

    def product_id(self, scope: str | None, product: str) -> str | None:  # noqa: ARG002 - any product may be sold
        """A product is called as the manifest calls it."""
        return product

    async def now(self) -> datetime:
        """The time of this machine: there is no provider to ask."""
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def tenant(self, tenant: Manifest) -> Provider:
        """One tenant's part."""
        return ManualTenant(self, tenant.tenant)

    async def close(self) -> None:
        """There is no connection."""


class ManualTenant:
    """One tenant of a reseller without an API."""

    def __init__(self, account: ManualAccount, name: str) -> None:
        self.account = account
        self.name = name

    async def read(self, refs: frozenset[str]) -> tuple[Holding, ...]:
        """Give what people confirmed of these."""
        return tuple(one for one in self.account.told if one.ref in refs or one.scope in refs)

    async def organisation(self) -> Organisation | None:
        """Nothing is known besides the groups."""
        return None

    async def reread(self, action: Action) -> Json | None:
        """Nothing can be read, so what was planned from still holds."""
        return action.before

    async def execute(self, action: Action, attempt: Attempt) -> AsyncGenerator[Told, None]:  # noqa: ARG002 - nothing is sent
        """Hand it to a person."""
        yield _by_hand(action)

    async def poll(self, action: Action, ticket: str, steps: tuple[StepRecord, ...]) -> Outcome:  # noqa: ARG002 - there is nobody to ask
        """It waits until a person confirms it."""
        return _by_hand(action)

    async def find(
        self,
        action: Action,
        steps: tuple[StepRecord, ...],  # noqa: ARG002 - nothing was sent
        since: datetime,  # noqa: ARG002 - see above
    ) -> Done | Accepted | Absent | Unknown:
        """Only a person can tell."""
        return Unknown(why=f"{PANEL} shows whether {action.address} is so, and only a person can look there")


def _by_hand(action: Action) -> Accepted:
    support = HOME_PL.verbs[action.verb]
    return Accepted(
        ticket="",
        ask_again_after=3600.0,
        waiting_on="person",
        status="by hand",
        instructions=action.instructions or f"{action.summary}: {support.note} ({support.link})",
    )
