"""The closed list of two-way codecs for single values.

Each codec keeps two laws, tried by property tests:

- L1: `read(write(v)) == v` for every v with `narrow(v) == v`;
- L2: `write(read(w)) == w` for w in normal form, `read(write(read(w))) == read(w)` for every readable w.

`narrow` says what the wire can carry of a value: a date-only wire drops the time of day, `text_cut` the tail.
Absence (`None`, `""`, left out) never reaches a codec, and a reader may give None for a spelling that means
"no value" (`0` for an instant). Codecs that hold records are in `records.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

from mappings.codec import Codec, CodecError, nfc
from mappings.numbers import money, only_int, whole
from mappings.times import TIMES

_DEEPEST = 60


def _text(value: Any) -> str:
    if type(value) is not str:
        raise CodecError("text expected")
    return nfc(value)


def _trimmed(value: Any) -> str | None:
    return _text(value).strip() or None


def _json(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise CodecError("JSON too deep")
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {key: _json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item, depth + 1) for item in value]
    if type(value) is str:
        return nfc(value)
    if value is None or type(value) in (int, float, bool):
        return value
    raise CodecError("JSON expected")


def _json_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise CodecError("JSON object expected")
    return _json(value)


def _truth_codec(name: str, yes: str | bool, no: str | bool) -> Codec:
    readable = {"true": True, "false": False, "1": True, "0": False}

    def read(value: Any) -> bool:
        if type(value) is bool:
            return value
        truth = readable.get(str(value).strip().lower()) if type(value) in (str, int) else None
        if truth is None:
            raise CodecError("yes or no expected")
        return truth

    def write(value: Any) -> str | bool:
        if type(value) is not bool:
            raise CodecError("yes or no expected")
        return yes if value else no

    return Codec(name, "truth", read, write)


PLAIN: Mapping[str, Codec] = dict(TIMES) | {
    codec.name: codec
    for codec in (
        Codec("text", "text", _text, _text, _text),
        Codec("trimmed", "text", _trimmed, _trimmed, _trimmed),
        Codec("json", "json", _json, _json, _json),
        Codec("json_object", "json", _json_object, _json_object, _json_object),
        Codec("int", "number", whole, only_int),
        Codec("int_text", "number", whole, lambda value: str(only_int(value))),
        Codec("money_text", "number", money, lambda value: str(only_int(value))),
        Codec("number_as_text", "text", lambda value: str(whole(value)), whole, lambda value: str(whole(value))),
        _truth_codec("true_false_text", "True", "False"),
        _truth_codec("lower_true_false", "true", "false"),
        _truth_codec("flag_01", "1", "0"),
        _truth_codec("boolean", True, False),
    )
}
"""Codecs without arguments, by name."""


def text_cut(longest: int) -> Codec:
    """Text of at most `longest` characters (a known limit of the portal); a longer one ends in `...`."""

    def cut(value: Any) -> str:
        text = _text(value)
        return text if len(text) <= longest else normalize("NFC", text[: longest - 3]) + "..."

    return Codec("text_cut", "text", cut, cut, cut)


def first_of(codecs: tuple[Codec, ...]) -> Codec:
    """Reads what any of `codecs` reads, in order; writes as the first."""

    def read(value: Any) -> Any:
        for codec in codecs:
            try:
                found = codec.read(value)
                return found if found is None else first.narrow(found)
            except CodecError:
                continue
        raise CodecError("none of the known spellings")

    first = codecs[0]
    return Codec("first_of", first.gives, read, first.write, first.narrow, words=codecs)


def constant(word: Any) -> Codec:
    """Always writes `word`; reads nothing, whatever the wire holds."""
    return Codec("constant", "nothing", lambda _value: None, lambda _value: word)
