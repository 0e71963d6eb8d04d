"""Who is meant by an address on the command line: one seat, all seats of a person, or everybody in a group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

Seat = tuple[str, str]
"""Group, and login in full."""


def named(seats: Iterable[tuple[str, str, str]], homes: Mapping[str, str]) -> dict[str, list[Seat]]:
    """The seats that each address means, in small letters: logins are compared without regard to case.

    seats: group, login in full, login as written. homes: what a login without @ is completed with, by group.
    """
    whole: dict[str, list[Seat]] = defaultdict(list)
    short: dict[str, list[Seat]] = defaultdict(list)
    for group, login, written in seats:
        for name in {login.casefold(), written.casefold()}:
            _told(whole, group, name, (group, login))
        _told(short, group, _bare(login, homes.get(group, "")), (group, login))
        whole[f"group/{group}"].append((group, login))
    return {**short, **whole}


def _told(into: dict[str, list[Seat]], group: str, name: str, seat: Seat) -> None:
    into[f"seat/{group}/{name}"].append(seat)
    into[f"user/{name}"].append(seat)


def _bare(login: str, home: str) -> str:
    """The login as it may be written: without the tenant's domain, else the service's own."""
    return login.casefold().removesuffix(f"@{home.casefold()}")
