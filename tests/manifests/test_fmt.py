"""The canonical form: order and indentation change, meaning and comments do not."""

import textwrap
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.core.shapes import TENANT_KEYS, WORKSPACE_KEYS
from reconciler.store.edit import canonical, format_all
from reconciler.store.yaml import Unreadable, read
from tests.manifests.place import Place

BEFORE = """\
# yaml-language-server: $schema=https://example.test/tenant.schema.json
# Acme, since 2019
tenant: acme   # never rename
version: 1
account: ovh-main

# who sells
provider: ovh-prepaid
users:
# the first
- first_name: Ada   # with a comment
  login: "ada"
  licenses:
  - office
  # nothing else for ada
- {last_name: "No", login: bob, licenses: [ office,pro ], first_name: 'no'}

license_groups:
    # the office
    -   product: business # Business
        name: office
        seats: 12
        # state: cancelled
        # reason: "left"
    -   name: pro
        product: pro-plus
        seats: 3
# the end
"""

AFTER = """\
# yaml-language-server: $schema=https://example.test/tenant.schema.json
# Acme, since 2019
version: 1
tenant: acme   # never rename

# who sells
provider: ovh-prepaid
account: ovh-main

license_groups:
  # the office
  - name: office
    product: business     # Business
    seats: 12
    # state: cancelled
    # reason: "left"
  - name: pro
    product: pro-plus
    seats: 3
users:
  # the first
  - login: "ada"
    first_name: Ada # with a comment
    licenses:
      - office
    # nothing else for ada
  - {login: bob, first_name: 'no', last_name: "No", licenses: [office, pro]}
# the end
"""


def test_keys_move_with_their_comments() -> None:
    assert canonical(BEFORE.encode(), TENANT_KEYS).decode() == AFTER


def test_the_canonical_form_is_its_own_canonical_form() -> None:
    assert canonical(AFTER.encode(), TENANT_KEYS).decode() == AFTER


def test_a_workspace_has_a_canonical_form_too() -> None:
    before = """\
        accounts:
            main: # the only one
                endpoint: ovh-eu
                credentials: {consumer_key: env://C, application_secret: env://S, application_key: env://K}
                api: ovh
        version: 1
        """

    after = canonical(textwrap.dedent(before).encode(), WORKSPACE_KEYS).decode()

    assert after == textwrap.dedent("""\
        version: 1
        accounts:
          main:   # the only one
            api: ovh
            endpoint: ovh-eu
            credentials: {application_key: env://K, application_secret: env://S, consumer_key: env://C}
        """)


@pytest.mark.parametrize(
    "data",
    [b"a: 1\na: 2\n", b"", b"a: [\n", b"a: !x 1\n", b"a: 1\n---\nb: 1\n", b"\xff"],
    ids=["duplicate", "empty", "broken", "tag", "two documents", "not UTF-8"],
)
def test_what_cannot_be_read_is_not_formatted(data: bytes) -> None:
    with pytest.raises(Unreadable):
        canonical(data, TENANT_KEYS)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\r\nb: 2\r\n",
        "a: 1",
        "name: 'it''s'\nb: \"x\\ty\"\n",
        "b: 012\na: 0x1F\nc: 1e3\nd: no\ne: ~\nf:\n",
        "a: &x [1, 2]\nb: *x\n",
        "a: |\n  # no comment\n  text\nb: >-\n  folded\n  text\n",
        "a: one\n  two\n  # three\nb: x\n",
        "a: {}\nb: []\n",
        "---\n# top\na: 1\n...\n",
        "tenant: x\n\n\n\nversion: 1\n# a\n\n# b\n",
        "{tenant: x, version: 1}\n",
        "license_groups:\n- &a name: x\n  seats: 1\n- ? product\n  : b\n  ? name\n  : a\n",
        "accounts:\n  a: {endpoint: x}\n",
        "license_groups:\n- # dash alone\n  product: b\n  name: a\n",
        "license_groups:\n- seats: 1\n\n  # about the name\n\n  name: a\n\n- seats: 2\n  name: b\n",
    ],
)
def test_the_meaning_stays(text: str) -> None:
    after = canonical(text.encode(), TENANT_KEYS)

    assert read(after).value == read(text.encode()).value
    assert after == canonical(after, TENANT_KEYS)
    assert after.endswith(b"\n")
    assert b"\r" not in after


LINES = st.sampled_from(["", "# one", "#two # three", "  # deep", "    # deeper", "      # deepest"])
VALUES = st.sampled_from(
    ["1", "no", "'quoted # text'", '"x: y"', "[a, b]", "{b: 1, a: 2}", "a # why", "0x1F", "~", "é"]
)
KEYS = st.permutations(["login", "first_name", "last_name", "country", "licenses"])


@st.composite
def files(draw: st.DrawFn) -> str:
    """A tenant in any order and indentation, with comments anywhere."""
    dash = draw(st.sampled_from(["", "  ", "    "]))
    gap = draw(st.sampled_from([" ", "   "]))
    parts = {"version": "version: 1\n", "tenant": f"tenant: {draw(VALUES)}\n"}
    people = ""
    for _ in range(draw(st.integers(1, 3))):
        keys = draw(KEYS)
        for nth, key in enumerate(keys):
            people += f"{draw(LINES)}\n" if draw(st.booleans()) else ""
            lead = f"{dash}-{gap}" if nth == 0 else " " * len(f"{dash}-{gap}")
            people += f"{lead}{key}: {draw(VALUES)}\n"
    parts["users"] = f"users:\n{people}"
    parts["zebra"] = f"zebra: {draw(VALUES)}\n"
    return "".join(f"{draw(LINES)}\n{parts[name]}" for name in draw(st.permutations(sorted(parts))))


@settings(max_examples=150, deadline=None)
@given(files())
def test_any_file_keeps_its_meaning_and_its_comments(text: str) -> None:
    try:
        after = canonical(text.encode(), TENANT_KEYS)
    except Unreadable as refused:
        assume(refused.code != "RC1015")
        raise

    assert read(after).value == read(text.encode()).value
    assert after == canonical(after, TENANT_KEYS)
    assert after.count(b"#") == text.encode().count(b"#")


def test_check_writes_nothing_and_fmt_does(place: Place) -> None:
    path = place.write("tenants/a.yaml", BEFORE)
    path.chmod(0o640)

    checked, _ = format_all([], workspace_file=None, cwd=place.root, write=False)
    assert [each.file for each in checked if each.changed] == ["tenants/a.yaml"]
    assert path.read_text() == BEFORE

    format_all([], workspace_file=None, cwd=place.root, write=True)
    assert path.read_text() == AFTER
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in path.parent.iterdir()) == ["a.yaml"]

    again, _ = format_all([], workspace_file=None, cwd=place.root, write=True)
    assert not any(each.changed for each in again)


def test_a_link_stays_a_link(place: Place) -> None:
    real = place.write("real.yaml", BEFORE)
    (place.root / "tenants").mkdir()
    link = place.root / "tenants/a.yaml"
    link.symlink_to(real)

    format_all([Path("tenants")], workspace_file=None, cwd=place.root, write=True)

    assert link.is_symlink()
    assert real.read_text() == AFTER


def test_a_broken_file_is_told_and_the_others_are_formatted(place: Place) -> None:
    place.write("tenants/a.yaml", "a: [\n")
    other = place.write("tenants/b.yaml", BEFORE)

    _, faults = format_all([], workspace_file=None, cwd=place.root, write=True)

    assert [(each.file, each.code) for each in faults] == [("tenants/a.yaml", "RC1005")]
    assert other.read_text() == AFTER
