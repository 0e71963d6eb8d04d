"""Whatever stands where in a file, it is told or read, never crashed on."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.shapes import TENANT_KEYS, WORKSPACE_KEYS
from reconciler.store.manifests import load
from tests.manifests.place import WORKSPACE

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 400), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "acme", "office", "cancelled", "now", "new", "ovh-csp2", "business", "lt", "no", "sandbox",
                     "env://A", "http://evil.example", "https://[::1", "ovh", "microsoft", "graph"]),
    st.text(max_size=8),
)  # fmt: skip
TENANT_WORDS = sorted({key for keys in TENANT_KEYS.values() for key in keys})
WORKSPACE_WORDS = sorted({key for keys in WORKSPACE_KEYS.values() for key in keys})


def shapes(words: list[str]) -> st.SearchStrategy[Any]:
    keys = st.one_of(st.sampled_from(words), st.text(max_size=5))
    values = st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
        max_leaves=12,
    )
    return st.dictionaries(keys, values, max_size=8)


def _load(folder: Path, tenant: Any, workspace: Any = None) -> list[str]:
    (folder / "tenants").mkdir(exist_ok=True)
    (folder / "tenants" / "a.yaml").write_text(json.dumps(tenant))
    text = WORKSPACE if workspace is None else json.dumps(workspace)
    (folder / "reconciler.yaml").write_text(text)
    loaded = load(cwd=folder, version="0.1.0")
    assert loaded.diagnostics or loaded.manifests
    return [str(found) for found in loaded.diagnostics]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shapes(TENANT_WORDS))
def test_any_tenant_is_told_or_read(tmp_path: Path, raw: Any) -> None:
    for line in _load(tmp_path, raw):
        assert "\n" not in line
        assert "pydantic" not in line
        assert "Input should" not in line


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shapes(WORKSPACE_WORDS))
def test_any_workspace_is_told_or_read(tmp_path: Path, raw: Any) -> None:
    fine = {"version": 1, "tenant": "a", "provider": "home-pl", "account": "a"}
    for line in _load(tmp_path, fine, raw | {"requires": ">=0"}):
        assert "\n" not in line
        assert "Input should" not in line


GROUP = {
    "name": "office",
    "product": "business",
    "seats": 3,
    "service": "new",
    "beside": ["b"],
    "term": "P1Y",
    "billing": "monthly",
    "renewal": "auto",
    "protect": True,
    "previously": "old",
    "sku": "s",
}
OVER = {
    "name": "over", "product": "pro-plus", "seats": 1, "service": "s", "state": "cancelled", "reason": "r",
    "cancel": "now",
}  # fmt: skip
PERSON = {
    "login": "ada", "first_name": "A", "last_name": "B", "country": "lt", "licenses": ["office"], "previously": "old",
}  # fmt: skip
TENANT = {
    "version": 1, "tenant": "acme", "provider": "ovh-prepaid", "account": "ovh-main", "service": "s", "domain": "d.e",
    "directory": {"provider": "graph", "account": "partner", "tenant_id": "t"}, "license_groups": [GROUP, OVER],
    "users": [PERSON], "product_keys": [{"group": "office", "key": "env://K"}],
    "office_attach": {"exchange": "x", "accounts": ["a@b.c"]}, "domains": ["a.b"],
    "delegated_administration": {"name": "n", "duration": "P1Y", "roles": ["r"]},
    "customer": {"domain": "a.b", "company": "c", "country": "LT", "language": "lt", "culture": "lt-LT", "email": "e",
                 "address": {"first_name": "A", "last_name": "B", "line1": "l", "city": "c"}},
}  # fmt: skip
WRONG: list[Any] = [None, True, -1, 1.5, "", "x y", [], [None], {}, {"a": 1}, [[1]], [{"name": []}]]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, child in pairs for each in _paths(child, (*path, key)))]


@pytest.mark.parametrize("path", _paths(TENANT)[1:], ids=lambda path: ".".join(map(str, path)))
def test_a_wrong_value_at_any_place_is_told_at_that_place(tmp_path: Path, path: tuple[Any, ...]) -> None:
    assert _load(tmp_path, TENANT) == []
    for wrong in WRONG:
        raw = json.loads(json.dumps(TENANT))
        inside = raw
        for step in path[:-1]:
            inside = inside[step]
        inside[path[-1]] = wrong

        for line in _load(tmp_path, raw):
            assert line.startswith("tenants/a.yaml:1:")
