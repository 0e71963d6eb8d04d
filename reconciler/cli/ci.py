"""The workflows of a user's repository: written once, filled with the names that its workspace uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from reconciler import __version__
from reconciler.core.errors import WorkspaceError
from reconciler.store.written import create
from reconciler.store.yaml import Unreadable, read

Kind = Literal["github", "gitlab"]

TEMPLATES: dict[Kind, dict[str, str]] = {
    "github": {
        f".github/workflows/{name}": f"github/{name}"
        for name in (
            "licences-pull-request.yml",
            "licences-apply.yml",
            "licences-resume.yml",
            "licences-drift.yml",
        )
    },
    "gitlab": {".gitlab-ci.yml": "gitlab/gitlab-ci.yml"},
}
"""Where each file goes, and which template it is made from."""

BRANCH = "git+origin#reconciler-journal"
"""The journal where the workspace names none that outlives a runner."""

WEIGHS = "weighs more than `journal:` of reconciler.yaml: say the same there"

IMAGE = "python:3.13-bookworm@sha256:07bf1bd38e191e3ed18b5f3eb0006d5ab260cb8c967f49d3bf947e5c2e44d8a9"
"""GitLab's image: it has git, which the slim one has not."""

USUAL = ("OVH_APPLICATION_KEY", "OVH_APPLICATION_SECRET", "OVH_CONSUMER_KEY")
"""The names where the workspace refers to none yet."""

REFERENCE = re.compile(r"\benv://([A-Za-z_][A-Za-z0-9_]*)")
MARK = re.compile(r"^( *)@(JOURNAL|SECRETS)@\n", re.MULTILINE)

CREDENTIALS = """\
GIT_CONFIG_COUNT: "2" # git gets the job's token for this one step, and only in memory
GIT_CONFIG_KEY_0: credential.${{ github.server_url }}.username
GIT_CONFIG_VALUE_0: x-access-token
GIT_CONFIG_KEY_1: credential.${{ github.server_url }}.helper
GIT_CONFIG_VALUE_1: '!f() { test "$1" = get && echo "password=$JOURNAL_TOKEN"; }; f'
JOURNAL_TOKEN: ${{ github.token }}
"""


def write_ci(kind: Kind, root: Path) -> list[Path]:
    """Write the workflows for `github` or `gitlab` under `root`, and tell which files they are.

    The environment of each step is filled with what `root`'s reconciler.yaml and manifests refer to as
    `env://NAME`. Raises WorkspaceError, before anything is written, naming every file that is there already.
    """
    made = dict(_rendered(kind, root))
    there = [str(name) for name in made if (root / name).exists()]
    if there:
        raise WorkspaceError(
            f"{', '.join(there)}: there already, and never overwritten",
            hint="move it away, write again, and bring over what you had changed",
        )
    create([(root / name, text.encode()) for name, text in made.items()])
    return [root / name for name in made]


def _rendered(kind: Kind, root: Path) -> Iterator[tuple[str, str]]:
    names, journal = references(root), str(workspace(root).get("journal") or "")
    for target, template in TEMPLATES[kind].items():
        text = (files("reconciler.cli") / "templates" / template).read_text(encoding="utf-8")
        yield target, render(text, kind, names=names, journal=journal)


def render(text: str, kind: Kind, *, names: tuple[str, ...], journal: str) -> str:
    """Fill a template. names: the variables of the credentials. journal: what the workspace says, or nothing."""
    parts = {"JOURNAL": _journal_lines(kind, journal), "SECRETS": _secrets(names)}

    def fill(found: re.Match[str]) -> str:
        return "".join(f"{found[1]}{line}\n" for line in parts[found[2]].splitlines())

    filled = MARK.sub(fill, text)
    for mark, value in (("VERSION", __version__), ("IMAGE", IMAGE), ("NAMES", ", ".join(names))):
        filled = filled.replace(f"@{mark}@", value)
    return filled


def _secrets(names: tuple[str, ...]) -> str:
    return "".join(f"{name}: ${{{{ secrets.{name} }}}}\n" for name in names)


def _journal_lines(kind: Kind, journal: str) -> str:
    """A journal that the workspace names is left to it: set twice, one would be forgotten.

    A branch needs git's credentials, and so may one that only a secret names.
    """
    named = bool(journal) and not journal.startswith(("sqlite:", "env://RECONCILER_JOURNAL"))
    if kind == "gitlab":
        # GitLab's clone has the job's token; what its settings let it push is in docs/ci.md.
        return "" if named or journal.startswith("env:") else f"RECONCILER_JOURNAL: {BRANCH} # {WEIGHS}\n"
    if not named:
        secret = f"${{{{ secrets.RECONCILER_JOURNAL || '{BRANCH}' }}}}"
        return f"RECONCILER_JOURNAL: {secret} # {WEIGHS}\n{CREDENTIALS}"
    return CREDENTIALS if journal.startswith(("git+", "env:", "file:")) else ""


def references(root: Path) -> tuple[str, ...]:
    """Every variable that the workspace and its manifests refer to, once, in order."""
    places = [root / "reconciler.yaml", *sorted((root / "tenants").rglob("*.y*ml"))]
    found = [name for place in places for name in REFERENCE.findall(_text(place))]
    return tuple(dict.fromkeys(name for name in found if name != "RECONCILER_JOURNAL")) or USUAL


def workspace(root: Path) -> Mapping[str, Any]:
    """What the workspace file says as it stands; nothing where there is none that can be read."""
    try:
        value: Any = read(_text(root / "reconciler.yaml").encode()).value
    except Unreadable:
        return {}
    return value if isinstance(value, dict) else {}


def sandboxes(said: Mapping[str, Any]) -> list[str]:
    """The accounts at the local provider."""
    accounts = said.get("accounts")
    found = accounts.items() if isinstance(accounts, dict) else ()
    return [str(name) for name, one in found if isinstance(one, dict) and one.get("endpoint") == "sandbox"]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
