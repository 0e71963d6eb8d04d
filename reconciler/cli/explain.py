"""The command that says what a code means."""

from __future__ import annotations

import difflib
import json

import click

from reconciler.cli.options import common, formats
from reconciler.core.codes import CODES, Code
from reconciler.core.errors import WorkspaceError
from reconciler.core.examples import EXAMPLES

FAMILIES = {
    "RC10": "The file itself",
    "RC11": "Keys and values",
    "RC2": "A tenant",
    "RC3": "The workspace",
    "RC4": "A plan",
}
"""What codes are about, by how they begin."""


@click.command()
@click.argument("code", required=False)
@formats("text", "json", "markdown")
@common
def explain(code: str | None, form: str, **_: object) -> None:
    """Say what a code such as RC2301 means, why it matters and what to do; without one, list all."""
    codes = CODES if code is None else {_known(code): CODES[_known(code)]}
    match form:
        case "json":
            told = [_as_json(name, one) for name, one in codes.items()]
            click.echo(json.dumps(told if code is None else told[0], indent=2))
        case "markdown":
            click.echo(_table() if code is None else _page(*next(iter(codes.items()))), nl=False)
        case _:
            click.echo(_list() if code is None else _text(*next(iter(codes.items()))), nl=False)


def _known(word: str) -> str:
    """Find a code as it was typed; raises for one that nobody gives, naming those that are near."""
    name = word.strip().strip("[]").upper()
    name = name if name.startswith("RC") else f"RC{name}"
    if name in CODES:
        return name
    near = [one for one in CODES if one[:4] == name[:4]][:3] or difflib.get_close_matches(name, CODES, n=3)
    by_title = difflib.get_close_matches(word.casefold(), [one.title for one in CODES.values()], n=3)
    near += [code for code, one in CODES.items() if one.title in by_title and code not in near]
    hint = f"did you mean {' or '.join(f'{one} ({CODES[one].title})' for one in near)}?" if near else ""
    raise WorkspaceError(
        f"there is no code {word!r}",
        hint=hint or "`reconciler explain` lists every code",
        code="unknown-code",
    )


def _text(name: str, one: Code) -> str:
    said = [f"{name}: {one.title}", "", f"  Why: {one.why}", f"  Do:  {one.do}"]
    if example := EXAMPLES.get(name):
        said += ["", f"  Refused in {_file(example.file)}:", "", *_indented(example.wrong)]
        said += ["", "  Right:", "", *_indented(example.right)]
    return "".join(f"{line}\n" for line in said)


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.splitlines()]


def _file(kind: str) -> str:
    return "reconciler.yaml" if kind == "workspace" else "a tenant's file"


def _list() -> str:
    parts = (
        f"{title}\n"
        + "".join(f"  {name}  {one.title}\n" for name, one in CODES.items() if name.startswith(start))
        for start, title in FAMILIES.items()
    )
    return "\n".join([*parts, "`reconciler explain CODE` says more of one.\n"])


def _page(name: str, one: Code) -> str:
    said = f"## {name}: {one.title}\n\n**Why:** {one.why}\n\n**Do:** {one.do}\n"
    if example := EXAMPLES.get(name):
        said += f"\nRefused in {_file(example.file)}:\n\n```yaml\n{example.wrong}```\n"
        said += f"\nRight:\n\n```yaml\n{example.right}```\n"
    return said


def _table() -> str:
    rows = (f"| {name} | {one.title} | {one.why} | {one.do} |\n" for name, one in CODES.items())
    return "| code | is | why | do |\n|---|---|---|---|\n" + "".join(rows)


def _as_json(name: str, one: Code) -> dict[str, object]:
    example = EXAMPLES.get(name)
    told = {"wrong": example.wrong, "right": example.right, "file": example.file} if example else None
    return {"code": name, **one._asdict(), "example": told}
