"""The documentation builds as a site without a warning, and its reference is that of the schemas."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (
    "index.html",
    "first-steps.html",
    "providers/graph.html",
    "stories/in-doubt.html",
    "project/index.html",
)
LINK = re.compile(r'<a [^>]*href="([^"#]+)')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_section_has_its_pages(site: Path) -> None:
    assert [page for page in PAGES if not (site / page).is_file()] == []


def test_links_between_pages_stay_on_the_site(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40

    lost = [
        (page.name, target)
        for page in pages
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith(("mailto:", "/", "javascript:"))
        if not (page.parent / target).exists()
    ]

    assert lost == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")

    assert re.findall(r'<(?:script|img)[^>]+src="https?:|<link rel="stylesheet" href="https?:', text) == []


def test_the_reference_is_that_of_the_schemas() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
