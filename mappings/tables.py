"""Code tables: what each code of a portal means, and which code is written for a meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.codec import Codec, CodecError

ANY_CODE = "*"
"""Stands for every code not named; never in a table of statuses."""

_UNKNOWN = object()


class CodeTable:
    """A two-way table of codes.

    Args:
        codes: Every code that may be read; a value of None means the code says nothing about this field.
        prefer: Canonical value -> the code to write, for values that several codes give.
        fold: Also read codes that differ only in case or outer blanks.
        numbers: The wire holds numbers; codes are written as such.
        beyond: A value without a code is written as the field's absence, instead of being refused.
        split: A code `word/sub` stands for two wire fields and wins over `word`.
    """

    def __init__(
        self,
        codes: Mapping[str, Any],
        prefer: Mapping[Any, str],
        *,
        fold: bool = False,
        numbers: bool = False,
        beyond: bool = False,
        split: bool = False,
    ) -> None:
        self.codes = {code: value for code, value in codes.items() if code != ANY_CODE}
        self.others = codes.get(ANY_CODE, _UNKNOWN)
        self.numbers, self.beyond, self.split = numbers, beyond, split
        self.folded = {code.strip().casefold(): value for code, value in self.codes.items()} if fold else {}
        self.words: dict[Any, str] = {}
        for code, value in self.codes.items():
            if value is not None:
                self.words.setdefault(value, code)
        self.words.update(prefer)

    def codec(self, gives: str) -> Codec:
        """This table as a codec for one wire field."""
        pair = (self.read_pair, self.write_pair)
        return Codec("table", gives, self.read, self.write, self.narrow, tuple(self.words), tuple(self.codes), pair)

    def read(self, wire: Any) -> Any:
        """The meaning of a code."""
        meaning = self._find(_word(wire))
        meaning = self.others if meaning is _UNKNOWN else meaning
        if meaning is _UNKNOWN:
            raise CodecError("code not in the table")
        return meaning

    def write(self, value: Any) -> Any:
        """The code to write; None where the value may be left out."""
        code = self._code(value)
        return int(code) if self.numbers and code is not None else code

    def narrow(self, value: Any) -> Any:
        """The value, or None where it would be left out."""
        return value if value in self.words or not self.beyond else None

    def read_pair(self, word: Any, sub: Any) -> tuple[Any, str, str]:
        """Meaning, word and sub-word of a status; the pair is looked up first."""
        if sub is None and type(word) is str and word in self.codes:
            return self.codes[word], word, ""
        first, second = _word(word), "" if sub is None else _word(sub)
        meaning = self._find(f"{first}/{second}") if second else _UNKNOWN
        return (self.read(first) if meaning is _UNKNOWN else meaning), first, second

    def write_pair(self, value: Any) -> tuple[Any, str]:
        """Word and sub-word of a status."""
        code = self._code(value)
        if code is None:
            return None, ""
        first, _, second = code.partition("/") if self.split else (code, "", "")
        return (int(first) if self.numbers else first), second

    def _find(self, code: str) -> Any:
        if code in self.codes:
            return self.codes[code]
        return self.folded.get(code.strip().casefold(), _UNKNOWN) if self.folded else _UNKNOWN

    def _code(self, value: Any) -> str | None:
        try:
            return self.words[value]
        except (KeyError, TypeError):
            if self.beyond:
                return None
            raise CodecError("no code for this value in the table") from None


def _word(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise CodecError("a code is text or a number")
