"""The JSON Schemas of the files the tool writes: the plan and the report."""

from __future__ import annotations

from typing import Any, get_args

from reconciler.core.action import Verb
from reconciler.core.plan import Cause, Status
from reconciler.core.report import State

Schema = dict[str, Any]


def plan_schema() -> Schema:
    """The plan file; unknown fields are allowed everywhere, since readers ignore them."""
    return {
        "$schema": _DIALECT,
        "title": "A plan of reconciler",
        **_record(
            {
                "format_version": _VERSION,
                "kind": {"const": "plan"},
                "tool_version": _TEXT,
                "created_at": _INSTANT,
                "digest": _ref("digest"),
                "tenants": _list(_ref("tenant")),
                "summary": _summary(),
                "cost": _list(_record({"currency": _CURRENCY, "monthly_change": _MONEY, "unknown": _COUNT})),
            },
            {
                "exceeded": _list(_record(dict.fromkeys(_EXCEEDED, _TEXT))),
                "skipped": _COUNT,
                "notes": _list(_TEXT),
            },
        ),
        "$defs": {
            "digest": _DIGEST,
            "verb": _words(Verb),
            "source": _source(),
            "tenant": _tenant(),
            "action": _action(),
            "waiting": _waiting(),
            "finding": _finding(),
        },
    }


def report_schema() -> Schema:
    """The report file."""
    return {
        "$schema": _DIALECT,
        "title": "A report of reconciler",
        **_record(
            {
                "format_version": _VERSION,
                "kind": {"const": "report"},
                "digest": _TEXT,
                "started_at": _INSTANT,
                "finished_at": _INSTANT,
                "exit_code": _COUNT,
                "tenants": _list(_ref("tenant")),
            },
            {"notes": _list(_TEXT)},
        ),
        "$defs": {
            "tenant": _record(
                {"tenant": _TEXT, "status": _words(Status), "actions": _list(_ref("result"))},
                {
                    "error": _ref("trouble"),
                    "exit_code": _COUNT,
                    "hold": _or_null(_TEXT),
                    "sandbox": _BOOLEAN,
                    "waits": _list(_TEXT),
                },
            ),
            "result": _result(),
            "trouble": _or_null(_record({"code": _TEXT, "message": _TEXT})),
        },
    }


_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXCEEDED = ("rule", "number", "limit", "message", "hint")

_TEXT: Schema = {"type": "string"}
_BOOLEAN: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_VERSION: Schema = {"type": "string", "pattern": r"^1\.[0-9]+$"}
_DIGEST: Schema = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_INSTANT: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z$",
}
_DAY: Schema = {"type": "string", "format": "date"}
_MONEY: Schema = {
    "type": "string",
    "pattern": r"^-?[0-9]+\.[0-9]{2,}$",
    "description": "major units, without tax",
}
_CURRENCY: Schema = {"type": ["string", "null"], "description": "null where no price of the run is known"}
_STATE: Schema = {"type": ["object", "null"]}


def _record(required: Schema, optional: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _words(words: Any) -> Schema:
    return {"enum": [word.value for word in words]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _summary() -> Schema:
    counted = [*(verb.value for verb in Verb), "scheduled", "by_hand", "pending", "blocked"]
    tenants = _record({status.value: _COUNT for status in reversed(Status)})
    return _record({**dict.fromkeys(counted, _COUNT), "tenants": tenants})


def _source() -> Schema:
    return _or_null(_record({"file": _TEXT, "line": _COUNT, "column": _COUNT}))


def _drift() -> Schema:
    return _record(
        {
            "address": _TEXT,
            "verb": _or_null(_words(Verb)),
            "cause": {"enum": list(get_args(Cause)), "description": "who made the difference; `drift` only"},
            "before": _STATE,
            "after": _STATE,
            "last": _STATE,
            "since": _or_null(_INSTANT),
        }
    )


def _tenant() -> Schema:
    pair = {"type": "array", "prefixItems": [_TEXT, _TEXT], "items": False, "minItems": 2}
    unmanaged = {"address": _TEXT, "ref": _TEXT, "monthly": _or_null(_MONEY)}
    return _record(
        {
            "tenant": _TEXT,
            "provider": _TEXT,
            "status": _words(Status),
            "digest": _ref("digest"),
            "actions": _list(_ref("action")),
            "pending": _list(_ref("waiting")),
            "blocked": _list(_ref("waiting")),
            "unmanaged": _list(_record(unmanaged, {"currency": _or_null(_TEXT)})),
            "leaving": _list(
                _record(
                    {"address": _TEXT, "ref": _TEXT, "on": _or_null(_DAY)},
                    {"seats": _COUNT, "ended": _BOOLEAN},
                )
            ),
            "findings": _list(_ref("finding")),
        },
        {
            "drift": _list(_drift()),
            "account": _TEXT,
            "name": _TEXT,
            "refs": _list(pair),
            "begun": _COUNT,
            "error": _or_null(_TEXT),
            "hold": _or_null(_TEXT),
            "sandbox": _BOOLEAN,
            "in_doubt": _BOOLEAN,
        },
    )


def _action() -> Schema:
    field = _record({"field": _TEXT, "before": True, "after": True})
    price = _record({"monthly": _MONEY, "one_off": _MONEY, "currency": _TEXT, "source": _TEXT})
    return _record(
        {
            "id": _TEXT,
            "verb": _ref("verb"),
            "address": _TEXT,
            "summary": _TEXT,
            "before": _STATE,
            "after": _STATE,
            "fields": _list(field),
            "needs": _list(_TEXT),
            "how": {"enum": ["api", "by-hand"]},
            "repeatable": _BOOLEAN,
            "reason": _TEXT,
            "source": _ref("source"),
            "price": _or_null(price),
            "scheduled_for": _or_null(_DAY),
            "reversible_until": _or_null(_DAY),
            "instructions": _or_null(_TEXT),
        },
        {"contracts": _list(_record({"name": _TEXT, "url": _TEXT})), "detail": {"type": "object"}},
    )


def _waiting() -> Schema:
    return _record(
        {
            "address": _TEXT,
            "verb": _or_null(_ref("verb")),
            "reason": _TEXT,
            "ref": _or_null(_TEXT),
            "since": _or_null(_INSTANT),
            "due_by": _or_null(_INSTANT),
        },
        {"state": _or_null(_TEXT), "source": _ref("source"), "ours": _BOOLEAN},
    )


def _finding() -> Schema:
    return _record(
        {
            "code": _TEXT,
            "severity": {"enum": ["info", "warning", "error"]},
            "address": _TEXT,
            "message": _TEXT,
            "source": _ref("source"),
        }
    )


def _result() -> Schema:
    return _record(
        {
            "id": _TEXT,
            "verb": _words(Verb),
            "address": _TEXT,
            "state": _words(State),
            "ref": _or_null(_TEXT),
            "error": _ref("trouble"),
            "since": _or_null(_INSTANT),
            "due_by": _or_null(_INSTANT),
            "finished_at": _or_null(_INSTANT),
        },
        {"summary": _TEXT, "instructions": _TEXT, "note": _TEXT},
    )
