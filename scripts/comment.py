"""Keeps one comment on a pull request: `comment.py FILE` puts the Markdown there in place of what it said.

Reads GH_TOKEN, GITHUB_REPOSITORY and PULL_REQUEST, and what a GitHub runner sets besides. Needs only the
standard library, so that it runs in a job that installs nothing. Not being able to comment is a warning,
never a failure.
"""

import json
import os
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

MARKER = "<!-- reconciler:plan -->"
LIMIT = 65_536  # characters in one comment, https://docs.github.com/rest/issues/comments (2026-11-21)
TIMEOUT = 30.0


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for an error: urllib would carry the token to another host."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow nothing."""


OPENER = urllib.request.build_opener(NoRedirect)


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Create or update the comment; the exit code is 0 unless the command was used wrongly."""
    match arguments:
        case [name]:
            file = Path(name)
        case _:
            print("usage: comment.py FILE", file=sys.stderr)
            return 64
    try:
        put(body(file, environment), environment)
    except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
        print(f"::warning title=No comment::{_one_line(f'{type(error).__name__}: {error}')}")
    return 0


def body(file: Path, environment: Mapping[str, str]) -> str:
    """The comment: the marker, the plan as far as it fits, and which commit and run it is from."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        text = ""
    server, repository = (
        environment.get("GITHUB_SERVER_URL", "https://github.com"),
        environment["GITHUB_REPOSITORY"],
    )
    run = f"{server}/{repository}/actions/runs/{environment.get('GITHUB_RUN_ID', '')}"
    commit = environment.get("HEAD_SHA", "")[:12]
    end = f"\n\n<sub>Plan for {commit or 'this pull request'}, from [this run]({run}).</sub>\n"
    said = text or "No plan could be made; the run tells why."
    return f"{MARKER}\n{_fit(said, LIMIT - len(MARKER) - len(end) - 1)}{end}"


def put(text: str, environment: Mapping[str, str]) -> None:
    """Update our comment, or create it when there is none."""
    repository = f"{environment.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{environment['GITHUB_REPOSITORY']}"
    thread = f"{repository}/issues/{int(environment['PULL_REQUEST'])}/comments"
    token = environment["GH_TOKEN"]
    for comment in _comments(thread, token):
        # A person may quote the marker; only a bot's comment is ours to overwrite.
        if str(comment["body"]).startswith(MARKER) and comment["user"]["type"] == "Bot":
            _call("PATCH", f"{repository}/issues/comments/{int(comment['id'])}", token, text)
            return
    _call("POST", thread, token, text)


def _fit(text: str, limit: int) -> str:
    """Cut whole lines at the end until it fits, close an open fence, and say how many were cut."""
    if len(text) <= limit:
        return text
    lines = text.splitlines()
    kept: list[str] = []
    room = limit - 120
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if sum(line.lstrip().startswith("```") for line in kept) % 2:
        kept.append("```")
    return "\n".join([*kept, "", f"*{len(lines) - len(kept)} more lines are in the run's summary.*"])


def _comments(thread: str, token: str) -> Iterator[Any]:
    for page in range(1, 101):
        found = _call("GET", f"{thread}?per_page=100&page={page}", token)
        yield from found
        if len(found) < 100:
            return


def _call(method: str, url: str, token: str, text: str | None = None) -> Any:
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError(f"{url} is not an address for a token")
    request = urllib.request.Request(  # noqa: S310 - the scheme was just checked
        url,
        method=method,
        data=None if text is None else json.dumps({"body": text}).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "reconciler-comment",
        },
    )
    with OPENER.open(request, timeout=TIMEOUT) as answer:
        return json.load(answer)


def _one_line(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
