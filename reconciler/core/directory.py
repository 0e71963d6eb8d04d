"""Who is to exist in a tenant's directory: people are created before they get a licence, and kept as written.

Only what this tool created is ever deleted, and only once it is no longer written; a directory keeps what was
deleted in a bin, from where it is restored when it is written again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from reconciler.core.action import Change, Verb
from reconciler.core.draft import Draft, Wording
from reconciler.core.manifest import Person, full_login, login_key
from reconciler.core.model import Address, Entry, Json, Organisation, User, user_address
from reconciler.core.pool import Pool, Staying, Waiter
from reconciler.core.progress import Progress


class Wanted(NamedTuple):
    """A person as written, with the login in full."""

    person: Person
    user: User


class Kept(Struct):
    """What seating has to know: the action that a person's licence waits for, by login."""

    needs: dict[str, str] = field(default_factory=dict)


class _Case(Struct, frozen=True, kw_only=True):
    """One tenant's people and what their directory shows."""

    draft: Draft
    progress: Progress
    pool: Pool
    entries: Mapping[str, Entry]
    bin: Mapping[str, Entry]
    busy: frozenset[str]
    kept: Kept

    def is_ours(self, login: str) -> bool:
        """Whether this tool created the person, or seated them somewhere."""
        return login in self.progress.created or any(one == login for _, one in self.progress.owned)


def keep_people(draft: Draft, organisation: Organisation, pool: Pool, progress: Progress) -> Kept:
    """Plan who is created, restored, changed and renamed, and take out of the pool whom that holds back."""
    tenant = draft.manifest.tenant
    kept = Kept()
    if organisation.closed:
        pool.waiting += [
            Waiter(one.group, one.person, one.login, organisation.closed) for one in pool.joiners
        ]
        pool.joiners = []
    if tenant.users is None or organisation.entries is None:
        return kept
    case = _Case(
        draft=draft,
        progress=progress,
        pool=pool,
        entries={one.login: one for one in organisation.entries if not one.deleted},
        bin={one.login: one for one in organisation.entries if one.deleted},
        busy=frozenset(
            login
            for one in progress.open.values()
            if one.action.address.startswith("user/")
            for login in one.logins
        ),
        kept=kept,
    )
    domain = tenant.domain or organisation.domain
    for person in sorted(tenant.users, key=lambda one: login_key(one.login)):
        _keep(case, _wanted(person, domain, tenant.customer.country if tenant.customer else None))
    _seat_renamed(pool)
    return kept


def _wanted(person: Person, domain: str, country: str | None) -> Wanted:
    where = person.country or country
    login = full_login(person.login, domain)
    return Wanted(person, User(login, person.first_name, person.last_name, where.lower() if where else None))


def _keep(case: _Case, wanted: Wanted) -> None:
    person, user = wanted
    if "@" not in user.login:
        reason = "the login has no domain, and the directory tells none: write `domain:`"
        _hold_back(case, wanted, reason)
        source = case.draft.person_source(person)
        case.draft.block(_address(person), Verb.CREATE_USER, reason, source=source)
        return
    entry, old = case.entries.get(user.login), _old(case, wanted)
    if case.busy & {user.login, old.login if old else ""}:
        _hold_back(case, wanted, f"waits until what is under way for {user.login} is done", waits=True)
        return
    if user.country is None and person.licenses and not (entry or old or Entry("", "")).country:
        _hold_back(case, wanted, "a licence needs a country: write `country:`")
    if old is not None:
        case.kept.needs[user.login] = _change(case, wanted, old, renames=True)
    elif entry is None:
        case.kept.needs[user.login] = _create(case, wanted)
    elif _differs(entry, user):
        case.kept.needs[user.login] = _change(case, wanted, entry, renames=False)


def _address(person: Person) -> Address:
    return user_address(login_key(person.login))


def _old(case: _Case, wanted: Wanted) -> Entry | None:
    """Find the entry that is renamed: the old login is there and ours, the new one is not."""
    person, user = wanted
    if person.previously is None:
        return None
    _, at, domain = user.login.partition("@")
    login = full_login(person.previously, domain if at else None)
    old = case.entries.get(login)
    if old is None:
        return None
    said = ""
    if user.login in case.entries:
        said = f"both {login} and {user.login} exist, so `previously` does nothing"
    elif not case.is_ours(login):
        said = f"{login} is not ours, so `previously` does nothing: adopt it"
    if said:
        case.draft.find("RC4201", _address(person), said)
        return None
    return old


