"""Pages in a real Chromium: judged by axe, narrow and wide, light, dark and printed, whoever wrote in them."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, sync_playwright

from reconciler.render import PLAN, RENEWALS, REPORT, STATUS, Options
from tests.render import makers, pages

pytestmark = pytest.mark.unmeasured

HERE = "http://page.test/"  # answered within the browser: nothing leaves it
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
PHONE, TABLET, LEAST, DESK = 320, 768, 1025, 1280
"""Widths in CSS pixels; at LEAST the tables have just enough room to be tables."""

MADE: dict[str, Callable[[], str]] = {
    "plan": lambda: PLAN["html"](pages.calendar(), Options()),
    "drift": lambda: PLAN["html"](pages.drifted(), Options()),
    "report": lambda: REPORT["html"](makers.report(), Options()),
    "status": lambda: STATUS["html"](pages.journalled(), Options()),
    "renewals": lambda: RENEWALS["html"](pages.calendar(), pages.dues()[:4], 60, Options()),
    "calm": lambda: PLAN["html"](makers.run(makers.in_sync("calm")), Options()),
}
HOSTILE: dict[str, Callable[[], str]] = {
    "plan": lambda: PLAN["html"](pages.hostile_run(), Options()),
    "report": lambda: REPORT["html"](pages.hostile_report(), Options()),
    "status": lambda: STATUS["html"](pages.hostile_overview(), Options()),
    "renewals": lambda: RENEWALS["html"](
        pages.hostile_run(), tuple(one for plan in pages.hostile_run().plans for one in plan.dues), 60, Options()
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine. It is there, or the test fails: a page is only proved in a browser."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, f"none of {', '.join(BROWSERS)} is installed (Debian: apt-get install chromium)"
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=root)
        yield made
        made.close()


@dataclass
class Opened:
    """A page that is open, and everything it asked for, what of it came to the network, and what it said."""

    page: Page
    asked: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)

    @property
    def width(self) -> int:
        return int(self.run("document.documentElement.scrollWidth"))


@contextmanager
def opened(
    browser: Browser, text: str, *, width: int = DESK, scheme: Any = "light", scripts: bool = True
) -> Iterator[Opened]:
    """Open a page in a fresh window, with scripts or without, and see that it asks for nothing and says nothing."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
    )
    try:
        one = Opened(context.new_page())
        _listen(one)
        context.route("**/*", lambda route: _answer(one, route, text))
        one.page.goto(HERE)
        yield one
        assert one.asked == [HERE]
        assert one.said == []
    finally:
        context.close()


def _listen(one: Opened) -> None:
    def asked(request: Request) -> None:
        one.asked.append(request.url)

    def said(message: ConsoleMessage) -> None:
        one.said.append(message.text)

    one.page.on("request", asked)
    one.page.on("console", said)
    one.page.on("pageerror", lambda error: one.said.append(str(error)))
    one.page.on("dialog", lambda dialog: one.said.append(dialog.message))


def _answer(one: Opened, route: Route, text: str) -> None:
    one.reached.append(route.request.url)
    if route.request.url == HERE:
        route.fulfill(body=text, content_type="text/html; charset=utf-8")
    else:
        route.abort()


