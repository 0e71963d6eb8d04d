"""The platform that runs our CI, as far as we talk to it: its comments, its issues, one careful HTTP client."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import httpx

from reconciler import __version__
from reconciler.core.errors import Missing, Rejected, Unavailable, WorkspaceError
from reconciler.render.escape import clean
from reconciler.render.words import short

TIMEOUT = 30.0  # seconds for one request
TRIES = 3  # requests for one thing that is refused for now
PATIENCE = 60.0  # seconds that a server may ask us to wait
PAUSE = 2.0  # seconds between two tries when it does not say how long
PER_PAGE = 100  # the most that either platform gives at once
PAGES = 100  # a thread of more than ten thousand comments is not looked through
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One comment of ours."""

    id: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One issue of ours."""

    number: int
    body: str
    is_open: bool


class Platform(Protocol):
    """What GitHub and GitLab both have.

    limit: the most characters a comment may have. run_url: the page of this run. commit: what it is about.
    subject: the number of the pull or merge request that this run belongs to, or whose merge it is; None
    without one. Every method raises Unavailable, Rejected or Missing with what the platform said.
    """

    name: str
    limit: int
    run_url: str
    commit: str

    def subject(self) -> int | None:
        """The request that is commented on."""
        ...

    def remarks(self, number: int, mark: str) -> Iterator[Remark]:
        """The comments that open with `mark` and that we wrote ourselves, oldest first."""
        ...

    def say(self, number: int, body: str) -> None:
        """Add a comment."""
        ...

    def say_instead(self, number: int, remark: Remark, body: str) -> None:
        """Write a comment anew."""
        ...

    def issues(self, label: str, mark: str) -> Iterator[Issue]:
        """The issues with this label, open or closed, that open with `mark` and that we wrote ourselves."""
        ...

    def open_issue(self, title: str, body: str, label: str) -> None:
        """Open an issue."""
        ...

    def change_issue(self, issue: Issue, body: str, *, is_open: bool) -> None:
        """Write an issue anew, and close or reopen it."""
        ...


def needed(env: Mapping[str, str], *names: str) -> str:
    """The first of these variables that is set; WorkspaceError without one."""
    for name in names:
        if value := env.get(name):
            return value
    raise WorkspaceError(f"{' or '.join(names)} is not set", hint="set it in `env:` of this one step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An HTTP API under one address. The token goes there and nowhere else, and into no message.

    Reads and changes of a known thing are tried again when the server is busy; a creation only when it was
    plainly refused for now, since one whose answer was lost may have happened.
    """

    root: str
    headers: Mapping[str, str]
    token: str = field(repr=False)
    sleep: Callable[[float], None] = time.sleep

    def get(self, path: str) -> Any:
        """Read one thing."""
        return self._call("GET", path, None)

    def pages(self, path: str) -> Iterator[Any]:
        """Read a list, page by page, until one is not full."""
        joint = "&" if "?" in path else "?"
        for page in range(1, PAGES + 1):
            found = self._call("GET", f"{path}{joint}per_page={PER_PAGE}&page={page}", None)
            if not isinstance(found, list):
                raise Unavailable(f"GET {_plain(path)}: the answer is no list")
            yield from found
            if len(found) < PER_PAGE:
                return

    def send(self, method: str, path: str, values: Mapping[str, Any]) -> Any:
        """Create or change one thing."""
        return self._call(method, path, values)

    def _call(self, method: str, path: str, values: Mapping[str, Any] | None) -> Any:
        for left in range(TRIES - 1, -1, -1):
            answer = self._ask(method, path, values, last=left == 0)
            if answer is not None and not (left and _for_now(answer, method)):
                break
            self.sleep(_asked(answer))
        assert answer is not None  # noqa: S101 - the last try gives one or raises
        return self._read(answer, f"{method} {_plain(path)}")

    def _ask(
        self, method: str, path: str, values: Mapping[str, Any] | None, *, last: bool
    ) -> httpx.Response | None:
        """One request; None when it was lost and may be sent again."""
        try:
            return httpx.request(
                method,
                f"{self.root}{path}",
                headers={**self.headers, "User-Agent": f"reconciler/{__version__}"},
                json=values,
                timeout=TIMEOUT,
                follow_redirects=False,  # a redirect would carry the token to another host
            )
        except httpx.HTTPError as error:
            if last or method == "POST":
                raise Unavailable(
                    self._harmless(f"{method} {_plain(path)}: {type(error).__name__}: {error}")
                ) from None
            return None

    def _read(self, answer: httpx.Response, what: str) -> Any:
        if answer.is_success:
            try:
                return answer.json()
            except (ValueError, RecursionError):
                raise Unavailable(f"{what}: the answer is not JSON") from None
        said = self._harmless(f"{what}: {answer.status_code} {_message(answer)}".strip())
        if answer.status_code in {404, 410}:
            raise Missing(said)
        kind = Unavailable if answer.status_code >= 500 or answer.status_code == 429 else Rejected
        raise kind(said, code=str(answer.status_code))

    def _harmless(self, text: str) -> str:
        return short(clean(text.replace(self.token, "***")))


def api_at(url: str, token: str, headers: Mapping[str, str], sleep: Callable[[float], None]) -> Api:
    """The API under `url`; an address that would show the token on the way is refused."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise WorkspaceError(f"{clean(url)} is not an address for a token", hint="it opens with https://")
    return Api(root=url.rstrip("/"), headers=headers, token=token, sleep=sleep)


def marker(kind: str, workspace: str, *more: str) -> str:
    """What our comment opens with, unseen: one for each kind and each workspace file."""
    parts = (quote(part, safe="/._").replace("--", "-%2D") for part in (kind, workspace, *more))
    return f"<!-- reconciler:{':'.join(parts)} -->"


def _for_now(answer: httpx.Response, method: str) -> bool:
    if answer.status_code == 429:
        return True
    if answer.status_code == 403:  # GitHub's way to say that it was too much at once
        return "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    return answer.status_code >= 500 and method != "POST"


def _asked(answer: httpx.Response | None) -> float:
    try:
        return min(float(answer.headers["retry-after"]), PATIENCE) if answer is not None else PAUSE
    except (KeyError, ValueError):
        return PAUSE


def _message(answer: httpx.Response) -> str:
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    parts = [said[key] for key in ("message", "error", "errors") if said.get(key)]
    return "; ".join(part if isinstance(part, str) else json.dumps(part) for part in parts)


def _plain(path: str) -> str:
    return path.partition("?")[0]
