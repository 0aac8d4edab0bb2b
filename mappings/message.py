"""One message of a mapping: what a portal's record says, and how to say it to that portal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from mappings import spelling
from mappings.codec import CodecError
from mappings.generated import Place
from mappings.language import MessageSpec
from mappings.records import Record, dig, plant
from schemas.canonical import canonical_bytes, digest
from schemas.errors import NotSendableError, RecordInvalidError

JsonValue = Any

_LONGEST_SHOWN = 120
_BLANKS: tuple[Any, ...] = ("", [], {}, ())


@dataclass(frozen=True)
class Normalised:
    """What one wire record says.

    `values`: nested canonical values; absent fields are left out, instants are UTC, texts NFC.
    """

    message: Message
    wire: JsonValue
    values: dict[str, Any]

    @cached_property
    def spelled(self) -> dict[str, JsonValue]:
        """Wire pointer -> normal and source text, where the source differs from what we would write."""
        return self.message.spelling(self.wire, self.values)

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """Names of wire fields that nobody mapped: schema drift, kept raw, never forwarded."""
        return self.message.strangers(self.wire)


@dataclass(frozen=True)
class Xml:
    """How an XML message's bytes become a tree of plain values and back."""

    parse: Callable[[bytes], JsonValue]
    build: Callable[[JsonValue], bytes]


