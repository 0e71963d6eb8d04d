"""What the doctor finds, in well and in ill workspaces, at a real server; no secret is in what it says."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.rights import Rule, ovh_rules, token_page
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World
from reconciler.store.journal import open_journal
from tests.cli.place import ACME, RESELLER, WORKSPACE, Place
from tests.gate.served import Served, served

SECRETS = {
    "KEY": gate.APPLICATION_KEY,
    "SECRET": gate.APPLICATION_SECRET,
    "CONSUMER": gate.CONSUMER_KEY,
    "CLIENT": gate.CLIENT_ID,
    "CLIENTSECRET": gate.CLIENT_SECRET,
}
SIGNED = "{application_key: env://KEY, application_secret: env://SECRET, consumer_key: env://CONSUMER}"


def checks(place: Place, *, code: int, line: str = "doctor", **env: str) -> list[tuple[str, str, str]]:
    done = place.run(f"{line} --format json", SECRETS | env)
    assert done.code == code, done.out + done.err
    for secret in (gate.APPLICATION_SECRET, gate.CONSUMER_KEY, gate.CLIENT_SECRET):
        assert secret not in done.out + done.err
    assert done.json["well"] is (code == 0)
    return [(one["level"], one["what"], one["remedy"]) for one in done.json["checks"]]


def ill(found: list[tuple[str, str, str]], level: str = "fail") -> list[str]:
    """What is not well, each with a remedy."""
    some = [(what, remedy) for how, what, remedy in found if how == level]
    assert all(remedy for _, remedy in some), some
    return [what for what, _ in some]


@pytest.fixture
def world() -> Iterator[World]:
    made = World.open(None)
    made.load({"prepaid": [{"service": "acme.o365.ovh.com", "seats": [{"licence": "business", "empty": 2}]}]})
    yield made
    made.close()


@pytest.fixture
def shop(world: World, tmp_path: Path) -> Iterator[tuple[Place, Served]]:
    place = Place(tmp_path)
    with served(world) as at:
        write(place, at)
        place.write("tenants/acme.yaml", ACME)
        yield place, at


def write(place: Place, at: Served, credentials: str = SIGNED, more: str = "") -> None:
    place.write(
        "reconciler.yaml",
        f"version: 1\naccounts:\n  ovh-main:\n    api: ovh\n    endpoint: {at.url}\n    timeout: 1s\n"
        f"    token_url: {at.root}/auth/oauth2/token\n    credentials: {credentials}\n{more}",
    )


def test_a_well_workspace_is_told_line_by_line(place: Place) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=place.root, check=True)

    text = place.ok("doctor")
    found = checks(place, code=0)

    assert ill(found) == []
    lines = text.splitlines()
    assert [line[:4].strip() for line in lines[:-1]] == [level for level, _, _ in found]
    assert lines[-1] == "12 ok, 2 warn, 0 fail"
    assert (
        "warn  account ovh-main: is the sandbox: nothing is bought  ->  `endpoint:` names the real one"
        in lines
    )
    assert "ok    account ovh-main: may read /saas/csp2" in lines
    assert "ok    the workspace is in a git repository" in lines
    assert len(place.ok("doctor --quiet").splitlines()) == 3


def test_nothing_but_reading_is_sent_and_nothing_is_written(shop: tuple[Place, Served]) -> None:
    place, at = shop

    found = checks(place, code=0)

    assert at.tap.seen
    assert {one.method for one in at.tap.seen} == {"GET"}
    assert not (place.root / ".reconciler").exists()
    assert "account ovh-main: credentials are accepted (FR)" in {what for _, what, _ in found}


def test_what_is_needed_is_what_the_tenants_use(shop: tuple[Place, Served]) -> None:
    place, at = shop
    checks(place, code=0)
    asked = {one.path for one in at.tap.seen}

    assert "/1.0/license/officePrepaid" in asked
    assert "/1.0/saas/csp2" not in asked

    place.write("tenants/resell.yaml", RESELLER)
    checks(place, code=0)
    assert "/1.0/saas/csp2" in {one.path for one in at.tap.seen}


def test_credentials_that_are_not_there_are_told_by_name(shop: tuple[Place, Served]) -> None:
    place, _ = shop

    assert ill(checks(place, code=1, SECRET="")) == [
        "account ovh-main: application_secret: env://SECRET: the environment variable SECRET is not set, or empty"
    ]


@pytest.mark.parametrize(
    "credentials",
    [SIGNED, "{client_id: env://CLIENT, client_secret: env://CLIENTSECRET}"],
    ids=["key", "token"],
)
def test_credentials_that_are_refused_are_told(shop: tuple[Place, Served], credentials: str) -> None:
    place, at = shop
    write(place, at, credentials)
    assert ill(checks(place, code=0)) == []

    told = ill(checks(place, code=1, CONSUMER="another-consumer-key", CLIENTSECRET="another-client-secret"))

    assert len(told) == 1
    assert "another" not in told[0]


def limited(world: World, rules: list[dict[str, str]]) -> None:
    keys = {
        "application_key": "few",
        "application_secret": "few-application-secret",
        "consumer_key": "few-consumer",
    }
    with world.transaction() as tx:
        gate.add_credential(tx, {**keys, "rules": rules})


FEW = {"KEY": "few", "SECRET": "few-application-secret", "CONSUMER": "few-consumer"}


def spelled(rules: tuple[Rule, ...]) -> list[dict[str, str]]:
    return [one._asdict() for one in rules]


def test_the_rights_that_a_plan_needs_are_enough_for_a_plan_and_not_for_an_apply(
    shop: tuple[Place, Served], world: World
) -> None:
    place, _ = shop
    limited(world, spelled(ovh_rules(["ovh-prepaid"], writes=False)))

    found = checks(place, code=0, **FEW)

    assert ill(found, "warn")[0].startswith(
        "account ovh-main: may plan and not apply: POST /order/cart/*/checkout"
    )
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    planned = place.run("plan --format json", SECRETS | FEW)
    assert planned.code == 0
    prices = [one["price"] for one in planned.json["tenants"][0]["actions"]]
    assert [one["source"] for one in prices if one] == ["cart"]  # the rules reach as far as a real price
    only = checks(place, code=0, line="doctor --plan-only", **FEW)
    assert ("ok", "account ovh-main: may plan and change nothing", "") in only


@pytest.mark.parametrize(
    "rule",
    [
        ("POST", "/order/cart/*"),
        ("POST", "/*"),
        ("POST", "/order/cart/*/checkout"),
        ("PUT", "/license/officePrepaid/acme.o365.ovh.com"),
        ("POST", "/saas/csp2/contoso/subscription"),
    ],
)
def test_a_key_for_planning_that_may_buy_is_told(
    shop: tuple[Place, Served], world: World, rule: tuple[str, str]
) -> None:
    place, _ = shop
    limited(world, spelled((*ovh_rules(["ovh-prepaid"], writes=False), Rule(*rule))))

    told = ill(checks(place, code=1, line="doctor --plan-only", **FEW))

    assert told == [f"account ovh-main: may buy or change things: {' '.join(rule)}"]
    checks(place, code=0, **FEW)


def test_the_rights_that_an_apply_needs_are_enough(shop: tuple[Place, Served], world: World) -> None:
    place, _ = shop
    limited(world, spelled(ovh_rules(["ovh-prepaid"], writes=True)))
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    found = checks(place, code=0, **FEW)
    applied = place.run("apply --yes --wait 0 --format json", SECRETS | FEW)

    assert ("ok", "account ovh-main: may do everything that an apply does", "") in found
    assert applied.code in {0, 4}, applied.out + applied.err
    assert {one["error"] for one in applied.json["tenants"][0]["actions"]} == {None}


def test_a_right_that_is_missing_is_told_by_its_path(shop: tuple[Place, Served], world: World) -> None:
    place, _ = shop
    rules = [one for one in ovh_rules(["ovh-prepaid"], writes=True) if one.path != "/license/officePrepaid"]
    limited(world, spelled(tuple(rules)))

    told = ill(checks(place, code=1, **FEW))

    assert [one.partition(": GET")[0] for one in told] == [
        "account ovh-main: may not read /license/officePrepaid"
    ]


def test_a_provider_that_cannot_be_reached_is_told(shop: tuple[Place, Served]) -> None:
    place, at = shop
    place.edit("reconciler.yaml", at.url, "http://127.0.0.1:9/1.0")

    assert [one[:31] for one in ill(checks(place, code=1))] == ["account ovh-main: not reachable"]


def test_clocks_that_differ_are_told(shop: tuple[Place, Served], world: World) -> None:
    place, _ = shop
    world.load({"settings": {"skew": "200"}})

    told = ill(checks(place, code=0), "warn")

    assert told[0].startswith("account ovh-main: this machine's clock differs by ")


def test_files_that_are_wrong_are_told_and_the_rest_is_looked_at_all_the_same(place: Place) -> None:
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 0")

    found = checks(place, code=1)

    assert ill(found) == ["1 error in the files, the first at tenants/acme.yaml:6"]
    assert any(what.startswith("account ovh-main: credentials") for _, what, _ in found)


def test_a_workspace_for_another_version_or_none_is_the_last_thing_told(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert ill(checks(place, code=1)) == ["reconciler.yaml: no workspace file here or above the paths given"]

    place.write("reconciler.yaml", f'requires: ">=99"\n{WORKSPACE}')

    assert [one[:17] for one in ill(checks(place, code=1))] == ["reconciler.yaml: "]


def test_a_journal_that_is_broken_or_cannot_be_read_is_told(place: Place) -> None:
    place.write(".reconciler/journal.db", "no database, whatever its name")

    assert [one[:9] for one in ill(checks(place, code=1))] == ["journal: "]


def test_leases_that_are_held_are_told(place: Place) -> None:
    journal = open_journal("sqlite:///.reconciler/journal.db", root=place.root, create=True, env=os.environ)
    try:
        journal.acquire("acme", holder="somebody", about="apply")
        told = ill(checks(place, code=0), "warn")
    finally:
        journal.close()

    today = datetime.now(UTC)
    assert [one for one in told if one.startswith(f"lease of acme: held by somebody since {today:%Y-%m}")]


MICROSOFT: dict[str, Any] = {
    "microsoft": {
        "customers": [
            {"id": "8f5c0000-0000-4000-8000-00000000ac3e", "domain": "acme.onmicrosoft.com", "name": "Acme"}
        ],
        "tenants": [
            {"id": "8f5c0000-0000-4000-8000-00000000c105", "domain": "shut.onmicrosoft.com", "consent": False}
        ],
    }
}


def test_microsofts_application_and_the_directories_that_manifests_name_are_looked_at(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("reconciler.yaml", "version: 1\naccounts: {partner: {api: microsoft, endpoint: sandbox}}\n")
    for name, number in (("acme", "ac3e"), ("shut", "c105")):
        tenant = f"8f5c0000-0000-4000-8000-00000000{number}"
        place.write(
            f"tenants/{name}.yaml",
            f"version: 1\ntenant: {name}\nprovider: partner-center\naccount: partner\nservice: {tenant}\n"
            f"directory: {{provider: graph, account: partner, tenant_id: {tenant}}}\n",
        )
    place.world(json.dumps(MICROSOFT))

    found = checks(place, code=1)

    said = {what for _, what, _ in found}
    assert "account partner: directory 8f5c0000-0000-4000-8000-00000000ac3e opens (Acme)" in said
    assert [one[:50] for one in ill(found)] == ["account partner: directory 8f5c0000-0000-4000-8000"]
    assert any(one.startswith("account partner: Partner Center answers its person") for one in said)


GDAP = "delegated_administration: {name: support, duration: P2Y, roles: [Global Reader]}\n"


def test_whether_delegated_relationships_can_be_read_is_looked_at_where_a_file_asks_for_them(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path)
    place.write("reconciler.yaml", "version: 1\naccounts: {partner: {api: microsoft, endpoint: sandbox}}\n")
    tenant = "8f5c0000-0000-4000-8000-00000000ac3e"
    manifest = (
        f"version: 1\ntenant: acme\nprovider: partner-center\naccount: partner\nservice: {tenant}\n"
        f"directory: {{provider: graph, account: partner, tenant_id: {tenant}}}\n"
    )
    place.world(json.dumps(MICROSOFT))
    place.write("tenants/acme.yaml", manifest)
    without = {what for _, what, _ in checks(place, code=0)}
    place.write("tenants/acme.yaml", manifest + GDAP)

    said = {what for _, what, _ in checks(place, code=0)}
    place.run("sandbox fault error-before --path '/graph/v1.0/tenantRelationships/*' --times 9")
    found = checks(place, code=1)

    assert "account partner: delegated relationships can be read" in said - without
    (why,) = [what for what in ill(found) if "relationships" in what]
    assert "delegated relationships cannot be read" in why


def test_the_page_that_makes_keys_asks_for_what_is_needed_and_no_more() -> None:
    reading, writing = (token_page("ovh-eu", writes=writes) for writes in (False, True))

    assert reading.startswith("https://eu.api.ovh.com/createToken/?GET=/auth/details&GET=/me&GET=/me/order&")
    assert "POST=/order/cart/*/assign" in reading
    assert "checkout" not in reading
    assert not reading.endswith("POST=/order/cart/*")
    assert "POST=/order/cart/*&" not in reading + writing  # which would cover the checkout
    assert "POST=/order/cart/*/checkout" in writing
    assert "PUT=/license/office/*" in writing
    assert "PUT=" not in reading
    assert "/*&GET=/*" not in writing
