"""Which product of a directory a licence group is: by what is written, what the seller says, or a known name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reconciler.core.errors import Rejected
from reconciler.providers.microsoft.graph.wire import Sku


class Known(NamedTuple):
    """A product that many have: its part number, its id, and what it is or was called in shops."""

    part: str
    id: str
    names: tuple[str, ...]


# Ids and part numbers: Microsoft's "Product names and service plan identifiers for licensing", read 2026-08.
# A name may stand at two products: the same one sold through another channel has an id of its own.
WELL_KNOWN: tuple[Known, ...] = (
    Known(
        "O365_BUSINESS",
        "cdd28e44-67e3-425e-be4c-737fab2899d3",
        ("Microsoft 365 Apps for business", "Office 365 Business"),
    ),
    Known(
        "SMB_BUSINESS",
        "b214fe43-f5a3-4703-beeb-fa97188220fc",
        ("Microsoft 365 Apps for business", "Office 365 Business"),
    ),
    Known(
        "OFFICESUBSCRIPTION",
        "c2273bd0-dff7-4215-9ef5-2c7bcfb06425",
        ("Microsoft 365 Apps for enterprise", "Office 365 ProPlus"),
    ),
    Known(
        "O365_BUSINESS_ESSENTIALS",
        "3b555118-da6a-4418-894f-7df1e2096870",
        ("Microsoft 365 Business Basic", "Office 365 Business Essentials"),
    ),
    Known(
        "SMB_BUSINESS_ESSENTIALS",
        "dab7782a-93b1-4074-8bb1-0e61318bea0b",
        ("Microsoft 365 Business Basic", "Office 365 Business Essentials"),
    ),
    Known(
        "O365_BUSINESS_PREMIUM",
        "f245ecc8-75af-4f8e-b61f-27d8114de5f3",
        ("Microsoft 365 Business Standard", "Office 365 Business Premium"),
    ),
    Known(
        "SMB_BUSINESS_PREMIUM",
        "ac5cef5d-921b-4f97-9ef3-c99076e5470f",
        ("Microsoft 365 Business Standard", "Office 365 Business Premium"),
    ),
    Known("SPB", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", ("Microsoft 365 Business Premium",)),
    Known("STANDARDPACK", "18181a46-0d4e-45cd-891e-60aabd171b4e", ("Office 365 E1",)),
    Known("ENTERPRISEPACK", "6fd2c87f-b296-42f0-b197-1e91e994b900", ("Office 365 E3",)),
    Known("ENTERPRISEPREMIUM", "c7df2760-2c81-4ef7-b578-5b5392b571df", ("Office 365 E5",)),
    Known(
        "ENTERPRISEPREMIUM_NOPSTNCONF",
        "26d45bd9-adf1-46cd-a9e1-51e9a5524128",
        ("Office 365 E5 without Audio Conferencing",),
    ),
    Known("DESKLESSPACK", "4b585984-651b-448a-9e53-3b10f069cf7f", ("Office 365 F3", "Office 365 K1")),
    Known("SPE_E3", "05e9a617-0261-4cee-bb44-138d3ef5d965", ("Microsoft 365 E3",)),
    Known("SPE_E5", "06ebc4ee-1bb5-47dd-8120-11324bc54e06", ("Microsoft 365 E5",)),
    Known("SPE_F1", "66b55226-6b4f-492c-910c-a3b7a3c9d993", ("Microsoft 365 F3",)),
    Known("M365_F1", "44575883-256e-4a79-9da4-ebe9acabe2b2", ("Microsoft 365 F1",)),
    Known("M365_F1_COMM", "50f60901-3181-4b75-8a2c-4c8e4c1d5a72", ("Microsoft 365 F1",)),
    Known("EXCHANGESTANDARD", "4b9405b0-7788-4568-add1-99614e613b69", ("Exchange Online Plan 1",)),
    Known("EXCHANGEENTERPRISE", "19ec0d23-8335-4cbd-94ac-6050e30712fa", ("Exchange Online Plan 2",)),
    Known("EXCHANGEDESKLESS", "80b2d799-d2ba-4d2a-8842-fb0d0f3a4b82", ("Exchange Online Kiosk",)),
    Known("SHAREPOINTSTANDARD", "1fc08a02-8b3d-43b9-831e-f76859e04e1a", ("SharePoint Online Plan 1",)),
    Known("SHAREPOINTENTERPRISE", "a9732ec9-17d9-494c-a51c-d6b45b384dcb", ("SharePoint Online Plan 2",)),
    Known("VISIOONLINE_PLAN1", "4b244418-9658-4451-a2b8-b5e2b364e9bd", ("Visio Plan 1",)),
    Known("VISIOCLIENT", "c5928f49-12ba-48f7-ada3-0d743a3601d5", ("Visio Plan 2",)),
    Known("PROJECT_P1", "beb6439c-caad-48d3-bf46-0c82871e12be", ("Planner Plan 1", "Project Plan 1")),
    Known(
        "PROJECTPROFESSIONAL",
        "53818b1b-4a27-454b-8896-0dba576410e6",
        ("Planner and Project Plan 3", "Project Plan 3"),
    ),
    Known("PROJECTPREMIUM", "09015f9f-377f-4538-bbb5-f75ceb09358a", ("Project Online Premium",)),
    Known("POWER_BI_PRO", "f8a1db68-be16-40ed-86d5-cb42ce701560", ("Power BI Pro",)),
    Known("AAD_PREMIUM", "078d2b04-f1bd-4111-bbd4-b4b1b354cef4", ("Entra ID P1", "Azure AD Premium P1")),
    Known("AAD_PREMIUM_P2", "84a661c4-e949-4bd2-a560-ed7766fcaf2b", ("Entra ID P2", "Azure AD Premium P2")),
    Known("EMS", "efccb6f7-5641-4e0e-bd10-b4976e1bf68e", ("Enterprise Mobility + Security E3", "EMS E3")),
    Known(
        "EMSPREMIUM", "b05e124f-c7cc-45a0-a6aa-8cf78c946968", ("Enterprise Mobility + Security E5", "EMS E5")
    ),
    Known("INTUNE_A", "061f9ace-7d42-4136-88ac-31dc755f143f", ("Intune",)),
    Known("MCOMEETADV", "0c266dff-15dd-4b49-8397-2bb16070ed52", ("Audio Conferencing",)),
    Known("MCOEV", "e43b5b99-8dfb-405f-9987-dc307f34bcbd", ("Teams Phone Standard",)),
    Known("Microsoft_365_Copilot", "639dec6b-bb19-468b-871c-c5c441c4b0cb", ("Copilot for Microsoft 365",)),
)

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def known_ids(word: str) -> frozenset[str]:
    """Give the ids that a part number, an id or a name may stand for; empty when it is not known here."""
    wanted = _plain(word)
    return frozenset(
        one.id
        for one in WELL_KNOWN
        if wanted in {_plain(one.part), one.id, *(_plain(name) for name in one.names)}
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
    wanted, ids = _plain(word), known_ids(word)
    exact = [one.sku_id for one in there if wanted in {_plain(one.sku_part_number), one.sku_id}]
    return exact or [one.sku_id for one in there if one.sku_id in ids]


def _unclear(why: str, there: Sequence[Sku]) -> Rejected:
    names = ", ".join(sorted(one.sku_part_number or one.sku_id for one in there)) or "none"
    return Rejected(
        f"{why}; the directory has {names}",
        hint="write `sku:` in the license group, with the skuPartNumber or skuId of the directory's product",
        code="sku",
    )


def _plain(word: str) -> str:
    """Compare names without regard to case, brackets and runs of blanks."""
    return " ".join(re.sub(r"[()\u00a0]", " ", word).casefold().split())
