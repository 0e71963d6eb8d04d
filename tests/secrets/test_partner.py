"""No credential, token, password or key of Microsoft's is in anything that the tool says or keeps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import Response

from reconciler.providers.microsoft.connection import open_partner
from reconciler.providers.settings import Settings
from tests.gate.served import Seen
from tests.secrets.canaries import files
from tests.secrets.partner import OURS, PartnerShop, echoing, partner_shop
from tests.secrets.shop import CANARIES
from tests.secrets.test_secrets import BUG, lines, measured_where_refused

LOGIN, CENTER, GRAPH = "/login/", "/partner-center/", "/graph/"
AFTER = (
    "apply --yes --wait 0 --report again.json --verbose",
    "confirm byhand tenant/key/office/MSKEY --by ada",
    "confirm resell tenant/delegation --by ada",
    "import --account partner --out from-partner",
    "history fresh --format json",
    "history byhand --verbose",
    "status fresh --format json",
    "drift --format json --verbose",
)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[PartnerShop]:
    with partner_shop(tmp_path) as made:
        yield made


def test_nothing_that_is_said_or_kept_holds_a_secret(opened: PartnerShop) -> None:
    for line in (*lines(), *AFTER):
        opened.run(line)

    bought = {one["what"] for one in opened.at.world.ledger()}
    assert {"partner-order-placed", "partner-customer-created", "graph-user-created"} <= bought
    made = opened.passwords()
    assert {name.rpartition(" ")[0] for name in made} == {"password of person", "password of administrator"}
    assert len(opened.known()) > len(CANARIES) + len(OURS) + len(made)
    assert any(b"MSKEY" in said for said in opened.said.values())
    assert opened.leaks() == []


ECHOES = [
    (200, "wrong types"), (200, "cut off"), (200, "html"), (302, "redirect"), (400, "login"), (401, "graph"),
    (403, "graph"), (403, "classic"), (409, "classic"), (429, "quiet"), (500, "graph"), (500, "classic"),
    (500, "html"), (503, "cut off"),
]  # fmt: skip


@pytest.mark.parametrize("surface", [LOGIN, CENTER, GRAPH], ids=["login", "partner-center", "graph"])
@pytest.mark.parametrize(("status", "shape"), measured_where_refused(ECHOES))
def test_who_repeats_what_it_hears_is_not_repeated(
    opened: PartnerShop, status: int, shape: str, surface: str
) -> None:
    opened.at.tap.answer = echoing(status, shape, surface)
    opened.run("plan --format json --out plan.json --verbose")
    opened.run("apply --yes --wait 0 --log-json --report report.json --tenant acme --tenant resell")
    for method in ("POST", "PATCH") if surface != LOGIN else ():
        opened.at.tap.answer = echoing(status, shape, surface, method=method)
        opened.run("apply --yes --wait 0 --verbose --report report.json")
    for line in ("resume --wait 0", "status --verbose", "history --format json", "plan --format html"):
        opened.run(line)

    assert any(b"error" in said for said in opened.said.values())
    assert opened.leaks() == []


def test_a_persons_password_that_graph_repeats_is_not_repeated(opened: PartnerShop) -> None:
    async def refused(seen: Seen) -> Response | None:
        if seen.method != "POST" or not seen.path.endswith("/graph/v1.0/users"):
            return None
        return await echoing(400, "graph", GRAPH)(seen)

    opened.at.tap.answer = refused
    done = opened.run("apply --yes --wait 0 --verbose --report report.json --tenant resell")

    assert "400" in done.out
    assert opened.passwords()
    assert opened.leaks() == []


@pytest.mark.parametrize("name", ["MSCLIENT", "MSREFRESH", "file"])
@pytest.mark.parametrize("change", ["wrong", "line break", "accent", "empty", "unset", "binary"])
def test_a_credential_that_is_none_is_not_shown(opened: PartnerShop, name: str, change: str) -> None:
    value = OURS[{"MSCLIENT": "msclient", "MSREFRESH": "msrefresh", "file": "mssecret"}[name]]
    changed = {
        "wrong": f"{value}x".encode(),
        "line break": f"{value}\nX-Other: {value}".encode(),
        "accent": f"é{value}".encode(),
        "binary": b"\xff\xfe" + value.encode(),
    }.get(change, b"")
    opened.env.pop(name, None)
    if name == "file":
        (opened.secrets / "mssecret").write_bytes(changed)
        if change == "unset":
            (opened.secrets / "mssecret").unlink()
    elif change != "unset":
        opened.env[name] = changed.decode("utf-8", "surrogateescape")
    done = opened.run("plan --verbose --tenant acme")
    opened.run("apply --yes --wait 0 --tenant acme")

    assert done.code in {1, 3}
    assert "this is a bug" not in done.err
    assert opened.leaks() == []


def test_an_account_at_microsoft_tells_nothing_by_its_representation() -> None:
    roots = dict.fromkeys(("login", "partner_center", "graph"), "https://a.example")
    connection = open_partner(
        Settings(base_url=""),
        roots,
        {
            "tenant_id": "t",
            "client_id": OURS["msclient"],
            "client_secret": OURS["mssecret"],
            "refresh_token": OURS["msrefresh"],
        },
        writes=False,
    )
    session = connection.graph("customer").session

    assert {OURS["msclient"], OURS["mssecret"], OURS["msrefresh"]} <= session.hidden
    for one in (connection, connection.application, session.dialect, session):
        assert not any(OURS[name][:8] in repr(one) for name in ("msclient", "mssecret", "msrefresh"))


def test_a_bugs_trace_hides_the_credentials_that_its_words_repeat(opened: PartnerShop) -> None:
    program = BUG.format(
        arguments=["plan", "--tenant", "acme"],
        module="microsoft.api",
        name="Api.items",
        file=str(opened.secrets / "mssecret"),
        key=opened.env["MSREFRESH"],
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=opened.place.root, env={"PATH": "/usr/bin:/bin", **opened.env}, capture_output=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    opened.said["bug"] = done.stdout + done.stderr

    assert b"Traceback" in done.stderr
    assert b"***" in done.stderr
    assert opened.leaks() == []
    assert files(opened.place.root)
