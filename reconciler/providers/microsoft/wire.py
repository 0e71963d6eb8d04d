"""What Microsoft's answers have in common: names in any case, unknown fields and words, lists in portions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator


class Wire(BaseModel):
    """One published model; property names are read in any case, as the documentation mixes them."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        alias_generator=lambda name: name.replace("_", ""),
        populate_by_name=True,
        coerce_numbers_to_str=True,
        defer_build=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return {str(key).lower(): one for key, one in value.items()} if isinstance(value, dict) else value


def _word(value: Any) -> Any:
    return "" if value is None else value


def _list(value: Any) -> Any:
    return () if value is None else value


def _key(value: Any) -> Any:
    if not isinstance(value, str) or not value:
        raise ValueError("an id is a text")
    return value


Text = Annotated[str, BeforeValidator(_word)]
Id = Annotated[str, BeforeValidator(_key)]
"""What things are known by; unlike other texts it is never made of a number."""
Missing = BeforeValidator(_list)
"""Makes a list that is null an empty one."""


class Header(Wire):
    """A header that a link wants sent."""

    key: Text = ""
    value: Text = ""


class Link(Wire):
    """A link to what comes next; `uri` stands below the version, or repeats it."""

    uri: Text = ""
    headers: Annotated[tuple[Header, ...], Missing] = ()


class Links(Wire):
    """The links of a list."""

    next: Link | None = None


class Page(Wire):
    """One portion of a list of Partner Center."""

    items: list[Any]
    total_count: int | None = None
    links: Links | None = None
