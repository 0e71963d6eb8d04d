"""Pages that stand alone: no script, nothing fetched, tables a screen reader can read, nothing breaks out."""

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reconciler.render import PLAN, REPORT, STATUS, Options
from tests.render import makers
from tests.render.golden import check

VOID = {"meta", "br", "link", "img", "hr", "input"}
HOSTILE = "</td></table><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x1b[2J\u202e"


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
    "plan.html": lambda: PLAN["html"](makers.everything(), Options()),
    "report.html": lambda: REPORT["html"](makers.report(), Options()),
    "status.html": lambda: STATUS["html"](makers.overview(), Options()),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_in_the_golden_file(name: str) -> None:
    check(name, PAGES[name]())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_stands_alone_and_can_be_read_aloud(name: str) -> None:
    reader = read(PAGES[name]())

    tags = [tag for tag, _ in reader.tags]
    assert not {"script", "link", "img", "iframe", "form"} & set(tags)
    assert not [name for _, attributes in reader.tags for name in attributes if name.startswith("on")]
    assert tags.count("h1") == 1
    assert tags.count("table") == tags.count("caption") > 0
    assert all("scope" in attributes for tag, attributes in reader.tags if tag == "th")
    assert ("html", {"lang": "en"}) in reader.tags
    assert "prefers-color-scheme: dark" in PAGES[name]()


def test_nothing_hostile_breaks_out() -> None:
    plan = makers.acme()
    action = replace(
        plan.actions[0], address=HOSTILE, summary=HOSTILE, reason=HOSTILE, instructions=HOSTILE,
        contracts=(replace(plan.actions[0].contracts[0], name=HOSTILE, url="javascript:alert(1)"),),
    )  # fmt: skip
    hostile = replace(plan, tenant=HOSTILE, name=HOSTILE, hold=HOSTILE, actions=(action,))

    text = PLAN["html"](makers.run(hostile, notes=(HOSTILE,)), Options())

    reader = read(text)
    assert not {"script", "img"} & {tag for tag, _ in reader.tags}
    assert "javascript:" not in text
    assert not set(text) & {"\x1b", "\u202e"}


def test_a_plan_without_changes_says_so() -> None:
    text = PLAN["html"](makers.run(makers.in_sync("calm")), Options())

    assert "<strong>No changes. Everything is as the manifests say.</strong>" in text
    read(text)
