"""A workspace all of whose credentials are canaries, at a real server that may repeat everything it hears."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.responses import Response

from reconciler.sandbox.world import World
from tests.cli.place import Place, Ran
from tests.gate.served import Seen, Served, served
from tests.gate.test_commands import PAYG, PREPAID, RESELLER, SHRINKING
from tests.gate.test_commands import WORLD as CHANGING
from tests.secrets.canaries import canary, files, found

NAMES = (
    "appkey",
    "appsecret",
    "consumer",
    "client",
    "clientsecret",
    "journalpw",
    "gittoken",
    "productkey",
    "unused",
)
CANARIES = {name: canary(name) for name in NAMES}
SIGNED = """\
    credentials:
      application_key: env://APPKEY
      application_secret: file://{folder}/secret
      consumer_key: env://CONSUMER
"""
TOKEN = """\
    token_url: {root}/auth/oauth2/token
    credentials: {{client_id: env://CLIENT, client_secret: file://{folder}/clientsecret}}
"""
ENV = {
    "APPKEY": CANARIES["appkey"],
    "CONSUMER": CANARIES["consumer"],
    "CLIENT": CANARIES["client"],
    "ACME_KEY_1": CANARIES["productkey"],
    "UNUSED_TOKEN": CANARIES["unused"],
}
WORLD = CHANGING | {
    "credentials": [
        {
            "application_key": CANARIES["appkey"],
            "application_secret": CANARIES["appsecret"],
            "consumer_key": CANARIES["consumer"],
        },
        {"client_id": CANARIES["client"], "client_secret": CANARIES["clientsecret"]},
    ]
}
TENANTS = {"acme": PREPAID, "smaller": SHRINKING, "pays": PAYG, "resell": RESELLER}


@dataclass
class Shop:
    """Where commands are typed, and everything they said so far."""

    place: Place
    at: Served
    secrets: Path
    said: dict[str, bytes] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=lambda: dict(ENV))

    def run(self, line: str, **more: str) -> Ran:
        """Type a command; what it says is kept for the search."""
        outside = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.place.root / "github-output"),
            "GITHUB_STEP_SUMMARY": str(self.place.root / "github-summary"),
        }
        done = self.place.run(line, {**self.env, **outside, **more})
        self.said[f"{len(self.said)}: {line}"] = f"{done.out}\n{done.err}".encode()
        return done

    def known(self) -> dict[str, str]:
        """Every secret there is by now: ours, the tokens that were fetched, and what opens an order."""
        tokens = {
            one.headers["authorization"].removeprefix("Bearer ")
            for one in self.at.tap.seen
            if one.headers.get("authorization", "").startswith("Bearer ")
        }
        with self.at.world.transaction() as tx:
            opening = [dict(row) for row in tx.all("SELECT token, password FROM purchase")]
        return {
            **CANARIES,
            **{f"token {number}": token for number, token in enumerate(sorted(tokens))},
            **{f"order's {key} {n}": str(row[key]) for n, row in enumerate(opening) for key in row},
        }

    def leaks(
        self, *, more: Mapping[str, bytes] | None = None, put: frozenset[str] = frozenset()
    ) -> list[str]:
        """Where secrets are that nobody put there."""
        return found(self.known(), {**self.said, **files(self.place.root, put=put), **(more or {})})


@contextmanager
def shop(folder: Path, credentials: str = SIGNED, *, journal: str = "") -> Iterator[Shop]:
    """Open a shop; its secrets' files are in a folder of their own."""
    secrets, root = folder / "secrets", folder / "work"
    secrets.mkdir()
    root.mkdir()
    (secrets / "secret").write_text(f"{CANARIES['appsecret']}\n")
    (secrets / "clientsecret").write_text(CANARIES["clientsecret"])
    world = World.open(None)
    world.load(WORLD)
    place = Place(root)
    with served(world) as at:
        place.write(
            "reconciler.yaml",
            f"version: 1\naccounts:\n  ovh-main:\n    api: ovh\n    endpoint: {at.url}\n    poll: 1s\n"
            f"    timeout: 2s\n{credentials.format(folder=secrets, root=at.root)}{journal}",
        )
        for name, text in TENANTS.items():
            place.write(f"tenants/{name}.yaml", text)
        yield Shop(place, at, secrets)
    world.close()


Echo = Callable[[Seen], Awaitable[Response | None]]


def everything(seen: Seen) -> str:
    """All that a server knows: what it was sent, and the secrets that it shares with the caller."""
    heard = " ".join([*seen.headers.values(), seen.body.decode(errors="replace")])
    link = f"https://www.ovh.com/order?orderId=1&orderPassword={CANARIES['unused']}"
    return f"{heard} {CANARIES['appsecret']} {link}"


def echoing(status: int, shape: str, *, only: str = "", method: str = "") -> Echo:
    """Answer with everything that came in, in some shape; other requests go to the sandbox."""

    async def answer(seen: Seen) -> Response | None:
        if not seen.path.startswith(f"/1.0{only}") or (method and seen.method != method):
            return None
        if seen.path == "/1.0/auth/time":
            return None
        said = everything(seen)
        headers = {
            "x-ovh-queryid": "".join(one for one in said if one.isascii() and one.isprintable())[:2000]
        }
        match shape:
            case "message":
                body = json.dumps({"message": said, "errorCode": said, "httpCode": said})
            case "class":
                body = json.dumps({"class": f"Client::{said}", "message": said, "details": {said: said}})
            case "html":
                body = f"<html><body><h1>Oops</h1><pre>{said}</pre></body></html>"
            case "cut off":
                body = json.dumps({"message": said})[:-3]
            case "wrong types":
                body = json.dumps([{said: said}, said])
            case _:
                body, headers = (
                    "",
                    {"location": f"https://elsewhere.example/?{said[:500]}".replace("\n", " ")},
                )
        return Response(body, status, headers)

    return answer
