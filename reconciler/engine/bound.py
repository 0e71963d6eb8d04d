"""What an action learns between its plan and its turn: the service its group got meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from reconciler.core.action import Action, Verb

INSIDE = frozenset({Verb.ACTIVATE, Verb.DEACTIVATE, Verb.UPDATE})
"""What is done inside a group's service, and so needs to know it."""


def bound(action: Action, services: Mapping[str, tuple[str, str, str]], *, customer: str = "") -> Action:
    """The action with the service that its group got meanwhile, and its login spelt out with that domain.

    customer: the account that an earlier action of the plan created, into which an order goes, and which is
        asked whether it may buy.
    """
    if (action.of_tenant or action.verb is Verb.ORDER) and customer and not action.detail.get("scope"):
        return replace(action, detail={**action.detail, "scope": customer})
    group = action.group or action.detail.get("group")
    known = services.get(str(group)) if group else None
    if action.verb not in INSIDE or known is None:
        return action
    detail = dict(action.detail)
    detail.setdefault("service", known[0])
    detail.setdefault("scope", known[2])
    login = str(detail.get("login", ""))
    if login and "@" not in login:
        detail["login"] = f"{login}@{known[0]}".lower()
    return replace(action, detail=detail)


def homeless(action: Action) -> bool:
    """Whether nobody knows the service in which it would be done."""
    inside = action.verb in INSIDE and bool(action.detail.get("login")) and _grouped(action)
    return inside and not action.detail.get("service")


def _grouped(action: Action) -> bool:
    """Whether it is about a group's seat; a person of a directory is in no service."""
    return bool(action.group or action.detail.get("group"))
