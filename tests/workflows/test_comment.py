"""The comment on a pull request: made once, updated in place, and never the reason a run fails."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/comment.py"
TOKEN = "canary-token"


@dataclass
class GitHub:
    """Comments of one pull request, as GitHub's REST API keeps them."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    broken: bool = False
    url: str = ""

    def say(self, body: str, kind: str) -> dict[str, Any]:
        comment = {"id": len(self.comments) + 1, "body": body, "user": {"type": kind}}
        self.comments.append(comment)
        return comment

    def answer(self, method: str, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        url = urlsplit(path)
        page = int(parse_qs(url.query).get("page", ["1"])[0])
        match method, url.path.split("/")[1:]:
            case _ if self.broken:
                return 502, {"message": "Server Error"}
            case "GET", ["repos", "o", "r", "issues", "7", "comments"]:
                return 200, self.comments[(page - 1) * 100 : page * 100]
            case "POST", ["repos", "o", "r", "issues", "7", "comments"]:
                return 201, self.say(sent["body"], "Bot")
            case "PATCH", ["repos", "o", "r", "issues", "comments", number]:
                self.comments[int(number) - 1]["body"] = sent["body"]
                return 200, self.comments[int(number) - 1]
        return 404, {"message": "Not Found"}


@pytest.fixture
def github() -> Iterator[GitHub]:
    state = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            known = self.headers["Authorization"] == f"Bearer {TOKEN}"
            refused = 401, {"message": "Bad credentials"}
            code, answer = (
                state.answer(self.command, self.path, json.loads(sent or b"{}")) if known else refused
            )
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - http.server names them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def comment(file: Path, github: GitHub, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "99",
        "GH_TOKEN": TOKEN,
        "PULL_REQUEST": "7",
        "HEAD_SHA": "0123456789abcdef",
        **more,
    }
    return subprocess.run(
        [sys.executable, SCRIPT, file], env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.md"
    file.write_text("# Plan: 1 change\n", encoding="utf-8")
    return file


def test_a_second_plan_takes_the_place_of_the_first(plan: Path, github: GitHub) -> None:
    first = comment(plan, github)
    plan.write_text("# Plan: 2 changes\n", encoding="utf-8")
    second = comment(plan, github)

    assert (first.returncode, second.returncode) == (0, 0), first.stdout + second.stdout
    [only] = github.comments
    assert "# Plan: 2 changes" in only["body"]
    assert "0123456789ab" in only["body"]
    assert "o/r/actions/runs/99" in only["body"]


def test_our_comment_is_found_behind_a_hundred_others(plan: Path, github: GitHub) -> None:
    for number in range(130):
        github.say(f"remark {number}", "User")
    comment(plan, github)
    comment(plan, github)

    assert len(github.comments) == 131


def test_a_person_who_quotes_the_marker_is_not_overwritten(plan: Path, github: GitHub) -> None:
    github.say("<!-- reconciler:plan --> see above", "User")

    comment(plan, github)

    assert github.comments[0]["body"] == "<!-- reconciler:plan --> see above"
    assert len(github.comments) == 2


def test_a_plan_that_is_too_long_is_cut_at_a_line_and_says_so(plan: Path, github: GitHub) -> None:
    plan.write_text("```\n" + "a line of the plan\n" * 10_000 + "```\n", encoding="utf-8")

    comment(plan, github)

    body = github.comments[0]["body"]
    assert len(body) <= 65_536
    assert body.count("```") == 2
    assert "more lines are in the run's summary" in body


def test_a_plan_that_was_not_made_is_said(tmp_path: Path, github: GitHub) -> None:
    comment(tmp_path / "nowhere.md", github)

    assert "No plan could be made" in github.comments[0]["body"]


def test_a_failure_to_comment_is_a_warning(plan: Path, github: GitHub) -> None:
    github.broken = True
    broken = comment(plan, github)
    refused = comment(plan, github, GH_TOKEN="another")
    unreachable = comment(plan, github, GITHUB_API_URL="http://127.0.0.1:1")
    unset = comment(plan, github, PULL_REQUEST="")

    for result in (broken, refused, unreachable, unset):
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("::warning title=No comment::")
        assert len(result.stdout.splitlines()) == 1
        assert TOKEN not in result.stdout + result.stderr


def test_the_token_goes_to_no_other_address(plan: Path, github: GitHub) -> None:
    result = comment(plan, github, GITHUB_API_URL="http://github.example")

    assert "not an address for a token" in result.stdout
