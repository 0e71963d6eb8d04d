"""The published schemas are those of the code, and say what they are."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it publishes no types

from reconciler.core.schema_files import plan_schema, report_schema

FOLDER = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize(
    ("name", "schema"),
    [("plan.schema.json", plan_schema()), ("report.schema.json", report_schema())],
    ids=["plan", "report"],
)
def test_the_published_schema_is_fresh_and_valid(name: str, schema: dict[str, Any]) -> None:
    text = json.dumps(schema, indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        (FOLDER / name).write_text(text, encoding="utf-8")

    Draft202012Validator.check_schema(schema)
    assert (FOLDER / name).read_text(encoding="utf-8") == text
