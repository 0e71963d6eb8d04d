"""Adds to a manifest what it does not say, in place: comments, order and what is written stay as they are."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from reconciler.core.imported import Raw
from reconciler.core.missing import Missing, applied
from reconciler.core.shapes import TENANT_KEYS
from reconciler.store.edit import WIDTH, canonical, comments, tidy
from reconciler.store.written import scalar
from reconciler.store.yaml import Unreadable, read


def merged(data: bytes, add: Missing) -> bytes:
    """Give a file with the additions; raises `Unreadable` when that cannot be done without a change of meaning."""
    before = read(data).value
    text = tidy(data.removeprefix(b"\xef\xbb\xbf").decode())
    result = _edited(text, add).encode()
    if canonical(data, TENANT_KEYS) == data:
        result = canonical(result, TENANT_KEYS)
    kept = comments(text) - comments(result.decode())
    if read(result).value != applied(before, add) or kept:
        raise Unreadable("RC1015", "cannot be added to without a change of meaning", hint="add it by hand")
    return result


def _edited(text: str, add: Missing) -> str:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    loaded = yaml.load(text)
    _add(loaded, add)
    out = io.StringIO()
    yaml.dump(loaded, out)
    return tidy(out.getvalue())


def _add(loaded: CommentedMap, add: Missing) -> None:
    for group in loaded.get("license_groups", ()):
        for key, value in add.pins.get(str(group["name"]), {}).items():
            _put(group, key, value)
    if add.directory is not None:
        _put(loaded, "directory", _block(add.directory))
    _extend(loaded, "license_groups", [_block(one) for one in add.groups])
    for at, names in add.licenses.items():
        _license(loaded["users"][at], names)
    _extend(loaded, "users", [_block(one) for one in add.people])


def _put(where: CommentedMap, key: str, value: Any) -> None:
    """Add a key before the last one, whose comments may belong to what follows."""
    where.insert(max(0, len(where) - 1), key, _value(value))


def _extend(loaded: CommentedMap, key: str, more: list[CommentedMap]) -> None:
    if not more:
        return
    if key not in loaded:
        loaded[key] = CommentedSeq()
    some = loaded[key]
    if not some:
        some.fa.set_block_style()
    if some.fa.flow_style():
        for one in more:
            one.fa.set_flow_style()
    some.extend(more)


def _license(person: CommentedMap, names: tuple[str, ...]) -> None:
    if "licenses" in person:
        person["licenses"].extend(names)
        return
    listed = CommentedSeq(names)
    listed.fa.set_flow_style()
    person.insert(max(0, len(person) - 1), "licenses", listed)


def _block(raw: Raw | Mapping[str, Any]) -> CommentedMap:
    return CommentedMap((key, _value(value)) for key, value in raw.items())


def _value(value: Any) -> Any:
    match value:
        case str() if scalar(value) != value:
            return DoubleQuotedScalarString(value)
        case list() | tuple():
            listed = CommentedSeq(_value(one) for one in value)
            listed.fa.set_flow_style()
            return listed
    return value
