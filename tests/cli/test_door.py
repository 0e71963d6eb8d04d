"""What holds for every command: options, variables, streams, usage errors, help."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler import __version__
from reconciler.cli.main import COMMANDS, _confess, cli
from tests.cli.place import WORLD, Place, run

COMMON = {"--workspace", "--verbose", "--quiet", "--log-json"}
PROMISED = {
    "validate", "fmt", "plan", "show", "apply", "resume", "status", "history", "confirm", "resolve", "adopt",
    "release", "drift", "lease", "schema", "sandbox", "completion",
}  # fmt: skip


def ours() -> Iterator[tuple[str, click.Command]]:
    """Every command with its name."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert isinstance(command, click.Command)
        yield from below(name, command)


def below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for word, each in command.commands.items():
        yield from below(f"{name} {word}", each)


def options(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option) and one.name != "help"]


def test_every_promised_command_is_there() -> None:
    assert set(COMMANDS) >= PROMISED


@pytest.mark.parametrize(("name", "command"), list(ours()), ids=[name for name, _ in ours()])
def test_every_command_takes_the_common_options(name: str, command: click.Command) -> None:
    taken = {spelled for one in options(command) for spelled in one.opts}

    assert taken >= COMMON, name


@pytest.mark.parametrize(("name", "command"), list(ours()), ids=[name for name, _ in ours()])
def test_a_variable_names_every_option(name: str, command: click.Command) -> None:
    for one in options(command):
        long = next(spelled for spelled in one.opts if spelled.startswith("--"))

        assert one.envvar == f"RECONCILER_{long[2:].replace('-', '_').upper()}", f"{name} {long}"


def test_bare_it_prints_its_help_and_exits_0(tmp_path: Path) -> None:
    done = run(tmp_path, "")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Usage: ")
    assert all(re.search(rf"^  {name} ", done.out, re.MULTILINE) for name in COMMANDS)


