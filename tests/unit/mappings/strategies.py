"""What codecs are tried with: canonical values, and wire values in every spelling a reader may meet."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from mappings.codec import Codec
from mappings.records import Field, Nested, Record, merge, plant

LETTERS = "abcXYZ 019.,-/'\"<>&đĐạẻễữợỗ\u0301\u0323ơư\n"
texts = st.text(st.sampled_from(LETTERS), min_size=1, max_size=12)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.integers(-(2 * 10**15), 7 * 10**15).map(lambda us: EPOCH + timedelta(microseconds=us))
dates = st.dates(date(1900, 1, 1), date(2200, 1, 1))
numbers = st.integers(-(10**12), 10**12)
leaves = st.one_of(texts, numbers, st.booleans(), st.none())
jsons = st.one_of(
    texts,
    st.dictionaries(st.sampled_from("abc"), leaves, min_size=1, max_size=3),
    st.lists(leaves, min_size=1, max_size=3),
)
trees = st.recursive(
    texts, lambda inner: st.dictionaries(st.sampled_from(["A", "B", "C"]), inner, min_size=1, max_size=3), max_leaves=6
)

BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "instant": instants,
    "date": dates,
    "truth": st.booleans(),
    "number": numbers,
    "json": jsons,
}


def values_of(codec: Codec, *, xml: bool = False) -> st.SearchStrategy[Any]:
    """Canonical values a codec accepts: those its wire can carry whole."""
    if codec.name == "json" and xml:
        return trees.map(codec.narrow)
    if codec.values:
        return st.sampled_from(codec.values)
    if codec.name == "number_as_text":
        return numbers.map(str)
    if codec.name == "json_object":
        return st.dictionaries(texts, jsons, min_size=1, max_size=3).map(codec.narrow)
    given = BY_TYPE[codec.gives].map(codec.narrow)
    return given.filter(lambda value: value is not None and value != "" and value != EPOCH)


def wires_of(codec: Codec, *, xml: bool = False) -> st.SearchStrategy[Any]:
    """Wire values a codec reads, in normal form and not."""
    normal = values_of(codec, xml=xml).map(codec.write)
    if codec.name == "first_of":
        return st.one_of([wires_of(one, xml=xml) for one in codec.words])
    if codec.name in ("json", "json_object"):
        return normal
    if codec.name == "table":
        return st.one_of(normal, st.sampled_from(codec.words))
    if codec.gives == "text" and codec.name != "number_as_text":
        long = texts.map(lambda text: text * 400)
        return st.one_of(
            texts, long, texts.map(lambda text: unicodedata.normalize("NFD", text)), texts.map(lambda text: f" {text} ")
        )
    if xml:
        return normal
    return st.one_of(normal, _spellings(codec, normal))


def _spellings(codec: Codec, normal: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Readable, but not as we would write it."""
    if codec.gives == "truth":
        return st.sampled_from([True, False, "true", "FALSE", " 1 ", "0", 0, 1])
    if codec.gives == "number" or codec.name == "number_as_text":
        spelled = [numbers, numbers.map(lambda n: f" {n:09d} "), numbers.map(str)]
        if codec.name == "money_text":
            spelled += [st.just("Không"), st.integers(0, 10**9).map(lambda n: f"{n:,}".replace(",", "."))]
        return st.one_of(spelled)
    if codec.name == "local_time_14":
        return dates.map(lambda day: f"{day:%Y%m%d}")
    if codec.name.startswith("epoch"):
        return st.one_of(st.just(0), numbers, numbers.map(str))
    if codec.name == "iso_time_offset":
        return instants.map(lambda at: at.isoformat())
    if codec.name == "local_time_iso_false_z":
        return instants.map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 100000}Z")
    if codec.name == "local_time_iso":
        return instants.map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}")
    if codec.name in ("local_date_dmy", "date_dmy"):
        return dates.map(lambda day: f" {day.day}/{day.month}/{day.year} ")
    return normal


def record_values(record: Record, *, xml: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Canonical values of a record, each field there or absent."""
    return _assembled([f for f in record.fields if f.carries and not f.keeps], xml, wire=False)


def record_wires(record: Record, *, xml: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Wire objects of a record: every field normal, spelled otherwise, or absent in some spelling."""
    return _assembled([f for f in record.fields if not f.keeps], xml, wire=True)


def _assembled(fields: list[Field], xml: bool, *, wire: bool) -> st.SearchStrategy[dict[str, Any]]:
    tried = [(field, (_field_wires if wire else _field_values)(field, xml)) for field in fields]
    blank = "" if xml else None
    turns = st.lists(st.integers(0, 3), min_size=len(fields), max_size=len(fields))

    @st.composite
    def build(draw: st.DrawFn) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for (field, strategy), turn in zip(tried, draw(turns), strict=True):
            if turn == 0:
                continue
            if wire:
                value = blank if turn == 1 else draw(strategy)
                _plant_wire(made, field, "" if turn == 1 and draw(st.booleans()) else value, turn)
            elif value := draw(strategy):
                plant(made, field.path, value) if field.path else merge(made, value)
            elif value is False or value == 0:
                plant(made, field.path, value)
        return made

    return build()


def _plant_wire(made: dict[str, Any], field: Field, value: Any, turn: int) -> None:
    place = field.also[-1] if field.also and turn == 3 else field.wire
    plant(made, place, value)
    if field.status is not None and field.status.sub is not None and isinstance(value, str) and "/" in value:
        word, _, sub = value.partition("/")
        plant(made, place, word)
        plant(made, field.status.sub, sub)


def _field_values(field: Field, xml: bool) -> st.SearchStrategy[Any]:
    if field.nested is None:
        return values_of(field.codec, xml=xml)
    return _nested_values(field.nested, xml)


def _nested_values(nested: Nested, xml: bool) -> st.SearchStrategy[Any]:
    inner_xml = xml if nested.plain else nested.name == "xml_text"
    item = nested.item
    inside = record_values(item, xml=inner_xml) if isinstance(item, Record) else values_of(item, xml=inner_xml)
    # A row or part of which nothing is said cannot be told from none in XML or in a nested string.
    return st.lists(inside.filter(bool), min_size=1, max_size=2) if nested.many else inside


def _field_wires(field: Field, xml: bool) -> st.SearchStrategy[Any]:
    if field.nested is None:
        return st.just("anything") if field.codec.gives == "nothing" else wires_of(field.codec, xml=xml)
    inner_xml = xml if field.nested.plain else field.nested.name == "xml_text"
    item = field.nested.item
    inside = record_wires(item, xml=inner_xml) if isinstance(item, Record) else wires_of(item, xml=inner_xml)
    inside = inside.filter(bool)
    many = st.one_of(st.lists(inside, max_size=2), inside) if isinstance(item, Record) else st.lists(inside, max_size=2)
    return (many if field.nested.many else inside).map(field.nested.pack)
