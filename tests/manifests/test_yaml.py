"""YAML 1.2 as it is read here: a table of values, exact places, and what is refused."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.store.yaml import MAX_BYTES, Places, Unreadable, read

VALUES = {
    # What YAML 1.1 makes of the first dozen is why it is not used.
    "no": "no", "No": "No", "NO": "NO", "yes": "yes", "on": "on", "off": "off", "y": "y", "n": "n",
    "12:30:45": "12:30:45", "2024-01-02": "2024-01-02", "1_000": "1_000", "0b11": "0b11", "=": "=",
    "012": 12, "0o17": 15, "0x1F": 31, "+12": 12, "-12": -12, "0": 0,
    "1.5": 1.5, "1.": 1.0, ".5": 0.5, "1e3": 1000.0, "-1.5E-3": -0.0015, "685.230_15e+03": "685.230_15e+03",
    ".inf": math.inf, "-.Inf": -math.inf, ".": ".", "-": None, "+": "+", "1e": "1e", "1.2.3": "1.2.3",
    "true": True, "True": True, "TRUE": True, "false": False, "tRue": "tRue",
    "null": None, "Null": None, "NULL": None, "~": None, "": None, "nULL": "nULL",
    "'12'": "12", '"true"': "true", "''": "", "'null'": "null", "a b": "a b", "a#b": "a#b", "a #b": "a",
    "é": "é", "\U0001f600": "\U0001f600", '"\\u00e9"': "é", "it's": "it's", "a: b": None, "[a, 1]": ["a", 1],
    "{a: no}": {"a": "no"}, "|\n  text\n  more": "text\nmore\n", ">\n  text\n  more": "text more\n",
}  # fmt: skip
REFUSED_VALUES = {"-", "a: b"}


@pytest.mark.parametrize("text", sorted(VALUES.keys() - REFUSED_VALUES))
def test_a_value_means_what_yaml_1_2_says(text: str) -> None:
    found = read(f"key: {text}\n".encode()).value["key"]

    assert found == VALUES[text]
    assert type(found) is type(VALUES[text])


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(read(b"key: .nan").value["key"])


DEEP = 50
BOMB = b"".join(
    b"%c: &%c [%s]\n" % (97 + n, 97 + n, b", ".join([b"*%c" % (96 + n) if n else b"x"] * 9)) for n in range(9)
)
REFUSED = {
    "empty": (b"", "RC1006", 1, 1),
    "only a comment": (b"# nothing\n", "RC1006", 1, 1),
    "only a mark": (b"\xef\xbb\xbf", "RC1006", 1, 1),
    "two documents": (b"a: 1\n---\na: 2\n", "RC1007", 2, 1),
    "a list": (b"- a\n", "RC1012", 1, 1),
    "a word": (b"acme", "RC1012", 1, 1),
    "not UTF-8": ("a: 1\nb: ė".encode("utf-16"), "RC1003", 1, 1),
    "Latin-1": ("a: 1\nname: é\n".encode("latin-1"), "RC1003", 2, 7),
    "a surrogate": (b"a: \xed\xa0\x80", "RC1003", 1, 4),
    "NUL": (b"a: 1\nb: x\0y", "RC1004", 2, 5),
    "escape": (b"a: \x1b[31m", "RC1004", 1, 4),
    "next line": ("a: é\u0085b: 1".encode(), "RC1004", 1, 5),
    "line separator": ("a: é\nb: x\u2028".encode(), "RC1004", 2, 5),
    "a tab": (b"a:\n\tb: 1\n", "RC1005", 2, 1),
    "half a quote": (b"a: 'x\n", "RC1005", 2, 1),
    "two colons": (b"a: b: c\n", "RC1005", 1, 5),
    "an unknown alias": (b"a: *nothing\n", "RC1005", 1, 4),
    "an anchor twice": (b"a: &x 1\nb: &x 2\n", "RC1005", 2, 4),
    "a bad tag": (b"a: !<\n", "RC1005", 1, 6),
    "a tag": (b"a: 1\nb: !!str 12\n", "RC1011", 2, 4),
    "a tag of Python": (b"a: !!python/object/apply:os.system [id]", "RC1011", 1, 4),
    "a tag on a key": (b"!!str a: 1\n", "RC1011", 1, 1),
    "a bomb": (BOMB, "RC1010", 1, 1),
    "an alias of itself": (b"a: &x [1, *x]\n", "RC1010", 1, 4),
    "deep in brackets": (b"a: " + b"[" * DEEP + b"]" * DEEP, "RC1009", 1, 52),
    "deep enough to kill libyaml": (b"a: " + b"[" * 1_000_000, "RC1009", 1, 52),
    "deep in braces": (b"{a: " * 100_000, "RC1009", 1, 197),
    "deep in dashes": (b"a:\n" + b"- " * 100_000 + b"x", "RC1009", 2, 97),
    "deep in questions": (b"? " * 100_000, "RC1009", 1, 99),
    "deep by aliases": (
        b"a: &a " + b"[" * 30 + b"]" * 30 + b"\nb: " + b"[" * 30 + b"*a" + b"]" * 30,
        "RC1009", 2, 12,
    ),
    "too large": (b"#" * (MAX_BYTES + 1), "RC1002", 1, 1),
}  # fmt: skip


@pytest.mark.parametrize(("data", "code", "line", "column"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_plain_yaml_is_refused_with_its_place(
    data: bytes, code: str, line: int, column: int
) -> None:
    with pytest.raises(Unreadable) as refused:
        read(data)

    assert (refused.value.code, refused.value.line, refused.value.column) == (code, line, column)
    assert refused.value.hint


ACCEPTED = {
    "a byte order mark": b"\xef\xbb\xbfa: 1\n",
    "lines of Windows": b"a: 1\r\n",
    "no newline at the end": b"a: 1",
    "a mark at the start": b"---\na: 1\n...\n",
    "a version": b"%YAML 1.2\n---\na: 1\n",
    "braces": b"{a: 1}",
    "a comment after": b"a: 1\n# ---\n",
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_what_editors_write_is_accepted(data: bytes) -> None:
    assert read(data).value == {"a": 1}


def test_nesting_of_fifty_is_accepted() -> None:
    value = read(b"a: " + b"[" * (DEEP - 1) + b"x" + b"]" * (DEEP - 1)).value["a"]

    for _ in range(DEEP - 1):
        (value,) = value
    assert value == "x"


def test_a_few_aliases_are_accepted() -> None:
    assert read(b"a: &x [1, 2]\nb: *x\n").value == {"a": [1, 2], "b": [1, 2]}


def test_every_key_written_twice_is_told_with_its_place() -> None:
    faults = read(b"a: 1\na: 2\nb:\n  - {c: 1, c: 2}\n  - ? [x]\n    : 1\n").faults

    assert [(each.code, each.line, each.column) for each in faults] == [
        ("RC1008", 2, 1),
        ("RC1008", 4, 12),
        ("RC1013", 5, 7),
    ]


def test_a_number_of_any_length_costs_nothing() -> None:
    (fault,) = read(b"a: " + b"1" * 1_000_000).faults

    assert (fault.code, fault.line, fault.column) == ("RC1014", 1, 4)


def test_a_place_is_told_in_signs_not_in_bytes() -> None:
    where = Places("\ufeffnamé: {é: 1, b: [x, 'é', y]}\n".encode(), file="a.yaml")

    assert str(where("namé", "b")) == "a.yaml:1:17"
    assert str(where("namé", "b", 2)) == "a.yaml:1:26"
    assert str(where("namé", "b", 3)) == "a.yaml:1:17"
    assert str(where("nobody")) == "a.yaml:1:1"


TOKENS = [
    b":", b"- ", b"#", b" #", b"'", b'"', b"&a ", b"*a", b"!x ", b"|", b">", b"{", b"}", b"[", b"]", b",", b"? ", b"%",
    b"@", b"`", b"\t", b"~", b"0x1F", b"1e3", b"---\n", b"...\n", b"<<: ", b"\\", b"  ", b"\n", b"\r\n", b"\xc3\xa9",
    b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\x85", b"\x00", b"\xff", b": ", b".inf", b"''", b"1" * 70,
]  # fmt: skip
PLAIN = b"""\
version: 1
tenant: acme
list:
  - {a: 1, b: [x, y]}
  - name: 'quoted'
    # comment
    text: |
      lines
