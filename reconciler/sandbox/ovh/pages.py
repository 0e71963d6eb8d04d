"""The two undocumented ways to read many objects at once: batches and expanded lists."""

import json
import operator
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from reconciler.sandbox.call import ApiError, Call, Reply, bad
from reconciler.sandbox.store import Tx

Answer = Callable[[tuple[str, ...]], object]

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "gt": operator.gt,
}


def batched(raw: tuple[str, ...], separator: str) -> int | None:
    """Say which segment of a raw path holds several ids; the separator is literal, never encoded."""
    for place, part in enumerate(raw):
        if separator and separator in part:
            return place
    return None


def batch(
    call: Call, raw: tuple[str, ...], place: int, separator: str, answer: Answer
) -> list[dict[str, Any]]:
    """Answer a path once for each id in one of its segments."""
    broken = call.faults.take("partial-batch")
    keys = [unquote(key) for key in raw[place].split(separator)]
    parts = tuple(unquote(part) for part in raw)
    every = int(broken.get("every", 2)) if broken is not None else 0
    result: list[dict[str, Any]] = []
    for number, key in enumerate(keys, 1):
        if every and number % every == 0:
            error = {"class": "Server::InternalServerError", "message": "Internal server error"}
            result.append({"key": key, "value": None, "error": error})
            continue
        try:
            value = answer((*parts[:place], key, *parts[place + 1 :]))
        except ApiError as refusal:
            result.append({"key": key, "value": None, "error": refusal.body})
        else:
            result.append({"key": key, "value": value, "error": None})
    return result


def expanded(
    call: Call, path: str, headers: Mapping[str, str], ids: list[Any], answer: Callable[[Any], object]
) -> Reply:
    """Answer a list with the objects themselves, page by page; stale unless no cache was asked for."""
    page, size = _natural(headers, "x-pagination-number", 1), _natural(headers, "x-pagination-size", 1000)
    window = slice((page - 1) * size, page * size)
    fresh = "no-cache" in headers.get("pragma", "")
    picky = "x-pagination-filter" in headers or "x-pagination-sort" in headers
    if fresh and not picky:
        shown, total = _read(answer, ids[window]), len(ids)
    else:
        objects = _read(answer, ids) if fresh else _cached(call.tx, path, answer, ids)
        chosen = _sorted(_filtered(objects, headers.get("x-pagination-filter", "")), headers)
        shown, total = chosen[window], len(chosen)
    return Reply(
        content=shown,
        headers={
            "X-Pagination-Elements": str(total),
            "X-Pagination-Number": str(page),
            "X-Pagination-Size": str(size),
        },
    )


def _cached(tx: Tx, path: str, answer: Callable[[Any], object], ids: list[Any]) -> list[dict[str, Any]]:
    row = tx.one("SELECT * FROM snapshot WHERE path = ? AND at > ?", path, tx.now - tx.settings.stale)
    if row is not None:
        return list(json.loads(row["body"]))
    objects = _read(answer, ids)
    tx.run("INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?)", path, tx.now, json.dumps(objects))
    return objects


def _read(answer: Callable[[Any], object], ids: list[Any]) -> list[dict[str, Any]]:
    # What the list names and a read does not find is not shown, but the total in the header counts it.
    found = []
    for one in ids:
        with suppress(ApiError):
            value = answer(one)
            if isinstance(value, dict):
                found.append(value)
    return found


def _filtered(objects: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    for rule in filter(None, text.split("&")):
        match = re.fullmatch(r"(\w+):(\w+)=(.*)", rule)
        if match is None:
            raise bad(f"invalid filter {rule}")
        name, how, wanted = match.groups()
        objects = [one for one in objects if _fits(one.get(name), how, unquote(wanted))]
    return objects


def _fits(value: object, how: str, wanted: str) -> bool:
    match how:
        case "like":
            pattern = ".*".join(map(re.escape, wanted.split("%")))
            return re.fullmatch(pattern, str(value), re.IGNORECASE) is not None
        case "in":
            return str(value) in wanted.split(",")
        case "eq" | "ne" | "lt" | "gt":
            numeric = isinstance(value, int) and not isinstance(value, bool) and _NUMBER.fullmatch(wanted)
            plain = str(value).lower() if isinstance(value, bool) else str(value)
            return _OPERATORS[how](value, float(wanted)) if numeric else _OPERATORS[how](plain, wanted)
    raise bad(f"invalid filter operator {how}")


def _sorted(objects: list[dict[str, Any]], headers: Mapping[str, str]) -> list[dict[str, Any]]:
    field = headers.get("x-pagination-sort")
    if field is None:
        return objects
    descending = headers.get("x-pagination-sort-order", "ASC").upper() == "DESC"
    return sorted(objects, key=lambda one: str(one.get(field, "")), reverse=descending)


def _natural(headers: Mapping[str, str], name: str, default: int) -> int:
    text = headers.get(name, "")
    return int(text) if text.isdigit() and int(text) > 0 else default
