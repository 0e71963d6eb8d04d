#!/usr/bin/env python3
"""Writes what each provider can do into docs/providers, out of the code; --check says whether it stands there."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.action import Verb
from reconciler.core.provider import Capabilities, Support
from reconciler.core.settings import BY_HAND
from reconciler.providers.manual import HOME_PL
from reconciler.providers.microsoft.capabilities import PARTNER_CENTER
from reconciler.providers.microsoft.graph.capabilities import PEOPLE, SETTINGS
from reconciler.providers.ovh.capabilities import CSP2, PAYG, PREPAID
from reconciler.providers.routed import joined

FOLDER = Path(__file__).parents[1] / "docs/providers"
REGION = re.compile(r"(<!-- (\S+):begin -->\n).*?(<!-- \2:end -->)", re.DOTALL)

SELLERS = (PAYG, PREPAID, CSP2, PARTNER_CENTER, HOME_PL)
ROUTED = tuple(joined(one) for one in (CSP2, PARTNER_CENTER, HOME_PL))

NONE, UNKNOWN = "none", "not told"
HOW = {"api": "yes", "by-hand": "by hand", "not-at-all": "no"}
WHEN = {
    "now": "at once",
    "at-expiration": "at the expiration",
    "window": "at once in its window, else at the renewal",
}


@dataclass(frozen=True)
class Source:
    """Where the facts of a provider were read, and when."""

    what: str
    link: str
    read: str


SOURCES = {
    "ovh-payg": Source(
        "API description of `/license/office`", "https://eu.api.ovh.com/console/", "2026-08-04"
    ),
    "ovh-prepaid": Source(
        "API description of `/license/officePrepaid`", "https://eu.api.ovh.com/console/", "2026-08-04"
    ),
    "ovh-csp2": Source("API description of `/saas/csp2`", "https://eu.api.ovh.com/console/", "2026-04-03"),
    "partner-center": Source(
        "Partner Center REST documentation",
        "https://learn.microsoft.com/partner-center/developer/",
        "2023-10-23",
    ),
    "graph": Source(
        "Microsoft Graph v1.0 metadata", "https://graph.microsoft.com/v1.0/$metadata", "2026-08-20"
    ),
    "home-pl": Source("help pages of home.pl; no API was found", "https://pomoc.home.pl/", "2026-08"),
}


def main(arguments: list[str]) -> int:
    """Write every region, or compare them."""
    stale = [page for page in sorted(FOLDER.glob("*.md")) if _fresh(page) != page.read_text(encoding="utf-8")]
    if arguments == ["--check"]:
        for page in stale:
            print(
                f"{page.name} does not show what the code can do: run scripts/providers.py", file=sys.stderr
            )
        return 1 if stale else 0
    for page in stale:
        page.write_text(_fresh(page), encoding="utf-8")
    return 0


def _fresh(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    return REGION.sub(lambda found: f"{found[1]}{REGIONS[found[2]]}\n{found[3]}", text)


def _sellers() -> Iterator[str]:
    columns = [*SELLERS, *ROUTED]
    names = [f"[`{one.provider}`]({one.provider}.md)" for one in SELLERS]
    names += [f"`{one.provider}` + [`graph`](graph.md)" for one in ROUTED]
    yield from _head("", *names)
    for verb in Verb:
        yield _row(f"`{verb}`", *(HOW[one.verbs[verb].how] for one in columns))
    for what, say in FACTS:
        yield _row(what, *(say(one) for one in columns))


def _yes(value: object) -> str:
    return "yes" if value else "no"


FACTS = (
    ("seats are bought ahead of people", lambda one: _yes(one.pool)),
    ("people are known", lambda one: _yes(one.people)),
    ("people exist without a seat", lambda one: _yes(one.directory)),
    ("fewer seats", lambda one: WHEN[one.shrink]),
    ("a cancelled group ends", lambda one: WHEN[one.cancel]),
    ("`renewal:`", lambda one: _yes(one.renewal)),
    ("`name:` is written", lambda one: _yes(one.renames)),
    ("what is there is", lambda one: "what people confirmed" if one.by_word else "read"),
    ("`product:`", lambda one: ", ".join(f"`{name}`" for name in sorted(one.products or ())) or "what it sells"),
    ("most seats", lambda one: ", ".join(f"{name}: {most}" for name, most in one.max_seats.items()) or NONE),
    ("an order takes at most", lambda one: UNKNOWN if one.by_word else f"{one.promise_seconds // 3600} h"),
    ("usable after its end, days", lambda one: str(one.windows.grace or UNKNOWN)),
    ("data kept after its end, days", lambda one: str(one.windows.kept or UNKNOWN)),
    ("of the tenant itself", lambda one: ", ".join(f"`{key}`" for key in one.settings) or NONE),
)  # fmt: skip


def _sources() -> Iterator[str]:
    yield from _head("provider", "its facts are from", "read")
    for name, source in SOURCES.items():
        yield _row(f"[`{name}`]({name}.md)", f"[{source.what}]({source.link})", source.read)


def _by_hand() -> Iterator[str]:
    yield from _head("key", "where")
    for key, support in BY_HAND.items():
        yield _row(f"`{key}:`", f"<{support.link}>")


def _verbs(one: Capabilities) -> Iterator[str]:
    yield from _head("", "how")
    for verb in Verb:
        yield _row(f"`{verb}`", _cell(one.verbs[verb]))
    for key, support in one.settings.items():
        yield _row(f"`{key}`", _cell(support))


def _graph() -> Iterator[str]:
    yield from _head("", "how")
    for verb, support in PEOPLE.items():
        yield _row(f"`{verb}`", _cell(support))
    for key, support in SETTINGS.items():
        yield _row(f"`{key}`", _cell(support))


def _cell(support: Support) -> str:
    link = f" (<{support.link}>)" if support.link else ""
    return (f"{HOW[support.how]}: {support.note}" if support.note else HOW[support.how]) + link


def _head(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield "|" + "---|" * len(cells)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


REGIONS = {
    "capabilities": "\n".join(_sellers()),
    "sources": "\n".join(_sources()),
    "by-hand": "\n".join(_by_hand()),
    "graph": "\n".join(_graph()),
} | {one.provider: "\n".join(_verbs(one)) for one in SELLERS}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
