"""How far a round of polling has come: the adapter's cursor, and which dossiers to ask for next.

There is no feed: a pull asks for every open dossier once, in rounds. The cursor names the last dossier asked, so
that a round goes on behind it and no stuck dossier is always asked first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import orjson

Key = tuple[str, str]
"""Module and number; the module is empty while we do not know which one holds the dossier."""


@dataclass(frozen=True, slots=True)
class Place:
    """The cursor. `tries` counts, by number, polls that gave no usable answer for that dossier alone (R06, R13)."""

    after: Key = ("", "")
    tries: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str | None) -> Place:
        """Take up a cursor we wrote; None is the beginning."""
        if cursor is None:
            return cls()
        held = orjson.loads(cursor)
        module, number = held["after"]
        return cls((module, number), held["tries"])

    def written(self) -> str:
        """The cursor's text."""
        return orjson.dumps({"after": self.after, "tries": self.tries}, option=orjson.OPT_SORT_KEYS).decode()

    def at(self, key: Key) -> Place:
        """The place after asking for `key`."""
        return replace(self, after=key)

    def counted(self, number: str) -> Place:
        """One more poll without a usable answer."""
        return replace(self, tries={**self.tries, number: self.tries.get(number, 0) + 1})

    def answered(self, number: str) -> Place:
        """A usable answer: the count starts anew."""
        return replace(self, tries={known: times for known, times in self.tries.items() if known != number})

    def among(self, numbers: Iterable[str]) -> Place:
        """Forget counts of dossiers that are no longer open."""
        wanted = set(numbers)
        return replace(self, tries={known: times for known, times in self.tries.items() if known in wanted})


def round_of(keys: Iterable[Key], place: Place, *, limit: int) -> list[Key]:
    """The next `limit` dossiers to ask for: those behind the place, then those from the beginning, each once."""
    ordered = sorted(set(keys))
    behind = [key for key in ordered if key > place.after]
    before = [key for key in ordered if key <= place.after]
    return (behind + before)[:limit]


def batches(keys: Iterable[Key], size: int) -> Iterator[list[Key]]:
    """Neighbours of one module, at most `size` together."""
    batch: list[Key] = []
    for key in keys:
        if batch and (len(batch) == size or batch[0][0] != key[0]):
            yield batch
            batch = []
        batch.append(key)
    if batch:
        yield batch
