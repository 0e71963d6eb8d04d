"""GitHub: comments on pull requests and issues, through its REST API (https://docs.github.com/rest, 2026-11-21)."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reconciler.cli.platform import Api, Issue, Remark, api_at, needed
from reconciler.core.errors import ProviderError

PULL = re.compile(r"refs/pull/(\d+)/")
VERSION = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


@dataclass(slots=True, kw_only=True)
class GitHub:
    """One repository, as the job's token sees it.

    The token is GH_TOKEN or GITHUB_TOKEN; it needs `pull-requests: write` to comment, `issues: write` for issues.
    """

    api: Api
    repository: str
    ref: str
    commit: str
    run_url: str
    name: str = "GitHub"
    limit: int = 65_536  # characters in one comment or issue
    _me: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, env: Mapping[str, str], *, sleep: Callable[[float], None]) -> GitHub:
        """From what a runner sets; WorkspaceError when something is missing."""
        token = needed(env, "GH_TOKEN", "GITHUB_TOKEN")
        repository = needed(env, "GITHUB_REPOSITORY")
        headers = {**VERSION, "Authorization": f"Bearer {token}"}
        server = env.get("GITHUB_SERVER_URL") or "https://github.com"
        return cls(
            api=api_at(env.get("GITHUB_API_URL") or "https://api.github.com", token, headers, sleep),
            repository=quote(repository),
            ref=env.get("GITHUB_REF", ""),
            commit=_head(env) or env.get("GITHUB_SHA", ""),
            run_url=f"{server}/{repository}/actions/runs/{env.get('GITHUB_RUN_ID', '')}",
        )

    def subject(self) -> int | None:
        """The pull request of this run, else the one whose merge made the commit."""
        if found := PULL.match(self.ref):
            return int(found[1])
        if not self.commit:
            return None
        pulls = self.api.get(f"{self._repository}/commits/{quote(self.commit, safe='')}/pulls")
        merged = [pull for pull in pulls if pull.get("merged_at")]
        return int(merged[0]["number"]) if merged else None

    def remarks(self, number: int, mark: str) -> Iterator[Remark]:
        """Our comments on a pull request, oldest first."""
        for one in self.api.pages(f"{self._repository}/issues/{number}/comments"):
            if str(one["body"]).startswith(mark) and self._is_ours(one):
                yield Remark(id=int(one["id"]), body=one["body"])

    def say(self, number: int, body: str) -> None:
        """Add a comment."""
        self.api.send("POST", f"{self._repository}/issues/{number}/comments", {"body": body})

    def say_instead(self, number: int, remark: Remark, body: str) -> None:  # noqa: ARG002 - GitLab needs the number
        """Write a comment anew."""
        self.api.send("PATCH", f"{self._repository}/issues/comments/{remark.id}", {"body": body})

    def issues(self, label: str, mark: str) -> Iterator[Issue]:
        """Our issues with this label, open or closed, the last changed first."""
        wanted = f"labels={quote(label)}&state=all&sort=updated"
        for one in self.api.pages(f"{self._repository}/issues?{wanted}"):
            if str(one["body"]).startswith(mark) and self._is_ours(one):
                yield Issue(number=int(one["number"]), body=one["body"], is_open=one["state"] == "open")

    def open_issue(self, title: str, body: str, label: str) -> None:
        """Open an issue; its label is made if need be."""
        values = {"title": title, "body": body, "labels": [label]}
        self.api.send("POST", f"{self._repository}/issues", values)

    def change_issue(self, issue: Issue, body: str, *, is_open: bool) -> None:
        """Write an issue anew, and close or reopen it."""
        values = {"body": body, "state": "open" if is_open else "closed"}
        self.api.send("PATCH", f"{self._repository}/issues/{issue.number}", values)

    @property
    def _repository(self) -> str:
        return f"/repos/{self.repository}"

    def _is_ours(self, one: Mapping[str, Any]) -> bool:
        """A person may quote our marker; what a person wrote is not ours to overwrite, unless we act as that person."""
        author = one.get("user") or {}
        return author.get("type") == "Bot" or author.get("login") == self._login()

    def _login(self) -> str:
        """Who a personal token acts for; a job's own token may not ask, and is a bot."""
        if self._me is None:
            self._me = ""
            with contextlib.suppress(ProviderError):
                self._me = str(self.api.get("/user").get("login") or "")
        return self._me


def _head(env: Mapping[str, str]) -> str:
    """The branch's own commit: GITHUB_SHA of a pull request is a merge that nobody made."""
    try:
        event = json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return str(event["pull_request"]["head"]["sha"])
    except (LookupError, OSError, TypeError, ValueError):
        return ""
