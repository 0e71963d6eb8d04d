"""What Partner Center sells here: products, their SKU in a directory, limits and prices."""

from decimal import Decimal
from typing import Any

from msgspec import Struct

from reconciler.sandbox.microsoft.wire import named
from reconciler.sandbox.ovh.account import stored
from reconciler.sandbox.store import Tx

TERMS = (("P1M", "monthly"), ("P1Y", "monthly"), ("P1Y", "annual"), ("P3Y", "monthly"), ("P3Y", "annual"))
TRIAL_TERMS = (("P1M", "none"),)
MONTHS = {"P1M": 1, "P1Y": 12, "P3Y": 36}
"""How many months a term has."""


class Product(Struct, frozen=True):
    """Something to buy; `id` is `product:sku`, `sku` and `part` are what a directory calls it."""

    id: str
    title: str
    sku: str
    part: str
    price: str = "10.00"
    most: int = 10000
    needs: tuple[str, ...] = ()
    trial: bool = False

    @property
    def product(self) -> str:
        """The product's id."""
        return self.id.partition(":")[0]

    @property
    def variant(self) -> str:
        """The id of the SKU inside the product."""
        return self.id.partition(":")[2]


# Business Basic's ids are from Microsoft's samples (2023-10), the skuIds from its licensing reference (2026-08);
# the other product ids and all prices are the sandbox's own.
PRODUCTS = (
    Product(
        "CFQ7TTC0LH18:0001", "Microsoft 365 Business Basic", "3b555118-da6a-4418-894f-7df1e2096870",
        "O365_BUSINESS_ESSENTIALS", "5.60", 300,
    ),
    Product(
        "CFQ7TTC0LDPB:0001", "Microsoft 365 Business Standard", "f245ecc8-75af-4f8e-b61f-27d8114de5f3",
        "O365_BUSINESS_PREMIUM", "11.70", 300,
    ),
    Product(
        "CFQ7TTC0LCHC:0002", "Microsoft 365 Business Premium", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46",
        "SPB", "20.60", 300,
    ),
    Product(
        "CFQ7TTC0LH1G:0001", "Microsoft 365 Apps for business", "cdd28e44-67e3-425e-be4c-737fab2899d3",
        "O365_BUSINESS", "9.80", 300,
    ),
    Product(
        "CFQ7TTC0LGZT:0001", "Microsoft 365 Apps for enterprise", "c2273bd0-dff7-4215-9ef5-2c7bcfb06425",
        "OFFICESUBSCRIPTION", "13.10",
    ),
    Product(
        "CFQ7TTC0LF8Q:0001", "Office 365 E1", "18181a46-0d4e-45cd-891e-60aabd171b4e", "STANDARDPACK", "8.80"
    ),
    Product(
        "CFQ7TTC0LF8R:0001", "Office 365 E3", "6fd2c87f-b296-42f0-b197-1e91e994b900", "ENTERPRISEPACK", "22.00"
    ),
    Product(
        "CFQ7TTC0LF8S:0002", "Office 365 E5", "c7df2760-2c81-4ef7-b578-5b5392b571df", "ENTERPRISEPREMIUM", "35.70"
    ),
    Product("CFQ7TTC0LFLX:0001", "Microsoft 365 E3", "05e9a617-0261-4cee-bb44-138d3ef5d965", "SPE_E3", "36.10"),
    Product("CFQ7TTC0LFLZ:0002", "Microsoft 365 E5", "06ebc4ee-1bb5-47dd-8120-11324bc54e06", "SPE_E5", "57.00"),
    Product("CFQ7TTC0LH05:0001", "Microsoft 365 F3", "66b55226-6b4f-492c-910c-a3b7a3c9d993", "SPE_F1", "7.50"),
    Product(
        "CFQ7TTC0LH16:0001", "Exchange Online (Plan 1)", "4b9405b0-7788-4568-add1-99614e613b69",
        "EXCHANGESTANDARD", "3.70",
    ),
    Product(
        "CFQ7TTC0LH1P:0001", "Exchange Online (Plan 2)", "19ec0d23-8335-4cbd-94ac-6050e30712fa",
        "EXCHANGEENTERPRISE", "7.50",
    ),
    Product("CFQ7TTC0L3PB:0001", "Power BI Pro", "f8a1db68-be16-40ed-86d5-cb42ce701560", "POWER_BI_PRO", "9.40"),
    Product(
        "CFQ7TTC0LHSL:0001", "Microsoft Teams Audio Conferencing", "0c266dff-15dd-4b49-8397-2bb16070ed52",
        "MCOMEETADV", "3.70",
        needs=("CFQ7TTC0LF8R:0001", "CFQ7TTC0LFLX:0001", "CFQ7TTC0LCHC:0002"),
    ),
    Product(
        "CFQ7TTC0LH18:0002", "Microsoft 365 Business Basic Trial", "3b555118-da6a-4418-894f-7df1e2096870",
        "O365_BUSINESS_ESSENTIALS", "0.00", 25, trial=True,
    ),
)  # fmt: skip

_BY_ID = {one.id: one for one in PRODUCTS}
_BY_SKU = {one.sku: one for one in reversed(PRODUCTS)}

# What the reseller face of OVHcloud sells, by the names that it uses.
_BY_TITLE = {one.title: one for one in reversed(PRODUCTS)}


def find(item: str) -> Product | None:
    """Give the product of `product:sku`."""
    return _BY_ID.get(item)


def chosen(word: str) -> Product:
    """Give what a world file means by `product:sku`, a skuPartNumber, a skuId or a title."""
    for one in PRODUCTS:
        if word.lower() in {one.id.lower(), one.part.lower(), one.sku, one.title.lower()}:
            return one
    known = ", ".join(one.part for one in PRODUCTS)
    raise ValueError(f"{word!r} is no product; there are: {known}, and each by its product:sku")


def titled(title: str) -> Product | None:
    """Give the product with a title, however the seller numbers it."""
    return _BY_TITLE.get(title)


def part(sku: str) -> str:
    """Give the skuPartNumber of a skuId."""
    known = _BY_SKU.get(sku)
    return known.part if known is not None else f"SKU_{sku[:8]}"


def plans(sku: str) -> list[dict[str, Any]]:
    """Give the service plans of a SKU; ids and names are the sandbox's own."""
    name = part(sku)
    return [
        {
            "servicePlanId": named("plan", sku, word),
            "servicePlanName": f"{name}_{word}",
            "provisioningStatus": "Success",
            "appliesTo": "User",
        }
        for word in ("APPS", "MAIL")
    ]


def availability(tx: Tx, product: Product) -> str:
    """Give the id under which a product can be bought now; it changes with time, as the real ones do."""
    days = max(1.0, tx.settings.catalog_days)
    return named("availability", product.id, int(tx.now // (days * 86400))).replace("-", "").upper()[:12]


def terms(product: Product) -> tuple[tuple[str, str], ...]:
    """Give the terms and billing cycles in which a product is sold."""
    return TRIAL_TERMS if product.trial else TERMS


def price(tx: Tx, product: Product, billing: str) -> Decimal:
    """Give the price of one licence for one bill, without tax."""
    known = stored(tx, "prices").get("microsoft", {})
    month = Decimal(str(known.get(product.part) or known.get(product.id) or product.price))
    return month * 12 if billing == "annual" else month


def bills(term: str, billing: str) -> int:
    """Give how many bills a term has."""
    return max(1, MONTHS[term] // (12 if billing == "annual" else 1))
