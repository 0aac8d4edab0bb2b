"""One thing that is wrong in the configuration file, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[str | int, ...]
"""Where in the file: keys, and positions in lists counted from 0."""


def spelled(place: Place) -> str:
    """A place as people write it: `routes[0].to`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """`wrong` says what was found and what was expected, `write` what to do; neither ever holds a secret."""

    file: str
    line: int
    place: Place
    wrong: str
    write: str

    @property
    def key(self) -> str:
        """The place as people write it."""
        return spelled(self.place)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " + (f"{self.key}: " if self.place else "")
        return f"{where}{self.wrong}; {self.write}" if self.write else f"{where}{self.wrong}"
