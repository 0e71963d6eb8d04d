# ruff: noqa: T201 - it is a command
# mypy: disable-error-code="import-not-found"
"""Drive the sandbox with Microsoft's own SDK: what msgraph-sdk reads and writes there, it would at Graph.

Run by scripts/sdk, in an environment of its own: the SDK is large, and nothing else needs it.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models import (
    assigned_license,
    delegated_admin_access_assignment,
    delegated_admin_access_container,
    delegated_admin_access_container_type,
    delegated_admin_access_details,
    delegated_admin_relationship,
    delegated_admin_relationship_customer_participant,
    delegated_admin_relationship_request,
    delegated_admin_relationship_request_action,
    domain,
    password_profile,
    unified_role,
    user,
)
from msgraph.generated.users.item.assign_license import assign_license_post_request_body
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core.authentication import AzureIdentityAuthenticationProvider
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem
from msgraph_core.tasks.page_iterator import PageIterator

PARTNER = "5a4d0b00-0000-4000-8000-000000000001"
CLIENT = {"client_id": "5a4d0b00-0000-4000-8000-0000000000c1", "client_secret": "sandbox-microsoft-secret"}
REFRESH = "sandbox-refresh-token"
SCOPE = "https://graph.microsoft.com/.default"
ACME = "8f5c0000-0000-4000-8000-00000000ac3e"
DOMAIN = "acme.onmicrosoft.com"
HELPDESK = "869713c9-0b28-4d08-8949-ae07ae1bf528"
WORLD = {
    "settings": {"delay": 0, "delay_gdap": 20},
    "microsoft": {
        "groups": [{"id": HELPDESK, "name": "Help desk"}],
        "customers": [
            {
                "id": ACME,
                "domain": DOMAIN,
                "name": "Acme UAB",
                "country": "LT",
                "subscriptions": [{"product": "SPB", "quantity": 2, "bought": "30d"}],
                "users": [
                    {"login": one, "first_name": one.title(), "last_name": "Doe", "country": "lt"}
                    for one in ("ada", "bob", "cy")
                ],
            }
        ],
    },
}


@dataclass
class Signed:
    """A token of the sandbox's login, as azure-identity would have it; that wants https, even on this machine."""

    root: str
    tenant: str
    person: bool = False

    def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        """Ask for a token, as the application, or as the person who signed in for it."""
        grant = {"grant_type": "refresh_token", "refresh_token": REFRESH}
        form = CLIENT | (grant if self.person else {"grant_type": "client_credentials"})
        body = urllib.parse.urlencode({**form, "scope": scopes[0]}).encode()
        with urllib.request.urlopen(f"{self.root}/login/{self.tenant}/oauth2/v2.0/token", body) as answer:  # noqa: S310 - on this machine
            told = json.load(answer)
        return AccessToken(told["access_token"], int(time.time()) + int(told["expires_in"]))


