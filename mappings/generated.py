"""Readers and writers as generated Python source: they run for every record of every pull.

No model is built and no path is walked at run time. Names in the source are numbers of ours; text of a mapping
file enters it only through `repr`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from unicodedata import normalize

from mappings.codec import CodecError
from mappings.codecs import PLAIN

if TYPE_CHECKING:
    from mappings.records import Field

Place = tuple[str, ...]
"""The steps to a value in nested dicts."""

Reader = Callable[[dict[str, Any]], dict[str, Any]]
Writer = Callable[[Mapping[str, Any]], dict[str, Any]]

OWN_TEXT = "#text"
"""The step to an element's own text."""

_NOTHING: dict[str, Any] = {}
_BLANKS: tuple[Any, ...] = ("", [], {}, ())


def _part(value: Any) -> Any:
    """A nested object or part; an absent one is empty."""
    if isinstance(value, dict):
        return value
    if value is None or (type(value) is str and not value.strip()):
        return _NOTHING
    raise CodecError("object expected")


def _element(value: Any) -> Any:
    """A part of an XML document whose own text is mapped: an element without attributes came as that text alone."""
    return {OWN_TEXT: value} if type(value) is str and value.strip() else _part(value)


def _graft(values: dict[str, Any], place: Place, more: dict[str, Any]) -> None:
    """Merge `more` into the part at `place`."""
    for token in place:
        values = values.setdefault(token, {})
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _graft(values, (key,), value)
        else:
            values[key] = value


_TOOLS: dict[str, Any] = {"E": CodecError, "normalize": normalize, "part": _part, "graft": _graft, "BLANKS": _BLANKS}


def reader(fields: Sequence[Field]) -> Reader:
    """Compile wire object -> canonical values; it raises CodecError naming the canonical place."""
    names, lines = dict(_TOOLS), ["out = {}"]
    if any(OWN_TEXT in place for field in fields for place in (field.wire, *field.also)):
        names["part"] = _element
    read_fields = [(n, f) for n, f in enumerate(fields) if f.carries and not f.keeps and f.codec.gives != "nothing"]
    parts = _Parts("out", "c")
    sources = _Parts("w", "p")
    groups: list[str] = []
    for number, field in read_fields:
        names[f"r{number}"] = field.status.read if field.status else field.codec.read
        if field.status:
            names[f"t{number}"] = {word: field.status.read(word, None) for word in field.codec.words}
        lines += _fetch(field, sources)
        if field.is_group:
            lines += [f"g{number} = None", f"if not ({_blank(field)}):"]
            lines += [f" at = {field.key!r}", f" g{number} = r{number}(v)"]
            groups.append(f"if g{number}: graft(out, {field.path!r}, g{number})")
        elif field.codec is PLAIN["text"] and not field.status:
            lines += _take_text(field, parts)
        else:
            lines.append(f"if not ({_blank(field)}):")
            lines += [" " + line for line in _take(number, field, parts)]
    made = ["if type(w) is not dict: raise E('object expected')"]
    made += [f"{name} = {{}}" for name in parts.names.values()]
    return cast("Reader", _compiled("read", "w", [*made, *lines, *parts.closing(), *groups, "return out"], names))


def writer(fields: Sequence[Field]) -> Writer:
    """Compile canonical values -> wire object, in the order of the fields; it raises CodecError likewise."""
    names, lines = dict(_TOOLS), ["out = {}"]
    sources = _Parts("c", "h")
    for number, field in enumerate(fields):
        if field.keeps:
            continue
        names[f"w{number}"] = field.status.write if field.status else field.codec.write
        if field.codec.gives == "nothing":
            lines.append(f"{_slot(field.wire)} = w{number}(None)")
            continue
        if field.path:
            lines += sources.opening(field.path[:-1], field.key)
            lines.append(f"v = {sources.name(field.path[:-1])}.get({field.path[-1]!r})")
        else:
            lines.append("v = c")
        lines += [f"if {_blank(field)}:", f" {_absence(field)}", "else:", f" at = {field.key!r}"]
        lines += [" " + line for line in _put(number, field)]
    return cast("Writer", _compiled("write", "c", [*lines, "return out"], names))


