"""How verbs print: JSON for programs, aligned lines for people, progress bars on standard error of a terminal."""

from __future__ import annotations

import dataclasses
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import typer

from gateway.cli.language import t
from schemas.clock import VIETNAM

Progress = Callable[[int, int | None], None]


def as_json(value: Any) -> None:
    """Print one JSON document."""
    typer.echo(orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2).decode())


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print columns, each as wide as its widest cell."""
    if not rows:
        typer.echo(t("nothing", "không có gì"))
        return
    cells = [
        [str(head) for head in heads],
        *[["" if cell is None else _printable(cell) for cell in row] for row in rows],
    ]
    wide = [max(_width(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        typer.echo("  ".join(cell + " " * (wide[n] - _width(cell)) for n, cell in enumerate(row)).rstrip())


def _printable(cell: Any) -> str:
    """A cell in one line: a partner may put line ends and worse into its own identifiers."""
    return "".join(letter if letter.isprintable() else "�" for letter in str(cell))


def _width(text: str) -> int:
    return sum(not unicodedata.combining(letter) for letter in text)


def when(at: float | None) -> str:
    """An instant in Vietnam time."""
    if at is None:
        return t("never", "chưa lần nào")
    return datetime.fromtimestamp(at, UTC).astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M:%S")


@contextmanager
def progress_bar(title: str) -> Iterator[Progress | None]:
    """A bar on standard error while it is a terminal; else None."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=None)

        def move(done: int, total: int | None) -> None:
            bars.update(task, completed=done, total=total)

        yield move


def instant_of(text: str) -> float:
    """A day or an instant as a person writes it, in Vietnam time unless it names its own zone, as seconds."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            t(f"'{text}' is not a day: write 2026-07-01", f"'{text}' không phải ngày: hãy viết 2026-07-01")
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=VIETNAM)).timestamp()
