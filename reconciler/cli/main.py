"""The command line itself: which command lives where, and what exit code an error has."""

from __future__ import annotations

import errno
import gc
import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from reconciler import __version__
from reconciler.cli.exits import exit_of
from reconciler.core.errors import ReconcilerError

COMMANDS = {
    "init": ("reconciler.cli.init:init", "Write a workspace, a first tenant and .gitignore."),
    "doctor": ("reconciler.cli.doctor:doctor", "Check what a run needs; one line each with a remedy."),
    "import": ("reconciler.cli.importing:import_", "Write manifests from what an account holds."),
    "validate": ("reconciler.cli.offline:validate", "Check every file offline."),
    "fmt": ("reconciler.cli.offline:fmt", "Write files in canonical form, comments kept."),
    "plan": ("reconciler.cli.online:plan", "Show what apply would do; writes nothing."),
    "drift": ("reconciler.cli.online:drift", "What differs from the manifests; for CI on a schedule."),
    "show": ("reconciler.cli.online:show", "Print a saved plan or report again, in any format."),
    "apply": ("reconciler.cli.online:apply", "Make it so."),
    "resume": ("reconciler.cli.online:resume", "Go on with everything that is open."),
    "status": ("reconciler.cli.standing:status", "Tell how each tenant stands."),
    "history": ("reconciler.cli.standing:history", "Print the journal."),
    "renewals": (
        "reconciler.cli.renewals:renewals",
        "What renews or ends when, seats idle, last day to act.",
    ),
    "confirm": ("reconciler.cli.hand:confirm", "Say that a step by hand was done."),
    "resolve": ("reconciler.cli.hand:resolve", "End an in-doubt action."),
    "adopt": ("reconciler.cli.ours:adopt", "From now on these people are ours."),
    "release": ("reconciler.cli.ours:release", "The opposite of adopt."),
    "lease": ("reconciler.cli.leases:lease", "List or break leases."),
    "journal": ("reconciler.cli.journal:journal", "Move the journal to another place."),
    "comment": ("reconciler.cli.platforms:comment", "Put a plan or report on its pull or merge request."),
    "issues": ("reconciler.cli.platforms:issues", "Keep one issue for each tenant that drifted."),
    "outputs": (
        "reconciler.cli.platforms:outputs",
        "Hand a plan or report to the CI: summary, values, remarks.",
    ),
    "explain": ("reconciler.cli.explain:explain", "Say what a code means and what to do."),
    "schema": ("reconciler.cli.offline:schema", "Print a JSON Schema."),
    "sandbox": ("reconciler.cli.sandbox:sandbox", "The local provider: for trying, testing and rehearsing."),
    "completion": ("reconciler.cli.completion:completion", "Print the completion script of a shell."),
}
"""Name to where it lives and what it does; a command's module is imported when it is called."""

OF_PATHS = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.ENOTDIR,
    }
)
"""What a system says of a path that somebody named; no fault of the tool brings these about."""

WRONG_USAGE = 64
INTERRUPTED = 130
YOUNG = 50_000
"""Objects made before the garbage collector looks: with Python's 700 it spends a tenth of a small plan on imports."""


class Commands(click.Group):
    """A group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above names commands
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in COMMANDS.items()])


@click.group(
    cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="reconciler", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """GitOps for Microsoft 365 licences: plan and apply groups, seats and people from YAML in git."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> NoReturn:
    """Run the command line; every error has its exit code, and only a bug shows its trace."""
    gc.set_threshold(YOUNG)
    # What is installed beside the tool could watch what it validates, credentials too; looking for it costs as well.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    wishes: dict[str, bool] = {}
    try:
        code = cli.main(prog_name="reconciler", standalone_mode=False, obj=wishes)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        _refuse(error, wishes)
        code = WRONG_USAGE if isinstance(error, click.UsageError) else error.exit_code
    except (click.Abort, KeyboardInterrupt):
        from reconciler.cli.options import wants_json
        from reconciler.cli.output import remark

        remark("interrupted", as_json=wants_json(wishes))
        code = INTERRUPTED
    except ReconcilerError as error:
        from reconciler.cli.output import complain

        complain(error, as_json=wishes.get("log_json", False))
        code = exit_of(error)
    except Exception as error:  # noqa: BLE001 - the last resort: a bug, shown as one
        _end(error, wishes)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(error: click.ClickException, wishes: dict[str, bool]) -> None:
    """Say what cannot be understood, in the form of every other error where lines of JSON are asked for."""
    from reconciler.cli.options import wants_json
    from reconciler.cli.output import complain

    if not wants_json(wishes):
        error.show()
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"`{context.command_path} --help` tells what there is" if context else ""
    code = "usage" if isinstance(error, click.UsageError) else "refused"
    complain(ReconcilerError(error.format_message(), hint=hint, code=code), as_json=True)


def _end(error: Exception, wishes: dict[str, bool]) -> None:
    """Tell of a path that the system refuses; anything else that comes this far is a bug."""
    if not isinstance(error, OSError) or error.errno not in OF_PATHS or error.filename is None:
        _confess(wishes)
        return
    from reconciler.cli.options import wants_json
    from reconciler.cli.output import complain

    said = f"{os.fsdecode(error.filename)}: {(error.strerror or 'it cannot be used').lower()}"
    refused = ReconcilerError(
        said, hint="name another path, or give yourself the rights to this one", code="path"
    )
    complain(refused, as_json=wants_json(wishes))


def _confess(wishes: dict[str, bool]) -> None:
    """Show the bug that is being handled, with its trace."""
    from reconciler.cli.faults import trace
    from reconciler.cli.options import wants_json
    from reconciler.cli.output import complain

    said = "this is a bug in reconciler: please report it with the lines above"
    if wants_json(wishes):
        complain(ReconcilerError(said.replace("lines above", "hint"), hint=trace(), code="bug"), as_json=True)
        return
    click.echo(trace(), err=True, nl=False)
    click.echo(said, err=True)
