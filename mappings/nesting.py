"""JSON or XML inside a string of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from mappings import xmltree
from mappings.codec import CodecError
from mappings.records import Nested, Record

MAX_CHARACTERS = 10 * 1024 * 1024


def json_string(inside: Nested) -> Nested:
    """`inside`, written as JSON text."""
    return Nested("json_text", inside.item, many=inside.many, unpack=_loads, pack=_dumps)


def xml_string(record: Record, root: str, namespaces: Mapping[str, str]) -> Nested:
    """The fields of `record`, written as an XML document in a string."""

    def unpack(value: Any) -> dict[str, Any]:
        return xmltree.parse(_string(value).encode(), root, namespaces)

    def pack(value: Any) -> str:
        return xmltree.build(value, root, namespaces).decode()

    return Nested("xml_text", record, many=False, unpack=unpack, pack=pack)


def _string(value: Any) -> str:
    if type(value) is not str:
        raise CodecError("text expected")
    if len(value) > MAX_CHARACTERS:
        raise CodecError("text too long")
    return value


def _loads(value: Any) -> Any:
    try:
        return orjson.loads(_string(value))
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        raise CodecError("JSON in text expected") from None


def _dumps(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):
        raise CodecError("a value that JSON cannot hold") from None
