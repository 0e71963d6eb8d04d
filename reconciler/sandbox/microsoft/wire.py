"""How Partner Center and Graph write things: times, ids, links, collections, and names in any case."""

import base64
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from reconciler.sandbox.store import Tx

_SPACE = uuid.UUID("5b0a2f4e-6f0c-4f0e-9f4e-0c1d3a5b7e90")


def stamp(at: float) -> str:
    """Show a time in UTC with a Z, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(at: float) -> str:
    """Show a time in UTC with a Z, to the second."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def named(*names: object) -> str:
    """Give the GUID that always belongs to these names."""
    return str(uuid.uuid5(_SPACE, "/".join(str(name) for name in names)))


def fresh(tx: Tx, what: str) -> str:
    """Give a new GUID; the same world gives the same ones in the same order."""
    return named(what, tx.serial(f"ms:{what}", 1), tx.column("SELECT count(*) FROM ms_customer")[0])


def lower(value: Any) -> Any:
    """Read a body whose names may be in any case: every name in lower case."""
    match value:
        case dict():
            return {str(key).lower(): lower(one) for key, one in value.items()}
        case list():
            return [lower(one) for one in value]
    return value


def mapping(value: Any) -> dict[str, Any]:
    """Give an object as it is, and anything else as an empty one, which then lacks what is needed."""
    return value if isinstance(value, dict) else {}


def received(body: Any) -> dict[str, Any]:
    """Read a body of Partner Center: an object, its names in lower case."""
    return mapping(lower(body))


def etag(name: str, version: int) -> str:
    """Give Partner Center's tag of an object."""
    return base64.b64encode(json.dumps({"id": name, "version": version}).encode()).decode()


def weak(name: str, version: int) -> str:
    """Give Graph's tag of an object."""
    text = base64.b64encode(f"{name}:{version}".encode()).decode()
    return f'W/"{text}"'


def link(uri: str, method: str = "GET") -> dict[str, Any]:
    """Give a link as Partner Center writes it."""
    return {"uri": uri, "method": method, "headers": []}


def collection(items: Iterable[Any], uri: str, **more: Any) -> dict[str, Any]:
    """Give a list as Partner Center writes it."""
    found = list(items)
    return {
        "totalCount": len(found),
        "items": found,
        "links": {"self": link(uri)},
        **more,
        "attributes": {"objectType": "Collection"},
    }


def guid(text: str) -> bool:
    """Say whether a text is a GUID."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return len(text) == len(_EMPTY)


_EMPTY = str(uuid.UUID(int=0))
