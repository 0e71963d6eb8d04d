"""Who of the partner may use delegated administration: what is said of rights that no file writes."""

from __future__ import annotations

from reconciler.core.draft import Draft
from reconciler.core.model import Address, Organisation, setting_address
from reconciler.core.plan import Unmanaged


def access_address(group: str) -> Address:
    """Where the rights of a security group of the partner stand, by the group's id."""
    return setting_address("access", group.lower())


def tell_rights(draft: Draft, organisation: Organisation) -> None:
    """Show the security groups that somebody else let in, and say when nobody is; both stay as they are."""
    delegated = draft.manifest.tenant.delegated_administration
    if delegated is None or "delegated_administration" not in draft.capabilities.settings:
        return
    there = {
        address: shown
        for address, shown in organisation.settings.items()
        if address.startswith(access_address(""))
    }
    if delegated.access is None:
        if not there:
            _nobody(draft, delegated.name)
        return
    written = {access_address(group) for group in delegated.given()}
    for address, shown in sorted(there.items()):
        if address not in written:
            draft.unmanaged.append(Unmanaged(address=address, ref=str(shown["ref"])))
        elif shown["others"]:
            said = f"the group has {', '.join(shown['others'])} too, which no file writes: it stays so"
            draft.find("RC4305", address, said, severity="info")


def _nobody(draft: Draft, name: str) -> None:
    draft.find(
        "RC4306",
        setting_address("delegation"),
        f"nobody can use {name!r} until a security group of the partner is given its roles: write `access:`, "
        "or assign them in Partner Center",
        source=draft.source("delegated_administration"),
        severity="info",
    )
