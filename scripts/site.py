"""What mkdocs needs to know of this project: the pages that stand outside of docs/, and links between all of them.

Links are written so that they lead somewhere in the repository, where tests follow them; here they are turned into
those of the site. What the site does not have, such as code, stays as text.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
FENCE = re.compile(r"(^```.*?^```$|^ +```.*?^ +```$)", re.MULTILINE | re.DOTALL)


def outside() -> Iterator[tuple[str, str]]:
    """Where pages outside of docs/ stand in the repository, and where on the site."""
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        yield name, f"project/{name}"
    for path in sorted((ROOT / "tests/scenarios").glob("*.md")):
        yield f"tests/scenarios/{path.name}", f"stories/{path.name}"


def on_files(files: Files, config: Any) -> Files:
    """Take in the pages that stand elsewhere."""
    for source, page in outside():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001 - mkdocs passes them by name
    """Turn the repository's links into the site's."""
    places = {f"docs/{one.src_uri}": one.src_uri for one in files if one.src_uri.endswith(".md")} | dict(
        outside()
    )
    source = next(
        there for there, uri in places.items() if uri == page.file.src_uri and (ROOT / there).exists()
    )
    parts = FENCE.split(markdown)
    return "".join(
        part if number % 2 else LINK.sub(lambda found: turned(found, source, places), part)
        for number, part in enumerate(parts)
    )


def turned(found: re.Match[str], source: str, places: dict[str, str]) -> str:
    """One link as the site needs it."""
    text, target = found[1], found[2]
    if "://" in target or target.startswith(("#", "mailto:")):
        return found[0]
    path, _, anchor = target.partition("#")
    there = normpath(str(PurePosixPath(source).parent / path))
    page = places.get(there) or places.get(f"{there}/README.md")
    if page is None:
        return text
    here = str(PurePosixPath(places[source]).parent)
    return f"[{text}]({relpath(page, here)}{'#' if anchor else ''}{anchor})"
