"""What a finished action leaves behind: whose service is whose, who is ours, how many seats a group has."""

from __future__ import annotations

from datetime import datetime

from reconciler.core.action import Action, Verb
from reconciler.core.journal import Event
from reconciler.core.model import Json
from reconciler.core.open import Delivery, Stuck
from reconciler.core.progress import Progress


def remember(progress: Progress, action: Action, event: Event) -> None:
    """Remember what became so; `event` is the one that says that the action is finished."""
    _own(progress, action, event.data)
    _deliver(progress, action, event)
    if action.how == "by-hand" and action.verb is Verb.ORDER:
        _unpinned(progress, action, event)


def _own(progress: Progress, action: Action, data: Json) -> None:
    group = action.group
    login = str(data.get("login") or action.detail.get("login", ""))
    if action.of_tenant:
        progress.settings[action.address] = dict(action.after or {})
        progress.customer = str(data.get("scope") or progress.customer)
        return
    match action.verb:
        case Verb.CREATE_USER:
            progress.created[login] = str(data.get("user", ""))
        case Verb.DELETE_USER:
            progress.created.pop(login, None)
        case Verb.ACTIVATE if group:
            progress.owned[group, login] = action.address.rpartition("/")[2]
        case Verb.DEACTIVATE if group:
            progress.owned.pop((group, login), None)
        case Verb.CANCEL if group:
            progress.cancelled.add(group)
            _ending(progress, group, action.detail)
        case Verb.UPDATE if group and action.detail.get("renewal") == "auto":
            progress.cancelled.discard(group)
            progress.endings.pop(group, None)
        case Verb.UPDATE if old := action.detail.get("previously"):
            _rename(progress, action, str(old), login)
        case _:
            pass


def _ending(progress: Progress, group: str, detail: Json) -> None:
    """Remember what ends, so that it is shown until then whatever becomes of its line in the file."""
    if service := detail.get("service"):
        scope = str(detail.get("scope") or service)
        progress.endings[group] = (str(service), str(detail.get("product", "")), scope)


def _rename(progress: Progress, action: Action, old: str, login: str) -> None:
    """A person stays ours under the new login, in the groups whose seat was renamed."""
    if old in progress.created:
        progress.created[login] = progress.created.pop(old)
    groups = action.detail.get("groups") or [action.detail.get("group")]
    for owned_group, owned_login in list(progress.owned):
        if owned_login == old and (owned_group in groups or groups == [None]):
            del progress.owned[owned_group, owned_login]
            progress.owned[owned_group, login] = action.address.rpartition("/")[2]


def _deliver(progress: Progress, action: Action, event: Event) -> None:
    """Remember which service a group is, and how many seats it has."""
    group = action.group
    if group is None or action.verb not in {Verb.ORDER, Verb.RESIZE}:
        return
    # A service that the action went to is what the group is; what a person says then is another number.
    service = action.detail.get("service") or event.data.get("service")
    if not service:
        return
    scope = str(event.data.get("scope") or action.detail.get("scope") or service)
    progress.services[group] = (str(service), str(action.detail.get("product", "")), scope)
    progress.cancelled.discard(group)
    before = progress.delivered.pop(group, None)
    seats = event.data.get("seats") or (
        (action.after or {}).get("seats") if action.how == "by-hand" else None
    )
    if seats:
        progress.delivered[group] = Delivery.of(event.at, str(service), seats, event.data)
    elif before is not None and before.names:
        progress.delivered[group] = before  # seats that end, or go on after all, are the same ones


def _unpinned(progress: Progress, action: Action, event: Event) -> None:
    """Keep a group that a person has bought from being bought again, until it is known which service it is."""
    ovh = str(action.detail.get("provider", "")).startswith("ovh-")
    if ovh and action.group and action.group not in progress.services:
        progress.stuck[action.address] = Stuck(
            action=action,
            since=event.at,
            why=f"ordered by hand, as {event.data.get('confirmed_by') or event.by} confirmed, and nothing says "
            "which service it is: write `service:` in the group",
        )


def take_over(progress: Progress, kept: Json) -> None:
    """Take what was known under the tenant's name before, beside its services, people and open actions."""
    progress.took = str(kept["name"])
    progress.begun = int(kept["begun"])
    progress.customer = str(kept["customer"])
    progress.created |= dict((one, "") if isinstance(one, str) else one for one in kept["created"])
    progress.cancelled |= set(kept["cancelled"])
    endings = kept.get("endings", {})  # what older versions wrote has none
    progress.endings |= {group: (ref, product, scope) for group, (ref, product, scope) in endings.items()}
    progress.orders |= set(kept["orders"])
    progress.settings |= kept["settings"]
    for group, (at, service, seats, *names) in kept["delivered"].items():
        progress.delivered[group] = Delivery(
            datetime.fromisoformat(at), str(service), int(seats), tuple(names)
        )
