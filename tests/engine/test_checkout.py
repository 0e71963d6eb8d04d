"""One unconfirmed purchase at a time an account, whoever sent it and whenever this process read the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Unavailable
from reconciler.core.journal import Event, Journal, Kind
from reconciler.core.replay import replay_all
from reconciler.core.serial import action_to_dict
from reconciler.core.workspace import DEFAULT_JOURNAL
from reconciler.engine.checkout import Checkouts, counter
from reconciler.engine.clock import SystemClock
from reconciler.store.journal import open_journal

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = open_journal(DEFAULT_JOURNAL, root=tmp_path, create=True, env={})
    yield made
    made.close()


def order(tenant: str) -> Action:
    detail = {"account": "main", "provider": "ovh-prepaid", "quantity": 1}
    return Action(id=f"order-{tenant}", verb=Verb.ORDER, address="group/office", summary="", detail=detail)


def sent(action: Action, tenant: str) -> list[Event]:
    """A purchase was sent, and nobody has its answer."""
    told: dict[str, Any] = {"tenant": tenant, "at": NOW, "action": action.id, "address": action.address}
    return [
        Event(kind=Kind.INTENDED, data={"action": action_to_dict(action), "attempt": 1}, **told),
        Event(kind=Kind.STEPPING, data={"step": "checkout", "data": {}}, **told),
    ]


def begun(journal: Journal) -> Checkouts:
    """The counters of a process that has just read the journal."""
    return Checkouts(journal=journal, clock=SystemClock(), holder="us", progress=replay_all(journal.events()))


def buy(ours: Checkouts, action: Action) -> None:
    """Go to the counter with it."""

    async def go() -> None:
        async with ours.of("acme")(action):
            pass

    asyncio.run(go())


def test_what_another_process_sent_since_is_waited_for(journal: Journal) -> None:
    ours = begun(journal)
    journal.append(*sent(order("beta"), "beta"))

    with pytest.raises(Unavailable, match="purchase of beta group/office is not confirmed"):
        buy(ours, order("acme"))


def test_what_another_process_sent_between_two_of_ours_is_waited_for(journal: Journal) -> None:
    ours, mine = begun(journal), order("acme")
    buy(ours, mine)
    theirs = journal.acquire(counter(mine), holder="them", about="beta group/office")
    journal.append(*sent(order("beta"), "beta"))
    journal.release(theirs)

    with pytest.raises(Unavailable, match="purchase of beta group/office is not confirmed"):
        buy(ours, mine)


def test_who_was_alone_at_the_counter_does_not_read_the_journal_again(journal: Journal) -> None:
    ours, mine = begun(journal), order("acme")
    buy(ours, mine)
    journal.append(*sent(order("beta"), "beta"))  # not at the counter, where nobody else has been

    buy(ours, mine)
