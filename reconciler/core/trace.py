"""What a purchase of ours leaves at the provider, by which a journal that does not know it is found out."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.model import Address


class Trace(Struct, frozen=True, kw_only=True):
    """A purchase that carries our mark: whose it was, and what shows it.

    action: its id. ref: what carries the mark. order: the order's number; empty where nobody can tell it.
    bought: whether it went through; else it was begun and nothing is paid.
    """

    action: str
    tenant: str
    address: Address
    ref: str
    order: str = ""
    bought: bool = True

    @property
    def told(self) -> str:
        """What a person can look up."""
        what = (
            f"order {self.order}"
            if self.order
            else f"cart {self.ref}{'' if self.bought else ', not ordered'}"
        )
        return f"{self.tenant} {self.address} ({what})"


@runtime_checkable
class Marked(Protocol):
    """An account at which our purchases carry a mark that can be read again."""

    async def traces(self, known: frozenset[str]) -> tuple[Trace, ...]:
        """Find our purchases of late that are not in `known` (refs and order numbers); none where nobody may look."""
        ...
