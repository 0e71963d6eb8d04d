"""The commands of the local provider: serve it, turn its clock, make it misbehave, see what it did."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import option

STATE = Path(".reconciler") / "sandbox.db"
WORKSPACE = "reconciler.yaml"

Command = Callable[..., None]


class _WrongUsageError(click.UsageError):
    """A usage error that ends with the code the tool has for them."""

    exit_code = 64


class _Usage(click.Group):
    """A group whose commands' usage errors end with that code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _WrongUsageError(error.format_message(), error.ctx) from error


class _Faults(_Usage):
    """A group in which the name of a fault is short for adding it."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = bool(args) and (args[0] in self.commands or args[0].startswith("-"))
        return super().resolve_command(ctx, args if known else ["add", *args])


def _placed(command: Command) -> Command:
    """Add where the world is, and the options that every command takes; here there is nothing to log."""
    state = option("--state", type=click.Path(dir_okay=False, path_type=Path), help="The file of the world.")
    workspace = option(
        "--workspace", type=click.Path(path_type=Path), help="The workspace whose sandbox is meant."
    )
    return state(workspace(_said_nothing(command)))


def _said_nothing(command: Command) -> Command:
    for one in (
        option("--log-json", is_flag=True, expose_value=False, help="Logs on standard error as JSON lines."),
        option("--quiet", "-q", is_flag=True, expose_value=False, help="Say only what matters."),
        option("--verbose", "-v", is_flag=True, expose_value=False, help="Say more."),
    ):
        command = one(command)
    return command


@click.group(cls=_Usage)
def sandbox() -> None:
    """The local provider: for trying, testing and rehearsing."""


@sandbox.command()
@_placed
@option("--port", type=click.IntRange(0, 65535), default=8430, show_default=True, help="0 takes a free one.")
@option("--realistic", is_flag=True, help="Deliver as late as the real provider.")
@option("--signed", is_flag=True, help="Refuse whoever shows no login, as OVHcloud does.")
def serve(state: Path | None, workspace: Path | None, port: int, *, realistic: bool, signed: bool) -> None:
    """Offer the sandbox over HTTP on this machine."""
    from reconciler.sandbox import server

    if realistic:
        with _opened(state, workspace) as world:
            world.set("realistic", "on")
    try:
        server.serve(port, _file(state, workspace), signed=signed)
    except OSError as error:
        raise click.ClickException(f"cannot serve on port {port}: {error}") from error


@sandbox.command()
@_placed
@option("--world", "document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def reset(state: Path | None, workspace: Path | None, document: Path | None) -> None:
    """Begin anew: an empty world, or the one that a file describes."""
    with _opened(state, workspace) as world:
        world.reset(_document(document) if document is not None else None)
    click.echo(f"{_file(state, workspace)}: a new world")


@sandbox.command()
@_placed
@click.argument("duration")
def advance(state: Path | None, workspace: Path | None, duration: str) -> None:
    """Turn the clock by DURATION: 45s, 30m, 4h, 2d."""
    from reconciler.sandbox.clock import span

    with _opened(state, workspace) as world:
        click.echo(f"it is {world.advance(span(duration)).isoformat(timespec='seconds')} in the sandbox")


@sandbox.command()
@_placed
@click.argument("order")
def pay(state: Path | None, workspace: Path | None, order: str) -> None:
    """Play the person who pays ORDER, or hands in the documents it waits for."""
    with _opened(state, workspace, usage=False) as world:
        click.echo(f"order {order}: {world.pay(order)}")


@sandbox.command("set")
@_placed
@click.argument("settings", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(state: Path | None, workspace: Path | None, settings: tuple[str, ...]) -> None:
    """Change settings, for example delay=0, realistic=on, batch=off, busy=conflict."""
    with _opened(state, workspace) as world:
        for setting in settings:
            key, equals, value = setting.partition("=")
            if not equals:
                raise click.UsageError(f"{setting!r} is not KEY=VALUE")
            world.set(key, value)


@sandbox.command()
@_placed
@click.argument("words", nargs=-1, required=True, metavar="NAME ARGUMENT...")
def change(state: Path | None, workspace: Path | None, words: tuple[str, ...]) -> None:
    """Let somebody else change something at once, for example user-removed TENANT LOGIN."""
    import shlex

    with _opened(state, workspace) as world:
        world.change(shlex.join(words))


@sandbox.command()
@_placed
@option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def ledger(state: Path | None, workspace: Path | None, form: str) -> None:
    """Show everything that took effect."""
    with _opened(state, workspace) as world:
        _table(world.ledger(), form)


@sandbox.command()
@_placed
@option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def requests(state: Path | None, workspace: Path | None, form: str) -> None:
    """Show every request that came in."""
    with _opened(state, workspace) as world:
        _table(world.requests(), form)


@sandbox.command("state")
@_placed
def state_(state: Path | None, workspace: Path | None) -> None:
    """Show the account, the clock, the settings and what is there, as JSON."""
    with _opened(state, workspace) as world:
        click.echo(json.dumps(world.state(), indent=2, ensure_ascii=False))


@sandbox.group(cls=_Faults)
def fault() -> None:
    """Make it misbehave: `fault NAME` asks for a fault, `list` shows them, `clear` ends them."""


@fault.command()
@_placed
@click.argument("name")
@option("--method", default="*", help="GET, POST, PUT, PATCH, DELETE, or several with |.")
@option(
    "--path",
    default="*",
    help="A path without /1.0, or a whole one like /graph/v1.0/users; {} is one segment, * is anything.",
)
@option("--times", type=click.IntRange(1), default=1, show_default=True, help="How many calls are hit.")
@option("--after", type=click.IntRange(0), default=0, help="How many matching calls go well before.")
@option("--probability", type=click.FloatRange(0, 1), default=1.0)
@option("--seed", type=int, default=0, help="With --probability: the same seed, the same luck.")
@option("--seconds", type=click.FloatRange(0), help="For slow, throttle, late-delivery, delivered-then-404.")
@option("--every", type=click.IntRange(1), help="For partial-batch: every how manieth id fails.")
@option("--change", help="For interference: what somebody else does.")
@option("--when", type=click.Choice(["before", "after"]), help="For interference: before or after the call.")
def add(state: Path | None, workspace: Path | None, name: str, **options: Any) -> None:
    """Ask for a fault by NAME."""
    given = {key: value for key, value in options.items() if value is not None}
    given["skip"] = given.pop("after")
    with _opened(state, workspace) as world:
        click.echo(f"fault {world.fault(name, **given)}: {name}")


@fault.command("list")
@_placed
@option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_(state: Path | None, workspace: Path | None, form: str) -> None:
    """Show the faults that were asked for, and how often they struck."""
    with _opened(state, workspace) as world:
        _table(world.faults(), form)


@fault.command()
@_placed
def clear(state: Path | None, workspace: Path | None) -> None:
    """Behave again."""
    with _opened(state, workspace) as world:
        world.clear_faults()


@contextmanager
def _opened(state: Path | None, workspace: Path | None, *, usage: bool = True) -> Iterator[Any]:
    # Any, because the class is imported late: the tool starts without the sandbox.
    import sqlite3

    from reconciler.sandbox.world import World

    path = _file(state, workspace)
    try:
        world = World.open(path)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise click.ClickException(f"{path}: {error}") from error
    try:
        yield world
    except ValueError as error:
        raise (click.UsageError if usage else click.ClickException)(str(error)) from error
    finally:
        world.close()


def _file(state: Path | None, workspace: Path | None) -> Path:
    if state is not None:
        return state
    if workspace is not None:
        return (workspace if workspace.is_dir() else workspace.parent) / STATE
    here = Path.cwd()
    folder = next((one for one in (here, *here.parents) if (one / WORKSPACE).is_file()), here)
    return folder / STATE


def _document(path: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise click.ClickException(f"{path}: a world is a mapping")
    return document


def _table(rows: list[dict[str, Any]], form: str) -> None:
    if form == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo("  ".join(_cell(key, value) for key, value in row.items()))


def _cell(key: str, value: object) -> str:
    if key in {"at", "what", "method", "path", "name"}:
        return str(value)
    return f"{key}={value if isinstance(value, str | int | float) else json.dumps(value)}"
