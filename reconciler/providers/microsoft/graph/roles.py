"""Directory roles: written by name or by id, kept by Graph by id."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconciler.core.errors import Rejected
from reconciler.core.fields import GUID
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.graph.wire import RoleTemplate

_GUID = re.compile(GUID)


async def ids(partner: Api, wanted: Iterable[str]) -> list[str]:
    """Spell roles out as ids. Raises Rejected for a name that the directory does not have."""
    written = tuple(wanted)
    known = await _known(partner, written)
    unknown = [one for one in written if one.casefold() not in known]
    if unknown:
        raise Rejected(
            f"there is no directory role {', '.join(map(repr, unknown))}",
            hint="write the role's name as the admin center shows it, or its template id",
            code="no-role",
        )
    return [known[one.casefold()] for one in written]


async def words(partner: Api, written: Iterable[str]) -> dict[str, str]:
    """Give the words for each role's id: those that are written, else its name where names had to be read."""
    mine = tuple(written)
    if _spelled(mine):
        return {one.lower(): one for one in mine}
    templates = await _templates(partner)
    said = {one.casefold(): one for one in mine}
    return {
        one.id: said.get(one.display_name.casefold()) or said.get(one.id, one.display_name)
        for one in templates
    }


async def _known(partner: Api, written: tuple[str, ...]) -> dict[str, str]:
    """The ids by what may be written; names are looked up in the directory's own list."""
    if _spelled(written):
        return {one.lower(): one.lower() for one in written}
    templates = await _templates(partner)
    return {one.display_name.casefold(): one.id for one in templates} | {one.id: one.id for one in templates}


async def _templates(partner: Api) -> list[RoleTemplate]:
    return await partner.values(RoleTemplate, "/directoryRoleTemplates")


def _spelled(written: tuple[str, ...]) -> bool:
    return all(_GUID.fullmatch(one) for one in written)
