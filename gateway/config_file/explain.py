"""Effective values of a configuration, and where each came from; secrets are never resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from adapters import registry
from gateway.config import Config, PortalConfig, TimersConfig
from gateway.config_file.lines import Document
from gateway.config_file.portals import SECRET
from gateway.config_file.problem import Place, spelled


@dataclass(frozen=True, slots=True)
class Explained:
    """One value. `source` is `FILE:LINE` or `default`; `is_set` tells of a reference whether its secret is there."""

    key: str
    value: Any
    source: str
    is_set: bool | None = None


def explain(document: Document, config: Config, environ: Mapping[str, str]) -> list[Explained]:
    """Every value in force, in the order of the models."""
    return [
        Explained(spelled(place), value, _source(document, place), _is_set(value, environ))
        for place, value in _values(config, ())
    ]


def _values(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, PortalConfig):
        yield from _values(
            {name: getattr(value, name) for name in PortalConfig.model_fields if name != "options"}, place
        )
        options = registry.options_model(value.kind).model_validate(value.options)
        yield from _values(options, (*place, "options"))
    elif isinstance(value, TimersConfig):  # what a rule does not name it leaves to others
        yield from _values({name: getattr(value, name) for name in value.model_fields_set}, place)
    elif isinstance(value, BaseModel):
        fields = type(value).model_fields
        yield from _values({field.alias or name: getattr(value, name) for name, field in fields.items()}, place)
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _values(inner, (*place, str(key)))
    elif isinstance(value, (list, tuple)) and any(isinstance(inner, (BaseModel, Mapping)) for inner in value):
        for number, inner in enumerate(value):
            yield from _values(inner, (*place, number))
    else:
        yield place, list(value) if isinstance(value, tuple) else value


def _source(document: Document, place: Place) -> str:
    return f"{document.file}:{document.lines[place]}" if place in document.lines else "default"


def _is_set(value: Any, environ: Mapping[str, str]) -> bool | None:
    names = SECRET.findall(value) if isinstance(value, str) else []
    return all(environ.get(name) for name in names) if names else None
