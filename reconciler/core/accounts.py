"""An account of the workspace: one set of credentials at one API, given only as references."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from reconciler.core.endpoints import MICROSOFT_ENDPOINTS, OVH_ENDPOINTS, OVH_TOKENS, is_loopback, parse
from reconciler.core.fields import (
    SUBSIDIARY,
    Count,
    Duration,
    Flag,
    Ident,
    Optional,
    Part,
    Rate,
    RateField,
    Reference,
    Span,
    Text,
)

# An OVH engineer's advice for one consumer key, undocumented: https://github.com/ovh/python-ovh/issues/81
# (verified 2026-11).
OVH_RATE = Rate(60, 60.0)


class OvhCredentials(Part):
    """Either an application with its consumer key, or an OAuth2 client; references only."""

    application_key: Optional[Reference] = Field(None, description="Signature scheme.")
    application_secret: Optional[Reference] = Field(None, description="Signature scheme.")
    consumer_key: Optional[Reference] = Field(None, description="Signature scheme.")
    client_id: Optional[Reference] = Field(None, description="OAuth2 scheme.")
    client_secret: Optional[Reference] = Field(None, description="OAuth2 scheme.")


class OvhAccount(Part):
    """An account at OVHcloud."""

    api: Literal["ovh"] = Field(description="OVHcloud's API.")
    endpoint: Text = Field(description="ovh-eu, ovh-ca, ovh-us, sandbox, or a URL ending in /1.0.")
    subsidiary: Annotated[
        Optional[str], Field(pattern=SUBSIDIARY, description="As in FR; else asked from the API.")
    ] = None
    credentials: Optional[OvhCredentials] = Field(None, description="Not needed for the sandbox.")
    token_url: Optional[Text] = Field(
        None, description="Where OAuth2 tokens come from, when endpoint is a URL."
    )
    rate: Optional[RateField] = Field(None, description="Requests, shared by all tenants of the account.")
    concurrency: Count = Field(8, description="Requests at the same time.")
    poll: Duration = Field(timedelta(seconds=30), description="How often what is pending is asked about.")
    settle: Duration = Field(timedelta(minutes=10), description="How long until what was accepted must show.")
    waive_retraction: Flag = Field(
        default=False, description="Give up the right of withdrawal when ordering."
    )
    timeout: Span = Field(timedelta(seconds=30), description="How long one request may take.")

    @property
    def is_sandbox(self) -> bool:
        """Whether the provider inside the process answers."""
        return self.endpoint == "sandbox"

    @property
    def url(self) -> str:
        """The root of the API; empty for the sandbox inside the process."""
        return "" if self.is_sandbox else OVH_ENDPOINTS.get(self.endpoint, self.endpoint).rstrip("/")

    @property
    def tokens(self) -> str:
        """Where OAuth2 tokens come from; empty when there is no such place."""
        return self.token_url or OVH_TOKENS.get(self.endpoint, "")

    @property
    def pace(self) -> Rate | None:
        """The rate to keep: as written, else the provider's advice, else none on this machine."""
        if self.rate is not None:
            return self.rate
        found = parse(self.url)
        return OVH_RATE if found and not is_loopback(found.hostname or "") else None


class MicrosoftEndpoint(Part):
    """Microsoft's three surfaces, when they are not the public ones."""

    login: Text = Field(description="Where tokens come from.")
    partner_center: Text = Field(description="Root of the Partner Center API.")
    graph: Text = Field(description="Root of Microsoft Graph.")


def _form(value: Any) -> str:
    return "urls" if isinstance(value, (dict, MicrosoftEndpoint)) else "name"


class MicrosoftCredentials(Part):
    """An application in the partner's directory; secrets only as references."""

    tenant_id: Ident = Field(description="The partner's directory; an id or a reference.")
    client_id: Ident = Field(description="The application; an id or a reference.")
    client_secret: Reference = Field(description="env://NAME or file:///path.")
    refresh_token: Optional[Reference] = Field(None, description="For application plus user calls.")


class MicrosoftAccount(Part):
    """A partner's account at Microsoft: Partner Center and Graph."""

    api: Literal["microsoft"] = Field(description="Microsoft's APIs.")
    endpoint: Annotated[
        Annotated[Literal["public", "sandbox"], Tag("name")] | Annotated[MicrosoftEndpoint, Tag("urls")],
        Discriminator(_form),
        Field(description="public, sandbox, or the three URLs."),
    ] = "public"
    credentials: Optional[MicrosoftCredentials] = Field(None, description="Not needed for the sandbox.")
    rate: Optional[RateField] = Field(None, description="Requests, shared by all tenants of the account.")
    concurrency: Count = Field(8, description="Requests at the same time.")
    poll: Duration = Field(timedelta(seconds=30), description="How often what is pending is asked about.")
    settle: Duration = Field(timedelta(minutes=20), description="How long until what was accepted must show.")
    timeout: Span = Field(timedelta(seconds=30), description="How long one request may take.")

    @property
    def is_sandbox(self) -> bool:
        """Whether the provider inside the process answers."""
        return self.endpoint == "sandbox"

    @property
    def urls(self) -> dict[str, str]:
        """The roots of login, partner_center and graph; empty for the sandbox inside the process."""
        match self.endpoint:
            case MicrosoftEndpoint() as given:
                return given.model_dump()
            case "public":
                return dict(MICROSOFT_ENDPOINTS)
        return {}


class ManualAccount(Part):
    """No API: every change is a step for a person."""

    api: Literal["manual"] = Field(description="No API.")

    @property
    def is_sandbox(self) -> bool:
        """Whether the provider inside the process answers."""
        return False


Account = OvhAccount | MicrosoftAccount | ManualAccount
"""Any account; `api` tells which."""
