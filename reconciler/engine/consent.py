"""What a run was allowed to do: everything, one saved plan, one approved digest, or what a person says now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field

from reconciler.core.errors import StalePlanError
from reconciler.core.model import Price
from reconciler.core.plan import Plan, Run
from reconciler.core.progress import Progress

Ask = Callable[[Run], bool]


class Consent(Struct, frozen=True, kw_only=True):
    """The one consent of a run.

    saved: a plan file; the run does that plan or is refused.
    digest: the run's digest as approved. tenants: approved digests by tenant; others are not applied.
    ask: asked once with the plan that is about to be done.
    """

    saved: Run | None = None
    digest: str | None = None
    tenants: Mapping[str, str] = field(default_factory=dict)
    ask: Ask | None = None

    def check(self, run: Run, progress: Mapping[str, Progress]) -> dict[str, str]:
        """Refuse a run that is not the approved one; tenants that are refused alone, with the reason."""
        wanted = self.saved.digest if self.saved is not None else self.digest
        if self.saved is not None:
            for plan in self.saved.plans:
                _unspent(plan.digest, plan, progress)
        if wanted is not None and wanted != run.digest:
            self._explain_spent(wanted, progress)
            raise StalePlanError(
                f"plan {short(wanted)} was approved, but the plan is now {short(run.digest)}{self._differs(run)}",
                hint="manifests, workspace or provider changed: run `reconciler plan` and review again",
                code="stale",
            )
        return self._refused(run.plans, progress) if self.tenants else self._dearer(run.plans)

    def _dearer(self, plans: Iterable[Plan]) -> dict[str, str]:
        """Tenants for which a recurring price is above the saved plan's, from the same source."""
        saved = self.saved.plans if self.saved is not None else ()
        before = {(plan.tenant, one.id): one.price for plan in saved for one in plan.actions}
        dearer: dict[str, str] = {}
        for plan in plans:
            for action in plan.actions:
                was, now = before.get((plan.tenant, action.id)), action.price
                if was and now and _kind(was) == _kind(now) and now.monthly > was.monthly:
                    dearer[plan.tenant] = (
                        f"{action.address} now costs {now.monthly} {now.currency} a month,"
                        f" {was.monthly} in the approved plan"
                    )
        return dearer

    def _explain_spent(self, digest: str, progress: Mapping[str, Progress]) -> None:
        for known in progress.values():
            if digest in known.spent:
                at, by = known.spent[digest]
                raise StalePlanError(
                    f"plan {short(digest)} was applied already, {at:%Y-%m-%d %H:%M} UTC by {by or '?'}",
                    hint="a plan is spent by applying it: run `reconciler plan` again",
                    code="spent",
                )

    def _differs(self, run: Run) -> str:
        if self.saved is None:
            return ""
        before = {plan.tenant: plan.digest for plan in self.saved.plans if plan.actions}
        after = {plan.tenant: plan.digest for plan in run.plans if plan.actions}
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        return f" (it differs for {', '.join(changed[:10])})" if changed else ""

    def _refused(self, plans: Iterable[Plan], progress: Mapping[str, Progress]) -> dict[str, str]:
        refused: dict[str, str] = {}
        for plan in plans:
            approved = self.tenants.get(plan.tenant)
            if approved is None:
                refused[plan.tenant] = ""
            elif approved in progress.get(plan.tenant, Progress()).spent:
                at, by = progress[plan.tenant].spent[approved]
                refused[plan.tenant] = f"applied already, {at:%Y-%m-%d %H:%M} UTC by {by or '?'}"
            elif plan.digest != approved and plan.error is None:
                refused[plan.tenant] = (
                    f"plan {short(approved)} was approved, but the plan is now {short(plan.digest)}"
                )
        return refused


def _unspent(digest: str, plan: Plan, progress: Mapping[str, Progress]) -> None:
    known = progress.get(plan.tenant)
    if known is None or not plan.actions or digest not in known.spent:
        return
    at, by = known.spent[digest]
    raise StalePlanError(
        f"{plan.tenant}: this plan was applied already, {at:%Y-%m-%d %H:%M} UTC by {by or 'somebody'}",
        hint="a plan is spent by applying it: run `reconciler plan` again",
        code="spent",
    )


def short(digest: str) -> str:
    """A digest as people read it."""
    return digest.removeprefix("sha256:")[:12]


def _kind(price: Price) -> tuple[str, str]:
    return price.currency, price.source
