"""How Microsoft's surfaces word a refusal: three shapes at Partner Center, one at Graph, one where tokens come from.

Partner Center: `{code, description, data, source}`, `{code, message, errorName, isRetryable, ...}` and, when it
wants quiet, `{statusCode, message}` (its page about error codes and its samples, 2023-10).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.providers.http import Refusal


def read(data: Any) -> Refusal | None:
    """Read an error body of any of the shapes; None when it is none of them."""
    if not isinstance(data, dict):
        return None
    body = {str(key).lower(): value for key, value in data.items()}
    match body:
        case {"error": {"code": str(code), "message": str(message)}}:
            return Refusal(code, message)
        case {"error": str(code), "error_description": str(message)}:
            return Refusal(_number(body) or code, _sentence(message))
        case {"code": str() | int() as code}:
            return Refusal(str(code), _words(body), busy=body.get("isretryable") is True)
        case {"statuscode": int() as code, "message": str(message)}:
            return Refusal(str(code), message)
        case {"message": str(message)}:
            return Refusal("", message)
    return None


def _words(body: Mapping[str, Any]) -> str:
    for key in ("description", "message", "errorname"):
        if isinstance(body.get(key), str) and body[key]:
            return str(body[key])
    return ""


def _number(body: Mapping[str, Any]) -> str:
    match body.get("error_codes"):
        case [int() as number, *_]:
            return f"AADSTS{number}"
    return ""


def _sentence(message: str) -> str:
    # What follows is for Microsoft's staff: a trace, a correlation and a time.
    return message.partition(" Trace ID:")[0]
