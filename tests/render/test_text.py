"""Plans, reports, standings and the journal read well: wide, narrow, in ASCII, with and without colour."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.core.errors import GuardError, ManifestError
from reconciler.core.plan import Leaving, Run
from reconciler.render import ERROR, HISTORY, PLAN, REPORT, STATUS, Options, options_for
from reconciler.render.page import Page, Piece, cells
from tests.render import makers
from tests.render.golden import check

SGR = re.compile(r"\x1b\[[0-9;]*m")
WIDE = Options(width=140)
NARROW = Options(width=60, ascii=True)


@pytest.mark.parametrize(
    ("name", "options"),
    [("wide", WIDE), ("usual", Options()), ("narrow", NARROW), ("color", Options(color=True))],
)
def test_a_plan_with_everything_reads_as_in_the_golden_file(name: str, options: Options) -> None:
    check(f"plan-{name}.txt", PLAN["text"](makers.everything(), options))


@pytest.mark.parametrize(("name", "options"), [("usual", Options()), ("narrow", NARROW)])
def test_a_report_reads_as_in_the_golden_file(name: str, options: Options) -> None:
    check(f"report-{name}.txt", REPORT["text"](makers.report(), options))


@pytest.mark.parametrize(("name", "options"), [("usual", Options()), ("narrow", NARROW)])
def test_a_status_reads_as_in_the_golden_file(name: str, options: Options) -> None:
    check(f"status-{name}.txt", STATUS["text"](makers.overview(), options))


def test_the_journal_reads_as_in_the_golden_file() -> None:
    check("history.txt", HISTORY["text"](makers.history(), WIDE))
    assert HISTORY["text"](makers.history(()), WIDE) == "Nothing has happened yet.\n"


def test_colour_adds_nothing_but_colour() -> None:
    plain = PLAN["text"](makers.everything(), Options())
    coloured = PLAN["text"](makers.everything(), Options(color=True))

    assert SGR.search(coloured)
    assert SGR.sub("", coloured) == plain


SAID = ["a", "office", " b", "Zoë", "漢字", "é\u0301", "12 -> 14 seats", "x" * 40, "a reason of some words"]
NAMES = st.sampled_from(SAID)
WORDS = st.sampled_from(["", *SAID])
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)


@given(
    rows=st.lists(st.tuples(NAMES, NAMES, NAMES, TEXTS, WORDS, TEXTS), min_size=1, max_size=5),
    width=st.sampled_from([80, 100, 140, 200]),
)
def test_a_table_has_the_same_lines_with_and_without_colour(rows: list[tuple[str, ...]], width: int) -> None:
    coloured, plain = Page(Options(width=width, color=True)), Page(Options(width=width))
    for page in (coloured, plain):
        page.table([[Piece(text, "bold") for text in row] for row in rows])

    assert SGR.sub("", coloured.text()) == plain.text()


@pytest.mark.parametrize("options", [Options(), Options(ascii=True)], ids=["utf-8", "ascii"])
@pytest.mark.parametrize("text", ["plain", "zażółć", "Ångström, e\u0301", "日本語", "a\x1bb", "‼…€", "ß"])
def test_a_column_is_as_wide_as_its_widest_text_takes_cells(text: str, options: Options) -> None:
    def lines(*names: str) -> list[str]:
        page = Page(options)
        page.table([[Piece("+"), Piece("order"), Piece(name), Piece("HERE"), Piece("")] for name in names])
        return page.text().splitlines()

    for names in ((text, "x" * 30), (text, "x"), ("x", text)):
        assert len({cells(line.partition("HERE")[0]) for line in lines(*names)}) == 1


def test_ascii_is_ascii() -> None:
    text = PLAN["text"](makers.everything(), NARROW)

    assert text.isascii()
    assert "Zydrunas Zemaitis" in text
    assert "... pending" in text


@pytest.mark.parametrize("width", [40, 60, 79, 80, 100, 200])
def test_only_what_is_to_be_copied_is_wider_than_the_page(width: int) -> None:
    text = PLAN["text"](makers.everything(), Options(width=width))

    wide = [line for line in text.splitlines() if cells(line) > width]

    assert all(re.search(r"https?://|sha256:|reconciler ", line) for line in wide)


def test_columns_are_aligned() -> None:
    lines = PLAN["text"](makers.run(makers.acme()), WIDE).splitlines()

    starts = {line.index("group/") for line in lines if re.match(r"  [-+~vx] \w+ +group", line)}

    assert len(starts) == 1


def test_nothing_to_do_is_said_in_one_line() -> None:
    plans = (makers.in_sync(f"t{number}") for number in range(3))

    text = PLAN["text"](makers.run(*plans), Options())

    assert text == "No changes. Everything is as the manifests say.\n"


def test_tenants_that_are_as_written_are_counted_not_listed() -> None:
    text = PLAN["text"](makers.run(makers.acme(), makers.in_sync("calm"), makers.in_sync("still")), Options())

    assert "calm" not in text
    assert "2 tenants unchanged." in text


def test_only_verbs_above_zero_and_only_symbols_that_occur_are_shown() -> None:
    plan = replace(makers.in_sync("acme"), actions=(makers.resize(),))

    text = PLAN["text"](makers.run(plan), Options())

    assert "Symbols: ~ change\n" in text
    assert "Plan: 1 to resize.\n" in text
    assert "Cost: +21.00 EUR/month\n" in text


def test_doubt_comes_first_with_the_two_ways_out() -> None:
    text = PLAN["text"](makers.run(makers.acme(), makers.beta()), Options())

    assert text.startswith("In doubt:")
    assert "reconciler resolve beta group/office --happened REF\n" in text
    assert "reconciler resolve beta group/office --did-not-happen\n" in text


def test_a_sandbox_is_marked_in_every_output() -> None:
    for text in (
        PLAN["text"](makers.run(makers.beta()), Options()),
        REPORT["text"](makers.report(), Options()),
        STATUS["text"](makers.overview(), Options()),
    ):
        assert "SANDBOX" in text


def test_the_next_command_is_the_one_that_fits() -> None:
    run = makers.run(makers.acme())

    assert f"Next: reconciler apply --approved {run.digest}\n" in PLAN["text"](run, Options())
    selected = PLAN["text"](run, Options(selection="tenants/acme.yaml"))
    assert f"Next: reconciler apply tenants/acme.yaml --approved {run.digest}\n" in selected
    saved = PLAN["text"](run, Options(plan_file="my plan.json"))
    assert "Next: reconciler apply --plan 'my plan.json'\n" in saved


def test_a_guard_shows_how_to_lift_it_and_the_command_that_does_it_if_it_is_meant() -> None:
    run = makers.everything()
    text = PLAN["text"](run, Options(width=300))

    assert "(303.00 is over 200.00)" in " ".join(text.split())
    assert "--allow max_monthly_increase=303.00" in text
    assert (
        f"Next, if it is meant: reconciler apply --approved {run.digest} --allow max_monthly_increase=303.00\n"
        in text
    )


def test_what_lifted_a_guard_is_repeated_by_the_command_that_applies() -> None:
    run = makers.run(makers.acme())

    text = PLAN["text"](run, Options(plan_file="p.json", allow=("max_seats_per_action=200", "protected=a")))

    assert (
        "Next: reconciler apply --plan p.json --allow max_seats_per_action=200 --allow protected=a\n" in text
    )


def test_many_unmanaged_people_are_counted() -> None:
    plan = makers.acme()
    many = replace(plan, unmanaged=plan.unmanaged[1:] * 300)

    text = PLAN["text"](makers.run(many), Options())

    assert "and 290 more unmanaged" in text


def test_a_plan_that_only_waits_says_so() -> None:
    waiting = replace(makers.acme(), actions=(), blocked=(), unmanaged=(), leaving=(), findings=())

    shown = PLAN["text"](makers.run(waiting, makers.in_sync("a"), makers.in_sync("b")), Options())

    assert "Nothing to do now: 1 pending. 2 tenants unchanged." in shown
    assert "Next, once that is there: reconciler plan\n" in shown
    known = replace(waiting, pending=tuple(replace(item, ours=True) for item in waiting.pending))
    assert "Next: reconciler resume\n" in PLAN["text"](makers.run(known), Options())


HOSTILE = "x\x1b[2J\x07\r\n\u202egnp.exe\u2066\x9b31m\x00y"


def hostile_run() -> Run:
    plan = makers.acme()
    action = replace(
        plan.actions[0], address=HOSTILE, summary=HOSTILE, reason=HOSTILE, instructions=HOSTILE,
        contracts=(replace(plan.actions[0].contracts[0], name=HOSTILE, url=HOSTILE),),
    )  # fmt: skip
    hostile = replace(
        plan,
        tenant=HOSTILE,
        name=HOSTILE,
        account=HOSTILE,
        hold=HOSTILE,
        error=HOSTILE,
        actions=(action,),
        pending=tuple(
            replace(item, address=HOSTILE, reason=HOSTILE, ref=HOSTILE, state="in-doubt")
            for item in plan.pending
        ),
        unmanaged=tuple(replace(item, address=HOSTILE, ref=HOSTILE) for item in plan.unmanaged),
        leaving=tuple(replace(item, address=HOSTILE, ref=HOSTILE) for item in plan.leaving),
        findings=tuple(replace(item, code=HOSTILE, message=HOSTILE) for item in plan.findings),
    )
    return makers.run(hostile, notes=(HOSTILE,))


@pytest.mark.parametrize("form", sorted(PLAN))
@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize("width", [50, 120])
def test_no_control_character_reaches_the_reader(form: str, width: int, color: bool) -> None:  # noqa: FBT001
    text = SGR.sub("", PLAN[form](hostile_run(), Options(width=width, color=color)))

    assert not set(text) & set("\x1b\x07\r\u202e\u2066\x9b\x00")
    assert "gnp.exe" in text


def test_an_error_says_what_happened_and_what_to_do() -> None:
    error = GuardError("31 seats is over 30", hint="lift it once with --allow max_seats=31", code="RC3001")

    text = ERROR(error, Options())

    assert text == "error[RC3001]: 31 seats is over 30\nhint: lift it once with --allow max_seats=31\n"


def test_an_error_in_a_file_opens_with_its_place() -> None:
    line = "tenants/acme.yaml:3:7: error[RC1001]: no such key"

    assert ERROR(ManifestError(line), Options()) == f"{line}\n"


def test_an_error_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in ERROR(GuardError("\x1b[2J", hint="\x1b]0;x\x07"), Options())


@pytest.mark.parametrize(
    ("environ", "terminal", "no_color", "expected"),
    [
        ({}, True, False, True),
        ({}, False, False, False),
        ({"NO_COLOR": "1"}, True, False, False),
        ({"NO_COLOR": ""}, True, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False, False),
        ({"FORCE_COLOR": "1"}, False, False, True),
        ({"FORCE_COLOR": "1"}, True, True, False),
        ({"TERM": "dumb"}, True, False, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    environ: dict[str, str],
    terminal: bool,  # noqa: FBT001 - a case of the table
    no_color: bool,  # noqa: FBT001 - a case of the table
    expected: bool,  # noqa: FBT001 - a case of the table
) -> None:
    options = options_for(environ, encoding="utf-8", terminal=terminal, width=80, no_color=no_color)

    assert options.color is expected


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", False), ("UTF8", False), ("ascii", True), ("cp1252", True), (None, True)],
)
def test_ascii_is_spoken_where_utf_8_is_not(encoding: str | None, expected: bool) -> None:  # noqa: FBT001
    assert options_for({}, encoding=encoding, terminal=True, width=None).ascii is expected


def test_seats_of_a_group_that_end_together_are_one_line_with_a_count() -> None:
    on = date(2026, 12, 21)
    leaving = (
        Leaving(address="seat/office/piotr", ref="old-1", on=on),
        Leaving(address="seat/office/ewa", ref="old-2", on=on),
        Leaving(address="group/office", ref="old-2", on=on),
        Leaving(address="group/office", ref="old-3", on=on),
        Leaving(address="group/mail", ref="4711", on=on),
        Leaving(address="group/some", ref="4712", on=on, seats=2),
        Leaving(address="group/last", ref="4713", on=on, seats=1),
    )
    plan = replace(makers.in_sync("acme"), leaving=leaving)

    text = PLAN["text"](makers.run(plan), Options())

    assert "  > leaving  group/office  3 seats end on 2026-12-21  with piotr, ewa\n" in text
    assert "  > leaving  group/mail    ends on 2026-12-21         ref 4711\n" in text
    assert "  > leaving  group/some    2 seats end on 2026-12-21  ref 4712\n" in text
    assert "  > leaving  group/last    1 seat ends on 2026-12-21  ref 4713\n" in text


def test_what_ended_is_said_to_have_ended() -> None:
    on = date(2026, 10, 21)
    leaving = (
        Leaving(address="seat/office/piotr", ref="old-1", on=on, ended=True),
        Leaving(address="seat/office/ewa", ref="old-2", on=on, ended=True),
        Leaving(address="group/mail", ref="4711", on=on, ended=True),
        Leaving(address="group/last", ref="4713", on=on, seats=1, ended=True),
    )
    plan = replace(makers.in_sync("acme"), leaving=leaving)

    text = PLAN["text"](makers.run(plan), Options())

    assert "2 seats ended on 2026-10-21" in text
    assert "> leaving  group/mail    ended on 2026-10-21" in text
    assert "1 seat ended on 2026-10-21" in text


def test_contracts_are_listed_once_however_many_purchases_accept_them() -> None:
    twice = [replace(makers.acme(), tenant=name) for name in ("acme", "beta")]

    text = PLAN["text"](makers.run(*twice), Options())

    assert text.count("https://www.ovh.com/contracts/terms.pdf") == 1


def test_each_hint_of_several_stands_on_its_line() -> None:
    text = ERROR(GuardError("two limits are exceeded", hint="lift one\nlift the other"), Options())

    assert text == "error: two limits are exceeded\nhint: lift one\n      lift the other\n"
