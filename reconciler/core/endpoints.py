"""To which hosts credentials may go: the provider's own, loopback, and those the operator names."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

OVH_ENDPOINTS = {
    "ovh-eu": "https://eu.api.ovh.com/1.0",
    "ovh-ca": "https://ca.api.ovh.com/1.0",
    "ovh-us": "https://api.us.ovhcloud.com/1.0",
}
OVH_TOKENS = {
    "ovh-eu": "https://www.ovh.com/auth/oauth2/token",
    "ovh-ca": "https://ca.ovh.com/auth/oauth2/token",
    "ovh-us": "https://us.ovhcloud.com/auth/oauth2/token",
}
MICROSOFT_ENDPOINTS = {
    "login": "https://login.microsoftonline.com",
    "partner_center": "https://api.partnercenter.microsoft.com",
    "graph": "https://graph.microsoft.com",
}


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


OVH_HOSTS = frozenset(map(_host, (*OVH_ENDPOINTS.values(), *OVH_TOKENS.values())))
MICROSOFT_HOSTS = frozenset(map(_host, MICROSOFT_ENDPOINTS.values()))


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself, by its spelling alone: no name is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse(url: str) -> SplitResult | None:
    """Take an http(s) URL apart; None when it is none."""
    if not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url):
        return None
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError:
        return None
    if found.scheme not in {"http", "https"} or not found.hostname:
        return None
    return found


def why_not(url: str, *, own: frozenset[str], allowed: frozenset[str]) -> str | None:
    """Say why credentials may not be sent to this URL, or None when they may.

    `allowed` are the hosts of RECONCILER_ENDPOINTS, so that a change of a file alone
    cannot send credentials to somebody else.
    """
    found = parse(url)
    if found is None:
        return "must be an http(s) URL"
    if found.username is not None or found.password is not None:
        return "must not carry a user name or a password"
    if found.query or found.fragment:
        return "must not carry a query or a fragment"
    host = found.hostname or ""
    if is_loopback(host):
        return None
    if found.scheme != "https":
        return "must be https: plain http is accepted for this machine (localhost, 127.0.0.1) alone"
    if host in own or host in _hosts(allowed):
        return None
    return (
        f"names the host {host}, which is not the provider's own: "
        f"credentials go there only when RECONCILER_ENDPOINTS names it ({host})"
    )


def _hosts(allowed: frozenset[str]) -> frozenset[str]:
    # An operator may write a host, host:port or a whole URL; only the host counts.
    spelled = (name if "://" in name else f"https://{name}" for name in allowed)
    return frozenset(found.hostname or "" for url in spelled if (found := parse(url)))
