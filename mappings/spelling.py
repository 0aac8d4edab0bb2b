"""What a source record looked like where it differs from the normal form, and writing it back that way.

A difference is `pointer -> {"normal": ..., "source": ...}`; a missing key means that side leaves the field out. So
the absent spellings (left out, `null`, `""`), blanks, other cases of a key and non-NFC text all survive a round trip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from mappings.codec import CodecError
from mappings.records import Nested, Record

JsonValue = Any
_GONE = object()


def mapped(wire: JsonValue, record: Record) -> JsonValue:
    """The part of a wire record that the mapping carries."""
    if type(wire) is not dict:
        return wire
    names = {name.casefold(): name for name in record.known} if record.any_case else {}
    kept = {}
    for name, value in wire.items():
        ours = name if name in record.known else names.get(name.casefold(), "")
        if ours in record.known:
            kept[name] = _inside(record.known[ours], value)
    return kept


def _inside(known: Any, value: JsonValue) -> JsonValue:
    if isinstance(known, dict) and type(value) is dict:
        return {name: _inside(known[name], item) for name, item in value.items() if name in known}
    if isinstance(known, Nested) and isinstance(known.item, Record) and known.plain:
        if type(value) is list:
            return [mapped(row, known.item) for row in value]
        return mapped(value, known.item)
    return value


def differences(normal: JsonValue, source: JsonValue, at: str = "") -> Iterator[tuple[str, dict[str, JsonValue]]]:
    """Pointers where `source` is written otherwise than `normal`; types count, so `1`, `"1"` and `true` differ."""
    if type(normal) is dict and type(source) is dict:
        for name in {**normal, **source}:
            yield from differences(normal.get(name, _GONE), source.get(name, _GONE), f"{at}/{_escaped(name)}")
    elif type(normal) is list and type(source) is list and len(normal) == len(source):
        for index, (ours, theirs) in enumerate(zip(normal, source, strict=True)):
            yield from differences(ours, theirs, f"{at}/{index}")
    elif not _equal(normal, source):
        sides = {"normal": normal, "source": source}
        yield at, {side: deepcopy(value) for side, value in sides.items() if value is not _GONE}


def guarded(at: str, sides: dict[str, JsonValue], normal: JsonValue, record: Record) -> dict[str, JsonValue]:
    """A difference that adds another spelling of a field holds only while the field itself keeps its value.

    Otherwise a stale value would be sent beside a new one.
    """
    if "normal" in sides or sides.get("source") in (None, "", [], {}):
        return sides
    place = "/".join(("", *map(_escaped, _main_place(_tokens(at), record))))
    return sides | {"while": {place: _found(normal, place)}}


def _main_place(tokens: list[str], record: Record) -> tuple[str, ...]:
    """The wire place that a field is written to, for any of the places it is read from."""
    spelled = [token.casefold() if record.any_case else token for token in tokens]
    for field in record.fields:
        for place in (field.wire, *field.also):
            known = [token.casefold() if record.any_case else token for token in place]
            if spelled[: len(known)] != known:
                continue
            rest = tokens[len(known) :]
            inside = field.nested.item if field.nested is not None and field.nested.plain else None
            if not rest or not isinstance(inside, Record):
                return field.wire
            index = 1 if rest[0].isdigit() else 0
            return (*place, *rest[:index], *_main_place(rest[index:], inside))
    return tuple(tokens)


def _tokens(pointer: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def respell(
    written: dict[str, Any], spelled: Mapping[str, JsonValue], read: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """`written`, respelled as the source had it wherever its values are still the same."""
    result = deepcopy(written)
    for pointer, sides in spelled.items():
        if all(_equal(_found(written, place), value) for place, value in sides.get("while", {}).items()):
            _apply(result, _tokens(pointer), sides)
    try:
        return result if read(result) == read(written) else written
    except CodecError:
        return written


def _apply(tree: JsonValue, tokens: list[str], sides: Mapping[str, JsonValue]) -> None:
    for token in tokens[:-1]:
        tree = _step(tree, token)
    if type(tree) is list:
        _apply_item(tree, tokens, sides)
    elif type(tree) is dict and tokens and _equal(tree.get(tokens[-1], _GONE), sides.get("normal", _GONE)):
        if "source" in sides:
            tree[tokens[-1]] = deepcopy(sides["source"])
        else:
            tree.pop(tokens[-1], None)


def _apply_item(rows: list[JsonValue], tokens: list[str], sides: Mapping[str, JsonValue]) -> None:
    index = int(tokens[-1]) if tokens[-1].isdigit() else len(rows)
    if index < len(rows) and _equal(rows[index], sides.get("normal", _GONE)) and "source" in sides:
        rows[index] = deepcopy(sides["source"])


def _found(tree: JsonValue, pointer: str) -> JsonValue:
    for token in _tokens(pointer):
        tree = _step(tree, token)
    return tree


def _step(tree: JsonValue, token: str) -> JsonValue:
    if type(tree) is dict:
        return tree.get(token)
    if type(tree) is list and token.isdigit() and int(token) < len(tree):
        return tree[int(token)]
    return None


def _equal(one: JsonValue, other: JsonValue) -> bool:
    """Equality that tells `1`, `1.0`, `true` and `"1"` apart, at every depth."""
    if type(one) is not type(other):
        return False
    if type(one) is dict:
        return one.keys() == other.keys() and all(_equal(value, other[key]) for key, value in one.items())
    if type(one) is list:
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def secret_pointers(record: Record, at: str = "") -> Iterator[str]:
    """Wire pointers of declared secrets, at every depth."""
    for field in record.fields:
        here = at + "".join(f"/{token}" for token in field.wire)
        if field.secret:
            yield here
        if field.nested is not None and field.nested.plain and isinstance(field.nested.item, Record):
            yield from secret_pointers(field.nested.item, f"{here}/*" if field.many else here)


def drift_name(pointer: str) -> str:
    """A wire pointer in the words of a drift report: `/files/*/key` -> `files[]/key`."""
    return pointer.removeprefix("/").replace("/*", "[]")


def blanked(wire: JsonValue, pointers: tuple[str, ...]) -> JsonValue:
    """A copy of a wire record with what stands at the pointers emptied."""
    if not pointers:
        return wire
    copy = deepcopy(wire)
    for pointer in pointers:
        _blank(copy, pointer.split("/")[1:])
    return copy


def _blank(tree: JsonValue, tokens: list[str]) -> None:
    head, *rest = tokens
    if head == "*":
        for row in tree if type(tree) is list else ():
            _blank(row, rest)
    elif type(tree) is dict and head in tree:
        if rest:
            _blank(tree[head], rest)
        else:
            tree[head] = ""
