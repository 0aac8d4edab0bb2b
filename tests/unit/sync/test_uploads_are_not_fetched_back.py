"""A file that we uploaded ourselves is known again in the portal's own list: it is ours, and nobody fetches it."""

from __future__ import annotations

from adapters.base import FileUse
from adapters.opencps.identity import file_reference_of
from gateway.store.rows import FileRow
from gateway.sync.files import Carrier, Shelf

UID = "2f8e6c52-0000-4000-8000-000000000001"
PAPER = FileRow("id-1", "national", "G22-1", "G22-1/abc", media_type="application/pdf", size=9, sha256="ab" * 32)
RESULT = FileRow("id-2", "justice", "", "cd:giayKhaiSinh:1", media_type="application/pdf", size=7, sha256="cd" * 32)


class Province:
    """Tells its own uploads as the adapter does."""

    def is_upload(self, ref: str, stored: str) -> bool:
        dossier, _, file = ref.partition("/")
        return file == file_reference_of(dossier, stored)


def carrier(use: FileUse = FileUse.CONTENT) -> Carrier:
    kept = {row.id: row for row in (PAPER, RESULT)}
    told = {(row.portal, row.ref): row for row in kept.values()}
    shelf = Shelf("justice", kept, told, {}, {"province"}, lambda file: f"https://x/{file}", {"province": Province()})
    return Carrier(shelf, use)


def listed(stored: str, size: int = 9) -> dict[str, object]:
    return {"reference": f"{UID}/{file_reference_of(UID, stored)}", "name": "Giấy chứng sinh.pdf", "size": size}


def test_a_paper_that_came_from_elsewhere_travels_from_our_own_store() -> None:
    taken = carrier()
    row = taken.row("province", listed("G22-1/abc"))
    assert (row["reference"], row["digest"], taken.missing) == ("G22-1/abc", PAPER.sha256, [])


def test_a_result_that_we_brought_there_keeps_its_address() -> None:
    taken = carrier(FileUse.LINK)
    assert taken.row("province", listed("id-2", 7))["url"] == "https://x/id-2"
    assert taken.linked == ["id-2"]


def test_what_an_officer_put_in_the_place_of_our_upload_is_asked_for() -> None:
    taken = carrier()
    assert taken.row("province", listed("G22-1/abc", 10))["reference"] == ""
    assert [one.portal for one in taken.missing] == ["province"]


def test_a_file_of_the_portals_own_is_asked_for() -> None:
    taken = carrier()
    assert taken.row("province", {"reference": f"{UID}/a-file", "name": "Đơn.pdf"})["reference"] == ""
    assert [(one.portal, one.ref) for one in taken.missing] == [("province", f"{UID}/a-file")]
