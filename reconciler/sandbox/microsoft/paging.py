"""Partner Center's two ways to give a list in portions: by offset, and by a token that is handed back."""

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

from reconciler.sandbox.call import Call
from reconciler.sandbox.microsoft.errors import classic
from reconciler.sandbox.microsoft.wire import collection, link

MOST = 500
_HEADER = "MS-ContinuationToken"


def page(call: Call, items: list[Any]) -> dict[str, Any]:
    """Give the portion that `size` and the continuation token, or `offset`, ask for."""
    request = call.request
    assert request is not None  # noqa: S101 - the face made the call
    uri = request.raw_path.removeprefix("/partner-center/v1") + (
        f"?{request.raw_query}" if request.raw_query else ""
    )
    size = _number(call, "size", MOST)
    token = request.headers.get(_HEADER.lower(), "")
    start = _place(token) if token else _number(call, "offset", 0)
    shown = items[start : start + size]
    found = collection(shown, uri)
    if "offset" in call.query:
        found["totalCount"] = len(items)
    if start + size < len(items):
        _follow(found, call, request.raw_path.removeprefix("/partner-center/v1"), start + size)
    return found


def _follow(found: dict[str, Any], call: Call, path: str, start: int) -> None:
    if "offset" in call.query:
        asked = urlencode({**call.query, "offset": str(start)})
        found["links"]["next"] = link(f"{path}?{asked}")
        return
    token = base64.b64encode(f"after:{start}".encode()).decode()
    asked = urlencode({**call.query, "seekOperation": "Next"})
    headers = [{"key": _HEADER, "value": token}]
    found["links"]["next"] = {"uri": f"{path}?{asked}", "method": "GET", "headers": headers}
    found["continuationToken"] = token


def _number(call: Call, name: str, usual: int) -> int:
    text = call.query.get(name, "")
    if not text:
        return usual
    if not text.isdigit() or (name == "size" and not 1 <= int(text) <= MOST):
        raise classic(3000, name)
    return int(text)


def _place(token: str) -> int:
    try:
        word, _, number = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise classic(3000, _HEADER) from None
    if word != "after" or not number.isdigit():
        raise classic(3000, _HEADER)
    return int(number)
