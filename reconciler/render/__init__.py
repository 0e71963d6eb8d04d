"""Strings out: plans, reports, standings and the journal as text, Markdown, JSON and HTML, one table each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from reconciler.core.overview import History, Overview
from reconciler.core.plan import Due, Run
from reconciler.core.report import Report
from reconciler.render.options import Options, options_for

__all__ = ["ERROR", "HISTORY", "PLAN", "RENEWALS", "REPORT", "STATUS", "Options", "options_for"]


def _late(module: str, name: str) -> Callable[..., str]:
    """A renderer that is imported when it renders: a run needs one of them."""

    def render(*arguments: object) -> str:
        made: str = getattr(import_module(f"{__name__}.{module}"), name)(*arguments)
        return made

    return render


PLAN: Mapping[str, Callable[[Run, Options], str]] = {
    "text": _late("text", "plan"),
    "markdown": _late("markdown", "plan"),
    "json": _late("as_json", "plan"),
    "html": _late("html", "plan"),
}
REPORT: Mapping[str, Callable[[Report, Options], str]] = {
    "text": _late("text_report", "report"),
    "markdown": _late("markdown_report", "report"),
    "json": _late("as_json", "report"),
    "html": _late("html_report", "report"),
}
STATUS: Mapping[str, Callable[[Overview, Options], str]] = {
    "text": _late("text_report", "status"),
    "markdown": _late("markdown_report", "status"),
    "json": _late("as_json", "status"),
    "html": _late("html_report", "status"),
}
HISTORY: Mapping[str, Callable[[History, Options], str]] = {
    "text": _late("text_report", "history"),
    "json": _late("as_json", "history"),
}
RENEWALS: Mapping[str, Callable[[Run, tuple[Due, ...], int, Options], str]] = {
    "text": _late("renewals", "text"),
    "json": _late("renewals", "as_json"),
    "html": _late("html_calendar", "page_of"),
}
ERROR = _late("text_report", "error")
