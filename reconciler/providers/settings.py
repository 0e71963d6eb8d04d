"""What an account's adapters need to know of its configuration, credentials apart."""

from __future__ import annotations

from msgspec import Struct


class Settings(Struct, frozen=True, kw_only=True):
    """One account's settings, as its workspace says or as their defaults are.

    base_url: where the API stands, e.g. https://eu.api.ovh.com/1.0.
    token_url: where OAuth2 tokens are fetched; only with client credentials.
    subsidiary: the seller's country; asked of the provider when None.
    poll, settle, timeout: seconds between two looks, seconds until what was accepted must show, one request.
    rate: requests a second, shared by everything that uses the account; None for no limit of our own.
    sandbox: the provider is the local one, whose clock may be turned while we run.
    """

    base_url: str
    token_url: str | None = None
    subsidiary: str | None = None
    poll: float = 30.0
    settle: float = 600.0
    waive_retraction: bool = False
    timeout: float = 30.0
    rate: float | None = None
    concurrency: int = 8
    sandbox: bool = False
