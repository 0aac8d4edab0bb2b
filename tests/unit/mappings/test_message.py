"""What a message does: absence, requirements, status words, drift, comparison, secrets, what is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from mappings import Message, load
from schemas.errors import NotSendableError, RecordInvalidError
from schemas.status import DossierStatus

AT = datetime(2024, 1, 15, 1, 30, tzinfo=UTC)


def message(folder: Path, fields: str, head: str = "target: dossier", name: str = "one") -> Message:
    """A message of one field line each."""
    body = "\n".join(f"      {line}" for line in fields.strip().splitlines())
    top = "\n".join(f"    {line}" for line in head.splitlines())
    text = f"kind: x\nprofile: y\nsource: a test\nreleased: '2026'\nmessages:\n  {name}:\n{top}\n    fields:\n{body}\n"
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return load(str(path)).messages[name]


@pytest.mark.parametrize("wire", [{}, {"N": None}, {"N": ""}], ids=["left out", "null", "blank"])
@pytest.mark.parametrize(("absent", "written"), [("omit", {}), ("null", {"N": None}), ("empty", {"N": ""})])
def test_absence_is_read_in_three_spellings_and_written_in_the_declared_one(
    tmp_path: Path, wire: dict[str, Any], absent: str, written: dict[str, Any]
) -> None:
    one = message(tmp_path, f"note: {{wire: N, codec: text, absent: {absent}}}")
    seen = one.normalise(wire)

    assert seen.values == {}
    assert one.localise(seen.values) == written
    assert one.localise(seen.values, spelled=seen.spelled) == wire


def test_a_missing_required_value_is_named_and_nothing_is_invented(tmp_path: Path) -> None:
    one = message(tmp_path, "note: {wire: N, codec: text}\ndue_at: {wire: D, codec: local_time_14}",
                  "target: dossier\nrequired: [note, due_at]")  # fmt: skip

    with pytest.raises(NotSendableError) as caught:
        one.localise({"note": ""})

    assert caught.value.missing == ("note", "due_at")


def test_an_unmapped_code_names_its_field_and_not_its_value() -> None:
    progress = load("npsp/v2-2024").messages["progress"]

    with pytest.raises(RecordInvalidError) as caught:
        progress.normalise({"MaHoSo": "H56-240115-0001", "TrangThai": "secret-99"})

    assert caught.value.field == "status"
    assert "secret-99" not in str(caught.value)


def test_a_bad_value_inside_a_list_is_found_by_its_row() -> None:
    dossier = load("npsp/v2-2024").messages["dossier"]

    with pytest.raises(RecordInvalidError) as caught:
        dossier.normalise({"DanhSachLePhi": [{"Gia": "1"}, {"Gia": "many"}]})

    assert caught.value.field == "fees[1].fee_vnd"


@pytest.mark.parametrize("wire", [[], "text", None, 3, [{}]])
def test_what_is_no_object_is_refused(wire: Any) -> None:
    with pytest.raises(RecordInvalidError):
        load("npsp/v2-2024").messages["dossier"].normalise(wire)


def test_a_status_keeps_the_wires_own_words() -> None:
    values = load("npsp/v2-2024").messages["dossier"].normalise({"TrangThaiHoSo": "4"}).values

    assert values["state"] == {"status": DossierStatus.IN_PROGRESS, "wire": "4"}


SUB = """
state.status:
  wire: S
  sub: T
  codec: {table: {"processing": in_progress, "processing/pay": payment_requested, "done": returned, "note": null}}
  covers: [in_progress, payment_requested, returned]
