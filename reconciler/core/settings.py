"""What a tenant is to have besides groups and people: a customer account, domains, partner ids, and steps by hand.

Each stands at an address of its own, `tenant/WHAT[/KEY]`. What a provider shows decides whether it is so; what
nobody can read is so once a person confirmed it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import TypeAdapter

from reconciler.core.action import Change, Verb, digest
from reconciler.core.delegated import access_address, tell_rights
from reconciler.core.draft import Draft, Wording
from reconciler.core.manifest import Customer, DelegatedAdministration, ProductKey, Tenant
from reconciler.core.model import Address, Json, Organisation, setting_address
from reconciler.core.progress import Progress
from reconciler.core.provider import Support

CUSTOMER = setting_address("customer")
AGREEMENT = setting_address("agreement")
DELEGATION = setting_address("delegation")
MPN_ID = setting_address("mpn-id")
PARTNER_OF_RECORD = setting_address("partner-of-record")

_CUSTOMER: TypeAdapter[Customer] = TypeAdapter(Customer)


class Setting(Struct, frozen=True, kw_only=True):
    """One thing that is to be so: where, what, how it is told, and what a person does where no API does it.

    key: the manifest's key, under which the capabilities say how it is done.
    reason: why it is wanted, where the manifest does not write it.
    follows: what has to be so before.
    shown: the provider shows it whenever it is so, so what the journal says of it counts for nothing.
    """

    key: str
    address: Address
    after: Json
    summary: str
    path: tuple[str | int, ...]
    instructions: str = ""
    reason: str = ""
    follows: Address = ""
    shown: bool = False
    detail: Json = field(default_factory=dict)


BY_HAND: Mapping[str, Support] = {
    "partner_of_record": Support(how="by-hand", link="https://admin.microsoft.com/"),
    "product_keys": Support(how="by-hand", link="https://setup.office.com/"),
    "office_attach": Support(how="by-hand", link="https://www.ovh.com/manager/"),
}
"""Keys that no API serves, with whatever provider (microsoft.md section 14, ovh.md section on Office Attach)."""


def settle_settings(draft: Draft, organisation: Organisation, progress: Progress) -> None:
    """Plan what is not so yet."""
    made: dict[Address, str] = {}
    met: set[Address] = set()
    for one in (*wanted(draft.manifest.tenant), *_agreement(draft)):
        if _is_so(one, organisation, progress):
            met.add(one.address)
            continue
        if _is_open(one, progress):
            continue
        reason = _waits(draft, one, organisation, {*made, *met})
        if reason:
            draft.wait(one.address, Verb.UPDATE, reason)
            continue
        needs = [made[address] for address in (CUSTOMER, one.follows) if address in made]
        identifier = _act(draft, one, organisation, needs=needs)
        if identifier is not None:
            made[one.address] = identifier
    tell_rights(draft, organisation)
    _before_buying(draft, made, progress)


def _waits(draft: Draft, one: Setting, organisation: Organisation, there: Container[Address]) -> str:
    """Why something cannot be done yet; empty when it can, or never."""
    if organisation.closed and (one.key == "domains" or _needs_directory(draft, one)):
        return organisation.closed
    blocked = {each.address for each in draft.blocked}
    if one.follows and one.follows not in there and one.follows not in blocked:
        return f"waits for {one.follows}"
    return ""


def _before_buying(draft: Draft, made: Mapping[Address, str], progress: Progress) -> None:
    """Let purchases wait for the customer's account and agreement: those of this plan, or under way already."""
    draft.first = tuple(made[address] for address in (CUSTOMER, AGREEMENT) if address in made)
    opened = [address for address in (CUSTOMER, AGREEMENT) if progress.at(address)]
    if opened:
        draft.awaits = f"waits for {' and '.join(opened)}"


def _agreement(draft: Draft) -> Iterator[Setting]:
    """What a customer has to accept before anything can be bought for them, where the seller asks for that."""
    if "agreement" not in draft.capabilities.settings or not draft.manifest.tenant.license_groups:
        return
    yield Setting(
        key="agreement",
        address=AGREEMENT,
        after={"accepted": True},
        summary="the customer accepts the Microsoft Customer Agreement",
        reason="nothing can be bought for a customer who has not accepted it",
        path=("customer",) if draft.manifest.tenant.customer else ("license_groups",),
        instructions=draft.capabilities.settings["agreement"].note,
    )


def _needs_directory(draft: Draft, one: Setting) -> bool:
    """Whether rights are asked for in a directory that is not there yet."""
    return one.address == DELEGATION and not draft.manifest.tenant.directory_id


def _is_so(one: Setting, organisation: Organisation, progress: Progress) -> bool:
    shown = organisation.settings.get(one.address)
    if shown is not None:
        return all(shown.get(key) == value for key, value in one.after.items())
    return not one.shown and progress.settings.get(one.address) == dict(one.after)


def _is_open(one: Setting, progress: Progress) -> bool:
    return bool(progress.at(one.address)) or one.address in progress.stuck


