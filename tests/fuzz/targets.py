"""What is fed with strange input: every reader of the tool, each as a function of bytes.

A target returns when the tool took the input or refused it in its own words (`ReconcilerError`); anything
else that comes out of it is a violation.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import signal
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from reconciler import __version__
from reconciler.cli.applying import _approved
from reconciler.cli.job import _at
from reconciler.cli.planning import show_file
from reconciler.cli.wiring import duration
from reconciler.core.errors import ReconcilerError
from reconciler.core.policy import allowances
from reconciler.core.serial import _plan_from_dict, instant, moment
from reconciler.engine.setup import progress_of
from reconciler.render import HISTORY
from reconciler.render.options import Options
from reconciler.sandbox.clock import span
from reconciler.store.branch import address, files
from reconciler.store.edit import format_all
from reconciler.store.journal import open_journal
from reconciler.store.manifests import load
from tests.fuzz import microsoft, scenes
from tests.fuzz.chooser import Chooser, changed, spelled
from tests.fuzz.providers import adapters, answers, headers, models
from tests.manifests.agreement import PIECES, agrees

Target = Callable[[bytes], None]


PATIENCE = 20.0
"""Seconds that an input may take; a slow machine needs far less than one for any of them."""


class HangError(Exception):
    """An input that took longer than any file may."""


@cache
def _workshop() -> Path:
    return scenes.folder()


WORDS = [*PIECES, *("key: ", "other: ", "word", "two words", "12")]
FILES: tuple[Any, ...] = (scenes.TENANT, scenes.PARTNER, scenes.RESOLD, scenes.BY_HAND)


def manifests(data: bytes) -> None:
    """A tenant's file, read, checked, and brought into canonical form."""
    chooser = Chooser(data)
    which = chooser.number(1 + len(FILES))
    text = chooser.rest() if which == 0 else spelled(changed(FILES[which - 1], chooser), chooser)
    _files(json.dumps(scenes.WORKSPACE).encode(), text)


def workspace(data: bytes) -> None:
    """The workspace file."""
    chooser = Chooser(data)
    text = chooser.rest() if chooser.number(4) == 0 else spelled(changed(scenes.WORKSPACE, chooser), chooser)
    _files(text, json.dumps(scenes.TENANT).encode())


def plain(data: bytes) -> None:
    """A text of YAML's pieces, read a line at a time: as libyaml reads it, or not at all."""
    chooser = Chooser(data)
    lines = [
        " " * chooser.number(6) + "".join(chooser.one(WORDS) for _ in range(chooser.number(6)))
        for _ in range(chooser.number(12))
    ]
    agrees("\n".join(lines))


def _files(workspace_text: bytes, tenant: bytes) -> None:
    root = _workshop()
    (root / "tenants").mkdir(exist_ok=True)
    (root / "reconciler.yaml").write_bytes(workspace_text)
    (root / "tenants" / "acme.yaml").write_bytes(tenant)
    loaded = load((), workspace_file=None, cwd=root, version=__version__)
    for found in loaded.diagnostics:
        str(found).encode()
    format_all((), workspace_file=None, cwd=root, write=False)


def plans(data: bytes) -> None:
    """A saved plan, shown in every format; its digests are put right where that can be done."""
    chooser = Chooser(data)
    document = changed(scenes.document("plan"), chooser)
    if chooser.number(4):
        _put_right(document)
    _shown(spelled(document, chooser))


def reports(data: bytes) -> None:
    """A saved report, shown in every format."""
    chooser = Chooser(data)
    _shown(spelled(changed(scenes.document("report"), chooser), chooser))


def _put_right(document: Any) -> None:
    """Give a changed plan the digests of what it says now; some cannot even be read, and stay."""
    from reconciler.core.plan import Run

    with contextlib.suppress(Exception):
        read = tuple(_plan_from_dict(one) for one in document["tenants"])
        for one, plan in zip(document["tenants"], read, strict=True):
            one["digest"] = plan.digest
        document["digest"] = Run(plans=read, created_at=moment("2026-01-01"), tool_version="").digest


