"""What an OVHcloud account's credentials are worth: whether they are taken, what they may read and do, how fast."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from reconciler.core.errors import Missing, ProviderError, Rejected
from reconciler.core.rights import Checked, Rule, ovh_changes, ovh_probes, ovh_rules
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.wire import Me

SLOW = 2.0
SKEW = 60.0
"""Seconds that an answer may take, and that clocks may differ, before it is worth a word."""


async def checkup(api: Api, providers: Iterable[str], *, plan_only: bool = False) -> list[Checked]:
    """Look at an account, with the rights that these kinds of service need; sends nothing that changes anything.

    plan_only: the credentials are those of the job that plans, and may buy nothing.
    """
    wanted = tuple(providers)
    try:
        # The provider's clock is asked without credentials, so what fails here is the way to the provider.
        ahead = (await api.now()).timestamp() - api.session.clock.now()
    except ProviderError as error:
        return [
            Checked(
                "fail", f"not reachable: {error.message}", "check the endpoint, the network and its proxy"
            )
        ]
    told = [_clock(ahead)]
    began = api.session.clock.monotonic()
    try:
        me = await api.get(Me, "/me")
    except Rejected as error:
        return [*told, _refused(error)]
    except ProviderError as error:
        return [*told, Checked("fail", f"no answer: {error.message}", "try again later")]
    took = api.session.clock.monotonic() - began
    told.append(Checked("ok", f"credentials are accepted ({me.ovh_subsidiary or 'unknown subsidiary'})"))
    slow = Checked("warn", f"answers took {took:.1f} s", "plans will take long: look at the network")
    told.append(slow if took > SLOW else Checked("ok", f"answers in {took * 1000:.0f} ms"))
    told += await asyncio.gather(*(_probe(api, route) for route in ovh_probes(wanted)))
    return [*told, await _writes(api, wanted, plan_only=plan_only)]


def _clock(ahead: float) -> Checked:
    if abs(ahead) > SKEW:
        return Checked("warn", f"this machine's clock differs by {abs(ahead):.0f} s", "set the clock (NTP)")
    return Checked("ok", f"clocks differ by {abs(ahead):.0f} s")


def _refused(error: Rejected) -> Checked:
    if error.code == "NOT_GRANTED_CALL":
        return Checked(
            "fail", f"the key may not read /me: {error.message}", "make keys with the rights of a plan"
        )
    return Checked(
        "fail",
        f"credentials are refused: {error.message}",
        error.hint or "make new keys, or correct the references",
    )


async def _probe(api: Api, route: str) -> Checked:
    try:
        await api.session.read(route, attempts=1)
    except Missing:
        return Checked("ok", f"{route} is not there: the account has none of these")
    except Rejected as error:
        return Checked(
            "fail", f"may not read {route}: {error.message}", f"allow GET on {route} and {route}/*"
        )
    except ProviderError as error:
        return Checked("fail", f"cannot read {route}: {error.message}", "try again later")
    return Checked("ok", f"may read {route}")


async def _writes(api: Api, providers: tuple[str, ...], *, plan_only: bool) -> Checked:
    """Tell from the key's own rules what it may change; nothing is tried."""
    try:
        answer = await api.session.read("/auth/details", attempts=1)
    except ProviderError:
        remedy = "look at its policy" if plan_only else "the first apply shows it"
        return Checked("warn", "what it may change is not told", remedy)
    routes: Any = answer.data.get("allowedRoutes") if isinstance(answer.data, dict) else None
    if routes is None:
        rules = [Rule(method, "*") for method in ("GET", "POST", "PUT", "DELETE")]
    else:
        rules = [
            Rule(str(one.get("method")), str(one.get("path"))) for one in routes if isinstance(one, dict)
        ]
    return _only_plans(rules) if plan_only else _applies(rules, providers)


def _only_plans(rules: list[Rule]) -> Checked:
    """Whether these rights let nobody buy, of whatever family: an account is shared by all of them."""
    wide = [one for one in rules if any(one.touches(change) for change in ovh_changes())]
    if not wide:
        return Checked("ok", "may plan and change nothing")
    names = ", ".join(f"{one.method} {one.path}" for one in wide)
    return Checked("fail", f"may buy or change things: {names}", "make keys with the rights of a plan")


def _applies(rules: list[Rule], providers: tuple[str, ...]) -> Checked:
    missing = [one for one in ovh_rules(providers, writes=True) if not any(has.allows(*one) for has in rules)]
    if not missing:
        return Checked("ok", "may do everything that an apply does")
    names = ", ".join(f"{one.method} {one.path}" for one in missing)
    return Checked(
        "warn", f"may plan and not apply: {names} is missing", "make keys with the rights of an apply"
    )
