"""What a code means, in every format; and what is said of a code that is none."""

import json

import pytest

from reconciler.core.codes import CODES
from reconciler.core.examples import EXAMPLES
from tests.cli.place import Place


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained_in_every_format(place: Place, code: str) -> None:
    one = CODES[code]

    text = place.ok(f"explain {code}")
    page = place.ok(f"explain {code.lower()} --format markdown")
    data = json.loads(place.ok(f"explain {code[2:]} --format json"))

    for said in (text, page):
        assert code in said
        assert one.title in said
        assert one.why in said
        assert one.do in said
        assert ("Refused" in said) is (code in EXAMPLES)
    assert (data["code"], data["title"], data["why"], data["do"]) == (code, *one)


def test_without_a_code_all_are_listed(place: Place) -> None:
    for form in ("text", "markdown", "json"):
        said = place.ok(f"explain --format {form}")
        assert all(code in said and one.title in said for code, one in CODES.items())


def test_a_code_that_is_none_is_said_with_those_that_are_near(place: Place) -> None:
    near = place.run("explain RC2310")
    by_name = place.run("explain 'login twice'")
    far = place.run("explain banana")

    assert (near.code, near.out) == (1, "")
    assert "did you mean RC2301" in near.err
    assert "RC2211 (login twice)" in by_name.err
    assert "`reconciler explain` lists every code" in far.err


def test_what_is_wrong_in_the_files_says_where_more_is_said(place: Place) -> None:
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 0")

    assert "reconciler explain CODE" in place.run("plan").err
