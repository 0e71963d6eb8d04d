"""True documents to begin from: files, a saved plan, a report and a journal as the tool writes them."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.core.journal import Event
from reconciler.core.overview import History
from reconciler.core.workspace import DEFAULT_JOURNAL
from reconciler.store.branch import files
from reconciler.store.journal import open_journal
from tests.cli.place import Place
from tests.engine.microsoft import BASIC, GDAP, reseller, resold

WORKSPACE = {
    "version": 1,
    "requires": ">=0.0",
    "accounts": {
        "ovh-main": {
            "api": "ovh",
            "endpoint": "sandbox",
            "credentials": {
                "application_key": "env://A",
                "application_secret": "file:///b",
                "consumer_key": "env://C",
            },
            "rate": "60/min",
            "poll": "30s",
        },
        "partner": {
            "api": "microsoft",
            "endpoint": "public",
            "credentials": {"tenant_id": "a", "client_id": "b", "client_secret": "env://X"},
        },
        "home": {"api": "manual"},
    },
    "journal": "sqlite:///.reconciler/journal.db",
    "prices": [{"product": "business", "amount": "10.50", "currency": "EUR", "per": "month"}],
    "policy": {
        "max_monthly_increase": {"amount": "500.00", "currency": "EUR"},
        "max_cancellations": 1,
        "protected": ["acme"],
    },
}
TENANT = {
    "version": 1,
    "tenant": "acme",
    "name": "Acme UAB",
    "provider": "ovh-prepaid",
    "account": "ovh-main",
    "domain": "acme.o365.ovh.com",
    "license_groups": [
        {
            "name": "office",
            "product": "business",
            "seats": 3,
            "service": "acme.o365.ovh.com",
            "renewal": "auto",
        },
        {
            "name": "new",
            "product": "pro-plus",
            "seats": 2,
            "service": "new",
            "beside": ["other.o365.ovh.com"],
        },
    ],
    "users": [
        {
            "login": "ada",
            "first_name": "Ada",
            "last_name": "King",
            "country": "lt",
            "licenses": ["office"],
            "previously": "ada.byron",
        },
        {
            "login": "bob@acme.o365.ovh.com",
            "first_name": "B",
            "last_name": "B",
            "country": "FR",
            "licenses": [],
        },
    ],
}
DIRECTORY = "8f5c0000-0000-4000-8000-00000000ac3e"
PARTNER = {
    "version": 1,
    "tenant": "partnered",
    "previously": "partner",
    "provider": "partner-center",
    "account": "partner",
    "domain": "acme.onmicrosoft.com",
    "directory": {"provider": "graph", "account": "partner", "tenant_id": DIRECTORY},
    "customer": {
        "domain": "acme.onmicrosoft.com",
        "company": "Acme",
        "country": "LT",
        "language": "lt",
        "culture": "lt-LT",
        "email": "a@b.example",
        "registration_number": "123",
        "address": {
            "first_name": "Ada",
            "last_name": "Lovelace",
            "line1": "Gedimino 1",
            "line2": "2",
            "city": "Vilnius",
            "state": "",
            "postal_code": "01103",
            "phone": "+3705",
        },
    },
    "domains": ["shop.example"],
    "delegated_administration": {"name": "support", "duration": "P2Y", "roles": ["User Administrator"]},
    "partner_of_record": "7654321",
    "license_groups": [
        {"name": "e3", "product": "A:B", "seats": 1, "term": "P1Y", "billing": "monthly", "sku": "SPB"},
        {
            "name": "old",
            "product": "SPB",
            "seats": 2,
            "state": "cancelled",
            "reason": "left",
            "cancel": "now",
        },
        {
            "name": "new",
            "previously": "e1",
            "product": "SPE_E3",
            "seats": 2,
            "protect": True,
            "renewal": "off",
        },
    ],
    "users": [
        {"login": "ada", "first_name": "Ada", "last_name": "L", "country": "lt", "licenses": ["e3", "new"]}
    ],
    "product_keys": [{"group": "e3", "key": "env://K"}],
    "office_attach": {"exchange": "hosted-ab123-ovh-1", "accounts": ["ada@acme.example"]},
}
RESOLD = {
    "version": 1,
    "tenant": "resold",
    "provider": "ovh-csp2",
    "account": "ovh-main",
    "service": "acme-csp",
    "mpn_id": "7654321",
    "hold": "moving",
    "directory": {"provider": "graph", "account": "partner", "tenant_id": DIRECTORY},
    "license_groups": [{"name": "basic", "product": "11", "seats": 2, "subscription": "501"}],
    "users": [],
}
BY_HAND = {
    "version": 1,
    "tenant": "byhand",
    "provider": "home-pl",
    "account": "home",
    "directory": {"provider": "graph", "account": "partner"},
    "license_groups": [{"name": "office", "product": "Office 365 Business", "seats": 2}],
    "product_keys": [{"group": "office", "key": "file:///k"}],
}
WORLD = """\
account: {nichandle: xx0000-ovh, subsidiary: FR, currency: EUR, default_payment: true}
settings: {delay: "0"}
prepaid:
  - service: acme.o365.ovh.com
    seats:
      - licence: business
        people:
          - {login: ada.byron, first_name: Ada, last_name: Byron, country: gb}
          - {login: eve, first_name: Eve, last_name: Nobody, country: lt}
        empty: 1
