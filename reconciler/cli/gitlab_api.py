"""GitLab: notes on merge requests and issues, through its REST API (https://docs.gitlab.com/api/rest/, 2026-11-21)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from reconciler.cli.platform import Api, Issue, Remark, api_at, needed


@dataclass(slots=True, kw_only=True)
class GitLab:
    """One project, as a project access token with the scope `api` sees it.

    The token is GITLAB_TOKEN: a job's own token may not write notes
    (https://docs.gitlab.com/ci/jobs/ci_job_token/, 2026-11-21).
    """

    api: Api
    project: str
    request: str
    commit: str
    run_url: str
    name: str = "GitLab"
    limit: int = 1_000_000  # characters in one note or description
    _me: int | None = field(default=None, repr=False)

    @classmethod
    def of(cls, env: Mapping[str, str], *, sleep: Callable[[float], None]) -> GitLab:
        """From what a runner sets; WorkspaceError when something is missing."""
        token = needed(env, "GITLAB_TOKEN")
        return cls(
            api=api_at(needed(env, "CI_API_V4_URL"), token, {"PRIVATE-TOKEN": token}, sleep),
            project=quote(needed(env, "CI_PROJECT_ID"), safe=""),
            request=env.get("CI_MERGE_REQUEST_IID", ""),
            commit=env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or env.get("CI_COMMIT_SHA", ""),
            run_url=env.get("CI_JOB_URL") or env.get("CI_PIPELINE_URL", ""),
        )

    def subject(self) -> int | None:
        """The merge request of this pipeline, else the one whose merge made the commit."""
        if self.request.isdigit():
            return int(self.request)
        if not self.commit:
            return None
        commit = quote(self.commit, safe="")
        found = self.api.get(f"{self._project}/repository/commits/{commit}/merge_requests")
        merged = [one for one in found if one.get("state") == "merged"]
        return int(merged[0]["iid"]) if merged else None

    def remarks(self, number: int, mark: str) -> Iterator[Remark]:
        """Our notes on a merge request, oldest first."""
        path = f"{self._project}/merge_requests/{number}/notes?sort=asc&order_by=created_at"
        for one in self.api.pages(path):
            if str(one["body"]).startswith(mark) and self._is_ours(one):
                yield Remark(id=int(one["id"]), body=one["body"])

    def say(self, number: int, body: str) -> None:
        """Add a note."""
        self.api.send("POST", f"{self._project}/merge_requests/{number}/notes", {"body": body})

    def say_instead(self, number: int, remark: Remark, body: str) -> None:
        """Write a note anew."""
        path = f"{self._project}/merge_requests/{number}/notes/{remark.id}"
        self.api.send("PUT", path, {"body": body})

    def issues(self, label: str, mark: str) -> Iterator[Issue]:
        """Our issues with this label, open or closed, the last changed first."""
        path = f"{self._project}/issues?labels={quote(label)}&scope=all&order_by=updated_at"
        for one in self.api.pages(path):
            if str(one["description"]).startswith(mark) and self._is_ours(one):
                yield Issue(number=int(one["iid"]), body=one["description"], is_open=one["state"] == "opened")

    def open_issue(self, title: str, body: str, label: str) -> None:
        """Open an issue; its label is made if need be."""
        values = {"title": title, "description": body, "labels": label}
        self.api.send("POST", f"{self._project}/issues", values)

    def change_issue(self, issue: Issue, body: str, *, is_open: bool) -> None:
        """Write an issue anew, and close or reopen it."""
        values = {"description": body}
        if is_open != issue.is_open:
            values["state_event"] = "reopen" if is_open else "close"
        self.api.send("PUT", f"{self._project}/issues/{issue.number}", values)

    @property
    def _project(self) -> str:
        return f"/projects/{self.project}"

    def _is_ours(self, one: Mapping[str, Any]) -> bool:
        """A person may quote our marker; only what this token's user wrote is ours to overwrite."""
        if self._me is None:
            self._me = int(self.api.get("/user")["id"])
        return bool((one.get("author") or {}).get("id") == self._me)
