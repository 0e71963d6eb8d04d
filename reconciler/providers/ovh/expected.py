"""The ids of a list that an expanded list has to name, each once; of very many, most wait in few bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from reconciler.core.manifest import login_key
from reconciler.core.packing import Packing

AT_HAND = 30_000
"""How many ids stay as they are: most lists are shorter, and pay nothing."""

_NAMES = Packing(list[str])


class Expected:
    """The ids that were not met yet, compared without regard to case. clear: whether none of them stands there twice.

    Ids come together by what stands before their last dash, as the seats of a service do: those of very many
    are unpacked when the first of them is met.
    """

    def __init__(self, names: Sequence[str]) -> None:
        few = len(names) <= AT_HAND
        self._number = len(names)
        self._all: Sequence[str] | bytes = names if few else _NAMES.pack(names)
        self._left = _by_key(names if few else ())
        self._packed: dict[str, bytes] = {}
        self.clear = few and len(self._left) == len(names)
        if not few:
            self._pack(names)

    def names(self) -> Sequence[str]:
        """All of them, met or not, in the order in which they came."""
        return _NAMES.unpack(self._all) if isinstance(self._all, bytes) else self._all

    def meet(self, key: str) -> str | None:
        """Give the id as it was listed; None where it was not, or was met before."""
        key = login_key(key)
        if self._packed and (some := self._packed.pop(_front(key), None)) is not None:
            self._left |= _by_key(_NAMES.unpack(some))
        return self._left.pop(key, None)

    def __len__(self) -> int:
        """How many there were."""
        return self._number

    @property
    def met(self) -> bool:
        """Whether all were."""
        return not self._left and not self._packed

    def _pack(self, names: Sequence[str]) -> None:
        fronts: defaultdict[str, list[str]] = defaultdict(list)
        for name in names:
            fronts[_front(login_key(name))].append(name)
        self.clear = all(len(_by_key(some)) == len(some) for some in fronts.values())
        self._packed = {front: _NAMES.pack(some) for front, some in fronts.items()}


def _front(key: str) -> str:
    return key.rpartition("-")[0]


def _by_key(names: Sequence[str]) -> dict[str, str]:
    return {login_key(name): name for name in names}
