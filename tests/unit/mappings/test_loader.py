"""A mapping file is checked when it is loaded: every problem at once, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings import load, packaged
from mappings.makers import CODECS
from schemas.errors import ConfigError

HEAD = "kind: x\nprofile: y\nsource: a test\nreleased: '2026'\n"
BROKEN = (
    HEAD
    + """messages:
  one:
    target: event
    required: [officer]
    fields:
      when: {wire: A, codec: text}
      note: {wire: B, codec: txt}
      status: {wire: C, codec: {table: {"1": submitted, "2": done}}}
      occurred_at: {wire: B, codec: text, comparison: exact}
      due_at: {wire: D, codec: text}
  two:
    target: dossier
    fields:
      state.status: {wire: S, codec: {table: {"1": submitted, "2": submitted}}, covers: [submitted, halted]}
      note: {wire: T, codec: text}
      abstract: {wire: T, codec: text}
      documents: {wire: L, codec: {list: {nme: {wire: N, codec: text}}}}
"""
)


def problems(folder: Path, text: str) -> list[str]:
    path = folder / "m.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(str(path))
    return list(caught.value.problems)


def one_field(line: str, head: str = "target: dossier") -> str:
    return f"{HEAD}messages:\n  one:\n    {head}\n    fields:\n      {line}\n"


def test_every_problem_is_reported_at_once_with_its_line(tmp_path: Path) -> None:
    found = problems(tmp_path, BROKEN)

    lines = [8, 10, 11, 12, 12, 13, 13, 14, 18, 18, 20, 21]
    assert [problem.split(": ")[0] for problem in found] == [f"m.yaml:{line}" for line in lines]
    text = "\n".join(found)
    assert "messages.one.fields.occurred_at.comparison: unknown key" in text
    assert "officer is not a field of this message" in text
    assert "unknown canonical path 'when'" in text
    assert "unknown codec 'txt'; one of" in text
    assert "'done' is no DossierStatus; one of submitted, accepted" in text
    assert "text gives text, but occurred_at is instant" in text
    assert "submitted has codes 1, 2: say which to write with prefer" in text
    assert "no code for halted" in text
    assert "already taken by note" in text
    assert "unknown canonical path 'nme'" in text


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("state.status: {wire: S, codec: {table: {'1': submitted}}}", "no code for accepted, not_accepted"),
        ("state.status: {wire: S, codec: {table: {'*': submitted}}, covers: []}", "never guessed"),
        ("state.status: {wire: S, codec: {table: {1: submitted}}}", "codes in quotes"),
        ("channel: {wire: S, codec: {table: {'1': online}}, beyond: absent}", "needs covers"),
        ("channel: {wire: S, codec: {table: {'1': online}}, covers: [onlin]}", "'onlin' is no Channel"),
        ("note: {wire: S, codec: {table: {'1': a, '2': a}}, prefer: {a: '3'}}", "code '3' does not give a"),
        ("digitised: {wire: S, codec: {table: {'1': yes}}}", "must be truth"),
        ("note: {wire: N, codec: {text_cut: 2}}", "at least 4"),
        ("note: {wire: N, codec: {first_of: [text]}}", "at least two"),
        ("note: {wire: N, codec: {first_of: [text, int]}}", "one type"),
        ("note: {wire: N, codec: {first_of: [text, {list_of: text}]}}", "single values"),
        ("note: {wire: N, codec: {list: {name: {wire: N, codec: text}}}}", "not a list of records"),
        ("note: {wire: N, codec: {list_of: text}}", "not a list of text"),
        ("note: {wire: N, codec: {object: {name: {wire: N, codec: text}}}}", "not a part"),
        ("applicant: {wire: N, codec: {xml_text: {fields: {name: {wire: N, codec: text}}}}}", "needs root and fields"),
        ("note: {wire: N, codec: {constant: x}}", "a key that begins with _"),
        ("_x: {wire: N, codec: text}", "a key that begins with _"),
        ("note: {wire: N, codec: {text: 1, trimmed: 2}}", "a name or one name with its arguments"),
        ("note: {wire: N, codec: {txt: 1}}", "unknown codec 'txt'"),
        ("note: {wire: N, codec: text, sub: T}", "only a status table"),
        ("note: {wire: N, codec: text, compare: prefix}", "pattern"),
        ("documents: {wire: L, codec: {list: {_k: {wire: N, codec: keep_previous}}}}", "top of a message"),
        ("documents: {wire: L, codec: {list: {name: {wire: N, codc: text}}}}", "unknown key"),
        ("documents: {wire: L, codec: text}", "is a list of part"),
        ("applicant: {wire: A, codec: {object: {fax: {wire: N, codec: text}}}}\n      note: {wire: /A/b, codec: text}",
         "already taken by applicant"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_field_is_named(tmp_path: Path, line: str, says: str) -> None:
    assert says in "\n".join(problems(tmp_path, one_field(line)))


@pytest.mark.parametrize(
    ("head", "line", "says"),
    [
        ("target: dosier", "note: {wire: N, codec: text}", "unknown target 'dosier'; one of dossier"),
        ("{target: dossier, wire: xml}", "note: {wire: N, codec: text}", "names its root element"),
        ("target: dossier\n    wire: xml\n    root: R", "note: {wire: q:N, codec: text}", "namespace prefix 'q'"),
        (
            "target: dossier\n    wire: xml\n    root: R",
            "note: {wire: N, codec: text, absent: null}",
            "only JSON has null",
        ),
        ("target: dossier\n    wire: form", "digitised: {wire: N, codec: boolean}", "writes a JSON value"),
        ("target: dossier\n    wire: form", "documents: {wire: N, codec: {list: {}}}", "a form holds no lists"),
        ("target: dossier\n    required: [note]\n    require: []", "note: {wire: N, codec: text}", "unknown key"),
    ],
)
def test_a_mistake_in_a_message_is_named(tmp_path: Path, head: str, line: str, says: str) -> None:
    text = one_field(line, head)
    if head.startswith("{"):
        text = one_field(line, "target: dossier\n    wire: xml")

    assert says in "\n".join(problems(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: [", "m.yaml:"),
        ("kind: a\nkind: b", "duplicate key"),
        ("- a", "a set of keys"),
        ("", "a set of keys"),
        ("kind: x", "m.yaml:1: profile: Field required"),
        (HEAD + "extends: npsp/no-such\nmessages: {}", "npsp/no-such: cannot be read"),
        (
            HEAD + "extends: npsp/v2-2024\nmessages: {dossier: {fields: {note: {wire: MaHoSo, codec: text}}}}",
            "taken by",
        ),
    ],
)
def test_a_file_that_is_no_mapping_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    assert says in "\n".join(problems(tmp_path, text))


def test_a_file_cannot_extend_itself(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"

    assert "extends itself" in problems(tmp_path, f"{HEAD}extends: {path}\n")[0]


def test_an_unknown_name_lists_the_packaged_ones() -> None:
    with pytest.raises(ConfigError, match="npsp/v2-2024"):
        load("npsp/v9")


def test_a_file_may_lie_over_a_packaged_one(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    changed = "messages: {dossier: {required: [], fields: {note: null, abstract: {wire: GhiChu, codec: text}}}}"
    path.write_text(f"{HEAD}extends: npsp/v2-2024\n{changed}", encoding="utf-8")
    mapping = load(str(path))

    assert mapping.messages["dossier"].localise({"abstract": "x"})["GhiChu"] == "x"
    assert mapping.messages.keys() == load("npsp/v2-2024").messages.keys()


def test_a_release_changes_with_the_file_and_only_then(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(one_field("note: {wire: N, codec: text}"), encoding="utf-8")
    first = load(str(path)).release

    assert load(str(path)).release == first
    path.write_text(one_field("note: {wire: M, codec: text}"), encoding="utf-8")
    assert load(str(path)).release != first


@pytest.mark.parametrize("name", packaged())
def test_every_shipped_mapping_loads_under_its_own_name(name: str) -> None:
    mapping = load(name)

    assert f"{mapping.kind}/{mapping.profile}" == name


def test_every_codec_is_explained(project_root: Path) -> None:
    text = (project_root / "docs" / "mapping-language.md").read_text(encoding="utf-8")

    assert [codec for codec in sorted(CODECS) if f"`{codec}`" not in text and f"`{{{codec}: " not in text] == []
