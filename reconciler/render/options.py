"""How output is to look: width, colour, character set, and what the user typed to get here."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Options(Struct, frozen=True, kw_only=True):
    """What a renderer may know of where its text goes.

    ascii: the terminal or file takes nothing else.
    selection: the paths and options that chose the tenants, quoted for a shell; the next commands repeat them.
    allow: what lifts guards once, as it was typed; the command that applies repeats it.
    plan_file: where the plan was saved, when it was.
    limit: the most characters a Markdown page may have.
    """

    width: int = 100
    color: bool = False
    ascii: bool = False
    selection: str = ""
    allow: tuple[str, ...] = ()
    plan_file: str = ""
    limit: int = 60_000


NARROW = 80


def options_for(
    environ: Mapping[str, str],
    *,
    encoding: str | None,
    terminal: bool,
    width: int | None,
    no_color: bool = False,
) -> Options:
    """What fits a stream: colour only on a terminal that wants it, ASCII where UTF-8 is not spoken.

    `NO_COLOR` wins over `FORCE_COLOR`, as does the user's `--no-color` over both.
    """
    wanted = terminal and environ.get("TERM") != "dumb"
    forced = bool(environ.get("FORCE_COLOR"))
    refused = no_color or bool(environ.get("NO_COLOR"))
    return Options(
        width=max(20, width or 100),
        color=(wanted or forced) and not refused,
        ascii=(encoding or "ascii").lower().replace("_", "-") not in {"utf-8", "utf8", "utf-8-sig"},
    )
