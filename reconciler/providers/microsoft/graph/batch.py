"""Many reads in one request, and what Graph's refusals say, whose codes alone do not tell one from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from reconciler.core.errors import ProviderError
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.wire import Missing, Text, Wire
from reconciler.providers.published import parse

T = TypeVar("T")

MOST = 20
"""Calls in one `$batch` (Graph, "Combine multiple requests in one HTTP call", 2021-07)."""
FOUND = 200


class _Answer(Wire):
    id: Text = ""
    status: int = 0
    body: Any = None


class _Answers(Wire):
    responses: Annotated[tuple[_Answer, ...], Missing] = ()


async def together(api: Api, kind: type[T], routes: Sequence[str]) -> dict[str, T]:
    """Read objects, up to twenty a request; one that cannot be read, or reads otherwise, is left out."""
    found: dict[str, T] = {}
    for at in range(0, len(routes), MOST):
        some = dict(enumerate(routes[at : at + MOST]))
        asked = [{"id": str(number), "method": "GET", "url": route} for number, route in some.items()]
        answers = await api.ask(_Answers, "/$batch", {"requests": asked})
        by_id = {one.id: one for one in answers.responses if one.status == FOUND}
        for number, route in some.items():
            if str(number) in by_id:
                _take(found, kind, route, by_id[str(number)].body)
    return found


def _take(found: dict[str, T], kind: type[T], route: str, body: object) -> None:
    try:
        found[route] = parse(kind, body)
    except ValueError:
        return


def says(error: ProviderError, *words: str) -> bool:
    """Whether a refusal's words are these."""
    said = error.message.lower()
    return any(word in said for word in words)
