"""The published schemas of what a user writes are those of the code, and accept what the tool accepts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it publishes no types

from reconciler.core.schema import tenant_schema, workspace_schema
from reconciler.store.manifests import load
from reconciler.store.yaml import read

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
SCHEMAS = {"tenant": tenant_schema, "workspace": workspace_schema}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schema_is_fresh_and_valid(name: str) -> None:
    path, schema = ROOT / "schemas" / f"{name}.schema.json", SCHEMAS[name]()
    text = json.dumps(schema, indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")

    Draft202012Validator.check_schema(schema)
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_mapping_of_a_schema_is_closed_and_every_key_is_described(name: str) -> None:
    schema = SCHEMAS[name]()

    for part in (schema, *schema["$defs"].values()):
        assert part["additionalProperties"] is False
        assert part["description"]
        for key, value in part["properties"].items():
            assert value.get("description") or "$ref" in value, key


def test_the_data_has_every_key_of_the_contract_and_no_fault() -> None:
    loaded = load(cwd=DATA, version="0.1.0")

    assert [str(found) for found in loaded.diagnostics] == []
    assert [each.tenant.tenant for each in loaded.manifests] == ["acme", "baltic"]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("tenant", sorted(DATA.glob("tenants/*.yaml"))),
        ("workspace", [DATA / "reconciler.yaml"]),
    ],
    ids=["tenant", "workspace"],
)
def test_check_jsonschema_accepts_the_files(name: str, files: list[Path]) -> None:
    schema = ROOT / "schemas" / f"{name}.schema.json"

    result = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--schemafile", schema, *files],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr


REFUSED: list[tuple[str, Any]] = [
    ("seats: 12\n    service: acme", 'seats: "12"\n    service: acme'),
    ("seats: 12\n    service: acme", "seats: true\n    service: acme"),
    ("seats: 12\n    service: acme", "seats: 0\n    service: acme"),
    ("renewal: auto", "renewal: never"),
    ("login: ada", "login: ada lovelace"),
    ("first_name: Ada", "firstname: Ada"),
    ("version: 1", "version: 2"),
    ("name: Acme UAB", "name:"),
    ("key: env://ACME_KEY_1", "key: ABCDE"),
]


@pytest.mark.parametrize(("old", "new"), REFUSED, ids=[new for _, new in REFUSED])
def test_the_schema_refuses_what_the_tool_refuses(tmp_path: Path, old: str, new: str) -> None:
    text = (DATA / "tenants/acme.yaml").read_text()
    assert text.count(old) == 1
    (tmp_path / "tenants").mkdir()
    (tmp_path / "reconciler.yaml").write_text((DATA / "reconciler.yaml").read_text())
    (tmp_path / "tenants/acme.yaml").write_text(text.replace(old, new))

    accepted = Draft202012Validator(tenant_schema()).is_valid(read(text.replace(old, new).encode()).value)

    assert not accepted
    assert load(cwd=tmp_path, version="0.1.0").errors