class _Parts:
    """Local variables for the parts (nested dicts) of a record, each fetched or made once."""

    def __init__(self, root: str, letter: str) -> None:
        self.root, self.letter = root, letter
        self.names: dict[Place, str] = {}

    def name(self, place: Place) -> str:
        """The variable of a part; parents get theirs first."""
        if not place:
            return self.root
        if place not in self.names:
            self.name(place[:-1])
            self.names[place] = f"{self.letter}{len(self.names)}"
        return self.names[place]

    def opening(self, place: Place, key: str) -> list[str]:
        """Lines that fetch a part not yet fetched."""
        missing = [place[:depth] for depth in range(1, len(place) + 1) if place[:depth] not in self.names]
        lines = [f"at = {key!r}"] if missing else []
        return lines + [f"{self.name(p)} = part({self.name(p[:-1])}.get({p[-1]!r}))" for p in missing]

    def closing(self) -> list[str]:
        """Lines that put every made part into its parent, the deepest first."""
        return [
            f"if {self.names[place]}: {self.name(place[:-1])}[{place[-1]!r}] = {self.names[place]}"
            for place in sorted(self.names, key=len, reverse=True)
        ]


def _blank(field: Field) -> str:
    return "v is None or v in BLANKS" if field.nested or field.codec.gives == "json" else "v is None or v == ''"


def _fetch(field: Field, sources: _Parts) -> list[str]:
    lines: list[str] = []
    for turn, place in enumerate((field.wire, *field.also)):
        lines += sources.opening(place[:-1], field.key)
        get = f"v = {sources.name(place[:-1])}.get({place[-1]!r})"
        lines.append(f"if {_blank(field)}: {get}" if turn else get)
    if field.status and field.status.sub:
        sub = field.status.sub
        lines += [*sources.opening(sub[:-1], field.key), f"s = {sources.name(sub[:-1])}.get({sub[-1]!r})"]
    return lines


def _take(number: int, field: Field, parts: _Parts) -> list[str]:
    target = f"{parts.name(field.path[:-1])}[{field.path[-1]!r}]"
    if field.status:
        word = f"{parts.name(field.status.wire_path[:-1])}[{field.status.wire_path[-1]!r}]"
        sub = f"{parts.name(field.status.sub_path[:-1])}[{field.status.sub_path[-1]!r}]"
        second, alone = ("s", " and s is None") if field.status.sub else ("None", "")
        lines = [
            f"at = {field.key!r}",
            f"m = t{number}.get(v) if type(v) is str{alone} else None",
            f"x, {word}, y = m or r{number}(v, {second})",
        ]
        return [*lines, f"if x is not None: {target} = x", f"if y: {sub} = y"]
    return [f"at = {field.key!r}", f"x = r{number}(v)", f"if x is not None: {target} = x"]


def _take_text(field: Field, parts: _Parts) -> list[str]:
    target = f"{parts.name(field.path[:-1])}[{field.path[-1]!r}]"
    return [
        "if type(v) is str:",
        f" if v: {target} = v if v.isascii() else normalize('NFC', v)",
        "elif v is not None:",
        f" at = {field.key!r}",
        " raise E('text expected')",
    ]


def _put(number: int, field: Field) -> list[str]:
    if field.status and field.status.sub:
        return [f"{_slot(field.wire)}, y = w{number}(v)", f"if y: {_slot(field.status.sub)} = y"]
    if field.status:
        return [f"{_slot(field.wire)} = w{number}(v)[0]"]
    if field.may_vanish:
        return [f"x = w{number}(v)", "if x is None:", f" {_absence(field)}", "else:", f" {_slot(field.wire)} = x"]
    return [f"{_slot(field.wire)} = w{number}(v)"]


def _absence(field: Field) -> str:
    if field.absent == "omit":
        return "pass"
    if field.absent == "null":
        return f"{_slot(field.wire)} = None"
    return f"{_slot(field.wire)} = {'[]' if field.many else repr('')}"


def _slot(place: Place) -> str:
    parents = "".join(f".setdefault({token!r}, {{}})" for token in place[:-1])
    return f"out{parents}[{place[-1]!r}]"


def _compiled(name: str, argument: str, body: list[str], names: dict[str, Any]) -> Any:
    source = [f"def {name}({argument}):", " at = ''", " try:", *("  " + line for line in body)]
    source += [" except E as error:", "  raise error.under(at) from None"]
    exec(compile("\n".join(source), f"<mapping {name}>", "exec"), names)  # noqa: S102 - source made above from checked fields
    return names[name]
