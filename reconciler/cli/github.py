"""What GitHub Actions shows beside the lines of a file, or above a job, when it is told in its own words."""

from __future__ import annotations

import os
from collections.abc import Sequence

from reconciler.core.diagnostic import Diagnostic
from reconciler.core.errors import ReconcilerError

# What one step of GitHub Actions shows; later ones are dropped without a word.
MOST = 10


def wanted() -> bool:
    """Whether GitHub Actions reads our output."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def github_errors(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """Give the commands that make GitHub Actions show the first errors in their lines."""
    return github_annotations([found for found in diagnostics if found.is_error])


def github_annotations(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """Give the commands that show the first ten beside their lines; the last tells how many more there are."""
    lines = [_annotation(found, found.message) for found in diagnostics[:MOST]]
    if len(diagnostics) > MOST:
        last = diagnostics[MOST - 1]
        lines[-1] = _annotation(last, f"{last.message} (and {len(diagnostics) - MOST} more, see the log)")
    return lines


def github_warning(title: str, said: str) -> str:
    """Give the command that shows a warning above the job."""
    return f"::warning title={_property(title)}::{_data(said)}"


def github_error(error: ReconcilerError) -> str:
    """Give the command that shows why a run ended."""
    said = f"{error.message}\n{error.hint}" if error.hint else error.message
    return f"::error title=reconciler::{_data(said)}"


LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def _annotation(found: Diagnostic, message: str) -> str:
    said = f"{message}: {found.hint}" if found.hint else message
    place = f"file={_property(found.file)},line={found.line},col={found.column}," if found.file else ""
    level = LEVELS.get(found.severity, "notice")
    return f"::{level} {place}title={_property(found.code)}::{_data(said)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
