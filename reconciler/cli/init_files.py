"""The files that a workspace begins with, as text."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from pydantic import ValidationError

from reconciler import __version__
from reconciler.core import rules_workspace
from reconciler.core.errors import UsageError
from reconciler.core.explain import problems
from reconciler.core.manifest import TENANT
from reconciler.core.schema import tenant_schema, workspace_schema
from reconciler.core.shapes import TENANT_KEYS, WORKSPACE_KEYS
from reconciler.core.workspace import WORKSPACE
from reconciler.store.edit import canonical
from reconciler.store.files import DEFAULT_FOLDER, WORKSPACE_NAME
from reconciler.store.written import SCHEMAS, scalar
from reconciler.store.yaml import read

KEYS: Mapping[str, tuple[str, ...]] = {
    "ovh": ("application_key", "application_secret", "consumer_key", "client_id", "client_secret"),
    "microsoft": ("tenant_id", "client_id", "client_secret", "refresh_token"),
}
CUSTOMER = "8f5c0000-0000-4000-8000-0000000000c1"
"""The customer that a new sandbox of Partner Center has."""


class Start(Struct, frozen=True, kw_only=True):
    """What a workspace begins with. credentials: references, by key. journal: where it is kept what was ordered."""

    provider: str
    api: str
    endpoint: str
    account: str
    tenant: str
    service: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    journal: str = "sqlite:///.reconciler/journal.db"

    @property
    def is_sandbox(self) -> bool:
        """Whether the local provider answers."""
        return self.api != "manual" and self.endpoint == "sandbox"


def contents(start: Start, root: Path) -> list[tuple[Path, bytes]]:
    """Every file, in canonical form."""
    workspace = canonical("".join(_lines(_workspace(start))).encode(), WORKSPACE_KEYS)
    _hold_against_rules(workspace)
    schemas = {"tenant": tenant_schema(), "workspace": workspace_schema()}
    return [
        (root / WORKSPACE_NAME, workspace),
        *_first_tenant(start, root),
        *(
            (root / SCHEMAS / f"{name}.schema.json", f"{json.dumps(made, indent=2)}\n".encode())
            for name, made in schemas.items()
        ),
    ]


def _first_tenant(start: Start, root: Path) -> list[tuple[Path, bytes]]:
    if not start.tenant:
        return []
    text = canonical("".join(_lines(_tenant(start))).encode(), TENANT_KEYS)
    return [(root / DEFAULT_FOLDER / f"{_named(start)}.yaml", text)]


def _hold_against_rules(workspace: bytes) -> None:
    """Refuse what `validate` would refuse, before it is written."""
    raw = read(workspace).value
    allowed = frozenset(os.environ.get("RECONCILER_ENDPOINTS", "").split())
    found = list(rules_workspace.check(raw, allowed=allowed))
    try:
        WORKSPACE.validate_python(raw)
    except ValidationError as error:
        found = [*problems(error, raw=raw, shapes=WORKSPACE_KEYS), *found]
    if found:
        where = ".".join(str(step) for step in found[0].path)
        raise UsageError(f"{where}: {found[0].message}", hint=found[0].hint, code=found[0].code)


def _named(start: Start) -> str:
    """The tenant's name, which becomes the name of a file; what is none is refused before."""
    values = {"tenant": start.tenant, "account": start.account, "provider": start.provider}
    try:
        TENANT.validate_python(
            {"version": 1, **values, **({"service": start.service} if start.service else {})}
        )
    except ValidationError as error:
        told = error.errors(include_url=False)[0]
        raise UsageError(
            f"{told['loc'][0]} {told['input']!r}: not a name", hint="write a-z, 0-9 and dashes, as in acme"
        ) from None
    return start.tenant


def _lines(lines: Iterable[str]) -> Iterable[str]:
    return (f"{line}\n" for line in lines)


