"""A checked mapping file -> compiled messages; every problem is collected, none stops the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from mappings import xmltree
from mappings.codecs import PLAIN, Codec, constant, first_of, table, text_cut
from mappings.generated import Place
from mappings.language import FieldSpec, MessageSpec
from mappings.message import Message, Xml
from mappings.nesting import json_string, xml_string
from mappings.records import Field, Nested, Record, Status
from mappings.tables import check_table, status_codec
from mappings.vocabulary import JSON, TARGETS, Kind, kind_at

Where = tuple[str | int, ...]
"""Keys from the top of a mapping file to the thing spoken of."""

_FIELDS = TypeAdapter(dict[str, FieldSpec])
_JSON_ONLY = frozenset({"int", "boolean", "epoch_ms", "number_as_text"})
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


@dataclass
class Problems:
    """Every problem found so far, with the place it stands at."""

    found: list[tuple[Where, str]] = field(default_factory=list)

    def add(self, where: Where, text: str) -> None:
        """Note a problem."""
        self.found.append((where, text))

    def refused(self, where: Where, error: ValidationError) -> None:
        """Note every problem of a model that refused its data."""
        for item in error.errors():
            text = "unknown key" if item["type"] == "extra_forbidden" else item["msg"]
            self.add((*where, *item["loc"]), text)


@dataclass(frozen=True)
class Setting:
    """What the fields being compiled stand in."""

    model: type[BaseModel] | None
    wire: str
    writes: bool
    problems: Problems
    any_case: bool = False
    namespaces: Mapping[str, str] = field(default_factory=dict)
    base: Place = ()
    top: bool = False


def compile_message(name: str, spec: MessageSpec, problems: Problems) -> Message | None:
    """Compile one message; None when its target is unknown."""
    where: Where = ("messages", name)
    model = TARGETS.get(spec.target)
    if model is None:
        problems.add((*where, "target"), f"unknown target {spec.target!r}; one of {', '.join(TARGETS)}")
        return None
    if (spec.wire == "xml") != bool(spec.root):
        problems.add((*where, "root"), "an XML message names its root element, no other does")
    setting = Setting(model, spec.wire, spec.direction != "read", problems, spec.any_case, spec.namespaces, top=True)
    record = _record(spec.fields, (*where, "fields"), setting)
    for index, path in enumerate(spec.required):
        if not any(
            path == f.key or (f.is_group and f.path == tuple(path.split("."))[: len(f.path)]) for f in record.fields
        ):
            problems.add((*where, "required", index), f"{path} is not a field of this message")
    xml = None
    if spec.wire == "xml":
        xml = Xml(
            lambda data: xmltree.parse(data, spec.root, spec.namespaces),
            lambda tree: xmltree.build(tree, spec.root, spec.namespaces),
        )
    return Message(name, spec, record, xml)


def _record(specs: Mapping[str, FieldSpec], where: Where, setting: Setting) -> Record:
    fields = [_field(key, spec, (*where, key), setting) for key, spec in specs.items()]
    compiled = tuple(f for f in fields if f is not None)
    _check_places(compiled, where, setting.problems)
    return Record(compiled, any_case=setting.any_case)


def _check_places(fields: tuple[Field, ...], where: Where, problems: Problems) -> None:
    """Two fields on one wire place, or one inside the other, cannot both be written."""
    taken: dict[Place, str] = {}
    for item in fields:
        for place in (item.wire, item.status.sub if item.status else None):
            if place is None:
                continue
            other = next((k for p, k in taken.items() if p[: len(place)] == place or place[: len(p)] == p), None)
            if other is not None:
                problems.add((*where, item.key, "wire"), f"the wire field is already taken by {other}")
            taken[place] = item.key


def _field(key: str, spec: FieldSpec, where: Where, setting: Setting) -> Field | None:
    path: Place = () if key.startswith("_") else tuple(key.split("."))
    kind = _kind(key, path, where, setting)
    if kind is None:
        return None
    codec = _codec(spec, spec.codec, kind, (*where, "codec"), _inside(setting, path))
    if codec is None:
        return None
    _check_field(key, spec, kind, codec, where, setting)
    nested = codec if isinstance(codec, Nested) else None
    made = Field(
        key,
        path,
        _place(spec.wire, setting.wire),
        codec.codec(kind.gives) if isinstance(codec, Nested) else codec,
        spec.absent,
        tuple(_place(other, setting.wire) for other in spec.also),
        spec.compare,
        spec.volatile,
        spec.secret,
        nested,
        keeps=codec.gives == "previous" if isinstance(codec, Codec) else False,
        may_vanish=spec.beyond == "absent" or codec is PLAIN["trimmed"],
    )
    if made.codec.name == "table" and kind.gives == "DossierStatus":
        return replace(made, status=_status(spec, path, setting))
    if spec.sub:
        setting.problems.add((*where, "sub"), "only a status table has a sub-status")
    return made


def _status(spec: FieldSpec, path: Place, setting: Setting) -> Status:
    sub = _place(spec.sub, setting.wire) if spec.sub else None
    read, write = status_codec(spec, split=sub is not None)
    return Status((*path[:-1], "wire"), (*path[:-1], "sub_wire"), sub, read, write)


def _kind(key: str, path: Place, where: Where, setting: Setting) -> Kind | None:
    if not path or setting.model is None:
        return Kind("part", setting.model) if not path else JSON
    kind = kind_at(setting.model, path)
    if kind is None:
        setting.problems.add(where, f"unknown canonical path {key!r}")
    return kind


def _place(text: str, wire: str) -> Place:
    """Wire text -> tokens: a name, a JSON pointer, or an XML path (`.` is an element's own text)."""
    if wire == "xml":
        return tuple("#text" if step == "." else step for step in text.split("/"))
    if text.startswith("/"):
        return tuple(token.replace("~1", "/").replace("~0", "~") for token in text[1:].split("/"))
    return (text,)


def _inside(setting: Setting, path: Place) -> Setting:
    return replace(setting, base=path, top=False)


def _check_field(key: str, spec: FieldSpec, kind: Kind, codec: Codec | Nested, where: Where, setting: Setting) -> None:
    add = setting.problems.add
    silent = isinstance(codec, Codec) and codec.gives in ("nothing", "previous")
    grouped = isinstance(codec, Nested) and not codec.many and isinstance(codec.item, Record)
    if key.startswith("_") != silent and not (key.startswith("_") and grouped):
        add(where, "a key that begins with _ is for constant, keep_previous and groups of fields; these need one")
    if setting.wire != "json" and spec.absent == "null":
        add((*where, "absent"), "only JSON has null")
    if setting.wire != "json" and isinstance(codec, Codec) and (codec.name in _JSON_ONLY or spec.numbers):
        add((*where, "codec"), f"{codec.name} writes a JSON value; this wire holds text")
    if isinstance(codec, Codec) and codec.gives == "previous" and not setting.top:
        add((*where, "codec"), "keep_previous works at the top of a message only")
    if silent or grouped or isinstance(codec, Nested):
        return
    if JSON.gives not in (kind.gives, codec.gives) and (kind.many or codec.gives != kind.gives):
        shape = f"a list of {kind.gives}" if kind.many else kind.gives
        add((*where, "codec"), f"{codec.name} gives {codec.gives}, but {key} is {shape}")


def _codec(spec: FieldSpec, given: Any, kind: Kind, where: Where, setting: Setting) -> Codec | Nested | None:
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
    codes = check_table(spec, argument, kind, where, setting.problems, writes=setting.writes)
    if codes is None:
        return None
    prefer = {enum: code for value, code in spec.prefer.items() if (enum := _value(kind, value)) is not None}
    return table(codes, prefer, fold=spec.fold, numbers=spec.numbers, beyond=spec.beyond == "absent", gives=kind.gives)


def _value(kind: Kind, value: Any) -> Any:
    return kind.enum(value) if kind.enum is not None and value in list(kind.enum) else value


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
    made = [_codec(spec, item, kind, (*where, index), setting) for index, item in enumerate(argument)]
    codecs = tuple(codec for codec in made if isinstance(codec, Codec))
    if len(codecs) < len(argument):
        if len([codec for codec in made if codec is not None]) == len(argument):
            setting.problems.add(where, "first_of chooses between codecs of single values")
        return None
    if len({codec.gives for codec in codecs}) > 1:
        setting.problems.add(where, "the codecs of first_of must give one type")
        return None
    return first_of(codecs)


def _fields(argument: Any, model: type[BaseModel] | None, where: Where, setting: Setting) -> Record | None:
    try:
        specs = _FIELDS.validate_python(argument)
    except ValidationError as error:
        setting.problems.refused(where, error)
        return None
    return _record(specs, where, replace(setting, model=model))


def _make_list(_spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting) -> Nested | None:
    if setting.wire == "form":
        setting.problems.add(where, "a form holds no lists; use json_text")
    if kind.gives != "json" and (not kind.many or kind.model is None):
        setting.problems.add(where, "the canonical path is not a list of records")
        return None
    record = _fields(argument, kind.model, where, setting)
    return None if record is None else Nested("list", record, many=True)


def _make_list_of(spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting) -> Nested | None:
    item = _codec(spec, argument, Kind(kind.gives, enum=kind.enum), where, setting)
    if not isinstance(item, Codec):
        return None
    if kind.gives != "json" and (not kind.many or kind.gives != item.gives):
        setting.problems.add(where, f"the canonical path is not a list of {item.gives}")
    return Nested("list_of", item, many=True)


def _make_object(_spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting) -> Nested | None:
    if not _is_part(kind, where, setting):
        return None
    record = _fields(argument, kind.model, where, setting)
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
    if isinstance(argument, dict) and not _names_a_codec(argument):
        made = _make_object(spec, argument, kind, where, inside)
    else:
        codec = _codec(spec, argument, kind, where, inside)
        made = Nested("json_text", codec, many=False) if isinstance(codec, Codec) else codec
    return None if made is None else json_string(made)


def _make_xml_text(_spec: FieldSpec, argument: Any, kind: Kind, where: Where, setting: Setting) -> Nested | None:
    if not isinstance(argument, dict) or not {"root", "fields"} <= argument.keys() <= {"root", "fields", "namespaces"}:
        setting.problems.add(where, "xml_text needs root and fields, and may have namespaces")
        return None
    if not _is_part(kind, where, setting):
        return None
    record = _fields(argument["fields"], kind.model, (*where, "fields"), replace(setting, wire="xml"))
    return None if record is None else xml_string(record, str(argument["root"]), argument.get("namespaces") or {})


def _names_a_codec(argument: Mapping[str, Any]) -> bool:
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
