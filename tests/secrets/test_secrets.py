"""No credential, password, token, order's link or product key is in anything that the tool says or keeps."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shlex import quote as quoted
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from starlette.responses import Response

from tests.cli.test_door import ours
from tests.gate.served import Seen
from tests.gate.test_commands import OF_THE_JOURNAL, OFFLINE, QUIET
from tests.secrets.canaries import files, found
from tests.secrets.shop import CANARIES, ENV, SIGNED, TOKEN, Shop, echoing, shop

FORMATS = ("text", "markdown", "json", "html")
APPLYING = (
    "apply --yes --wait 20s --report report.json --verbose --format json",
    "resume --wait 5s --log-json --report resumed.json",
    "apply --yes --wait 5s --format markdown --log-json",
    "apply --yes --wait 0 --format html --quiet",
    "show report.json --format html",
    "history",
    "history acme --format json",
    "history --verbose",
    *(f"status --format {form} --verbose" for form in FORMATS),
    *(
        f"plan --format {form} --out plan-{form}.json --json-into copy-{form}.json --log-json"
        for form in FORMATS
    ),
    *(f"show plan-json.json --format {form}" for form in FORMATS),
)
"""What is typed besides the commands that only read: they are taken from the gate's own list."""


@pytest.fixture(params=[SIGNED, TOKEN], ids=["signed", "token"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path, request.param) as made:
        yield made


def lines() -> list[str]:
    """Every command as it is typed in these tests, with what is wrong in it too."""
    there = {name for name, _ in ours()}
    typed = [line for name, some in QUIET.items() if name in there for line in some]
    unusual = ["plan --verbose --log-json", "fmt", "schema plan", "status nobody", "show nothing.json"]
    unusual += ["doctor --format json", "import --account ovh-main --merge", "init begun --endpoint ovh-eu"]
    unusual += [f"init literal --endpoint ovh-eu --credential consumer_key={quoted(CANARIES['unused'])}"]
    return [*typed, *unusual, *APPLYING]


def sandboxes(shop: Shop) -> None:
    """The sandbox's own commands, in a world of their own that has the same credentials."""
    shop.place.write("world.yaml", json.dumps({"credentials": [{"client_id": "x", "client_secret": "y"}]}))
    for line in ("reset --world world.yaml", "advance 1h", "state", "requests", "ledger", "fault list"):
        shop.run(f"sandbox {line}")


def test_nothing_that_is_said_or_kept_holds_a_secret(opened: Shop) -> None:
    for line in lines():
        opened.run(line)
    sandboxes(opened)

    bought = opened.at.world.ledger()
    assert any(one["what"] == "order-placed" for one in bought)
    assert len(opened.known()) > len(CANARIES)
    assert (opened.place.root / ".reconciler" / "journal.db").stat().st_size
    assert opened.leaks() == []


def test_every_command_was_typed() -> None:
    typed = " ".join(lines())
    there = {name for name, _ in ours() if not name.startswith("sandbox ")}

    assert {name for name in there if name not in typed} == set()
    assert OF_THE_JOURNAL
    assert OFFLINE


ECHOES = [
    (200, "wrong types"),
    (200, "cut off"),
    (200, "html"),
    (302, "redirect"),
    (401, "message"),
    (403, "class"),
    (429, "message"),
    (500, "message"),
    (500, "html"),
]


def measured_where_refused(echoes: list[tuple[int, str]]) -> list[Any]:
    """Leave coverage to the answers that are read; the others end in the same few lines."""
    plain = pytest.mark.unmeasured
    return [one if 400 <= one[0] < 404 else pytest.param(*one, marks=plain) for one in echoes]


@pytest.mark.parametrize(("status", "shape"), measured_where_refused(ECHOES))
def test_a_provider_that_repeats_what_it_hears_is_not_repeated(
    tmp_path: Path, status: int, shape: str
) -> None:
    with shop(tmp_path) as opened:
        opened.at.tap.answer = echoing(status, shape)
        opened.run("plan --format json --out plan.json --verbose --tenant acme --tenant resell")
        opened.run("apply --yes --wait 0 --log-json --report report.json --tenant acme")
        opened.run("doctor")
        opened.run("import --account ovh-main --out imported")
        for method in ("POST", "PUT"):
            opened.at.tap.answer = echoing(status, shape, method=method)
            opened.run("apply --yes --wait 0 --verbose --report report.json")
        for line in ("resume --wait 0", "status --verbose", "history --format json", "plan --format html"):
            opened.run(line)

        assert any(b"error" in said for said in opened.said.values())
        assert opened.leaks() == []


@pytest.mark.parametrize(
    ("status", "shape"), measured_where_refused([one for one in ECHOES if one[0] not in {302, 403}])
)
def test_a_token_server_that_repeats_what_it_hears_is_not_repeated(
    tmp_path: Path, status: int, shape: str
) -> None:
    with shop(tmp_path, TOKEN) as opened:
        inner = echoing(status, shape)

        async def token_only(seen: Seen) -> Response | None:
            return await inner(replace(seen, path="/1.0/token")) if "oauth2" in seen.path else None

        opened.at.tap.answer = token_only
        opened.run("plan --verbose --format json")
        opened.run("apply --yes --wait 0 --log-json")

        assert any(b"error" in said for said in opened.said.values())
        assert opened.leaks() == []


@pytest.mark.parametrize("name", ["APPKEY", "CONSUMER"])
@pytest.mark.parametrize("change", ["wrong", "line break", "accent", "empty", "unset", "binary"])
def test_a_credential_that_is_none_is_not_shown(tmp_path: Path, name: str, change: str) -> None:
    value = ENV[name]
    with shop(tmp_path) as opened:
        values = {
            "wrong": f"{value}x",
            "line break": f"{value}\nX-Other: {value}",
            "accent": f"é{value}",
            "empty": "",
        }
        opened.env[name] = values.get(change, "")
        if change == "unset":
            del opened.env[name]
        if change == "binary":
            (opened.secrets / "secret").write_bytes(b"\xff\xfe" + CANARIES["appsecret"].encode())
            opened.env[name] = value
        done = opened.run("plan --verbose")

        assert done.code in {1, 3}
        assert "this is a bug" not in done.err
        assert opened.leaks() == []


def test_a_secret_written_where_a_reference_belongs_is_not_repeated(tmp_path: Path) -> None:
    with shop(tmp_path) as opened:
        opened.place.edit("reconciler.yaml", "env://APPKEY", f"'{CANARIES['appkey'].replace(chr(39), '')}'")
        opened.place.edit("reconciler.yaml", "poll: 1s", f"'{CANARIES['unused'].replace(chr(39), '')}': 1s")
        for line in ("validate --verbose", "plan", "fmt --check"):
            assert opened.run(line).code == 1

        kept = {name: said for name, said in opened.said.items() if b"unused" not in said}
        assert found({"appkey": CANARIES["appkey"].split("/")[0]}, {**opened.said, **kept}) == []


JOURNALS = {
    "wrong port": "postgresql://someone:{pw}@127.0.0.1:1/nothing",
    "no such host": "postgresql://someone:{pw}@nowhere.invalid/nothing",
    "unescaped": "postgresql://someone:{raw}@127.0.0.1:1/nothing",
    "at sign": "postgresql://someone:first@{raw}@127.0.0.1:1/nothing",
    "bad port": "postgresql://someone:{pw}@127.0.0.1:many/nothing",
    "in the query": "postgresql://127.0.0.1:1/nothing?user=someone&password={pw}",
    "unknown kind": "mysql://someone:{pw}@127.0.0.1/nothing",
    "git over http": "git+http://ci:{pw}@127.0.0.1:1/repo.git#journal",
    "git over https": "git+https://ci:{pw}@localhost:1/repo.git#journal",
    "git, unescaped": "git+https://ci:{raw}@localhost:1/repo.git#journal",
    "git, no branch": "git+https://ci:{pw}@localhost:1/repo.git",
    "sqlite": "sqlite:///no/such/folder/journal.db?key={pw}",
}


WAYS = [("variable", kind) for kind in JOURNALS]
WAYS += [
    (how, kind)
    for how in ("option", "file")
    for kind in ("wrong port", "at sign", "git over https", "sqlite")
]


@pytest.mark.parametrize(("how", "kind"), WAYS)
def test_a_journal_that_cannot_be_opened_keeps_its_password(tmp_path: Path, kind: str, how: str) -> None:
    password = CANARIES["journalpw"]
    address = JOURNALS[kind].format(pw=quote(password, safe=""), raw=password)
    with shop(tmp_path) as opened:
        if how == "file":
            opened.place.edit("reconciler.yaml", "accounts:", f"journal: {json.dumps(address)}\naccounts:")
        elif how == "variable":
            opened.place.edit("reconciler.yaml", "accounts:", "journal: env://WHERE\naccounts:")
            opened.env["WHERE"] = address
        for line in ("status --verbose", "apply --yes --wait 0", "lease list --log-json"):
            # What is typed as an option is shown by nobody either; the line itself is the user's.
            opened.env["RECONCILER_JOURNAL"] = address if how == "option" else ""
            if how != "option":
                del opened.env["RECONCILER_JOURNAL"]
            assert opened.run(line).code != 0

        put = frozenset({"reconciler.yaml"}) if how == "file" else frozenset()
        assert opened.leaks(put=put) == []


def test_a_journal_in_postgresql_holds_no_secret(tmp_path: Path, postgres_url: str) -> None:
    address = postgres_url.replace("postgres@", f"postgres:{quote(CANARIES['journalpw'], safe='')}@")
    with shop(tmp_path, journal="journal: env://WHERE\n") as opened:
        opened.env["WHERE"] = address
        for line in ("apply --yes --wait 20s --verbose", "history", "status", "lease list"):
            opened.run(line)
        opened.at.tap.answer = echoing(403, "message", method="POST")
        opened.place.edit("tenants/resell.yaml", "seats: 12", "seats: 15")
        opened.run("apply --yes --wait 0")
        dump = {}
        with psycopg.connect(address) as connection:
            for (table,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall():
                rows = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
                dump[f"table {table}"] = repr(rows.fetchall()).encode()

        assert len(max(dump.values(), key=len)) > 1000
        assert opened.leaks(more=dump) == []


def test_a_journal_on_a_branch_holds_no_secret(tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    with shop(tmp_path, journal=f"journal: git+file://{remote}#journal\n") as opened:
        for line in ("apply --yes --wait 20s --verbose", "history", "status"):
            opened.run(line)
        opened.at.tap.answer = echoing(500, "message", method="POST")
        opened.place.edit("tenants/resell.yaml", "seats: 12", "seats: 15")
        opened.run("apply --yes --wait 0")
        kept = {
            f"remote {name}": content for name, content in files(remote.parent).items() if "remote" in name
        }

        assert any("objects" in name for name in kept)
        assert opened.leaks(more=kept) == []


def test_a_product_key_is_only_named(tmp_path: Path) -> None:
    with shop(tmp_path) as opened:
        text = (opened.place.root / "tenants/acme.yaml").read_text()
        opened.place.write(
            "tenants/acme.yaml", f"{text}product_keys: [{{group: office, key: env://ACME_KEY_1}}]\n"
        )
        for line in (
            "validate",
            "plan --format json",
            "apply --yes --wait 20s --report report.json",
            "history",
        ):
            opened.run(line)

        assert opened.leaks() == []


BUG = """
import sys
sys.argv = ["reconciler", *{arguments!r}]
import reconciler.providers.{module} as module
def broken(*given, **more):
    secret = open({file!r}).read().strip()
    raise RuntimeError("nobody foresaw " + secret + " " + repr(secret) + " " + {key!r})
module.{name} = broken
from reconciler.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [("http", "Session._url"), ("ovh.carts", "filled"), ("ovh.lists", "ids")],
)
def test_a_bugs_trace_hides_the_credentials_that_its_words_repeat(
    tmp_path: Path, module: str, name: str
) -> None:
    with shop(tmp_path) as opened:
        for number, arguments in enumerate(
            (["plan", "--out", "plan.json"], ["apply", "--yes", "--wait", "0"])
        ):
            program = BUG.format(
                arguments=arguments,
                module=module,
                name=name,
                file=str(opened.secrets / "secret"),
                key=ENV["APPKEY"],
            )
            done = subprocess.run(
                [sys.executable, "-c", program],
                cwd=opened.place.root, env={"PATH": "/usr/bin:/bin", **ENV}, capture_output=True, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            opened.said[f"bug {number}"] = done.stdout + done.stderr

        assert all(b"Traceback" in said for said in opened.said.values())
        assert any(b"RuntimeError" in said and b"***" in said for said in opened.said.values())
        assert opened.leaks() == []


def test_a_secret_that_is_shown_is_found(tmp_path: Path) -> None:
    with shop(tmp_path) as opened:
        shown = CANARIES["unused"].split("/")[0]
        opened.place.edit("tenants/acme.yaml", "version: 1", f"version: 1\nname: Acme {shown}")
        opened.run("plan --out plan.json")
        opened.run("apply --yes --wait 0 --report report.json")
        leaks = opened.leaks()

    assert {
        f"unused is in {name}" for name in ("0: plan --out plan.json", "plan.json", "tenants/acme.yaml")
    } <= set(leaks)


def test_a_secret_is_found_wherever_and_however_it_was_kept(tmp_path: Path) -> None:
    secret = CANARIES["consumer"]
    database = sqlite3.connect(tmp_path / "journal.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE events (data TEXT)")
    database.execute("INSERT INTO events VALUES (?)", (json.dumps({"message": secret}),))
    database.commit()
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "j.git")], check=True)
    subprocess.run(
        ["git", "--git-dir", str(tmp_path / "j.git"), "hash-object", "-w", "--stdin"],
        input=secret.encode(), check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "packed.gz").write_bytes(gzip.compress(secret.encode()))
    places = {
        "plain": secret.encode(),
        "quoted": quote(secret, safe="").encode(),
        "json": json.dumps({"a": secret}).encode(),
        "python": repr(secret).encode(),
        "half": secret[: len(secret) // 2].encode(),
        "utf-16": secret.encode("utf-16"),
        "hexadecimal": secret.encode().hex().encode(),
        **{f"base64 after {n}": base64.b64encode(b"x" * n + secret.encode() + b"yz") for n in range(4)},
        "url-safe base64": base64.urlsafe_b64encode(b"user:" + secret.encode()),
    }

    told = found({"consumer": secret}, {**places, **files(tmp_path)})
    database.close()

    kept = ("journal.db-wal", "j.git (objects)", "packed.gz (unpacked)")
    assert {f"consumer is in {place}" for place in (*places, *kept)} <= set(told)
    assert not any(half in line for half in secret.split("/") for line in told)
