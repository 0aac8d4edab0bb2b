"""Take an answer of the portal apart, whatever wrapping it arrived in (npsp.md section 6, cases 1 and 4 to 8)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import orjson

from adapters.base import JsonValue

CODE_KEYS = frozenset({"errorcode", "errorcode0", "responsecode"})
TEXT_KEYS = frozenset({"message", "thongbao"})
ROW_KEYS = ("result", "data")
INNER_KEYS = frozenset({"response", "message"})
MAX_WRAPPINGS = 4
_BOM = "\ufeff"
_MARKUP = re.compile(r"\s*<(?:!|\?|[a-z])", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")

_LONGEST_NAME = 64
"""Of a field's name that is remembered as it is compared: callers may send names of any length."""

UNREADABLE = "unreadable"
Code = int | str | None
"""A normalised code: an int, another word the portal used as one, or None where there is none."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer without its wrapping.

    `code` is normalised; `text` is the portal's message as it stands; `body` is the innermost object, None for
    plain text; `markup` says that the answer is a page, XML or broken JSON, not an answer of this protocol at all.
    """

    code: Code
    text: str
    body: Mapping[str, JsonValue] | None = None
    markup: bool = False

    @property
    def words(self) -> str:
        """The text for comparing: NFC, case folded, single spaces."""
        return fold(self.text)


def fold(text: str) -> str:
    """NFC, case folded, white space collapsed; both sides of every comparison go through here."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def normalise_code(value: JsonValue) -> Code:
    """Read `0`, `"0"`, `"00"`, `" 0 "`, `0.0` as 0; missing, null and "" as None; other words as themselves.

    What is neither number nor text is a code nobody can read, and none of success.
    """
    if value is None:
        return None
    if isinstance(value, bool | list | dict):
        return UNREADABLE
    if isinstance(value, float):
        return int(value) if value.is_integer() else str(value)
    text = str(value).strip().strip("'\"").strip()
    if not text:
        return None
    return int(text) if _INTEGER.fullmatch(text) else text[:40]


def parse(body: bytes) -> Reply:
    """Read an answer: JSON under any content type, with or without a byte-order mark, JSON in a string, or text."""
    try:
        text = body.decode("utf-8-sig").lstrip(_BOM)
    except UnicodeDecodeError:
        return Reply(None, "", markup=True)
    if _MARKUP.match(text):
        return Reply(None, "", markup=True)
    value = _value(text)
    if isinstance(value, Mapping):
        return _unwrap(value, MAX_WRAPPINGS)
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        return Reply(None, "", markup=True)  # cut JSON, or JSON that two readers would read differently: no words
    return Reply(None, value.strip() if isinstance(value, str) else "")


def rows(reply: Reply) -> list[JsonValue] | None:
    """The rows of a read answer, or None when it holds no list: that is never an empty list (case 6)."""
    if reply.body is None:
        return None
    for key in ROW_KEYS:
        found = [value for name, value in reply.body.items() if _key(name) == key]
        if found:
            return found[0] if isinstance(found[0], list) else None
    return None


def field_of(row: JsonValue, *names: str) -> JsonValue:
    """The value of the first field whose name equals one of `names` in any case; None when there is none."""
    if not isinstance(row, Mapping):
        return None
    wanted = {_key(name) for name in names}
    return next((value for name, value in row.items() if _key(name) in wanted), None)


def _key(name: str) -> str:
    return _spelled_alike(name) if len(name) <= _LONGEST_NAME else name.strip().casefold().replace("_", "")


@lru_cache(4096)
def _spelled_alike(name: str) -> str:
    return name.strip().casefold().replace("_", "")


def _value(text: str) -> JsonValue:
    """Parse JSON, again if it is a string that holds JSON; text that is no JSON, or names a key twice, stays text."""
    for _ in range(MAX_WRAPPINGS):
        try:
            value = orjson.loads(text)
            if isinstance(value, dict | list):
                json.loads(text, object_pairs_hook=_once)
        except ValueError:
            return text
        if not isinstance(value, str):
            return value
        text = value
    return text


def _once(pairs: list[tuple[str, JsonValue]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError


def _unwrap(body: Mapping[str, JsonValue], left: int) -> Reply:
    code = _worst(normalise_code(value) for name, value in body.items() if _key(name) in CODE_KEYS)
    inner = _inner(body) if left else None
    if inner is not None:
        below = _unwrap(inner, left - 1)
        return Reply(_worst(iter((code, below.code))), below.text, below.body)
    texts = [value for name, value in body.items() if _key(name) in TEXT_KEYS and isinstance(value, str)]
    return Reply(code, " ".join(texts).strip(), body)


def _inner(body: Mapping[str, JsonValue]) -> Mapping[str, JsonValue] | None:
    """A facade's wrapping: the portal's own answer as an object or as JSON text (cases 5 and 8)."""
    for name, value in body.items():
        if _key(name) not in INNER_KEYS:
            continue
        held = _value(value) if isinstance(value, str) else value
        if isinstance(held, Mapping) and any(_key(key) in CODE_KEYS | {"result"} for key in held):
            return held
    return None


def _worst(codes: Iterator[Code]) -> Code:
    """Several codes in one answer: a failure beats success, success beats none."""
    known = [code for code in codes if code is not None]
    failures = [code for code in known if code != 0]
    return failures[0] if failures else (0 if known else None)
