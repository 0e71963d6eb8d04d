"""The account that owns the world: who it is, where, in which currency, and what things cost."""

import json
from decimal import Decimal
from typing import Any

from reconciler.sandbox.store import Tx

ACCOUNT = {"nichandle": "sb1234-ovh", "subsidiary": "FR", "currency": "EUR", "email": "owner@sandbox.example"}

PRICES: dict[str, dict[str, str]] = {
    "prepaid": {"officeBusiness": "10.50", "officeProPlus": "17.05"},
    "payg": {"officeBusiness": "11.00", "officeProPlus": "18.00"},
    "csp2": {},
}

CSP2_PRICE = "9.90"

_SYMBOLS = {"EUR": "€", "GBP": "£", "PLN": "zł", "CZK": "Kč", "USD": "$", "CAD": "$"}


def account(tx: Tx) -> dict[str, str]:
    """Give the account."""
    return ACCOUNT | stored(tx, "account")


def price(tx: Tx, family: str, key: str) -> int:
    """Give a monthly price in hundred-millionths of the currency's unit."""
    known = stored(tx, "prices").get(family, {})
    amount = known.get(key) or PRICES[family].get(key, CSP2_PRICE)
    return int(Decimal(str(amount)) * 10**8)


def money(tx: Tx, ucents: int) -> dict[str, Any]:
    """Show an amount the way the API does."""
    currency = account(tx)["currency"]
    value = round(ucents / 10**8, 2)
    return {
        "currencyCode": currency,
        "priceInUcents": ucents,
        "text": f"{value:.2f} {_SYMBOLS.get(currency, currency)}",
        "value": value,
    }


def stored(tx: Tx, key: str) -> dict[str, Any]:
    """Give a document out of the settings, empty when it was never set."""
    row = tx.one("SELECT value FROM setting WHERE key = ?", key)
    return {} if row is None else dict(json.loads(row["value"]))


def store(tx: Tx, key: str, value: object) -> None:
    """Keep a document in the settings."""
    tx.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", key, json.dumps(value))
