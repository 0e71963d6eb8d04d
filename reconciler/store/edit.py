"""Writes a file in canonical form: the contract's key order and indentation, every comment kept."""

from __future__ import annotations

import io
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from reconciler.core.diagnostic import Diagnostic
from reconciler.core.errors import WorkspaceError
from reconciler.core.shapes import TENANT_KEYS, WORKSPACE_KEYS
from reconciler.store.files import (
    default_paths,
    find_tenants,
    find_workspaces,
    read_bytes,
    read_workspace,
    refused,
    show,
)
from reconciler.store.reorder import reorder
from reconciler.store.yaml import Unreadable, read

Shapes = Mapping[tuple[str, ...], tuple[str, ...]]

# Wider than any line, so that none is folded.
WIDTH = 1 << 20
ROUNDS = 6


def canonical(data: bytes, shapes: Shapes) -> bytes:
    """Give the canonical form of a file; raises `Unreadable` for a file that has none."""
    document = read(data)
    if document.faults:
        raise document.faults[0]
    text = tidy(data.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
    formed = _settled(text, shapes)
    result = formed.encode()
    if read(result).value != document.value or comments(formed) != comments(text):
        raise Unreadable(
            "RC1015",
            "cannot be written in canonical form without a change of meaning",
            hint="leave it as it is",
        )
    return result


def _settled(text: str, shapes: Shapes) -> str:
    """Form the text until forming changes nothing: one round moves comments that the next one places."""
    for _ in range(ROUNDS):
        before, text = text, tidy(_form(text, shapes))
        if text == before:
            return text
    raise Unreadable(
        "RC1015", "has no canonical form that stays", hint="put its comments on lines of their own"
    )


def tidy(text: str) -> str:
    """End lines as Unix does, without blanks at their ends where nothing can depend on them."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.rstrip() + "\n"


def _form(text: str, shapes: Shapes) -> str:
    ordered = reorder(text, shapes)
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    try:
        loaded = yaml.load(ordered)
        _order_flow(loaded, (), shapes)
        out = io.StringIO()
        yaml.dump(loaded, out)
    except (YAMLError, ValueError, AttributeError, NotImplementedError) as error:
        raise Unreadable(
            "RC1015", f"cannot be written in canonical form: {error}", hint="simplify it"
        ) from None
    return _align(ordered, out.getvalue())


def _order_flow(value: Any, kinds: tuple[str, ...], shapes: Shapes) -> None:
    """Order the mappings written in braces; those in blocks are in order already."""
    if isinstance(value, CommentedSeq):
        for each in value:
            _order_flow(each, kinds, shapes)
    if not isinstance(value, CommentedMap):
        return
    if kinds in shapes and value.fa.flow_style():
        for key in [key for key in shapes[kinds] if key in value] + [
            k for k in value if k not in shapes[kinds]
        ]:
            value.move_to_end(key)
    for key, each in value.items():
        below = (
            str(each.get("api", key))
            if kinds == ("accounts",) and isinstance(each, CommentedMap)
            else str(key)
        )
        _order_flow(each, (*kinds, below), shapes)


_COMMENT = re.compile(r"(?:^|\s)#.*")


def comments(text: str) -> Counter[str]:
    """Count what could be comments, so that none gets lost."""
    return Counter(found[0].strip() for line in text.splitlines() if (found := _COMMENT.search(line)))


def _align(before: str, after: str) -> str:
    """Keep each line of comment in the column of the key it stood with, when indentation changed."""
    old, new = _Columns(before), _Columns(after)
    if len(old.content) != len(new.content) or len(old.comments) != len(new.comments):
        return after
    lines = after.splitlines(keepends=True)
    for (was, nth), (now, _) in zip(old.comments, new.comments, strict=True):
        target = _target(old.indent(was), nth, old.content, new.content)
        if target is not None:
            lines[now] = " " * target + lines[now].lstrip(" ")
    aligned = "".join(lines)
    # What looks like a comment may be text of a block scalar: then nothing is moved.
    return aligned if read(aligned.encode()).value == read(after.encode()).value else after


def _target(column: int, nth: int, old: list[tuple[int, int]], new: list[tuple[int, int]]) -> int | None:
    """Find the line a comment was aligned with, the next one first, then those above; give its column now."""
    if nth == len(old) and column == 0:
        return 0
    if nth < len(old) and column in old[nth]:
        return new[nth][old[nth].index(column)]
    for at in range(nth - 1, -1, -1):
        if column in old[at]:
            return new[at][old[at].index(column)]
    return None


class _Columns:
    """The columns of a text's lines: of content, where its dash and its key stand; of comments, what comes next."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.content: list[tuple[int, int]] = []
        self.comments: list[tuple[int, int]] = []
        for at, line in enumerate(self.lines):
            if line.lstrip().startswith("#"):
                self.comments.append((at, len(self.content)))
            elif line.strip():
                self.content.append((self.indent(at), len(line) - len(line.lstrip(" -"))))

    def indent(self, at: int) -> int:
        """The column of a line's first sign."""
        line = self.lines[at]
        return len(line) - len(line.lstrip(" "))


class Formatted(Struct, frozen=True):
    """One file, and whether its canonical form is another text."""

    file: str
    changed: bool


def format_all(
    paths: Sequence[Path], *, workspace_file: Path | None, cwd: Path, write: bool
) -> tuple[tuple[Formatted, ...], tuple[Diagnostic, ...]]:
    """Bring the workspace file and the tenants below the paths into canonical form."""
    # A hook hands over files of several workspaces at once, and the form is the same in all.
    workspace = next(iter(find_workspaces(paths, given=workspace_file, cwd=cwd)), None)
    found, missing = find_tenants(
        paths or default_paths(workspace.parent if workspace else cwd), workspace=workspace, cwd=cwd
    )
    done, faults = [], list(missing)
    for path in (workspace, *found) if workspace and _asked(workspace, paths, cwd=cwd) else found:
        file = show(path, cwd=cwd)
        try:
            done.append(
                Formatted(
                    file, _format(path, WORKSPACE_KEYS if path == workspace else TENANT_KEYS, write=write)
                )
            )
        except Unreadable as error:
            faults.append(refused(file, error))
    return tuple(done), tuple(faults)


def _asked(workspace: Path, paths: Sequence[Path], *, cwd: Path) -> bool:
    """With no paths everything is meant; else the workspace file when it is, or is below, one of them."""
    real = workspace.resolve()
    return not paths or any(real.is_relative_to((cwd / path).resolve()) for path in paths)


def _format(path: Path, shapes: Shapes, *, write: bool) -> bool:
    before = read_workspace(path) if shapes is WORKSPACE_KEYS else read_bytes(path)
    after = canonical(before, shapes)
    if before == after or not write:
        return before != after
    target = path.resolve()
    overwrite(target, after)
    return True


def overwrite(target: Path, content: bytes) -> None:
    """Give a file other text: a reader sees the old or the new, never half. WorkspaceError where it stays the old."""
    beside = target.with_name(f".{target.name}.new")
    try:
        beside.write_bytes(content)
        shutil.copymode(target, beside)
        beside.replace(target)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise WorkspaceError(
            f"{target}: cannot be written ({error.strerror})",
            hint="the file is as it was; make room, or ask for the right to write beside it",
        ) from error
