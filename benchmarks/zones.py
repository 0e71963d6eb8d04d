"""The same work for octoDNS: a record a person, a zone a tenant, YAML on both sides."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus import at_provider
from measure import Case

CONFIG = """\
providers:
  wanted: {{class: octodns.provider.yaml.YamlProvider, directory: {root}/wanted, enforce_order: false}}
  found: {{class: octodns.provider.yaml.YamlProvider, directory: {root}/found, enforce_order: false}}
zones:
"""


@contextmanager
def one_zone_and_many(root: Path, octodns: Path, zones: int, records: int, shape: str) -> Iterator[Case]:
    """Write so many zones and what is there of them; the command that plans them."""
    config = CONFIG.format(root=root)
    for side, kept in (("wanted", "same"), ("found", shape)):
        (root / side).mkdir(parents=True)
        for zone in range(zones):
            if kept != "empty":
                (root / side / f"t{zone:05d}.example.yaml").write_text(_zone(zone, records, kept), "utf-8")
    config += "".join(
        f"  t{zone:05d}.example.: {{sources: [wanted], targets: [found]}}\n" for zone in range(zones)
    )
    (root / "config.yaml").write_text(config, encoding="utf-8")
    try:
        yield Case((str(octodns), f"--config-file={root}/config.yaml", "--force"))
    finally:
        shutil.rmtree(root)


def _zone(zone: int, records: int, shape: str) -> str:
    lines = ["---"]
    for number, one in enumerate(at_provider(zone, records, shape)):
        lines += [
            f"user{number}:",
            "  ttl: 300",
            "  type: TXT",
            "  values:",
            f'  - "first={_plain(one.first)} last={_plain(one.last)}"',
            f'  - "group={one.group} country={one.country}"',
        ]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return text.encode("ascii", "ignore").decode()


def program(given: Path | None) -> Path | None:
    """Where octoDNS's program is: as given, else on the PATH; None when it is not installed."""
    if given is not None:
        return given
    known = shutil.which("octodns-sync")
    return Path(known) if known else None
