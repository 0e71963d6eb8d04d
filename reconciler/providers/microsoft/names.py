"""What Microsoft calls its licences: the part numbers that a manifest may write, the directory's skuId, and titles.

From Microsoft's licensing reference (2026-08). Titles moved more than once, and two skuIds share one, so a
manifest writes the part number and a title is only a way to find it in the catalogue.
"""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    """A licence: its part number, the skuId, and the title under which it is sold now."""

    part: str
    sku: str
    title: str


KNOWN = (
    Known("O365_BUSINESS", "cdd28e44-67e3-425e-be4c-737fab2899d3", "Microsoft 365 Apps for business"),
    Known("SMB_BUSINESS", "b214fe43-f5a3-4703-beeb-fa97188220fc", "Microsoft 365 Apps for business"),
    Known("OFFICESUBSCRIPTION", "c2273bd0-dff7-4215-9ef5-2c7bcfb06425", "Microsoft 365 Apps for enterprise"),
    Known("O365_BUSINESS_ESSENTIALS", "3b555118-da6a-4418-894f-7df1e2096870", "Microsoft 365 Business Basic"),
    Known("SMB_BUSINESS_ESSENTIALS", "dab7782a-93b1-4074-8bb1-0e61318bea0b", "Microsoft 365 Business Basic"),
    Known("O365_BUSINESS_PREMIUM", "f245ecc8-75af-4f8e-b61f-27d8114de5f3", "Microsoft 365 Business Standard"),
    Known("SMB_BUSINESS_PREMIUM", "ac5cef5d-921b-4f97-9ef3-c99076e5470f", "Microsoft 365 Business Standard"),
    Known("SPB", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", "Microsoft 365 Business Premium"),
    Known("STANDARDPACK", "18181a46-0d4e-45cd-891e-60aabd171b4e", "Office 365 E1"),
    Known("ENTERPRISEPACK", "6fd2c87f-b296-42f0-b197-1e91e994b900", "Office 365 E3"),
    Known("ENTERPRISEPREMIUM", "c7df2760-2c81-4ef7-b578-5b5392b571df", "Office 365 E5"),
    Known(
        "ENTERPRISEPREMIUM_NOPSTNCONF",
        "26d45bd9-adf1-46cd-a9e1-51e9a5524128",
        "Office 365 E5 without Audio Conferencing",
    ),
    Known("DESKLESSPACK", "4b585984-651b-448a-9e53-3b10f069cf7f", "Office 365 F3"),
    Known("SPE_E3", "05e9a617-0261-4cee-bb44-138d3ef5d965", "Microsoft 365 E3"),
    Known("SPE_E5", "06ebc4ee-1bb5-47dd-8120-11324bc54e06", "Microsoft 365 E5"),
    Known("SPE_F1", "66b55226-6b4f-492c-910c-a3b7a3c9d993", "Microsoft 365 F3"),
    Known("M365_F1", "44575883-256e-4a79-9da4-ebe9acabe2b2", "Microsoft 365 F1"),
    Known("M365_F1_COMM", "50f60901-3181-4b75-8a2c-4c8e4c1d5a72", "Microsoft 365 F1"),
    Known("EXCHANGESTANDARD", "4b9405b0-7788-4568-add1-99614e613b69", "Exchange Online (Plan 1)"),
    Known("EXCHANGEENTERPRISE", "19ec0d23-8335-4cbd-94ac-6050e30712fa", "Exchange Online (Plan 2)"),
    Known("EXCHANGEDESKLESS", "80b2d799-d2ba-4d2a-8842-fb0d0f3a4b82", "Exchange Online Kiosk"),
    Known("SHAREPOINTSTANDARD", "1fc08a02-8b3d-43b9-831e-f76859e04e1a", "SharePoint Online (Plan 1)"),
    Known("SHAREPOINTENTERPRISE", "a9732ec9-17d9-494c-a51c-d6b45b384dcb", "SharePoint Online (Plan 2)"),
    Known("VISIOONLINE_PLAN1", "4b244418-9658-4451-a2b8-b5e2b364e9bd", "Visio Plan 1"),
    Known("VISIOCLIENT", "c5928f49-12ba-48f7-ada3-0d743a3601d5", "Visio Plan 2"),
    Known("PROJECT_P1", "beb6439c-caad-48d3-bf46-0c82871e12be", "Planner Plan 1"),
    Known("PROJECTPROFESSIONAL", "53818b1b-4a27-454b-8896-0dba576410e6", "Planner and Project Plan 3"),
    Known("PROJECTPREMIUM", "09015f9f-377f-4538-bbb5-f75ceb09358a", "Project Online Premium"),
    Known("POWER_BI_PRO", "f8a1db68-be16-40ed-86d5-cb42ce701560", "Power BI Pro"),
    Known("AAD_PREMIUM", "078d2b04-f1bd-4111-bbd4-b4b1b354cef4", "Microsoft Entra ID P1"),
    Known("AAD_PREMIUM_P2", "84a661c4-e949-4bd2-a560-ed7766fcaf2b", "Microsoft Entra ID P2"),
    Known("EMS", "efccb6f7-5641-4e0e-bd10-b4976e1bf68e", "Enterprise Mobility + Security E3"),
    Known("EMSPREMIUM", "b05e124f-c7cc-45a0-a6aa-8cf78c946968", "Enterprise Mobility + Security E5"),
    Known("INTUNE_A", "061f9ace-7d42-4136-88ac-31dc755f143f", "Microsoft Intune Plan 1"),
    Known("MCOMEETADV", "0c266dff-15dd-4b49-8397-2bb16070ed52", "Microsoft Teams Audio Conferencing"),
    Known("MCOEV", "e43b5b99-8dfb-405f-9987-dc307f34bcbd", "Microsoft Teams Phone Standard"),
    Known("Microsoft_365_Copilot", "639dec6b-bb19-468b-871c-c5c441c4b0cb", "Microsoft 365 Copilot"),
)

_BY_WORD = {word.casefold(): one for one in KNOWN for word in (one.part, one.sku)}
_OLD_TITLES = {
    "office 365 business": "O365_BUSINESS",
    "office 365 proplus": "OFFICESUBSCRIPTION",
    "office 365 business essentials": "O365_BUSINESS_ESSENTIALS",
    "office 365 business premium": "O365_BUSINESS_PREMIUM",
    "microsoft 365 business": "SPB",
}


def known(word: str) -> Known | None:
    """Give the licence that a part number or a skuId names, in any case."""
    return _BY_WORD.get(word.strip().casefold())


def titled(title: str) -> Known | None:
    """Give the licence that was sold under a title, by its present or its older name; the first of two alike."""
    plain_title = plain(title)
    old = next((part for name, part in _OLD_TITLES.items() if plain(name) == plain_title), "")
    return known(old) if old else next((one for one in KNOWN if plain(one.title) == plain_title), None)


def plain(title: str) -> str:
    """Spell a title by its letters and digits alone, as catalogues differ in the rest."""
    return "".join(one for one in title.casefold() if one.isalnum())
