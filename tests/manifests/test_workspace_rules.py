"""Each rule of reconciler.yaml, with the exact place and words of its error."""

from datetime import timedelta
from decimal import Decimal

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from reconciler.core.accounts import MicrosoftAccount, OvhAccount
from reconciler.core.endpoints import why_not
from reconciler.core.fields import Rate
from reconciler.core.workspace import Limit, satisfies
from tests.manifests.place import Place

SIGNED = "{application_key: env://K, application_secret: env://S, consumer_key: file:///run/c}"

CASES = {
    "a literal secret": (
        "endpoint: ovh-eu, credentials: {application_key: env://K, application_secret: s3cr3t, consumer_key: env://C}",
        [("3:95: error[RC1106]: `application_secret` must be a reference (env://NAME or file:///path), "
         "never the value itself")],
    ),
    "a secret of the wrong type is not repeated": (
        "endpoint: ovh-eu, credentials: {client_id: env://K, client_secret: 31337}",
        [("3:84: error[RC1106]: `client_secret` must be a reference (env://NAME or file:///path), "
         "never the value itself")],
    ),
    "two kinds of credentials": (
        "endpoint: ovh-eu, credentials: {application_key: env://K, client_id: env://I}",
        [("3:48: error[RC3103]: two kinds of credentials: application_key goes with a signature, "
         "client_id with OAuth2: keep one kind")],
    ),
    "half of the credentials": (
        "endpoint: ovh-eu, credentials: {application_key: env://K, consumer_key: env://C}",
        [("3:48: error[RC3102]: `application_secret` is missing: "
         "needed: application_key, application_secret, consumer_key")],
    ),
    "no credentials": (
        "endpoint: ovh-eu",
        [("3:6: error[RC3102]: `credentials` is missing: write application_key, application_secret, consumer_key, "
         "or client_id and client_secret, as references")],
    ),
    "somebody else's host": (
        f"endpoint: https://api.example/1.0, credentials: {SIGNED}",
        [("3:27: error[RC3101]: `endpoint` names the host api.example, which is not the provider's own: "
         "credentials go there only when RECONCILER_ENDPOINTS names it (api.example)")],
    ),
    "the provider's name inside somebody else's": (
        f"endpoint: https://eu.api.ovh.com.evil.example/1.0, credentials: {SIGNED}",
        [("3:27: error[RC3101]: `endpoint` names the host eu.api.ovh.com.evil.example, which is not the provider's own:"
         " credentials go there only when RECONCILER_ENDPOINTS names it (eu.api.ovh.com.evil.example)")],
    ),
    "plain http to the provider": (
        f"endpoint: http://eu.api.ovh.com/1.0, credentials: {SIGNED}",
        [("3:27: error[RC3101]: `endpoint` must be https: plain http is accepted for this machine "
         "(localhost, 127.0.0.1) alone")],
    ),
    "a password in the address": (
        f'endpoint: "https://u:p@eu.api.ovh.com/1.0", credentials: {SIGNED}',
        ["3:27: error[RC3101]: `endpoint` must not carry a user name or a password"],
    ),
    "an endpoint that is nothing": (
        f"endpoint: ovh-fr, credentials: {SIGNED}",
        [("3:27: error[RC3101]: `endpoint` must be an http(s) URL: "
         "write ovh-eu, ovh-ca, ovh-us, sandbox, or a URL ending in /1.0")],
    ),
    "OAuth2 at a place of one's own without its tokens": (
        "endpoint: http://127.0.0.1:1/1.0, credentials: {client_id: env://I, client_secret: env://S}",
        ["3:6: error[RC3104]: `token_url` is missing: write where this endpoint's OAuth2 tokens come from"],
    ),
    "tokens from somebody else": (
        "endpoint: ovh-eu, token_url: https://evil.example/t, credentials: {client_id: env://I, client_secret: env://S}",
        [("3:46: error[RC3101]: `token_url` names the host evil.example, which is not the provider's own: "
         "credentials go there only when RECONCILER_ENDPOINTS names it (evil.example)")],
    ),
    "a rate that is a number": (
        "endpoint: sandbox, rate: 60",
        ["3:42: error[RC1104]: `rate` must be a number of requests in a time, such as 60/min, 5/s or 1000/h"],
    ),
    "a duration without a unit": (
        "endpoint: sandbox, poll: 30",
        ["3:42: error[RC1104]: `poll` must be a duration such as 30s, 10m, 4h or 2d"],
    ),
    "a limit of nothing, which would be none": (
        "endpoint: sandbox, timeout: 0s",
        ["3:45: error[RC1104]: `timeout` must be longer than nothing, such as 30s"],
    ),
    "an unknown key": (
        "endpoint: sandbox, subsidary: FR",
        ["3:36: error[RC1101]: unknown key `subsidary`: did you mean `subsidiary`?"],
    ),
    "a subsidiary in small letters": (
        "endpoint: sandbox, subsidiary: fr",
        ['3:48: error[RC1104]: `subsidiary` must be a subsidiary of two capitals, as in FR, not the text "fr"'],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("account", "told"), CASES.values(), ids=CASES)
def test_each_rule_of_an_account_names_the_place(place: Place, account: str, told: list[str]) -> None:
    place.write("reconciler.yaml", f"version: 1\naccounts:\n  a: {{api: ovh, {account}}}\n")

    assert place.faults() == [f"reconciler.yaml:{line}" for line in told]


REST = {
    "an unknown api": (
        "accounts: {a: {api: ohv, endpoint: x}}",
        ['2:21: error[RC1104]: `api` must be ovh, microsoft or manual, not the text "ohv": did you mean `ovh`?'],
    ),
    "no api": (
        "accounts: {a: {endpoint: x}}",
        ["2:15: error[RC1102]: `api` is missing: write ovh, microsoft or manual"],
    ),
    "an account that is no mapping": (
        "accounts: {a: 3}",
        ["2:15: error[RC1103]: `a` must be a mapping of keys, not the number 3"],
    ),
    "no accounts": (
        "journal: sqlite:///x.db",
        ["1:1: error[RC1102]: `accounts` is missing: write `accounts:` here"],
    ),
    "a journal with a password": (
        "accounts: {}\njournal: postgresql://u:p@db/x",
        [("3:10: error[RC1106]: `journal` must not carry a password: "
         "write env://RECONCILER_JOURNAL and keep the whole URL there")],
    ),
    "a journal with a token": (
        "accounts: {}\njournal: git+https://token@git.example/x#journal",
        [("3:10: error[RC1106]: `journal` must not carry a password: "
         "write env://RECONCILER_JOURNAL and keep the whole URL there")],
    ),
    "credentials that are one secret are not repeated": (
        "accounts: {a: {api: ovh, endpoint: ovh-eu, credentials: s3cr3t}}",
        ["2:57: error[RC1103]: `credentials` must be a mapping of keys"],
    ),
    "an account named as no name may be": (
        "accounts: {A: {api: manual}}",
        [("2:15: error[RC1104]: `A` must be a name of a-z, 0-9 and dashes (no dash at its ends), "
         'at most 63 characters, not the text "A"')],
    ),
    "Microsoft without credentials": (
        "accounts: {m: {api: microsoft}}",
        ["2:15: error[RC3102]: `credentials` is missing: write tenant_id, client_id and client_secret"],
    ),
    "a reference of a kind nobody knows": (
        "accounts: {m: {api: microsoft, credentials: {tenant_id: vault://x, client_id: c, client_secret: env://S}}}",
        ["2:57: error[RC1106]: `tenant_id` is no reference that is known: write env://NAME or file:///path"],
    ),
    "an endpoint of another type": (
        "accounts: {a: {api: ovh, endpoint: 3}}",
        ["2:36: error[RC1103]: `endpoint` must be text, not the number 3: put it in quotes"],
    ),
    "an amount that is none": (
        "accounts: {}\npolicy: {max_monthly_increase: {amount: much, currency: eur}}",
        ['3:41: error[RC1104]: `amount` must be an amount such as "10.50"',
         '3:57: error[RC1104]: `currency` must be a currency in capitals, as in EUR, not the text "eur"'],
    ),
    "a journal of another kind": (
        "accounts: {}\njournal: mysql://db/x",
        [("3:10: error[RC3004]: `journal` is of no known kind: "
         "write sqlite:///FILE, postgresql://HOST/NAME, git+URL#BRANCH or env://NAME")],
    ),
    "requires that cannot be read": (
        "accounts: {}\nrequires: latest",
        ['3:11: error[RC3003]: `requires` cannot be read: write it as in ">=0.1,<2"'],
    ),
    "money that was rounded before it was read": (
        "accounts: {}\npolicy: {max_monthly_increase: {amount: 500.10, currency: EUR}}",
        [('3:41: error[RC1104]: `amount` must be an amount in quotes, such as "10.50", '
         "so that no cent is rounded away")],
    ),
    "an unknown guard": (
        "accounts: {}\npolicy: {max_cancelations: 1}",
        ["3:10: error[RC1101]: unknown key `max_cancelations`: did you mean `max_cancellations`?"],
    ),
    "a literal secret of Microsoft": (
        ("accounts: {m: {api: microsoft, endpoint: public, "
        "credentials: {tenant_id: t, client_id: c, client_secret: oops}}}"),
        [("2:107: error[RC1106]: `client_secret` must be a reference (env://NAME or file:///path), "
         "never the value itself")],
    ),
    "Microsoft's surfaces elsewhere": (
        ("accounts: {m: {api: microsoft, credentials: {tenant_id: t, client_id: c, client_secret: env://S},\n"
        "  endpoint: {login: https://evil.example, partner_center: https://api.partnercenter.microsoft.com,\n"
        "  graph: http://localhost:1/graph}}}"),
        [("3:21: error[RC3101]: `login` names the host evil.example, which is not the provider's own: "
         "credentials go there only when RECONCILER_ENDPOINTS names it (evil.example)")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), REST.values(), ids=REST)
def test_each_rule_of_the_workspace_names_the_place(place: Place, text: str, told: list[str]) -> None:
    place.write("reconciler.yaml", f"version: 1\n{text}\n")

    assert place.faults() == [f"reconciler.yaml:{line}" for line in told]


def test_the_version_is_judged_before_anything_else(place: Place) -> None:
    place.write("reconciler.yaml", 'version: 3\nfuture: key\nrequires: ">=1.4,<2"\n')
    place.write("tenants/a.yaml", "nonsense: 1\n")

    assert place.faults() == [
        (
            "reconciler.yaml:3:11: error[RC3002]: this workspace requires the tool >=1.4,<2, and this is 0.1.0: "
            "install a version it takes, or change `requires`"
        )
    ]


@pytest.mark.parametrize(
    ("version", "requires", "answer"),
    [
        ("0.1.0", ">=0.1", True),
        ("0.1.0", ">0.1", False),
        ("0.1.0", "==0.1", True),
        ("0.2", ">=0.1,<0.2", False),
        ("1.4.2", "~=1.4", True),
        ("2.0", "~=1.4", False),
        ("1.5.0", "~=1.4.2", False),
        ("1.0", "!=1.0.0", False),
        ("1.0", "<=1", True),
        ("1.0rc1", ">=1.0", True),
        ("0.1.7", "==0.1.*", True),
        ("0.10.0", "==0.1.*", False),
        ("1.1", " == 1.1.0.* , <2", True),
        ("0.1.7", "!=0.1.*", False),
        ("0.2.0", ">=0.1,!=0.1.*", True),
        ("0.1.7", ">=0.1.*", None),
        ("0.1.7", "==*", None),
        ("0.1.7", "==0.*.1", None),
        ("1.4", "~=1", None),
        ("1.0", "latest", None),
        ("x", ">=1", None),
    ],
)
def test_versions_are_compared_by_their_numbers(version: str, requires: str, answer: object) -> None:
    assert satisfies(version, requires) is answer


def test_versions_are_compared_as_packages_compare_theirs() -> None:
    numbers = ("0", "1", "0.1", "1.0", "1.1", "0.1.0", "0.1.1", "1.10", "1.1.0.1", "2")
    clauses = [
        f"{sign}{number}{star}"
        for sign in ("==", "!=", "~=", ">=", "<=", ">", "<")
        for number in numbers
        for star in ("", ".*")
    ]

    assert {(number, clause): satisfies(number, clause) for number in numbers for clause in clauses} == {
        (number, clause): _by_packaging(number, clause) for number in numbers for clause in clauses
    }


def _by_packaging(number: str, clause: str) -> bool | None:
    try:
        return SpecifierSet(clause).contains(number)
    except InvalidSpecifier:
        return None


@pytest.mark.parametrize("named", ["api.example", "other api.example:8443", "https://api.example/1.0"])
def test_the_operator_may_name_another_host(place: Place, named: str) -> None:
    place.write(
        "reconciler.yaml",
        f"version: 1\naccounts: {{a: {{api: ovh, endpoint: https://api.example/1.0, credentials: {SIGNED}}}}}\n",
    )

    assert place.faults(allowed=named) == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_loopback_may_be_plain_http(place: Place, host: str) -> None:
    place.write(
        "reconciler.yaml",
        f"version: 1\naccounts: {{a: {{api: ovh, endpoint: 'http://{host}:1/1.0', credentials: {SIGNED}}}}}\n",
    )

    assert place.faults() == []


def test_what_is_not_written_has_the_contracts_defaults(place: Place) -> None:
    workspace = place.load().workspace

    assert workspace is not None
    account, partner = workspace.accounts["ovh-main"], workspace.accounts["partner"]
    assert isinstance(account, OvhAccount)
    assert isinstance(partner, MicrosoftAccount)
    assert (account.settle, partner.settle) == (timedelta(minutes=10), timedelta(minutes=20))
    assert not account.waive_retraction
    assert account.pace is None
    assert workspace.journal == "sqlite:///.reconciler/journal.db"
    policy = workspace.policy
    assert (policy.max_seats_per_action, policy.max_cancellations, policy.max_deactivations) == (100, 3, 50)
    assert policy.max_monthly_increase is None
    assert policy.max_tenants_changed is None
    assert policy.protected == ()


def test_what_is_written_is_read_as_written(place: Place) -> None:
    place.write(
        "reconciler.yaml",
        f"""\
        version: 1
        requires: ">=0.1"
        accounts:
          ovh-main:
            api: ovh
            endpoint: ovh-eu
            subsidiary: FR
            credentials: {SIGNED}
            rate: 120/min
            concurrency: 4
            poll: 1m30s
            settle: 2h
            waive_retraction: true
            timeout: 5s
        journal: env://RECONCILER_JOURNAL
        prices:
          - {{product: business, amount: "10.50", currency: EUR, per: month}}
        policy:
          max_monthly_increase: {{amount: "500.00", currency: EUR}}
          max_cancellations: 0
          protected: [acme]
        """,
    )

    loaded = place.load()

    assert loaded.diagnostics == ()
    assert loaded.workspace is not None
    account = loaded.workspace.accounts["ovh-main"]
    assert isinstance(account, OvhAccount)
    assert account.rate == Rate(120, 60.0)
    assert account.pace is account.rate
    assert (account.poll, account.settle) == (timedelta(seconds=90), timedelta(hours=2))
    assert account.url == "https://eu.api.ovh.com/1.0"
    assert account.tokens == "https://www.ovh.com/auth/oauth2/token"
    assert loaded.workspace.prices[0].amount == Decimal("10.50")
    assert loaded.workspace.policy.max_monthly_increase is not None
    assert loaded.workspace.policy.max_monthly_increase.amount == Decimal(500)


def test_the_real_api_is_asked_at_the_pace_it_bears(place: Place) -> None:
    place.write(
        "reconciler.yaml",
        f"version: 1\naccounts: {{a: {{api: ovh, endpoint: ovh-ca, credentials: {SIGNED}}}}}\n",
    )

    workspace = place.load().workspace

    assert workspace is not None
    account = workspace.accounts["a"]
    assert isinstance(account, OvhAccount)
    assert account.pace == Rate(60, 60.0)


@pytest.mark.parametrize(
    "journal",
    [
        "postgresql://db/x",
        "git+ssh://git@git.example/x#journal",
        "git+origin#reconciler-journal",
        "env://JOURNAL",
    ],
)
def test_a_journal_without_a_secret_is_fine(place: Place, journal: str) -> None:
    place.write("reconciler.yaml", f"version: 1\naccounts: {{}}\njournal: {journal}\n")

    assert place.faults() == []


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://a b", "https://é.example", "ftp://a", "https:///x", "https://a:x"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    assert why_not(url, own=frozenset(), allowed=frozenset({url})) == "must be an http(s) URL"


def test_an_address_carries_no_query() -> None:
    assert why_not("https://a.b/?x=1", own=frozenset({"a.b"}), allowed=frozenset()) is not None


def test_accounts_know_where_they_are(place: Place) -> None:
    named = "{login: 'http://localhost/l', partner_center: 'http://localhost/p', graph: 'http://localhost/g'}"
    secret = "{tenant_id: 1, client_id: env://C, client_secret: env://S}"
    tokens = "{client_id: env://I, client_secret: env://S}"
    place.write(
        "reconciler.yaml",
        f"""\
        version: 1
        accounts:
          a: {{api: microsoft, credentials: {secret}}}
          b: {{api: microsoft, endpoint: {named}, credentials: {secret}}}
          c: {{api: microsoft, endpoint: sandbox}}
          d: {{api: manual}}
          e: {{api: ovh, endpoint: ovh-us, credentials: {tokens}}}
        policy: {{max_monthly_increase: {{amount: 500, currency: EUR}}}}
        """,
    )

    loaded = place.load()

    assert loaded.diagnostics == ()
    assert loaded.workspace is not None
    a, b, c, d, e = loaded.workspace.accounts.values()
    assert isinstance(a, MicrosoftAccount)
    assert isinstance(b, MicrosoftAccount)
    assert isinstance(c, MicrosoftAccount)
    assert isinstance(e, OvhAccount)
    assert a.urls["graph"] == "https://graph.microsoft.com"
    assert b.urls == {name: f"http://localhost/{name[0]}" for name in ("login", "partner_center", "graph")}
    assert (c.urls, c.is_sandbox, d.is_sandbox, a.is_sandbox) == ({}, True, False, False)
    assert e.credentials is not None
    assert e.credentials.client_id is not None
    assert e.tokens == "https://us.ovhcloud.com/auth/oauth2/token"
    assert Rate(60, 60.0).per_second == 1.0


def test_values_that_are_values_already_are_taken_as_they_are() -> None:
    account = OvhAccount(api="ovh", endpoint="sandbox", poll=timedelta(seconds=1), rate=Rate(1, 1.0))

    assert (account.poll, account.rate) == (timedelta(seconds=1), Rate(1, 1.0))
    assert account.model_dump(mode="json")["poll"] == "1000ms"
    assert Limit(amount=Decimal(1), currency="EUR").amount == 1