def _hold_back(case: _Case, wanted: Wanted, reason: str, *, waits: bool = False) -> None:
    """Let a person get no licence now."""
    pool, login = case.pool, wanted.user.login
    held = [one for one in pool.joiners if one.login == login]
    pool.joiners = [one for one in pool.joiners if one.login != login]
    told = [Waiter(one.group, one.person, one.login, reason) for one in held]
    if waits:
        pool.waiting += told
    else:
        pool.refused += told


def _fields(user: User) -> dict[str, object]:
    told: dict[str, object] = {"first_name": user.first_name, "last_name": user.last_name}
    return {**told, "country": user.country} if user.country else told


def _differs(entry: Entry, user: User) -> bool:
    has = entry.user._asdict()
    return any(has[key] != value for key, value in _fields(user).items())


def _create(case: _Case, wanted: Wanted) -> str:
    person, user = wanted
    gone = case.bin.get(user.login)
    name = f"{user.first_name} {user.last_name}"
    made = case.draft.act(
        Verb.CREATE_USER,
        Change(_address(person), before=None, after={"login": user.login, **_fields(user)}),
        Wording(
            summary=f"{name} is restored from the bin" if gone else f"{name} is created in the directory",
            reason=f"manifest names {person.login}",
            source=case.draft.person_source(person),
        ),
        detail=_detail(user, restore=gone.ref if gone else None),
    )
    return made or ""


def _change(case: _Case, wanted: Wanted, entry: Entry, *, renames: bool) -> str:
    person, user = wanted
    has = entry.user._asdict()
    after = _fields(user)
    before: dict[str, object] = {key: has[key] for key in after}
    if renames:
        before, after = {"login": entry.login, **before}, {"login": user.login, **after}
    differs = [key for key in after if before[key] != after[key]]
    made = case.draft.act(
        Verb.UPDATE,
        Change(_address(person), before, after),
        Wording(
            summary=", ".join(f"{key} {before[key]} -> {after[key]}" for key in differs),
            reason="manifest renames the person" if renames else "manifest says otherwise",
            source=case.draft.person_source(person),
        ),
        detail=_detail(user, user=entry.ref, previously=entry.login if renames else None),
    )
    return made or ""


def _detail(who: User, **more: str | None) -> Json:
    return {key: value for key, value in {**who._asdict(), **more}.items() if value is not None}


def _seat_renamed(pool: Pool) -> None:
    """Who is renamed in the directory keeps every seat under the new login."""
    pool.staying += [Staying(one.group, one.person, one.login, one.place) for one in pool.renames]
    pool.renames = []


def drop_people(
    draft: Draft,
    organisation: Organisation,
    pool: Pool,
    progress: Progress,
    *,
    freed: Mapping[tuple[str, str], str],
) -> None:
    """Plan the deletion of people this tool created and nobody writes any more, after their last licence is gone.

    freed: the actions that take licences away, by group and the person's key in the directory.
    """
    tenant = draft.manifest.tenant
    if tenant.users is None or organisation.entries is None:
        return
    domain = tenant.domain or organisation.domain
    written = {
        full_login(login, domain) for one in tenant.users for login in (one.login, one.previously) if login
    }
    busy = {login for one in progress.open.values() for login in one.logins}
    seated = {one.login for part in (pool.unmanaged, pool.leaving, pool.staying) for one in part}
    seated |= {one.login for one in pool.leavers if one.kept}
    for entry in sorted(organisation.entries):
        if entry.deleted or entry.login in written | busy or not _made(progress, entry):
            continue
        if entry.login in seated:
            reason = f"{entry.login} still has a licence, so the person is not deleted"
            draft.wait(user_address(entry.login), Verb.DELETE_USER, reason)
            continue
        _drop(draft, entry, needs=sorted(action for (_, ref), action in freed.items() if ref == entry.ref))


def _made(progress: Progress, entry: Entry) -> bool:
    """Whether this tool put that very person there: one of the same login may have been made by somebody since."""
    return progress.created.get(entry.login) in {"", entry.ref}


def _drop(draft: Draft, entry: Entry, *, needs: Sequence[str]) -> None:
    draft.act(
        Verb.DELETE_USER,
        Change(user_address(entry.login), before={"login": entry.login}, after=None),
        Wording(
            summary=f"{entry.login} is deleted; the directory keeps it in its bin for 30 days",
            reason="created by this tool, and no longer written in the manifest",
            source=draft.source("users"),
        ),
        detail=_detail(entry.user, user=entry.ref),
        needs=needs,
    )
