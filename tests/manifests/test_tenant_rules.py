"""Each rule of a tenant's file, with the exact place and words of its error."""

import pytest

from reconciler.core.manifest import full_login
from reconciler.core.model import Source
from tests.manifests.place import Place

GOOD = """\
version: 1
tenant: acme
provider: ovh-prepaid
account: ovh-main
domain: acme.example
license_groups:
  - name: office
    product: business
    seats: 2
  - name: pro
    product: pro-plus
    seats: 2
users:
  - login: ada
    first_name: Ada
    last_name: Lovelace
    country: no
    licenses: [office]
  - login: bob
    first_name: Bob
    last_name: Byron
    licenses: [office, pro]
"""

# What is replaced in GOOD by what, and all that is then told.
CASES = {
    "unknown key, with what was meant": (
        "    seats: 2\n  - name: pro", "    seats: 2\n    sets: 3\n  - name: pro",
        ["10:5: error[RC1101]: unknown key `sets`: did you mean `seats`?"],
    ),
    "unknown key at the top": (
        "domain: acme.example", "domain: acme.example\nzebra: 1",
        [("6:1: error[RC1101]: unknown key `zebra`: known here: version, tenant, name, previously, provider, account, "
         "service, hold, domain, directory, license_groups, users, customer, domains, delegated_administration, "
         "mpn_id, partner_of_record, product_keys, office_attach")],
    ),
    "unknown key of a person": (
        "first_name: Ada", "firstname: x\n    first_name: Ada",
        ["15:5: error[RC1101]: unknown key `firstname`: did you mean `first_name`?"],
    ),
    "merge keys are unknown keys": (
        "domain: acme.example", "<<: {domain: acme.example}",
        [("5:1: error[RC1101]: unknown key `<<`: known here: version, tenant, name, previously, provider, account, "
         "service, hold, domain, directory, license_groups, users, customer, domains, delegated_administration, "
         "mpn_id, partner_of_record, product_keys, office_attach")],
    ),
    "duplicate key": (
        "domain: acme.example", "domain: acme.example\ntenant: other",
        ["6:1: error[RC1008]: the key `tenant` stands here twice: keep one of them"],
    ),
    "missing key": (
        "    last_name: Lovelace\n", "",
        ["14:5: error[RC1102]: `last_name` is missing: write `last_name:` here"],
    ),
    "seats as text": (
        "    seats: 2\n  - name: pro", '    seats: "2"\n  - name: pro',
        ['9:12: error[RC1103]: `seats` must be a whole number, not the text "2": write 2 without quotes'],
    ),
    "seats as a boolean": (
        "    seats: 2\n  - name: pro", "    seats: true\n  - name: pro",
        ["9:12: error[RC1103]: `seats` must be a whole number, not true"],
    ),
    "seats as a fraction": (
        "    seats: 2\n  - name: pro", "    seats: 2.0\n  - name: pro",
        ["9:12: error[RC1103]: `seats` must be a whole number, not the number 2.0"],
    ),
    "no seats at all": (
        "product: pro-plus\n    seats: 2", "product: pro-plus",
        ["10:5: error[RC2203]: `seats` is missing in the group `pro`: write how many are paid for"],
    ),
    "zero seats": (
        "product: pro-plus\n    seats: 2", "product: pro-plus\n    seats: 0",
        ["12:12: error[RC1104]: `seats` must be at least 1, not the number 0"],
    ),
    "a key without a value": (
        "domain: acme.example", "domain:",
        ["5:8: error[RC1105]: `domain` has no value: write a value or delete the key"],
    ),
    "a name that YAML takes for nothing": (
        "last_name: Lovelace", "last_name: Null",
        ["16:16: error[RC1105]: `last_name` has no value: write a value or delete the key"],
    ),
    "a name that YAML takes for a number": (
        "last_name: Lovelace", "last_name: 12",
        ["16:16: error[RC1103]: `last_name` must be text, not the number 12: put it in quotes"],
    ),
    "a name in the wrong letters": (
        "tenant: acme", "tenant: Acme",
        [("2:9: error[RC1104]: `tenant` must be a name of a-z, 0-9 and dashes (no dash at its ends), at most 63 "
         'characters, not the text "Acme"')],
    ),
    "another version": (
        "version: 1", "version: 2",
        ["1:10: error[RC1104]: `version` must be 1, the only version of this format so far"],
    ),
    "a version that is true": (
        "version: 1", "version: true",
        ["1:10: error[RC1104]: `version` must be 1, the only version of this format so far"],
    ),
    "a provider that does not exist": (
        "provider: ovh-prepaid", "provider: ovh-prepayed",
        [("3:11: error[RC1104]: `provider` must be ovh-payg, ovh-prepaid, ovh-csp2, partner-center or home-pl, "
         'not the text "ovh-prepayed": did you mean `ovh-prepaid`?')],
    ),
    "licences that are no list": (
        "licenses: [office]", "licenses: office",
        ['18:15: error[RC1103]: `licenses` must be a list, not the text "office": write it in [ ]'],
    ),
    "a person that is only a name": (
        "  - login: bob\n    first_name: Bob\n    last_name: Byron\n    licenses: [office, pro]\n", "  - bob\n",
        ['19:5: error[RC1103]: item 2 of `users` must be a mapping of keys, not the text "bob"'],
    ),
    "a login with a blank": (
        "login: ada", "login: ada lovelace",
        [("14:12: error[RC1104]: `login` must be a login: letters, digits and . _ - ' ! # ^ ~, with or without "
         '@domain, not the text "ada lovelace"')],
    ),
    "an unknown account": (
        "account: ovh-main", "account: ovh-mian",
        ["4:10: error[RC2101]: unknown account `ovh-mian`: accounts of the workspace: home, ovh-main, partner"],
    ),
    "an account with another api": (
        "account: ovh-main", "account: home",
        [("4:10: error[RC2102]: the account `home` has `api: manual`, but ovh-prepaid needs `api: ovh`: "
         "name another account or change the provider")],
    ),
    "a group twice": (
        "name: pro\n", "name: office\n",
        ["10:11: error[RC2201]: the group `office` stands here twice: give each license group a name of its own",
         "22:24: error[RC2212]: no license group is named `pro`: groups of this tenant: office"],
    ),
    "a product that OVHcloud does not sell": (
        "product: pro-plus", "product: proplus",
        ["11:14: error[RC2202]: ovh-prepaid sells business and pro-plus, not `proplus`: write business or pro-plus"],
    ),
    "beside without a new service": (
        "product: pro-plus\n", "product: pro-plus\n    beside: [other.example]\n",
        [("12:5: error[RC2205]: `beside` means something only with `service: new`: "
         "write `service: new`, or delete `beside`")],
    ),
    "an old group name that is still there": (
        "product: pro-plus\n", "product: pro-plus\n    previously: office\n",
        [("12:17: error[RC2206]: the old name `office` is also written as a group: "
         "delete `previously`, or the group of the old name")],
    ),
    "a login twice, in other case and in full": (
        "login: bob", "login: ADA@Acme.Example",
        [("19:12: error[RC2211]: the login `ada@acme.example` stands here twice: "
         "upper and lower case are the same; keep one of them")],
    ),
    "a licence that names no group": (
        "licenses: [office]", "licenses: [offce]",
        ["18:16: error[RC2212]: no license group is named `offce`: did you mean `office`?"],
    ),
    "a licence twice": (
        "licenses: [office]", "licenses: [office, office]",
        ["18:24: error[RC2214]: the licence `office` stands here twice: keep one of them"],
    ),
    "a country that is none": (
        "country: no", "country: uk",
        ["17:14: error[RC2213]: `uk` is no country of ISO 3166-1: write gb for the United Kingdom"],
    ),
    "a country that YAML 1.1 would read as false": (
        "country: no", "country: false",
        ["17:14: error[RC1103]: `country` must be text, not false: put it in quotes"],
    ),
    "an old login that is still there": (
        "login: bob", "login: bob\n    previously: Ada",
        [("20:17: error[RC2215]: the old login `ada` is also written as a person: "
         "delete `previously`, or the person of the old login")],
    ),
    "more people than seats": (
        "    seats: 2\n  - name: pro", "    seats: 1\n  - name: pro",
        [("9:12: error[RC2301]: 2 people have the licence `office`, but it has 1 seats: "
         "set seats to 2, or take the licence from 1")],
    ),
    "Business above 300": (
        "    seats: 2\n  - name: pro", "    seats: 301\n  - name: pro",
        [("9:12: error[RC2302]: a Business service holds at most 300 seats, not 301: "
         "use pro-plus, or spread the people over two groups")],
    ),
    "cancelled with people in it": (
        "product: pro-plus\n", "product: pro-plus\n    state: cancelled\n    reason: left\n",
        [("24:24: error[RC2402]: the group `pro` is cancelled, but `bob` is still in it: "
         "take `pro` out of the person's licenses")],
    ),
    "cancelled for no reason, with people in it": (
        "product: pro-plus\n", "product: pro-plus\n    state: cancelled\n",
        [("12:12: error[RC2401]: the group `pro` is cancelled without a reason: "
         'write `reason:`, as in "customer left, ticket 4411"'),
         ("23:24: error[RC2402]: the group `pro` is cancelled, but `bob` is still in it: "
         "take `pro` out of the person's licenses")],
    ),
    "cancel without state": (
        "product: pro-plus\n", "product: pro-plus\n    cancel: now\n",
        [("12:5: error[RC2403]: `cancel` means something only with `state: cancelled`: "
         "write `state: cancelled` and a `reason`, or delete `cancel`")],
    ),
    "users without a value": (
        GOOD[GOOD.index("users:"):], "users:\n",
        ["13:7: error[RC1105]: `users` has no value: write [] for nobody, or delete the key to leave people alone"],
    ),
    "a product key in the file": (
        "domain: acme.example", "domain: acme.example\nproduct_keys: [{group: office, key: AAAAA-BBBBB}]",
        ["6:37: error[RC1106]: `key` must be a reference (env://NAME or file:///path), never the value itself"],
    ),
    "a product key for no group": (
        "domain: acme.example", "domain: acme.example\nproduct_keys: [{group: offic, key: env://KEY}]",
        ["6:24: error[RC2204]: no license group is named `offic`: groups of this tenant: office, pro"],
    ),
    "two groups with one old name": (
        "product: business\n    seats: 2\n  - name: pro\n",
        "product: business\n    seats: 2\n    previously: old\n  - name: pro\n    previously: old\n",
        ["12:17: error[RC2206]: two groups were previously `old`: keep one"],
    ),
    "two people with one old login": (
        "    country: no\n    licenses: [office]\n  - login: bob\n",
        ("    previously: old\n    licenses: [office]\n"
        "  - login: bob\n    previously: old@acme.example\n"),
        ["20:17: error[RC2215]: two people were previously `old@acme.example`: keep one"],
    ),
    "a customer in no country": (
        "domain: acme.example", ("domain: acme.example\ncustomer: {domain: a.b, company: A, country: XX, language: lt, "
        "culture: lt-LT, email: a@b.c, address: {first_name: A, last_name: B, line1: c, city: d}}"),
        ["6:46: error[RC2213]: `XX` is no country of ISO 3166-1: write two letters, as in lt"],
    ),
    "more seats than anybody buys": (
        "product: pro-plus\n    seats: 2", "product: pro-plus\n    seats: 1000001",
        ["12:12: error[RC1104]: `seats` must be at most 1000000, not the number 1000001"],
    ),
    "a name of many words": (
        "last_name: Lovelace", "last_name: " + "x" * 257,
        ["16:16: error[RC1104]: `last_name` is longer than 256 characters"],
    ),
    "a flag in quotes": (
        "product: pro-plus\n", "product: pro-plus\n    protect: 'true'\n",
        ['12:14: error[RC1103]: `protect` must be true or false, not the text "true": write it without quotes'],
    ),
    "a flag that is a list": (
        "product: pro-plus\n", "product: pro-plus\n    protect: []\n",
        ["12:14: error[RC1103]: `protect` must be true or false, not a list"],
    ),
    "a flag that is a mapping": (
        "product: pro-plus\n", "product: pro-plus\n    protect: {}\n",
        ["12:14: error[RC1103]: `protect` must be true or false, not a mapping"],
    ),
    "a list where text is meant": (
        "last_name: Lovelace", "last_name: [Lovelace]",
        ["16:16: error[RC1103]: `last_name` must be text, not a list"],
    ),
    "product keys that are one key are not repeated": (
        "domain: acme.example", "domain: acme.example\nproduct_keys: AAAAA-BBBBB",
        ["6:15: error[RC1103]: `product_keys` must be a list: write it in [ ]"],
    ),
    "an unquoted tenant that is a number": (
        "tenant: acme", "tenant: 2024",
        ["2:9: error[RC1103]: `tenant` must be text, not the number 2024: put it in quotes"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), CASES.values(), ids=CASES)
def test_each_rule_names_the_place(place: Place, old: str, new: str, told: list[str]) -> None:
    assert GOOD.count(old) == 1
    place.write("tenants/acme.yaml", GOOD.replace(old, new))

    assert place.faults() == [f"tenants/acme.yaml:{line}" for line in told]


@pytest.mark.parametrize("letter", ["\u0430", "\u200b", "\u202e", "\uff41"])
def test_a_login_of_letters_that_look_alike_is_refused(place: Place, letter: str) -> None:
    place.write("tenants/acme.yaml", GOOD.replace("login: ada", f"login: {letter}da"))

    assert "error[RC1104]: `login` must be a login" in str(place.faults())


def test_a_good_tenant_has_no_fault(place: Place) -> None:
    place.write("tenants/acme.yaml", GOOD)

    loaded = place.load()

    assert loaded.diagnostics == ()
    (manifest,) = loaded.manifests
    people = manifest.tenant.users
    assert people is not None
    assert people[0].country == "no"
    assert full_login(people[0].login, manifest.tenant.domain) == "ada@acme.example"
    assert str(manifest.where("license_groups", 1, "seats")) == "tenants/acme.yaml:12:12"
    assert str(manifest.where("users", 1)) == "tenants/acme.yaml:19:5"
    assert manifest.source("users", 1) == Source(file="tenants/acme.yaml", line=19, column=5)
    assert str(manifest.where("users", 0, "previously")) == "tenants/acme.yaml:14:5"


def test_every_fault_of_a_file_is_told_in_one_run(place: Place) -> None:
    text = GOOD.replace("seats: 2\n  - name: pro", 'seats: "2"\n  - name: pro').replace("[office]", "[offce]")
    place.write("tenants/acme.yaml", text.replace("tenant: acme", "tenat: acme"))

    codes = [fault.split("[")[1][:6] for fault in place.faults()]

    assert codes == ["RC1102", "RC1101", "RC1103", "RC2212"]


@pytest.mark.parametrize("provider", ["ovh-csp2", "partner-center", "home-pl"])
def test_people_without_a_directory_are_an_error_where_the_seller_knows_none(
    place: Place, provider: str
) -> None:
    account = {"ovh-csp2": "ovh-main", "partner-center": "partner", "home-pl": "home"}[provider]
    text = f"""\
        version: 1
        tenant: acme
        provider: {provider}
        account: {account}
        service: acme-1
        users: []
        """
    place.write("tenants/acme.yaml", text)
    place.write("tenants/fine.yaml", text.replace("tenant: acme", "tenant: fine").replace(
        "users: []", "users: []\n        directory: {provider: graph, account: partner, tenant_id: 8f5c}"
    ))  # fmt: skip

    assert place.faults() == [
        (
            f"tenants/acme.yaml:6:1: error[RC2104]: {provider} sells seats and knows no people: "
            "write a `directory`, or delete `users`"
        )
    ]


def test_a_directory_needs_its_id_but_for_a_customer_of_partner_center(place: Place) -> None:
    text = """\
version: 1
tenant: acme
provider: partner-center
account: partner
service: acme-1
directory: {provider: graph, account: partner}
users: []
"""
    reseller = text.replace("partner-center", "ovh-csp2").replace(
        "account: partner\ns", "account: ovh-main\ns"
    )
    place.write("tenants/acme.yaml", reseller)
    place.write("tenants/fine.yaml", text.replace("tenant: acme", "tenant: fine"))

    assert place.faults() == [
        (
            "tenants/acme.yaml:6:12: error[RC2105]: `tenant_id` is missing: "
            "nobody knows which directory is meant: write the directory's id as `tenant_id:`"
        )
    ]


def test_a_reseller_tenant_needs_its_service(place: Place) -> None:
    place.write("tenants/a.yaml", "version: 1\ntenant: a\nprovider: ovh-csp2\naccount: ovh-main\n")

    assert place.faults() == [
        (
            "tenants/a.yaml:3:11: error[RC2103]: `service` is missing: ovh-csp2 needs the tenant's own service: "
            "write `service:` with the reseller service's name"
        )
    ]


def test_a_directory_needs_an_account_at_microsoft(place: Place) -> None:
    place.write(
        "tenants/a.yaml",
        """\
        version: 1
        tenant: a
        provider: home-pl
        account: home
        directory: {provider: graph, account: ovh-main, tenant_id: 8f5c}
        """,
    )

    assert place.faults() == [
        (
            "tenants/a.yaml:5:39: error[RC2102]: the account `ovh-main` has `api: ovh`, but a directory needs "
            "`api: microsoft`: name another account or change the provider"
        )
    ]


def test_pay_as_you_go_needs_no_seats_but_knows_the_limit_of_business(place: Place) -> None:
    people = "\n".join(f"  - {{login: u{n}, first_name: A, last_name: B, licenses: [o]}}" for n in range(301))
    place.write(
        "tenants/a.yaml",
        "version: 1\ntenant: a\nprovider: ovh-payg\naccount: ovh-main\n"
        f"license_groups: [{{name: o, product: business}}]\nusers:\n{people}\n",
    )

    assert place.faults() == [
        (
            "tenants/a.yaml:5:18: error[RC2302]: a Business service holds at most 300 seats, not 301: "
            "use pro-plus, or spread the people over two groups"
        )
    ]


def test_at_most_25_accounts_are_attached_at_once(place: Place) -> None:
    accounts = ", ".join(f"u{n}@acme.example" for n in range(26))
    place.write(
        "tenants/a.yaml",
        "version: 1\ntenant: a\nprovider: ovh-prepaid\naccount: ovh-main\n"
        f"office_attach:\n  exchange: hosted-1\n  accounts: [{accounts}]\n",
    )

    (fault,) = place.faults()

    assert fault.startswith("tenants/a.yaml:7:")
    assert "error[RC2501]: one order takes at most 25 accounts, not 26" in fault


HELPDESK = "869713c9-0b28-4d08-8949-ae07ae1bf528"


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (
            f"[{{security_group: {HELPDESK}}}, {{security_group: {HELPDESK.upper()}}}]",
            "85: error[RC2511]: the security group `869713C9-",
        ),
        (
            f"[{{security_group: {HELPDESK}, roles: [global reader, King]}}]",
            "90: error[RC2512]: the role `King` is not delegated by the relationship: roles of the ",
        ),
        (
            f"[{{security_group: {HELPDESK}, roles: []}}]",
            "74: error[RC2513]: the security group is given no role: delete `roles:` to give all ",
        ),
        (
            "[{security_group: helpdesk}]",
            "29: error[RC1104]: `security_group` must be an object id, as in 8f5c0000-",
        ),
        (
            f"[{{security_group: {HELPDESK}, role: [King]}}]",
            "67: error[RC1101]: unknown key `role`: did you mean `roles`?",
        ),
        ("[{roles: [Global Reader]}]", "12: error[RC1102]: `security_group` is missing"),
    ],
)
def test_a_group_is_given_roles_of_the_relationship_once(place: Place, access: str, said: str) -> None:
    place.write(
        "tenants/a.yaml",
        "version: 1\ntenant: a\nprovider: ovh-csp2\naccount: ovh-main\n"
        "service: a-csp\n"
        "delegated_administration:\n  {name: support, duration: P2Y, roles: [Global Reader],\n"
        f"  access: {access}}}\n",
    )

    (fault,) = place.faults()

    assert fault.startswith(f"tenants/a.yaml:8:{said}"), fault


def test_a_providers_number_may_be_written_as_one(place: Place) -> None:
    place.write(
        "tenants/a.yaml",
        """\
        version: 1
        tenant: a
        provider: ovh-csp2
        account: ovh-main
        service: a.example
        license_groups: [{name: o, product: 11, seats: 1, subscription: 4711}]
        """,
    )

    (manifest,) = place.load().manifests

    assert manifest.tenant.license_groups[0].product == "11"
    assert manifest.tenant.license_groups[0].subscription == "4711"