def _act(draft: Draft, one: Setting, organisation: Organisation, *, needs: Sequence[str]) -> str | None:
    support = BY_HAND.get(one.key) or draft.capabilities.settings.get(one.key)
    source = draft.source(*one.path)
    if support is None or support.how == "not-at-all":
        note = support.note if support else _not_here(draft, one.key)
        draft.block(one.address, Verb.UPDATE, note, source=source)
        return None
    by_hand = support.how == "by-hand"
    instructions = " ".join(part for part in (one.instructions or support.note, support.link) if part)
    shown = organisation.settings.get(one.address)
    before = {key: shown.get(key) for key in one.after} if shown is not None else None
    return draft.act(
        Verb.UPDATE,
        Change(one.address, before, one.after),
        Wording(
            summary=one.summary,
            reason=one.reason or f"manifest writes `{one.key}`",
            source=source,
            instructions=instructions if by_hand or one.instructions else None,
        ),
        detail=one.detail,
        needs=needs,
        support=replace(support, note="") if by_hand else support,
    )


def _not_here(draft: Draft, key: str) -> str:
    provider = draft.capabilities.provider
    name = key.partition(".")[0]
    if name in {"domains", "delegated_administration"} and not draft.capabilities.directory:
        return f"{provider} keeps no directory: name one under `directory:`, or delete `{name}`"
    return f"{provider} has no `{name}`: delete it"


def wanted(tenant: Tenant) -> Iterator[Setting]:
    """List everything of that kind that a manifest writes."""
    if tenant.customer is not None and tenant.service is None:
        yield _customer(tenant.customer)
    for index, name in enumerate(tenant.domains):
        yield Setting(
            key="domains",
            address=setting_address("domain", name.lower()),
            after={"verified": True},
            summary=f"domain {name.lower()} is added and verified",
            path=("domains", index),
            detail={"domain": name.lower()},
        )
    if (gdap := tenant.delegated_administration) is not None:
        yield Setting(
            key="delegated_administration",
            address=DELEGATION,
            after={"name": gdap.name, "status": "active"},
            summary=f"delegated administration {gdap.name!r} for {gdap.duration}",
            path=("delegated_administration",),
            detail={"name": gdap.name, "duration": gdap.duration, "roles": list(gdap.roles)},
        )
        yield from _access(gdap)
    if tenant.mpn_id is not None:
        yield Setting(
            key="mpn_id",
            address=MPN_ID,
            after={"mpn_id": tenant.mpn_id},
            summary=f"partner id {tenant.mpn_id}",
            path=("mpn_id",),
        )
    yield from _by_hand(tenant)


def _access(gdap: DelegatedAdministration) -> Iterator[Setting]:
    for index, (group, roles) in enumerate(gdap.given().items()):
        yield Setting(
            key="delegated_administration.access",
            address=access_address(group),
            after={"roles": list(roles), "status": "active"},
            summary=f"members of the security group get {', '.join(roles) or 'no role'}",
            path=("delegated_administration", "access", index),
            reason="manifest writes `access`",
            follows=DELEGATION,
            shown=True,
            detail={"relationship": gdap.name},
        )


def _customer(customer: Customer) -> Setting:
    return Setting(
        key="customer",
        address=CUSTOMER,
        after={"domain": customer.domain.lower()},
        summary=f"customer {customer.company} with {customer.domain.lower()}",
        path=("customer",),
        detail={"customer": _CUSTOMER.dump_python(customer, mode="json")},
    )


def _by_hand(tenant: Tenant) -> Iterator[Setting]:
    if tenant.partner_of_record is not None:
        yield Setting(
            key="partner_of_record",
            address=PARTNER_OF_RECORD,
            after={"partner": tenant.partner_of_record},
            summary=f"partner of record {tenant.partner_of_record}",
            path=("partner_of_record",),
            instructions=(
                "the customer's administrator signs in, opens the subscription under billing, and enters "
                f"{tenant.partner_of_record} as the partner of record:"
            ),
        )
    for index, key in enumerate(tenant.product_keys):
        yield _product_key(key, index)
    if (attach := tenant.office_attach) is not None:
        accounts = ", ".join(sorted(one.lower() for one in attach.accounts))
        yield Setting(
            key="office_attach",
            address=setting_address("office-attach", attach.exchange),
            after={"accounts": sorted(one.lower() for one in attach.accounts)},
            summary=f"Office licences for {len(attach.accounts)} accounts of {attach.exchange}",
            path=("office_attach",),
            instructions=(
                f"open {attach.exchange} in the control panel, choose the accounts {accounts} and order Office "
                "for them (25 at most at once; the first month is free, what follows is billed monthly):"
            ),
            detail={"exchange": attach.exchange},
        )


def _product_key(key: ProductKey, index: int) -> Setting:
    return Setting(
        key="product_keys",
        address=setting_address("key", key.group, _slug(key.key)),
        after={"key": key.key, "group": key.group},
        summary=f"the product key at {key.key} is redeemed for {key.group}",
        path=("product_keys", index),
        instructions=(
            f"sign in as the customer's administrator, take the 25-character key from {key.key}, enter it for "
            f"{key.group}, review and confirm; a key works once, so confirm here as soon as it was taken:"
        ),
        detail={"key_of": key.group, "key_at": key.key},
    )


def _slug(reference: str) -> str:
    """What a key is called in its address: never what another reference is called, so each is redeemed once."""
    scheme, _, rest = reference.partition("://")
    name = rest.strip("/").replace("/", ".")
    if scheme == "env" or (name.count(".") == rest.strip("/").count("/") > 0):
        return name
    return f"{name}.{digest(reference).removeprefix('sha256:')[:6]}"
