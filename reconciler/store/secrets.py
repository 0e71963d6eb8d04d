"""Credentials by reference: the one function that turns a reference into its value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from reconciler.core.errors import WorkspaceError


def resolve(reference: str, env: Mapping[str, str]) -> str:
    """Give the value behind `env://NAME` or `file:///path`; errors name the reference, never the value."""
    scheme, _, rest = reference.partition("://")
    match scheme, rest:
        case "env", name if name:
            value = env.get(name, "")
            absent = f"the environment variable {name} is not set, or empty"
        case "file", path if path.startswith("/"):
            value, absent = _contents(reference, Path(unquote(path))), "the file is empty"
        case "env" | "file", _:
            raise WorkspaceError(f"{reference}: not a complete reference", hint=_FORMS)
        case _:  # it may be the credential itself, so it is not repeated
            raise WorkspaceError("a credential is not written as a reference", hint=_FORMS)
    value = value.rstrip("\r\n")
    if not value.strip():
        raise WorkspaceError(f"{reference}: {absent}", hint="set it where this command runs, then try again")
    return value


_FORMS = "write env://NAME or file:///path/to/file"


def _contents(reference: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        # `from None`: the error carries the bytes of the credential
        raise WorkspaceError(f"{reference}: the file is not UTF-8 text", hint=_FORMS) from None
    except OSError as error:
        raise WorkspaceError(
            f"{reference}: the file cannot be read ({error.strerror})",
            hint="put the file there, readable by the user who runs this command",
        ) from error
