"""Every lasting code, of files and of plans: what it is called, why it is told, and what to do.

A code never changes its meaning and is never given to something else.
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """One kind of fault in a file of the user, or one kind of remark of a plan."""

    title: str
    why: str
    do: str


CODES: dict[str, Code] = {
    # The file itself.
    "RC1001": Code("file not readable", "the path does not lead to a file that can be read", "check path and rights"),
    "RC1002": Code("file too large", "no manifest needs 16 MiB; reading more could exhaust memory", "split it"),
    "RC1003": Code("not UTF-8", "another encoding would change names without a sign", "save the file as UTF-8"),
    "RC1004": Code("invisible character", "what cannot be seen cannot be reviewed", "delete the character"),
    "RC1005": Code("not YAML", "the file cannot be taken apart", "check quotes and indentation"),
    "RC1006": Code("empty file", "an empty file may be a lost one; it never means `no tenant`", "write or delete it"),
    "RC1007": Code("several documents", "one file is one tenant", "make it one file for each document"),
    "RC1008": Code("duplicate key", "of two values only one can hold", "keep one"),
    "RC1009": Code("nested too deeply", "no manifest nests more than 50 levels", "write it flat"),
    "RC1010": Code("too many aliases", "a few lines of aliases can stand for gigabytes", "write the values out"),
    "RC1011": Code("tag", "tags make other values of the same text", "use quotes for text"),
    "RC1012": Code("not a mapping", "a file is a mapping of keys", "begin with `version: 1`"),
    "RC1013": Code("key not text", "keys are plain names", "write a name"),
    "RC1014": Code("number too long", "no value here has so many digits", "quote it if it is text"),
    "RC1015": Code("no canonical form", "formatting it would change what it means", "simplify the file"),
    "RC1016": Code("link that leads out", "a pull request can bring a link to any file of the machine that checks it, "
                   "and what is wrong in a file is repeated in messages", "put the file itself in the repository"),
    # Keys and types.
    "RC1101": Code("unknown key", "a key that is not read would be a wish nobody fulfils", "correct or delete it"),
    "RC1102": Code("missing key", "there is no safe default for it", "write it"),
    "RC1103": Code("wrong type", 'nothing is converted silently: 12 and "12" are two things', "write the type asked"),
    "RC1104": Code("value not allowed", "the value is of the right type but not one of those that mean something",
                   "write one that is allowed"),
    "RC1105": Code("no value", "a key without a value says neither yes nor no", "write a value or delete the key"),
    "RC1106": Code("literal secret", "what is in git is known to everybody who ever had a copy",
                   "write env://NAME or file:///path, and change the secret"),
    # A tenant.
    "RC2101": Code("unknown account", "credentials stand in the workspace file and nowhere else", "correct the name"),
    "RC2102": Code("wrong api", "the provider is reached through another API than this account's", "name another"),
    "RC2103": Code("service missing", "the reseller API knows no tenant but by its service", "write `service`"),
    "RC2104": Code("people without a directory", "this seller sells seats and knows no people",
                   "write `directory` or delete `users`"),
    "RC2105": Code("directory unknown", "people are only ever changed in the directory that was meant",
                   "write `tenant_id`"),
    "RC2201": Code("group twice", "a group's name is its address", "rename one"),
    "RC2202": Code("unknown product", "the provider sells no such product", "write one that it sells"),
    "RC2203": Code("seats missing", "seats are what is paid for", "write `seats`"),
    "RC2204": Code("key for no group", "a product key is redeemed for a group", "name a group of the tenant"),
    "RC2205": Code("beside without new", "`beside` names the services that a new group is not", "delete it"),
    "RC2206": Code("old group name in use", "a rename cannot start from a name that is still written", "delete one"),
    "RC2211": Code("login twice", "logins are compared without regard to case", "keep one"),
    "RC2212": Code("licence names no group", "licences are names of license groups of the tenant", "correct it"),
    "RC2213": Code("unknown country", "licences are bound to a country of ISO 3166-1", "write two letters"),
    "RC2214": Code("licence twice", "a person has one place in a group", "keep one"),
    "RC2215": Code("old login in use", "a rename cannot start from a login that is still written", "delete one"),
    "RC2301": Code("more people than seats", "everybody with a licence needs a seat", "more seats or fewer people"),
    "RC2302": Code("Business above 300", "a Business service holds 300 seats at most", "use pro-plus or two groups"),
    "RC2401": Code("cancelled without reason", "a cancellation cannot be undone and must say why", "write `reason`"),
    "RC2402": Code("people in a cancelled group", "they would lose their licence with it", "take them out first"),
    "RC2403": Code("cancel without state", "`cancel` only says when; `state: cancelled` says that", "write both"),
    "RC2501": Code("too many accounts", "the order page takes 25 accounts at once", "write 25, then the rest"),
    "RC2511": Code("security group twice", "a group has one set of delegated roles", "write one entry for it"),
    "RC2512": Code("role not delegated", "a group can only be given roles that the customer approved with the "
                   "relationship", "write it in the relationship's `roles:`, in the same words"),
    "RC2513": Code("no role for a group", "who is given nothing needs no entry", "delete `roles:`, or write some"),
    "RC2601": Code("tenant twice", "a tenant's name is its address in the workspace", "rename one"),
    "RC2602": Code("old tenant name in use", "a rename cannot start from a name that is still written", "delete one"),
    "RC2603": Code("claimed twice", "one service or subscription and product is one group", "delete one pin"),
    "RC2604": Code("login in two tenants", "two tenants of one directory would fight over the person", "keep one"),
    # The workspace.
    "RC3001": Code("no workspace", "accounts, journal and policy stand in reconciler.yaml", "run `reconciler init`"),
    "RC3002": Code("other tool version required", "this version may read the files differently", "install another"),
    "RC3003": Code("requires not readable", "it must say which versions of the tool may be used", 'write ">=0.1"'),
    "RC3004": Code("unknown journal", "the journal is SQLite, PostgreSQL or a git branch", "write one of them"),
    "RC3101": Code("endpoint refused", "a changed file must not be able to send credentials elsewhere",
                   "use the provider's own, or set RECONCILER_ENDPOINTS"),
    "RC3102": Code("credentials missing", "without them the API answers nothing", "write references"),
    "RC3103": Code("two kinds of credentials", "a request is signed or carries a token, not both", "keep one kind"),
    "RC3104": Code("token_url missing", "only the known endpoints have a known place for tokens", "write it"),
    # Which service a group is.
    "RC4101": Code("product changed in place", "another product is another service: changing it would buy and lose "
                   "licences at once", "add a group, move the people, then cancel the old one"),
    "RC4102": Code("service not there", "the pinned or remembered service is not in the account (any more, or yet)",
                   "correct the pin; `service: new` on a group of another name buys one"),
    "RC4103": Code("two services for one group", "with nothing pinned, each of several could be the group, and a guess "
                   "could resize the wrong one", "write `service:` or `subscription:` in the group"),
    "RC4104": Code("unclaimed service of that product", "what only was not pinned must not be bought a second time",
                   "pin it, import it with `reconciler import`, or write `service: new` with `beside:`"),
    "RC4105": Code("unclaimed order of that product", "what is on its way may be this group, and would be bought twice",
                   "wait until it is delivered, then pin its service"),
    "RC4106": Code("new group was delivered", "`service: new` says that it is to be bought, which it has been",
                   "write the `service:` that the plan names"),
    "RC4107": Code("one service for two groups", "two groups would both decide over the same seats",
                   "correct the pin of one, or write `service: new` in it"),
    "RC4108": Code("product not sold", "the provider's own list for this tenant has no product of that name",
                   "write a name or an id from that list; for ovh-csp2 check `service:` too"),
    "RC4109": Code("domain not clear", "a short login could be in any of several domains, and the wrong one would read "
                   "as a leaver and a joiner", "write `domain:` in the tenant, or the logins in full"),
    # Renames that do nothing.
    "RC4201": Code("rename of a person does nothing", "`previously` acts only while the new login is absent and the "
                   "old one is there and ours; or a person sits twice", "adopt the old one, or delete `previously`"),
    "RC4202": Code("rename of a group does nothing", "the old and the new name are two services, so nothing is renamed",
                   "delete `previously`, or correct the pin"),
    # What the provider says.
    "RC4301": Code("notice of the provider", "the provider says something about the service that may matter later",
                   "read it; a plan changes nothing because of it"),
    "RC4302": Code("seats that are not replaced", "with `renewal: off` all seats end, and nothing is bought in their "
                   "place", "delete `renewal: off` to have the number written, or write fewer seats"),
    "RC4303": Code("person on an ending seat", "the group goes on and this seat does not: the person loses it then",
                   "write one seat more, which keeps it, or move the person"),
    "RC4304": Code("other display name", "the provider shows the tenant under another name, which is not changed there",
                   "write the provider's name in `name:`, or change it in the provider's panel"),
    # Who may use delegated administration.
    "RC4305": Code("roles that no file writes", "somebody else gave a security group more of the delegated roles, and "
                   "nobody's rights are taken away", "write them under `access:`, or take them away in Partner Center"),
    "RC4306": Code("delegated administration that nobody can use", "the customer approves roles, and somebody of the "
                   "partner has to be given them", "write `access:` with a security group of the partner's directory"),
    "RC4307": Code("one login on two seats", "whether OVHcloud lets one login sit on two seats is not known: it may "
                   "refuse the second one, after it was paid for", "keep one of the licences; who moves and is refused "
                   "gives the old seat back first, as soon as the new one is there"),
    # What renews or ends soon.
    "RC4401": Code("renews or ends soon", "after the last day to act it is paid for another term, or gone",
                   "look at the idle seats; `reconciler renewals` shows everything that is due"),
    "RC4402": Code("has ended", "it can be used, and its data are kept, for some days only",
                   "save the data, or buy it anew before they are deleted"),
}  # fmt: skip
