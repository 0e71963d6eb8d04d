"""A provider as lean as Python allows: the wire of OVHcloud's pay-as-you-go and prepaid groups, read only.

It runs in a process of its own, so that its own time is not in any figure, and counts what it was asked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from corpus import SHAPES, at_provider, family, service

LICENCE = {"office": "officeBusiness", "pro": "officeProPlus"}
RENEWAL = {
    "canDeleteAtExpiration": True,
    "expiration": "2027-03-01",
    "renew": {"automatic": True, "deleteAtExpiration": False},
    "status": "ok",
}
HEAD = "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{more}Content-Length: {size}\r\n\r\n"


class Asked(NamedTuple):
    """One request, as far as this server looks at it."""

    path: str
    separator: str
    page: int
    size: int


class Provider:
    """The answers of one account whose tenants are made up on demand."""

    def __init__(self, *, tenants: Sequence[int], users: int, shape: str) -> None:
        self.tenants = tenants
        self.users = users
        self.shape = shape
        self.asked: Counter[str] = Counter()
        self.seats = cache(self._seats)
        self.members = cache(self._members)
        self.seat_names = cache(self._seat_names)
        self.page = cache(self._page)

    def answer(self, asked: Asked) -> tuple[int, bytes, str]:
        """Status, body and further headers of one answer."""
        self.asked[kind(asked)] += 1
        if asked.path == "/bench/page":
            return 200, self.page("/license/officePrepaid", 1, 50)[0], ""
        if asked.path == "/bench/asked":
            return 200, json.dumps(self.asked).encode(), ""
        if asked.page:
            body, total = self.page(asked.path, asked.page, asked.size)
            return 200, body, f"X-Pagination-Elements: {total}\r\n"
        parts = asked.path.strip("/").split("/")
        if asked.separator:
            place = next((at for at, part in enumerate(parts) if asked.separator in part), None)
            if place is not None:
                return 200, self._batch(parts, place, asked.separator), ""
        found = self._value(parts)
        return (404, b'{"message":"none"}', "") if found is None else (200, found, "")

    def _batch(self, parts: list[str], place: int, separator: str) -> bytes:
        items = []
        for key in parts[place].split(separator):
            value = self._value([*parts[:place], key, *parts[place + 1 :]]) or b"null"
            items.append(b'{"key":%s,"error":null,"value":%s}' % (json.dumps(key).encode(), value))
        return b"[" + b",".join(items) + b"]"

    def _page(self, path: str, number: int, size: int) -> tuple[bytes, int]:
        window = slice((number - 1) * size, number * size)
        match path.strip("/").split("/"):
            case ["license", "officePrepaid"]:
                names = self.seat_names()
                bodies = [self._value(["license", "officePrepaid", name]) or b"" for name in names[window]]
                return b"[" + b",".join(bodies) + b"]", len(names)
            case ["license", "office", name, "user"]:
                found = list(self.members(name).values())
                return b"[" + b",".join(found[window]) + b"]", len(found)
        return b"[]", 0

    def _value(self, parts: list[str]) -> bytes | None:
        match parts:
            case ["auth", "time"]:
                return str(int(time.time())).encode()
            case ["me"]:
                return b'{"ovhSubsidiary":"FR"}'
            case ["me", "order"]:
                return b"[]"
            case ["license", "office"]:
                return _dump([service(one) for one in self.tenants if family(one) == "payg"])
            case ["license", "officePrepaid"]:
                return _dump(self.seat_names())
            case ["license", "office", name, *rest]:
                return self._payg(name, rest)
            case ["license", "officePrepaid", name, *rest]:
                return self._prepaid(name, rest)
        return None

    def _payg(self, name: str, rest: list[str]) -> bytes | None:
        match rest:
            case []:
                return _dump(
                    {
                        "serviceName": name,
                        "displayName": f"Tenant {_number(name)}",
                        "status": "ok",
                        "mcaAgreed": True,
                    }
                )
            case ["user"]:
                return _dump(list(self.members(name)))
            case ["user", login]:
                return self.members(name).get(login.replace("%40", "@"))
            case ["serviceInfos"]:
                return _dump(RENEWAL)
            case ["domain"]:
                return _dump([name])
            case ["pendingTask"]:
                return b"[]"
        return None

    def _prepaid(self, name: str, rest: list[str]) -> bytes | None:
        tenant = name.rpartition("-")[0]
        match rest:
            case []:
                return self.seats(tenant).get(name)
            case ["serviceInfos"]:
                return _dump(RENEWAL)
            case ["parentTenant"]:
                return _dump(
                    {"serviceName": tenant, "displayName": tenant, "status": "ok", "mcaAgreed": True}
                )
            case ["tenantPendingTask"]:
                return b"[]"
        return None

    def _members(self, name: str) -> dict[str, bytes]:
        return {
            one.login: _dump(
                {
                    "activationEmail": one.login,
                    "firstName": one.first,
                    "lastName": one.last,
                    "isVirtual": False,
                    "deleteAtExpiration": False,
                    "licences": [LICENCE[one.group]],
                    "status": "ok",
                    "taskPendingId": 0,
                    "usageLocation": one.country,
                }
            )
            for one in at_provider(_number(name), self.users, self.shape)
        }

    def _seats(self, name: str) -> dict[str, bytes]:
        return {
            f"{name}-{number}": _dump(
                {
                    "serviceName": f"{name}-{number}",
                    "tenantServiceName": name,
                    "activationEmail": one.login,
                    "firstName": one.first,
                    "lastName": one.last,
                    "isVirtual": False,
                    "licences": [LICENCE[one.group]],
                    "status": "ok",
                    "taskPendingId": 0,
                    "usageLocation": one.country,
                }
            )
            for number, one in enumerate(at_provider(_number(name), self.users, self.shape), 1)
        }

    def _seat_names(self) -> list[str]:
        prepaid = [service(one) for one in self.tenants if family(one) == "prepaid"]
        return [seat for name in prepaid for seat in self.seats(name)]


def kind(asked: Asked) -> str:
    """What a request is for, whichever tenants it is about."""
    parts = asked.path.strip("/").split("/")
    if len(parts) > 2 and parts[0] == "license":
        parts[2] = "{many}" if "," in parts[2] else "{one}"
    return "/".join(parts) + (" expanded" if asked.page else "")


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _number(name: str) -> int:
    return int(name[1:6])


_PAGE = re.compile(rb"x-pagination-number: *(\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"x-pagination-size: *(\d+)", re.IGNORECASE)
_BATCH = re.compile(rb"x-ovh-batch: *(\S)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """Reads GET requests, several in one packet or one in several, and answers at once."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self.rest = (self.rest + data).split(b"\r\n\r\n")
        for head in heads:
            status, body, more = self.provider.answer(_asked(head))
            first = HEAD.format(status=f"{status} -", more=more, size=len(body))
            self.transport.write(first.encode() + body)


def _asked(head: bytes) -> Asked:
    target = head.split(b" ", 2)[1].decode().partition("?")[0]
    page, size, batch = _PAGE.search(head), _SIZE.search(head), _BATCH.search(head)
    return Asked(
        path=target.removeprefix("/1.0"),
        separator=batch[1].decode() if batch else "",
        page=int(page[1]) if page else 0,
        size=int(size[1]) if size else 0,
    )


async def serve(provider: Provider) -> None:
    """Listen on a free port of this machine and say which."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Connection(provider), "127.0.0.1", 0, backlog=1024)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tenants", type=int, required=True)
    options.add_argument("--users", type=int, required=True)
    options.add_argument("--step", type=int, default=1, help="2: only pay-as-you-go")
    options.add_argument("--shape", choices=SHAPES, default="same")
    given = options.parse_args()
    numbers = range(0, given.tenants * given.step, given.step)
    asyncio.run(serve(Provider(tenants=numbers, users=given.users, shape=given.shape)))
