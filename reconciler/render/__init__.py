"""Strings out: plans, reports, standings and the journal as text, Markdown, JSON and HTML, one table each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reconciler.core.journal import Event
from reconciler.core.overview import Overview
from reconciler.core.plan import Run
from reconciler.core.report import Report
from reconciler.render import as_json, html, html_report, markdown, markdown_report, text, text_report
from reconciler.render.options import Options, options_for

__all__ = ["ERROR", "HISTORY", "PLAN", "REPORT", "STATUS", "Options", "options_for"]

PLAN: Mapping[str, Callable[[Run, Options], str]] = {
    "text": text.plan,
    "markdown": markdown.plan,
    "json": as_json.plan,
    "html": html.plan,
}
REPORT: Mapping[str, Callable[[Report, Options], str]] = {
    "text": text_report.report,
    "markdown": markdown_report.report,
    "json": as_json.report,
    "html": html_report.report,
}
STATUS: Mapping[str, Callable[[Overview, Options], str]] = {
    "text": text_report.status,
    "markdown": markdown_report.status,
    "json": as_json.status,
    "html": html_report.status,
}
HISTORY: Mapping[str, Callable[[Sequence[Event], Options], str]] = {
    "text": text_report.history,
    "json": as_json.history,
}
ERROR = text_report.error
