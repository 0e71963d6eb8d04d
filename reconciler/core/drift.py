"""Who changed what differs: git, or somebody at the provider, by what the journal saw last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.manifest import Tenant, fingerprint
from reconciler.core.model import Json
from reconciler.core.plan import Cause, Drift, Plan
from reconciler.core.progress import Progress

SAID = {
    "git": "the manifest changed since the last apply",
    "provider": "somebody changed it at the provider since the last apply",
    "both": "the manifest and the provider changed since the last apply",
    "unknown": "no apply has seen this before",
}


def with_drift(plan: Plan, tenant: Tenant, progress: Progress) -> Plan:
    """The plan, each action with who made it necessary, and what stands at the provider since the last apply."""
    if plan.error is not None:
        return plan
    unchanged = bool(progress.seen) and progress.seen == fingerprint(tenant)
    found = [_drift(action, progress, unchanged=unchanged) for action in plan.actions]
    actions = tuple(
        replace(action, reason=f"{action.reason}; {SAID[one.cause]}")
        for action, one in zip(plan.actions, found, strict=True)
    )
    return replace(plan, actions=actions, drift=(*found, *_newcomers(plan, progress)))


def _drift(action: Action, progress: Progress, *, unchanged: bool) -> Drift:
    known = progress.last.get(action.address)
    at, value = known or (None, None)
    return Drift(
        address=action.address,
        verb=action.verb,
        cause="provider" if unchanged else _cause(action, progress, known=known is not None, last=value),
        before=action.before,
        after=action.after,
        last=value,
        since=at,
    )


ASKED = frozenset({Verb.ORDER, Verb.CREATE_USER, Verb.DEACTIVATE, Verb.DELETE_USER, Verb.CANCEL})
"""What only a manifest asks for: nothing at a provider makes it necessary."""


def _cause(action: Action, progress: Progress, *, known: bool, last: Json | None) -> Cause:
    """By what an apply left there last: what still reads so was changed in git, what is asked for still, outside."""
    if action.verb is Verb.ACTIVATE:
        login = str(action.detail.get("login", ""))
        return "provider" if (action.group, login) in progress.owned else "git"
    if not known:
        return "git" if action.verb in ASKED and progress.seen else "unknown"
    as_left, as_written = _agree(last, action.before), _agree(last, action.after)
    if as_left and not as_written:
        return "git"
    return "provider" if as_written else "both"


def _agree(last: Json | None, now: Json | None) -> bool:
    if last is None or now is None:
        return last is None and now is None
    shared = last.keys() & now.keys()
    return all(last[key] == now[key] for key in shared)


def _newcomers(plan: Plan, progress: Progress) -> Iterator[Drift]:
    """What nobody wrote and the last apply did not see."""
    if not progress.seen:
        return
    for one in plan.unmanaged:
        if one.address not in progress.strangers:
            yield Drift(address=one.address, verb=None, cause="provider", after={"ref": one.ref})


def sighting(plan: Plan, tenant: Tenant, manifest: str) -> dict[str, Any]:
    """What an apply that ended well saw, for the journal: the next drift is told apart by it."""
    return {
        "manifest": manifest,
        "unmanaged": sorted(one.address for one in plan.unmanaged),
        "seats": {one.name: one.seats for one in tenant.license_groups if one.seats and one.state is None},
    }
