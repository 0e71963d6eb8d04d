"""The rules for the people of one tenant: logins, licences, countries, renames."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from reconciler.core.countries import COUNTRIES
from reconciler.core.diagnostic import Path, Problem
from reconciler.core.manifest import full_login
from reconciler.core.sketch import Sketch, SketchPerson


def check_people(sketch: Sketch) -> Iterator[Problem]:
    """List what breaks a rule among a tenant's people."""
    groups = {group.name for group in sketch.groups}
    seen: set[str] = set()
    for person in sketch.users:
        if person.login:
            whole = full_login(person.login, sketch.domain)
            if whole in seen:
                yield Problem(
                    "RC2211",
                    ("users", person.place, "login"),
                    f"the login `{person.login}` stands here twice",
                    hint="upper and lower case are the same; keep one of them",
                )
            seen.add(whole)
        if person.country and person.country not in COUNTRIES:
            yield from unknown_country(person.country, ("users", person.place, "country"))
        if person.licenses:
            yield from _licenses(person, groups)
    yield from _renames(sketch, seen)


def unknown_country(country: str, path: Path) -> Iterator[Problem]:
    """Refuse a country that is none of ISO 3166-1."""
    if country.lower() in COUNTRIES:
        return
    hint = "write gb for the United Kingdom" if country.lower() == "uk" else "write two letters, as in lt"
    yield Problem("RC2213", path, f"`{country[:20]}` is no country of ISO 3166-1", hint=hint)


def _licenses(person: SketchPerson, groups: set[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for nth, name in enumerate(person.licenses):
        if not isinstance(name, str):
            continue
        path = ("users", person.place, "licenses", nth)
        if name not in groups:
            close = difflib.get_close_matches(name, groups, n=1)
            known = f"groups of this tenant: {', '.join(sorted(groups)) or 'none'}"
            hint = f"did you mean `{close[0]}`?" if close else known
            yield Problem("RC2212", path, f"no license group is named `{name[:64]}`", hint=hint)
        elif name in seen:
            yield Problem("RC2214", path, f"the licence `{name}` stands here twice", hint="keep one of them")
        seen.add(name)


def _renames(sketch: Sketch, logins: set[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for person in sketch.users:
        if not person.previously:
            continue
        path = ("users", person.place, "previously")
        old = full_login(person.previously, sketch.domain)
        if old in logins:
            yield Problem(
                "RC2215",
                path,
                f"the old login `{person.previously}` is also written as a person",
                hint="delete `previously`, or the person of the old login",
            )
        if old in seen:
            yield Problem(
                "RC2215", path, f"two people were previously `{person.previously}`", hint="keep one"
            )
        seen.add(old)
