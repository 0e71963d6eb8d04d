"""Output that cannot be written, or that nobody reads: told as what it is, and nothing that was done is lost by it."""

import fcntl
import json
import os
import pty
import re
import selectors
import shlex
import subprocess
import sys
import termios
from array import array
from pathlib import Path

import pytest

from tests.cli.place import Place
from tests.cli.test_standing import doubtful

__all__ = ["doubtful"]

FULL = "/dev/full"  # takes nothing: every write ends as on a disk without room
WHY = "the output could not be written: No space left on device"
PIPED = " | true; exit ${PIPESTATUS[0]}"


def typed(place: Place, line: str) -> subprocess.CompletedProcess[str]:
    """A line typed into a shell, in a process of its own, with nothing of the caller's settings."""
    foreign = re.compile("RECONCILER_|CI$|GITHUB_")
    kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    return subprocess.run(
        ["bash", "-c", line.replace("reconciler", f"{shlex.quote(sys.executable)} -m reconciler", 1)],
        cwd=place.root,
        env=kept | {"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def journal(place: Place) -> list[str]:
    """What the journal holds of acme, in its order."""
    told = json.loads(place.ok("history acme --format json"))
    return [event["kind"] for event in told["events"]]


def done_in_order(place: Place) -> None:
    """One more seat was ordered, once, and all of it is in the journal, which nobody holds any more."""
    assert journal(place)[-3:] == ["accepted", "closed", "seen"]
    assert [row["what"] for row in place.effects()] == ["order-placed", "order-paid"]
    assert place.ok("lease list") == "nobody holds a lease\n"


@pytest.mark.parametrize(
    "command",
    [
        "plan",
        "plan --detailed-exitcode",
        "validate",
        "status --format json",
        "history",
        "--help",
        "apply --help",
    ],
)
def test_a_full_disk_is_said_to_be_one_and_is_no_bug(acme: Place, command: str) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = typed(acme, f"reconciler {command} > {FULL}")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-2] == f"error: {WHY}"
    assert done.stderr.splitlines()[-1].startswith("hint: make room or print elsewhere")
    assert "bug" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_told_as_a_line_of_json_where_that_is_asked_for(acme: Place) -> None:
    done = typed(acme, f"reconciler plan --log-json > {FULL}")

    last = json.loads(done.stderr.splitlines()[-1])
    assert (last["kind"], last["message"], last["code"]) == ("error", WHY, "unwritten")


def test_wrong_usage_keeps_its_code_whatever_the_disk_says(acme: Place) -> None:
    assert typed(acme, f"reconciler plan --no-such > {FULL}").returncode == 64


def test_an_apply_whose_report_cannot_be_printed_ends_in_order_and_not_well(acme: Place) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = typed(acme, f"reconciler apply --yes --wait 0 --report report.json > {FULL}")

    assert done.returncode == 1
    assert WHY in done.stderr
    done_in_order(acme)
    saved = json.loads((acme.root / "report.json").read_text())
    assert [one["state"] for one in saved["tenants"][0]["actions"]] == ["pending"]


def test_what_is_in_doubt_weighs_more_than_output_that_is_lost(doubtful: Place) -> None:
    for line, code in (("resume --wait 0", 8), ("status --detailed-exitcode", 8), ("status", 1)):
        done = typed(doubtful, f"reconciler {line} > {FULL}")

        assert (done.returncode, WHY in done.stderr) == (code, True)


@pytest.mark.parametrize("stream", [f"2> {FULL}", "2>&-"])
def test_an_apply_goes_on_where_what_happens_meanwhile_cannot_be_printed(acme: Place, stream: str) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = typed(acme, f"reconciler apply --yes --wait 0 --verbose {stream}")

    assert done.returncode == 4
    assert "Report: 1 pending." in done.stdout
    done_in_order(acme)


def test_an_apply_whose_listener_has_gone_goes_on(acme: Place) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = typed(acme, f"reconciler apply --yes --wait 0 --verbose 2>&1{PIPED}")

    assert done.returncode == 4
    done_in_order(acme)


def test_a_report_file_without_room_is_told_after_what_was_done(acme: Place) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = acme.run(f"apply --yes --wait 0 --report {FULL}")

    assert done.code == 1
    assert "Report: 1 pending." in done.out
    assert f"error: {FULL}: cannot be written (No space left on device)" in done.err
    done_in_order(acme)


def test_a_refusal_is_told_whether_or_not_its_report_can_be_saved(acme: Place) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = acme.run(f"apply --report {FULL}")

    assert done.code == 64
    assert f"error: {FULL}: cannot be written (No space left on device)" in done.err
    assert "error: apply needs consent and there is no terminal to ask at" in done.err
    assert acme.effects() == []


@pytest.mark.parametrize(
    ("command", "code"), [("plan --detailed-exitcode", 2), ("validate", 0), ("--help", 0), ("schema", 0)]
)
@pytest.mark.parametrize("stream", [PIPED, " >&-", " <&- >&- 2>&-"])
def test_who_wants_no_output_still_has_the_code(acme: Place, command: str, code: int, stream: str) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = typed(acme, f"reconciler {command}{stream}")

    assert (done.returncode, done.stdout) == (code, "")
    assert "rror" not in done.stderr


def test_a_closed_output_is_not_taken_by_the_journal(acme: Place) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = typed(acme, "reconciler apply --yes --wait 0 <&- >&- 2>&-")

    assert done.returncode == 4
    done_in_order(acme)


def test_a_stream_that_waits_for_nobody_is_waited_for(acme: Place) -> None:
    reader, writer = os.pipe()
    assert fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096) == 4096
    os.set_blocking(writer, False)
    done = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "schema"],
        cwd=acme.root,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path)},
    )
    os.close(writer)
    while readable(reader) and not _full(reader):
        assert done.poll() is None

    with os.fdopen(reader, encoding="utf-8") as said:
        told = json.loads(said.read())
    _, wrong = done.communicate()

    assert set(told) == {"tenant", "workspace", "plan", "report"}
    assert (done.returncode, wrong) == (0, b"")


