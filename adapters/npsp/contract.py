"""Check a JSON value against the contracts in `schemas/npsp` (the few JSON Schema words they use)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import orjson

from adapters.base import JsonValue
from schemas.artefacts import read

_JSON_TYPE = {str: "string", bool: "boolean", int: "integer", dict: "object", list: "array", type(None): "null"}


@cache
def contract(name: str) -> Mapping[str, Any]:
    """One contract by name: `login`, `envelope`, `dossier`, `progress`, `push` or `promotion`."""
    found: Mapping[str, Any] = orjson.loads(read("npsp", f"{name}.schema.json"))
    return found


def problems(value: JsonValue, schema: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Yield what does not fit, as `field: rule`; values are never named."""
    name = at or "record"
    types = schema.get("type")
    kind = _JSON_TYPE.get(type(value), "number")
    if types is not None and kind not in ([types] if isinstance(types, str) else types):
        yield f"{name}: không đúng định dạng"
        return
    if "enum" in schema and (isinstance(value, bool) or value not in schema["enum"]):
        yield f"{name}: giá trị không hợp lệ"
    if isinstance(value, str):
        yield from _text_problems(value, schema, name)
    elif isinstance(value, Mapping):
        yield from _object_problems(value, schema, at)
    elif isinstance(value, list) and "items" in schema:
        for place, item in enumerate(value):
            yield from problems(item, schema["items"], f"{name}[{place}]")


def _text_problems(value: str, schema: Mapping[str, Any], name: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{name}: không được để trống"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{name}: vượt quá {schema['maxLength']} ký tự"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{name}: không đúng định dạng"


def _object_problems(value: Mapping[str, JsonValue], schema: Mapping[str, Any], at: str) -> Iterator[str]:
    prefix = f"{at}." if at else ""
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{prefix}{name}: bắt buộc"
    for name, part in schema.get("properties", {}).items():
        if name in value:
            yield from problems(value[name], part, f"{prefix}{name}")
