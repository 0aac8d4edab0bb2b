"""Every payload of a shipped kind in the reference data is read by its mapping and written back equal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from mappings import Message, load
from mappings.vocabulary import TARGETS

TABLE = Path(__file__).parents[3] / "docs" / "payloads.md"
ROW = re.compile(r"^\| `(?P<file>[^`]+)` \| (?P<part>[^|]*) \| (?P<kind>[^|]*) \| (?P<message>[^|]*) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str, str, str]]:
    """File, part, kind and `mapping message` of each line of the table."""
    found = ROW.finditer(TABLE.read_text(encoding="utf-8"))
    return [(row["file"], row["part"].strip(" `"), row["kind"].strip(), row["message"].strip(" `")) for row in found]


MAPPED = [
    pytest.param(file, part, message, id=f"{file}-{part or 'whole'}-{message}")
    for file, part, kind, message in rows()
    if kind in ("npsp", "nsw", "civil_status")
]


def part_of(document: Any, part: str) -> list[Any]:
    """The records at a pointer; `*` stands for each item."""
    found = [document]
    for token in part.split("/")[1:]:
        found = [item for node in found for item in (node if token == "*" else [node[token]])]
    return found


def same(one: Any, other: Any) -> bool:
    """JSON equality that tells `""`, null and absence apart, and `1` from `true`."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def canonical_xml(data: bytes) -> bytes:
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True)
    return etree.tostring(etree.fromstring(data, parser), method="c14n2")


def message_named(name: str) -> Message:
    mapping, _, message = name.rpartition(" ")
    return load(mapping).messages[message]


@pytest.mark.parametrize(("file", "part", "name"), MAPPED)
def test_a_payload_is_read_and_written_back_equal(data: Path, file: str, part: str, name: str) -> None:
    message = message_named(name)
    source = (data / "payloads" / file).read_bytes()
    records = [source] if message.wire == "xml" else part_of(json.loads(source), part)

    for record in records:
        seen = message.normalise(record)
        written = message.localise(seen.values, spelled=seen.spelled)

        assert seen.unknown == ()
        assert seen.values or not any(record.values()), "something was read, unless the sample is blank"
        TARGETS[message.target].model_validate(seen.values)
        if isinstance(written, bytes):
            assert canonical_xml(written) == canonical_xml(source)
        else:
            assert same(written, record)


@pytest.mark.parametrize("record", [{"A": ""}, {"A": None}, {}], ids=["blank", "null", "left out"])
def test_the_equality_of_this_test_tells_the_absent_spellings_apart(record: dict[str, Any]) -> None:
    others = [other for other in ({"A": ""}, {"A": None}, {}) if other != record]

    assert same(record, dict(record))
    assert not any(same(record, other) for other in others)


def test_the_table_names_every_file_and_nothing_else(data: Path) -> None:
    files = {path.name for path in (data / "payloads").iterdir()}

    assert {file for file, *_ in rows()} == files


def test_a_file_without_a_kind_has_its_reason() -> None:
    assert [row for row in rows() if not row[2]] == []
