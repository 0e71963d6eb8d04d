"""What the provider calls the tenant: a display name that the file writes otherwise is changed, once a service."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.action import Change, Verb
from reconciler.core.draft import Draft, Wording
from reconciler.core.groups import detail_of
from reconciler.core.model import Holding
from reconciler.core.progress import Progress
from reconciler.core.standing import Standing


def name_services(draft: Draft, standings: Mapping[str, Standing], progress: Progress) -> None:
    """Plan the display name of each service that shows another one, at its first group by name.

    An empty name is one that was not told, so nothing is known to differ; what is on its way is left alone.
    """
    wanted = draft.manifest.tenant.name
    if wanted is None or not draft.capabilities.renames:
        return
    busy = {one.action.detail.get("service") for one in progress.open.values() if one.action.renames}
    busy |= {one.ref for one in standings.values() if one.pending}
    for standing in sorted(standings.values(), key=lambda one: one.group.name):
        holding = standing.holding
        if holding is None or standing.cancelled or holding.ref in busy:
            continue
        busy.add(holding.ref)
        if holding.name not in {"", wanted} and can_be_named(holding):
            _name(draft, standing, holding, wanted)


def can_be_named(holding: Holding) -> bool:
    """Whether a service takes a name now: one that is suspended, or still being made, is left alone."""
    return holding.status == "ok"


def _name(draft: Draft, standing: Standing, holding: Holding, wanted: str) -> None:
    draft.act(
        Verb.UPDATE,
        Change(standing.address, before={"name": holding.name}, after={"name": wanted}),
        Wording(
            summary=f"name {holding.name} -> {wanted}",
            reason=f"manifest calls the tenant {wanted}",
            source=draft.source("name"),
        ),
        detail=detail_of(standing, name=wanted),
    )
