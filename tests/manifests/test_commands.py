"""validate, fmt and schema as they are typed."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli.main import cli
from tests.manifests.place import Place

FINE = "version: 1\ntenant: {}\nprovider: home-pl\naccount: home\n"
HEAVY = {
    "httpx",
    "aiohttp",
    "sqlalchemy",
    "deepdiff",
    "starlette",
    "ruamel",
    "rich",
    "asyncio",
    "jinja2",
    "msal",
    "ssl",
}


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    for name in ("GITHUB_ACTIONS", "RECONCILER_WORKSPACE", "RECONCILER_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(place.root)


def run(*words: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, words, env=env)


def test_validate_counts_what_it_found_good(place: Place) -> None:
    place.write("tenants/a.yaml", FINE.format("a"))
    place.write("tenants/b.yaml", FINE.format("b"))

    result = run("validate")

    assert (result.exit_code, result.output) == (0, "2 tenants, no errors\n")
    assert run("validate", "--quiet").output == ""


def test_validate_tells_every_error_of_every_file_and_counts_them(place: Place) -> None:
    place.write("reconciler.yaml", "version: 1\naccounts: {home: {api: manual}}\npolcy: {}\n")
    place.write("tenants/a.yaml", FINE.format("A") + "zebra: 1\n")
    place.write("tenants/b.yaml", FINE.format("b"))

    result = run("validate", "tenants")

    assert result.exit_code == 1
    assert [line.split(" ")[0] for line in result.output.splitlines()] == [
        "reconciler.yaml:3:1:",
        "tenants/a.yaml:2:9:",
        "tenants/a.yaml:5:1:",
        "3",
    ]
    assert result.output.endswith("3 errors in 2 files\n")


def test_verbose_says_why(place: Place) -> None:
    place.write("tenants/a.yaml", "")

    assert run("validate", "--verbose").output.splitlines()[1:3] == [
        "    Why: an empty file may be a lost one; it never means `no tenant`",
        "    Do:  write or delete it",
    ]


def test_the_operators_hosts_come_from_the_environment(place: Place) -> None:
    place.write(
        "reconciler.yaml",
        "version: 1\naccounts:\n  a: {api: ovh, endpoint: https://api.example/1.0, credentials: "
        "{application_key: env://K, application_secret: env://S, consumer_key: env://C}}\n",
    )

    assert run("validate").exit_code == 1
    assert run("validate", env={"RECONCILER_ENDPOINTS": "api.example"}).exit_code == 0


def test_the_workspace_may_come_from_the_environment(place: Place) -> None:
    place.write("other.yaml", "version: 1\naccounts: {}\nzebra: 1\n")

    result = run("validate", env={"RECONCILER_WORKSPACE": "other.yaml"})

    assert result.output.startswith("other.yaml:3:1: error[RC1101]")


def test_github_shows_the_ten_first_in_their_lines(place: Place) -> None:
    place.write("tenants/a.yaml", FINE.format("a") + "".join(f"zebra{n}: 100%\n" for n in range(12)))

    lines = run("validate", env={"GITHUB_ACTIONS": "true"}).output.splitlines()

    shown = [line for line in lines if line.startswith("::error ")]
    assert len(shown) == 10
    assert shown[0].startswith("::error file=tenants/a.yaml,line=5,col=1,title=RC1101::unknown key `zebra0`")
    assert "(and 2 more, see the log)" in shown[-1]


def test_fmt_lists_what_it_changed_and_check_fails_until_then(place: Place) -> None:
    path = place.write("tenants/a.yaml", "tenant: a\nversion: 1\n")

    first, second, third = run("fmt", "--check"), run("fmt"), run("fmt", "--check")

    assert (first.exit_code, first.output) == (1, "tenants/a.yaml\n1 file would change of 2\n")
    assert (second.exit_code, second.output) == (0, "tenants/a.yaml\n1 file changed of 2\n")
    assert (third.exit_code, third.output) == (0, "0 files would change of 2\n")
    assert path.read_text() == "version: 1\ntenant: a\n"


def test_fmt_refuses_what_it_cannot_read(place: Place) -> None:
    place.write("tenants/a.yaml", "a: 1\na: 2\n")

    result = run("fmt")

    assert result.exit_code == 1
    assert result.output.startswith("tenants/a.yaml:2:1: error[RC1008]: the key `a` stands here twice")


@pytest.mark.parametrize("name", ["tenant", "workspace", "plan", "report"])
def test_schema_prints_one_schema(name: str) -> None:
    published = Path(__file__).parents[2] / "schemas" / f"{name}.schema.json"

    assert json.loads(run("schema", name).output) == json.loads(published.read_text())


def test_schema_without_a_name_prints_all() -> None:
    assert list(json.loads(run("schema").output)) == ["tenant", "workspace", "plan", "report"]


PROGRAM = """
import sys
sys.argv = ["reconciler", *{arguments!r}]
from reconciler.__main__ import main
try:
    main()
finally:
    print("modules", *sys.modules)
"""


@pytest.mark.parametrize("arguments", [["validate"], ["schema", "tenant"]], ids=" ".join)
def test_checking_offline_loads_nothing_of_the_network(place: Place, arguments: Sequence[str]) -> None:
    place.write("tenants/a.yaml", FINE.format("a"))

    result = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(arguments=list(arguments))],
        capture_output=True,
        text=True,
        check=True,
        cwd=place.root,
    )

    loaded = {module.split(".")[0] for module in result.stdout.splitlines()[-1].split()[1:]}
    assert "pydantic" in loaded
    assert not loaded & HEAVY
