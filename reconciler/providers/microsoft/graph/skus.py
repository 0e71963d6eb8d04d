"""Which product of a directory a licence group is: by what is written, what the seller says, or a known name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from reconciler.core.errors import Rejected
from reconciler.providers.microsoft.graph.wire import Sku
from reconciler.providers.microsoft.names import KNOWN, plain

# A name may stand at two products: the same one sold through another channel has an id of its own.
FORMER: Mapping[str, tuple[str, ...]] = {
    "Office 365 Business": ("O365_BUSINESS", "SMB_BUSINESS"),
    "Office 365 Business Essentials": ("O365_BUSINESS_ESSENTIALS", "SMB_BUSINESS_ESSENTIALS"),
    "Office 365 Business Premium": ("O365_BUSINESS_PREMIUM", "SMB_BUSINESS_PREMIUM"),
    "Office 365 ProPlus": ("OFFICESUBSCRIPTION",),
    "Microsoft 365 Business": ("SPB",),
    "Office 365 K1": ("DESKLESSPACK",),
    "Office 365 F1": ("DESKLESSPACK",),
    "Azure Active Directory Premium P1": ("AAD_PREMIUM",),
    "Azure Active Directory Premium P2": ("AAD_PREMIUM_P2",),
}
"""What products were called before, by part number; sellers still use the old names (reference section 13)."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def known_ids(word: str) -> frozenset[str]:
    """Give the ids that a part number, an id or a name may stand for; empty when it is not known here."""
    wanted = plain(word)
    parts = {part for name, some in FORMER.items() if plain(name) == wanted for part in some}
    return frozenset(
        one.sku
        for one in KNOWN
        if one.part in parts or wanted in {plain(one.part), plain(one.sku), plain(one.title)}
    )


def choose(words: Iterable[str], there: Sequence[Sku], *, what: str) -> str | None:
    """Give the id of the product that the words name, the first that says anything deciding.

    What the directory has counts before what is known here. None: it is known and does not show there yet.
    Raises Rejected when no word is known, or one stands for two products of the directory.
    """
    said = [word for word in words if word]
    for word in said:
        found = _shown(word, there)
        if len(found) > 1:
            raise _unclear(f"{word!r} of {what} stands for two products", there)
        if found:
            return found[0]
        if _GUID.fullmatch(word.lower()):
            return word.lower()  # an id is an id, also before the directory shows it
    candidates = [ids for ids in map(known_ids, said) if ids]
    if not candidates:
        raise _unclear(f"{' or '.join(map(repr, said)) or 'nothing'} of {what} names no known product", there)
    return next(iter(candidates[0])) if len(candidates[0]) == 1 else None


def bought(sku: str, there: Iterable[Sku]) -> int | None:
    """How many seats of a product the directory may use; None when it does not show the product."""
    found = [one.prepaid_units.enabled for one in there if one.sku_id == sku]
    return sum(found) if found else None


def _shown(word: str, there: Sequence[Sku]) -> list[str]:
    wanted, ids = plain(word), known_ids(word)
    exact = [one.sku_id for one in there if wanted in {plain(one.sku_part_number), plain(one.sku_id)}]
    return exact or [one.sku_id for one in there if one.sku_id in ids]


def _unclear(why: str, there: Sequence[Sku]) -> Rejected:
    names = ", ".join(sorted(one.sku_part_number or one.sku_id for one in there)) or "none"
    return Rejected(
        f"{why}; the directory has {names}",
        hint="write `sku:` in the license group, with the skuPartNumber or skuId of the directory's product",
        code="sku",
    )
