"""What a codec is: two functions that undo one another, and the error both raise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize


class CodecError(ValueError):
    """A value that a codec cannot read or write; says the rule and the place, never the value."""

    def __init__(self, rule: str, at: str = "") -> None:
        self.rule = rule
        self.at = at
        super().__init__(f"{at}: {rule}" if at else rule)

    def under(self, place: str) -> CodecError:
        """The same problem, seen from the record that holds the value."""
        if not self.at:
            return CodecError(self.rule, place)
        return CodecError(self.rule, f"{place}{self.at}" if self.at.startswith("[") else f"{place}.{self.at}")


def same(value: Any) -> Any:
    """What a wire carries whole."""
    return value


@dataclass(frozen=True, slots=True)
class Codec:
    """A two-way codec. `gives` names the canonical type: text, instant, date, truth, number, json or an enum's.

    A closed set is listed: `values` that can be written and `words` that can be read. `pair` reads and writes a
    status that stands in two wire fields: (word, sub-word) -> (status, word, sub-word), and status -> (word, sub-word).
    """

    name: str
    gives: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    narrow: Callable[[Any], Any] = same
    values: tuple[Any, ...] = ()
    words: tuple[Any, ...] = ()
    pair: tuple[Callable[[Any, Any], tuple[Any, str, str]], Callable[[Any], tuple[Any, str]]] | None = None


def nfc(text: str) -> str:
    """Text in Unicode NFC; plain ASCII is returned as it is."""
    return text if text.isascii() else normalize("NFC", text)