@dataclass
class Sandbox:
    """A sandbox that is served, and how somebody else acts in it."""

    command: Sequence[str]
    folder: Path
    root: str = ""

    def run(self, *words: str) -> str:
        """Run the tool in the sandbox's folder."""
        done = subprocess.run(
            [*self.command, *words], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout

    def graph(self, tenant: str, *, person: bool = False) -> GraphServiceClient:
        """Microsoft's client for a directory of the sandbox."""
        provider = AzureIdentityAuthenticationProvider(
            Signed(self.root, tenant, person), scopes=[SCOPE], allowed_hosts=["127.0.0.1"]
        )
        adapter = GraphRequestAdapter(provider)
        adapter.base_url = f"{self.root}/graph/v1.0"
        return GraphServiceClient(request_adapter=adapter)


@contextmanager
def served(command: Sequence[str]) -> Iterator[Sandbox]:
    """Serve a new world on a free port until it is no longer needed."""
    with tempfile.TemporaryDirectory() as folder:
        one = Sandbox(command, Path(folder))
        (one.folder / "reconciler.yaml").write_text("version: 1\naccounts: {}\n", encoding="utf-8")
        (one.folder / "world.json").write_text(json.dumps(WORLD), encoding="utf-8")
        one.run("sandbox", "reset", "--world", "world.json")
        server = subprocess.Popen(
            [*command, "sandbox", "serve", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True
        )
        try:
            one.root = _address(server)
            yield one
        finally:
            server.terminate()
            server.wait(timeout=20)


def _address(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"Microsoft sandbox at (\S+)/login", line):
            return found[1]
    raise RuntimeError("the sandbox ended before it said where it is")


async def people(world: Sandbox) -> None:
    """Everybody in pages, one by a filter, one more, changed, deleted and restored."""
    client = world.graph(ACME)
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
        select=["id", "userPrincipalName", "usageLocation"], top=2
    )
    first = await client.users.get(RequestConfiguration(query_parameters=query))
    seen: list[str] = []

    def see(one: Any) -> bool:
        seen.append(str(one.user_principal_name))
        return True

    await PageIterator(first, client.request_adapter).iterate(see)
    assert sorted(seen) == [f"{one}@{DOMAIN}" for one in ("ada", "bob", "cy")], seen

    query.filter, query.top = f"userPrincipalName eq 'ada@{DOMAIN}'", None
    found = await client.users.get(RequestConfiguration(query_parameters=query))
    assert [one.usage_location for one in found.value] == ["LT"]

    made = await client.users.post(newcomer("eve"))
    assert made.id
    assert made.user_principal_name == f"eve@{DOMAIN}"
    refused = await _refused(client.users.post(newcomer("EVE")))
    assert refused.response_status_code == 400
    assert "userPrincipalName already exists" in refused.primary_message, refused.primary_message

    one = client.users.by_user_id(made.id)
    await one.patch(user.User(surname="Curie", usage_location="PL"))
    await one.delete()
    assert (await _refused(one.get())).response_status_code == 404
    binned = await client.directory.deleted_items.graph_user.get()
    assert [each.id for each in binned.value] == [made.id]
    await client.directory.deleted_items.by_directory_object_id(made.id).restore.post()
    assert (await one.get()).surname == "Curie"


async def licences(world: Sandbox) -> None:
    """What can be assigned, a licence given and taken, and the two refusals everybody meets."""
    client = world.graph(ACME)
    skus = await client.subscribed_skus.get()
    (premium,) = [one for one in skus.value if one.sku_part_number == "SPB"]
    assert (premium.prepaid_units.enabled, premium.consumed_units) == (2, 0)
    assert all(plan.service_plan_id for plan in premium.service_plans)

    nowhere = await client.users.post(newcomer("noland", location=None))
    refused = await _refused(_give(client, nowhere.id, premium.sku_id))
    assert "usage location" in refused.primary_message, refused.primary_message
    for login in ("ada", "bob"):
        await _give(client, f"{login}@{DOMAIN}", premium.sku_id)
    refused = await _refused(_give(client, f"cy@{DOMAIN}", premium.sku_id))
    assert "available licenses" in refused.primary_message, refused.primary_message

    held = await client.users.by_user_id(f"ada@{DOMAIN}").license_details.get()
    assert [one.sku_part_number for one in held.value] == ["SPB"]
    body = assign_license_post_request_body.AssignLicensePostRequestBody(
        add_licenses=[], remove_licenses=[premium.sku_id]
    )
    left = await client.users.by_user_id(f"ada@{DOMAIN}").assign_license.post(body)
    assert left.user_principal_name == f"ada@{DOMAIN}"
    again = await client.subscribed_skus.get()
    assert [one.consumed_units for one in again.value if one.sku_part_number == "SPB"] == [1]


async def organisation(world: Sandbox) -> None:
    """Whose directory it is, its domains, a domain added and verified."""
    client = world.graph(ACME)
    (own,) = (await client.organization.get()).value
    assert str(own.id) == ACME
    assert [one.name for one in own.verified_domains if one.is_default] == [DOMAIN]

    await client.domains.post(domain.Domain(id="shop.example"))
    shop = client.domains.by_domain_id("shop.example")
    records = (await shop.verification_dns_records.get()).value
    assert next(one.text for one in records if one.record_type == "Txt").startswith("MS=")
    assert (await _refused(shop.verify.post())).response_status_code == 400
    world.run("sandbox", "change", "domain-published", "shop.example")
    assert (await shop.verify.post()).is_verified
    assert [one.id for one in (await client.domains.get()).value if one.is_verified] == [
        DOMAIN,
        "shop.example",
    ]
    templates = await client.directory_role_templates.get()
    assert "License Administrator" in {one.display_name for one in templates.value}
    bought = (await client.directory.subscriptions.get()).value
    assert [(one.sku_part_number, one.total_licenses, one.status) for one in bought] == [
        ("SPB", 2, "Enabled")
    ]
    root = world.graph(PARTNER).tenant_relationships
    told = await root.find_tenant_information_by_domain_name_with_domain_name(DOMAIN).get()
    assert (told.tenant_id, told.display_name) == (ACME, "Acme UAB")


async def together(world: Sandbox) -> None:
    """Several questions in one request, of which one is refused; how many people there are."""
    client = world.graph(ACME)
    asked = BatchRequestContent()
    questions = {
        "ada": client.users.by_user_id(f"ada@{DOMAIN}").to_get_request_information(),
        "nobody": client.users.by_user_id(f"nobody@{DOMAIN}").to_get_request_information(),
        "skus": client.subscribed_skus.to_get_request_information(),
    }
    for name, question in questions.items():
        item = BatchRequestItem(question)
        item.id = name
        asked.add_request(name, item)
    answers = await BatchRequestBuilder(client.request_adapter).post(asked)
    # What stands in the answers is not looked at: this SDK gives a batch's bodies to nobody (1.65, 2026-11).
    status = {name: answers.get_response_by_id(name).status for name in questions}
    assert status == {"ada": 200, "nobody": 404, "skus": 200}, status
    eventual = RequestConfiguration()
    eventual.headers.add("ConsistencyLevel", "eventual")
    assert await client.users.count.get(eventual) == 3


async def delegated(world: Sandbox) -> None:
    """A relationship offered, approved, and its roles given to a security group, then more of them."""
    client = world.graph(PARTNER, person=True)
    groups = await client.groups.get()
    assert [(one.id, one.security_enabled) for one in groups.value] == [(HELPDESK, True)]
    assert (await client.groups.by_group_id(HELPDESK).get()).display_name == "Help desk"
    templates = await client.directory_role_templates.get()
    ids = {one.display_name: one.id for one in templates.value}
    wanted = [ids["License Administrator"], ids["User Administrator"]]

    root = client.tenant_relationships.delegated_admin_relationships
    made = await root.post(_relationship(wanted))
    assert (made.status.value, made.customer.tenant_id) == ("created", ACME)
    one = root.by_delegated_admin_relationship_id(made.id)
    request = delegated_admin_relationship_request
    action = (
        delegated_admin_relationship_request_action.DelegatedAdminRelationshipRequestAction.LockForApproval
    )
    locked = await one.requests.post(request.DelegatedAdminRelationshipRequest(action=action))
    assert locked.action == action
    assert (await one.get()).status.value == "approvalPending"
    assert (await _refused(one.access_assignments.post(_access(wanted[:1])))).response_status_code == 409
    world.run("sandbox", "change", "relationship-approved", "support")
    world.run("sandbox", "advance", "5m")
    assert (await one.get()).status.value == "active"

    given = await one.access_assignments.post(_access(wanted[:1]))
    assert given.status.value == "pending"
    world.run("sandbox", "advance", "5m")
    there = one.access_assignments.by_delegated_admin_access_assignment_id(given.id)
    found = await there.get()
    assert found.status.value == "active"
    assert (await _refused(one.access_assignments.post(_access(wanted)))).response_status_code == 409
    headers = RequestConfiguration()
    headers.headers.add("If-Match", found.additional_data["@odata.etag"])
    more = delegated_admin_access_assignment.DelegatedAdminAccessAssignment(access_details=_details(wanted))
    await there.patch(more, headers)
    (operation,) = (await one.operations.get()).value
    assert operation.status.value == "running"
    world.run("sandbox", "advance", "5m")
    roles = (await there.get()).access_details.unified_roles
    assert {role.role_definition_id for role in roles} == set(wanted)
    (again,) = (await one.operations.get()).value
    assert again.status.value == "succeeded"
    contracts = await client.contracts.get()
    assert [str(each.customer_id) for each in contracts.value] == [ACME]

    headers = RequestConfiguration()
    headers.headers.add("If-Match", (await there.get()).additional_data["@odata.etag"])
    await there.delete(headers)
    assert (await there.get()).status.value == "deleting"
    end = delegated_admin_relationship_request_action.DelegatedAdminRelationshipRequestAction.Terminate
    await one.requests.post(request.DelegatedAdminRelationshipRequest(action=end))
    world.run("sandbox", "advance", "5m")
    assert (await one.get()).status.value == "terminated"


def newcomer(login: str, *, location: str | None = "LT") -> Any:
    """A person as the SDK's page about creating one writes them."""
    return user.User(
        account_enabled=True,
        display_name=login.title(),
        given_name=login.title(),
        surname="Newcomer",
        mail_nickname=login,
        user_principal_name=f"{login}@{DOMAIN}",
        usage_location=location,
        password_profile=password_profile.PasswordProfile(
            force_change_password_next_sign_in=True, password="xWwvJ]6NMw+bWH-d"
        ),
    )


def _relationship(roles: Sequence[str]) -> Any:
    customer = delegated_admin_relationship_customer_participant
    return delegated_admin_relationship.DelegatedAdminRelationship(
        display_name="support",
        duration="P730D",
        customer=customer.DelegatedAdminRelationshipCustomerParticipant(tenant_id=ACME),
        access_details=_details(roles),
    )


def _access(roles: Sequence[str]) -> Any:
    kind = delegated_admin_access_container_type.DelegatedAdminAccessContainerType.SecurityGroup
    return delegated_admin_access_assignment.DelegatedAdminAccessAssignment(
        access_container=delegated_admin_access_container.DelegatedAdminAccessContainer(
            access_container_id=HELPDESK, access_container_type=kind
        ),
        access_details=_details(roles),
    )


def _details(roles: Sequence[str]) -> Any:
    wanted = [unified_role.UnifiedRole(role_definition_id=one) for one in roles]
    return delegated_admin_access_details.DelegatedAdminAccessDetails(unified_roles=wanted)


async def _give(client: Any, who: str, sku: object) -> None:
    body = assign_license_post_request_body.AssignLicensePostRequestBody(
        add_licenses=[assigned_license.AssignedLicense(sku_id=sku, disabled_plans=[])], remove_licenses=[]
    )
    await client.users.by_user_id(who).assign_license.post(body)


async def _refused(call: Awaitable[object]) -> Any:
    """The error that a call ends with, as the SDK raises it."""
    try:
        answer = await call
    except APIError as error:
        return error
    raise AssertionError(f"it was not refused: {answer}")


STORIES: tuple[Callable[[Sandbox], Coroutine[Any, Any, None]], ...] = (
    people,
    licences,
    organisation,
    together,
    delegated,
)


def main() -> int:
    """Tell every story, each in a world of its own; gives the exit code."""
    failed = 0
    for story in STORIES:
        try:
            with served(sys.argv[1:]) as world:
                asyncio.run(story(world))
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are told too
            failed += 1
            print(f"wrong  {story.__name__}: {''.join(traceback.format_exception(error, limit=-3))}")
        else:
            print(f"ok     {story.__name__}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
