"""GitHub and GitLab in small, over real HTTP: their comments, issues, pages and refusals."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "canary-token"
Answer = tuple[int, Any, dict[str, str]]


@dataclass
class Host:
    """One platform with one repository; `moods` are answered first, one a request: (method, Answer)."""

    kind: str
    url: str = ""
    remarks: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    moods: list[tuple[str, Answer]] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    limit: int = 65_536
    merged: int | None = 7  # the request whose merge made the commit

    @property
    def env(self) -> dict[str, str]:
        """What a runner of this platform sets, in the pipeline of request 7."""
        if self.kind == "github":
            return {
                "GITHUB_ACTIONS": "true",
                "GITHUB_API_URL": self.url,
                "GITHUB_SERVER_URL": "https://github.example",
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_REF": "refs/pull/7/merge",
                "GITHUB_SHA": "0123456789abcdef",
                "GITHUB_RUN_ID": "99",
                "GH_TOKEN": TOKEN,
            }
        return {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.url,
            "CI_PROJECT_ID": "12",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_COMMIT_SHA": "0123456789abcdef",
            "CI_JOB_URL": "https://gitlab.example/o/r/-/jobs/99",
            "GITLAB_TOKEN": TOKEN,
        }

    @property
    def pushed(self) -> dict[str, str]:
        """The same for a commit on the default branch, which belongs to no request by itself."""
        gone = {"CI_MERGE_REQUEST_IID"}
        kept = {name: value for name, value in self.env.items() if name not in gone}
        return {**kept, "GITHUB_REF": "refs/heads/main"} if self.kind == "github" else kept

    def bodies(self) -> list[str]:
        return [one["body"] for one in self.remarks]

    def say(self, body: str, *, ours: bool = False) -> None:
        """A comment of somebody."""
        self.remarks.append({"id": len(self.remarks) + 1, "body": body, **self._author(ours=ours)})

    def file(self, body: str, *, ours: bool = True, is_open: bool = True) -> dict[str, Any]:
        """An issue of somebody."""
        number = len(self.issues) + 1
        if self.kind == "github":
            made = {"number": number, "body": body, "state": "open" if is_open else "closed"}
        else:
            made = {"iid": number, "description": body, "state": "opened" if is_open else "closed"}
        self.issues.append({**made, **self._author(ours=ours)})
        return self.issues[-1]

    def _author(self, *, ours: bool) -> dict[str, Any]:
        if self.kind == "github":
            return {"user": {"type": "Bot" if ours else "User", "login": "r[bot]" if ours else "ada"}}
        return {"author": {"id": 1 if ours else 2}}

    def answer(self, method: str, path: str, sent: dict[str, Any]) -> Answer:
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.moods and self.moods[0][0] == method:
            return self.moods.pop(0)[1]
        if len(str(sent.get("body") or sent.get("description") or "")) > self.limit:
            return 422, {"message": "Validation Failed", "errors": [{"message": "body is too long"}]}, {}
        code, found = (self._github if self.kind == "github" else self._gitlab)(
            method, url.path.strip("/").split("/"), query, sent
        )
        return code, found, {}

    def _github(
        self, method: str, path: list[str], query: dict[str, str], sent: dict[str, Any]
    ) -> tuple[int, Any]:
        match method, path:
            case "GET", ["user"]:
                return 403, {"message": "Resource not accessible by integration"}
            case "GET", ["repos", "o", "r", "commits", _, "pulls"]:
                found = [{"number": 6, "merged_at": None}]
                return 200, found + [{"number": self.merged, "merged_at": "2026-11-21"}] * bool(self.merged)
            case "GET", ["repos", "o", "r", "issues", "7", "comments"]:
                return 200, page(self.remarks, query)
            case "POST", ["repos", "o", "r", "issues", "7", "comments"]:
                self.say(sent["body"], ours=True)
                return 201, self.remarks[-1]
            case "PATCH", ["repos", "o", "r", "issues", "comments", number]:
                return self._change(self.remarks, int(number), sent)
            case "GET", ["repos", "o", "r", "issues"]:
                assert (query["labels"], query["state"]) == ("licence-drift", "all")
                return 200, page(self.issues, query)
            case "POST", ["repos", "o", "r", "issues"]:
                assert sent["labels"] == ["licence-drift"]
                return 201, self.file(sent["body"])
            case "PATCH", ["repos", "o", "r", "issues", number]:
                return self._change(self.issues, int(number), sent)
        return 404, {"message": "Not Found"}

    def _gitlab(
        self, method: str, path: list[str], query: dict[str, str], sent: dict[str, Any]
    ) -> tuple[int, Any]:
        match method, path:
            case "GET", ["user"]:
                return 200, {"id": 1}
            case "GET", ["projects", "12", "repository", "commits", _, "merge_requests"]:
                return 200, [{"iid": 7, "state": "merged"}] * bool(self.merged)
            case "GET", ["projects", "12", "merge_requests", "7", "notes"]:
                return 200, page(self.remarks, query)
            case "POST", ["projects", "12", "merge_requests", "7", "notes"]:
                self.say(sent["body"], ours=True)
                return 201, self.remarks[-1]
            case "PUT", ["projects", "12", "merge_requests", "7", "notes", number]:
                return self._change(self.remarks, int(number), sent)
            case "GET", ["projects", "12", "issues"]:
                assert query["labels"] == "licence-drift"
                return 200, page(self.issues, query)
            case "POST", ["projects", "12", "issues"]:
                assert sent["labels"] == "licence-drift"
                return 201, self.file(sent["description"])
            case "PUT", ["projects", "12", "issues", number]:
                event = {"close": "closed", "reopen": "opened"}.get(sent.pop("state_event", ""))
                return self._change(self.issues, int(number), {**sent, **({"state": event} if event else {})})
        return 404, {"message": "404 Not found"}

    def _change(self, among: list[dict[str, Any]], number: int, sent: dict[str, Any]) -> tuple[int, Any]:
        if not 0 < number <= len(among) or among[number - 1].get("gone"):
            return 404, {"message": "Not Found"}
        among[number - 1].update(sent)
        return 200, among[number - 1]


def page(every: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    size, number = int(query.get("per_page", "20")), int(query.get("page", "1"))
    return every[(number - 1) * size : number * size]


@contextmanager
def serving(host: Host) -> Iterator[Host]:
    """The platform on loopback; a request without the token is refused, one with a redirect is a fault."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            host.seen.append((self.command, self.path, dict(self.headers.items())))
            given = self.headers["Authorization"] or f"Bearer {self.headers['PRIVATE-TOKEN']}"
            refused: Answer = 401, {"message": f"Bad credentials {given}"}, {}
            known = given == f"Bearer {TOKEN}"
            code, answer, headers = host.answer(self.command, self.path, sent) if known else refused
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        do_GET = do_POST = do_PATCH = do_PUT = handle_any  # noqa: N815 - http.server names them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        host.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()
