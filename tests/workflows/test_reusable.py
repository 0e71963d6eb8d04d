"""What others may call does the same jobs as what `init` writes; `UPDATE_GOLDEN=1` renews it."""

import os
import re
from pathlib import Path

import pytest
import yaml

from reconciler.cli.ci import BRANCH, USUAL, WEIGHS, render

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
      journal:
        description: Another journal than the workspace's, which has to outlive a runner
        type: string
        default: ""
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
    jobs = text[text.index("jobs:\n") :].replace(f"'{BRANCH}' }}}} # {WEIGHS}", "inputs.journal }}")
    assert BRANCH not in jobs
    return HEAD.format(name=name, version=version[1]) + jobs


@pytest.mark.parametrize("name", NAMES)
def test_a_reusable_workflow_has_the_jobs_of_the_template(name: str) -> None:
    file = ROOT / f".github/workflows/reusable-{name}.yml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(reusable(name), encoding="utf-8")

    assert file.read_text(encoding="utf-8") == reusable(name)
    assert "workflow_call" in yaml.safe_load(file.read_text(encoding="utf-8"))[True]


COMPONENT = """\
# The jobs of .gitlab-ci.yml as a component, for a project that would rather include than copy them; docs/ci.md tells
# how. Made from reconciler/cli/templates: change it there.
spec:
  inputs:
    package:
      description: What pip installs
      default: m365-reconciler[postgres]=={version}
    workspace:
      description: The workspace file
      default: reconciler.yaml
    journal:
      description: Another journal than the workspace's, which has to outlive a job
      default: ""
    image:
      description: An image with Python and git
      default: {image}
---
"""


def component() -> str:
    text = render(
        (TEMPLATES.parent / "gitlab/gitlab-ci.yml").read_text(encoding="utf-8"),
        "gitlab",
        names=(),
        journal="",
    )
    version, image = re.search(r"==(\S+)", text), re.search(r"image: (\S+)", text)
    assert version
    assert image
    jobs = text[text.index(".main:") :]
    every = text[text.index(".licences:") : text.index(".main:")]
    for old, new in (
        (f"image: {image[1]}", 'image: "$[[ inputs.image ]]"'),
        (f"m365-reconciler[postgres]=={version[1]}", '"$[[ inputs.package ]]"'),
        ("WORKSPACE: reconciler.yaml", 'WORKSPACE: "$[[ inputs.workspace ]]"'),
        (f"{BRANCH} # {WEIGHS}", '"$[[ inputs.journal ]]"'),
    ):
        assert old in every
        every = every.replace(old, new)
    return COMPONENT.format(version=version[1], image=image[1]) + every + jobs


def test_the_component_has_the_jobs_of_the_template() -> None:
    file = ROOT / "templates/licences.yml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(component(), encoding="utf-8")

    assert file.read_text(encoding="utf-8") == component()
    spec, jobs = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    used = set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", file.read_text(encoding="utf-8")))
    assert spec["spec"]["inputs"].keys() == used
    assert {job["stage"] for name, job in jobs.items() if not name.startswith(".")} == {
        "validate",
        "plan",
        "apply",
        "tell",
    }