class Message:
    """A compiled message. Every method is a pure function."""

    def __init__(self, name: str, spec: MessageSpec, record: Record, xml: Xml | None = None) -> None:
        self.name, self.target, self.wire, self.direction = name, spec.target, spec.wire, spec.direction
        self.record, self.required, self.xml = record, spec.required, xml
        self._fields = spec.fields
        self.secret_paths = (*spelling.secret_pointers(record), *spec.secrets)
        """Wire pointers declared secret; `*` stands for each item of a list."""
        self.drops = frozenset(spec.drops) | {spelling.drift_name(pointer) for pointer in spec.secrets}
        self._required: tuple[tuple[str, Place], ...] = tuple((path, tuple(path.split("."))) for path in self.required)
        self._kept = tuple(field for field in record.fields if field.keeps)
        self.is_steady = not _has_volatile(record)
        """Whether no field is volatile, so that `steady` gives what it is given."""

    def normalise(self, wire: JsonValue | bytes) -> Normalised:
        """Read one wire record (bytes for XML).

        Raises:
            RecordInvalidError: It cannot be read; names the field and the rule, never a value.
        """
        try:
            tree = self._open(wire)
            return Normalised(self, tree, self.record.read(tree))
        except CodecError as error:
            raise RecordInvalidError(f"{self.name}: {error}", field=error.at) from None

    def read(self, wire: JsonValue | bytes) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Values and unknown names of one wire record, as `normalise` gives them, for those who read many.

        Raises:
            RecordInvalidError: As `normalise`.
        """
        try:
            tree = self._open(wire)
            values = self.record.read(tree)
        except CodecError as error:
            raise RecordInvalidError(f"{self.name}: {error}", field=error.at) from None
        return values, () if self.record.covers(tree) else self.strangers(tree)

    def read_all(self, wires: Sequence[JsonValue | bytes]) -> list[tuple[dict[str, Any], tuple[str, ...]]]:
        """As `read`, for the rows of one list: what does not change from row to row is looked up once.

        Raises:
            RecordInvalidError: As `normalise`, for the first row that cannot be read.
        """
        if self.xml is not None or not self.record.is_plain:
            return [self.read(wire) for wire in wires]
        found = []
        rows: Sequence[JsonValue] = wires
        read, known = self.record.reader, self.record.known.keys()
        try:
            for row in rows:
                values = read(row)
                found.append((values, () if row.keys() <= known else self.strangers(row)))
        except CodecError as error:
            raise RecordInvalidError(f"{self.name}: {error}", field=error.at) from None
        return found

    def carries(self, path: str, name: str) -> bool:
        """Whether the field of this path holds records that are written with a field of this name."""
        return path in self._fields and _names(self._fields[path], name)

    def strangers(self, tree: JsonValue) -> tuple[str, ...]:
        """Names of wire fields that nobody mapped and nobody declared to be dropped."""
        return tuple(dict.fromkeys(name for name in self.record.unknown(tree) if name not in self.drops))

    def localise(
        self,
        values: Mapping[str, Any],
        *,
        spelled: Mapping[str, JsonValue] | None = None,
        previous: JsonValue | bytes = None,
    ) -> JsonValue | bytes:
        """Write one record in the portal's words.

        Args:
            values: Nested canonical values, as `Normalised.values` or a dumped model gives them.
            spelled: `Normalised.spelled` of the record these values came from: writes it back exactly as it was
                wherever its values have not changed since.
            previous: The record as the portal shows it now, for fields of codec `keep_previous`.

        Raises:
            NotSendableError: A required value is missing, or one has no word on this wire (I11).
        """
        if missing := self.lacking(values):
            raise NotSendableError(f"{self.name}: missing {', '.join(missing)}", missing=missing)
        try:
            tree = self.record.write(values)
            if self._kept and previous is not None:
                self._keep(tree, self._open(previous))
            if spelled:
                tree = spelling.respell(tree, spelled, lambda wire: self.record.narrow(self.record.read(wire)))
            return tree if self.xml is None else self.xml.build(tree)
        except CodecError as error:
            raise NotSendableError(f"{self.name}: {error}", missing=(error.at,)) from None

    def lacking(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Required canonical paths that hold nothing."""
        return tuple(path for path, place in self._required if _absent(dig(values, place)))

    def comparable(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Canonical path -> short text under the field's compare rule, narrowed to what this wire can carry.

        Two records whose comparables are equal need no write. Absent and ignored fields are left out, and volatile ones
        that are not compared as addresses; a long text or list is given by its digest.
        """
        return dict(_comparable(self.record, values, ""))

    def digest(self, wire: JsonValue | bytes) -> str:
        """Digest of the mapped record without volatile fields; status words count.

        Raises:
            RecordInvalidError: As `normalise`.
        """
        return digest(self.steady(self.normalise(wire).values))

    def steady(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """`values` without volatile fields: the very same object where the message has none."""
        return values if self.is_steady else _steady(self.record, values)

    def narrowed(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Canonical paths whose text this wire's known limit cuts: a warning for the audit log."""
        return tuple(_cut(self.record, values, ""))

    def blank(self, wire: JsonValue) -> JsonValue:
        """The same wire record (JSON, form, or an XML message's tree) with declared secrets emptied."""
        return spelling.blanked(wire, self.secret_paths)

    def spelling(self, wire: JsonValue, values: Mapping[str, Any]) -> dict[str, JsonValue]:
        """Where a source record differs from what we would write for `values`."""
        try:
            normal = self.record.write(values)
        except CodecError:
            return {}
        source = spelling.mapped(wire, self.record)
        found = spelling.differences(self.blank(normal), self.blank(source))
        return {at: spelling.guarded(at, sides, normal, self.record) for at, sides in found}

    def _open(self, wire: JsonValue | bytes) -> JsonValue:
        return wire if self.xml is None else self.xml.parse(wire)

    def _keep(self, tree: dict[str, Any], previous: JsonValue) -> None:
        for field in self._kept:
            value = dig(previous, field.wire)
            if value is not None:
                plant(tree, field.wire, value)


def _names(given: Any, name: str) -> bool:
    """Whether a key of this name stands anywhere below a field's own words."""
    if isinstance(given, Mapping):
        return any(key == name or _names(value, name) for key, value in given.items())
    return isinstance(given, list | tuple) and any(_names(one, name) for one in given)


def _absent(value: Any) -> bool:
    return value is None or value in _BLANKS


def _rule(text: str, compare: str) -> str:
    if compare == "casefold":
        return text.casefold()
    if compare.startswith("prefix "):
        return text[: int(compare[7:])]
    if compare == "address":
        return text.partition("?")[0].rstrip("/").rpartition("/")[2]
    return text


def _shown(value: Any, compare: str = "exact") -> str:
    if isinstance(value, str):
        text = str(value) if compare == "exact" else _rule(value, compare)
    elif isinstance(value, datetime | date | bool | int | float):
        text = value.isoformat() if isinstance(value, date) else str(value).lower()
    else:
        text = canonical_bytes(value).decode()
    return text if len(text) <= _LONGEST_SHOWN else "sha256:" + sha256(text.encode()).hexdigest()[:32]


def _comparable(record: Record, values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for field in record.compared:
        value = dig(values, field.path)
        if value is None or value in _BLANKS:
            continue
        nested = field.nested
        if nested is None or not isinstance(nested.item, Record):
            carried = field.codec.narrow(value)
            if carried is not None:
                yield prefix + field.key, _shown(carried, field.compare)
        elif nested.many:
            yield prefix + field.key, _shown([dict(_comparable(nested.item, row, "")) for row in value])
        else:
            yield from _comparable(nested.item, value, f"{prefix}{field.key}." if field.path else prefix)


def _steady(record: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without volatile fields, at every depth."""
    steady: dict[str, Any] = _copied(values)
    for field in record.fields:
        if field.volatile:
            _drop(steady, field.path)
        elif field.nested is not None and isinstance(field.nested.item, Record):
            inside = dig(steady, field.path)
            if field.many and inside:
                plant(steady, field.path, [_steady(field.nested.item, row) for row in inside])
            elif inside and field.path:
                plant(steady, field.path, _steady(field.nested.item, inside))
            elif inside:
                steady = _steady(field.nested.item, inside)
    return steady


def _has_volatile(record: Record) -> bool:
    return any(
        field.volatile
        or (field.nested is not None and isinstance(field.nested.item, Record) and _has_volatile(field.nested.item))
        for field in record.fields
    )


def _copied(values: Any) -> Any:
    return {key: _copied(item) for key, item in values.items()} if isinstance(values, Mapping) else values


def _drop(values: dict[str, Any], place: Place) -> None:
    parent = dig(values, place[:-1])
    if parent is not None:
        parent.pop(place[-1], None)


def _cut(record: Record, values: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for field in record.fields:
        value: Any = dig(values, field.path) if field.carries else None
        if _absent(value):
            continue
        if field.nested is not None and isinstance(field.nested.item, Record):
            rows = value if field.many else (value,)
            for row in rows:
                yield from _cut(field.nested.item, row, f"{prefix}{field.key}.")
        elif field.codec.name == "text_cut" and len(field.codec.narrow(value)) < len(value):
            yield prefix + field.key
