"""Kind -> code, through the entry-point group `lienthong.adapters`; other teams' kinds register the same way.

A kind is a package: its entry point names the adapter class, and beside that class's module stand `options.py` with
the model `Options` (a kind of one module may keep it there) and, where the kind ships one, `simulator.py` with
`build(options)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import cast

from adapters.base import Adapter, AdapterFactory, JsonValue, PortalContext
from adapters.simulation.simulator import Simulator
from schemas.errors import ConfigError
from schemas.settings import Section

GROUP = "lienthong.adapters"


@cache
def _points() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def kinds() -> tuple[str, ...]:
    """Every kind that is installed, in alphabetical order."""
    return tuple(sorted(_points()))


def factory(kind: str) -> AdapterFactory:
    """The adapter class of a kind.

    Raises:
        ConfigError: No such kind is installed, or its code cannot be imported.
    """
    point = _points().get(kind)
    if point is None:
        raise ConfigError(f"kind '{kind}' is not installed; there are: {', '.join(kinds())}")
    try:
        return cast("AdapterFactory", point.load())
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"kind '{kind}' cannot be loaded: {error}") from error


def options_model(kind: str) -> type[Section]:
    """The model that checks the `options` of a portal entry of this kind.

    Raises:
        ConfigError: No such kind, or it has no `Options`.
    """
    model = getattr(_beside(kind, "options"), "Options", None) or getattr(_module(kind), "Options", None)
    if not (isinstance(model, type) and issubclass(model, Section)):
        raise ConfigError(f"kind '{kind}' has no options.Options: its package is incomplete")
    return model


def build(kind: str, context: PortalContext, options: Mapping[str, JsonValue]) -> Adapter:
    """Build the adapter of one portal.

    Raises:
        ConfigError: No such kind, or its options do not hold.
    """
    return factory(kind)(context, options)


def check(kind: str, options: Mapping[str, JsonValue]) -> None:
    """Read the files that an entry's options name, as building its adapter would; kinds that name none pass.

    Raises:
        ConfigError: One of them cannot be used; says what to write.
    """
    checked = getattr(factory(kind), "check", None)
    if checked is not None:
        checked(options)


def simulator(kind: str, options: Mapping[str, JsonValue]) -> Simulator:
    """Build the simulator of a kind.

    Raises:
        ConfigError: No such kind, or it ships no simulator.
    """
    make = getattr(_beside(kind, "simulator"), "build", None)
    if make is None:
        raise ConfigError(f"kind '{kind}' ships no simulator")
    return cast("Simulator", make(options))


def simulator_settings(kind: str) -> type[Section]:
    """The model of a simulator's options: `Switches` in its module `simulator`.

    Raises:
        ConfigError: No such kind, or it ships no simulator.
    """
    model = getattr(_beside(kind, "simulator"), "Switches", None)
    if model is None:
        raise ConfigError(f"kind '{kind}' ships no simulator")
    return cast("type[Section]", model)


def _module(kind: str) -> ModuleType:
    return import_module(factory(kind).__module__)


def _beside(kind: str, name: str) -> ModuleType | None:
    package = _module(kind).__name__.rpartition(".")[0]
    try:
        return import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{package}.{name}":
            raise ConfigError(f"kind '{kind}' cannot be loaded: {error}") from error
        return None