"""


@pytest.mark.parametrize(
    ("wire", "state"),
    [
        ({"S": "processing"}, {"status": "in_progress", "wire": "processing"}),
        ({"S": "processing", "T": ""}, {"status": "in_progress", "wire": "processing"}),
        ({"S": "processing", "T": "pay"}, {"status": "payment_requested", "wire": "processing", "sub_wire": "pay"}),
        ({"S": "processing", "T": "other"}, {"status": "in_progress", "wire": "processing", "sub_wire": "other"}),
        ({"S": "note"}, {"wire": "note"}),
    ],
)
def test_a_sub_status_wins_where_the_table_has_it(tmp_path: Path, wire: dict[str, str], state: dict[str, str]) -> None:
    one = message(tmp_path, SUB)
    seen = one.normalise(wire)

    assert seen.values["state"] == state
    if "status" in state:
        assert one.localise(seen.values, spelled=seen.spelled) == wire


def test_a_status_the_table_does_not_cover_is_not_sent(tmp_path: Path) -> None:
    with pytest.raises(NotSendableError) as caught:
        message(tmp_path, SUB).localise({"state": {"status": DossierStatus.HALTED}})

    assert caught.value.missing == ("state.status",)


def test_a_value_beyond_the_table_is_left_out_where_the_mapping_says_so() -> None:
    dossier = load("npsp/v2-2024").messages["dossier"]
    fields = {"channel": "online", "return_method": "online"}

    row = dossier.record.write(fields)

    assert row["KenhThucHien"] == "2"
    assert "HinhThuc" not in row
    assert "return_method" not in dossier.comparable(fields)


def test_a_field_nobody_mapped_is_drift_by_name_and_never_forwarded(tmp_path: Path) -> None:
    one = message(
        tmp_path,
        "note: {wire: /a/n, codec: text}\ndocuments: {wire: L, codec: {list: {name: {wire: N, codec: text}}}}",
        "target: dossier\ndrops: [known]",
    )
    wire = {"a": {"n": "x", "m": 1}, "L": [{"N": "y", "X": 1}, {"X": 2}], "z": 1, "known": 2}
    seen = one.normalise(wire)

    assert seen.unknown == ("a/m", "L[]/X", "z")
    assert one.localise(seen.values, spelled=seen.spelled) == {"a": {"n": "x"}, "L": [{"N": "y"}, {}]}


def test_a_spelling_is_not_restored_over_a_changed_value(tmp_path: Path) -> None:
    one = message(tmp_path, "note: {wire: N, also: [M], codec: text}", "target: dossier\nany_case: true")
    seen = one.normalise({"m": "old"})

    assert one.localise(seen.values, spelled=seen.spelled) == {"m": "old"}
    assert one.localise({"note": "new"}, spelled=seen.spelled) == {"N": "new"}


def test_a_second_spelling_beside_the_first_comes_back_only_while_nothing_changed(tmp_path: Path) -> None:
    one = message(tmp_path, "documents: {wire: L, codec: {list: {note: {wire: N, also: [M], codec: text}}}}")
    wire = {"L": [{"N": "now", "M": "then"}]}
    seen = one.normalise(wire)

    assert one.localise(seen.values, spelled=seen.spelled) == wire
    assert one.localise({"documents": [{"note": "new"}]}, spelled=seen.spelled) == {"L": [{"N": "new"}]}


def test_text_is_nfc_inside_and_as_it_came_outside(tmp_path: Path) -> None:
    one = message(tmp_path, "note: {wire: N, codec: text}")
    decomposed = "Đang xử lý ho\u0302\u0300 sơ"
    seen = one.normalise({"N": decomposed})

    assert seen.values["note"] == "Đang xử lý hồ sơ"
    assert one.localise(seen.values, spelled=seen.spelled) == {"N": decomposed}


def test_what_the_portal_shows_is_kept_where_the_mapping_says_so(tmp_path: Path) -> None:
    one = message(tmp_path, "note: {wire: N, codec: text}\n_theirs: {wire: /p/T, codec: keep_previous}\n"
                            "_always: {wire: D, codec: {constant: 'False'}}")  # fmt: skip

    assert one.localise({"note": "x"}, previous={"N": "y", "p": {"T": 7}}) == {"N": "x", "p": {"T": 7}, "D": "False"}
    assert one.localise({"note": "x"}) == {"N": "x", "D": "False"}
    assert one.normalise({"p": {"T": 7}, "D": "True"}).values == {}


def test_comparables_follow_the_rules_of_the_fields(tmp_path: Path) -> None:
    one = message(
        tmp_path,
        """
