"""What a licence group gets first: an order, more seats, or the news that a number is on its way already."""

from __future__ import annotations

from reconciler.core.action import Change, Verb
from reconciler.core.draft import Draft, Wording
from reconciler.core.model import Holding
from reconciler.core.open import Delivery, Stuck
from reconciler.core.plan import Waiting
from reconciler.core.standing import Standing


def detail_of(standing: Standing, **more: object) -> dict[str, object]:
    """What the provider has to know of the group, besides."""
    holding = standing.holding
    scope = holding.scope if holding else standing.identity.scope
    base: dict[str, object] = {
        "product": standing.product,
        "service": holding.ref if holding else None,
        "scope": scope,
        "term": (holding.term if holding else "") or None,
        "billing": (holding.billing if holding else "") or None,
    }
    return {key: value for key, value in {**base, **more}.items() if value is not None}


def grow(draft: Draft, standing: Standing) -> str | None:
    """Plan the seats that come first: an order, or more seats; the id of that action."""
    if _waits(draft, standing) or standing.cancelled:
        return None
    if standing.identity.verdict == "order":
        return _order(draft, standing)
    if standing.holding is None or not standing.capabilities.pool:
        return None
    if standing.growth == 0:
        _not_replaced(draft, standing)
        return None
    # Who sits there does not matter to more seats, so a closed directory holds them up no more.
    why = standing.holding.frozen if standing.holding.frozen != draft.closed else ""
    if why := why or standing.holding.fixed:
        draft.block(
            standing.address, Verb.RESIZE, why, source=draft.group_source(standing.group.name, "seats")
        )
        return None
    return _more(draft, standing, standing.holding)


def _waits(draft: Draft, standing: Standing) -> bool:
    """Whether a number is on its way or stuck, so that none is planned (the journal's own is told elsewhere)."""
    if not standing.pending:
        return False
    if standing.open is None and standing.stuck is not None:
        draft.blocked.append(_stuck(standing.stuck, draft.manifest.tenant.tenant))
    elif standing.open is None:
        draft.pending.append(_coming(standing))
    return True


def _stuck(stuck: Stuck, tenant: str) -> Waiting:
    name = stuck.action.address  # a renamed group's failed under the name before
    return Waiting(
        address=name,
        verb=stuck.action.verb,
        reason=f"{stuck.why}; it is not ordered again by itself: `reconciler resolve {tenant} {name} "
        "--did-not-happen` allows that",
        ref=stuck.ref,
        since=stuck.since,
    )


def _coming(standing: Standing) -> Waiting:
    if standing.coming:
        order = standing.coming[0]
        who = "waits for a person" if order.waiting_on == "person" else "is on its way"
        where = ", and nothing tells into which service" if order.anywhere else ""
        return Waiting(
            address=standing.address,
            verb=Verb.RESIZE,
            reason=f"order {order.ref} of {order.quantity} seats {who} ({order.status}){where}",
            ref=order.ref,
            since=order.since,
            state="by-hand" if order.waiting_on == "person" else "pending",
        )
    if standing.late is not None:
        return _late(standing, standing.late)
    task = standing.holding.task if standing.holding else None
    return Waiting(
        address=standing.address, verb=Verb.RESIZE, reason=f"task {task} is open", ref=task, state="pending"
    )


def _late(standing: Standing, late: Delivery) -> Waiting:
    shown = standing.counted if not standing.slotted else len(standing.places) or standing.counted
    return Waiting(
        address=standing.address,
        verb=Verb.RESIZE,
        reason=f"{late.seats} seats were delivered and {shown} can be read: the rest is not bought again",
        ref=late.service,
        since=late.at,
        state="pending",
    )


def _not_replaced(draft: Draft, standing: Standing) -> None:
    seats = standing.group.seats or 0
    if standing.counts_ending and seats > standing.counted:
        said = f"{standing.counted} of {seats} seats are left, and renewal: off replaces nothing"
        source = draft.group_source(standing.group.name, "seats")
        draft.find("RC4302", standing.address, said, source=source, severity="info")


def _order(draft: Draft, standing: Standing) -> str | None:
    group = standing.group
    seats = group.seats
    scope = standing.identity.scope
    source = draft.group_source(group.name)
    if draft.awaits:
        told = Waiting(address=standing.address, verb=Verb.ORDER, reason=draft.awaits, state="pending")
        draft.pending.append(told)
        return None
    if draft.unready and not draft.first:
        draft.block(standing.address, Verb.ORDER, draft.unready, source=source)
        return None
    into = f" into {scope}" if scope else ""
    what = f"{seats} seats of {group.product}{into}" if seats else f"{group.product}{into}"
    return draft.act(
        Verb.ORDER,
        Change(standing.address, before=None, after={"product": standing.product, "seats": seats}),
        Wording(
            summary=what,
            reason=f"manifest asks for {seats} seats" if seats else "manifest asks for the group",
            source=source,
            instructions=_of_key(draft, group.name) if standing.capabilities.by_word else None,
        ),
        detail=detail_of(standing, quantity=seats, expect=seats, **_terms(standing)),
        needs=draft.first,
    )


def _of_key(draft: Draft, group: str) -> str | None:
    """What a person buys where a group's seats come from a product key: the key, from whoever sells it."""
    keys = [one.key for one in draft.manifest.tenant.product_keys if one.group == group]
    if not keys:
        return None
    key, it = ("key", "it") if len(keys) == 1 else ("keys", "them")
    seller = draft.manifest.tenant.account
    return (
        f"buy the product {key} from the seller behind account {seller} and keep {it} at {', '.join(keys)}; "
        f"redeeming {it} is a step of its own"
    )


def _terms(standing: Standing) -> dict[str, object]:
    """How a purchase binds, where that is written; and the name a group has where nothing can be read."""
    group = standing.group
    told: dict[str, object] = {"term": group.term, "billing": group.billing, "renewal": group.renewal}
    if not standing.capabilities.by_word:
        return told if standing.capabilities.shrink == "window" else {}
    return {**told, "service": f"{standing.tenant}/{group.name}", "scope": standing.tenant}


def _more(draft: Draft, standing: Standing, holding: Holding) -> str | None:
    seats = standing.group.seats or 0
    undo = standing.kept
    quantity = standing.growth - len(undo)
    kept = f", {len(undo)} of them by keeping what was to end" if undo else ""
    total = len(standing.places) if standing.slotted else standing.counted
    by_word = standing.capabilities.by_word
    return draft.act(
        Verb.RESIZE,
        Change(standing.address, before={"seats": standing.counted}, after={"seats": seats}),
        Wording(
            summary=f"{standing.counted} -> {seats} seats{kept}",
            reason=f"manifest asks for {seats} seats",
            source=draft.group_source(standing.group.name, "seats"),
            instructions=_of_another_key(draft, standing.group.name) if by_word else None,
        ),
        detail=detail_of(
            standing,
            quantity=quantity,
            expect=total + quantity,
            targets=[place.ref for place in undo],
            scope=holding.scope,
        ),
    )


def _of_another_key(draft: Draft, group: str) -> str | None:
    """What a person does about more seats where product keys bring them: nothing twice, when a key brought them."""
    tenant = draft.manifest.tenant
    if group not in {one.group for one in tenant.product_keys}:
        return None
    return (
        "if a product key that was redeemed brought these seats, only confirm; else buy another key from the "
        f"seller behind account {tenant.account}, write it in `product_keys:` and redeem it first"
    )
