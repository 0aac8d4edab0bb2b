"""Take a call's body apart: one JSON object, bare or wrapped, keys in any case, each said once (npsp.md 3.0, 3.7)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

import orjson

from adapters.base import JsonValue
from adapters.npsp.reply import field_of

Fields = dict[str, Any]
_BOM = b"\xef\xbb\xbf"
_WRAPPING = frozenset({"data", "service", "isupdating", "session", "madonvi", "type"})
DEEPEST = 60
_EXACT = 2**53
"""Below it every whole number is a float of its own."""


class UnreadableBodyError(Exception):
    """The body cannot be taken apart; `code` names why for machines, the text never holds a value of it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Told:
    """The object a call is about, and whether its wrapping says that it updates a known one."""

    fields: Fields
    updating: bool = False


def opened(body: bytes, envelope: str = "bare") -> Told:
    """The one object of a body.

    Raises:
        UnreadableBodyError: No JSON object, a key said twice in different words, too deep, more than one object.
    """
    value = _parsed(body)
    wrapped = isinstance(value, Mapping) and _is_wrapping(value)
    if envelope == "wrapped" and not wrapped:
        raise UnreadableBodyError("envelope", "the dossier is not inside data")
    if envelope == "bare" or not wrapped:
        return Told(_one(value))
    said = field_of(value, "isUpdating")
    return Told(_one(field_of(value, "data")), str(said).strip().casefold() in ("true", "1"))


def text_of(fields: Mapping[str, JsonValue], names: Sequence[str]) -> str:
    """The first of these fields that holds something, as trimmed text in NFC; "" when none does."""
    for name in names:
        value = field_of(fields, name)
        if isinstance(value, str | int) and (text := normalize("NFC", str(value)).strip()):
            return text
    return ""


def plain(value: JsonValue) -> JsonValue:
    """The same value with every scalar as trimmed text, and without empty and null fields."""
    if isinstance(value, Mapping):
        shown = {name.strip(): plain(item) for name, item in value.items()}
        return {name: item for name, item in shown.items() if item not in ("", None)}
    if isinstance(value, list):
        return [plain(item) for item in value if item is not None]
    return None if value is None else str(value).strip()


def named_as(value: JsonValue, schema: Mapping[str, Any]) -> JsonValue:
    """The same value with its keys spelled as the contract spells them; keys it does not know stay."""
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [named_as(item, schema["items"]) for item in value]
    known = schema.get("properties")
    if not isinstance(value, Mapping) or not isinstance(known, Mapping):
        return value
    names: dict[str, str] = {name.casefold(): name for name in known}
    shown: Fields = {}
    for name, item in dict[str, JsonValue](value).items():
        own: str = names.get(name.strip().casefold(), name)
        shown[own] = named_as(item, known.get(own, {}))
    return shown


def _parsed(body: bytes) -> JsonValue:
    value: JsonValue = body.removeprefix(_BOM)
    for _ in range(2):  # JSON inside a JSON string is one wrapping more (npsp.md section 6, case 5)
        try:
            held = orjson.loads(value)  # stricter than the reader below, but it rounds long numbers
            if isinstance(held, dict | list):
                held = json.loads(value, object_pairs_hook=_once, parse_float=_as_written)
        except UnreadableBodyError:
            raise
        except (ValueError, RecursionError):
            raise UnreadableBodyError("json", "the body is not JSON") from None
        if not isinstance(held, str):
            _measure(held)
            return held
        value = held
    raise UnreadableBodyError("json", "the body is text")


def _as_written(text: str) -> int | str:
    """A number with a point or an exponent: whole ones as such (`500000.0`), any other keeps its digits."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < _EXACT else text


def _once(pairs: list[tuple[str, JsonValue]]) -> Fields:
    """Refuse an object that names a field twice, in any case, and says two things: two readers would differ."""
    seen: Fields = {}
    for name, value in pairs:
        key = name.strip().casefold()
        if key in seen and seen[key] != value:
            raise UnreadableBodyError("ambiguous", "a field is given twice with different values")
        seen[key] = value
    return dict(pairs)


def _measure(value: JsonValue) -> None:
    level: list[JsonValue] = [value]
    for _ in range(DEEPEST):
        level = [item for held in level for item in _inside(held)]
        if not level:
            return
    raise UnreadableBodyError("json", "the body is too deep")


def _inside(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _is_wrapping(value: Mapping[str, JsonValue]) -> bool:
    names = {name.strip().casefold() for name in value}
    return "data" in names and names <= _WRAPPING


def _one(value: JsonValue) -> Fields:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list):
        raise UnreadableBodyError("many", "a call tells of one dossier")
    if not isinstance(value, Mapping) or not value:
        raise UnreadableBodyError("empty", "no object in the body")
    return dict(value)
