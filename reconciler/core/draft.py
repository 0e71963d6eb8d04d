"""The plan of one tenant while it is being made: what is decided so far, and how actions get their ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core.action import Action, Change, Verb, action_id
from reconciler.core.manifest import ManifestFile, Person
from reconciler.core.model import Address, Json, Source
from reconciler.core.plan import Finding, Leaving, Unmanaged, Waiting
from reconciler.core.provider import Capabilities, Support


class Wording(Struct, frozen=True, kw_only=True):
    """How a plan tells of an action: what is done, why, which place of a file asks for it, what a person does."""

    summary: str
    reason: str
    source: Source | None
    instructions: str | None = None


class Draft(Struct):
    """One tenant's plan in the making; `needs` are ids. `now`: None judges every window as open.

    closed: why the directory cannot be looked into yet. unready: why nothing may be bought yet.
    awaits: what is under way that has to be done first.
    first: actions that every purchase needs (the customer's account).
    """

    manifest: ManifestFile
    capabilities: Capabilities
    begun: int
    now: datetime | None = None
    closed: str = ""
    unready: str = ""
    awaits: str = ""
    first: tuple[str, ...] = ()
    actions: list[Action] = field(default_factory=list)
    pending: list[Waiting] = field(default_factory=list)
    blocked: list[Waiting] = field(default_factory=list)
    unmanaged: list[Unmanaged] = field(default_factory=list)
    leaving: list[Leaving] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _people: dict[str, int] = field(default_factory=dict)
    _seller: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Name once who sells to the tenant, which stands in every action."""
        tenant = self.manifest.tenant
        self._seller = {"account": tenant.account, "provider": tenant.provider}

    def source(self, *path: str | int) -> Source:
        """The place in the tenant's file."""
        return self.manifest.source(*path)

    def group_source(self, name: str, *key: str) -> Source:
        """The place of a group, or of one of its keys."""
        names = [group.name for group in self.manifest.tenant.license_groups]
        return self.source("license_groups", names.index(name), *key)

    def person_source(self, person: Person) -> Source:
        """The place of a person."""
        if not self._people:
            users = self.manifest.tenant.users or ()
            self._people = {one.login: index for index, one in enumerate(users)}
        return self.source("users", self._people[person.login])

    def id_of(self, verb: Verb, change: Change) -> str:
        """The id that an action has or would have."""
        return action_id(self.manifest.tenant.tenant, verb, change, begun=self.begun)

    def act(
        self,
        verb: Verb,
        change: Change,
        wording: Wording,
        *,
        detail: Json,
        needs: Sequence[str] = (),
        scheduled_for: date | None = None,
        reversible_until: date | None = None,
        support: Support | None = None,
    ) -> str | None:
        """Add an action, or block it when the provider cannot do the verb at all; its id.

        support: how it is done, when that is not what the provider's table says of the verb.
        """
        support = support or self.capabilities.verbs.get(verb)
        if support is None or support.how == "not-at-all":
            note = support.note if support else f"{self.capabilities.provider} cannot {verb}"
            self.block(change.address, verb, note, source=wording.source)
            return None
        action = Action(
            id=self.id_of(verb, change),
            verb=verb,
            address=change.address,
            summary=wording.summary,
            before=change.before,
            after=change.after,
            needs=tuple(needs),
            how=support.how,
            repeatable=support.repeatable,
            reason=wording.reason,
            source=wording.source,
            scheduled_for=scheduled_for,
            reversible_until=reversible_until,
            instructions=wording.instructions or _told(support),
            detail={**detail, **self._seller},
        )
        self.actions.append(action)
        return action.id

    def wait(self, address: Address, verb: Verb | None, reason: str, *, ref: str | None = None) -> None:
        """Say that something is on its way, or has to wait for what is, and why."""
        self.pending.append(Waiting(address=address, verb=verb, reason=reason, ref=ref, state="pending"))

    def block(self, address: Address, verb: Verb | None, reason: str, *, source: Source | None) -> None:
        """Say that something cannot be done, and why; what a closed directory holds up only waits."""
        waits = bool(self.closed) and reason == self.closed
        told = Waiting(address=address, verb=verb, reason=reason, source=source)
        if waits:
            self.pending.append(replace(told, state="pending"))
        else:
            self.blocked.append(told)

    def find(
        self,
        code: str,
        address: Address,
        message: str,
        *,
        source: Source | None = None,
        severity: Literal["info", "warning", "error"] = "warning",
    ) -> None:
        """Add a rule's word."""
        self.findings.append(
            Finding(code=code, severity=severity, address=address, message=message, source=source)
        )


def _told(support: Support) -> str | None:
    """What a person does, and where."""
    if support.how != "by-hand":
        return None
    return f"{support.note}: {support.link}" if support.link else support.note
