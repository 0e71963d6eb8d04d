"""What OData lets a caller ask of a list: which fields, which objects, in what portions."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from reconciler.sandbox.call import Call
from reconciler.sandbox.microsoft.errors import bad_request, odd

_WORD = r"(?:'(?:[^']|'')*'|[\w./-]+)"
_EQUAL = re.compile(rf"([\w/]+)\s+(eq|ne)\s+({_WORD})")
_STARTS = re.compile(rf"startswith\(\s*([\w/]+)\s*,\s*({_WORD})\s*\)", re.IGNORECASE)
_WITHIN = re.compile(rf"([\w/]+)\s+in\s+\(((?:\s*{_WORD}\s*,?)+)\)")
_ANY = re.compile(rf"(\w+)/any\((\w+):\s*\2/(\w+)\s+eq\s+({_WORD})\)")
_NONE = re.compile(r"(\w+)/\$count\s+(eq|ne)\s+(\d+)")

Test = Callable[[Mapping[str, Any]], bool]


def test(text: str, *, advanced: bool) -> Test:
    """Give what a `$filter` lets through; `advanced` is whether the caller may ask the harder questions."""
    if not text.strip():
        return lambda _: True
    for word, every in ((" or ", any), (" and ", all)):
        pieces = _split(text, word)
        if len(pieces) > 1:
            return _joined([test(piece, advanced=advanced) for piece in pieces], every)
    inner = text.strip()
    if inner.startswith("(") and inner.endswith(")"):
        return test(inner[1:-1], advanced=advanced)
    return _single(inner, advanced)


def _joined(tests: list[Test], every: Callable[[Iterable[bool]], bool]) -> Test:
    return lambda one: every(passes(one) for passes in tests)


def _single(text: str, advanced: bool) -> Test:  # noqa: FBT001 - handed on
    if found := _EQUAL.fullmatch(text):
        name, operator, value = found[1], found[2], _literal(found[3])
        if operator == "ne" and not advanced:
            raise _harder()
        return lambda one: (_plain(one.get(name)) == value) == (operator == "eq")
    if found := _STARTS.fullmatch(text):
        name, start = found[1], _literal(found[2])
        return lambda one: str(_plain(one.get(name)) or "").startswith(str(start))
    if found := _WITHIN.fullmatch(text):
        name, values = found[1], {_literal(word) for word in re.findall(_WORD, found[2])}
        return lambda one: _plain(one.get(name)) in values
    if found := _ANY.fullmatch(text):
        name, inner, value = found[1], found[3], _literal(found[4])
        return lambda one: any(_plain(part.get(inner)) == value for part in one.get(name) or ())
    if found := _NONE.fullmatch(text):
        if not advanced:
            raise _harder()
        name, operator, count = found[1], found[2], int(found[3])
        return lambda one: (len(one.get(name) or ()) == count) == (operator == "eq")
    raise odd("Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: {text}")


def fields(call: Call, known: Sequence[str], usual: Sequence[str], *, kind: str = "user") -> tuple[str, ...]:
    """Give the fields that `$select` names, else the usual ones."""
    text = call.query.get("$select", "")
    if not text:
        return tuple(usual)
    chosen = [name.strip() for name in text.split(",") if name.strip()]
    spelled = {name.lower(): name for name in known}
    for name in chosen:
        if name.lower() not in spelled:
            raise bad_request(f"Could not find a property named '{name}' on type 'microsoft.graph.{kind}'.")
    return tuple(spelled[name.lower()] for name in chosen)


def top(call: Call, usual: int, most: int) -> int:
    """Give how many objects a page may hold."""
    text = call.query.get("$top", "")
    if not text:
        return usual
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {most} inclusive.")
    return int(text)


def eventual(call: Call) -> bool:
    """Say whether the caller asked for the harder questions to be answered."""
    header = call.request.headers.get("consistencylevel", "") if call.request is not None else ""
    return header.lower() == "eventual" and call.query.get("$count", "").lower() == "true"


def after(call: Call) -> int:
    """Give the place after which a page begins."""
    token = call.query.get("$skiptoken", "")
    if not token:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["after"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise odd("Directory_ExpiredPageToken", "The specified page token value has expired.") from None


def next_link(call: Call, place: int) -> str:
    """Give the address of the next page, which begins after a place."""
    token = base64.urlsafe_b64encode(json.dumps({"after": place}).encode()).decode()
    request = call.request
    assert request is not None  # noqa: S101 - the face made the call
    rest = {key: value for key, value in call.query.items() if key != "$skiptoken"}
    asked = urlencode({**rest, "$skiptoken": token}, safe="$,'():/")
    return f"{call.base}{request.raw_path}?{asked}"


def context(call: Call, what: str) -> str:
    """Give the address that says what an answer is."""
    return f"{call.base}/graph/v1.0/$metadata#{what}"


def _harder() -> Exception:
    text = "Unsupported property filter clause operator 'NotEquals': needs ConsistencyLevel: eventual and $count=true."
    return odd("Request_UnsupportedQuery", text)


def _literal(text: str) -> object:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'").lower()
    match text.lower():
        case "true":
            return True
        case "false":
            return False
        case "null":
            return None
    return text.lower()


def _plain(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _split(text: str, word: str) -> list[str]:
    pieces, depth, quoted, start = [], 0, False, 0
    for place, sign in enumerate(text):
        quoted ^= sign == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(sign, 0)
        if not quoted and not depth and text[place : place + len(word)].lower() == word:
            pieces.append(text[start:place])
            start = place + len(word)
    return [*pieces, text[start:]]
