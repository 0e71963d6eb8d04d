"""The directories that one account at Microsoft opens, each under a token of its own."""

from __future__ import annotations

from reconciler.core.errors import Rejected
from reconciler.core.manifest import Tenant as Manifest
from reconciler.providers.microsoft.connection import Connection
from reconciler.providers.microsoft.graph.directory import Directory
from reconciler.providers.microsoft.graph.tenant import DirectoryTenant


class Graph:
    """Every directory that an account's application may open."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self.sandbox = connection.settings.sandbox
        self._connection = connection
        self._directories: dict[str, Directory] = {}

    def tenant(self, manifest: Manifest) -> DirectoryTenant:
        """The part of the tenant whose directory the manifest pins."""
        if manifest.directory is None:
            raise Rejected(
                f"{manifest.tenant} names no directory", hint="write `directory:`", code="no-directory"
            )
        wanted = manifest.directory_id
        if wanted not in self._directories:
            # Delegated rights stand in the partner's own directory, not in the customer's.
            own = self._connection.application.tenant_id
            self._directories[wanted] = Directory(
                wanted, self._connection.graph(wanted), self._connection.graph(own)
            )
        return DirectoryTenant(self._directories[wanted], manifest)

    async def close(self) -> None:
        """Let go of connections."""
        await self._connection.close()