def test_its_version_is_one_line(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").out == f"reconciler {__version__}\n"


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_every_command_has_help(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, f"{name} --help")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Usage: ")


WRONG = pytest.mark.parametrize(
    "line",
    [
        "frobnicate",
        "plan --frobnicate",
        "plan --format yaml",
        "plan --at tomorrow",
        "plan --concurrency 0",
        "show",
        "apply",
        "apply --yes --wait soon",
        "apply --yes --allow max_seats=1",
        "apply --yes --allow max_seats_per_action=many",
        "apply --approved sha256:1 --approved sha256:2",
        "apply --approved sha256:1 --approved acme=sha256:2",
        "apply --approved garbage",
        "apply --approved acme=garbage",
        "apply --approved sha256:nonsense",
        "confirm acme",
        "confirm acme group/office",
        "resolve acme group/office",
        "resolve acme group/office --happened 1 --did-not-happen",
        "history a b c",
        "status --format yaml",
        "lease",
        "lease release",
        "schema nonsense",
        "completion tcsh",
        "sandbox advance",
    ],
)


@WRONG
def test_wrong_usage_exits_64_and_says_so_on_standard_error(place: Place, line: str) -> None:
    done = place.run(line)

    assert done.code == 64, done
    assert done.out == ""
    assert done.err


@WRONG
@pytest.mark.parametrize("asked", [True, False])
def test_with_log_json_wrong_usage_is_a_line_of_json(place: Place, line: str, asked: bool) -> None:  # noqa: FBT001 - a parameter of the table
    env = {} if asked else {"RECONCILER_LOG_JSON": "1"}

    done = place.run(f"{line} --log-json" if asked else line, env)

    assert (done.code, done.out) == (64, "")
    *notes, said = [json.loads(each) for each in done.err.splitlines()]
    assert {each["kind"] for each in notes} <= {"note"}
    assert said["kind"] == "error"
    assert said["message"]
    assert {"at", "code", "hint"} <= said.keys()


def test_what_follows_two_dashes_is_no_option_and_a_variable_that_says_neither_asks_for_no_json(
    place: Place,
) -> None:
    after = place.run("plan --frobnicate -- --log-json")
    neither = place.run("plan --frobnicate", {"RECONCILER_LOG_JSON": "perhaps"})
    passed_over = place.run("history", {"RECONCILER_LOG_JSON": "on", "RECONCILER_FORMAT": "html"})

    assert (after.code, after.err[:7]) == (neither.code, neither.err[:7]) == (64, "Usage: ")
    assert passed_over.code == 0
    assert "does not print html" in json.loads(passed_over.err.splitlines()[0])["message"]


def test_apply_without_a_terminal_and_without_consent_names_the_ways_to_give_it(place: Place) -> None:
    done = place.run("apply")

    assert done.code == 64
    assert all(way in done.err for way in ("--yes", "--plan", "--approved"))


def test_the_command_line_weighs_more_than_the_variable_and_that_more_than_the_default(place: Place) -> None:
    by_variable = {"RECONCILER_FORMAT": "json"}

    assert place.run("plan", by_variable).json["kind"] == "plan"
    assert place.run("plan --format text", by_variable).out.startswith("Note: ")
    assert place.run("plan").out.startswith("Note: ")


def test_a_variable_may_choose_several_tenants(place: Place) -> None:
    plan = place.run("plan --format json", {"RECONCILER_TENANT": "acme resell"}).json

    assert [one["tenant"] for one in plan["tenants"]] == ["acme", "resell"]


def test_the_workspace_is_found_here_above_the_paths_or_where_it_is_named(
    place: Place, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    lost = run(elsewhere, "plan")
    above = run(elsewhere, "plan ../tenants --format json")
    named = run(elsewhere, "plan --workspace ../reconciler.yaml --format json")

    assert lost.code == 1
    assert lost.err.splitlines()[0]
    assert [one["tenant"] for one in above.json["tenants"]] == ["acme", "resell"]
    assert [one["tenant"] for one in named.json["tenants"]] == ["acme", "resell"]
    assert place.root == tmp_path


def test_an_error_says_what_happened_and_what_to_do_on_standard_error(place: Place) -> None:
    done = place.run("plan --tenant nobody")

    assert (done.code, done.out) == (1, "")
    assert done.err == "error: there is no tenant 'nobody'\nhint: the files name acme, resell\n"


def test_github_is_told_of_an_error_in_its_own_words(place: Place) -> None:
    done = place.run("plan --tenant nobody", {"GITHUB_ACTIONS": "true"})

    assert "::error title=reconciler::there is no tenant 'nobody'%0Athe files name acme, resell\n" in done.err


def test_a_mistake_in_any_file_stops_every_run_whatever_the_selection(place: Place) -> None:
    place.write("tenants/broken.yaml", "version: 1\ntenant: Broken\n")

    for line in ("plan --tenant acme", "plan tenants/acme.yaml", "apply --yes --tenant acme", "status acme"):
        done = place.run(line)
        assert (done.code, done.out) == (1, ""), line
        assert re.search(r"^tenants/broken\.yaml:\d+:\d+: error\[RC\d{4}\]: ", done.err, re.MULTILINE), line
    assert place.ledger() == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_a_shell_names_the_command(tmp_path: Path, shell: str) -> None:
    done = run(tmp_path, f"completion {shell}")

    assert done.code == 0
    assert "_RECONCILER_COMPLETE" in done.out


def test_the_completion_completes(place: Place) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from reconciler.__main__ import main; main()"],
        env={
            "_RECONCILER_COMPLETE": "bash_complete",
            "COMP_WORDS": "reconciler pl",
            "COMP_CWORD": "1",
            "PATH": "",
            "PYTHONPATH": ":".join(sys.path),
        },
        cwd=place.root,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )

    assert done.stdout == "plain,plan\n", done.stderr


def test_results_go_to_standard_output_and_what_happens_meanwhile_to_standard_error(place: Place) -> None:
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = place.run("apply --yes --wait 0")

    assert "Report: 1 pending." in done.out
    assert done.err.startswith("… pending acme group/office: placed; ticket ")


def test_quiet_says_nothing_on_the_way_and_the_result_all_the_same(place: Place) -> None:
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = place.run("apply --yes --wait 0 --quiet")

    assert done.err == ""
    assert "Report: 1 pending." in done.out


def test_verbose_says_each_step(place: Place) -> None:
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = place.run("apply --yes --wait 0 --verbose")

    assert "  intended acme group/office: resize: 2 -> 3 seats\n" in done.err
    assert "checkout" in done.err


def test_logs_may_be_lines_of_json(place: Place) -> None:
    import json

    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = place.run("apply --yes --wait 0 --log-json")
    lines = [json.loads(line) for line in done.err.splitlines()]

    assert {"phase", "begun", "intended", "accepted", "closed"} <= {line["kind"] for line in lines}
    assert all("at" in line for line in lines)


@pytest.mark.parametrize(
    ("line", "env"),
    [("plan", {"NO_COLOR": "1"}), ("plan --no-color", {}), ("plan", {"RECONCILER_NO_COLOR": "1"})],
)
def test_colour_is_left_out_where_it_is_not_wanted(place: Place, line: str, env: dict[str, str]) -> None:
    assert "\x1b[" in place.run("plan", {"FORCE_COLOR": "1"}).out

    assert "\x1b[" not in place.run(line, {"FORCE_COLOR": "1", **env}).out


@pytest.mark.parametrize("line", ["--tenant resell acme", "--tenant resell --tenant acme", "tenants"])
def test_several_tenants_are_chosen_by_name(place: Place, line: str) -> None:
    assert [one["tenant"] for one in place.plan(line)["tenants"]] == ["acme", "resell"]


def test_a_name_after_the_option_that_is_no_tenant_is_an_error_and_a_path_stays_one(place: Place) -> None:
    assert place.run("plan --tenant acme nobody").code == 1
    assert place.run("plan acme").code == 1
    assert [one["tenant"] for one in place.plan("--tenant acme tenants")["tenants"]] == ["acme"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("plan", 0),
        ("resume", 0),
        ("apply --yes", 0),
        ("lease list", 0),
        ("adopt acme", 0),
        ("history", 0),
        ("apply", 64),
        ("apply --approved sha256:12", 6),
        ("confirm acme group/office --by Ann", 1),
        ("show absent.json", 1),
    ],
)
def test_with_log_json_all_that_is_said_beside_the_result_is_a_line_of_json(
    place: Place, line: str, code: int
) -> None:
    place.world(WORLD)

    done = place.run(f"{line} --log-json")

    assert done.code == code
    told = [json.loads(one) for one in done.err.splitlines()]
    assert all({"at", "kind"} <= one.keys() for one in told)
    assert [one["kind"] for one in told if one["kind"] == "error"] == ["error"] * (code != 0)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_bug_shows_its_trace_in_the_form_that_was_asked_for(
    capsys: pytest.CaptureFixture[str],
    as_json: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    try:
        [].pop()
    except IndexError:
        _confess({"log_json": as_json})

    said = capsys.readouterr().err
    told = json.loads(said) if as_json else {"code": "bug", "message": said, "hint": said}
    assert told["code"] == "bug"
    assert "this is a bug in reconciler" in told["message"]
    assert told["hint"].startswith("Traceback")
    assert "pop from empty list" in told["hint"]


@pytest.mark.parametrize(
    "line",
    ["init {}", "sandbox state --workspace {}", "import --provider ovh-prepaid --account ovh-main --out {}"],
)
def test_a_path_that_the_system_refuses_is_no_bug(place: Place, line: str) -> None:
    name = "x" * 300  # longer than a name may be

    said = place.run(line.format(name))

    assert said.code == 1
    assert name in said.err
    assert ": file name too long\n" in said.err
    assert "name another path" in said.err
    assert "bug" not in said.err
    told = json.loads(place.run(f"{line.format(name)} --log-json").err.splitlines()[-1])
    assert (told["kind"], told["code"]) == ("error", "path")