applicant.email: {wire: E, codec: text, compare: casefold}
abstract: {wire: A, codec: text, compare: prefix 3}
note: {wire: N, codec: text, compare: ignore}
due_at: {wire: D, codec: local_date_dmy}
modified_at: {wire: M, codec: local_time_14, volatile: true}
documents: {wire: L, codec: {list: {name: {wire: N, codec: text}, url: {wire: U, codec: text, volatile: true}}}}
""",
    )
    values = {
        "applicant": {"email": "A@EXAMPLE.invalid"},
        "abstract": "abcdef",
        "note": "x",
        "due_at": AT,
        "modified_at": AT,
        "documents": [{"name": "Đơn", "url": "https://portal.example.invalid/1?at=2"}],
    }

    assert one.comparable(values) == {
        "applicant.email": "a@example.invalid",
        "abstract": "abc",
        "due_at": "2024-01-14T17:00:00+00:00",
        "documents": '[{"name":"Đơn"}]',
    }


def test_a_long_text_is_compared_by_its_digest(tmp_path: Path) -> None:
    one = message(tmp_path, "note: {wire: N, codec: text}")

    first, second = (one.comparable({"note": "x" * 500 + tail})["note"] for tail in "ab")

    assert first != second
    assert first.startswith("sha256:")


def test_a_digest_sees_news_and_not_what_changes_by_itself() -> None:
    dossier = load("npsp/v2-2024").messages["dossier"]
    wire = {
        "TrangThaiHoSo": "4",
        "TaiLieuNop": [{"TenTepDinhKem": "a", "DuongDanTaiTepTin": "https://x.example.invalid/1"}],
    }
    other_address = wire | {"TaiLieuNop": [{"TenTepDinhKem": "a", "DuongDanTaiTepTin": "https://x.example.invalid/2"}]}
    other_name = wire | {"TaiLieuNop": [{"TenTepDinhKem": "b"}]}

    assert dossier.digest(wire) == dossier.digest(other_address)
    assert dossier.digest(wire) != dossier.digest(other_name)
    assert dossier.digest(wire) != dossier.digest(wire | {"TrangThaiHoSo": "5"})


def test_a_secret_is_blanked_and_never_remembered(tmp_path: Path) -> None:
    one = message(
        tmp_path,
        "note: {wire: N, codec: text}\n"
        "documents: {wire: L, codec: {list: {note: {wire: K, codec: text, secret: true}}}}",
        "target: dossier\nsecrets: [/password]",
    )
    wire = {"N": "x", "password": "hunter2", "L": [{"K": " hunter2 "}]}

    assert one.secret_paths == ("/L/*/K", "/password")
    assert one.blank(wire) == {"N": "x", "password": "", "L": [{"K": ""}]}
    assert wire["password"] == "hunter2"
    seen = one.normalise(wire)
    assert "hunter2" not in str(seen.spelled)
    assert seen.unknown == ()


def test_a_cut_text_is_a_warning_by_name() -> None:
    progress = load("npsp/v2-2024").messages["progress"]
    values = {"officer": "CÁN BỘ THỬ NGHIỆM " * 5, "note": "x"}

    assert progress.narrowed(values) == ("officer",)
    assert len(progress.record.write(values)["NguoiXuLy"]) == 50
    assert progress.narrowed({"officer": "CÁN BỘ THỬ NGHIỆM 01"}) == ()


def test_json_and_xml_travel_inside_strings(tmp_path: Path) -> None:
    one = message(
        tmp_path,
        """
form: {wire: F, codec: {json_text: json}}
documents: {wire: L, codec: {json_text: {list: {name: {wire: N, codec: text}}}}}
_letter:
  wire: X
  codec: {xml_text: {root: R, fields: {applicant.name: {wire: a/n, codec: text}, note: {wire: "@c", codec: text}}}}
_more: {wire: J, codec: {json_text: {received_at: {wire: at, codec: local_time_14}}}}
""",
        "target: dossier\nwire: form",
    )
    values = {
        "form": {"a": [1, None, "Đ"]},
        "documents": [{"name": "Đơn"}],
        "applicant": {"name": "CÔNG DÂN <THỬ> NGHIỆM 01"},
        "note": "n",
        "received_at": AT,
    }

    wire = one.localise(values)

    assert wire["F"] == '{"a":[1,null,"Đ"]}'
    assert wire["L"] == '[{"N":"Đơn"}]'
    assert wire["X"].endswith('<R c="n"><a><n>CÔNG DÂN &lt;THỬ&gt; NGHIỆM 01</n></a></R>')
    assert wire["J"] == '{"at":"20240115083000"}'
    assert one.normalise(wire).values == values
    with pytest.raises(RecordInvalidError, match="documents: JSON in text expected"):
        one.normalise(wire | {"L": "{"})


XML = """
applicant.name: {wire: A/N, codec: text}
documents: {wire: L/D, codec: {list: {name: {wire: N, codec: text}, size: {wire: "@s", codec: int_text}}}}
form.words: {wire: W, codec: {list_of: text}}
form.rest: {wire: F, codec: json}
"""


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<A><N>CÔNG DÂN THỬ NGHIỆM 01</N></A>",
        "<L><D><N>x</N></D></L>",
        '<L><D s="1"><N>x</N></D><D/><D s="2"/></L>',
        "<W>one</W>",
        "<W>one</W><W>two</W>",
        "<F><Ship><Name>a &amp; b</Name><Crew/></Ship><Ship>c</Ship></F>",
        '<A><N> x </N></A><L><D s="07"><N>x</N></D></L>',
        "<A/><L/>",
    ],
)
def test_an_xml_message_is_read_and_written_back_equal(tmp_path: Path, inside: str) -> None:
    one = message(tmp_path, XML, "target: dossier\nwire: xml\nroot: R")
    source = f"<R>{inside}</R>".encode()
    seen = one.normalise(source)
    written = one.localise(seen.values, spelled=seen.spelled)

    assert isinstance(written, bytes)
    assert seen.unknown == ()
    assert etree.tostring(etree.fromstring(written), method="c14n2") == etree.tostring(
        etree.fromstring(source), method="c14n2"
    )


def test_a_key_in_other_case_is_read_and_an_exact_one_wins() -> None:
    lookup = load("npsp/v2-2024").messages["lookup"]

    assert lookup.normalise({"MAHOSO": "a"}).values == {"dossier_code": "a"}
    assert lookup.normalise({"mahoso": "b", "MaHoSo": "a"}).values == {"dossier_code": "a"}
