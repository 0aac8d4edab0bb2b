"""The nouns of the command line, and how each is loaded only when it is used."""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand


class Noun(NamedTuple):
    """Where a noun's command lives and the line `lienthong --help` shows for it."""

    target: str
    """`module:attribute`: a `typer.Typer` with verbs of its own, or a function that is the only verb."""
    help: str


NOUNS: dict[str, Noun] = {}
"""Every noun in the order `--help` lists them. A noun that is not built yet is absent."""


class OnDemand(TyperCommand):
    """Stands in for a noun: `--help` reads its one line, and its module is imported only to run it."""

    def __init__(self, name: str, noun: Noun) -> None:
        super().__init__(name, help=noun.help, rich_markup_mode=None)
        self._target = noun.target

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Import the noun and let the real command read the arguments."""
        return load(str(self.name), self._target).make_context(*args, **kwargs)


def load(name: str, target: str) -> Any:
    """Import `target` and return it as a command called `name`."""
    module, attribute = target.split(":")
    found = getattr(import_module(module), attribute)
    app = found if isinstance(found, typer.Typer) else single_verb(found, name)
    command = typer.main.get_command(app)
    command.name = name
    return command


def single_verb(function: Any, name: str) -> typer.Typer:
    """Wrap a function that is the only verb of its noun."""
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(name)(function)
    return app