def _workspace(start: Start) -> list[str]:
    minor = ".".join(__version__.split(".")[:2])
    lines = [
        f"# yaml-language-server: $schema={SCHEMAS}/workspace.schema.json",
        "# Where the tenants' accounts are, and what one run may do. `reconciler doctor` checks all of it.",
        "version: 1",
        f'requires: ">={minor}"',
        "accounts:",
        f"  {start.account}:",
        f"    api: {start.api}",
    ]
    if start.api != "manual":
        real = "ovh-eu, ovh-ca or ovh-us" if start.api == "ovh" else "public"
        note = f"  # the local provider; the real one is {real}, with credentials" if start.is_sandbox else ""
        lines.append(f"    endpoint: {scalar(start.endpoint)}{note}")
    if start.credentials:
        lines.append("    credentials:  # references, never the secrets themselves")
        lines += [f"      {key}: {value}" for key, value in start.credentials.items()]
    return [
        *lines,
        "# Where it is kept what was ordered. In CI a file dies with the job: git+origin#reconciler-journal stays.",
        f"journal: {start.journal}",
        *_prices(start),
        "policy:",
        '  max_monthly_increase: {amount: "100.00", currency: EUR}',
        "  max_seats_per_action: 20",
        "  max_cancellations: 1",
    ]


def _prices(start: Start) -> list[str]:
    """A price where the provider tells none: an unknown one is more than any limit."""
    if start.provider not in {"ovh-csp2", "home-pl"}:
        return []
    product = _PRODUCTS[start.provider][1]
    return [
        "prices:  # nobody tells what this costs: write what you pay",
        f'  - {{product: {scalar(product)}, amount: "5.60", currency: EUR, per: month}}',
    ]


_PRODUCTS = {
    "ovh-prepaid": ("office", "business", ""),
    "ovh-payg": ("office", "business", ""),
    "ovh-csp2": ("basic", "Microsoft 365 Business Basic", ""),
    "partner-center": ("premium", "SPB", "  # Microsoft 365 Business Premium"),
    "home-pl": ("basic", "Microsoft 365 Business Basic", ""),
}
_NAMES = {"ovh-csp2": "contoso", "partner-center": CUSTOMER, "ovh-payg": "example.o365.ovh.com"}


def _service(start: Start) -> str:
    """The tenant's own service: as given, or in a sandbox the one that is made for it."""
    return start.service or (_NAMES.get(start.provider, "") if start.is_sandbox else "")


def _tenant(start: Start) -> list[str]:
    group, product, note = _PRODUCTS[start.provider]
    service = _service(start)
    lines = [
        f"# yaml-language-server: $schema=../{SCHEMAS}/tenant.schema.json",
        "# One customer: what is bought, and who has it. `reconciler plan` shows what would change.",
        "version: 1",
        f"tenant: {start.tenant}",
        f"provider: {start.provider}",
        f"account: {start.account}",
    ]
    if service:
        lines.append(f"service: {scalar(service)}")
    elif start.provider == "ovh-csp2":
        lines.append("service: write-the-tenants-service  # as OVHcloud's panel names it")
    if not start.is_sandbox:
        lines.append('hold: "an example: delete this line to have it done"')
    lines += ["license_groups:", f"  - name: {group}", f"    product: {product}{note}"]
    if start.provider != "ovh-payg":
        lines.append("    seats: 2  # what is paid for")
    if start.provider not in {"ovh-prepaid", "ovh-payg"}:
        return lines
    return [
        *lines,
        "users:  # without this key people are not managed here, and nobody loses anything",
        "  - login: ada",
        "    first_name: Ada",
        "    last_name: Lovelace",
        "    country: lt",
        f"    licenses: [{group}]",
    ]


def world_of(start: Start) -> dict[str, Any]:
    """What the first tenant lives in, in a sandbox: a service that no order makes."""
    if not start.is_sandbox or not start.tenant:
        return {}
    match start.provider:
        case "ovh-csp2":
            return {"csp2": [{"service": _service(start)}]}
        case "ovh-payg":
            return {"payg": [{"service": _service(start)}]}
        case "partner-center":
            domain = f"{start.tenant}.onmicrosoft.com"
            return {"microsoft": {"customers": [{"id": _service(start), "domain": domain, "country": "LT"}]}}
    return {}


def ignored(before: str) -> str:
    """The lines that .gitignore lacks."""
    lines = {line.strip() for line in before.splitlines()}
    if lines & {".reconciler", ".reconciler/", "/.reconciler", "/.reconciler/"}:
        return ""
    gap = "" if not before or before.endswith("\n") else "\n"
    return f"{gap}# the journal, the sandbox and what else reconciler keeps on this machine\n.reconciler/\n"
