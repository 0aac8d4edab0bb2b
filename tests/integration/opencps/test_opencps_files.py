"""Files of a dossier: read as they come, results apart from papers, results uploaded once before the act."""

from __future__ import annotations

import hashlib
import io
import threading
from base64 import b64encode
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import pytest

from adapters.base import FileStream, FileUse, OutcomeKind
from adapters.opencps.identity import file_reference_of
from adapters.opencps.operations import ABILITIES
from adapters.simulation import Reply, Request
from mappings import load
from schemas.errors import PortalContractError, PortalError, PortalUnavailableError, StoreError
from tests.integration.opencps.conftest import Province as Reading
from tests.integration.opencps.test_opencps_births import UID, Province, province

__all__ = ["province"]
Make = Callable[..., Reading]

CERTIFICATE = b"%PDF-1.4 giay khai sinh " + bytes(range(256)) * 3
RESULT = {"reference": "0b4c-ket-qua", "name": "giayKhaiSinh", "media_type": "application/pdf"}
MESSAGES = load("opencps/v2-2020").messages


def with_result(province: Province) -> Any:
    province.store["0b4c-ket-qua"] = CERTIFICATE
    return province.delivery("action", {"status": "completed", "note": "Đã trả kết quả", "form": {"results": [RESULT]}})


def at_work(province: Province) -> None:
    province.create(documents=[])
    for verb in ("accept", "process"):
        province.simulator.act(verb, {"referenceUid": UID})


def test_what_carries_files_says_so() -> None:
    content = {name for name, one in ABILITIES.operations.items() if one.files is FileUse.CONTENT}
    assert content == {"action", "supplement", "create"}


def test_a_result_is_uploaded_once_before_the_act_under_its_own_part(province: Province) -> None:
    at_work(province)
    delivery = with_result(province)
    outcome = province.adapter.push(delivery)

    (file,) = province.held().files
    assert (outcome.kind, province.held().status) == (OutcomeKind.DELIVERED, "releasing")
    assert (file.content, file.part_no, file.name, file.file_type) == (CERTIFICATE, "KQ01", "giayKhaiSinh", "pdf")
    effects = [one["effect"] for one in province.simulator.book.effects(key=UID)]
    assert effects.index("file") < len(effects) - 1, "the file lies there before the act"
    assert province.adapter.push(delivery).not_allowed
    assert province.made("file") == 1
    (shown,) = province.simulator.screen(f"files/{UID}", {})
    assert shown["sha256"] == hashlib.sha256(CERTIFICATE).hexdigest()


def test_an_act_whose_result_could_not_be_uploaded_has_done_nothing(province: Province) -> None:
    at_work(province)
    delivery = with_result(province)
    province.server.faults.script("reset_after", on="write")
    assert province.adapter.push(delivery).kind is OutcomeKind.RETRY
    assert province.held().status == "processing"
    assert province.adapter.push(delivery).kind is OutcomeKind.DELIVERED
    assert len(province.held().files) == 1


def test_an_act_whose_result_is_not_kept_is_refused_before_anything_is_sent(province: Province) -> None:
    at_work(province)
    delivery = with_result(province)
    del province.store["0b4c-ket-qua"]
    outcome = province.adapter.push(delivery)
    assert (outcome.kind, outcome.final, province.made("file")) == (OutcomeKind.REFUSED, True, 0)
    assert "1 of its files" in outcome.reason


def test_a_file_is_sent_as_it_is_read_and_opened_anew_for_each_try(province: Province) -> None:
    """Nobody holds it whole: each try reads from the beginning, and every stream that was opened is closed."""
    at_work(province)
    opened: list[io.BytesIO] = []

    def once(_reference: str) -> FileStream:
        opened.append(io.BytesIO(CERTIFICATE))
        return FileStream(opened[-1], "application/pdf", len(CERTIFICATE))

    object.__setattr__(province.adapter._calls.context, "open_stored", once)
    delivery = with_result(province)
    province.server.faults.script("reset_before", on="write")
    assert province.adapter.push(delivery).kind is OutcomeKind.RETRY
    assert province.adapter.push(delivery).kind is OutcomeKind.DELIVERED
    assert province.held().files[0].content == CERTIFICATE
    assert len(opened) >= 4
    assert all(stream.closed for stream in opened)


