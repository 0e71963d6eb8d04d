"""Credentials by reference: the one function that turns a reference into its value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from reconciler.core.errors import WorkspaceError


def resolve(reference: str, env: Mapping[str, str]) -> str:
    """Give the value behind `env://NAME` or `file:///path`; errors name the reference, never the value."""
    scheme, _, rest = reference.partition("://")
    match scheme, rest:
        case "env", name if name:
            value = env.get(name, "")
            absent = f"the environment variable {name} is not set, or empty"
            if not _is_text(value):
                raise WorkspaceError(f"{reference}: the variable is not UTF-8 text", hint=_FORMS)
        case "file", path if path.startswith("/"):
            value, absent = _contents(reference, Path(unquote(path))), "the file is empty"
        case "env" | "file", _:
            raise WorkspaceError(f"{reference}: not a complete reference", hint=_FORMS)
        case _:  # it may be the credential itself, so it is not repeated
            raise WorkspaceError("a credential is not written as a reference", hint=_FORMS)
    value = value.rstrip("\r\n")
    if not value.strip():
        raise WorkspaceError(f"{reference}: {absent}", hint="set it where this command runs, then try again")
    return secret(value)


def secret(value: str) -> str:
    """Remember a value as one that `hidden` hides."""
    _given.add(value)
    return value


def hidden(text: str) -> str:
    """A text without the values that were given out: for what nobody can foresee, such as a bug's trace."""
    for value in sorted(_given | {password for one in _given if (password := _password(one))}, key=len)[::-1]:
        for form in (repr(value)[1:-1], quote(value, safe=""), value) if len(value) >= _SHORTEST else ():
            text = text.replace(form, "***")
    return text


_given: set[str] = set()
_SHORTEST = 8


def _password(value: str) -> str:
    """The password in an address, which is told without the rest of it."""
    try:
        return unquote(urlsplit(value).password or "") if "://" in value else ""
    except ValueError:
        return ""


_FORMS = "write env://NAME or file:///path/to/file"


def _is_text(value: str) -> bool:
    """Whether a variable is UTF-8: what is not comes as halves of characters, which nothing can send."""
    return not any("\ud800" <= one <= "\udfff" for one in value)


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
