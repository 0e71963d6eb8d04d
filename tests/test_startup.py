"""Start-up: asking for help or the version loads no library that only real work needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "pydantic",
    "httpx",
    "aiohttp",
    "deepdiff",
    "ruamel",
    "sqlalchemy",
    "alembic",
    "rich",
    "asyncio",
    "jinja2",
    "msal",
    "starlette",
    "uvicorn",
}

# Runs the command as its entry point does, then tells what was loaded on the way.
PROGRAM = """
import sys
sys.argv = ["reconciler", *{arguments!r}]
from reconciler.__main__ import main
try:
    main()
except SystemExit as end:
    print("exit", end.code or 0, file=sys.stderr)
print("modules", *sys.modules, file=sys.stderr)
"""


# A plugin of pydantic, which is told of everything that is validated.
WATCHING = """
print("watching")

class Plugin:
    def new_schema_validator(self, *_, **__):
        return None, None, None

plugin = Plugin()
"""


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], ["plan", "--help"]], ids=" ".join)
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )

    lines = result.stderr.splitlines()
    loaded = {module.split(".")[0] for module in lines[-1].split()[1:]}
    assert "exit 0" in lines
    assert "reconciler" in loaded
    assert not loaded & HEAVY


def test_validate_loads_what_files_need_and_nothing_that_talks_or_prints() -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(arguments=["validate", "examples"])],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )

    lines = result.stderr.splitlines()
    loaded = {module.split(".")[0] for module in lines[-1].split()[1:]}
    assert "exit 0" in lines
    assert loaded & HEAVY == {"pydantic"}


def test_what_is_installed_beside_the_tool_does_not_watch_what_it_validates(tmp_path: Path) -> None:
    (tmp_path / "watching.py").write_text(WATCHING, encoding="utf-8")
    about = tmp_path / "watching-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: watching\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[pydantic]\nwatching = watching:plugin\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def told(program: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[1],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert "watching" in told("import pydantic\nclass Model(pydantic.BaseModel): one: int\n")
    assert "watching" not in told(PROGRAM.format(arguments=["validate", "examples"]))


def test_what_a_plan_imports_brings_no_library_that_only_colours_and_leaves_tls_as_it_is() -> None:
    program = (
        "import ssl, sys\n"
        "usual = dict(vars(ssl.SSLContext))\n"
        "import reconciler.cli.planning, reconciler.providers\n"
        "import httpx\n"
        "assert dict(vars(ssl.SSLContext)) == usual\n"
        "assert 'httpx._main' not in sys.modules and callable(httpx.main)\n"
        "print(*sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )

    loaded = {module.split(".")[0] for module in result.stdout.split()}
    assert {"httpx", "aiohttp", "pydantic"} <= loaded
    assert not loaded & {"rich", "pygments", "sqlalchemy", "alembic", "jinja2", "ruamel", "deepdiff", "msal"}
    assert "reconciler.providers.microsoft" not in result.stdout  # not before an account there is opened


ENDING = """
import atexit, sys, threading
sys.argv = ["reconciler", *{arguments!r}]
atexit.register(print, "called at the end")
if {thread}:
    threading.Thread(target=lambda: print("waited for")).start()
from reconciler.__main__ import run
run()
"""


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["plan", "--no-such"], 64)])
def test_the_process_ends_with_its_code_and_calls_what_wants_to_be_called(
    arguments: list[str], code: int, *, thread: bool
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", ENDING.format(arguments=arguments, thread=thread)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )

    assert result.returncode == code
    assert ("waited for" in result.stdout) is thread
    assert result.stdout.endswith("called at the end\n")
    assert not result.stderr or code


def test_nothing_that_was_printed_is_lost_at_the_end() -> None:
    for arguments in (["schema", "tenant"], ["schema", "workspace"]):
        result = subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments],
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )

        assert result.stdout.endswith("\n")
        assert len(result.stdout) > 5000


def test_a_reader_who_has_gone_is_no_error() -> None:
    program = f"{sys.executable} -m reconciler schema tenant | head -c 1; echo ${{PIPESTATUS[0]}}"

    result = subprocess.run(
        ["bash", "-c", program], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )

    assert result.stdout == "{0\n"
    assert result.stderr == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize(("arguments", "code"), [("--version", 0), ("plan --no-such", 64)])
def test_who_closes_the_outputs_is_still_told_the_code(arguments: str, code: int, closed: str) -> None:
    program = f"{sys.executable} -m reconciler {arguments} {closed}"

    result = subprocess.run(
        ["bash", "-c", program], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )

    assert result.returncode == code
    assert "Traceback" not in result.stderr
