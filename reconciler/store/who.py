"""Who runs this, in which CI run, on which commit: what every event remembers."""

from __future__ import annotations

import os
import platform
import pwd
import subprocess
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from reconciler.store.revisions import clean


class Who(Struct, frozen=True):
    """by: the CI actor or the user. run: the CI run. commit: the revision of the manifests."""

    by: str
    run: str = ""
    commit: str = ""


def identity(env: Mapping[str, str], root: Path, *, remembers: bool = True) -> Who:
    """Tell from CI's variables who runs this, else from the system and from git in `root`.

    remembers: whether anything is going to be written with it; else git is not asked for the commit.
    """
    commit = env.get("GITHUB_SHA") or env.get("CI_COMMIT_SHA") or (_commit(root) if remembers else "")
    if actor := env.get("GITHUB_ACTOR"):
        return Who(actor, _github_run(env), commit)
    if actor := env.get("GITLAB_USER_LOGIN"):
        return Who(actor, env.get("CI_PIPELINE_URL") or env.get("CI_PIPELINE_ID", ""), commit)
    return Who(_user(), "", commit)


def holder(who: Who) -> str:
    """Name this process as a lease's holder: who, where, which process, which run."""
    return f"{who.by}@{platform.node()} {os.getpid()} {who.run}".rstrip()


def _github_run(env: Mapping[str, str]) -> str:
    number = env.get("GITHUB_RUN_ID", "")
    match env.get("GITHUB_SERVER_URL"), env.get("GITHUB_REPOSITORY"):
        case str(server), str(repository) if server and repository and number:
            return f"{server}/{repository}/actions/runs/{number}"
    return number


def _user() -> str:
    """The system's user; never from the environment, which anybody may set."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's user without a name
        return f"uid {os.geteuid()}"


def _commit(root: Path) -> str:
    """The commit that is checked out in `root`; empty without git or outside a repository."""
    try:
        found = subprocess.run(
            ["git", "-C", root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=clean(os.environ),
        )
    except OSError:
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
