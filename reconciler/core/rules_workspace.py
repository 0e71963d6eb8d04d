"""The rules for the workspace file: accounts, credentials, where they may go, and the tool's version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from reconciler.core.diagnostic import Path, Problem
from reconciler.core.endpoints import MICROSOFT_HOSTS, OVH_ENDPOINTS, OVH_HOSTS, why_not
from reconciler.core.fields import REFERENCE
from reconciler.core.workspace import satisfies

SIGNATURE = ("application_key", "application_secret", "consumer_key")
OAUTH = ("client_id", "client_secret")
APIS = ("ovh", "microsoft", "manual")
JOURNALS = ("sqlite:", "postgresql:", "postgresql+psycopg:", "git+", "env://")


def refuses(raw: dict[str, Any], *, version: str) -> Problem | None:
    """Say why this version of the tool may not read the file: judged before anything else in it."""
    requires = raw.get("requires")
    if not isinstance(requires, str) or satisfies(version, requires) is not False:
        return None
    message = f"this workspace requires the tool {requires}, and this is {version}"
    return Problem("RC3002", ("requires",), message, hint="install a version it takes, or change `requires`")


def check(raw: dict[str, Any], *, allowed: frozenset[str]) -> list[Problem]:
    """List what breaks a rule in the workspace file; `allowed` are the hosts of RECONCILER_ENDPOINTS."""
    return [*_requires(raw), *_journal(raw), *_accounts(raw, allowed)]


def apis(raw: dict[str, Any]) -> dict[str, str] | None:
    """The `api` of each account as far as it is written, also of one that is wrong otherwise; None without any."""
    accounts = raw.get("accounts")
    if not isinstance(accounts, dict):
        return None
    written = {name: one.get("api") if isinstance(one, dict) else None for name, one in accounts.items()}
    return {name: api if isinstance(api, str) and api in APIS else "" for name, api in written.items()}


def _requires(raw: dict[str, Any]) -> Iterator[Problem]:
    requires = raw.get("requires")
    if isinstance(requires, str) and satisfies("0", requires) is None:
        yield Problem("RC3003", ("requires",), "`requires` cannot be read", hint='write it as in ">=0.1,<2"')


def _journal(raw: dict[str, Any]) -> Iterator[Problem]:
    journal = raw.get("journal")
    if not isinstance(journal, str):
        return
    if not journal.startswith(JOURNALS):
        hint = "write sqlite:///FILE, postgresql://HOST/NAME, git+URL#BRANCH or env://NAME"
        yield Problem("RC3004", ("journal",), "`journal` is of no known kind", hint=hint)
    elif _has_secret(journal):
        hint = "write env://RECONCILER_JOURNAL and keep the whole URL there"
        yield Problem("RC1106", ("journal",), "`journal` must not carry a password", hint=hint)


def _has_secret(url: str) -> bool:
    try:
        parts = urlsplit(url.removeprefix("git+"))
    except ValueError:
        return False
    # A token of a git host stands where the user's name would; over ssh that is only a name.
    token = parts.scheme in {"http", "https"} and parts.username is not None
    return token or parts.password is not None or "password=" in url.lower()


def _accounts(raw: dict[str, Any], allowed: frozenset[str]) -> Iterator[Problem]:
    accounts = raw.get("accounts")
    if not isinstance(accounts, dict):
        return
    for name, account in accounts.items():
        path: Path = ("accounts", name)
        match account:
            case {"api": "ovh"}:
                yield from _ovh(account, path, allowed)
            case {"api": "microsoft"}:
                yield from _microsoft(account, path, allowed)


def _ovh(account: dict[str, Any], path: Path, allowed: frozenset[str]) -> Iterator[Problem]:
    endpoint = account.get("endpoint")
    if not isinstance(endpoint, str):
        return
    if endpoint not in OVH_ENDPOINTS and endpoint != "sandbox":
        yield from _endpoint(endpoint, (*path, "endpoint"), own=OVH_HOSTS, allowed=allowed)
    token_url = account.get("token_url")
    if isinstance(token_url, str):
        yield from _endpoint(token_url, (*path, "token_url"), own=OVH_HOSTS, allowed=allowed)
    yield from _schemes(account, path, endpoint=endpoint)


def _endpoint(url: str, path: Path, *, own: frozenset[str], allowed: frozenset[str]) -> Iterator[Problem]:
    why = why_not(url, own=own, allowed=allowed)
    if why is None:
        return
    hint = ""
    if why == "must be an http(s) URL" and path[-1] == "endpoint":
        hint = "write ovh-eu, ovh-ca, ovh-us, sandbox, or a URL ending in /1.0"
    yield Problem("RC3101", path, f"`{path[-1]}` {why}", hint=hint)


def _schemes(account: dict[str, Any], path: Path, *, endpoint: str) -> Iterator[Problem]:
    credentials = account.get("credentials")
    if credentials is None and "credentials" not in account:
        if endpoint != "sandbox":
            hint = f"write {', '.join(SIGNATURE)}, or {' and '.join(OAUTH)}, as references"
            yield Problem("RC3102", path, "`credentials` is missing", hint=hint)
        return
    if not isinstance(credentials, dict):
        return
    where = (*path, "credentials")
    signs = [key for key in SIGNATURE if key in credentials]
    tokens = [key for key in OAUTH if key in credentials]
    if signs and tokens:
        message = f"two kinds of credentials: {signs[0]} goes with a signature, {tokens[0]} with OAuth2"
        yield Problem("RC3103", where, message, hint="keep one kind")
        return
    wanted = OAUTH if tokens else SIGNATURE
    missing = [key for key in wanted if key not in credentials]
    if missing:
        yield Problem("RC3102", where, f"`{missing[0]}` is missing", hint=f"needed: {', '.join(wanted)}")
    elif tokens and "token_url" not in account and endpoint not in {*OVH_ENDPOINTS, "sandbox"}:
        hint = "write where this endpoint's OAuth2 tokens come from"
        yield Problem("RC3104", path, "`token_url` is missing", hint=hint)


def _microsoft(account: dict[str, Any], path: Path, allowed: frozenset[str]) -> Iterator[Problem]:
    endpoint = account.get("endpoint", "public")
    if isinstance(endpoint, dict):
        for key, url in endpoint.items():
            if isinstance(url, str):
                yield from _endpoint(url, (*path, "endpoint", key), own=MICROSOFT_HOSTS, allowed=allowed)
    if endpoint != "sandbox" and "credentials" not in account:
        hint = "write tenant_id, client_id and client_secret"
        yield Problem("RC3102", path, "`credentials` is missing", hint=hint)
    credentials = account.get("credentials")
    for key in ("tenant_id", "client_id"):
        value = credentials.get(key) if isinstance(credentials, dict) else None
        if isinstance(value, str) and "://" in value and not REFERENCE.fullmatch(value):
            hint = "write env://NAME or file:///path"
            yield Problem(
                "RC1106", (*path, "credentials", key), f"`{key}` is no reference that is known", hint=hint
            )
