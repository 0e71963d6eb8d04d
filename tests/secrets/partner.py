"""The same shop at Microsoft: its application's credentials, tokens, people's and administrators' passwords."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.responses import Response

from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.world import World
from tests.cli.place import Place
from tests.gate import microsoft
from tests.gate.served import Seen, served
from tests.secrets.canaries import canary
from tests.secrets.shop import CANARIES, ENV, SIGNED, WORLD, Echo, Shop

OURS = {name: canary(name) for name in ("msclient", "mssecret", "msrefresh", "mskey", "adminpw", "relation")}
CREDENTIALS = f"""
      tenant_id: {keys.PARTNER_TENANT}
      client_id: env://MSCLIENT
      client_secret: file://{{folder}}/mssecret
      refresh_token: env://MSREFRESH
"""
APPROVAL = "https://admin.microsoft.com/AdminPortal/Home#/partners/invitation/granularAdminRelationships/"
KEYED = {
    **microsoft.TENANTS,
    "byhand": f"{microsoft.MANUAL}product_keys: [{{group: office, key: env://MSKEY}}]\n",
}


class PartnerShop(Shop):
    """A shop that knows Microsoft's secrets too."""

    def known(self) -> dict[str, str]:
        """Every secret there is by now; passwords that were made up on the way are among them."""
        return {**super().known(), **OURS, **self.passwords()}

    def passwords(self) -> dict[str, str]:
        """Of people that were created, as they were sent; and of first administrators, as they were answered."""
        bodies = [one.body for one in self.at.tap.seen if one.path.endswith("/graph/v1.0/users")]
        sent = [json.loads(body)["passwordProfile"]["password"] for body in bodies if body]
        with self.at.world.transaction() as tx:
            kept = [json.loads(row["content"]) for row in tx.all("SELECT content FROM ms_reply")]
        told = [one["userCredentials"]["password"] for one in kept if one and "userCredentials" in one]
        return {
            **{f"password of person {number}": one for number, one in enumerate(sent)},
            **{f"password of administrator {number}": one for number, one in enumerate(told)},
        }


@contextmanager
def partner_shop(folder: Path) -> Iterator[PartnerShop]:
    """Open a shop at Microsoft, with a reseller at OVHcloud and one without an API."""
    secrets, root = folder / "secrets", folder / "work"
    secrets.mkdir()
    root.mkdir()
    (secrets / "secret").write_text(CANARIES["appsecret"])
    (secrets / "mssecret").write_text(f"{OURS['mssecret']}\n")
    world = World.open(None)
    application = {"client_id": OURS["msclient"], "client_secret": OURS["mssecret"]}
    key = {"tenant_id": keys.PARTNER_TENANT, **application, "refresh_token": OURS["msrefresh"]}
    at_microsoft = {**microsoft.WORLD["microsoft"], "keys": [key]}
    world.load({**microsoft.WORLD, "credentials": WORLD["credentials"], "microsoft": at_microsoft})
    place = Place(root)
    with served(world) as at:
        place.write(
            "reconciler.yaml",
            f"version: 1\naccounts:\n  ovh-main:\n    api: ovh\n    endpoint: {at.url}\n    poll: 1s\n    timeout: 2s\n"
            f"{SIGNED.format(folder=secrets)}{microsoft.account(at.root, CREDENTIALS.format(folder=secrets))}",
        )
        for name, text in KEYED.items():
            place.write(f"tenants/{name}.yaml", text)
        env = {**ENV, "MSCLIENT": OURS["msclient"], "MSREFRESH": OURS["msrefresh"], "MSKEY": OURS["mskey"]}
        yield PartnerShop(place, at, secrets, env=env)
    world.close()


def everything(seen: Seen) -> str:
    """All that a server knows: what it was sent, what it shares with the caller, and a relationship's link."""
    heard = " ".join([*seen.headers.values(), seen.body.decode(errors="replace")])
    own = " ".join(OURS[name] for name in ("msclient", "mssecret", "msrefresh"))
    return f"{heard} {own} {APPROVAL}{OURS['relation'].replace(' ', '')}"


def echoing(status: int, shape: str, surface: str, *, method: str = "") -> Echo:
    """Answer at one surface with everything that came in, in some shape; the sandbox answers the rest."""

    async def answer(seen: Seen) -> Response | None:
        if not seen.path.startswith(surface) or (method and seen.method != method):
            return None
        return _repeated(everything(seen), status, shape)

    return answer


def _repeated(said: str, status: int, shape: str) -> Response:
    plain = "".join(one for one in said if one.isascii() and one.isprintable())[:2000]
    headers = {"request-id": plain, "ms-requestid": plain, "ms-correlationid": plain}
    match shape:
        case "login":
            body = json.dumps(
                {"error": said, "error_description": said, "error_codes": ["x"], "trace_id": said}
            )
        case "graph":
            body = json.dumps({"error": {"code": said, "message": said, "innerError": {"x": said}}})
        case "classic":
            body = json.dumps({"code": said, "description": said, "data": [said], "source": said})
        case "quiet":
            body = json.dumps({"statusCode": status, "message": said})
        case "html":
            body = f"<html><body><h1>Oops</h1><pre>{said}</pre></body></html>"
        case "cut off":
            body = json.dumps({"error": {"code": said, "message": said}})[:-3]
        case "wrong types":
            administrator = {"userName": "admin", "password": OURS["adminpw"]}
            body = json.dumps({"id": {said: said}, "items": said, "value": {said: 1}, "access_token": [said],
                               "userCredentials": administrator})  # fmt: skip
        case _:
            body, headers = "", {"location": f"https://elsewhere.example/?{plain[:500]}"}
    return Response(body, status, headers)
