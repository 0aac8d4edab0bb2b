"""Papers of a dossier at a ministry: described, with an address, or with their bytes; the same at every resend."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

import pytest

from adapters.base import SENT, Delivery, FileStream, FileUse, OutcomeKind
from adapters.nsw.adapter import NswAdapter
from adapters.nsw.simulator import NswSimulator, build
from adapters.simulation import Reply, Request, SimulatorServer
from mappings import load
from schemas.errors import StoreError
from tests.integration.nsw.conftest import context, delivery

CODE = "000.00.04.H96-261120-0001"
PAPER = b"%PDF-1.7 giay phep " + bytes(range(256)) * 40
DIGEST = hashlib.sha256(PAPER).hexdigest()


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


class Shelf(NswSimulator):
    """A ministry whose machine also serves one file, as our own server would."""

    def answer(self, request: Request) -> Reply:
        if request.path.startswith("/tep/"):
            return Reply(200, PAPER, content_type="application/pdf")
        return super().answer(request)


class Ministry:
    """A ministry over a socket and an adapter with a store of one file."""

    def __init__(self, **options: Any) -> None:
        self.simulator = Shelf(build({"repeat_answer": "ack"}).switches)
        self.server = SimulatorServer(self.simulator).start()
        given = context()
        object.__setattr__(given, "open_stored", self.open)
        self.adapter = NswAdapter(given, {"base_url": self.server.url} | options)
        self.error: Exception | None = None

    def open(self, reference: str) -> FileStream:
        if self.error is not None:
            raise self.error
        content = {"3f-giay-phep": PAPER}[reference]
        return FileStream(cast("BinaryIO", Sips(content)), "application/pdf", len(content))

    def forward(self, operation: str = "declare", url: str = "") -> Delivery:
        paper = {
            "document_id": "10001", "name": "Giấy phép xây dựng.pdf", "media_type": "application/pdf",
            "size": len(PAPER), "digest": DIGEST, "reference": "3f-giay-phep",
        }  # fmt: skip
        body = load("nsw/forward-2026").messages["forward"].localise({
            "dossier_code": CODE, "procedure": {"procedure_code": "1.001193"},
            "applicant": {"name": "CÔNG DÂN THỬ NGHIỆM 01"}, "received_at": datetime(2026, 11, 20, 1, tzinfo=UTC),
            "documents": [paper | ({"url": url} if url else {}), {"name": "Giấy tờ không có tệp"}],
        })  # fmt: skip
        assert isinstance(body, bytes)
        return delivery(CODE, operation=operation, body=body)

    def papers(self) -> list[dict[str, Any]]:
        (held,) = self.simulator.screen("dossiers", {})
        found: list[dict[str, Any]] = held["papers"]
        return found

    def close(self) -> None:
        self.adapter.close()
        self.server.stop()
        assert self.server.defects == []


@pytest.fixture
def ministry(request: pytest.FixtureRequest) -> Iterator[Ministry]:
    made = Ministry(**request.param)
    yield made
    made.close()


with_options = pytest.mark.parametrize("ministry", [{}], indirect=True)
with_link = pytest.mark.parametrize("ministry", [{"attachments": "link"}], indirect=True)
with_content = pytest.mark.parametrize("ministry", [{"attachments": "content"}], indirect=True)


@pytest.mark.parametrize(
    ("ministry", "use"),
    [({}, "none"), ({"attachments": "link"}, "link"), ({"attachments": "content"}, "content")],
    indirect=["ministry"],
)
def test_each_partner_gets_what_is_agreed_and_a_cancellation_waits_for_no_file(ministry: Ministry, use: str) -> None:
    uses = {name: one.files for name, one in ministry.adapter.abilities.operations.items()}
    assert uses.pop("cancel") is FileUse.NONE
    assert set(uses.values()) == {FileUse(use)}


@with_options
def test_as_attested_a_paper_is_described_and_nothing_more(ministry: Ministry) -> None:
    assert ministry.adapter.push(ministry.forward()).kind is OutcomeKind.DELIVERED
    described, bare = ministry.papers()
    assert described == {
        "AttachmentId": "10001",
        "AttachmentName": "Giấy phép xây dựng.pdf",
        "MediaType": "application/pdf",
        "Size": str(len(PAPER)),
        "Digest": DIGEST,
    }
    assert bare == {"AttachmentName": "Giấy tờ không có tệp"}


@with_link
def test_a_ministry_that_follows_addresses_gets_the_very_bytes(ministry: Ministry) -> None:
    sent = ministry.adapter.push(ministry.forward(url=f"{ministry.server.url}/tep/3f"))
    assert sent.kind is OutcomeKind.DELIVERED
    ministry.simulator.act("fetch_files", {"dossier_code": CODE})
    fetched = ministry.papers()[0]["fetched"]
    assert (fetched["status"], fetched["sha256"], fetched["size"]) == (200, DIGEST, len(PAPER))


@with_content
def test_bytes_go_in_the_message_the_same_at_every_resend(ministry: Ministry) -> None:
    frozen = ministry.forward(url="http://127.0.0.1:9/noi-khac")
    assert ministry.adapter.push(frozen).kind is OutcomeKind.DELIVERED
    first = SENT.get()
    assert ministry.adapter.push(frozen).kind is OutcomeKind.DELIVERED
    assert SENT.get() == first
    paper = ministry.papers()[0]
    assert (paper["ContentDigest"], paper["ContentSize"], "Url" in paper) == (DIGEST, len(PAPER), False)
    assert "StoredFile" not in str(ministry.simulator.book.effects())
    assert ministry.simulator.book.count(ministry.simulator.screen("dossiers", {})[0]["key"], "declare") == 1


@with_content
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (LookupError("x"), OutcomeKind.REFUSED),
        (OSError(5, "x"), OutcomeKind.RETRY),
        (StoreError("x"), OutcomeKind.RETRY),
    ],
)
def test_nothing_is_sent_without_a_file_it_names(ministry: Ministry, error: Exception, kind: OutcomeKind) -> None:
    ministry.error = error
    outcome = ministry.adapter.push(ministry.forward())
    assert (outcome.kind, outcome.final) == (kind, kind is OutcomeKind.REFUSED)
    assert "one of its files" in outcome.reason
    assert ministry.simulator.book.effects() == []


@pytest.mark.parametrize("ministry", [{"attachments": "content", "max_attachment_bytes": 5000}], indirect=True)
def test_more_bytes_than_agreed_are_refused_here(ministry: Ministry) -> None:
    outcome = ministry.adapter.push(ministry.forward())
    assert (outcome.kind, outcome.final) == (OutcomeKind.REFUSED, True)
    assert "max_attachment_bytes" in outcome.reason
    assert ministry.simulator.book.effects() == []