@cache
def axe() -> str:
    """The source of axe-core."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(one: Opened) -> list[str]:
    """What axe finds wrong, with the elements concerned."""
    one.run(axe())
    found = one.page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})",
        list(RULES),
    )
    assert len(found["passes"]) > 20  # it did look
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MADE)
def test_axe_finds_nothing_wrong(browser: Browser, name: str, scheme: str, width: int) -> None:
    with opened(browser, MADE[name](), width=width, scheme=scheme) as one:
        assert violations(one) == []
        assert one.width <= width


def test_axe_would_find_what_is_wrong(browser: Browser) -> None:
    text = MADE["plan"]().replace('<html lang="en" dir="ltr">', "<html>").replace("scope=col", "scope=cell")

    with opened(browser, text) as one:
        found = {each.partition(":")[0] for each in violations(one)}

    assert {"html-has-lang", "scope-attr-valid"} <= found


@pytest.mark.parametrize("width", [PHONE, TABLET, LEAST, DESK])
@pytest.mark.parametrize("name", MADE)
def test_a_page_is_read_without_scripts_and_without_scrolling_sideways(
    browser: Browser, name: str, width: int
) -> None:
    with opened(browser, MADE[name](), width=width, scripts=False) as one:
        assert one.page.locator("h1").is_visible()
        headings = one.page.locator("h2")
        assert headings.count() > 0
        assert all(each.is_visible() for each in headings.all())
        assert one.width <= width


@pytest.mark.parametrize("width", [PHONE, LEAST])
@pytest.mark.parametrize("name", HOSTILE)
def test_whoever_writes_a_name_can_neither_run_anything_nor_break_the_page(
    browser: Browser, name: str, width: int
) -> None:
    with opened(browser, HOSTILE[name](), width=width) as one:
        assert one.width <= width
        assert one.run("window.ran") is None
        assert one.run("document.querySelectorAll('script, iframe, img, object, embed').length") == 0
        assert "w" * 10_000 in one.page.locator("main").inner_text()


def test_the_policy_stops_what_the_escaping_would_let_through(browser: Browser) -> None:
    text = MADE["plan"]().replace(
        "</footer>",
        "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'><b style='color: red'>b</b></footer>",
    )
    with opened(browser, text) as one:
        assert one.run("window.ran") is None
        assert (
            one.run("getComputedStyle(document.querySelector('footer b[style]')).color") != "rgb(255, 0, 0)"
        )
        assert all("Content Security Policy" in said for said in one.said)
        assert {word for said in one.said for word in ("script", "style", "image") if word in said} == {
            "script", "style", "image",
        }  # fmt: skip
        one.said.clear()
        assert one.reached == [HERE]
        one.asked.remove(f"{HERE}x")  # wanted, and refused before it left


def test_dark_is_dark_and_light_is_light(browser: Browser) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        with opened(browser, MADE["plan"](), scheme=scheme) as one:
            seen[scheme] = one.run("getComputedStyle(document.body).backgroundColor")

    assert seen == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}


def test_a_name_in_the_overview_leads_to_its_tenant(browser: Browser) -> None:
    with opened(browser, MADE["plan"](), scripts=False) as one:
        one.page.locator("#tenants a", has_text="beta").click()

        assert one.page.url == f"{HERE}#tenant-beta"
        top = one.run("document.getElementById('tenant-beta').getBoundingClientRect().top")
        assert 0 <= top < 900


def test_the_keyboard_comes_to_the_content_first(browser: Browser) -> None:
    with opened(browser, MADE["plan"]()) as one:
        one.page.keyboard.press("Tab")
        assert one.run("document.activeElement.textContent") == "Skip to the content"
        one.page.keyboard.press("Enter")
        assert one.run("document.activeElement.id") == "main"


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_tables_stay_tables_for_who_cannot_see_them(browser: Browser, width: int) -> None:
    with opened(browser, MADE["plan"](), width=width) as one:
        table = one.page.get_by_role("table", name="Seats by group, most idle first")

        assert table.get_by_role("columnheader").all_inner_texts() == [
            "tenant",
            "group",
            "product",
            "used and idle",
        ]
        row = table.get_by_role("row").nth(1)
        assert row.get_by_role("rowheader").inner_text() == "acme"
        assert row.get_by_role("cell").last.inner_text().strip() == "7 used, 3 idle of 10"


@pytest.mark.parametrize("name", MADE)
def test_no_status_is_told_by_colour_alone(browser: Browser, name: str) -> None:
    with opened(browser, MADE[name]()) as one:
        chips = one.run(
            "[...document.querySelectorAll('.chip')].map(c => c.innerText.trim().split(' ').slice(1).join(' '))"
        )
        bars = one.run("[...document.querySelectorAll('svg.bar')].map(b => b.parentElement.innerText.trim())")

    assert all(chips)
    assert all(bars)
    assert bars or name not in {"plan", "renewals"}


PRINTED = {**MADE, **{f"hostile-{name}": made for name, made in HOSTILE.items()}}


@pytest.mark.parametrize("name", PRINTED)
def test_a_print_is_light_whole_and_not_wider_than_the_paper(browser: Browser, name: str) -> None:
    with opened(
        browser, PRINTED[name](), width=700, scheme="dark"
    ) as one:  # A4 without margins, in CSS pixels
        one.page.emulate_media(media="print")

        assert one.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not one.page.locator("nav").is_visible()
        assert one.width <= 700


def test_a_page_goes_onto_paper(browser: Browser) -> None:
    with opened(browser, MADE["plan"]()) as one:
        assert one.page.pdf(format="A4").startswith(b"%PDF-")


def test_what_is_folded_is_printed(browser: Browser) -> None:
    with opened(browser, MADE["plan"]()) as one:
        name = one.page.locator("details li").first
        assert not name.is_visible()
        one.page.emulate_media(media="print")
        assert name.is_visible()


def test_a_thousand_tenants_are_drawn(browser: Browser) -> None:
    with opened(browser, PLAN["html"](pages.thousand(), Options()), width=PHONE, scripts=False) as one:
        assert one.page.locator(".tenant").count() == 1000
        assert one.page.locator("#tenants tbody tr").count() == 1000
        assert one.run("document.getElementsByTagName('*').length") < 100_000
        assert one.width <= PHONE
        assert one.page.locator("#tenant-tenant-0999").is_visible()
