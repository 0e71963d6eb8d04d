"""Who is applying what: the leases that are held, and taking one away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from reconciler.cli.options import JOURNAL, common
from reconciler.cli.recording import opened
from reconciler.core.errors import WorkspaceError


@click.group()
def lease() -> None:
    """Who is applying what."""


@lease.command("list")
@JOURNAL
@common
def lease_list(**values: Any) -> None:
    """List the leases that are held now."""
    with opened(values, create=False) as (_, journal):
        held = journal.leases()
    for one in held:
        left = max(0, round((one.until - datetime.now(UTC)).total_seconds()))
        click.echo(
            f"{one.name}  {one.holder}  {one.about}  since {one.since:%Y-%m-%d %H:%M:%S} UTC, {left} s left"
        )
    if not held:
        click.echo("nobody holds a lease")


@lease.command("release")
@click.argument("name", metavar="TENANT")
@JOURNAL
@common
def lease_release(name: str, **values: Any) -> None:
    """Take a lease away from its holder, who then does nothing more."""
    with opened(values, create=True) as (_, journal):
        broken = journal.break_lease(name)
    if not broken:
        raise WorkspaceError(
            f"nobody holds the lease of {name}", hint="`reconciler lease list` shows who holds what"
        )
    click.echo(f"the lease of {name} is free")
