"""Mapping files as people write them: merged parts, odd dates, wrong tags. Every problem with its line, no crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.loader import Mapping, load
from schemas.errors import ConfigError

HEAD = "kind: x\nprofile: p\nsource: s\nreleased: 2026-11-23\n"
MERGED = """messages:
  one:
    target: dossier
    fields: &shared
      dossier_code: {wire: A, codec: %s}
  two:
    target: dossier
    fields:
      <<: *shared
      note: {wire: B, codec: %s}
"""


def read(folder: Path, text: str, head: str = HEAD) -> Mapping:
    path = folder / "m.yaml"
    path.write_text(head + text, encoding="utf-8")
    return load(str(path))


def problems(folder: Path, text: str, head: str = HEAD) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text, head)
    return caught.value.problems


def test_parts_may_be_merged(tmp_path: Path) -> None:
    two = read(tmp_path, MERGED % ("text", "text")).messages["two"]
    assert two.normalise({"A": "1", "B": "b"}).values == {"dossier_code": "1", "note": "b"}


def test_a_mistake_in_a_merged_part_is_told_where_it_stands(tmp_path: Path) -> None:
    found = problems(tmp_path, MERGED % ("texxt", "tixt"))
    assert [line.split(": ")[0] for line in found] == ["m.yaml:9", "m.yaml:9", "m.yaml:14"]


def test_a_day_of_no_calendar_is_text(tmp_path: Path) -> None:
    head = HEAD.replace("2026-11-23", "2026-11-31")
    assert read(tmp_path, MERGED % ("text", "text"), head).released == "2026-11-31"


@pytest.mark.parametrize(
    "text",
    [
        "messages: !!python/object/apply:os.system ['true']\n",
        "messages: !!int many\n",
        "messages: !!float many\n",
        "messages: !!binary '###'\n",
        "messages: !own {a: 1}\n",
        "messages: &a [*a]\n",
        "messages: &a {a: *a}\n",
        "messages: " + "[" * 300,
        "messages: {\n",
        "messages: \t{}\n",
        "? [a, b]\n: c\n",
        "~: c\n",
        "messages: {a: {target: dossier, fields: {note: {wire: a, codec: {table: {1: x}}}}}}\n",
        "messages: {a: {target: [1], fields: {note: [1]}}}\n",
        "messages: {a: {target: dossier, fields: {note: {wire: [1], codec: [1]}}}}\n",
        "extends: [a]\nmessages: {}\n",
    ],
)
def test_no_file_makes_the_reader_crash(tmp_path: Path, text: str) -> None:
    assert all(problem.startswith("m.yaml:") for problem in problems(tmp_path, text))


def test_an_xml_path_may_name_its_namespace_in_braces(tmp_path: Path) -> None:
    message = read(
        tmp_path,
        """messages:
  m:
    target: dossier
    wire: xml
    root: R
    fields:
      note: {wire: '{http://x.invalid/y/1.0}a/{http://x.invalid/y/1.0}b', codec: text}
""",
    ).messages["m"]
    written = message.localise({"note": "chữ"})
    assert message.normalise(written).values == {"note": "chữ"}
    asked = b'<R><a xmlns="http://x.invalid/y/1.0"><b>hi</b></a></R>'
    assert message.normalise(asked).values == {"note": "hi"}


@pytest.mark.parametrize("values", [{"note": "1"}, {"note": "1", "abstract": "VND"}, {"abstract": "VND"}, {}])
def test_an_elements_own_text_is_read_with_and_without_attributes(tmp_path: Path, values: dict[str, str]) -> None:
    message = read(
        tmp_path,
        """messages:
  m:
    target: dossier
    wire: xml
    root: R
    fields:
      note: {wire: 'Fee/.', codec: text}
      abstract: {wire: 'Fee/@currency', codec: text}
""",
    ).messages["m"]
    assert message.normalise(message.localise(values)).values == values
