"""True documents to begin from: files, a saved plan, a report and a journal as the tool writes them."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.store.branch import files
from reconciler.store.journal import DEFAULT, open_journal
from tests.cli.place import Place

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
PARTNER = {
    "version": 1,
    "tenant": "partnered",
    "provider": "partner-center",
    "account": "partner",
    "directory": {"provider": "graph", "account": "partner", "tenant_id": "8f5c"},
    "customer": {
        "domain": "acme.onmicrosoft.com",
        "company": "Acme",
        "country": "LT",
        "email": "a@b.example",
    },
    "license_groups": [{"name": "e3", "product": "A:B", "seats": 1, "term": "P1Y", "billing": "monthly"}],
    "product_keys": [{"group": "e3", "key": "env://K"}],
    "office_attach": {"exchange": "hosted-ab123-ovh-1", "accounts": ["ada@acme.example"]},
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
def document(name: str) -> Any:
    """A saved plan or report."""
    return json.loads((place().root / f"{name}.json").read_text(encoding="utf-8"))


@cache
def events() -> list[Any]:
    """The lines of a journal on a branch, as JSON values."""
    journal = open_journal(DEFAULT, root=place().root, create=False, env={})
    try:
        written = [files.line(event, event.seq) for event in journal.events()]
    finally:
        journal.close()
    assert len(written) > 15
    return [json.loads(one) for one in written]
