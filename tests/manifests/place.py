"""A workspace on disk, and what is wrong in it as the user reads it."""

import textwrap
from pathlib import Path

from reconciler.store.manifests import Loaded, load

WORKSPACE = """\
version: 1
accounts:
  ovh-main: {api: ovh, endpoint: sandbox}
  partner: {api: microsoft, endpoint: sandbox}
  home: {api: manual}
"""


class Place:
    """A folder with a workspace and tenants, read as the tool reads it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("reconciler.yaml", WORKSPACE)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
        return path

    def load(self, *paths: str, allowed: str = "", version: str = "0.1.0") -> Loaded:
        return load(
            [Path(path) for path in paths],
            cwd=self.root,
            allowed_hosts=frozenset(allowed.split()),
            version=version,
        )

    def faults(self, allowed: str = "", version: str = "0.1.0") -> list[str]:
        return [str(found) for found in self.load(allowed=allowed, version=version).diagnostics]
