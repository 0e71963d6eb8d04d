"""How results leave the process: rendered for the stream they go to, saved owner-only where a file is asked for."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click

from reconciler.render.options import Options, options_for

F = TypeVar("F", bound=Callable[..., Any])


def options(*, no_color: bool = False, selection: str = "", plan_file: str = "") -> Options:
    """What fits standard output."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if terminal or os.environ.get("COLUMNS") else None
    made = options_for(
        os.environ, encoding=sys.stdout.encoding, terminal=terminal, width=width, no_color=no_color
    )
    return replace(made, selection=selection, plan_file=plan_file)


def put(text: str, *, quiet: bool = False) -> None:
    """Print a rendered result."""
    if not quiet:
        click.echo(text, nl=not text.endswith("\n"), color=True)


def can_ask() -> bool:
    """Whether a person sits at a terminal that may be asked."""
    return sys.stdin.isatty() and not os.environ.get("CI")


def formats(*names: str) -> Callable[[F], F]:
    """The --format option with these choices, text first."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        envvar="RECONCILER_FORMAT",
        help="How to print.",
    )
