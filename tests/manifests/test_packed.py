"""Files that wait packed: every answer is the one that a file in memory gives."""

from __future__ import annotations

import gc
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.manifest import TENANT, ManifestFile, fingerprint
from reconciler.store.manifests import Loaded, load
from reconciler.store.packed import PackedFile
from tests.manifests.place import Place

LOGINS = ("ada", "Bob", "bob", "cid@one.example", "CID@one.example", "dan@two.example")
DOMAINS = ("one.example", "two.example", None)
WRONG: st.SearchStrategy[Any] = st.sampled_from([7, None, "", "no such group", ["office", "office"], {}])


@st.composite
def people(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"login": draw(st.sampled_from(LOGINS)), "first_name": "Ada", "last_name": "Doe"}
    if draw(st.booleans()):
        made["licenses"] = ["office"]
    if draw(st.integers(0, 9)) == 0:
        made[draw(st.sampled_from(["login", "country", "licenses", "last_name"]))] = draw(WRONG)
    return made


@st.composite
def tenants(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {
        "version": 1,
        "tenant": draw(st.sampled_from(["a", "b", "c", "d", "e", "f"])),
        "provider": "ovh-prepaid",
        "account": "ovh-main",
        "license_groups": [{"name": "office", "product": "business", "seats": 9}],
        "users": draw(st.lists(people(), max_size=4)),
    }
    for key, values in {
        "service": ("s", "t", None),
        "domain": DOMAINS,
        "previously": ("a", "x", None),
    }.items():
        if (value := draw(st.sampled_from(values))) is not None:
            made[key] = value
    if draw(st.integers(0, 5)) == 0:
        del made["users"]
    return made


def spelled(raw: dict[str, Any], *, plain: bool) -> str:
    return yaml.safe_dump(raw, sort_keys=False, default_flow_style=None if plain else True)


def both(root: Path) -> tuple[Loaded, Loaded]:
    found = tuple(load(cwd=root, version="0.1.0", at_hand=limit) for limit in (1 << 30, 0))
    return found[0], found[1]


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, child in pairs for each in paths(child, (*path, key)))]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(tenants(), st.booleans()), min_size=1, max_size=5))
def test_a_packed_file_says_what_a_file_in_memory_says(
    place: Place, written: list[tuple[dict[str, Any], bool]]
) -> None:
    for old in (place.root / "tenants").glob("*.yaml"):
        old.unlink()
    for number, (raw, plain) in enumerate(written):
        place.write(f"tenants/{number}.yaml", spelled(raw, plain=plain))

    whole, packed = both(place.root)

    assert packed.diagnostics == whole.diagnostics
    assert [one.file for one in packed.manifests] == [one.file for one in whole.manifests]
    for one, other in zip(packed.manifests, whole.manifests, strict=True):
        assert isinstance(one, PackedFile)
        alike(one, other, written[int(Path(one.file).stem)][0])


def alike(packed: ManifestFile, whole: ManifestFile, raw: dict[str, Any]) -> None:
    bare = {key: value for key, value in raw.items() if key != "users"}
    assert packed.tenant == whole.tenant == whole.head
    assert (packed.name, packed.key, packed.service) == (whole.name, whole.key, whole.service)
    assert packed.head == TENANT.validate_python(bare)
    assert fingerprint(packed.opened().tenant) == fingerprint(whole.tenant)
    for path in paths(raw):
        assert packed.where(*path) == packed.opened().where(*path) == whole.where(*path), path


def test_the_bytes_that_were_read_count_and_not_those_of_today(place: Place) -> None:
    file = place.write(
        "tenants/a.yaml",
        "version: 1\ntenant: a\nprovider: home-pl\naccount: home\nlicense_groups:\n"
        "  - {name: office, product: business, seats: 1}\n",
    )
    (one,) = load(cwd=place.root, version="0.1.0", at_hand=0).manifests

    file.write_text("# somebody edits it meanwhile\n")

    assert one.where("license_groups", 0, "seats").line == 6
    assert one.opened().tenant.license_groups[0].seats == 1
    assert one.head.account == "home"


