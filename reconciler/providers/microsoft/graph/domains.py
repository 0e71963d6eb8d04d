"""Domains of a directory: added, proved by a record in the DNS that a person publishes, and then verified."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

from reconciler.core.action import Action
from reconciler.core.errors import ProviderError, Rejected
from reconciler.core.model import Json
from reconciler.core.provider import Absent, Accepted, Done, Outcome, Step, Stepped, Told, Unknown
from reconciler.providers.http import path
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.graph.batch import says
from reconciler.providers.microsoft.graph.look import domain_address
from reconciler.providers.microsoft.graph.wire import DnsRecord, Domain, Made

PREFIX = domain_address("")


def is_domain(action: Action) -> bool:
    """Whether an action is about a domain of the tenant."""
    return action.address.startswith(PREFIX)


async def reread(api: Api, action: Action) -> Json | None:
    """Read a domain again, in the terms that the plan compared."""
    found = await _read(api, _name(action))
    return None if found is None else {"verified": bool(found.is_verified)}


async def add(api: Api, action: Action) -> AsyncGenerator[Told, None]:
    """Add a domain, and hand the record that proves it to a person."""
    name = _name(action)
    found = await _read(api, name)
    if found is None:
        yield Step(name=f"domain/{name}", data={"domain": name})
        made = await _create(api, name)
        yield Stepped(name=f"domain/{name}", ref=made.id)
    yield _done(name) if found and found.is_verified else await _by_hand(api, name)


async def poll(api: Api, action: Action) -> Outcome:
    """Ask whether a domain is proved, which is itself what proves it: Graph looks into the DNS when asked to.

    The question is a POST that may be repeated at will, so it is no step of its own; it is only asked while
    something is carried out or resumed, never by a plan.
    """
    name = _name(action)
    found = await _read(api, name)
    if found is None:
        raise Rejected(f"domain {name} is no longer in the directory", hint="plan again", code="no-domain")
    if found.is_verified:
        return _done(name)
    try:
        proved = await api.send(Domain, "POST", f"/domains{path(name)}/verify")
    except Rejected:
        return await _by_hand(api, name)  # the record is not visible yet
    return _done(name) if proved.is_verified else await _by_hand(api, name)


async def find(api: Api, action: Action) -> Done | Accepted | Absent | Unknown:
    """Look for a domain whose adding was not answered; a second adding would be refused, so it does no harm."""
    name = _name(action)
    found = await _read(api, name)
    if found is None:
        return Absent(why=f"domain {name} is not in the directory")
    return _done(name) if found.is_verified else await _by_hand(api, name)


async def notices(api: Api, there: Iterable[Domain], wanted: Iterable[str]) -> tuple[str, ...]:
    """Name the records that the services of a proved domain still want, while it has no service at all."""
    written = {one.lower() for one in wanted}
    said: list[str] = []
    for one in there:
        if one.id not in written or not one.is_verified or one.supported_services:
            continue
        route = f"/domains{path(one.id)}/serviceConfigurationRecords"
        try:
            records = await api.values(DnsRecord, route)
        except ProviderError:
            continue  # they only explain
        if records:
            said.append(f"{one.id} is verified; for its services publish {_listed(records)}")
    return tuple(said)


async def _create(api: Api, name: str) -> Made:
    try:
        return await api.send(Made, "POST", "/domains", {"id": name})
    except Rejected as error:
        if says(error, "already exist", "conflict") and await _read(api, name) is not None:
            return Made(id=name)
        raise Rejected(
            error.message,
            hint=f"{name} may belong to another directory: it has to be removed there first",
            code=error.code,
        ) from error


async def _by_hand(api: Api, name: str) -> Accepted:
    records = await api.values(DnsRecord, f"/domains{path(name)}/verificationDnsRecords")
    proofs = [one for one in records if one.record_type.lower() == "txt"] or records
    what = _listed(proofs) or "the record that the Microsoft 365 admin center shows"
    return Accepted(
        ticket=name,
        ask_again_after=api.settings.poll,
        waiting_on="person",
        status="not verified",
        instructions=f"publish {what} in the DNS of {name}, where the domain is registered; "
        "`reconciler resume` then asks Microsoft to look at it",
        data={"domain": name},
    )


async def _read(api: Api, name: str) -> Domain | None:
    return await api.maybe(Domain, f"/domains{path(name)}")


def _name(action: Action) -> str:
    return action.address.removeprefix(PREFIX).lower()


def _listed(records: Iterable[DnsRecord]) -> str:
    return "; ".join(one.said for one in records)


def _done(name: str) -> Done:
    return Done(ref=name, data={"domain": name})
