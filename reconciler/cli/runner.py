"""Which platform runs us, told by the variables it sets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from reconciler.cli.github_api import GitHub
from reconciler.cli.gitlab_api import GitLab
from reconciler.cli.platform import Platform
from reconciler.core.errors import WorkspaceError


def platform_of(env: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep) -> Platform:
    """The platform whose variables are set; WorkspaceError when neither is, or when they are not enough."""
    if env.get("GITHUB_ACTIONS") == "true":
        return GitHub.of(env, sleep=sleep)
    if env.get("GITLAB_CI") == "true":
        return GitLab.of(env, sleep=sleep)
    raise WorkspaceError(
        "neither GitHub Actions nor GitLab CI runs this",
        hint="it needs GITHUB_ACTIONS=true or GITLAB_CI=true and their variables; --dry-run prints instead",
        code="no-platform",
    )
