"""Which product of a directory a seller's holding is, by what the manifest writes and the seller tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from reconciler.core.errors import Rejected
from reconciler.core.manifest import Group, Tenant
from reconciler.core.model import Holding
from reconciler.providers.microsoft.graph.skus import choose
from reconciler.providers.microsoft.graph.wire import Sku


class Matching(Struct, frozen=True):
    """One tenant's groups, as they are looked for among its holdings.

    product_id: the seller's key of a product. by_word: whether a holding is named after its group.
    """

    manifest: Tenant
    product_id: Callable[[str | None, str], str | None]
    by_word: bool

    def groups(self, one: Holding) -> tuple[Group, ...]:
        """The groups of the manifest that a holding may be: the one that pins it, else those of its product."""
        written = self.manifest.license_groups
        pinned = tuple(group for group in written if self._pin(group) == one.ref)
        if pinned:
            return pinned
        return tuple(
            group
            for group in written
            if self._pin(group) is None
            and (self.product_id(one.scope, group.product) or group.product) == one.product
        )

    def sku(self, one: Holding, groups: Sequence[Group], there: Sequence[Sku]) -> str | None:
        """The directory's product of a holding; None when it does not show yet, or is nobody's and unclear."""
        told = (*(group.sku or "" for group in groups), one.sku, *(group.product for group in groups))
        try:
            return choose((*told, one.name, one.product), there, what=self._called(one, groups))
        except Rejected:
            if groups and self.manifest.users is not None:
                raise
            return None

    def people_first(self, one: Holding) -> tuple[int, int, str]:
        """Sort what has people before what has none, and what is a group before what is nobody's."""
        groups = self.groups(one)
        return -sum(self._has_people(group) for group in groups), -len(groups), one.ref

    def told_apart(self, groups: Iterable[Group]) -> None:
        """Make sure that at most one of the groups of one product has people: a directory shows their sum."""
        names = sorted({group.name for group in groups if self._has_people(group)})
        if len(names) > 1:
            raise Rejected(
                f"{self.manifest.tenant}: groups {' and '.join(names)} are one product to the directory, "
                "which shows the sum of them",
                hint="put the people into one of the groups; the others may have seats, and no people",
                code="same-sku",
            )

    def named(self, name: str | None) -> Group | None:
        """The group of that name, when it is written."""
        return next((one for one in self.manifest.license_groups if one.name == name), None)

    def _called(self, one: Holding, groups: Sequence[Group]) -> str:
        names = " and ".join(f"group/{group.name}" for group in groups)
        return f"{self.manifest.tenant} {names or one.ref}"

    def _pin(self, group: Group) -> str | None:
        return f"{self.manifest.tenant}/{group.name}" if self.by_word else group.subscription

    def _has_people(self, group: Group) -> bool:
        return any(group.name in person.licenses for person in self.manifest.users or ())


def words(group: Group | None, detail: Mapping[str, object], holdings: Iterable[Holding] = ()) -> list[str]:
    """What an action's product may be known by: as written first, then as the seller tells it."""
    told = [one for holding in holdings for one in (holding.sku, holding.name)]
    written = [group.sku or "", group.product] if group else []
    return [*written[:1], *told[:1], *written[1:], *told[1:], str(detail.get("product") or "")]
