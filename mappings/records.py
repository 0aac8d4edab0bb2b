"""A compiled record: plain callables between one wire object and one nested canonical dict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mappings.codec import Codec, CodecError
from mappings.generated import Place, Reader, reader, writer


@dataclass(frozen=True, slots=True)
class Status:
    """A code table on a status: the wire word is kept beside it, and a sub-status may decide."""

    wire_path: Place
    sub_path: Place
    sub: Place | None
    read: Callable[[Any, Any], tuple[Any, str, str]]
    write: Callable[[Any], tuple[Any, str]]


@dataclass(frozen=True, slots=True)
class Field:
    """One checked field: `path` is its canonical place (empty for none), `wire` its place in the wire object.

    `nested` says what a composite codec holds; `keeps` marks keep_previous; `absent` is omit, null or empty;
    `may_vanish` marks a codec whose writer may answer None: write the absence instead.
    """

    key: str
    path: Place
    wire: Place
    codec: Codec
    absent: str = "omit"
    also: tuple[Place, ...] = ()
    compare: str = "exact"
    volatile: bool = False
    secret: bool = False
    nested: Nested | None = None
    status: Status | None = None
    keeps: bool = False
    may_vanish: bool = False

    @property
    def many(self) -> bool:
        """Whether it holds a list."""
        return self.nested is not None and self.nested.many

    @property
    def is_group(self) -> bool:
        """Whether it holds a part of the record with fields of its own."""
        return self.nested is not None and not self.nested.many and isinstance(self.nested.item, Record)

    @property
    def carries(self) -> bool:
        """Whether it holds a canonical value at all."""
        return bool(self.path) or self.is_group


class Record:
    """The compiled fields of one wire object."""

    def __init__(self, fields: tuple[Field, ...], *, any_case: bool = False) -> None:
        self.fields = fields
        self.any_case = any_case
        self.known = _known_names(fields)
        self._read = reader(fields)
        self._write = writer(fields)
        self.reader: Reader = self.read if any_case else self._read
        """What `read` does, without a step between, for those who read many."""
        self.compared = tuple(
            field
            for field in fields
            if field.carries
            and not field.keeps
            and (field.compare == "address" or not (field.volatile or field.compare == "ignore"))
        )
        self._spellings = {name.casefold(): name for name in self.known}
        self._deep = tuple((name, inside) for name, inside in self.known.items() if inside)

    @property
    def is_plain(self) -> bool:
        """Whether names stand as the mapping spells them and no field has fields inside."""
        return not self.any_case and not self._deep

    def read(self, wire: Any) -> dict[str, Any]:
        """Canonical values of a wire object.

        Raises:
            CodecError: With the canonical place and the rule that was broken.
        """
        return self._read(self.settle(wire) if self.any_case and type(wire) is dict else wire)

    def write(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The wire object of canonical values, in the order of the fields."""
        if not isinstance(values, Mapping):
            raise CodecError("a part with fields expected")
        return self._write(values)

    def settle(self, wire: dict[str, Any]) -> dict[str, Any]:
        """The same object with keys in the mapping's own case; an exact spelling wins."""
        if wire.keys() <= self.known.keys():
            return wire
        settled = {key: value for key, value in wire.items() if key in self.known}
        for key, value in wire.items():
            settled.setdefault(self._spellings.get(key.casefold(), key), value)
        return settled

    def unknown(self, wire: Any, prefix: str = "") -> Iterator[str]:
        """Names of wire fields that nobody mapped; items of lists are written `name[]/field`."""
        if type(wire) is dict and not self.covers(wire):
            yield from _unknown(self.known, self.settle(wire) if self.any_case else wire, prefix)

    def covers(self, wire: Any) -> bool:
        """Whether a look at the names alone shows that the mapping knows them all; False leaves it open."""
        if type(wire) is not dict or not wire.keys() <= self.known.keys():
            return False
        return not self._deep or all(_covers(inside, wire.get(name)) for name, inside in self._deep)

    def narrow(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the wire can carry of canonical values: what a reader of our writing would see."""
        narrowed: dict[str, Any] = {}
        for field in self.fields:
            value = dig(values, field.path) if field.carries else None
            if value is None or value == "" or (field.nested is not None and not value):
                continue
            carried = field.codec.narrow(value)
            if not field.path:
                merge(narrowed, carried)
            elif carried is not None:
                plant(narrowed, field.path, carried)
        return narrowed


class Nested:
    """A composite codec: `item` inside a list, an object, or a string that `unpack` opens and `pack` closes.

    `xml` says that one item looks like none in a list, and an item without content like a blank.
    """

    def __init__(
        self,
        name: str,
        item: Record | Codec,
        *,
        many: bool,
        xml: bool = False,
        unpack: Callable[[Any], Any] | None = None,
        pack: Callable[[Any], Any] | None = None,
    ) -> None:
        self.name, self.item, self.many, self.xml = name, item, many, xml
        self.unpack, self.pack = unpack or _as_it_is, pack or _as_it_is
        self._read_item = item.reader if isinstance(item, Record) else item.read

    @property
    def plain(self) -> bool:
        """Whether the wire holds the inside itself, not a string of it."""
        return self.unpack is _as_it_is

    def codec(self, gives: str) -> Codec:
        """This as a codec for the field that holds it."""
        return Codec(self.name, gives, self.read, self.write, self.narrow)

    def read(self, value: Any) -> Any:
        """Canonical items, or the part inside; nothing at all reads as None."""
        inside = self.unpack(value)
        if not self.many:
            return self.item.read(inside) or None if isinstance(self.item, Record) else self.item.read(inside)
        rows = [inside] if type(inside) is dict or (self.xml and type(inside) is str) else inside
        if type(rows) is not list:
            raise CodecError("list expected")
        if self.xml and isinstance(self.item, Record):
            rows = [{} if type(row) is str and not row.strip() else row for row in rows]
        return each(self._read_item, rows) or None

    def write(self, value: Any) -> Any:
        """The wire's list, object or string."""
        if not self.many:
            return self.pack(self.item.write(value))
        if not isinstance(value, list | tuple):
            raise CodecError("list expected")
        return self.pack(each(self.item.write, value))

    def narrow(self, value: Any) -> Any:
        """What the wire can carry of it."""
        if self.many:
            return [self.item.narrow(row) for row in value]
        return self.item.narrow(value)

    def unknown(self, value: Any, prefix: str) -> Iterator[str]:
        """Names nobody mapped, inside."""
        if not isinstance(self.item, Record) or not value:
            return
        try:
            inside = self.unpack(value)
        except CodecError:
            return
        if not self.many:
            yield from self.item.unknown(inside, f"{prefix}/")
        for row in inside if self.many and type(inside) is list else ():
            yield from self.item.unknown(row, f"{prefix}[]/")


def _as_it_is(value: Any) -> Any:
    return value


def each(call: Callable[[Any], Any], rows: list[Any] | tuple[Any, ...]) -> list[Any]:
    """`call` on every row; an error says which row."""
    done: list[Any] = []
    try:
        for row in rows:
            done.append(call(row))  # noqa: PERF401 - the index of the row that fails is `len(done)`
    except CodecError as error:
        raise error.under(f"[{len(done)}]") from None
    return done


def _known_names(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Wire names as a tree: None for a leaf, a dict for a parent, a `Nested` where a codec looks inside."""
    tree: dict[str, Any] = {}
    for field in fields:
        sub = (field.status.sub,) if field.status and field.status.sub else ()
        for place in (field.wire, *field.also, *sub):
            branch = tree
            for token in place[:-1]:
                branch = branch.setdefault(token, {})
            branch[place[-1]] = field.nested or branch.get(place[-1])
    return tree


def _covers(inside: Any, value: Any) -> bool:
    if not value:
        return True
    if not isinstance(inside, Nested) or not inside.plain or not isinstance(inside.item, Record):
        return False
    if type(value) is not list:
        return inside.item.covers(value)
    if inside.item.is_plain:
        known = inside.item.known.keys()
        return all(type(row) is dict and row.keys() <= known for row in value)
    return all(map(inside.item.covers, value))


def _unknown(known: Mapping[str, Any], wire: Any, prefix: str) -> Iterator[str]:
    if type(wire) is not dict:
        return
    for name, value in wire.items():
        inside = known.get(name)
        if name not in known:
            yield f"{prefix}{name}"
        elif isinstance(inside, dict):
            yield from _unknown(inside, value, f"{prefix}{name}/")
        elif inside is not None:
            yield from inside.unknown(value, f"{prefix}{name}")


def dig(values: Any, path: Place) -> Any:
    """The value at a place, or None."""
    for token in path:
        if type(values) is not dict and not isinstance(values, Mapping):
            return None
        values = values.get(token)
    return values


def plant(values: dict[str, Any], path: Place, value: Any) -> None:
    """Put a value at a place, making the parts it stands in."""
    for token in path[:-1]:
        values = values.setdefault(token, {})
    values[path[-1]] = value


def merge(values: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put nested `more` over `values`."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            merge(values[key], value)
        else:
            values[key] = value
