"""The workflows that others may call do the same jobs as those that `init` writes; `UPDATE_GOLDEN=1` renews them."""

import os
import re
from pathlib import Path

import pytest
import yaml

from reconciler.cli.ci import USUAL, render

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "reconciler/cli/templates/github"
NAMES = ("pull-request", "apply", "resume", "drift")
HEAD = """\
# The jobs of licences-{name}.yml, for a repository that would rather call than copy them; docs/ci.md tells how.
# Made from reconciler/cli/templates: change it there.
name: reusable-{name}
on: # zizmor: ignore[concurrency-limits] the caller sets the group that fits its triggers
  workflow_call:
    inputs:
      package:
        description: What pip installs
        type: string
        default: m365-reconciler[postgres]=={version}
      workspace:
        description: The workspace file
        type: string
        default: reconciler.yaml
permissions: {{}} # each job asks for what it needs, and the caller has to grant it
env:
  RECONCILER_PACKAGE: ${{{{ inputs.package }}}}
  RECONCILER_WORKSPACE: ${{{{ inputs.workspace }}}}
"""


def reusable(name: str) -> str:
    text = render(
        (TEMPLATES / f"licences-{name}.yml").read_text(encoding="utf-8"), "github", names=USUAL, journal=""
    )
    version = re.search(r"==(\S+)", text)
    assert version
    return HEAD.format(name=name, version=version[1]) + text[text.index("jobs:\n") :]


@pytest.mark.parametrize("name", NAMES)
def test_a_reusable_workflow_has_the_jobs_of_the_template(name: str) -> None:
    file = ROOT / f".github/workflows/reusable-{name}.yml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(reusable(name), encoding="utf-8")

    assert file.read_text(encoding="utf-8") == reusable(name)
    assert "workflow_call" in yaml.safe_load(file.read_text(encoding="utf-8"))[True]
