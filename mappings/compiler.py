"""A checked mapping file -> compiled messages; every problem is collected, none stops the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mappings import xmltree
from mappings.codec import Codec
from mappings.codecs import PLAIN
from mappings.generated import OWN_TEXT, Place
from mappings.language import FieldSpec, MessageSpec
from mappings.makers import Setting, codec_of
from mappings.message import Message, Xml
from mappings.problems import Problems, Where
from mappings.records import Field, Nested, Record, Status
from mappings.vocabulary import JSON, TARGETS, Kind, kind_at

_JSON_ONLY = frozenset({"int", "boolean", "epoch_ms", "number_as_text"})


def compile_message(name: str, given: Any, problems: Problems) -> Message | None:
    """Compile one message; None when nothing can be made of it."""
    where: Where = ("messages", name)
    spec = problems.checked(MessageSpec, given, where)
    if spec is None:
        return None
    model = TARGETS.get(spec.target)
    if model is None:
        problems.add((*where, "target"), f"unknown target {spec.target!r}; one of {', '.join(TARGETS)}")
        return None
    if (spec.wire == "xml") != bool(spec.root):
        problems.add((*where, "root"), "an XML message names its root element, no other does")
    writes = spec.direction != "read"
    setting = Setting(model, spec.wire, writes, problems, _inner, spec.any_case, spec.namespaces, top=True)
    record = _record(spec.fields, (*where, "fields"), setting)
    for index, path in enumerate(spec.required):
        if not _has(record, tuple(path.split("."))):
            problems.add((*where, "required", index), f"{path} is not a field of this message")
    return Message(name, spec, record, _xml(spec) if spec.wire == "xml" else None)


def _xml(spec: MessageSpec) -> Xml:
    return Xml(
        lambda data: xmltree.parse(data, spec.root, spec.namespaces),
        lambda tree: xmltree.build(tree, spec.root, spec.namespaces),
    )


def _has(record: Record, path: Place) -> bool:
    """Whether a field, perhaps inside a group, carries this canonical path."""
    for item in record.fields:
        if item.path == path and path:
            return True
        if item.is_group and item.nested is not None and isinstance(item.nested.item, Record):
            depth = len(item.path)
            if path[:depth] == item.path and _has(item.nested.item, path[depth:]):
                return True
    return False


def _inner(argument: Any, where: Where, setting: Setting) -> Record | None:
    if isinstance(argument, dict) and argument:
        return _record(argument, where, setting)
    setting.problems.add(where, "fields expected")
    return None


def _record(given: Mapping[str, Any], where: Where, setting: Setting) -> Record:
    fields = [_field(str(key), spec, (*where, key), setting) for key, spec in given.items()]
    compiled = tuple(f for f in fields if f is not None)
    return Record(_apart(compiled, where, setting.problems), any_case=setting.any_case)


def _apart(fields: tuple[Field, ...], where: Where, problems: Problems) -> tuple[Field, ...]:
    """The fields that stand apart: two on one wire place, or one inside the other, cannot both be written."""
    apart: list[Field] = []
    taken: dict[Place, str] = {}
    for item in fields:
        places = (item.wire, item.status.sub) if item.status and item.status.sub else (item.wire,)
        others = [key for place in places for other, key in taken.items() if _overlap(place, other)]
        if others:
            problems.add((*where, item.key, "wire"), f"the wire field is already taken by {others[0]}")
            continue
        taken |= dict.fromkeys(places, item.key)
        apart.append(item)
    return tuple(apart)


def _overlap(one: Place, other: Place) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _field(key: str, given: Any, where: Where, setting: Setting) -> Field | None:
    path: Place = () if key.startswith("_") else tuple(key.split("."))
    spec = setting.problems.checked(FieldSpec, given, where)
    kind = _kind(key, path, where, setting)
    if kind is None or spec is None:
        return None
    codec = codec_of(spec, spec.codec, kind, (*where, "codec"), setting)
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
    if made.codec.pair is not None and kind.gives == "DossierStatus":
        sub = _place(spec.sub, setting.wire) if spec.sub else None
        return replace(made, status=Status((*path[:-1], "wire"), (*path[:-1], "sub_wire"), sub, *made.codec.pair))
    if spec.sub:
        setting.problems.add((*where, "sub"), "only a status table has a sub-status")
    return made


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
        return tuple(OWN_TEXT if step == "." else step for step in _xml_steps(text))
    if text.startswith("/"):
        return tuple(token.replace("~1", "/").replace("~0", "~") for token in text[1:].split("/"))
    return (text,)


def _xml_steps(text: str) -> list[str]:
    """An XML path in steps; a name may carry its namespace in braces, which may hold slashes."""
    return re.findall(r"(?:\{[^}]*\}|[^/{])+", text) or [text]


def _check_field(key: str, spec: FieldSpec, kind: Kind, codec: Codec | Nested, where: Where, setting: Setting) -> None:
    add = setting.problems.add
    silent = isinstance(codec, Codec) and codec.gives in ("nothing", "previous")
    grouped = isinstance(codec, Nested) and not codec.many and isinstance(codec.item, Record)
    if key.startswith("_") != silent and not (key.startswith("_") and grouped):
        add(where, "a key that begins with _ is for constant, keep_previous and groups of fields; these need one")
    for place in (spec.wire, *spec.also) if setting.wire == "xml" else ():
        for step in _xml_steps(place):
            prefix = step.removeprefix("@").partition(":")[0] if ":" in step and "{" not in step else ""
            if prefix and prefix not in setting.namespaces:
                add((*where, "wire"), f"unknown namespace prefix {prefix!r}")
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
