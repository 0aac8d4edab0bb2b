"""The papers of a push: bytes read when it is sent, the same at every resend, and nothing sent without them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

import pytest

from adapters.base import SENT, FileStream, FileUse, OutcomeKind
from adapters.civil_status.registry_office import papers_of
from mappings import load
from schemas.errors import StoreError
from tests.integration.civil_status.conftest import NUMBER, Bench

Make = Callable[..., Bench]
BIRTH_NOTICE = b"%PDF-1.4 giay chung sinh " + bytes(range(256)) * 1000
VALUES: dict[str, Any] = {
    "handling_agency": {"agency_code": "H96.1"},
    "procedure": {"procedure_code": "1.001193"},
    "dossier_code": NUMBER,
    "received_at": datetime(2026, 11, 1, 2, tzinfo=UTC),
    "documents": [
        {"name": "Giấy chứng sinh", "reference": "3f-chung-sinh", "deleted": False},
        {"name": "Tờ khai.docx", "reference": "3f-to-khai"},
        {"name": "Giấy tờ không có tệp"},
    ],
}


class Sips(io.RawIOBase):
    """A stream that gives less than it is asked for, as a line does."""

    def __init__(self, content: bytes) -> None:
        self._inner = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._inner.read(min(len(buffer), 1000))
        buffer[: len(piece)] = piece
        return len(piece)


class Store:
    """Stored files by reference; counts streams that are open."""

    def __init__(self, bench: Bench) -> None:
        self.files = {"3f-chung-sinh": BIRTH_NOTICE, "3f-to-khai": b"PK\x03\x04 to khai"}
        self.opened: list[Sips] = []
        self.error: Exception | None = None
        object.__setattr__(bench.adapter._context, "open_stored", self)

    def __call__(self, reference: str) -> FileStream:
        if self.error is not None:
            raise self.error
        content = self.files[reference]
        self.opened.append(Sips(content))
        return FileStream(cast("BinaryIO", self.opened[-1]), "application/pdf", len(content))


def with_papers(bench: Bench, **more: Any) -> Any:
    wire = load("civil_status/g2-2024").messages["push"].localise(VALUES)
    assert isinstance(wire, dict)
    return bench.delivery(wire={"fileDinhKem": wire["fileDinhKem"]}, **more)


def test_what_carries_files_says_so(ministry: Make) -> None:
    operations = ministry({"supplement": "push_again"}).adapter.abilities.operations
    assert {one.files for one in operations.values()} == {FileUse.CONTENT}


def test_papers_arrive_byte_for_byte_with_their_vietnamese_names(ministry: Make) -> None:
    bench = ministry()
    store = Store(bench)
    assert bench.adapter.push(with_papers(bench)).kind is OutcomeKind.DELIVERED
    (held,) = bench.simulator.screen("dossiers", {})
    assert held["papers"] == [
        {
            "tenGiayTo": "Giấy chứng sinh",
            "huyGiayTo": 0,
            "tenTepDinhKem": "Giấy chứng sinh.pdf",
            "size": len(BIRTH_NOTICE),
            "sha256": hashlib.sha256(BIRTH_NOTICE).hexdigest(),
        },
        {
            "tenGiayTo": "Tờ khai.docx",
            "tenTepDinhKem": "Tờ khai.docx",
            "size": 12,
            "sha256": hashlib.sha256(b"PK\x03\x04 to khai").hexdigest(),
        },
        {"tenGiayTo": "Giấy tờ không có tệp"},
    ]
    assert all(stream.closed for stream in store.opened)
    assert "lienThongTep" not in str(bench.simulator.book.effects())


def test_a_resend_is_equal_byte_for_byte_on_the_wire(ministry: Make) -> None:
    bench = ministry()
    Store(bench)
    delivery = with_papers(bench)
    bench.adapter.push(delivery)
    first = SENT.get()
    again = bench.adapter.push(delivery)
    assert (again.kind, again.duplicate, SENT.get()) == (OutcomeKind.DELIVERED, True, first)
    assert first != hashlib.sha256(delivery.body).hexdigest()


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (LookupError("x"), OutcomeKind.REFUSED, "not kept here"),
        (OSError(5, "x"), OutcomeKind.RETRY, "cannot be read now"),
        (StoreError("x"), OutcomeKind.RETRY, "cannot be read now"),
    ],
)
def test_nothing_is_sent_without_a_file_it_names(
    ministry: Make, error: Exception, kind: OutcomeKind, words: str
) -> None:
    bench = ministry()
    Store(bench).error = error
    outcome = bench.adapter.push(with_papers(bench))
    assert (outcome.kind, outcome.final) == (kind, kind is OutcomeKind.REFUSED)
    assert words in outcome.reason
    assert bench.simulator.book.effects() == []
    assert bench.budget.taken == 0


def test_papers_larger_than_agreed_are_refused_here(ministry: Make) -> None:
    bench = ministry({"max_push_bytes": 300_000})
    Store(bench)
    outcome = bench.adapter.push(with_papers(bench))
    assert (outcome.kind, outcome.final) == (OutcomeKind.REFUSED, True)
    assert "max_push_bytes" in outcome.reason
    assert bench.simulator.book.effects() == []


def test_a_supplement_brings_its_papers(ministry: Make) -> None:
    bench = ministry({"supplement": "push_again"}, supplements=True)
    store = Store(bench)
    bench.declare(NUMBER)
    bench.act("supplement", number=NUMBER)
    assert bench.adapter.push(with_papers(bench, operation="supplement")).kind is OutcomeKind.DELIVERED
    (held,) = bench.simulator.screen("dossiers", {})
    assert held["papers"][0]["sha256"] == hashlib.sha256(store.files["3f-chung-sinh"]).hexdigest()


def test_a_name_of_ours_without_a_file_is_left_out(ministry: Make) -> None:
    bench = ministry()
    delivery = bench.delivery(wire={"fileDinhKem": [{"tenGiayTo": "Đơn", "lienThongTep": ""}]})
    assert bench.adapter.push(delivery).kind is OutcomeKind.DELIVERED
    assert "lienThongTep" not in str(bench.simulator.book.effects())


@pytest.mark.parametrize(
    ("row", "words"),
    [({"lienThongTep": "x"}, "shape"), ({"duLieuTepDinhKem": "$$$$"}, "base64"), ("x", "shape")],
)
def test_the_simulated_ministry_takes_no_field_it_does_not_know(row: object, words: str) -> None:
    """So that a name of ours that slipped onto the wire would be seen."""
    with pytest.raises(ValueError, match=words):
        papers_of({"fileDinhKem": [row]})
