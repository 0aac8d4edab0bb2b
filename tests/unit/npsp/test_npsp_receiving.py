"""What the national portal tells the province, taken apart and answered: pushes, payments, fees, files."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.conformance.receiving import HOSTILE, damaged, request
from adapters.npsp.receiving.endpoints import receivers
from adapters.npsp.receiving.options import PUSH, InboundOptions
from adapters.receiving import HeldFile, InboundCall, Question, Receiver, Reception, Unreadable, Verdict
from gateway.sync.reading import Reading, Saying, read
from mappings import load
from schemas.errors import RecordInvalidError
from tests.conformance.test_npsp_receivers import DOSSIER, NOTICE, OWED, PAID, PERSON, SCAN

AT = datetime(2026, 11, 1, tzinfo=UTC)
VOCABULARY = load("npsp/v2-2024")
NUMBER = DOSSIER["MaHoSo"]


def receiver(name: str = "push", **options: Any) -> Receiver:
    offered = receivers(InboundOptions(**options))
    return next(one for one in offered if one.name == name)


def taken(fields: Any, name: str = "push", **options: Any) -> InboundCall:
    said = receiver(name, **options).read(request(orjson.dumps(fields), at=AT))
    assert isinstance(said, InboundCall), said
    return said


def refused(fields: Any, name: str = "push", **options: Any) -> Unreadable:
    said = receiver(name, **options).read(request(orjson.dumps(fields)))
    assert isinstance(said, Unreadable), said
    return said


def reading(call: InboundCall) -> Reading:
    return read("national", call.record, VOCABULARY)


def event(call: InboundCall) -> Saying:
    state = reading(call).state
    assert state is not None
    return state


def answered(name: str, verdict: Verdict, found: Any = None, code: str = "", asked: Any = None) -> dict[str, Any]:
    reply = receiver(name).reply(request(orjson.dumps(asked or {})), Reception(verdict, AT, code=code, found=found))
    assert reply.status == 200
    said: dict[str, Any] = orjson.loads(reply.body)
    return said


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(Verdict.NEW, 0), (Verdict.REPEATED, 1), (Verdict.CHANGED, 1), (Verdict.REFUSED, -1), (Verdict.UNREADABLE, -1),
     (Verdict.BUSY, -1)],
    ids=lambda value: str(value),
)  # fmt: skip
def test_npsp_17_a_push_is_answered_0_once_then_1_and_minus_1_when_not_stored(verdict: Verdict, code: int) -> None:
    for name in ("push", "promotion"):
        said = answered(name, verdict, code="procedure")
        assert (said["error_code"], list(said)) == (code, ["error_code", "message"])


def test_a_refusal_says_why_in_words_without_a_value_of_the_call() -> None:
    assert "thủ tục" in answered("push", Verdict.REFUSED, code="procedure")["message"]
    assert "tệp" in answered("push", Verdict.REFUSED, code="file")["message"]


def test_paths_are_those_attested_with_and_without_the_adapters_own() -> None:
    assert receiver().paths == (
        "nhanhsdvcqg",
        "XrdAdapter/RestService/forward/nhanhsdvcqg",
        "VXPAdapter/RestService/forward/nhanhsdvcqg",
    )
    assert receiver("promotion", prefixes=("",)).paths == ("addtthcKhuyenMai",)


def test_an_endpoint_set_to_null_is_not_offered() -> None:
    offered = receivers(InboundOptions(promotion=None, paid=None))
    assert [one.name for one in offered] == ["push", "fees", "files"]


def test_an_endpoint_that_sets_one_thing_keeps_all_else_as_attested() -> None:
    call = taken(DOSSIER, push={"agencies": {"*": "H99.13"}})

    assert call.files == taken(DOSSIER).files
    assert receiver("promotion", promotion={"required": ["MaTTHC"]}).paths == receiver("promotion").paths


def test_a_submission_is_an_event_of_its_own_time_and_identity() -> None:
    found = reading(taken(DOSSIER))

    assert found.state is not None
    assert (found.state.own_id, found.state.status, found.state.wire) == ("submission", "submitted", "submission")
    assert found.state.at == datetime(2026, 11, 1, 1, tzinfo=UTC).timestamp()
    assert (found.national_code, found.procedure_code, found.agency_code) == (NUMBER, "1.013234", "H99.19")
    assert found.facts["submitted_at"] == datetime(2026, 11, 1, 1, tzinfo=UTC)
    assert found.facts["applicant"]["name"] == PERSON
    assert not found.partial


def test_a_submission_without_a_time_gets_none_made_up() -> None:
    found = reading(taken({name: value for name, value in DOSSIER.items() if name != "NgayNopHoSo"}))

    assert found.state is not None
    assert found.state.at is None
    assert "submitted_at" not in found.facts


def test_a_corrected_submission_is_the_same_event_of_a_new_version() -> None:
    first, second = taken(DOSSIER), taken(DOSSIER | {"NgayNopHoSo": "20261101090000"})

    assert (first.key, first.digest != second.digest) == (second.key, True)
    assert [event(one).own_id for one in (first, second)] == ["submission"] * 2


def test_a_withdrawal_is_a_request_of_the_citizen_under_the_same_key() -> None:
    call = taken(DOSSIER | {"TrangThaiHoSo": 7, "NgayYeuCau": "20261102100000", "LyDo": "không còn nhu cầu"})
    found = reading(call)

    assert (call.key, found.partial) == (NUMBER, True)
    assert found.state is not None
    assert (found.state.status, found.state.wire) == ("withdrawal_requested", "withdrawal")
    assert found.state.at == datetime(2026, 11, 2, 3, tzinfo=UTC).timestamp()
    assert found.state.text == {"note": "không còn nhu cầu"}


def test_a_withdrawal_needs_no_more_than_the_number() -> None:
    found = reading(
        taken({"MaHoSo": NUMBER, "LoaiYeuCau": "rut"}, push=PUSH.model_copy(update={"says": {"rut": "withdrawal"}}))
    )
    assert found.state is not None
    assert found.state.wire == "withdrawal"


def test_a_supplement_comes_in_an_updating_envelope_with_its_new_files() -> None:
    more = {"MaHoSo": NUMBER, "TaiLieuNop": [{"TenTepDinhKem": "bo-sung.pdf", "Base64": SCAN}]}
    call = taken({"service": "nhanhsdvcqg", "isUpdating": "True", "data": more})
    found = reading(call)

    assert found.partial
    assert found.state is not None
    assert found.state.wire == "supplement"
    assert found.facts["documents"] == [{"name": "bo-sung.pdf", "reference": call.files[0].ref}]


def test_a_dossier_pushed_again_with_other_content_is_its_supplement() -> None:
    call = taken(DOSSIER | {"SoDienThoai": "0900000000"})
    assert call.changed is not None
    found = read("national", call.changed, VOCABULARY)

    assert found.state is not None
    assert (found.state.wire, found.state.own_id.partition(":")[0]) == ("supplement", "supplement")
    assert (found.facts, found.partial) == (reading(call).facts, False)
    assert taken(DOSSIER | {"TrangThaiHoSo": "7"}).changed is None


def test_two_supplements_are_two_events_and_the_same_one_told_twice_is_one() -> None:
    def supplement(text: str) -> InboundCall:
        return taken({"isUpdating": "True", "data": {"MaHoSo": NUMBER, "GhiChu": text}})

    ids = [event(supplement(text)).own_id for text in ("một", "hai", "một")]
    assert len(set(ids)) == 2


def test_a_promotion_is_read_with_the_words_of_its_form() -> None:
    found = reading(
        taken(
            NOTICE
            | {"TenChuongTrinhKhuyenMai": "Tri ân", "KhachHang": "mọi người", "DiaChiDoanhNghiep": {"MaTinh": 96}},
            "promotion",
        )
    )

    assert found.facts["applicant"] == {
        "name": PERSON,
        "identity_number": "0100000000",
        "kind": "business",
        "address": {"province_code": "96"},
    }
    assert (found.facts["abstract"], found.facts["form"]) == ("Tri ân", {"KhachHang": "mọi người"})
    assert [one["name"] for one in found.facts["documents"]] == ["don.pdf", "the-le.pdf"]


def test_a_promotions_supplement_keeps_both_forms_as_they_are() -> None:
    data = {"MaHoSoQG": NUMBER, "ThongTinDaNop": {"a": "1"}, "ThongTinSuaDoi": {"a": 2}, "LyDoDieuChinh": "sửa",
            "TenTepDangKy": "moi.pdf", "URLTepDangKy": "https://portal.example.invalid/2"}  # fmt: skip
    call = taken({"service": "s", "isUpdating": "True", "data": data}, "promotion")
    found = reading(call)

    assert (call.key, found.partial) == (NUMBER, True)
    assert found.facts["form"] == {"ThongTinDaNop": {"a": "1"}, "ThongTinSuaDoi": {"a": "2"}, "LyDoDieuChinh": "sửa"}
    assert (call.files[0].name, call.files[0].url) == ("moi.pdf", "https://portal.example.invalid/2")


def test_a_field_nobody_mapped_is_counted_by_name() -> None:
    assert reading(taken(DOSSIER | {"TruongLa": "x"})).unknown == ("TruongLa",)


def test_npsp_18_two_files_of_one_name_are_two_and_equal_ones_are_one() -> None:
    def row(content: bytes) -> dict[str, str]:
        return {"TenTepDinhKem": "scan.pdf", "Base64": base64.b64encode(content).decode()}

    call = taken(DOSSIER | {"TaiLieuNop": [row(b"one"), row(b"two"), row(b"one")]})

    assert [file.content for file in call.files] == [b"one", b"two"]
    references = [one["reference"] for one in reading(call).facts["documents"]]
    assert references == [call.files[0].ref, call.files[1].ref, call.files[0].ref]


@pytest.mark.parametrize(
    "row",
    [
        {"Base64": "!!! not base64"},
        {"Base64": "QUJD="},
        {"Base64": "QUJ"},
        {"Base64": "đ"},
        {"Base64": {"a": 1}},
        {"Base64": 7},
        {"DuongDanTaiTepTin": "file:///etc/passwd"},
        {"DuongDanTaiTepTin": "http://"},
        {"DuongDanTaiTepTin": "https://[::1"},
        {"DuongDanTaiTepTin": "ftp://portal.example.invalid/1"},
    ],
    ids=str,
)
def test_npsp_18_a_file_that_cannot_be_read_is_refused_at_the_door(row: dict[str, Any]) -> None:
    assert refused(DOSSIER | {"TaiLieuNop": [{"TenTepDinhKem": "a.pdf"} | row]}).code == "files"


def test_npsp_18_base64_may_be_broken_into_lines_or_written_as_a_data_address() -> None:
    lines = "data:application/pdf;base64,QUJD\r\nREVG"
    assert taken(DOSSIER | {"TaiLieuNop": [{"TenTepDinhKem": "a", "Base64": lines}]}).files[0].content == b"ABCDEF"


def test_npsp_18_twenty_megabytes_in_base64_are_taken() -> None:
    content = random.Random(1).randbytes(20 * 1024 * 1024)
    row = {"TenTepDinhKem": "lon.pdf", "Base64": base64.b64encode(content).decode()}
    call = taken(DOSSIER | {"TaiLieuNop": [row]})

    assert call.files[0].content == content
    assert len(orjson.dumps(call.record.parts)) < 2000


def test_a_paper_without_a_file_is_listed_and_nothing_is_fetched_for_it() -> None:
    call = taken(DOSSIER | {"TaiLieuNop": [{"TenTepDinhKem": "bản chính", "Base64": "", "DuongDanTaiTepTin": ""}]})
    assert (call.files, reading(call).facts["documents"]) == ((), [{"name": "bản chính"}])


def test_too_many_files_are_refused() -> None:
    rows = [{"TenTepDinhKem": f"{n}.pdf", "Base64": SCAN} for n in range(4)]
    few = PUSH.model_copy(update={"max_files": 3})
    assert refused(DOSSIER | {"TaiLieuNop": rows}, push=few).code == "files"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"MaHoSo": ""}, "number"),
        ({"MaHoSo": None}, "number"),
        ({"MaHoSo": {"a": 1}}, "number"),
        ({"MaHoSo": True}, "number"),
        ({"MaHoSo": "G22 1"}, "number"),
        ({"MaHoSo": "x" * 101}, "number"),
        ({"MaHoSoQG": "another"}, "number"),
        ({"MaTTHC": ""}, "missing"),
        ({"ChuHoSo": "  "}, "missing"),
        ({"LoaiDoiTuong": "9"}, "fields"),
        ({"NgayNopHoSo": "20261301080000"}, "fields"),
        ({"NgayNopHoSo": "yesterday"}, "fields"),
        ({"ChuHoSo": [PERSON]}, "missing"),
        ({"GhiChu": {"a": 1}}, "fields"),
        ({"TaiLieuNop": "x"}, "files"),
        ({"DinhDanhCHS": [1]}, "fields"),
        ({"mahoso": "another"}, "ambiguous"),
    ],
    ids=str,
)
def test_npsp_18_what_could_never_be_created_is_refused_at_once(change: dict[str, Any], code: str) -> None:
    assert refused(DOSSIER | change).code == code


def test_numbers_texts_nulls_and_other_case_are_the_same_content() -> None:
    other = {name.lower(): value for name, value in DOSSIER.items()} | {"loaidoituong": 1, "fax": None, "email": ""}
    assert taken(other).digest == taken(DOSSIER).digest
    assert reading(taken(other)).facts == reading(taken(DOSSIER)).facts


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("12345678901234567890123", "12345678901234567890123"),
        ("0.10", "0.10"),
        ("500000.0", "500000"),
    ],
)
def test_a_number_is_read_with_the_digits_it_was_written_with(written: str, read_as: str) -> None:
    body = orjson.dumps(DOSSIER | {"SoGiayToChuHoSo": "DIGITS"}).replace(b'"DIGITS"', written.encode())
    said = receiver().read(request(body, at=AT))
    assert isinstance(said, InboundCall)

    assert reading(said).facts["applicant"]["identity_number"] == read_as


def test_an_array_of_two_dossiers_is_refused_because_one_answer_could_not_tell_them_apart() -> None:
    assert refused([DOSSIER, DOSSIER | {"MaHoSo": "other"}]).code == "many"


def test_a_caller_cannot_set_the_fields_that_only_we_write() -> None:
    forged = DOSSIER | {"SuKien": {"Ma": "x", "Loai": "withdrawal"},
                        "TaiLieuNop": [{"TenTepDinhKem": "a", "LienThongTep": "of another dossier"}]}  # fmt: skip
    found = reading(taken(forged))

    assert found.state is not None
    assert found.state.own_id == "submission"
    assert found.facts["documents"] == [{"name": "a"}]


def test_the_agency_of_a_shape_without_one_is_the_procedures_configured_one() -> None:
    bare = {name: value for name, value in DOSSIER.items() if name != "MaDonVi"}
    for agencies in ({"1.013234": "H99.13"}, {"*": "H99.13"}):
        call = taken(bare, push=PUSH.model_copy(update={"agencies": agencies}))
        assert (call.agency, reading(call).agency_code) == ("H99.13", "H99.13")
    assert taken(bare).agency == ""


def test_the_destination_is_asked_for_in_query_and_header() -> None:
    here = receiver(dstcode="VN:GOV:H99:dvc", dstcode_needed=True)

    def said(**place: Any) -> Any:
        return here.read(request(orjson.dumps(DOSSIER), **place))

    assert isinstance(said(query={"dstcode": "VN:GOV:H99:dvc"}), InboundCall)
    assert isinstance(said(headers={"dstcode": "VN:GOV:H99:dvc"}), InboundCall)
    wrong = said(query={"dstcode": "VN:GOV:H98:dvc"})
    assert isinstance(wrong, Unreadable)
    assert wrong.code == "destination"
    assert isinstance(said(), Unreadable)


def test_fees_owed_are_answered_1_with_the_debt_and_money_in_both_spellings() -> None:
    asked = {"MaHoSo": NUMBER}
    question = receiver("fees").read(request(orjson.dumps(asked)))
    assert question == Question("fees_owed", {"dossier_code": NUMBER})

    said = answered("fees", Verdict.ANSWERED, OWED, asked=asked)
    debt = said["message"]
    assert said["error_code"] == 1
    assert debt["MaTraCuuTT"] == f"{NUMBER}20261101070000"
    assert debt["PhiLePhi"][0]["SoTien"] == 150000
    assert debt["DSKhoanNop"][0]["SoTien"] == "150000"
    assert (debt["HoTenNguoiNop"], debt["MaHoSo"], debt["MaDichVu"]) == ("", NUMBER, "2")


@pytest.mark.parametrize(
    "found",
    [{"fees": []}, {"fees": [{"name": "Phí", "fee_vnd": 0}]}, {"fees": [{"fee_vnd": 5, "paid": True}]}],
    ids=str,
)
def test_nothing_owed_is_answered_0_with_an_empty_list(found: Any) -> None:
    assert answered("fees", Verdict.ANSWERED, found, asked={"MaHoSo": NUMBER}) == {"error_code": 0, "message": []}


@pytest.mark.parametrize("verdict", [Verdict.ANSWERED, Verdict.UNREADABLE, Verdict.BUSY])
def test_an_unknown_dossier_or_an_error_is_answered_minus_1_with_an_empty_list(verdict: Verdict) -> None:
    assert answered("fees", verdict, asked={"MaHoSo": "x"}) == {"error_code": -1, "message": []}


def test_a_payer_is_named_only_where_the_setting_says_so() -> None:
    named = receiver("fees", fees={"names_payer": True})
    reply = named.reply(request(orjson.dumps({"MaHoSo": NUMBER})), Reception(Verdict.ANSWERED, AT, found=OWED))
    assert orjson.loads(reply.body)["message"]["HoTenNguoiNop"] == PERSON


def test_a_payment_notice_is_an_event_of_its_own_code_without_the_payer() -> None:
    call = taken(PAID, "paid")
    found = reading(call)

    assert call.key == f"{NUMBER}/TB-0001"
    assert found.partial
    assert found.state is not None
    assert (found.state.own_id, found.state.status, found.state.wire) == (
        "payment:TB-0001",
        "payment_requested",
        "payment",
    )
    assert found.state.text == {"note": "Đã thanh toán trực tuyến 150000 đồng, biên lai 0000001"}
    assert PERSON not in str(call.record.parts)


def test_a_payment_notice_may_name_the_dossier_by_our_look_up_code() -> None:
    fields = {name: value for name, value in PAID.items() if name != "MaHoSo"} | {
        "MaTraCuuTT": f"{NUMBER}20261101070000"
    }
    assert taken(fields, "paid").record.external_id == NUMBER


@pytest.mark.parametrize(
    ("change", "code"),
    [({"DaThanhToan": "0"}, "unpaid"), ({"SoTien": "0"}, "fields"), ({"SoTien": "-1"}, "fields"),
     ({"SoTien": "1,5"}, "fields"), ({"UrlBienLai": "javascript:alert(1)"}, "address"), ({"MaHoSo": ""}, "number"),
     ({"MaThongBao": ""}, "missing")],
    ids=str,
)  # fmt: skip
def test_a_payment_notice_that_proves_nothing_is_refused(change: dict[str, Any], code: str) -> None:
    assert refused(PAID | change, "paid").code == code


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_payment_notice_is_answered_1_whenever_it_is_stored(verdict: Verdict) -> None:
    stored = verdict in (Verdict.NEW, Verdict.REPEATED, Verdict.CHANGED)
    assert answered("paid", verdict)["error_code"] == (1 if stored else -1)


def test_a_file_link_is_asked_by_its_36_characters_and_handed_over_to_be_kept() -> None:
    link = receiver("files")
    wanted = "11111111-2222-5333-8444-555555555555"

    assert link.read(request(method="GET", path=wanted.upper())) == Question("file", {"id": wanted})
    for other in ("", "1", wanted + "0", f"../{wanted}", wanted.replace("-", "x")):
        assert isinstance(link.read(request(method="GET", path=other)), Unreadable)
    held = HeldFile(8, lambda: iter([b"%PDF-1.7"]))
    found = {"file": held, "media_type": "application/pdf"}
    reply = link.reply(request(), Reception(Verdict.ANSWERED, AT, found=found))
    assert (reply.status, reply.file, reply.media_type) == (200, held, "application/pdf")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert link.reply(request(), Reception(Verdict.ANSWERED, AT)).status == 404
    sly = {"file": held, "media_type": "text/html\r\nSet-Cookie: a=b"}
    assert link.reply(request(), Reception(Verdict.ANSWERED, AT, found=sly)).media_type == "application/octet-stream"


FUZZED: list[tuple[str, dict[str, Any]]] = [("push", DOSSIER), ("promotion", NOTICE), ("paid", PAID)]


def wild(fields: dict[str, Any], lot: random.Random) -> Any:
    """The same object with some of its values replaced by others."""
    odd: list[Callable[[], Any]] = [
        lambda: None, lambda: "", list, dict, lambda: True, lambda: 1.5, lambda: -1, lambda: 2**63,
        lambda: "\u0000", lambda: "x" * 5000, lambda: [{}], lambda: [None, 1], lambda: {"a": {"b": []}}, lambda: "7",
        lambda: "20261399000000", lambda: "2026-11-01T08:00:00", lambda: "https://portal.example.invalid/?t=1",
    ]  # fmt: skip
    changed = dict(fields)
    for _ in range(lot.randint(1, 4)):
        name = lot.choice([*fields, "TruongLa", "SuKien", "data", "isUpdating", "TrangThaiHoSo", "DanhSachLePhi",
                           "DinhDanhCHS", "DanhSachTepDinhKemKhac", "DiaChiDoanhNghiep", "KenhThucHien"])  # fmt: skip
        value = lot.choice(odd)()
        if isinstance(changed.get(name), list) and changed[name] and lot.random() < 0.5:
            rows = [dict(row) if isinstance(row, dict) else row for row in changed[name]]
            if isinstance(rows[0], dict):
                rows[0][lot.choice([*rows[0], "IsDeleted", "DuocSoHoa", "Base64", "Gia"])] = value
            changed[name] = rows
        else:
            changed[name] = value
    return changed if lot.random() < 0.8 else {"service": "s", "isUpdating": lot.choice(["True", "x"]), "data": changed}


def test_ten_thousand_malformed_bodies_raise_nothing_and_what_is_taken_can_be_read() -> None:
    """Success is promised only for what the engine can take in: every call taken is read by its mapping."""
    lot = random.Random(20261101)
    calls = 0
    for turn in range(10_000):
        name, fields = FUZZED[turn % len(FUZZED)]
        body = (
            damaged(orjson.dumps(fields), lot)
            if turn % 2
            else orjson.dumps(wild(fields, lot), option=orjson.OPT_NON_STR_KEYS, default=str)
        )
        said = receiver_by_name[name].read(request(body if turn >= len(HOSTILE) else HOSTILE[turn]))
        if isinstance(said, InboundCall):
            calls += 1
            try:
                reading(said)
            except RecordInvalidError as error:
                pytest.fail(f"{name}: taken, but its mapping cannot read it: {error}")
    assert calls > 1000


receiver_by_name = {name: receiver(name) for name, _ in FUZZED}


@pytest.mark.parametrize("name", ["full", "updating", "minimal_2020"])
def test_a_dossier_in_the_shape_of_the_sync_is_taken_as_a_push(data: Path, name: str) -> None:
    """The body of the real push is not public; the sync's is, and a portal may well send it back the same way."""
    sent = orjson.loads((data / "payloads" / f"dvcqg_DongBoHoSoMC_{name}_request.json").read_bytes())
    fields = sent["data"][0]
    found = reading(taken({"service": "nhanhsdvcqg", "isUpdating": "False", "data": [fields]}))

    assert found.national_code == fields["MaHoSo"]
    assert found.facts["applicant"]["name"] == fields["ChuHoSo"]
    assert found.unknown == ()
