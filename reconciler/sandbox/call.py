"""One request to the sandbox, its answer, and the three shapes in which it refuses."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from msgspec import Struct, field

from reconciler.sandbox.clock import parse
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.store import Tx


class Request(Struct, frozen=True):
    """A request as it came over the wire; header names are lower-case.

    trusted: whether it may do without a login, as it came from this machine.
    """

    method: str
    base: str
    raw_path: str
    raw_query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    trusted: bool = False

    @property
    def url(self) -> str:
        """The full URL as it was sent, which is what was signed."""
        query = f"?{self.raw_query}" if self.raw_query else ""
        return f"{self.base}{self.raw_path}{query}"


class Reply(Struct, frozen=True):
    """An answer; `content` is JSON unless `raw` is given.

    One that is `lost` never arrives (`refused`, `before` or `after` it took effect); `wait` is how late it is.
    """

    status: int = 200
    content: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    media_type: str = "application/json"
    lost: str = ""
    wait: float = 0.0


class Call(Struct, frozen=True):
    """A request that was let in, on its way to a handler."""

    tx: Tx
    faults: Faults
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    base: str = ""
    caller: Mapping[str, Any] = field(default_factory=dict)
    request: Request | None = None

    def number(self, name: str) -> int:
        """Give a number out of the path; what is none names nothing."""
        text = self.path[name]
        if re.fullmatch(r"-?\d{1,18}", text) is None:
            raise bad(f"The input provided isn't valid: '{name}' is not a long")
        return int(text)

    def time(self, name: str) -> float | None:
        """Give a time out of the query, if it is there."""
        text = self.query.get(name)
        try:
            return parse(text) if text else None
        except (ValueError, OverflowError):
            raise bad(f"The input provided isn't valid: '{name}' is not a datetime") from None


Handler = Callable[[Call], object]


class ApiError(Exception):
    """A refusal, with the body that says so."""

    def __init__(
        self, status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(str(body.get("message", "")))
        self.status = status
        self.body = dict(body)
        self.headers = dict(headers or {})


def gateway(status: int, code: str, message: str) -> ApiError:
    """Refuse in the shape of the authentication layer."""
    phrase = HTTPStatus(status).phrase
    return ApiError(status, {"errorCode": code, "httpCode": f"{status} {phrase}", "message": message})


def service(status: int, kind: str, message: str, **details: str) -> ApiError:
    """Refuse in the shape of the service layer."""
    body: dict[str, object] = {"class": kind, "message": message}
    return ApiError(status, body | ({"details": details} if details else {}))


def bad(message: str) -> ApiError:
    """Refuse what was sent."""
    return service(400, "Client::BadRequest", message)


def missing(message: str = "This service does not exist") -> ApiError:
    """Say that there is no such thing."""
    return service(404, "Client::NotFound", message)


def conflict(message: str) -> ApiError:
    """Say that it is already there."""
    return service(409, "Client::Conflict", message)


def bare(status: int, message: str) -> ApiError:
    """Refuse with nothing but a message."""
    return ApiError(status, {"message": message})