def _shown(content: bytes) -> None:
    file = _workshop() / "saved.json"
    file.write_bytes(content)
    for form in ("text", "markdown", "json", "html"):
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with contextlib.redirect_stdout(out):
            show_file(file, form, no_color=True)
        out.flush()


def journal(data: bytes) -> None:
    """A journal's events as they lie on a branch: read, replayed and printed."""
    chooser = Chooser(data)
    events = scenes.events(microsoft=bool(chooser.number(2)))
    if chooser.number(3):
        lines = [json.dumps(one).encode() for one in changed(events, chooser, times=2)]
        content = b"".join(line + b"\n" for line in lines)
    else:
        start = chooser.number(len(events))
        content = b"".join(
            spelled(changed(one, chooser), chooser) + b"\n" for one in events[start : start + 5]
        )
    found = files.read_events({"events/acme/2026.jsonl": content}, "here")
    try:
        progress_of(found, ())
    finally:
        for form in ("text", "json"):
            HISTORY[form](scenes.history(found), Options()).encode()


def branch(data: bytes) -> None:
    """The other files of a journal's branch, and where a journal may be."""
    chooser = Chooser(data)
    match chooser.number(5):
        case 0:
            files.read_header(chooser.rest(), "here")
        case 1:
            files.read_header(spelled(changed({"format": 1, "seq": 7}, chooser), chooser), "here")
        case 2:
            held = {"name": "acme", "token": 3, "holder": "a", "about": "", "machine": "", "path": ""}
            held |= {"since": instant(moment("2026-01-01")), "until": instant(moment("2026-01-02"))}
            content = spelled(changed(held, chooser), chooser)
            files.read_lease(content, name="acme", now=moment("2026-01-01"), where="here")
        case 3:
            files.read_events({"events/acme/2026.jsonl": chooser.rest()}, "here")
        case _:
            address.parse(chooser.rest().decode("utf-8", errors="surrogateescape"))


def journal_url(data: bytes) -> None:
    """Where a journal is said to be; one that names a place on the network is not opened."""
    url = data.decode("utf-8", errors="replace")
    if url.startswith(("postgres", "git+")):
        return
    root = _workshop() / "empty"
    root.mkdir(exist_ok=True)
    open_journal(url, root=root, create=False, env={"A": url[1:]}).close()
    shutil.rmtree(root)


def options(data: bytes) -> None:
    """What is typed behind an option."""
    chooser = Chooser(data)
    which = chooser.number(5)
    text = chooser.rest().decode("utf-8", errors="surrogateescape")
    match which:
        case 0:
            duration(text)
        case 1:
            allowances(text.split("\n"))
        case 2:
            _at(text)
        case 3:
            _approved({"approved": text.split("\n"), "plan_file": None})
        case _:
            with contextlib.suppress(ValueError):  # the sandbox's commands say it as wrong usage
                span(text)


TARGETS: Mapping[str, Target] = {
    "manifests": manifests,
    "workspace": workspace,
    "plain": plain,
    "plans": plans,
    "reports": reports,
    "journal": journal,
    "branch": branch,
    "journal-url": journal_url,
    "options": options,
    "headers": headers,
    "models": models,
    "answers": answers,
    "adapters": adapters,
    "microsoft-models": microsoft.models,
    "microsoft-answers": microsoft.answers,
    "microsoft-adapters": microsoft.adapters,
}


def violates(name: str, data: bytes) -> BaseException | None:
    """Feed a target; what came out of it that may not, or that it did not end."""
    usual = signal.signal(signal.SIGALRM, _hangs)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        TARGETS[name](data)
    except ReconcilerError:
        return None
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, usual)
    return None


def _hangs(_signal: int, _frame: object) -> None:
    raise HangError(f"no end after {PATIENCE} seconds")