class OneWay(io.RawIOBase):
    """A stored file as the gateway opens it: it can be read once, and not rewound."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece, self.content = self.content[: len(buffer)], self.content[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


class Broken(io.RawIOBase):
    """A stored file that opens and is damaged further on."""

    def __init__(self, good: int) -> None:
        self.left = good

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.left:
            raise StoreError("damaged")
        count = min(len(buffer), self.left)
        buffer[:count] = b"x" * count
        self.left -= count
        return count


@pytest.mark.parametrize("good", [None, 0, 100_000])
def test_a_file_that_cannot_be_read_here_stops_the_act_and_is_tried_again(province: Province, good: int | None) -> None:
    at_work(province)
    delivery = with_result(province)
    context, whole = province.adapter._calls.context, province.adapter._calls.context.open_stored

    def damaged(_reference: str) -> FileStream:
        if good is None:
            raise StoreError("no disk")
        return FileStream(cast("BinaryIO", Broken(good)), "application/pdf", 200_000)

    object.__setattr__(context, "open_stored", damaged)
    outcome = province.adapter.push(delivery)
    assert (outcome.kind, province.held().files, province.held().status) == (OutcomeKind.RETRY, [], "processing")
    assert "cannot be read here" in outcome.reason
    object.__setattr__(context, "open_stored", whole)
    assert province.adapter.push(delivery).kind is OutcomeKind.DELIVERED
    assert province.held().files[0].content == CERTIFICATE


def test_an_upload_says_its_length_beforehand_though_the_file_cannot_be_rewound(province: Province) -> None:
    at_work(province)
    seen: list[Any] = []
    answer = province.simulator.answer

    def noted(request: Request) -> Reply:
        seen.append((request.path.endswith("/files") and request.method == "POST", request.headers))
        return answer(request)

    setattr(province.simulator, "answer", noted)  # noqa: B010 - a method of a running simulator
    object.__setattr__(
        province.adapter._calls.context,
        "open_stored",
        lambda _: FileStream(cast("BinaryIO", OneWay(CERTIFICATE)), "application/pdf", len(CERTIFICATE)),
    )
    assert province.adapter.push(with_result(province)).kind is OutcomeKind.DELIVERED
    (headers,) = [headers for upload, headers in seen if upload]
    assert int(headers["content-length"]) > len(CERTIFICATE)
    assert "transfer-encoding" not in headers
    assert province.held().files[0].content == CERTIFICATE


def test_an_upload_of_ours_is_known_again_by_whoever_holds_the_stored_file(province: Province) -> None:
    province.create()
    keys = [file.reference_uid for file in province.held().files]
    assert keys[0] == file_reference_of(UID, "ref-don")
    assert province.adapter.is_upload(f"{UID}/{keys[0]}", "ref-don")
    assert province.adapter.is_upload(f"xxx-cps-{UID}/{keys[0]}", "ref-don")
    assert not province.adapter.is_upload(f"{UID}/{keys[0]}", "ref-ve")
    assert not province.adapter.is_upload(f"{UID}/{keys[1]}", "ref-don")


def test_what_a_row_names_opens_and_results_are_told_apart(make: Make) -> None:
    province = make(read_files=True, result_parts=["TP-KQ"], result_types=[7])
    uid = province.create()
    for number, (part, kind) in enumerate((("TP1", 1), ("TP-KQ", 1), ("TP2", 7), ("KQ01", 1))):
        province.act("add_file", uid, name=f"Tệp {number}.txt", text=f"nội dung {number}", partNo=part, partType=kind)
    gone = province.act("add_file", uid, name="thu hồi.txt", partNo="KQ01")
    province.act("remove_file", uid, fileUid=gone["fileUid"])
    record = province.adapter.fetch(uid)
    assert record is not None
    read = MESSAGES["files"].normalise(record.parts["files"])
    assert not any("lienThong" in name for name in read.unknown)
    assert [row["name"] for row in read.values["documents"]] == ["Tệp 0.txt"]
    assert [row["name"] for row in read.values["results"]] == ["Tệp 1.txt", "Tệp 2.txt", "Tệp 3.txt"]
    for number, row in enumerate([*read.values["documents"], *read.values["results"]]):
        with province.adapter.open_file(row["reference"]).stream as stream:
            assert stream.read().decode() == f"nội dung {number}"


@pytest.mark.parametrize("prefix", ["as_stored", "add", "strip"])
def test_a_reference_opens_however_the_portal_spells_the_dossier(make: Make, prefix: str) -> None:
    province = make({"prefix": prefix}, read_files=True)
    uid = province.create()
    province.act("add_file", uid)
    record = province.adapter.fetch(uid)
    assert record is not None
    (row,) = MESSAGES["files"].normalise(record.parts["files"]).values["documents"]
    with province.adapter.open_file(row["reference"]).stream as stream:
        assert stream.read().decode() == "nội dung"


def test_a_files_row_changes_nothing_that_a_copy_is_compared_by() -> None:
    """What a dossier's files are called at the province is nobody's business at the national portal."""
    national = load("npsp/v2-2024").messages["dossier"]
    old = {"documents": [{"document_id": "10001", "reference": "a-uid", "name": "đơn.txt"}]}
    new = {"documents": [{"document_id": "10001", "reference": "a-dossier/a-uid", "name": "đơn.txt"}]}
    assert national.comparable(old) == national.comparable(new)


def test_a_large_file_is_read_as_it_comes_and_its_size_is_known(make: Make) -> None:
    province = make(max_body_bytes=4096)
    uid = province.create()
    content = b"%PDF-1.7 " + b"x" * 3_000_000
    made = province.act("add_file", uid, base64=b64encode(content).decode())
    file = province.adapter.open_file(f"{uid}/{made['fileUid']}")
    assert file.size == len(content)
    digest = hashlib.sha256()
    with file.stream as stream:
        while piece := stream.read(10_000):
            assert len(piece) <= 10_000
            digest.update(piece)
    assert digest.digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize(
    ("how", "error"),
    [("gone", PortalUnavailableError), ("html", PortalContractError), ("empty", PortalContractError)],
)
def test_what_is_no_file_is_never_taken_for_one(make: Make, how: str, error: type[PortalError]) -> None:
    province = make()
    uid = province.create()
    made = province.act("add_file", uid, name="đơn.pdf", text="%PDF-1.4 nội dung")
    province.act("spoil_file", uid, how=how)
    with pytest.raises(error):
        province.adapter.open_file(f"{uid}/{made['fileUid']}")
    province.act("spoil_file", uid, how="")
    with province.adapter.open_file(f"{uid}/{made['fileUid']}").stream as stream:
        assert stream.read().decode() == "%PDF-1.4 nội dung"


@pytest.mark.parametrize(
    "fault", ["reset_before", "reset_after", "truncate", "html_200", "unavailable_503", "too_many_429"]
)
def test_a_file_that_breaks_on_the_way_is_an_error_and_never_a_shorter_file(make: Make, fault: str) -> None:
    province = make()
    uid = province.create()
    content = b"%PDF-1.7 " + b"x" * 300_000
    made = province.act("add_file", uid, base64=b64encode(content).decode())
    province.server.faults.script(fault, on="file")
    with pytest.raises((PortalUnavailableError, PortalContractError)):
        province.adapter.open_file(f"{uid}/{made['fileUid']}").stream.read()
    assert province.adapter.open_file(f"{uid}/{made['fileUid']}").stream.read() == content


def test_a_file_that_drips_ends_at_the_calls_deadline(make: Make) -> None:
    province = make(timeout_s=0.4)
    uid = province.create()
    made = province.act("add_file", uid, text="%PDF-1.4 " + "x" * 2000)
    province.server.faults.script("drip", on="file")
    with pytest.raises(PortalUnavailableError, match="time-out"):
        province.adapter.open_file(f"{uid}/{made['fileUid']}").stream.read()


def test_reading_a_file_holds_up_no_other_call(make: Make) -> None:
    """A stream has a connection of its own, in the thread that opened it too."""
    province = make()
    uid = province.create()
    made = province.act("add_file", uid, base64=b64encode(b"%PDF-1.7 " + b"x" * 400_000).decode())
    first = province.adapter.open_file(f"{uid}/{made['fileUid']}")
    second = province.adapter.open_file(f"{uid}/{made['fileUid']}")
    head = first.stream.read(10)
    assert province.adapter.fetch(uid) is not None
    assert second.stream.read(10) == head
    rest: list[bytes] = []
    reader = threading.Thread(target=lambda: rest.append(first.stream.read()))
    reader.start()
    reader.join(5)
    assert len(head) + len(rest[0]) == 400_009
    first.stream.close()
    second.stream.close()


def test_closing_the_adapter_ends_what_is_being_read(make: Make) -> None:
    province = make()
    uid = province.create()
    made = province.act("add_file", uid, base64=b64encode(b"%PDF-1.7 " + b"x" * 9_000_000).decode())
    file = province.adapter.open_file(f"{uid}/{made['fileUid']}")
    file.stream.read(10)
    province.adapter.close()
    with pytest.raises(PortalUnavailableError):
        file.stream.read()