def test_a_service_that_became_known_is_known_of_a_packed_file_too(place: Place) -> None:
    place.write("tenants/a.yaml", "version: 1\ntenant: a\nprovider: home-pl\naccount: home\nusers: []\n")
    (one,) = load(cwd=place.root, version="0.1.0", at_hand=0).manifests

    at = one.at("0a1b")

    assert (at.head.service, at.tenant.service, at.opened().tenant.service) == ("0a1b", "0a1b", "0a1b")
    assert at.tenant.users == ()
    assert one.head.service is None
    assert repr(at) == "PackedFile('a', 'tenants/a.yaml')"


def test_a_number_that_no_message_holds_keeps_its_file_in_memory(place: Place) -> None:
    number = "9" * 40
    text = (
        "version: 1\ntenant: a\nprovider: ovh-csp2\naccount: ovh-main\nservice: s\nlicense_groups:\n"
        f"  - {{name: office, product: business, seats: 1, subscription: {number}}}\n"
    )
    place.write("tenants/a.yaml", text)

    whole, packed = both(place.root)

    assert packed.diagnostics == whole.diagnostics
    assert [one.tenant for one in packed.manifests] == [one.tenant for one in whole.manifests]
    assert [type(one) for one in packed.manifests] == [ManifestFile]


def kept(root: Path, limit: int) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        loaded = load(cwd=root, version="0.1.0", at_hand=limit)
        assert len(loaded.manifests) == 10
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_people_who_wait_take_a_third_of_the_memory(place: Place) -> None:
    for tenant in range(10):
        people = [
            {"login": f"user{number}@t{tenant}.example", "first_name": "Ada", "last_name": f"Doe{number}"}
            for number in range(600)
        ]
        head = {"version": 1, "tenant": f"t{tenant}", "provider": "home-pl", "account": "home"}
        place.write(f"tenants/{tenant}.yaml", json.dumps(head | {"users": people}))
    load(cwd=place.root, version="0.1.0")  # what is made once for all files is there before

    assert kept(place.root, 0) < kept(place.root, 1 << 30) / 3


@pytest.mark.parametrize("limit", [0, 1 << 30])
def test_a_login_of_two_files_is_found_at_its_place(place: Place, limit: int) -> None:
    for name in ("a", "b"):
        place.write(
            f"tenants/{name}.yaml",
            f"version: 1\ntenant: {name}\nprovider: home-pl\naccount: home\ndomain: x.example\nusers:\n"
            f"  - {{login: {name}, first_name: A, last_name: B}}\n"
            "  - {login: Ada, first_name: A, last_name: B}\n",
        )

    found = load(cwd=place.root, version="0.1.0", at_hand=limit).diagnostics

    assert [(one.file, one.line, one.code) for one in found if one.code == "RC2604"] == [
        ("tenants/b.yaml", 8, "RC2604")
    ]


@pytest.mark.parametrize("limit", [0, 1 << 30])
def test_a_reference_that_aliases_repeat_is_no_longer_than_a_path(place: Place, limit: int) -> None:
    # Nothing else of a valid file has no bound; written out behind each alias it would be as many times its size.
    head = "version: 1\ntenant: a\nprovider: home-pl\naccount: home\n"
    group = "license_groups:\n  - {name: g, product: p, seats: 1}\n"
    keys = "product_keys:\n  - {group: g, key: &key %s}\n  - {group: g, key: *key}\n"
    for letters in (4095, 4096):
        place.write("tenants/a.yaml", head + group + keys % ("file:///" + "x" * letters))
        found = load(cwd=place.root, version="0.1.0", at_hand=limit).diagnostics
        assert [(one.line, one.code) for one in found if one.code == "RC1106"] == [
            (8, "RC1106") for _ in range(letters - 4095)
        ]
