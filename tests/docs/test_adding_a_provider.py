"""The provider that the page adds works as the page says: its code is taken from there, and put before a server."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from msgspec.structs import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected, Uncertain
from reconciler.core.manifest import TENANT
from reconciler.core.provider import Absent, Account, Attempt, Done, Provider, Step, Stepped
from reconciler.providers.http import Session
from reconciler.providers.settings import Settings
from reconciler.providers.transport import ReadOnlyError

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/adding-a-provider.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
BASE = "https://shelf.example/api"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
FIVE = Action(
    id="five",
    verb=Verb.RESIZE,
    address="group/office",
    summary="",
    before={"seats": 3},
    after={"seats": 5},
    detail={"product": "office", "expect": 5},
)


@dataclass
class Shelf(httpx.AsyncBaseTransport):
    """The shop's server: it keeps numbers, refuses more than ten seats, and can lose an answer."""

    seats: dict[str, int] = field(default_factory=lambda: {"office": 3})
    puts: int = 0
    lose: bool = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer open"
        assert request.url.path.startswith("/api/customers/acme/products")
        if request.method == "GET":
            return httpx.Response(200, json={name: {"seats": number} for name, number in self.seats.items()})
        return self._put(request.url.path.rpartition("/")[2], json.loads(request.content)["seats"])

    def _put(self, product: str, number: int) -> httpx.Response:
        if number > 10:
            return httpx.Response(400, json={"error": {"code": "too-many", "text": "ten at most"}})
        self.puts += 1
        self.seats[product] = number
        if self.lose:
            raise httpx.ReadError("the line went dead")
        return httpx.Response(200, json={})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shelf") / "shelf_of_the_page.py"
    path.write_text(
        "from __future__ import annotations\n" + "\n".join(BLOCK.findall(PAGE.read_text("utf-8")))
    )
    return path


@pytest.fixture(scope="module")
def page(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def opened(page: ModuleType, server: Shelf, *, writes: bool = True) -> tuple[Account, Provider]:
    session = Session(Settings(base_url=BASE), page.Token("open"), writes=writes, transport=server)
    account: Account = page.ShelfAccount("shop", session)
    written: dict[str, Any] = {"version": 1, "tenant": "acme", "provider": "home-pl", "account": "shop"}
    return account, account.tenant(TENANT.validate_python({**written, "service": "acme"}))


async def carried_out(provider: Provider, action: Action) -> list[object]:
    return [told async for told in provider.execute(action, Attempt(number=1))]


def test_the_code_of_the_page_has_the_types_that_the_protocols_ask_for(file: Path) -> None:
    proof = file.with_name("proof.py")
    proof.write_text(
        file.read_text(encoding="utf-8").replace(
            "from __future__ import annotations\n",
            "from __future__ import annotations\nfrom reconciler.core.provider import Account\n",
            1,
        )
        + "\n\ndef proof(session: Session) -> tuple[Account, Provider]:\n"
        + '    account = ShelfAccount("", session)\n    return account, ShelfTenant(account, "")\n',
        encoding="utf-8",
    )

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", proof],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_verb_is_in_its_table_and_says_why_not(page: ModuleType) -> None:
    table = page.SHELF.verbs

    assert set(table) == set(Verb)
    assert all(one.note for one in table.values() if one.how != "api")


async def test_what_is_there_is_read_and_what_cannot_be_read_is_not_empty(page: ModuleType) -> None:
    account, provider = opened(page, Shelf())
    (holding,) = (await account.snapshot(frozenset({"acme"}))).holdings

    assert (holding.ref, holding.seats) == ("acme/office", 3)
    assert await provider.read(frozenset({"acme/office"})) == (holding,)
    assert await provider.reread(FIVE) == FIVE.before


async def test_a_step_stands_before_its_write_and_its_name_after_it(page: ModuleType) -> None:
    server = Shelf()
    _, provider = opened(page, server)
    told = provider.execute(FIVE, Attempt(number=1))

    first = await anext(told)

    assert isinstance(first, Step)
    assert server.puts == 0
    assert [type(one) async for one in told] == [Stepped, Done]
    assert server.seats == {"office": 5}


async def test_a_lost_answer_is_uncertain_and_is_found(page: ModuleType) -> None:
    server = Shelf(lose=True)
    _, provider = opened(page, server)

    with pytest.raises(Uncertain):
        await carried_out(provider, FIVE)

    assert isinstance(await provider.find(FIVE, (), NOW), Done)
    assert server.puts == 1


async def test_what_did_not_happen_is_absent(page: ModuleType) -> None:
    _, provider = opened(page, Shelf())

    assert isinstance(await provider.find(FIVE, (), NOW), Absent)


async def test_a_refusal_in_its_own_words_is_a_no(page: ModuleType) -> None:
    server = Shelf()
    _, provider = opened(page, server)
    many = replace(FIVE, detail={"product": "office", "expect": 11})

    with pytest.raises(Rejected, match="ten at most"):
        await carried_out(provider, many)

    assert server.puts == 0


async def test_who_reads_cannot_write(page: ModuleType) -> None:
    server = Shelf()
    _, provider = opened(page, server, writes=False)

    with pytest.raises(ReadOnlyError):
        await carried_out(provider, FIVE)

    assert server.puts == 0
