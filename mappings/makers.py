"""Builds the codec a field names, with its arguments; the closed list stands in `CODECS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from mappings.codec import Codec
from mappings.codecs import PLAIN, constant, first_of, text_cut
from mappings.language import FieldSpec
from mappings.nesting import json_string, xml_string
from mappings.problems import Problems, Where
from mappings.records import Nested, Record
from mappings.tablecheck import checked_table
from mappings.vocabulary import Kind

CODECS = frozenset(PLAIN) | {
    "table",
    "text_cut",
    "constant",
    "keep_previous",
    "list",
    "list_of",
    "object",
    "json_text",
    "xml_text",
    "first_of",
}
"""The closed list of codec names."""


@dataclass(frozen=True)
class Setting:
    """What the fields being compiled stand in."""

    model: type[BaseModel] | None
    wire: str
    writes: bool
    problems: Problems
    fields: Callable[[Any, Where, Setting], Record | None]
    """Compiles the fields inside a composite codec."""
    any_case: bool = False
    namespaces: Mapping[str, str] = field(default_factory=dict)
    top: bool = False

    def record(self, argument: Any, kind: Kind, where: Where, **changes: Any) -> Record | None:
        """The compiled fields of a part of kind `kind`."""
        return self.fields(argument, where, replace(self, model=kind.model, top=False, **changes))


def codec_of(spec: FieldSpec, given: Any, kind: Kind, where: Where, setting: Setting) -> Codec | Nested | None:
    """The codec that `given` names; None when it names none that fits, which is noted."""
    if isinstance(given, str):
        if given == "keep_previous":
            return Codec("keep_previous", "previous", lambda _value: None, lambda _value: None)
        if given in PLAIN:
            return PLAIN[given]
        setting.problems.add(where, f"unknown codec {given!r}; one of {', '.join(sorted(CODECS))}")
        return None
    if not isinstance(given, dict) or len(given) != 1:
        setting.problems.add(where, "a codec is a name or one name with its arguments")
        return None
    name, argument = next(iter(given.items()))
    maker = _MAKERS.get(name)
    if maker is None:
        setting.problems.add(where, f"unknown codec {name!r}; one of {', '.join(sorted(CODECS))}")
        return None
    return maker(spec, argument, kind, (*where, name), setting)


def _make_table(spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting) -> Codec | None:
    made = checked_table(spec, argument, kind, where, setting.problems, writes=setting.writes)
    return None if made is None else made.codec(kind.gives)


def _make_cut(_spec: FieldSpec, argument: Any, _kind: Kind, where: Where, setting: Setting) -> Codec | None:
    if type(argument) is int and argument >= 4:
        return text_cut(argument)
    setting.problems.add(where, "text_cut needs the longest number of characters, at least 4")
    return None


def _make_constant(_spec: FieldSpec, argument: Any, _kind: Kind, where: Where, setting: Setting) -> Codec | None:
    if isinstance(argument, str | int | bool) or argument is None:
        return constant(argument)
    setting.problems.add(where, "a constant is text, a number, true, false or null")
    return None


def _make_first_of(spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting) -> Codec | None:
    if not isinstance(argument, list) or len(argument) < 2:
        setting.problems.add(where, "first_of needs at least two codecs")
        return None
    made = [codec_of(spec, item, kind, (*where, index), setting) for index, item in enumerate(argument)]
    codecs = tuple(codec for codec in made if isinstance(codec, Codec))
    if len(codecs) < len(argument):
        if len([codec for codec in made if codec is not None]) == len(argument):
            setting.problems.add(where, "first_of chooses between codecs of single values")
        return None
    if len({codec.gives for codec in codecs}) > 1:
        setting.problems.add(where, "the codecs of first_of must give one type")
        return None
    return first_of(codecs)


def _make_list(_spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting) -> Nested | None:
    if setting.wire == "form":
        setting.problems.add(where, "a form holds no lists; use json_text")
    if kind.gives != "json" and (not kind.many or kind.model is None):
        setting.problems.add(where, "the canonical path is not a list of records")
        return None
    record = setting.record(argument, kind, where)
    return None if record is None else Nested("list", record, many=True, xml=setting.wire == "xml")


def _make_list_of(spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting) -> Nested | None:
    item = codec_of(spec, argument, Kind(kind.gives, enum=kind.enum), where, setting)
    if not isinstance(item, Codec):
        return None
    if kind.gives != "json" and (not kind.many or kind.gives != item.gives):
        setting.problems.add(where, f"the canonical path is not a list of {item.gives}")
    return Nested("list_of", item, many=True, xml=setting.wire == "xml")


def _make_object(_spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting) -> Nested | None:
    if not _is_part(kind, where, setting):
        return None
    record = setting.record(argument, kind, where)
    return None if record is None else Nested("object", record, many=False)


def _is_part(kind: Kind, where: Where, setting: Setting) -> bool:
    if kind.gives in ("part", "json") and not kind.many:
        return True
    setting.problems.add(where, "the canonical path is not a part with fields")
    return False


def _make_json_text(
    spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting
) -> Nested | Codec | None:
    inside = replace(setting, wire="json")
    if isinstance(argument, dict) and not _names_acodec_of(argument):
        made = _make_object(spec, argument, kind, where, inside)
    else:
        codec = codec_of(spec, argument, kind, where, inside)
        made = Nested("json_text", codec, many=False) if isinstance(codec, Codec) else codec
    return None if made is None else json_string(made)


def _make_xml_text(_spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting) -> Nested | None:
    if not isinstance(argument, dict) or not {"root", "fields"} <= argument.keys() <= {"root", "fields", "namespaces"}:
        setting.problems.add(where, "xml_text needs root and fields, and may have namespaces")
        return None
    if not _is_part(kind, where, setting):
        return None
    names = argument.get("namespaces") or {}
    record = setting.record(argument["fields"], kind, (*where, "fields"), wire="xml", namespaces=names)
    return None if record is None else xml_string(record, str(argument["root"]), names)


def _names_acodec_of(argument: Mapping[str, Any]) -> bool:
    first = next(iter(argument.values()), None)
    return len(argument) == 1 and next(iter(argument)) in CODECS and not (isinstance(first, dict) and "wire" in first)


_MAKERS = {
    "table": _make_table,
    "text_cut": _make_cut,
    "constant": _make_constant,
    "first_of": _make_first_of,
    "list": _make_list,
    "list_of": _make_list_of,
    "object": _make_object,
    "json_text": _make_json_text,
    "xml_text": _make_xml_text,
}