def test_who_asks_for_no_buffer_reads_each_line_at_once(acme: Place) -> None:
    serving = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "sandbox", "serve", "--port", "0"],
        cwd=acme.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path), "PYTHONUNBUFFERED": "1"},
    )
    assert serving.stdout is not None
    told = readable(serving.stdout.fileno())
    serving.kill()
    said, _ = serving.communicate()

    assert told
    assert said.startswith(b"OVHcloud sandbox at http://127.0.0.1:")


def readable(number: int) -> bool:
    """Whether there is something to read within a minute; a busy process has numbers that `select` does not take."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(number, selectors.EVENT_READ)
        return bool(waiting.select(60))


def _full(reader: int) -> bool:
    """Whether a pipe of a page holds no more: from here on its writer has to wait."""
    held = array("i", [0])
    fcntl.ioctl(reader, termios.FIONREAD, held)
    return held[0] == 4096


def test_nobody_is_asked_about_a_plan_that_could_not_be_shown(acme: Place) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    ours, theirs = pty.openpty()
    os.write(ours, b"y\n")

    with Path(FULL).open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "apply"],
            cwd=acme.root,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path)},
            stdin=theirs,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    os.close(theirs)
    os.close(ours)

    assert done.returncode == 64
    assert "error: the plan could not be shown, so nobody was asked and nothing was done" in done.stderr
    assert WHY in done.stderr
    assert acme.effects() == []


NO_ROOM = "ulimit -f 0; unset COVERAGE_PROCESS_CONFIG; "
"""No file of this shell's processes may grow, nor the one of what measures the tests, which complains of it."""


def there(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, but those of the sandbox."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".reconciler" not in path.parts
    }


@pytest.mark.parametrize(
    "command",
    [
        "fmt",
        "init new --sandbox --provider ovh-prepaid --account main --tenant first",
        "init --ci github",
        "init --ci gitlab",
    ],
)
def test_a_file_without_room_is_an_error_and_everything_is_as_it_was(acme: Place, command: str) -> None:
    acme.edit("tenants/acme.yaml", "tenant: acme", "tenant:   acme")
    before = there(acme.root)

    refused = typed(acme, f"{NO_ROOM}reconciler {command}")
    left = there(acme.root)
    done = typed(acme, f"reconciler {command}")

    assert refused.returncode == 1
    assert re.search(r"^error: \S+: cannot be written \(File too large\)\nhint: ", refused.stderr), (
        refused.stderr
    )
    assert "Traceback" not in refused.stderr
    assert left == before
    assert done.returncode == 0, done.stderr  # the same can be asked for again
    assert there(acme.root) != before


def test_a_gitignore_that_cannot_be_written_is_told(acme: Place) -> None:
    new = acme.root / "new"
    new.mkdir()
    (new / ".gitignore").symlink_to(acme.root / "nowhere" / "ignored")

    done = acme.run("init new --sandbox --provider ovh-prepaid --account main --tenant first")

    assert done.code == 1
    assert ".gitignore: cannot be written (No such file or directory)" in done.err
    assert "hint: add the line .reconciler/ to it" in done.err
