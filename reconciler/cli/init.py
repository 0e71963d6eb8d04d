"""The command that begins a workspace: asked at a terminal, by options without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import F, common, option

# The bodies are imported when the command runs, so that help needs none of the engine.
PROVIDERS = ("ovh-prepaid", "ovh-payg", "ovh-csp2", "partner-center", "home-pl")
_OPTIONS = (
    click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path), metavar="[DIR]"),
    option("--provider", type=click.Choice(PROVIDERS), help="Who sells, and under which contract."),
    option("--sandbox", is_flag=True, help="Begin with the local provider: nothing is bought."),
    option(
        "--endpoint",
        metavar="NAME",
        help="ovh-eu, ovh-ca, ovh-us or a URL; public at Microsoft; without it the sandbox.",
    ),
    option("--account", metavar="NAME", help="What the account is called in the workspace."),
    option("--tenant", metavar="NAME", help="What the first tenant is called."),
    option(
        "--no-tenant", is_flag=True, help="Write no first tenant: `reconciler import` writes those there are."
    ),
    option("--service", metavar="NAME", help="Its service, or the customer's id, when it has one already."),
    option(
        "--credential",
        "credentials",
        multiple=True,
        metavar="KEY=REFERENCE",
        help="As in application_key=env://MY_KEY or client_id=file:///run/id; may be repeated.",
    ),
    option("--ci", type=click.Choice(["github", "gitlab"]), help="Add the workflows of that platform."),
    common,
)


def _taking(function: F) -> F:
    for one in reversed(_OPTIONS):
        function = one(function)
    return function


@click.command()
@_taking
def init(**values: Any) -> None:
    """Write a workspace, a first tenant, the schemas for editors and .gitignore.

    Asks at a terminal for what no option says; else the sandbox is taken. No file is overwritten. In a
    workspace that is there already, --ci adds the workflows and nothing else.
    """
    from reconciler.cli.init_job import do_init

    do_init(values)
