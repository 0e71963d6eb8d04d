"""Files of the plain form: read a line at a time, and always as libyaml reads them."""

import random
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.store.plain import read_plain
from reconciler.store.yaml import read
from tests.manifests.agreement import PIECES, agrees

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = [FOLDER / "reconciler.yaml", *sorted((FOLDER / "tenants").rglob("*.yaml"))]
TENANT = """\
# ask the owners first
version: 1
tenant: acme
name: "Acme: UAB"   # as registered
prices:
  - {product: business, amount: "10,50", currency: EUR}
license_groups:
- name: office
  product: business
  seats: 12
  beside: [other.o365.ovh.com, 4711]
users:
  - login: ada@acme.example

    first_name: O'Brien
    country: no
    licenses:
      - office
  - login: bob
    licenses: []
domains:
"""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_of_the_plain_form_and_read_as_libyaml_reads_them(path: Path) -> None:
    assert agrees(path.read_text(encoding="utf-8"))


def test_a_plain_file_is_read_with_the_places_of_what_its_lists_hold() -> None:
    plain = read_plain(TENANT)

    assert plain is not None
    assert plain.value == {
        "version": 1,
        "tenant": "acme",
        "name": "Acme: UAB",
        "prices": [{"product": "business", "amount": "10,50", "currency": "EUR"}],
        "license_groups": [
            {
                "name": "office",
                "product": "business",
                "seats": 12,
                "beside": ["other.o365.ovh.com", 4711],
            }
        ],
        "users": [
            {
                "login": "ada@acme.example",
                "first_name": "O'Brien",
                "country": "no",
                "licenses": ["office"],
            },
            {"login": "bob", "licenses": []},
        ],
        "domains": None,
    }
    assert {name: list(places) for name, places in plain.items.items()} == {
        "prices": [6, 5],
        "license_groups": [8, 3],
        "users": [13, 5, 19, 5],
    }
    assert agrees(TENANT)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("# a remark\n", id="only a remark"),
        pytest.param("a: 1\na: 2\n", id="a key twice"),
        pytest.param("a: {b: 1, b: 2}\n", id="a key twice in braces"),
        pytest.param("a: b\n  c: d\n", id="deeper below a word"),
        pytest.param("a: b\n  c\n", id="a word of two lines"),
        pytest.param("a: b: c\n", id="two colons"),
        pytest.param("a: b:\n", id="a colon at the end"),
        pytest.param("a:b\n", id="no space behind the colon"),
        pytest.param("a: &x b\n", id="an anchor"),
        pytest.param("a: *x\n", id="an alias"),
        pytest.param("a: !t b\n", id="a tag"),
        pytest.param("a: |\n  b\n", id="a block of text"),
        pytest.param('a: "b\\n"\n', id="an escape"),
        pytest.param("a: 'it''s'\n", id="a doubled quote"),
        pytest.param("a: b#c\n", id="a hash inside a word"),
        pytest.param("a: [b,\n c]\n", id="a list over two lines"),
        pytest.param("a: [b, [c]]\n", id="a list in a list"),
        pytest.param("a: 1\r\n", id="a carriage return"),
        pytest.param("a:\t1\n", id="a tab"),
        pytest.param("a: \u200bb\n", id="an invisible character"),
        pytest.param("- a\n", id="a list"),
        pytest.param(" a: 1\n", id="indented as a whole"),
        pytest.param("a: 1\n---\nb: 2\n", id="two documents"),
        pytest.param("a: " + "9" * 65 + "\n", id="a number without an end"),
        pytest.param("k" * 70 + ": 1\n", id="a key without an end"),
        pytest.param("\n".join(" " * at + "a:" for at in range(60)) + "\n", id="deep"),
        pytest.param("a:\n  b: 1\n c: 2\n", id="between two indentations"),
        pytest.param("a:\n  - b\n - c\n", id="a dash between two indentations"),
        pytest.param("a:\n  - b: 1\n  c: 2\n", id="a key among dashes"),
    ],
)
def test_what_is_not_surely_of_the_plain_form_is_left_to_libyaml(text: str) -> None:
    assert read_plain(text) is None


def test_each_place_has_a_list_and_a_mapping_of_its_own() -> None:
    value = read(b"one:\n  a: [x]\n  b: {k: 1}\ntwo:\n  a: [x]\n  b: {k: 1}\n").value

    assert value["one"] == value["two"]
    assert value["one"]["a"] is not value["two"]["a"]
    assert value["one"]["b"] is not value["two"]["b"]


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.lists(st.sampled_from([*PIECES, "key: ", "word"]), max_size=5)),
        min_size=1,
        max_size=8,
    )
)
def test_lines_of_anything_are_read_as_libyaml_reads_them_or_not_at_all(
    lines: list[tuple[int, list[str]]],
) -> None:
    agrees("\n".join(" " * indent + "".join(parts) for indent, parts in lines))


def test_a_mutated_manifest_is_read_as_libyaml_reads_it_or_not_at_all() -> None:
    drawn = random.Random(20261121)  # noqa: S311 - the same mutations each time
    texts = [TENANT, *(path.read_text(encoding="utf-8") for path in EXAMPLES)]

    taken = sum(agrees(mutated(drawn.choice(texts), drawn)) for _ in range(8000))

    assert taken > 1000, "hardly any was of the plain form, so this shows little"


def mutated(text: str, drawn: random.Random) -> str:
    """A few lines of a file with one to three places changed."""
    lines = text.split("\n")
    first = drawn.randrange(len(lines))
    lines = lines[first : first + drawn.randrange(2, 14)] if drawn.random() < 0.7 else lines
    for _ in range(drawn.randrange(1, 4)):
        at = drawn.randrange(len(lines))
        line = lines[at]
        place = drawn.randrange(len(line) + 1)
        match drawn.randrange(5):
            case 0 | 1:
                lines[at] = line[:place] + drawn.choice(PIECES) + line[place:]
            case 2:
                lines[at] = line[:place] + line[place + drawn.randrange(1, 4) :]
            case 3:
                lines[at] = line.lstrip(" ") if drawn.random() < 0.5 else f" {line}"
            case _:
                lines.insert(drawn.randrange(len(lines) + 1), line)
    return textwrap.dedent("\n".join(lines))
