"""What a resume would still begin, and what it costs as far as that is known today."""

from __future__ import annotations

from reconciler.core.action import Action
from reconciler.core.money import told
from reconciler.core.progress import Progress
from reconciler.engine.setup import Setup


def begun_by_resume(setup: Setup, tenant: str, known: Progress) -> tuple[Action, ...]:
    """The planned actions that were never begun; where the plan knew no price, with the one of today's workspace.

    The guards judge by it, and what is begun is written down with it: it counts as spent this month.
    """
    groups = setup.selection.by_name[tenant].head.license_groups
    return told(known.todo.values(), setup.prices, {one.name: one.product for one in groups})
