"""Opens a packaged WSDL, XSD or JSON Schema by portal kind and name; nothing is ever fetched."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable

_SUFFIXES = (".wsdl", ".xsd", ".json", ".yaml")


def names(kind: str) -> tuple[str, ...]:
    """Names of the contracts packaged for a kind, sorted; `published` holds our own."""
    folder = resources.files("schemas").joinpath(kind)
    if not folder.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(_SUFFIXES)))


def find(kind: str, name: str) -> Traversable:
    """The packaged file.

    Raises:
        FileNotFoundError: No such contract; lists those there are.
    """
    known = names(kind)
    if name not in known:
        raise FileNotFoundError(f"no contract {name!r} of kind {kind!r}; there are: {', '.join(known) or 'none'}")
    return resources.files("schemas").joinpath(kind, name)


def read(kind: str, name: str) -> bytes:
    """The packaged file's bytes."""
    return find(kind, name).read_bytes()
