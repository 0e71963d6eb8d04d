"""The files a command writes and reads back: plans and reports, whole or not at all, for their owner alone."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.core.errors import WorkspaceError

MAJOR = 1  # of `format_version`; another major is refused, a newer minor only adds fields


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; a reader sees the old one or the new one, never a part.

    The folder is made when there is none.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe
            path.write_text(text, encoding="utf-8")
            return
        _replace(path.resolve(), text.encode())
    except OSError as error:
        raise WorkspaceError(
            f"{path}: cannot be written ({error.strerror})",
            hint="name a file in a folder that you may write to, where there is room",
        ) from error


def ready(path: Path) -> None:
    """Refuse a place that cannot be written, before something is done that it shall tell of."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        said = "" if os.access(path.parent, os.W_OK) else "not allowed"
    except OSError as error:
        said = str(error.strerror)
    if said:
        raise WorkspaceError(
            f"{path}: cannot be written ({said})", hint="name a file in a folder that you may write to"
        )


def read_document(path: Path, *kinds: str) -> Mapping[str, Any]:
    """Read a JSON file that this tool wrote, of one of `kinds` (`plan`, `report`); unknown fields are left in."""
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise WorkspaceError(f"{path}: cannot be read ({error.strerror})", hint=_again(kinds)) from error
    except UnicodeDecodeError as error:
        raise WorkspaceError(f"{path}: not UTF-8 text", hint=_again(kinds)) from error
    except json.JSONDecodeError as error:
        raise WorkspaceError(
            f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}", hint=_again(kinds)
        ) from error
    except RecursionError as error:
        raise WorkspaceError(f"{path}: nests too deep", hint=_again(kinds)) from error
    except ValueError as error:
        raise WorkspaceError(f"{path}: holds a number without an end", hint=_again(kinds)) from error
    if not _is_text(document):
        raise WorkspaceError(f"{path}: holds half a character", hint=_again(kinds))
    return _checked(path, document, kinds)


def _is_text(document: Any) -> bool:
    """Whether it can be printed: JSON's own notation can spell halves of characters, which nothing takes."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _checked(path: Path, document: Any, kinds: tuple[str, ...]) -> Mapping[str, Any]:
    match document:
        case {"kind": str(kind), "format_version": str(version)} if kind in kinds:
            if version.partition(".")[0] != str(MAJOR):
                raise WorkspaceError(
                    f"{path}: format {version}, this version reads {MAJOR}.x",
                    hint="use the version of reconciler that wrote it, or make the file anew",
                )
            fields: dict[str, Any] = document
            return fields
        case {"kind": str(kind), "format_version": str()}:
            raise WorkspaceError(f"{path}: a {kind}, not a {' or '.join(kinds)}", hint=_again(kinds))
    raise WorkspaceError(f"{path}: not a {' or '.join(kinds)} of reconciler", hint=_again(kinds))


def _again(kinds: tuple[str, ...]) -> str:
    return "make one with `reconciler plan --out FILE`" if "plan" in kinds else "make it anew"


def _replace(path: Path, content: bytes) -> None:
    file, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
