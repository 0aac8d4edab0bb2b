"""Find adapters by kind, through the entry-point group `lienthong.adapters`: other teams' distributions count too."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from adapters.base import AdapterFactory, JsonValue
from adapters.simulation.simulator import Simulator
from schemas.errors import ConfigError
from schemas.settings import Section

GROUP = "lienthong.adapters"


def kinds() -> tuple[str, ...]:
    """Every kind installed here, in alphabetical order."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def adapter_factory(kind: str) -> AdapterFactory:
    """The class that builds adapters of a kind.

    Raises:
        ConfigError: No such kind, two distributions claim it, or it cannot be imported.
    """
    return cast("AdapterFactory", _load(_entry_point(kind)))


def options_model(kind: str) -> type[Section]:
    """The model that checks the `options` of a portal entry of this kind: `Options` in its module `options`.

    Raises:
        ConfigError: No such kind, or a kind without an options model.
    """
    point = _entry_point(kind)
    try:
        model = import_module(f"{point.module.rpartition('.')[0]}.options").Options
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"kind {kind}: no options.Options beside {point.module}") from error
    return cast("type[Section]", model)


def build_simulator(kind: str, options: Mapping[str, JsonValue]) -> Simulator:
    """Build the simulator that lies beside a kind's adapter: `build(options)` in its module `simulator`.

    Raises:
        ConfigError: No such kind, or a kind without a simulator.
    """
    point = _entry_point(kind)
    package = point.module.rpartition(".")[0]
    try:
        module = import_module(f"{package}.simulator")
    except ModuleNotFoundError as error:
        raise ConfigError(f"kind {kind}: no simulator beside {point.module}: {error.name} is missing") from error
    return cast("Simulator", module.build(options))


def _entry_point(kind: str) -> EntryPoint:
    found = {point.value: point for point in entry_points(group=GROUP, name=kind)}
    if not found:
        raise ConfigError(f"unknown kind {kind!r}; installed: {', '.join(kinds()) or 'none'}")
    if len(found) > 1:
        raise ConfigError(f"kind {kind!r} is claimed twice: {' and '.join(sorted(found))}")
    return next(iter(found.values()))


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"kind {point.name!r}: {point.value} cannot be imported: {error}") from error
