"""The completion script of a shell, as click makes it."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import get_completion_class

from reconciler.cli.options import common


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common
@click.pass_context
def completion(context: click.Context, /, shell: str, **_: Any) -> None:
    """Print the completion script of SHELL; source it in the shell's own start-up file."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows the three
    root = context.find_root().command
    click.echo(kind(root, {}, "reconciler", "_RECONCILER_COMPLETE").source())