"""


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_damage_is_refused_and_never_crashed_on(seed: int, cuts: int) -> None:
    lots = random.Random(seed)  # noqa: S311 - repeatable damage
    data = PLAIN
    for _ in range(cuts):
        at = lots.randrange(len(data) + 1)
        data = data[:at] + lots.choice(TOKENS) + data[at + lots.choice((0, 0, 1, 5)) :]

    _assert_read_or_refused(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    _assert_read_or_refused(b"a: " + data)


def _assert_read_or_refused(data: bytes) -> None:
    try:
        found = read(data)
    except Unreadable as refused:
        place = (refused.line, refused.column)
    else:
        assert isinstance(found.value, dict)
        place = found.where(())
    assert min(place) >= 1


def test_a_place_known_from_reading_is_the_one_that_composing_again_finds() -> None:
    data = (
        b"users:\n  - {a: 1}\n  - &x\n    b: 2\n  - *x\nother: [1,\n 2]\nusers: [9]\nempty: []\nplain: text\n"
    )
    known = Places(data, file="a.yaml", items=read(data).items)
    composed = Places(data, file="a.yaml")

    for path in [
        ("users", 0),
        ("users", 1),
        ("users", 2),
        ("users", 3),
        ("other", 1),
        ("empty", 0),
        ("plain",),
    ]:
        assert known.locate(path) == composed.locate(path)
        assert known.locate(path, at_key=True) == composed.locate(path, at_key=True)
