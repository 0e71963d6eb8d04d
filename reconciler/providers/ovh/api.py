"""Typed calls: a route in, a published model out, and the right error when the answer is something else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from reconciler.core.errors import Missing, Rejected, Unavailable, Uncertain
from reconciler.core.provider import Told
from reconciler.providers.http import Session
from reconciler.providers.ovh.wire import Me, Service
from reconciler.providers.published import parse

T = TypeVar("T")


class Api:
    """One account's calls, shared by its three product families.

    unanswered: optional features of the API that were tried and are not answered here.
    waves: what is being asked for together, until the requests begin; see `batches`.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.settings = session.settings
        self.unanswered: set[str] = set()
        self.waves: dict[tuple[str, str, Any], Any] = {}
        self._subsidiary = session.settings.subsidiary

    async def now(self) -> datetime:
        """The provider's clock; a local provider's may have been turned since it was last asked."""
        seconds = await self.session.dialect.now(self.session, fresh=self.settings.sandbox)
        return datetime.fromtimestamp(seconds, UTC)

    async def get(self, kind: type[T], route: str, query: Mapping[str, str] | None = None) -> T:
        """Read one object; a body of another shape is as good as none."""
        answer = await self.session.read(route, query=query)
        try:
            return parse(kind, answer.data)
        except ValueError as error:
            raise Unavailable(
                f"GET {route}: the answer is not as published ({error})", code="unreadable"
            ) from None

    async def maybe(self, kind: type[T], route: str, query: Mapping[str, str] | None = None) -> T | None:
        """Read one object that may not be there, or whose route may not be."""
        try:
            return await self.get(kind, route, query)
        except Missing:
            return None

    async def send(self, kind: type[T], method: str, route: str, body: object = None) -> T:
        """Change something and read the answer; one of another shape leaves open what happened."""
        answer = await self.session.write(method, route, body)
        try:
            return parse(kind, answer.data)
        except ValueError as error:
            raise Uncertain(
                f"{method} {route}: the answer is not as published ({error})", code="unreadable"
            ) from None

    async def do(self, method: str, route: str, body: object = None) -> Any:
        """Change something whose answer tells nothing; gives it as it came."""
        return (await self.session.write(method, route, body)).data

    async def subsidiary(self) -> str:
        """The country of the seller, of the settings or of the account."""
        if self._subsidiary is None:
            self._subsidiary = (await self.get(Me, "/me")).ovh_subsidiary or "FR"
        return self._subsidiary

    async def service(self, route: str) -> Service | None:
        """Read how a service renews; None where the provider does not say."""
        try:
            return await self.get(Service, f"{route}/serviceInfos")
        except Rejected:
            return None


async def refused(message: str) -> AsyncGenerator[Told, None]:
    """Be the execution of an action that an adapter does not know."""
    raise Rejected(message, code="not-supported")
    yield  # makes it a generator, as every execution is one
