"""Which canonical paths exist for each target, and what type stands at each: asked from the models."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from schemas.catalogue import ProcedureRow, Reply, StatisticsRow
from schemas.dossier import Agency, Command, Dossier, Sector
from schemas.status import StatusEvent

TARGETS: Mapping[str, type[BaseModel]] = {
    "dossier": Dossier,
    "lookup": Dossier,
    "event": StatusEvent,
    "command": Command,
    "agency": Agency,
    "sector": Sector,
    "procedure": ProcedureRow,
    "statistics": StatisticsRow,
    "reply": Reply,
}
"""What a message may be about."""

_LEAVES: Mapping[Any, str] = {
    str: "text",
    datetime: "instant",
    AwareDatetime: "instant",
    date: "date",
    bool: "truth",
    int: "number",
    Any: "json",
}


@dataclass(frozen=True)
class Kind:
    """What stands at a canonical path: `gives` names it; `model` is set for parts and lists of parts."""

    gives: str
    model: type[BaseModel] | None = None
    enum: type[StrEnum] | None = None
    many: bool = False


JSON = Kind("json")


def kind_at(model: type[BaseModel], path: tuple[str, ...]) -> Kind | None:
    """The kind at a path of `model`, or None when there is no such path."""
    kind = Kind("part", model)
    for token in path:
        if kind.gives == "json":
            continue
        if kind.model is None or kind.many or token not in kind.model.model_fields:
            return None
        kind = _kind_of(kind.model.model_fields[token].annotation)
    return kind


def _kind_of(annotation: Any) -> Kind:
    if get_origin(annotation) is Annotated:
        return _kind_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _kind_of(next(a for a in get_args(annotation) if a is not type(None)))
    if get_origin(annotation) is tuple:
        inner = _kind_of(get_args(annotation)[0])
        return Kind(inner.gives, inner.model, inner.enum, many=True)
    if get_origin(annotation) is dict:
        return JSON
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Kind("part", annotation)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return Kind(annotation.__name__, enum=annotation)
    return Kind(_LEAVES.get(annotation, "text"))
