"""Pages that stand alone: no script, nothing fetched, tables a screen reader can read, nothing breaks out."""

import re
from base64 import b64encode
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from reconciler.core.model import Money
from reconciler.core.plan import Unmanaged, Usage
from reconciler.render import PLAN, RENEWALS, REPORT, STATUS, Options
from tests.render import makers, pages
from tests.render.golden import check

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Reader(HTMLParser):
    """Collects tags with their attributes and sees that each is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


PAGES: dict[str, Callable[[], str]] = {
    "plan.html": lambda: PLAN["html"](pages.calendar(), Options()),
    "drift.html": lambda: PLAN["html"](pages.drifted(), Options()),
    "report.html": lambda: REPORT["html"](makers.report(), Options()),
    "status.html": lambda: STATUS["html"](pages.journalled(), Options()),
    "renewals.html": lambda: RENEWALS["html"](pages.calendar(), pages.dues()[:4], 60, Options()),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_in_the_golden_file(name: str) -> None:
    check(name, PAGES[name]())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_stands_alone_and_can_be_read_aloud(name: str) -> None:
    text = PAGES[name]()
    reader = read(text)

    tags = [tag for tag, _ in reader.tags]
    assert not {"script", "link", "img", "iframe", "form"} & set(tags)
    names = {name for _, attributes in reader.tags for name in attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"src", "style"})
    assert tags.count("h1") == tags.count("main") == 1
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in attributes for tag, attributes in reader.tags if tag == "th")
    assert ("html", {"lang": "en", "dir": "ltr"}) in reader.tags
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_allows_the_one_style_and_nothing_else(name: str) -> None:
    text = PAGES[name]()

    (style,) = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in text
    assert not re.search(r"url\(|@import|@font-face", style)


@pytest.mark.parametrize("name", PAGES)
def test_every_anchor_leads_somewhere_and_no_name_is_given_twice(name: str) -> None:
    reader = read(PAGES[name]())

    given = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    wanted = {str(attributes["href"]) for tag, attributes in reader.tags if tag == "a"}
    assert len(given) == len(set(given))
    assert {one for one in wanted if one.startswith("#")} <= {f"#{one}" for one in given}
    assert not {one for one in wanted if not one.startswith(("#", "https://"))}


HOSTILE: dict[str, Callable[[], str]] = {
    "plan": lambda: PLAN["html"](pages.hostile_run(), Options()),
    "report": lambda: REPORT["html"](pages.hostile_report(), Options()),
    "status": lambda: STATUS["html"](pages.hostile_overview(), Options()),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hostile_breaks_out(name: str) -> None:
    text = HOSTILE[name]()

    reader = read(text)
    assert not {"script", "img", "iframe"} & {tag for tag, _ in reader.tags}
    links = [str(attributes.get("href")) for tag, attributes in reader.tags if tag == "a"]
    assert all(link.startswith(("#", "https://x.example/")) for link in links)
    assert not set(text) & {"\x1b", "\u202e", "\u2066", "\u200b", "\u200d"}
    assert "{{ 7 * 7 }}" in text


def test_a_plan_without_changes_says_so() -> None:
    text = PLAN["html"](makers.run(makers.in_sync("calm")), Options())

    assert "No changes. Everything is as the manifests say." in text
    assert "1 tenant as the manifests say" in text
    assert "Needs a person" not in text
    read(text)


def test_a_plan_of_nothing_is_a_page_too() -> None:
    text = PLAN["html"](makers.run(skipped=3), Options())

    assert "3 tenants not selected: nothing is said of them here." in text
    assert "No tenant was selected." in text
    read(text)


def test_what_was_changed_at_the_provider_is_told_first() -> None:
    (table,) = re.findall("<caption>Differences</caption>(.*?)</table>", PAGES["drift.html"](), re.DOTALL)

    assert re.findall("</i> ([a-z ]+)</b>", table) == ["at the provider", "unknown", "git"]
    assert "seats 10</td>" in table


def test_what_ends_stands_apart() -> None:
    text = PAGES["plan.html"]()

    (table,) = re.findall(
        "<caption>What takes something away for good</caption>(.*?)</table>", text, re.DOTALL
    )
    assert table.count("<tr") == 2
    assert "<code>group/old</code>" in table
    assert "can be undone until 2027-01-30" in table


def test_money_is_never_added_across_currencies_and_the_unknown_is_in_no_sum() -> None:
    dollars = replace(makers.euro("5.00", "7.00"), currency="USD")
    plan = replace(
        makers.acme(),
        actions=(
            makers.resize(),
            makers.resize(13, id="b", price=dollars),
            makers.resize(14, id="c", price=None),
        ),
        unmanaged=(Unmanaged(address="group/x", ref="x", monthly=Money(makers.euro("9").monthly, "GBP")),),
    )

    text = PLAN["html"](makers.run(plan), Options())

    rows = re.findall(r"<tr role=row><th scope=row role=rowheader data-l=\"currency\">(.*?)</tr>", text)
    seen = [re.sub("<[^>]*>", " ", row).split() for row in rows]
    assert seen == [
        ["EUR", "+21.00/month", "0"],
        ["GBP", "0", "0", "9.00/month"],
        ["USD", "+5.00/month", "0", "+7.00", "once"],
    ]
    assert "1 action of unknown price: in no sum below." in text


def test_what_is_over_is_told_apart_from_what_comes() -> None:
    text = PAGES["renewals.html"]()

    assert "usable until 2026-12-17, data kept until 2027-03-17" in text
    assert "25 seats of business (then 20)" in text
    assert "Last day to change it: 2026-12-30" in text
    assert "1 whole service to renew" in text
    assert "1 date further away, in the months alone." in text


def test_what_is_late_is_marked() -> None:
    late = replace(makers.acme().pending[0], due_by=makers.AT.replace(hour=8))

    assert "overdue</b>" in PLAN["html"](makers.run(replace(makers.acme(), pending=(late,))), Options())
    assert "overdue</b>" not in PAGES["plan.html"]()


def test_a_step_by_hand_that_was_begun_is_confirmed_now_and_a_planned_one_later() -> None:
    begun = replace(makers.acme().pending[0], state="by-hand", ref=None, reason="Ring the customer.")

    text = PLAN["html"](makers.run(replace(makers.acme(), pending=(begun,))), Options())

    command = "</p>\n<pre class=command><code>reconciler confirm acme group"
    now = f"<p class=when>Once it is done{command}/web --by NAME"
    later = f"<p class=when>After the apply, once it is done{command}/office --by NAME"
    assert "<pre>Ring the customer.</pre>" in text
    assert now in text
    assert later in text


def test_long_tables_are_cut_and_the_rest_is_counted() -> None:
    used = tuple(Usage(address=f"group/{at}", product="b", seats=2, used=1, idle=1) for at in range(305))
    dates = tuple(pages.due(date(2026, 12, 1), address=f"group/{at}") for at in range(302))

    text = PLAN["html"](makers.run(replace(makers.in_sync("acme"), usage=used, dues=dates)), Options())

    assert "305 groups. Seats: 610 paid for, 305 used, 305 idle." in text
    assert "<p class=after>5 groups more.</p>" in text
    assert "<p class=after>2 dates more.</p>" in text


def test_a_thousand_tenants_fit_a_file_that_opens() -> None:
    text = PLAN["html"](pages.thousand(), Options())

    assert len(text.encode()) < 4_000_000
    assert text.count('class="tenant"') == 1000
