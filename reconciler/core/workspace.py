"""The shape of reconciler.yaml: accounts, journal, prices and policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from reconciler.core.accounts import (
    Account,
    ManualAccount,
    MicrosoftAccount,
    MicrosoftCredentials,
    OvhAccount,
    OvhCredentials,
)
from reconciler.core.fields import Amount, Currency, Optional, Part, Product, Slug, Text, Version, Whole

__all__ = [
    "DEFAULT_JOURNAL",
    "WORKSPACE",
    "Account",
    "Limit",
    "ManualAccount",
    "MicrosoftAccount",
    "MicrosoftCredentials",
    "OvhAccount",
    "OvhCredentials",
    "Policy",
    "Price",
    "Workspace",
    "satisfies",
]

DEFAULT_JOURNAL = "sqlite:///.reconciler/journal.db"

_NUMBER = r"[0-9]+(?:\.[0-9]+){0,3}"
# As PEP 440 has it: only (in)equality takes a prefix, as in ==0.1.*, and `~=1` would say nothing of what follows it.
_CLAUSE = re.compile(
    rf"\s*(?:(?P<sign>>=|<=|==|!=|>|<)\s*(?P<whole>{_NUMBER})|(?P<like>==|!=)\s*(?P<prefix>{_NUMBER})\.\*"
    rf"|~=\s*(?P<least>[0-9]+(?:\.[0-9]+){{1,3}}))\s*"
)


class Limit(Part):
    """An amount of money in one currency."""

    amount: Amount = Field(description='In quotes, as in "500.00".')
    currency: Currency = Field(description="ISO 4217, as in EUR.")


class Price(Part):
    """What a product costs where its provider tells no price."""

    product: Product = Field(description="The product as the tenants name it.")
    amount: Amount = Field(description='For one seat, in quotes, as in "10.50".')
    currency: Currency = Field(description="ISO 4217, as in EUR.")
    per: Literal["month", "year"] = Field(description="For how long it is paid.")


class Policy(Part):
    """What one run may do at most; counted over the whole run unless said otherwise."""

    max_monthly_increase: Optional[Limit] = Field(
        None, description="Rise of the monthly bill, with this month's."
    )
    max_seats_per_action: Whole = Field(100, description="Seats that one action may add.")
    max_cancellations: Whole = Field(3, description="Groups a run may cancel.")
    max_deactivations: Whole = Field(50, description="Places a run may take away.")
    max_tenants_changed: Optional[Whole] = Field(None, description="Tenants a run may change.")
    protected: tuple[Slug, ...] = Field((), description="Tenants from which nothing is taken away.")


class Workspace(Part):
    """The workspace: accounts, journal, prices and policy."""

    version: Version = Field(description="Version of this file format.")
    requires: Optional[Text] = Field(
        None, description='Versions of the tool that may be used, as in ">=0.1".'
    )
    accounts: Mapping[Slug, Annotated[Account, Field(discriminator="api")]] = Field(
        description="By name: credentials live here and nowhere else."
    )
    journal: Text = Field(
        DEFAULT_JOURNAL, description="sqlite:///, postgresql://, git+URL#branch or env://NAME."
    )
    prices: tuple[Price, ...] = Field((), description="For products whose provider tells no price.")
    policy: Policy = Field(default_factory=Policy, description="The guards of every run.")


WORKSPACE: TypeAdapter[Workspace] = TypeAdapter(Workspace)


def satisfies(version: str, requires: str) -> bool | None:
    """Tell whether a version is one of those required, as in `>=0.1,<2` or `==0.1.*`; None when that cannot be read.

    The signs mean what they mean to Python's packages (PEP 440), judged by the numbers alone.
    """
    have = _numbers(re.match(r"[0-9]+(?:\.[0-9]+)*", version))
    if have is None:
        return None
    clauses = [_CLAUSE.fullmatch(part) for part in requires.split(",")]
    if any(clause is None for clause in clauses):
        return None
    return all(_meets(have, clause) for clause in clauses if clause)


def _numbers(match: re.Match[str] | None) -> tuple[int, ...] | None:
    return tuple(map(int, match[0].split("."))) if match else None


def _meets(have: tuple[int, ...], clause: re.Match[str]) -> bool:
    if text := clause["whole"]:
        return _holds(have, clause["sign"], text)
    if text := clause["prefix"]:
        return _begins(have, text) is (clause["like"] == "==")
    least = clause["least"]
    return _holds(have, ">=", least) and _begins(have, least.rpartition(".")[0])


def _begins(have: tuple[int, ...], text: str) -> bool:
    prefix = tuple(map(int, text.split(".")))
    return (have + (0,) * len(prefix))[: len(prefix)] == prefix


def _holds(have: tuple[int, ...], sign: str, text: str) -> bool:
    want = tuple(map(int, text.split(".")))
    width = max(len(have), len(want))
    left = have + (0,) * (width - len(have))
    right = want + (0,) * (width - len(want))
    match sign:
        case ">=":
            return left >= right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case "<":
            return left < right
        case "==":
            return left == right
    return left != right
