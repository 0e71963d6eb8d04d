"""The command that writes manifests from what an account holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import JOURNAL, F, common, option

# The bodies are imported when the command runs, so that help needs none of the engine.
PROVIDERS = ("ovh-payg", "ovh-prepaid", "ovh-csp2", "partner-center")
_OPTIONS = (
    click.argument("services", nargs=-1, metavar="[SERVICE]..."),
    option("--account", required=True, metavar="NAME", help="The account of the workspace to read."),
    option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Where the manifests go; else tenants/ beside the workspace file.",
    ),
    option("--merge", is_flag=True, help="Add to manifests that are there what they do not say."),
    option(
        "--provider",
        "providers",
        multiple=True,
        type=click.Choice(PROVIDERS),
        help="Only this kind of service; may be repeated.",
    ),
    option(
        "--directory",
        metavar="ACCOUNT",
        help="The account that opens the directories of people, for ovh-csp2 and partner-center.",
    ),
    option(
        "--tenant-id",
        "tenant_ids",
        multiple=True,
        metavar="[SERVICE=]ID",
        help="With --directory: the directory of a service of ovh-csp2; may be repeated.",
    ),
    JOURNAL,
    common,
)


def _taking(function: F) -> F:
    for one in reversed(_OPTIONS):
        function = one(function)
    return function


@click.command("import")
@_taking
def import_(**values: Any) -> None:
    """Write manifests from what is there, one tenant a service; the next plan says no changes.

    Reads only. What a manifest claims already is not imported twice, and no file is overwritten.
    Exits 0, or 1 when a service could not be read; the others are written all the same.
    """
    from reconciler.cli.importing_job import do_import

    sys.exit(do_import(values))
