"""A plan as a comment: complete, harmless and never too long."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

from reconciler.core.action import Verb
from reconciler.core.plan import Plan
from reconciler.render import PLAN, REPORT, STATUS, Options
from reconciler.render.escape import code, markdown
from reconciler.render.fit import brief
from tests.render import makers
from tests.render.golden import check

HOSTILE = (
    "x|`y`</details><script>alert(1)</script>@everyone #12 [a](https://evil.example) **b**\n## no\n/close"
)


def hostile() -> Plan:
    plan = makers.acme()
    action = replace(plan.actions[0], address=HOSTILE, summary=HOSTILE, reason=HOSTILE, how="by-hand")
    return replace(
        plan,
        tenant=HOSTILE,
        name=HOSTILE,
        account=HOSTILE,
        provider=HOSTILE,
        hold=HOSTILE,
        actions=(action,),
        pending=tuple(replace(item, address=HOSTILE, reason=HOSTILE) for item in plan.pending),
        findings=tuple(replace(item, message=HOSTILE, address=HOSTILE) for item in plan.findings),
    )


OWN_HTML = re.compile(
    r"</?details>|</?summary>|</?sub>|<code>[^<>]*</code>|<details><summary><code>[^<>]*</code>: [\w ]+</summary>"
)


def tokens(text: str) -> list[Token]:
    """What a Markdown reader makes of it, as one list."""
    blocks = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [token for block in blocks for token in (block, *(block.children or ()))]


def test_a_plan_with_everything_is_as_in_the_golden_file() -> None:
    check("plan.md", PLAN["markdown"](makers.everything(), Options()))


def test_a_report_is_as_in_the_golden_file() -> None:
    check("report.md", REPORT["markdown"](makers.report(), Options()))


def test_a_status_is_as_in_the_golden_file() -> None:
    check("status.md", STATUS["markdown"](makers.overview(), Options()))


def test_a_plan_without_changes_is_short() -> None:
    text = PLAN["markdown"](makers.run(makers.in_sync("calm")), Options())

    assert "No changes. Everything is as the manifests say." in text
    assert "###" not in text


def test_hostile_names_neither_mark_up_nor_mention_nor_break_out() -> None:
    text = PLAN["markdown"](makers.run(hostile(), notes=(HOSTILE,)), Options())

    found = tokens(text)
    assert not {"link_open", "image", "s_open"} & {token.type for token in found}
    markup = "".join(token.content for token in found if token.type.startswith("html"))
    assert not re.search(r"[<>]", OWN_HTML.sub("", markup))
    headings = [found[at + 1].content for at, token in enumerate(found) if token.type == "heading_open"]
    assert headings == ["Licence plan", "Needs a person", "Tenants", "Pending, blocked and scheduled"]
    assert not [token.content for token in found if token.type == "text" and "@everyone" in token.content]
    assert not re.search(r"^/close", text, flags=re.MULTILINE)


def test_a_pipe_in_a_name_does_not_add_a_column() -> None:
    text = PLAN["markdown"](makers.run(hostile()), Options())

    row = next(line for line in text.splitlines() if line.startswith("| `"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 6


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("`|\\ \n\u202e"), max_size=30))
def test_code_holds_whatever_it_is_given(text: str) -> None:
    shown = code(text)

    ticks = re.match(r"`+", shown)
    assert ticks is not None
    assert shown.endswith(ticks[0])
    inner = shown[len(ticks[0]) : -len(ticks[0])]
    assert ticks[0] not in re.findall(r"`+", inner)
    assert "\n" not in shown


@given(
    st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("`|\\<>*_[]()!&~@#:/ \n"), max_size=30)
)
def test_prose_stays_prose_on_one_line(text: str) -> None:
    shown = markdown(text)

    assert "\n" not in shown
    kinds = {token.type for token in tokens(f"said: {shown}.")}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


@pytest.mark.parametrize("limit", [8_000, 20_000, 60_000])
def test_a_long_plan_is_cut_in_the_middle_and_never_at_its_ends(limit: int) -> None:
    plans = [replace(makers.acme(), tenant=f"tenant-{number:04}") for number in range(400)]
    run = makers.run(*plans)

    text = PLAN["markdown"](run, Options(limit=limit))

    assert len(text) <= limit
    assert text.startswith("## Licence plan")
    assert "400 to order" in text.replace("\\", "")
    assert "and 780 more" in text  # of what needs a person
    assert "did not fit here" in text
    assert text.count("<details>") == text.count("</details>")
    assert run.digest in text


def test_a_report_and_a_status_are_cut_too() -> None:
    report = makers.report()
    many = tuple(replace(report.tenants[0], tenant=f"tenant-{number:04}") for number in range(400))
    overview = makers.overview()
    standing = tuple(replace(overview.tenants[0], tenant=f"tenant-{number:04}") for number in range(900))

    assert len(REPORT["markdown"](replace(report, tenants=many), Options(limit=20_000))) <= 20_000
    assert len(STATUS["markdown"](replace(overview, tenants=standing), Options(limit=20_000))) <= 20_000


def test_one_tenant_with_thousands_of_actions_is_cut_by_lines() -> None:
    plan = makers.acme()
    actions = tuple(replace(plan.actions[2], id=str(number)) for number in range(3000))

    text = PLAN["markdown"](makers.run(replace(plan, actions=actions)), Options())

    assert "more lines" in text
    assert len(text) <= 60_000


LONG = f"/srv/{'a-very-deep-folder/' * 40}journal.db"


@pytest.mark.parametrize("where", [LONG, LONG.replace("-", " ")], ids=["one word", "many words"])
def test_a_long_path_in_a_note_takes_none_of_the_words_around_it(where: str) -> None:
    note = f"the journal is at {where}: put the newer one back before you apply"

    for text in (
        PLAN["markdown"](makers.run(makers.in_sync("calm"), notes=(note,)), Options()),
        REPORT["markdown"](replace(makers.report(), notes=(note,)), Options()),
        STATUS["markdown"](replace(makers.overview(), notes=(note,)), Options()),
    ):
        line = next(line for line in text.splitlines() if "put the newer one back" in line)
        assert line.startswith("- the journal is at /srv/a")
        assert line.endswith("journal.db: put the newer one back before you apply")
        assert "…" in line
        assert len(line) <= 310


def test_a_text_of_usual_length_is_not_cut() -> None:
    text = f"{'x' * 200} {'y' * 99}"

    assert brief(text) == text


@given(st.text(max_size=900), st.integers(3, 300))
def test_a_brief_text_is_never_too_long_and_has_both_its_ends(text: str, most: int) -> None:
    shown = brief(text, most)

    assert len(shown) <= most
    assert (shown[:1], shown[-1:]) == (text[:1], text[-1:])


@pytest.mark.parametrize("limit", [8_000, 40_000])
def test_names_that_fill_the_first_part_take_nothing_from_what_to_do_next(limit: int) -> None:
    long = replace(hostile(), name="<" * 300)
    action = replace(
        long.actions[0], address="<" * 300, summary="<" * 300, reason="<" * 300, verb=Verb.CANCEL
    )
    run = makers.run(
        *(replace(long, tenant=f"{number:04}{'<' * 296}", actions=(action,)) for number in range(30))
    )

    text = PLAN["markdown"](run, Options(limit=limit))

    assert len(text) <= limit
    assert text.startswith("## Licence plan")
    assert "The rest of this did not fit here" in text
    assert "To see it again: `reconciler plan`" in text
    assert run.digest in text
    assert all(
        line.startswith("- ")
        for line in text.partition("### Needs a person\n\n")[2].partition("\n\n")[0].splitlines()
    )
