"""The laws of a codec and of a message, as checks that a planted fault must fail."""

from __future__ import annotations

from typing import Any

from mappings import spelling
from mappings.codec import Codec
from mappings.message import Message
from mappings.vocabulary import TARGETS


def codec_keeps_value(codec: Codec, value: Any) -> None:
    """L1: what is written is read again."""
    assert codec.narrow(value) == value, "a value the wire can carry"
    assert codec.read(codec.write(value)) == value


def codec_keeps_wire(codec: Codec, wire: Any) -> None:
    """L2: normal forms are kept, and reading again changes nothing."""
    value = codec.read(wire)
    if value is None:
        return
    normal = codec.write(value)
    assert codec.read(normal) == value
    assert codec.write(codec.read(normal)) == normal
    assert codec.narrow(value) == value


def message_keeps_values(message: Message, values: dict[str, Any]) -> None:
    """L1 for a message; equal comparables mean that no write is owed, so they must survive the round trip."""
    carried = message.record.narrow(values)
    wire = message.record.write(values)
    again = message.record.read(wire)
    assert message.record.narrow(again) == carried
    assert message.comparable(again) == message.comparable(values)
    assert message.record.write(again) == wire


def message_keeps_wire(message: Message, wire: Any) -> None:
    """L2 for a message, exact write-back of the source, and values that fit the shared model."""
    values = message.record.read(wire)
    TARGETS[message.target].model_validate(values)
    normal = message.record.write(values)
    again = message.record.read(normal)
    assert message.record.narrow(again) == message.record.narrow(values)
    assert message.record.write(again) == normal
    spelled = message.spelling(wire, values)
    back = spelling.respell(normal, spelled, lambda tree: message.record.narrow(message.record.read(tree)))
    assert not list(spelling.differences(back, spelling.mapped(wire, message.record)))
