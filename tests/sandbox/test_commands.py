"""The sandbox's commands: what they say, where they look, how they end."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli.sandbox import sandbox

WORLD = """
account: {subsidiary: PL, currency: PLN}
payg:
  - service: group7.o365.ovh.com
    users:
      - {login: ada, country: no}
orders:
  - {licence: business, quantity: 2, status: notPaid}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECONCILER_WORKSPACE", raising=False)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(sandbox, words)


def test_a_world_file_is_loaded_and_norway_stays_norway(folder: Path) -> None:
    (folder / "world.yaml").write_text(WORLD, encoding="utf-8")

    result = run("reset", "--world", "world.yaml")

    assert result.exit_code == 0
    state = json.loads(run("state").output)
    assert state["account"]["subsidiary"] == "PL"
    assert state["counts"]["user"] == 1
    assert [order["status"] for order in state["open_orders"]] == ["notPaid"]


def test_a_person_pays_and_the_clock_is_turned(folder: Path) -> None:
    (folder / "world.yaml").write_text(WORLD, encoding="utf-8")
    run("reset", "--world", "world.yaml")
    order = json.loads(run("state").output)["open_orders"][0]["order"]

    paid = run("pay", str(order))
    run("advance", "4h")

    assert paid.output == f"order {order}: paid\n"
    whats = [entry["what"] for entry in json.loads(run("ledger", "--format", "json").output)]
    assert whats == ["order-placed", "order-paid", "order-delivered"]
    assert run("pay", str(order)).exit_code == 1


def test_a_fault_is_added_by_its_name_listed_and_cleared() -> None:
    assert run("fault", "throttle", "--times", "2", "--seconds", "7").output == "fault 1: throttle\n"
    assert run("fault", "add", "busy", "--after", "3").exit_code == 0

    listed = json.loads(run("fault", "list", "--format", "json").output)
    run("fault", "clear")

    assert [(one["name"], one["times"], one["skip"]) for one in listed] == [
        ("throttle", 2, 0),
        ("busy", 1, 3),
    ]
    assert listed[0]["options"] == {"seconds": 7.0}
    assert run("fault", "list").output == ""


def test_settings_are_set_together() -> None:
    assert run("set", "delay=0", "batch=off").exit_code == 0

    settings = json.loads(run("state").output)["settings"]
    assert (settings["delay_task"], settings["batch"]) == (0.0, False)


def test_somebody_else_is_played_by_hand(folder: Path) -> None:
    (folder / "world.yaml").write_text(WORLD, encoding="utf-8")
    run("reset", "--world", "world.yaml")

    run("change", "user-removed", "group7.o365.ovh.com", "ada@group7.o365.ovh.com")

    assert json.loads(run("state").output)["counts"]["user"] == 0
    assert "interference" in run("ledger").output


@pytest.mark.parametrize(
    "words",
    [
        ("advance", "soon"),
        ("advance",),
        ("fault", "bogus"),
        ("set", "bogus=1"),
        ("set", "bogus"),
        ("change", "bogus"),
        ("nonsense",),
        ("ledger", "--format", "xml"),
    ],
)
def test_wrong_usage_ends_with_64(words: tuple[str, ...]) -> None:
    result = run(*words)

    assert result.exit_code == 64
    assert "Error: " in result.output


@pytest.mark.parametrize("text", ["- a list", "a: [", "bogus: 1"])
def test_a_world_file_that_makes_no_sense_is_an_error(folder: Path, text: str) -> None:
    (folder / "world.yaml").write_text(text, encoding="utf-8")

    assert run("reset", "--world", "world.yaml").exit_code in {1, 64}


def test_the_state_lies_beside_the_workspace(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = folder / "repo" / "tenants"
    deep.mkdir(parents=True)
    (folder / "repo" / "reconciler.yaml").write_text("version: 1\n", encoding="utf-8")
    run("state", "--workspace", str(folder / "repo" / "reconciler.yaml"))
    found = (folder / "repo" / ".reconciler" / "sandbox.db").is_file()
    monkeypatch.chdir(deep)
    run("advance", "1h")

    assert found
    assert not (deep / ".reconciler").exists()
    assert run("state", "--state", str(folder / "own.db")).exit_code == 0
    assert (folder / "own.db").is_file()


def test_a_file_that_is_no_world_is_an_error(folder: Path) -> None:
    (folder / "note.txt").write_text("no database, but long enough to be looked at" * 100, encoding="utf-8")

    result = run("state", "--state", "note.txt")

    assert result.exit_code == 1
    assert "note.txt" in result.output


def test_serving_says_where_and_ends_well_on_a_signal() -> None:
    code = "from reconciler.cli.sandbox import sandbox; sandbox()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", "--port", "0", "--realistic"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None

    line = process.stdout.readline()
    process.send_signal(signal.SIGTERM)

    assert line.startswith("OVHcloud sandbox at http://127.0.0.1:")
    assert process.wait(20) == 0
    process.stdout.close()
    assert json.loads(run("state").output)["settings"]["delay_order"] == 4 * 3600


def test_a_port_that_somebody_has_is_told_and_ends_with_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        result = run("serve", "--port", str(port))

    assert result.exit_code == 1
    assert f"cannot serve on port {port}: " in result.output