"""


def folder() -> Path:
    """A folder in memory where there is one, gone with the process."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    made = Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def place() -> Place:
    """A workspace in which something was applied, something waits and something changed."""
    made = Place(folder())
    made.write("reconciler.yaml", "version: 1\naccounts: {ovh-main: {api: ovh, endpoint: sandbox}}\n")
    made.write("tenants/acme.yaml", json.dumps(TENANT))
    made.world(WORLD)
    made.run("adopt acme")
    assert made.run("apply --yes --wait 0 --report report.json").code in {0, 4}
    smaller = {**TENANT, "license_groups": [{**TENANT["license_groups"][0], "seats": 5}], "users": []}  # type: ignore[index]
    made.write("tenants/acme.yaml", json.dumps(smaller))
    assert made.run("plan --out plan.json").code == 0
    return made


@cache
def partnered() -> Place:
    """A workspace at Microsoft: people created, settings by API and by hand, some waiting, strangers seen."""
    made = Place(folder())
    made.write(
        "reconciler.yaml",
        "version: 1\naccounts:\n  ovh-main: {api: ovh, endpoint: sandbox}\n"
        "  partner: {api: microsoft, endpoint: sandbox}\n",
    )
    extras = 'mpn_id: "7654321"\npartner_of_record: "1"\ndomains: [shop.example]\n' + GDAP
    made.write("tenants/acme.yaml", reseller(BASIC.format(3), "ada", "bob", more=extras))
    made.world(resold(3, "ada", "eve"))
    assert made.run("apply --yes --wait 5s").code == 4
    assert made.run("confirm acme tenant/partner-of-record --by ada --evidence seen").code == 0
    for change in ("domain-published shop.example", "relationship-approved support"):
        made.ok(f"sandbox change {change}")
    made.run("resume --wait 5s")
    assert made.run("apply --yes --wait 5s").code == 0
    return made


@cache
def document(name: str) -> Any:
    """A saved plan or report."""
    return json.loads((place().root / f"{name}.json").read_text(encoding="utf-8"))


@cache
def events(*, microsoft: bool = False) -> list[Any]:
    """The lines of a journal on a branch, as JSON values."""
    root = (partnered if microsoft else place)().root
    journal = open_journal(DEFAULT_JOURNAL, root=root, create=False, env={})
    try:
        written = [files.line(event, event.seq) for event in journal.events()]
    finally:
        journal.close()
    assert len(written) > 15
    return [json.loads(one) for one in written]


def history(found: Iterable[Event]) -> History:
    """What is printed of some events."""
    return History(events=found, created_at=datetime(2026, 11, 21, tzinfo=UTC), tool_version="0.1.0")
