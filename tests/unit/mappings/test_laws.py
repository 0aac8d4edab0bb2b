"""Every codec and every shipped mapping obeys L1 and L2; planted faults are caught."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mappings import load, packaged
from mappings.codec import Codec
from mappings.codecs import PLAIN, first_of, text_cut
from mappings.message import Message
from mappings.records import Field, Record
from mappings.tables import CodeTable
from schemas.errors import RecordInvalidError
from tests.unit.mappings import laws, strategies

EXAMPLES = 1000 if os.environ.get("LIENTHONG_SOAK") == "1" else 60
quick = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
unshrunk = settings(quick, phases=[Phase.generate])
"""For planted faults: that a case is found matters, not the smallest one."""

DOSSIER = load("npsp/v2-2024").messages["dossier"]
TABLE = CodeTable(
    {"1": "one", "2": "two", "02": "two", "9": None, "*": "one"}, {"two": "2", "one": "1"}, fold=True
).codec("text")
CODECS = [
    *PLAIN.values(),
    TABLE,
    text_cut(10),
    first_of((PLAIN["local_time_14"], PLAIN["local_time_dmy_hms"], PLAIN["local_date_iso"])),
]
MESSAGES = [
    pytest.param(message, id=f"{name}-{message.name}")
    for name in packaged()
    for message in load(name).messages.values()
]


def case_id(codec: Codec) -> str:
    return codec.name


@pytest.mark.parametrize("codec", CODECS, ids=case_id)
def test_a_codec_reads_what_it_wrote(codec: Codec) -> None:
    quick(given(strategies.values_of(codec))(lambda value: laws.codec_keeps_value(codec, value)))()


@pytest.mark.parametrize("codec", CODECS, ids=case_id)
def test_a_codec_reads_the_same_again_after_writing(codec: Codec) -> None:
    quick(given(strategies.wires_of(codec))(lambda wire: laws.codec_keeps_wire(codec, wire)))()


@pytest.mark.parametrize("message", MESSAGES)
def test_a_shipped_message_reads_what_it_wrote(message: Message) -> None:
    values = strategies.record_values(message.record, xml=message.wire == "xml")
    quick(given(values)(lambda drawn: laws.message_keeps_values(message, drawn)))()


@pytest.mark.parametrize("message", MESSAGES)
def test_a_shipped_message_gives_back_every_spelling_it_met(message: Message) -> None:
    wires = strategies.record_wires(message.record, xml=message.wire == "xml")
    quick(given(wires)(lambda drawn: laws.message_keeps_wire(message, drawn)))()


def faulty(name: str, **changes: Any) -> Codec:
    return replace(PLAIN[name], **changes)


def later(by: timedelta) -> Callable[[Any], Any]:
    return lambda wire: PLAIN["local_time_14"].read(wire) + by


PLANTED = {
    "local time read as UTC": faulty("local_time_14", read=later(timedelta(hours=7))),
    "seconds dropped when written": faulty(
        "local_time_14", write=lambda at: PLAIN["local_time_14"].write(at)[:12] + "00"
    ),
    "day and month swapped": faulty("date_dmy", write=lambda day: f"{day:%m/%d/%Y}"),
    "milliseconds read as seconds": faulty(
        "epoch_ms", read=lambda wire: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(wire))
    ),
    "a false Z believed": faulty("local_time_iso_false_z", read=lambda wire: datetime.fromisoformat(wire)),
    "flag turned round": faulty("flag_01", write=lambda value: "0" if value else "1"),
    "text left as it came": faulty("text", read=lambda wire: wire),
    "text cut only when written": replace(text_cut(10), read=PLAIN["text"].read),
    "leading zeros kept": faulty("number_as_text", read=lambda wire: str(wire)),
    "two values on one code": replace(TABLE, write=lambda _value: "1"),
    "amount read in thousands": faulty("money_text", read=lambda wire: int(str(wire).replace(".", "")[:6] or 0)),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_planted_in_a_codec_is_caught(name: str) -> None:
    codec = PLANTED[name]
    sound = next(one for one in CODECS if one.name == codec.name)

    @unshrunk
    @given(strategies.values_of(sound), strategies.wires_of(sound))
    def obeys(value: Any, wire: Any) -> None:
        laws.codec_keeps_value(codec, value)
        laws.codec_keeps_wire(codec, wire)

    with pytest.raises((AssertionError, ValueError, TypeError, OverflowError, ExceptionGroup)):
        obeys()


def spoiled(message: Message, key: str, **changes: Any) -> Message:
    """A copy of a message with one field changed."""

    def change(field: Field) -> Field:
        return replace(field, **changes) if field.key == key else field

    copy = object.__new__(Message)
    copy.__dict__.update(message.__dict__)
    copy.record = Record(tuple(map(change, message.record.fields)), any_case=message.record.any_case)
    return copy


SPOILED: dict[str, dict[str, Any]] = {
    "a date written to another field": {"key": "due_at", "wire": ("NgayTra",)},
    "a field read into another path": {"key": "due_at", "path": ("received_at",)},
    "a field forgotten when written": {"key": "note", "keeps": True},
    "a list read without its fields": {"key": "fees", "codec": PLAIN["json"], "nested": None},
}


@pytest.mark.parametrize("fault", SPOILED)
def test_a_fault_planted_in_a_shipped_mapping_is_caught(fault: str) -> None:
    sound = DOSSIER
    broken = spoiled(sound, **SPOILED[fault])

    @unshrunk
    @given(strategies.record_values(sound.record), strategies.record_wires(sound.record))
    def obeys(values: dict[str, Any], wire: dict[str, Any]) -> None:
        narrowed = sound.record.narrow(values)
        assert sound.record.narrow(broken.record.read(broken.record.write(values))) == narrowed
        laws.message_keeps_values(broken, values)
        laws.message_keeps_wire(broken, wire)

    with pytest.raises((AssertionError, ValueError, TypeError, OverflowError, ExceptionGroup)):
        obeys()


NAMES = st.sampled_from([field.wire[0] for field in DOSSIER.record.fields])
JUNK = st.one_of(strategies.leaves, st.floats(), st.lists(strategies.leaves, max_size=2), strategies.jsons)


@given(st.dictionaries(NAMES, JUNK, max_size=5))
@quick
def test_no_wire_value_makes_a_reader_fail_other_than_by_name(wire: dict[str, Any]) -> None:
    """Whatever a portal puts into a field, the reader answers with values or names the field it refuses."""
    try:
        DOSSIER.normalise(wire)
    except RecordInvalidError as error:
        assert error.field
