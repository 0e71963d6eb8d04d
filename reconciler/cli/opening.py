"""Opens the accounts of a workspace for the tenants that use them; the one place where credentials pass."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core.errors import Rejected
from reconciler.core.provider import Account
from reconciler.core.workspace import ManualAccount, MicrosoftAccount, OvhAccount, Workspace
from reconciler.store.secrets import resolve

SANDBOX_POLL = 1.0
"""Seconds between two looks at a sandbox, whose deliveries take seconds."""

SOONEST = 0.1
"""Seconds between two looks at the least: without a pause they are thousands until something is delivered."""

# The providers, and what they need, are imported when an account is opened: most commands open none.


class Opener(Struct, frozen=True, kw_only=True):
    """Opens accounts; what they share (a session, a connection) is opened once a run.

    root: the folder of the workspace file, beside which a sandbox lives.
    writes: without it nothing that is opened sends a request that changes anything.
    """

    workspace: Workspace
    root: Path
    writes: bool
    _shared: dict[str, Any] = field(default_factory=dict)

    def account(self, name: str, provider: str, directory: str = "") -> Account:
        """Open an account for one kind of provider, and with `directory` the account that knows the people."""
        seller = self._seller(name, provider)
        if not directory:
            return seller
        from reconciler.providers import with_directory

        return with_directory(seller, directory, self.opened(directory))

    def _seller(self, name: str, provider: str) -> Account:
        from reconciler.providers import OPEN, open_by_hand

        if isinstance(self.workspace.accounts[name], ManualAccount):
            return open_by_hand(name)
        if provider not in OPEN:
            raise Rejected(
                f"provider {provider} is not in this version of the tool",
                hint="remove the tenant or wait",
                code="unsupported",
            )
        return OPEN[provider](name, self.opened(name))

    def opened(self, name: str) -> Any:
        """What the providers of an account share: a session at OVHcloud, a connection at Microsoft."""
        if name not in self._shared:
            match self.workspace.accounts[name]:
                case OvhAccount() as account:
                    self._shared[name] = _session(account, self.root, writes=self.writes)
                case MicrosoftAccount() as account:
                    self._shared[name] = _connection(account, self.root, writes=self.writes)
        return self._shared[name]


def _session(account: OvhAccount, root: Path, *, writes: bool) -> Any:
    from reconciler.providers import open_session

    settings = replace(
        settings_of(account),
        base_url=account.url,
        token_url=account.tokens or None,
        subsidiary=account.subsidiary,
        waive_retraction=account.waive_retraction,
    )
    if not account.is_sandbox:
        return open_session(settings, _credentials(account), writes=writes)
    from reconciler.cli.embedded import embedded

    settings, credentials, transport = embedded(root, settings)
    return open_session(settings, credentials, writes=writes, transport=transport)


def _connection(account: MicrosoftAccount, root: Path, *, writes: bool) -> Any:
    from reconciler.providers.microsoft.connection import open_partner

    settings = settings_of(account)
    if not account.is_sandbox:
        return open_partner(settings, account.urls, _credentials(account), writes=writes)
    from reconciler.cli.embedded import embedded_microsoft

    roots, credentials, transport = embedded_microsoft(root)
    return open_partner(settings, roots, credentials, writes=writes, transport=transport)


def settings_of(account: OvhAccount | MicrosoftAccount) -> Any:
    """What the workspace says about an account's requests."""
    from reconciler.providers.settings import Settings

    poll = max(account.poll.total_seconds(), SOONEST)
    rate = account.pace if isinstance(account, OvhAccount) else account.rate
    return Settings(
        base_url="",
        poll=min(poll, SANDBOX_POLL) if account.is_sandbox else poll,
        settle=account.settle.total_seconds(),
        timeout=account.timeout.total_seconds(),
        rate=rate.per_second if rate else None,
        concurrency=account.concurrency,
        sandbox=account.is_sandbox,
    )


def _credentials(account: OvhAccount | MicrosoftAccount) -> Mapping[str, str]:
    """Resolve what is written as a reference; an id may be written itself."""
    written = account.credentials.model_dump() if account.credentials else {}
    return {
        key: resolve(value, os.environ) if "://" in value or key not in PLAIN else value
        for key, value in written.items()
        if value
    }


PLAIN = frozenset({"tenant_id", "client_id"})
"""What is no secret, and may stand in the file as it is; at OVHcloud the files' own rules want references."""
